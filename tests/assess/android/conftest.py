"""Small packages built in memory for the tests of the Android reader."""

from __future__ import annotations

import importlib.util
import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from proscribe.assess.intake.container import Container, open_container

_BUILDERS = Path(__file__).resolve().parents[1] / "builders"


def _load(name: str) -> ModuleType:
    """A builder by its path: with ``--import-mode=importlib`` test folders are no packages."""
    key = f"assess_builders_{name}"
    if key not in sys.modules:
        spec = importlib.util.spec_from_file_location(key, _BUILDERS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[key] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[key])
    return sys.modules[key]


@pytest.fixture(scope="session")
def axml() -> ModuleType:
    """Builds binary XML."""
    return _load("axml")


@pytest.fixture(scope="session")
def arsc() -> ModuleType:
    """Builds resource tables."""
    return _load("arsc")


@pytest.fixture(scope="session")
def make_apk() -> Callable[..., Container]:
    """An archive of the given members, opened; ``name`` makes it a nested one."""

    def make(members: dict[str, bytes], name: str = "") -> Container:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data in members.items():
                archive.writestr(zipfile.ZipInfo(member), data)
        return open_container(buffer.getvalue(), name=name)

    return make

"""Small dex files and packages for the tests of code evidence."""

from __future__ import annotations

import importlib.util
import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from proscribe.assess.code import read_code
from proscribe.assess.facts import CodeFacts, Reading
from proscribe.assess.intake.container import Container, open_container
from proscribe.assess.watch import Watch

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
def dx() -> ModuleType:
    """Writes dex files."""
    return _load("dex")


@pytest.fixture(scope="session")
def apk() -> Callable[..., Container]:
    """A package of members, by name or in the order given (dex files are numbered)."""

    def make(*dex: bytes, stored: bool = False, **named: bytes) -> Container:
        return open_container(archive(numbered(dex) | named.pop("members", {}) | named, stored=stored))

    return make


def numbered(dex: tuple[bytes, ...]) -> dict[str, bytes]:
    return {f"classes{at + 1 if at else ''}.dex": data for at, data in enumerate(dex)}


def archive(members: dict[str, bytes], *, stored: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as written:
        for name, data in members.items():
            written.writestr(name, data)
    return out.getvalue()


@pytest.fixture(scope="session")
def zipped() -> Callable[..., bytes]:
    """The bytes of an archive."""
    return archive


@pytest.fixture(scope="session")
def read() -> Callable[..., Reading[CodeFacts]]:
    """Read dex files as one package."""

    def reader(*dex: bytes, members: dict[str, bytes] | None = None, **watch: object) -> Reading[CodeFacts]:
        declared = watch.pop("declared", ())
        container = open_container(archive(numbered(dex) | (members or {})))
        frozen = {name: frozenset(value) for name, value in watch.items()}  # type: ignore[call-overload]
        return read_code([container], Watch(**frozen), declared=declared)  # type: ignore[arg-type]

    return reader

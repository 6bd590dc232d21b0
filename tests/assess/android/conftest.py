"""Small packages built in memory for the tests of the Android reader."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from types import ModuleType

import pytest
from tests.assess.hostile.bases import builder

from proscribe.assess.intake.container import Container, open_container


@pytest.fixture(scope="session")
def axml() -> ModuleType:
    """Builds binary XML."""
    return builder("axml")


@pytest.fixture(scope="session")
def arsc() -> ModuleType:
    """Builds resource tables."""
    return builder("arsc")


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

"""Builders for the tests of the iOS reader: Mach-O files, odd property lists, whole IPAs."""

from __future__ import annotations

import io
import plistlib
import zipfile
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from tests.assess.hostile.bases import builder

from proscribe.assess.intake.container import Container, open_container
from proscribe.assess.watch import Watch


@pytest.fixture(scope="session")
def macho() -> ModuleType:
    """Builds Mach-O files."""
    return builder("macho")


@pytest.fixture(scope="session")
def bplist() -> ModuleType:
    """Builds binary property lists that nobody would write."""
    return builder("bplist")


@pytest.fixture(scope="session")
def watch() -> Watch:
    """Some symbols and a library."""
    return Watch(
        macho=frozenset({"_OBJC_CLASS_$_CNContactStore", "_OBJC_CLASS_$_NSObject", "_dlopen", "_never_there"}),
        libraries=frozenset({"Contacts"}),
    )


INFO: dict[str, Any] = {
    "CFBundleIdentifier": "ca.example.app",
    "CFBundleExecutable": "App",
    "CFBundleShortVersionString": "1.2",
    "CFBundleVersion": "34",
    "CFBundleDisplayName": "Example",
    "MinimumOSVersion": "16.0",
}


@pytest.fixture(scope="session")
def zipped() -> Callable[..., Container]:
    """An archive of members by their full names."""

    def make(members: dict[str, bytes], name: str = "") -> Container:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data in members.items():
                archive.writestr(zipfile.ZipInfo(member), data, zipfile.ZIP_DEFLATED)
        return open_container(buffer.getvalue(), name=name)

    return make


@pytest.fixture(scope="session")
def ipa(macho: ModuleType, zipped: Callable[..., Container]) -> Callable[..., Container]:
    """An IPA with one app: ``info`` is added to a plain Info.plist, ``members`` are named from the app's folder.

    Dictionaries become XML property lists. The executable is there unless ``members`` has another, or None for none.
    """

    def make(info: dict[str, Any] | None = None, members: dict[str, Any] | None = None, name: str = "") -> Container:
        files: dict[str, Any] = {"Info.plist": INFO | (info or {}), "App": macho.Thin().build()} | (members or {})
        return zipped(
            {
                f"Payload/App.app/{member}": plistlib.dumps(data) if isinstance(data, dict) else data
                for member, data in files.items()
                if data is not None
            },
            name,
        )

    return make

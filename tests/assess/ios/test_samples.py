"""Real app bundles, zipped as IPAs: every fact against plistlib, lief and LLVM's tools, which know nothing of ours."""

from __future__ import annotations

import io
import plistlib
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proscribe.assess.facts import IosFacts, MachO
from proscribe.assess.intake.container import open_container
from proscribe.assess.ios.image import Budget, images
from proscribe.assess.ios.imports import imports
from proscribe.assess.ios.plists import as_json
from proscribe.assess.ios.read import read_ios
from proscribe.assess.ios.window import Window
from proscribe.assess.terms import Extent, FactClass
from proscribe.assess.watch import Watch

pytestmark = pytest.mark.samples

_MAGICS = {b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe"}
_CPUS = {"CPU_TYPE.ARM64": "arm64", "CPU_TYPE.X86_64": "x86_64"}


def as_ipa(app: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in app.rglob("*") if path.is_file()):
            archive.write(file, f"Payload/{app.name}/{file.relative_to(app)}")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def apps(samples: Path) -> list[Path]:
    """The app bundles."""
    found = sorted((samples / "ios").glob("*.app"))
    assert len(found) == 2
    return found


def mach_files(app: Path) -> Iterator[Path]:
    for file in sorted(app.rglob("*")):
        if file.is_file() and file.read_bytes()[:4] in _MAGICS and ".dSYM" not in str(file):
            yield file


def read(app: Path, watch: Watch | None = None) -> IosFacts:
    reading = read_ios(open_container(as_ipa(app)), watch or Watch())
    assert reading.facts is not None
    assert [run for run in reading.runs if run.extent not in {Extent.complete, Extent.absent}] == []
    # In particular: Apple's own signatures seal the Info.plist that stands beside each framework.
    assert reading.anomalies == ()
    return reading.facts


def test_property_lists_are_those_plistlib_reads(apps: list[Path]) -> None:
    for app in apps:
        info = plistlib.loads((app / "Info.plist").read_bytes())
        facts = read(app)
        assert (facts.bundle_id, facts.version, facts.build) == (
            info["CFBundleIdentifier"],
            info["CFBundleShortVersionString"],
            info["CFBundleVersion"],
        )
        assert (facts.minimum_os, facts.executable) == (info["MinimumOSVersion"], info["CFBundleExecutable"])
        assert {row.key: row.text for row in facts.usage} == {
            key: value for key, value in info.items() if key.endswith("UsageDescription")
        }
        assert facts.background_modes == tuple(sorted(info.get("UIBackgroundModes", [])))
        assert facts.arbitrary_loads == info.get("NSAppTransportSecurity", {}).get("NSAllowsArbitraryLoads", False)
        assert facts.plist_keys == tuple(sorted(info))
        assert facts.frameworks == tuple(
            sorted(
                {
                    name
                    for plist in app.rglob("*.framework/Info.plist")
                    for name in (plist.parent.stem, plistlib.loads(plist.read_bytes())["CFBundleIdentifier"])
                }
            )
        )


def _lief_facts(file: Path) -> dict[str, dict[str, Any]]:
    """By architecture: what lief reads. Its list of imports counts debuggers' entries too, so the flags are used."""
    import lief

    parsed = lief.MachO.parse(file.read_bytes(), lief.MachO.ParserConfig.deep)
    assert parsed is not None
    found = {}
    for binary in parsed:
        undefined = {
            symbol.name
            for symbol in binary.symbols
            if symbol.raw_type & 0xEF == 0x01 and symbol.numberof_sections == 0 and symbol.value == 0
        }
        bound = {binding.symbol.name for binding in binary.bindings if binding.symbol}
        sections = {section.name: bytes(section.content) for section in binary.sections}
        own = {binary.get(kind).name for kind in (lief.MachO.LoadCommand.TYPE.ID_DYLIB,) if binary.has(kind)}
        found[_CPUS[str(binary.header.cpu_type)]] = {
            "imports": {str(name) for name in undefined | bound},
            "libraries": [library.name for library in binary.libraries if library.name not in own],
            "entitlements": sections.get("__entitlements"),
            "encrypted": binary.has_encryption_info and binary.encryption_info.crypt_id != 0,
            "cms": bytes(binary.code_signature.content).find(bytes.fromhex("fade0b01")) >= 0,
        }
    return found


def test_code_is_what_lief_reads(apps: list[Path]) -> None:
    seen = 0
    for app in apps:
        oracle = {f"Payload/{app.name}/{file.relative_to(app)}": _lief_facts(file) for file in mach_files(app)}
        everything = frozenset(name for file in oracle.values() for one in file.values() for name in one["imports"])
        facts = read(app, Watch(macho=everything))
        assert [(one.member, one.architecture) for one in facts.binaries] == sorted(
            (member, architecture) for member, file in oracle.items() for architecture in file
        )
        for one in facts.binaries:
            theirs = oracle[one.member][one.architecture]
            assert set(one.imports) == theirs["imports"]
            assert one.import_count == len(theirs["imports"])
            assert list(one.libraries) == theirs["libraries"]
            assert one.encrypted == theirs["encrypted"]
            seen += 1
        sections = {
            (member, key): as_json(value)
            for member, file in oracle.items()
            for theirs in file.values()
            if theirs["entitlements"]
            for key, value in plistlib.loads(theirs["entitlements"]).items()
        }
        assert {(row.member, row.key): row.value for row in facts.entitlements} == sections
        assert {row.source for row in facts.entitlements} == {"section"}
    assert seen == 24


def test_a_framework_with_frameworks_inside_is_what_lief_reads(samples: Path) -> None:
    seen = 0
    for file in mach_files(samples / "ios" / "Detox.framework"):
        theirs = _lief_facts(file)
        for image in images(Window.of(file.read_bytes())):
            one = theirs[image.architecture]
            assert {name.decode() for name in imports(image, Budget())} == one["imports"]
            assert (image.libraries, image.encrypted, image.problem) == (one["libraries"], one["encrypted"], "")
            seen += 1
    assert seen == 8


def test_signatures_are_those_of_their_makers(apps: list[Path]) -> None:
    by_name: dict[str, set[tuple[str, str, str, bool]]] = {}
    for app in apps:
        for one in read(app).binaries:
            name = one.member.rpartition("/")[2]
            by_name.setdefault(name, set()).add((one.signature, one.team_id, one.identifier, one.signed))
    assert by_name["XCTest"] == {("cms", "59GAB85EFG", "com.apple.dt.XCTest", True)}
    assert by_name["DetoxXCUITestRunnerApp"] == {("ad-hoc", "", "com.wix.DetoxXCUITestRunnerApp", False)}


@pytest.mark.skipif(not shutil.which("llvm-objdump") or not shutil.which("llvm-nm"), reason="no LLVM tools here")
def test_libraries_and_imports_are_those_llvm_prints(apps: list[Path]) -> None:
    def printed(one: MachO, *command: str) -> str:
        return subprocess.run(
            [*command, f"--arch={one.architecture}", str(file)], check=True, capture_output=True, text=True
        ).stdout

    watched = frozenset({"_OBJC_CLASS_$_NSObject", "_OBJC_CLASS_$_UIWindow", "_dlopen", "_dlsym", "_objc_getClass"})
    compared = 0
    for app in apps:
        for one in read(app, Watch(macho=watched)).binaries:
            file = app / one.member.removeprefix(f"Payload/{app.name}/")
            used = printed(one, "llvm-objdump", "--macho", "--dylibs-used")
            own = printed(one, "llvm-objdump", "--macho", "--dylib-id").splitlines()[-1]
            listed = re.findall(r"^\t(\S.*) \(compatibility", used, re.MULTILINE)
            assert list(one.libraries) == [library for library in listed if library != own]
            undefined = set(printed(one, "llvm-nm", "--undefined-only", "--just-symbol-name").split())
            # Symbols that are defined here and may be taken from elsewhere stand in the weak table alone.
            weak = {
                line.split()[-1] for line in printed(one, "llvm-objdump", "--macho", "--weak-bind").splitlines()[4:]
            }
            assert one.import_count == len(undefined | weak)
            assert set(one.imports) == (undefined | weak) & watched
            compared += 1
    assert compared == 24


def test_a_run_says_how_much_was_read(apps: list[Path]) -> None:
    runner = next(app for app in apps if app.name.startswith("DetoxXCUITestRunner-"))
    reading = read_ios(open_container(as_ipa(runner)), Watch())
    counted = {run.of: (run.read, run.total) for run in reading.runs}
    assert counted[FactClass.plist] == (9, 9)
    assert counted[FactClass.macho] == (12, 12)

"""Against androguard, which disassembles everything: the same calls, fields, strings and counts on every sample."""

from __future__ import annotations

import importlib.util
import json
import mmap
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from proscribe.assess.code import read_code
from proscribe.assess.facts import CodeFacts
from proscribe.assess.intake.container import open_container
from proscribe.assess.terms import Extent, SiteKind
from proscribe.assess.watch import Watch

pytestmark = pytest.mark.samples

_CHILD = Path(__file__).with_name("androguard_child.py")
_SMALL = (
    "agent-device-android-ime-helper-0.21.5",
    "agent-device-android-snapshot-helper-0.21.5",
    "app-uiautomator",
    "appium-uiautomator2-server-debug-androidTest",
    "settings_apk-debug",
    "ApiDemos-debug",
)
_LARGE = ("appium-uiautomator2-server-v10.6.6", "Yosemite", "nearby_snippet", "nearby_snippet_2", "nearby_snippet_3p")
_MORE = {
    "Landroid/app/Activity;": ("startActivity", "requestPermissions", "getSystemService"),
    "Landroid/app/Service;": ("startForeground", "stopSelf"),
    "Landroid/content/ContentResolver;": ("query", "insert", "registerContentObserver"),
    "Landroid/content/Context;": (
        "startActivity",
        "getSystemService",
        "registerReceiver",
        "startService",
        "bindService",
    ),
    "Landroid/media/AudioRecord;": ("startRecording", "<init>"),
    "Landroid/net/Uri;": ("parse",),
    "Landroid/webkit/SslErrorHandler;": ("proceed",),
    "Landroid/webkit/WebView;": ("addJavascriptInterface", "loadUrl", "evaluateJavascript"),
    "Landroid/webkit/WebSettings;": ("setJavaScriptEnabled", "setAllowFileAccess"),
    "Ldalvik/system/DexClassLoader;": ("<init>",),
    "Ljava/lang/Class;": ("forName", "getMethod", "getDeclaredMethod"),
    "Ljava/lang/ClassLoader;": ("loadClass", "<init>"),
    "Ljava/lang/Runtime;": ("exec", "loadLibrary"),
    "Ljava/lang/System;": ("loadLibrary", "load"),
    "Ljava/lang/reflect/Method;": ("invoke",),
    "Ljava/util/concurrent/Executor;": ("execute",),
}


def _watch() -> Watch:
    """All methods of the API level 25 list that androguard ships, and more that matter to an assessment."""
    found = importlib.util.find_spec("androguard")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "core/api_specific_resources/api_permission_mappings"
    listed = {tuple(key.split("-", 2)[:2]) for key in json.loads((folder / "permissions_25.json").read_text())}
    more = {(owner, name) for owner, names in _MORE.items() for name in names}
    fields = {("Landroid/os/Build;", name) for name in ("MODEL", "SERIAL", "MANUFACTURER", "FINGERPRINT")}
    fields |= {("Landroid/os/Build$VERSION;", "SDK_INT"), ("Lkotlin/Unit;", "INSTANCE")}
    return Watch(
        methods=frozenset(listed | more),  # type: ignore[arg-type]
        fields=frozenset(fields),
        uris=frozenset({"content://", "android.intent.action.", "http://"}),
    )


@pytest.fixture(scope="session")
def watch() -> Watch:
    return _watch()


def _androguard(package: Path, watch: Watch, folder: Path) -> dict[str, Any]:
    wanted = {
        "names": sorted(watch.names),
        "uris": sorted(watch.uris),
        "fields": sorted(f"{owner}->{name}" for owner, name in watch.fields),
    }
    (folder / "watch.json").write_text(json.dumps(wanted))
    command = [sys.executable, str(_CHILD), str(package), str(folder / "watch.json")]
    done = subprocess.run(command, check=True, capture_output=True, timeout=600)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _ours(package: Path, watch: Watch) -> CodeFacts:
    with package.open("rb") as stream:
        container = open_container(memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)))
    reading = read_code([container], watch)
    assert reading.runs[0].extent is Extent.complete
    assert reading.facts is not None
    return reading.facts


def _line(oracle: dict[str, Any], owner: str) -> list[str]:
    """A class, its superclasses as far as the package has them and one beyond, then all their interfaces."""
    line = [owner]
    while line[-1] in oracle["classes"]:
        line.append(oracle["classes"][line[-1]][0])
    for below in line:
        line += [face for face in oracle["classes"].get(below, ("", []))[1] if face not in line]
    return line


def _meant(oracle: dict[str, Any], watch: Watch, callee: str) -> str | None:
    """The watched method that a reference means, worked out slowly from androguard's classes."""
    owner, _, rest = callee.partition("->")
    name = rest.partition("(")[0]
    for ancestor in [owner] if name.startswith("<") else _line(oracle, owner):
        if (ancestor, name) in watch.methods:
            return f"{ancestor}->{name}"
        if rest in oracle["classes"].get(ancestor, ("", [], []))[2]:
            return None
    return None


def _compare(package: Path, watch: Watch, folder: Path) -> None:
    oracle, facts = _androguard(package, watch, folder), _ours(package, watch)
    own = [file for file in facts.dex if "!" not in file.member]
    # androguard orders the files as the archive does.
    assert Counter((file.strings, file.types, file.methods, file.classes) for file in own) == Counter(
        map(tuple, oracle["counts"])
    )
    sites = [site for site in facts.sites if "!" not in site.member]
    theirs = Counter(
        (callee, meant, caller, offset)
        for callee, caller, offset in oracle["calls"]
        if (meant := _meant(oracle, watch, callee)) is not None
    )
    ours = Counter((site.subject, site.watch, site.caller, site.offset) for site in sites if site.kind is SiteKind.call)
    assert ours - theirs == Counter()
    assert theirs - ours == Counter()
    strings = Counter((site.subject, site.caller, site.offset) for site in sites if site.kind is SiteKind.string)
    assert strings == Counter(map(tuple, oracle["strings"]))
    if oracle["fields"] is not None:
        reads = Counter((site.subject, site.caller, site.offset) for site in sites if site.kind is SiteKind.field)
        assert reads == Counter(map(tuple, oracle["fields"]))


@pytest.mark.parametrize("name", _SMALL)
def test_same_as_androguard(samples: Path, watch: Watch, tmp_path: Path, name: str) -> None:
    _compare(samples / "apk" / f"{name}.apk", watch, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", _LARGE)
def test_same_as_androguard_on_large_packages(samples: Path, watch: Watch, tmp_path: Path, name: str) -> None:
    _compare(samples / "apk" / f"{name}.apk", watch, tmp_path)

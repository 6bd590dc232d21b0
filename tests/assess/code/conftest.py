"""Small dex files and packages for the tests of code evidence, and androguard's answers about the samples."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.assess.hostile.bases import builder as builder_of

from proscribe.assess.code import read_code
from proscribe.assess.facts import CodeFacts, Reading
from proscribe.assess.intake.container import Container, open_container
from proscribe.assess.watch import Watch


@pytest.fixture(scope="session")
def builder() -> Callable[[str], ModuleType]:
    """A builder by its name."""
    return builder_of


@pytest.fixture(scope="session")
def dx() -> ModuleType:
    """Writes dex files."""
    return builder_of("dex")


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


# ---- androguard ------------------------------------------------------------------------------------------------------

_CHILD = Path(__file__).with_name("androguard_child.py")
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
    """What both readers are asked to look for."""
    return _watch()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for androguard comes last: it takes minutes, on the core that the tests do not use."""
    items.sort(key=lambda item: "androguard" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session", autouse=True)
def _ask_androguard_early(request: pytest.FixtureRequest) -> None:
    if _packages(request):
        with suppress(pytest.skip.Exception):
            request.getfixturevalue("androguard")


def _packages(request: pytest.FixtureRequest) -> list[str]:
    """The packages that the chosen tests ask about."""
    items = [item for item in request.session.items if "androguard" in getattr(item, "fixturenames", ())]
    return [item.callspec.params["name"] for item in items]  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def androguard(
    request: pytest.FixtureRequest, samples: Path, watch: Watch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Path], dict[str, Any]]]:
    """What androguard sees in a package. One is read after the other, as each takes gigabytes, while tests go on."""
    wanted = {
        "names": sorted(watch.names),
        "uris": sorted(watch.uris),
        "fields": sorted(f"{owner}->{name}" for owner, name in watch.fields),
    }
    question = tmp_path_factory.mktemp("androguard") / "watch.json"
    question.write_text(json.dumps(wanted))
    with ThreadPoolExecutor(1) as pool:
        packages = [samples / "apk" / f"{name}.apk" for name in _packages(request)]
        answers = {package: pool.submit(_answer, package, question, samples / "oracles") for package in packages}
        yield lambda package: json.loads(answers[package].result().read_bytes())
        pool.shutdown(cancel_futures=True)


def _answer(package: Path, question: Path, folder: Path) -> Path:
    """Where androguard's answer is kept, beside the samples: package, question and version are all it depends on."""
    made_of = (package.read_bytes(), question.read_bytes(), _CHILD.read_bytes(), version("androguard").encode())
    key = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in made_of)).hexdigest()
    kept = folder / f"androguard-{key}.json"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other processes of pytest-xdist wait and find it
        if not kept.exists():
            command = [sys.executable, str(_CHILD), str(package), str(question)]
            done = subprocess.run(command, check=True, capture_output=True, timeout=900)
            scratch = kept.with_suffix(".part")
            scratch.write_bytes(done.stdout)
            scratch.replace(kept)
    return kept

"""The oracle (apksigner's library, asked once for all), keys, and a builder of signed packages."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.assess.hostile.bases import builder, load

HERE = Path(__file__).resolve().parent
LIBRARY = Path("/usr/share/java/apksigner.jar")  # where Debian's package puts it


@dataclass(frozen=True)
class Answer:
    """What apksigner says of a file. ``low`` and ``sandbox`` are the manifest's, None where it could not read them."""

    verdict: str
    low: int | None
    sandbox: int | None
    why: str
    certificates: frozenset[str]

    @property
    def verified(self) -> bool:
        return self.verdict == "verified"


Question = tuple[int, int, Path]
Ask = Callable[[Iterable[Question]], list[Answer]]


def _number(text: str) -> int | None:
    return None if text == "?" else int(text)


@pytest.fixture(scope="session")
def apksigner(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Ask apksigner about (lowest, highest version, file); -1 is what it takes by itself."""
    java, javac = shutil.which("java"), shutil.which("javac")
    if java is None or javac is None or not LIBRARY.exists():
        pytest.skip("no apksigner here")
    classes = tmp_path_factory.mktemp("oracle")
    subprocess.run([javac, "-cp", str(LIBRARY), "-d", str(classes), str(HERE / "Oracle.java")], check=True)
    command = [java, "-Dfile.encoding=UTF-8", "-Dsun.jnu.encoding=UTF-8", "-cp", f"{LIBRARY}:{classes}", "Oracle"]

    def ask(questions: Iterable[Question]) -> list[Answer]:
        lines = "".join(f"{low} {high} {file}\n" for low, high, file in questions)
        done = subprocess.run(
            command, input=lines.encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        )
        answers = []
        for line in done.stdout.decode().splitlines():
            verdict, low, sandbox, why, certificates = line.split("\t")
            found = frozenset(certificates.split(",")) if certificates else frozenset()
            answers.append(Answer(verdict, _number(low), _number(sandbox), why, found))
        assert len(answers) == lines.count("\n")
        return answers

    return ask


@pytest.fixture(scope="session")
def build() -> ModuleType:
    """The builder of signed packages."""
    return load(HERE / "builder.py")


@pytest.fixture(scope="session")
def keys(build: ModuleType) -> dict[str, Any]:
    """Identities, made once: keys cost time."""
    return {
        "rsa": build.identity("rsa", "Old"),
        "ec": build.identity("ec", "New"),
        "ec2": build.identity("ec", "Newest"),
        "dsa": build.identity("dsa", "Other"),
    }


@pytest.fixture(scope="session")
def members(build: ModuleType) -> dict[str, bytes]:
    """A package with a manifest that says nothing, as apksigner wants to read one."""
    axml = builder("axml")
    manifest = bytes(axml.build(axml.Node("manifest", {"package": "a.b"})).data)
    return {"AndroidManifest.xml": manifest, **build.MEMBERS}


@pytest.fixture(scope="session")
def members_for_30(members: dict[str, bytes]) -> dict[str, bytes]:
    """The same, for an app that targets Android 11."""
    axml = builder("axml")
    uses = axml.Node("uses-sdk", {"android:minSdkVersion": 24, "android:targetSdkVersion": 30})
    manifest = bytes(axml.build(axml.Node("manifest", {"package": "a.b"}, (uses,))).data)
    return {**members, "AndroidManifest.xml": manifest}

"""What is installed: licences, locks in step with pyproject, and nothing heavy before it is needed."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HEAVY = ("pydantic", "duckdb", "pyarrow", "django", "httpx", "yaml", "rich")


def pins(text: str) -> dict[str, str]:
    """Name -> version of a lock file, whatever its markers."""
    found = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?==([^\s;\\]+)", text, flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def build_requirements(root):
    lines = (root / "requirements" / "build.in").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize(("lock", "wider"), [("runtime.lock", False), ("dev.lock", True)])
def test_a_lock_answers_every_requirement(root, project, build_requirements, lock, wider):
    wanted = [*project["project"]["dependencies"], *build_requirements]
    if wider:
        wanted += project["project"]["optional-dependencies"]["postgres"] + project["dependency-groups"]["dev"]
    locked = pins((root / "requirements" / lock).read_text("utf-8"))
    unmet = []
    for text in wanted:
        requirement = Requirement(text)
        version = locked.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            unmet.append(f"{text} (locked: {version})")
    assert not unmet, "run make lock"


def test_both_locks_agree(root):
    runtime, dev = (pins((root / "requirements" / name).read_text("utf-8")) for name in ("runtime.lock", "dev.lock"))
    assert {name: version for name, version in runtime.items() if dev.get(name) != version} == {}


@pytest.mark.parametrize("lock", ["runtime.lock", "dev.lock"])
def test_every_pin_has_a_hash(root, lock):
    text = (root / "requirements" / lock).read_text("utf-8")
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text)
    assert not [block.splitlines()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]


# Licences that say only how they treat their own files may be used as they are; these may not be shipped at all.
STRONG = re.compile(r"\b(AGPL|GPL|LGPL|GNU (Affero |Lesser |Library )?General Public)", re.IGNORECASE)


def licence_of(name: str) -> str:
    """Everything a distribution says about its licence: expression, field and classifiers."""
    about = metadata.metadata(name)
    classifiers = [value for value in about.get_all("Classifier", []) if value.startswith("License")]
    # Some put the whole licence text into the field; its first line is its name.
    field = (about.get("License") or "").strip().splitlines()[:1]
    return "; ".join([about.get("License-Expression") or "", *field, *classifiers])


def test_nothing_shipped_is_under_the_gpl(root):
    guilty = {}
    for name in pins((root / "requirements" / "runtime.lock").read_text("utf-8")):
        try:
            licence = licence_of(name)
        except metadata.PackageNotFoundError:
            continue  # for another platform or Python, by its marker in the lock
        if STRONG.search(licence):
            guilty[name] = licence
    assert not guilty


def test_most_of_the_lock_was_looked_at(root):
    """The test before this one would pass on an empty environment."""
    names = pins((root / "requirements" / "runtime.lock").read_text("utf-8"))
    installed = {canonicalize_name(dist.metadata["Name"]) for dist in metadata.distributions()}
    assert len(installed & set(names)) >= len(names) * 0.8
    assert default_environment()["python_version"] >= "3.11"


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["check", "--help"]])
def test_help_imports_nothing_heavy(words):
    """Start-up under 0.15 s is a matter of what is imported; time itself is not tested, for machines differ."""
    program = f"""
import sys
from proscribe.cli.root import root
try:
    root.main({words!r}, prog_name="proscribe")
except SystemExit as end:
    assert end.code in (0, None), end.code
heavy = sorted({{name.partition(".")[0] for name in sys.modules}} & {set(HEAVY)!r})
print("HEAVY", heavy, file=sys.stderr)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "HEAVY []" in run.stderr


def test_the_version_is_said_once(project):
    from proscribe import __version__

    assert __version__ == project["project"]["version"] == metadata.version("proscribe")

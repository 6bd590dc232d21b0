"""Against androguard, which disassembles everything: the same calls, fields, strings and counts on every sample."""

from __future__ import annotations

import mmap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proscribe.assess.code import read_code
from proscribe.assess.facts import CodeFacts
from proscribe.assess.intake.container import open_container
from proscribe.assess.terms import Extent, SiteKind
from proscribe.assess.watch import Watch

pytestmark = pytest.mark.samples

Ask = Callable[[Path], dict[str, Any]]
_SMALL = (
    "agent-device-android-ime-helper-0.21.5",
    "agent-device-android-snapshot-helper-0.21.5",
    "app-uiautomator",
    "appium-uiautomator2-server-debug-androidTest",
    "settings_apk-debug",
    "ApiDemos-debug",
)
_LARGE = ("appium-uiautomator2-server-v10.6.6", "Yosemite", "nearby_snippet", "nearby_snippet_2", "nearby_snippet_3p")


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


@pytest.mark.parametrize("name", [*_SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in _LARGE)])
def test_same_as_androguard(samples: Path, watch: Watch, androguard: Ask, name: str) -> None:
    package = samples / "apk" / f"{name}.apk"
    oracle, facts = androguard(package), _ours(package, watch)
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

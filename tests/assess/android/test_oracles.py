"""Every sample package that androguard or Debian's aapt2 can read, read alike; and every binary XML beside it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from proscribe.assess.android import arsc
from proscribe.assess.android.arsc import Table
from proscribe.assess.android.axml import Document, Element
from proscribe.assess.android.components import KINDS, class_name
from proscribe.assess.android.reader import read_android
from proscribe.assess.android.values import shown
from proscribe.assess.errors import NotAPackage, RefusedPackage
from proscribe.assess.facts import AndroidFacts
from proscribe.assess.intake.container import Container, open_container

pytestmark = pytest.mark.samples

FOLDERS = ("apk", "fdroid", "androguard", "apktool", "apksig")

# Where an oracle is not followed: file name, what it is about, why.
ANDROGUARD_DIFFERS = {
    ("org.sajeg.fallingblocks_3.apk", "permissions"): "androguard gives none of the two that aapt2 and we read",
    (
        "v1v2v3-with-rsa-2048-lineage-3-signers-invalid-zip.apk",
        "facts",
    ): "no ZIP to Android: apksigner and aapt2 refuse",
    ("v2-only-truncated-cd.apk", "facts"): "no ZIP to Android: apksigner and aapt2 refuse",
}

BADGING_DIFFERS = {
    ("repo_souch.smsbypass_9.apk", "maxSdkVersion"): "given as a reference to a string, which badging leaves out",
}


def opened(samples: Path) -> Iterator[tuple[Path, Container]]:
    for folder in FOLDERS:
        for path in sorted((samples / folder).rglob("*.apk")):
            try:
                yield path, open_container(path.read_bytes(), path=str(path))
            except (NotAPackage, RefusedPackage):
                continue


def summary(facts: AndroidFacts) -> dict[str, object]:
    return {
        "package": facts.package,
        "version_code": facts.version_code,
        "version_name": facts.version_name,
        "min_sdk": facts.min_sdk,
        "target_sdk": facts.target_sdk,
        "max_sdk": facts.max_sdk,
        "permissions": sorted({each.name for each in facts.permissions if each.element == "uses-permission"}),
        "later": sorted({each.name for each in facts.permissions if each.element != "uses-permission"}),
        **{kind: sorted({each.name for each in facts.components if each.kind == kind}) for kind in KINDS},
    }


# ---- androguard ----------------------------------------------------------------------------------------------------


def by_androguard(path: Path) -> dict[str, object] | None:
    from androguard.core.apk import APK

    try:
        apk = APK(str(path))
    except Exception:  # noqa: BLE001 - an oracle may fail in any way
        return None
    if not apk.is_valid_APK():
        return None
    package = apk.get_package()

    def level(value: str | None) -> int | str | None:
        return int(value) if value and value.isdecimal() else value

    def names(tag: str) -> list[str]:
        return sorted(
            {class_name(package, name) for name in apk.get_all_attribute_value(tag, "name", format_value=False)}
        )

    return {
        "package": package,
        "version_code": apk.get_androidversion_code() or "",
        "version_name": apk.get_androidversion_name() or "",
        "min_sdk": level(apk.get_min_sdk_version()),
        "target_sdk": level(apk.get_target_sdk_version()),
        "max_sdk": level(apk.get_max_sdk_version()),
        "permissions": sorted(set(apk.get_permissions())),
        "later": sorted(
            {*apk.get_all_attribute_value("uses-permission-sdk-23", "name")}
            | {*apk.get_all_attribute_value("uses-permission-sdk-m", "name")}
        ),
        **{kind: names(kind) for kind in KINDS},
    }


def test_androguard_reads_the_same(samples: Path) -> None:
    loguru = pytest.importorskip("loguru")
    loguru.logger.disable("androguard")
    found, read = {}, 0
    for path, apk in opened(samples):
        theirs = by_androguard(path)
        if theirs is None:
            continue
        facts = read_android([apk]).facts
        if facts is None:
            found[path.name, "facts"] = (None, theirs["package"])
            continue
        read += 1
        ours = summary(facts)
        for about, value in theirs.items():
            # androguard leaves references as they are; aapt2 follows them, and is compared below.
            if ours[about] != value and not str(value).startswith("@"):
                found[path.name, about] = (ours[about], value)
    assert {key: value for key, value in found.items() if key not in ANDROGUARD_DIFFERS} == {}
    assert read > 400


# ---- apk-info ------------------------------------------------------------------------------------------------------


def test_apk_info_gives_components_the_same_guards(samples: Path) -> None:
    """It gives the attributes as they stand; what is inherited is worked out here by hand."""
    from apk_info import APK, APKError

    differences, read = [], 0
    for path, container in opened(samples):
        facts = read_android([container]).facts
        try:
            apk = APK(str(path))
        except APKError:
            continue
        if facts is None:
            continue
        guard, shared = (apk.get_attribute_value("application", name) or "" for name in ("permission", "process"))
        lists = (apk.get_activities(), apk.get_services(), apk.get_receivers(), apk.get_providers())
        theirs = {
            (kind, class_name(facts.package, each.name)): each
            for kind, items in zip(("activity", "service", "receiver", "provider"), lists, strict=True)
            for each in items
        }
        for ours in facts.components:
            other = theirs.get((ours.kind, ours.name))
            if other is None:
                assert ours.kind == "activity-alias", (path.name, ours.name)
                continue
            read += 1
            process = other.process or shared
            process = facts.package + process if process.startswith(":") else process
            expected = (
                {"true": True, "false": False}.get(other.exported or ""),
                other.enabled != "false",
                getattr(other, "read_permission", None) or other.permission or guard,
                "" if process == facts.package else process,
                {name for each in getattr(other, "intent_filters", ()) for name in each.actions}
                if ours.kind == "activity"
                else set(ours.actions),
            )
            found = (ours.exported, ours.enabled, ours.permission, ours.process, set(ours.actions))
            if found != expected:
                differences.append((path.name, ours.name, found, expected))
    assert differences == []
    assert read > 600


# ---- aapt2 ---------------------------------------------------------------------------------------------------------


def aapt2(*arguments: str) -> str | None:
    tool = shutil.which("aapt2")
    if tool is None:
        pytest.skip("no aapt2 on this machine")
    done = subprocess.run([tool, "dump", *arguments], capture_output=True, check=False, timeout=60)
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


ELEMENT = re.compile(r"^( *)E: (\S*) \(line=\d+\)$")
ATTRIBUTE = re.compile(r"^ *A: (?:(.*):)?([^:(=]*)(?:\(0x([0-9a-f]{8})\))?=(.*)$", re.DOTALL)
RAW = re.compile(r' \(Raw: ".*"\)$', re.DOTALL)


def tree_by_aapt2(text: str) -> list[tuple[int, str, list[tuple[int, str, str]]]]:
    """Elements in order: depth, tag and attributes (resource id, name, value) as aapt2 prints them."""
    found: list[tuple[int, str, list[tuple[int, str, str]]]] = []
    indents: list[int] = []
    for line in re.split(r"\n(?= *(?:[EAN]|T): ?)", text):
        element = ELEMENT.match(line.rstrip("\n"))
        if element:
            indent = len(element[1])
            while indents and indents[-1] >= indent:
                indents.pop()
            found.append((len(indents), element[2], []))
            indents.append(indent)
            continue
        attribute = ATTRIBUTE.match(line.rstrip("\n"))
        if attribute and line.lstrip().startswith("A:"):
            value = RAW.sub("", attribute[4])
            found[-1][2].append((int(attribute[3] or "0", 16), attribute[2], value))
    return found


def tree_by_us(document: Document) -> list[tuple[int, str, list[tuple[int, str, str]]]]:
    found = []
    pending: list[tuple[int, Element]] = [(0, document.root)] if document.root else []
    while pending:
        depth, element = pending.pop()
        attributes = []
        for raw in element.raw_attributes():
            identifier = document.ids[raw.name] if raw.name < len(document.ids) else 0
            value = document.value(raw)
            text = f'"{value.text}"' if value.type == 0x03 else as_aapt2(value.type, value.data, shown(value))
            attributes.append((identifier, document.pool[raw.name], text))
        found.append((depth, element.tag, attributes))
        pending += [(depth + 1, child) for child in reversed(element.children)]
    return found


def as_aapt2(kind: int, data: int, ours: str) -> str:
    """Its way to print what our facts never show: dimensions."""
    if kind != 0x05:
        return ours
    mantissa = (data >> 8) - (1 << 24 if data >> 31 else 0)
    number = mantissa / (1, 1 << 7, 1 << 15, 1 << 23)[data >> 4 & 3]
    return f"{number:.6f}{('px', 'dp', 'sp', 'pt', 'in', 'mm')[data & 0xF]}"


def test_aapt2_reads_the_same_manifest_tree(samples: Path) -> None:
    differences, read = [], 0
    for path, apk in opened(samples):
        text = aapt2("xmltree", "--file", "AndroidManifest.xml", str(path))
        if not text:
            continue
        read += 1
        differences += difference(path.name, Document(apk.read("AndroidManifest.xml")), text)
    assert differences == []
    assert read > 350


def difference(name: str, document: Document, text: str) -> list[object]:
    ours, theirs = tree_by_us(document), tree_by_aapt2(text)
    if ours == theirs:
        return []
    return [(name, next((pair for pair in zip(ours, theirs, strict=False) if pair[0] != pair[1]), len(ours)))]


def test_aapt2_reads_the_same_xml_of_special_access_and_network(samples: Path) -> None:
    """Every file that a component's meta-data or the network security config points to."""
    differences, read = [], 0
    for path, apk in opened(samples):
        facts = read_android([apk]).facts
        if facts is None:
            continue
        files = {meta.resource for each in facts.components for meta in each.meta}
        files |= {each.resource for each in facts.special} | {facts.network.resource if facts.network else ""}
        for file in sorted(files & apk.entries.keys()):
            text = aapt2("xmltree", "--file", file, str(path))
            if text:
                read += 1
                differences += difference(f"{path.name} {file}", Document(apk.read(file)), text)
    assert differences == []
    assert read >= 19


BADGE = re.compile(r"^package: name='(.*?)' versionCode='(.*?)' versionName='(.*?)'(?: |$)")
LEVEL = re.compile(r"^(sdkVersion|targetSdkVersion|maxSdkVersion):'(.*)'$")
LABEL = re.compile(r"^application: label='(.*)' icon='")
IMPLIED = re.compile(r"^uses-implied-permission: name='(.*?)'")
ASKED = re.compile(r"^(uses-permission(?:-sdk-23)?): name='(.*?)'(?: maxSdkVersion='(\d+)')?$")


def by_badging(text: str) -> dict[str, object]:
    found: dict[str, object] = {"permissions": set(), "sdkVersion": "", "targetSdkVersion": "", "maxSdkVersion": ""}
    found |= {"label": "", "application-debuggable": False, "testOnly='-1'": False}
    for line in text.splitlines():
        if badge := BADGE.match(line):
            found |= {"package": badge[1], "version_code": badge[2], "version_name": badge[3]}
        elif level := LEVEL.match(line):
            found[level[1]] = level[2]
        elif label := LABEL.match(line):
            found["label"] = label[1]
        elif line in ("application-debuggable", "testOnly='-1'"):
            found[line] = True
        elif implied := IMPLIED.match(line):
            # What aapt2 adds for old target SDKs; it prints each as asked for, too.
            found["permissions"] = {each for each in found["permissions"] if each[1] != implied[1]}  # type: ignore[attr-defined]
        elif asked := ASKED.match(line):
            found["permissions"].add((asked[1], asked[2], asked[3] or ""))  # type: ignore[attr-defined]
    return found


def as_badging(facts: AndroidFacts) -> dict[str, object]:
    return {
        "package": facts.package,
        "version_code": facts.version_code,
        "version_name": facts.version_name,
        "sdkVersion": "" if facts.min_sdk is None else str(facts.min_sdk),
        "targetSdkVersion": "" if facts.target_sdk is None else str(facts.target_sdk),
        "maxSdkVersion": "" if facts.max_sdk is None else str(facts.max_sdk),
        "label": "" if facts.label.startswith("@") else facts.label,  # a reference that goes nowhere
        "application-debuggable": facts.debuggable,
        "testOnly='-1'": facts.test_only,
        "permissions": {(each.element, each.name, str(each.max_sdk or "")) for each in facts.permissions},
    }


def test_aapt2_badging_says_the_same(samples: Path) -> None:
    found, read = {}, 0
    for path, apk in opened(samples):
        text = aapt2("badging", str(path))
        facts = read_android([apk]).facts
        if not text or facts is None:
            continue
        read += 1
        ours, theirs = as_badging(facts), by_badging(text)
        found |= {(path.name, about): (ours[about], value) for about, value in theirs.items() if ours[about] != value}
    assert {key: value for key, value in found.items() if key not in BADGING_DIFFERS} == {}
    assert read > 350


# ---- resource tables -----------------------------------------------------------------------------------------------

BREAK = re.compile(r"\n(?=    resource 0x|      \([^)]*\) |  type |Package )")
RESOURCE = re.compile(r"^    resource (0x[0-9a-f]{8}) ")
CONFIGURED = re.compile(r"^      \(([^)]*)\) (.*)$", re.DOTALL)
FILE = re.compile(r"^\(file\) (.*?)(?: type=\w+)?$")


def table_by_aapt2(text: str) -> dict[int, list[tuple[str, str | None]]]:
    """Configuration and value of every resource; None for values of a kind that manifests do not use."""
    found: dict[int, list[tuple[str, str | None]]] = {}
    values: list[tuple[str, str | None]] = []
    for block in BREAK.split(text):
        if named := RESOURCE.match(block):
            values = found.setdefault(int(named[1], 16), [])
        elif value := CONFIGURED.match(block):
            values.append((value[1], simple(value[2].rstrip("\n").replace("\n      ", "\n"))))
    return found


def simple(text: str) -> str | None:
    if file := FILE.match(text):
        return file[1]
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    return text if re.fullmatch(r"-?\d+|true|false", text) else None


def test_aapt2_reads_the_same_resource_tables(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every string, file, integer and boolean of every table, in every configuration, the default first."""
    monkeypatch.setattr(arsc, "MAX_LOOKUPS", 1 << 30)  # a manifest asks for a dozen resources, this for all
    differences, read = [], 0
    for path, apk in opened(samples):
        text = aapt2("resources", str(path)) if "resources.arsc" in apk.entries else None
        if not text or path.parent.name == "apksig":
            continue
        table = Table(apk.read("resources.arsc"))
        assert table.broken == "", path
        for identifier, values in table_by_aapt2(text).items():
            theirs = [value for _, value in values]
            if not theirs or None in theirs:
                continue
            ours = [shown(value) for value in table.values(identifier)]
            read += 1
            if sorted(ours) != sorted(str(value) for value in theirs) or (values[0][0] == "" and ours[0] != theirs[0]):
                differences.append((path.name, hex(identifier), ours[:3], theirs[:3]))
    assert differences == []
    assert read > 15_000

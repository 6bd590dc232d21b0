"""Binary XML: the lies that packages tell, what Android makes of them, and that nothing makes the reader fail."""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proscribe.assess.android import axml as reader
from proscribe.assess.android.axml import Document
from proscribe.assess.android.reader import read_android
from proscribe.assess.android.values import shown
from proscribe.assess.intake.container import Container
from proscribe.assess.terms import Extent

LIES = (
    "magic",
    "header-size",
    "file-size-large",
    "file-size-zero",
    "trailing",
    "pool-type",
    "pool-header-size",
    "pool-count",
    "pool-offset",
    "unknown-chunk",
    "unknown-node",
    "junk",
    "zero-chunk",
    "zero-end",
    "node-header-size",
    "node-size-zero",
    "attribute-size",
    "attribute-size-zero",
    "attribute-count",
    "attribute-start",
)
UNREADABLE = {"pool-offset"}  # without strings there is nothing to understand
# aapt2 looks at the magic, which Android's own parser does not.
AAPT2_STRICTER = {"magic"}


def permissions(document: Document) -> list[str]:
    assert document.root is not None
    return [shown(value) for each in document.root.all("uses-permission") if (value := each.get("name"))]


def test_every_lie_is_tested(axml: ModuleType) -> None:
    assert set(axml.LIES) == set(LIES)


@pytest.mark.parametrize("utf8", [False, True])
def test_a_sound_file_is_read_without_a_note(axml: ModuleType, utf8: bool) -> None:
    document = Document(bytes(axml.build(axml.manifest(), utf8=utf8).data))
    assert permissions(document) == list(axml.PERMISSIONS)
    assert document.notes == {}
    assert document.broken == ""


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_read_through_and_told(axml: ModuleType, make_apk: Callable[..., Container], lie: str) -> None:
    """What Android reads is whole; what it refuses is never whole; nothing is empty in silence."""
    android, twist = axml.LIES[lie]
    reading = read_android([make_apk({"AndroidManifest.xml": twist(axml.build(axml.manifest()))})])
    ours = reading.runs[0]
    if lie in UNREADABLE:
        assert reading.facts is None
        assert ours.extent is Extent.failed
        return
    assert reading.facts is not None
    assert [each.name for each in reading.facts.permissions] == list(axml.PERMISSIONS)
    assert (reading.facts.package, reading.facts.min_sdk, reading.facts.target_sdk) == ("org.example.app", 21, 34)
    assert ours.extent is (Extent.complete if android == "reads" else Extent.partial)
    assert bool(ours.problem) == (android == "refuses")
    assert any(each.code.startswith("axml.") for each in reading.anomalies) or lie == "zero-end"


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie not in AAPT2_STRICTER])
def test_android_does_with_a_lie_what_the_table_says(
    axml: ModuleType, make_apk: Callable[..., Container], tmp_path: Path, lie: str
) -> None:
    """aapt2 holds Android's own parser of binary XML."""
    tool = shutil.which("aapt2")
    if tool is None:
        pytest.skip("no aapt2 on this machine")
    android, twist = axml.LIES[lie]
    path = tmp_path / "lie.apk"
    path.write_bytes(make_apk({"AndroidManifest.xml": twist(axml.build(axml.manifest()))}).data)
    done = subprocess.run([tool, "dump", "permissions", str(path)], capture_output=True, text=True, check=False)
    assert ("READ_CONTACTS" in done.stdout) == (android == "reads")


def test_names_come_from_resource_ids(axml: ModuleType) -> None:
    """Shrinkers empty the names; Android does not look at them."""
    document = Document(bytes(axml.build(axml.manifest(), names=False).data))
    assert permissions(document) == list(axml.PERMISSIONS)
    assert document.notes == {}


def test_names_that_lie_beside_a_resource_id_are_not_believed(axml: ModuleType) -> None:
    built = axml.build(axml.manifest(axml.Node("uses-permission", {"android:name": "x.Y", "android:value": "decoy"})))
    swapped = bytes(built.data).replace("name".encode("utf-16-le"), "valu".encode("utf-16-le"))
    assert permissions(Document(swapped)) == [*axml.PERMISSIONS, "x.Y"]


def test_a_name_without_resource_id_is_read_and_told(axml: ModuleType) -> None:
    document = Document(bytes(axml.build(axml.manifest(), ids=False).data))
    assert permissions(document) == list(axml.PERMISSIONS)
    assert "attribute-without-id" in document.notes


def test_a_name_outside_the_namespace_is_not_androids(axml: ModuleType) -> None:
    """``<uses-permission name=...>`` asks for nothing."""
    document = Document(bytes(axml.build(axml.manifest(axml.Node("uses-permission", {"name": "x.Y"}))).data))
    assert permissions(document) == list(axml.PERMISSIONS)


def test_decoys_in_another_namespace_are_not_the_package(axml: ModuleType) -> None:
    """Android asks for ``package`` without a namespace; a first one in some namespace is another attribute."""
    built = axml.build(axml.Node("manifest", {"android:package": "org.decoy", "package": "org.example.app"}))
    root = Document(bytes(built.data)).root
    assert root is not None
    assert shown(root.plain("package") or pytest.fail("lost")) == "org.example.app"
    assert root.plain("split") is None


def test_attributes_out_of_order_are_told(axml: ModuleType) -> None:
    """Android walks attributes once by ascending id, so it can lose one that we see."""
    built = axml.build(axml.Node("service", {"android:name": "a", "android:exported": True}))
    at = built.at["start:service"] + 36
    swapped = built.with_bytes(at, bytes(built.data[at + 20 : at + 40] + built.data[at : at + 20]))
    document = Document(swapped)
    assert document.root is not None
    assert document.root.get("exported") is not None
    assert "attribute-order" in document.notes


def test_the_raw_string_names_the_package_and_the_typed_value_the_permission(axml: ModuleType) -> None:
    """``getAttributeValue`` takes the raw string, ``TypedArray`` the typed one; both can be there and differ."""
    node = axml.Node("manifest", {"package": axml.Typed(0x10, 5, "org.example.raw")})
    root = Document(bytes(axml.build(node).data)).root
    assert root is not None
    package = root.plain("package")
    assert package is not None
    assert shown(package) == "org.example.raw"


def test_a_declared_size_that_cuts_is_kept_as_android_keeps_it(axml: ModuleType) -> None:
    """What lies behind the declared end was never asked for; that the file ended early is told."""
    built = axml.build(axml.manifest())
    cut = built.with_bytes(4, struct.pack("<I", built.at["start:application"]))
    document = Document(cut)
    assert document.root is not None
    assert list(document.root.all("application")) == []
    assert permissions(document) == list(axml.PERMISSIONS)
    assert document.broken == "axml.truncated"


def test_nothing_after_the_root_is_read(axml: ModuleType) -> None:
    built = axml.build(axml.manifest())
    start, stop = built.at["start:uses-permission"], built.at["end:uses-permission"] + 24
    more = built.with_insert(len(built.data), bytes(built.data[start:stop]))
    assert permissions(Document(more)) == list(axml.PERMISSIONS)


def test_the_last_pool_before_the_nodes_counts(axml: ModuleType) -> None:
    """Android sets the pool anew for each one it meets."""
    built = axml.build(axml.manifest())
    decoy = axml.pool(["decoy"] * 60)
    assert permissions(Document(built.with_insert(8, decoy))) == list(axml.PERMISSIONS)


@pytest.mark.parametrize("data", [b"", b"\x03\x00", b"\x03\x00\x08\x00\x08\x00\x00\x00", bytes(64), b"\xff" * 4096])
def test_what_is_no_binary_xml_says_so(data: bytes) -> None:
    document = Document(data)
    assert document.root is None
    assert document.broken


@pytest.mark.parametrize("data", [b"<manifest/>", b"\xef\xbb\xbf<?xml version='1.0'?><manifest/>"])
def test_text_xml_is_named(data: bytes) -> None:
    assert "text" in Document(data).notes


def test_strings_in_every_shape(axml: ModuleType) -> None:
    texts = ["", "é", "谢", "\U0001f600", "x" * 127, "x" * 128, "y" * 40_000, "a\0b"]
    node = axml.Node("manifest", {f"a{index}": text for index, text in enumerate(texts)})
    for utf8 in (False, True):
        document = Document(bytes(axml.build(node, utf8=utf8).data))
        assert document.root is not None
        # A NUL inside ends no string: its length says where it ends.
        assert [shown(document.root.plain(f"a{index}") or pytest.fail("lost")) for index in range(8)] == texts


def test_a_string_that_is_not_terminated_is_read_and_told(axml: ModuleType) -> None:
    built = axml.build(axml.Node("manifest", {"package": "org.example.app"}))
    data = bytes(built.data).replace("app\0".encode("utf-16-le"), "app!".encode("utf-16-le"))
    root = (document := Document(data)).root
    assert root is not None
    assert shown(root.plain("package") or pytest.fail("lost")) == "org.example.app"
    assert "bad-string" in document.notes


def test_cesu_and_broken_utf8_never_give_lone_surrogates() -> None:
    from proscribe.assess.android.pool import StringPool

    raw = b"\xed\xa0\xbd\xed\xb8\x80 \xed\xa0\xbd \xff"
    blob = bytes([9, len(raw)]) + raw + b"\0"
    blob += bytes(-len(blob) % 4)
    data = struct.pack("<HHIIIIII", 1, 28, 32 + len(blob), 1, 0, 0x100, 32, 0) + bytes(4) + blob
    text = StringPool(data, 0, len(data), lambda _code, _at: None)[0]
    text.encode()
    assert "�" in text


def test_depth_and_counts_are_bounded(axml: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = axml.Node("a")
    for _ in range(50):
        deep = axml.Node("a", {}, (deep,))
    monkeypatch.setattr(reader, "MAX_DEPTH", 20)
    assert Document(bytes(axml.build(deep).data)).broken == "axml.depth"
    monkeypatch.setattr(reader, "MAX_ELEMENTS", 3)
    assert Document(bytes(axml.build(axml.manifest()).data)).broken == "axml.elements"


def test_attributes_that_overlap_without_end_are_bounded(axml: ModuleType) -> None:
    """attributeSize 0 lets 65,535 attributes lie in 20 bytes; a thousand such elements are 65 million."""
    many = axml.Node("manifest", {}, tuple(axml.Node("uses-permission", {"android:name": "x.Y"}) for _ in range(1000)))
    data = bytearray(axml.build(many).data)
    at = 0
    while (at := data.find(b"\x14\x00\x14\x00\x01\x00", at)) >= 0:
        struct.pack_into("<HH", data, at + 2, 0, 0xFFFF)
        at += 6
    begin = time.process_time()
    document = Document(bytes(data))
    assert len(permissions(document)) < 1000
    assert time.process_time() - begin < 3
    assert document.broken == "axml.attribute-budget"


def test_strings_that_overlap_without_end_are_bounded(axml: ModuleType) -> None:
    """Ten thousand strings that all begin at the same long one."""
    texts = ["x" * 20_000] + ["y"] * 9_999
    chunk = bytearray(axml.pool(texts))
    chunk[28 : 28 + 40_000] = bytes(40_000)
    from proscribe.assess.android.pool import StringPool

    notes: list[str] = []
    pool = StringPool(bytes(chunk), 0, len(chunk), lambda code, _at: notes.append(code))
    begin = time.process_time()
    total = sum(len(pool[index]) for index in range(10_000))
    assert total < 4 * len(chunk)
    assert "string-budget" in notes
    assert time.process_time() - begin < 2


# ---- properties ----------------------------------------------------------------------------------------------------


def everything(document: Document) -> int:
    """Touch all that a reader could touch."""
    count = 0
    pending = [document.root] if document.root else []
    while pending:
        element = pending.pop()
        assert element.tag is not None
        element.get("name")
        element.plain("package")
        count += 1 + sum(1 for _ in element.raw_attributes())
        pending += element.children
    return count


@settings(max_examples=300, deadline=2000)
@given(st.binary(max_size=600))
def test_random_bytes_never_raise(data: bytes) -> None:
    everything(Document(data))
    everything(Document(b"\x03\x00\x08\x00" + struct.pack("<I", len(data) + 8) + data))


@settings(max_examples=500, deadline=2000)
@given(data=st.data())
def test_mutants_never_raise_and_never_take_long(axml: ModuleType, data: st.DataObject) -> None:
    whole = bytearray(axml.build(axml.manifest(debuggable=True), utf8=data.draw(st.booleans())).data)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(whole) - 4))
        value = data.draw(st.sampled_from([0, 1, 3, 8, 16, 20, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, len(whole)]))
        width = data.draw(st.sampled_from([1, 2, 4]))
        whole[at : at + width] = (value & (1 << 8 * width) - 1).to_bytes(width, "little")
    if data.draw(st.booleans()):
        del whole[data.draw(st.integers(0, len(whole))) :]
    document = Document(bytes(whole))
    everything(document)
    assert document.root is not None or document.broken

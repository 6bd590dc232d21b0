"""One changed byte of what is signed, one byte less of the file: never verified, never a crash."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from proscribe.assess.intake.container import open_container
from proscribe.assess.signing import verify_apk
from proscribe.assess.signing.signing_block import find_sections
from proscribe.errors import ProscribeError


def verifies(data: bytes, low: int) -> bool:
    try:
        apk = open_container(data)
    except ProscribeError:
        return False
    facts = verify_apk(apk, min_sdk=low)
    assert facts.verified == bool(facts.signers)
    return facts.verified


@pytest.fixture(scope="module")
def v2_apk(build: ModuleType, keys: dict[str, Any], members: dict[str, bytes]) -> bytes:
    apk = build.archive({"AndroidManifest.xml": members["AndroidManifest.xml"], "a": b"text " * 20})
    return bytes(build.with_block(apk, [(build.V2, build.block(build.signer(apk, keys["ec"])))]))


def test_any_changed_byte_outside_the_signing_block_breaks_v2(v2_apk: bytes) -> None:
    assert verifies(v2_apk, 24)
    sections = find_sections(memoryview(v2_apk))
    # The end record's directory offset counts as if the block were not there: it must still point to the directory.
    for at in (*range(sections.block), *range(sections.directory, len(v2_apk))):
        changed = bytearray(v2_apk)
        changed[at] ^= 1 << at % 8
        assert not verifies(bytes(changed), 24), at


def test_any_changed_byte_of_the_signer_breaks_v2(v2_apk: bytes, build: ModuleType) -> None:
    """Signed data, signature and key; what lies around them is length fields, which are not believed either."""
    value = find_sections(memoryview(v2_apk)).pair(build.V2)
    assert value is not None
    start = v2_apk.index(bytes(value))
    _no_change_verifies(v2_apk, range(start, start + len(value)), 24)


def test_any_changed_byte_of_the_signing_block_breaks_v31(
    build: ModuleType, keys: dict[str, Any], members: dict[str, bytes]
) -> None:
    """The whole block, lengths and ids too: taking v3.1 away, or its proof of rotation, is noticed."""
    apk = build.archive({"AndroidManifest.xml": members["AndroidManifest.xml"]})
    old, new = keys["ec"], keys["ec2"]
    proof = [(build.PROOF, build.lineage([old, new]))]
    rotation = [(build.ROTATION, build.u32(34))]
    pairs = [
        (build.V3, build.block(build.signer(apk, old, sdk=(28, 33), attributes=rotation))),
        (build.V31, build.block(build.signer(apk, new, sdk=(34, 0x7FFFFFFF), attributes=proof))),
    ]
    data = build.with_block(apk, pairs)
    sections = find_sections(memoryview(data))
    _no_change_verifies(data, range(sections.block, sections.directory), 28)


def _no_change_verifies(data: bytes, places: Iterable[int], low: int) -> None:
    assert verifies(data, low)
    kept = []
    for at in places:
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        if verifies(bytes(changed), low):
            kept.append(at)
    assert kept == []


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_any_changed_byte_that_v1_covers_breaks_it(build: ModuleType, keys: dict[str, Any], kind: str) -> None:
    content = {"a": b"text " * 5, "b": bytes(range(64))}
    apk = build.signed_jar(content, build.Jar([keys[kind]]))
    original = open_container(apk)
    assert verifies(apk, 21)
    covered = [*content, "META-INF/MANIFEST.MF", "META-INF/S0.SF"]
    plain = {name: original.read(name) for name in original.entries}
    for name in covered:
        for at in range(len(plain[name])):
            changed = bytearray(plain[name])
            changed[at] ^= 1 << at % 8
            assert not verifies(build.archive({**plain, name: bytes(changed)}), 21), (name, at)


def test_a_changed_block_of_v1_never_names_another(build: ModuleType, keys: dict[str, Any]) -> None:
    """Not every byte of PKCS #7 is signed (versions, parameters), but who signed is."""
    apk = build.signed_jar({"a": b"text"}, build.Jar([keys["ec"]], attributes=True))
    plain = {name: open_container(apk).read(name) for name in open_container(apk).entries}
    block = plain["META-INF/S0.EC"]
    changes = 0
    for at in range(len(block)):
        changed = bytearray(block)
        changed[at] ^= 1 << at % 8
        facts = verify_apk(open_container(build.archive({**plain, "META-INF/S0.EC": bytes(changed)})), min_sdk=21)
        changes += not facts.verified
        # A certificate's own signature is not checked, by Android neither: what counts is its key.
        assert all(signer.certificate for signer in facts.signers)
        for certificate in facts.certificates if facts.verified else ():
            assert certificate.key_sha256 == _key_of(verify_apk(open_container(apk), min_sdk=21))
    assert changes > len(block) // 2


def _key_of(facts: Any) -> str:
    return str(facts.certificates[0].key_sha256)


def test_every_truncation(v2_apk: bytes, build: ModuleType, keys: dict[str, Any]) -> None:
    for apk in (v2_apk, build.signed_jar({"a": b"text"}, build.Jar([keys["ec"]]))):
        for size in range(len(apk)):
            assert not verifies(apk[:size], 21), size


def test_bytes_put_in_anywhere(v2_apk: bytes) -> None:
    for at in range(0, len(v2_apk) + 1, 3):
        assert not verifies(v2_apk[:at] + b"\0" + v2_apk[at:], 24), at


@pytest.mark.samples
@pytest.mark.parametrize(
    "name",
    [
        "v1-only-with-rsa-pkcs1-sha256-1.2.840.113549.1.1.1-1024.apk",
        "v1-only-with-signed-attrs.apk",
        "v1v2v3-with-rsa-2048-lineage-3-signers.apk",
        "v2-only-two-signers.apk",
    ],
)
def test_mutants_of_golden_files_against_apksigner(
    samples: Path, tmp_path: Path, apksigner: Callable[..., Any], name: str
) -> None:
    """Random changes near what matters: where we say verified, apksigner does; and who."""
    original = (samples / "apksig" / name).read_bytes()
    chosen = random.Random(name)
    places = _places(original)
    files = []
    for number in range(120):
        changed = bytearray(original)
        for _ in range(chosen.choice((1, 1, 1, 2, 4))):
            start, end = chosen.choice(places)
            at = chosen.randrange(start, end)
            changed[at] = chosen.choice((changed[at] ^ 1 << chosen.randrange(8), 0, 255, chosen.randrange(256)))
        file = tmp_path / f"{number}.apk"
        file.write_bytes(changed)
        files.append(file)
    low = 24 if name.startswith("v2") else 19
    wrong = []
    for file, answer in zip(files, apksigner((low, -1, file) for file in files), strict=True):
        try:
            facts = verify_apk(open_container(file.read_bytes()), min_sdk=low, target_sandbox=answer.sandbox)
        except ProscribeError:
            continue
        ours = {signer.certificate for signer in facts.signers}
        if facts.verified and (not answer.verified or not answer.certificates <= ours):
            wrong.append((file.name, answer))
    assert wrong == []


def _places(apk: bytes) -> list[tuple[int, int]]:
    """Spans worth changing: signature files, the signing block, the directory and its end."""
    sections = find_sections(memoryview(apk))
    spans = [(sections.directory, len(apk))]
    if sections.block < sections.directory:
        spans.append((sections.block, sections.directory))
    for name, entry in open_container(apk).entries.items():
        if name.startswith("META-INF/"):
            spans.append((entry.header, entry.offset + entry.compressed))
    return spans

"""Packages made to cost time or memory: answered quickly, and never as verified."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proscribe.assess.intake.container import open_container
from proscribe.assess.signing import der, verify_apk

SECONDS = 5.0
BYTES = 256 << 20


@contextmanager
def cheap(seconds: float = SECONDS) -> Iterator[None]:
    started = time.process_time()
    yield
    assert time.process_time() - started < seconds


def refused(data: bytes, low: int = 21, seconds: float = SECONDS) -> None:
    apk = open_container(data)
    with cheap(seconds):
        facts = verify_apk(apk, min_sdk=low)
    assert not facts.verified
    assert facts.signers == ()
    assert len(facts.warnings) <= 100


NAMED = b"".join(b"Name: n%d\n\n" % number for number in range(1_200_000))


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        b"\n" * (20 << 20),
        b"a\n" * (10 << 20),
        b" a\n" * (7 << 20),
        b"Name: b\n\n" * (2 << 20),
        b"x" * (22 << 20),
        NAMED,
    ],
    ids=["empty lines", "attributes", "one long attribute", "one section often", "no line end", "many sections"],
)
def test_large_texts(build: ModuleType, keys: dict[str, Any], text: bytes) -> None:
    """As a manifest, and as a signature file that is well signed."""
    jar = build.Jar([keys["ec"]])
    meta = {"META-INF/S.SF": b"Signature-Version: 1.0\n\n", "META-INF/S.EC": b""}
    refused(build.archive({"META-INF/MANIFEST.MF": text, **meta, "b": b"x"}))
    text = b"Signature-Version: 1.0\n\n" + text
    block = build.pkcs7(keys["ec"], text, jar)
    refused(
        build.archive(
            {"META-INF/MANIFEST.MF": b"A: b\n\nName: b\n\n", "META-INF/S.SF": text, "META-INF/S.EC": block, "b": b"x"}
        )
    )


def test_a_manifest_beyond_the_limit(build: ModuleType) -> None:
    refused(build.archive({"META-INF/MANIFEST.MF": b"a" * (25 << 20), "b": b""}), seconds=1)


def test_a_bomb_as_an_entry(build: ModuleType, keys: dict[str, Any]) -> None:
    """It is listed and signed for, and streams through the digest without standing in memory."""
    bomb = bytes(160 << 20)
    data = build.signed_jar({"bomb": bomb}, build.Jar([keys["ec"]], hash="SHA-512"))
    del bomb
    apk = open_container(data)
    tracemalloc.start()
    with cheap():
        facts = verify_apk(apk, min_sdk=21)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert facts.verified
    assert peak < 32 << 20


def test_a_long_proof_of_rotation(build: ModuleType, keys: dict[str, Any], members: dict[str, bytes]) -> None:
    apk = build.archive(members)
    proof = build.u32(1) + build.lineage([keys["rsa"], keys["ec"]])[4:] * 5000
    block = build.block(build.signer(apk, keys["ec"], sdk=(28, 0x7FFFFFFF), attributes=[(build.PROOF, proof)]))
    refused(build.with_block(apk, [(build.V3, block)]), low=28, seconds=1)


def test_many_of_everything_in_a_block(build: ModuleType, keys: dict[str, Any], members: dict[str, bytes]) -> None:
    apk = build.archive(members)
    one = keys["ec"]
    good = build.signer(apk, one)
    blocks = {
        "signers": build.block(*[good] * 20_000),
        "certificates": build.block(build.signer(apk, one, certificates=[one.certificate] * 20_000)),
        "signatures": build.block(build.signer(apk, one, algorithms=(one.algorithm,) * 3000)),
        "unknown": build.lp(
            build.lp(build.lp(b"x") + build.lp(build.lp(build.u32(9), build.lp(b"")) * 200_000) + build.lp(b""))
        ),
        "attributes": build.block(build.signer(apk, one, attributes=[(number, b"") for number in range(100_000)])),
    }
    for name, block in blocks.items():
        opened = open_container(build.with_block(apk, [(build.V2, block)]))
        with cheap(2):
            facts = verify_apk(opened, min_sdk=24)
        assert facts.verified == (name == "attributes")
        assert len(facts.warnings) <= 100


def test_many_pairs(build: ModuleType, members: dict[str, bytes]) -> None:
    refused(build.with_block(build.archive(members), [(number, b"") for number in range(300_000)]), seconds=2)


@pytest.mark.parametrize("size", [4, 100, 0x7FFFFFFF, 0xFFFFFFFF])
def test_declared_lengths_allocate_nothing(build: ModuleType, members: dict[str, bytes], size: int) -> None:
    apk = build.archive(members)
    length = struct.pack("<I", size)
    for block in (
        length,
        length + length,
        build.lp(length),
        build.lp(build.lp(length)),
        build.lp(build.lp(build.lp(length))),
    ):
        for number in (build.V2, build.V3, build.V31):
            opened = open_container(build.with_block(apk, [(number, block)]))
            tracemalloc.start()
            assert not verify_apk(opened, min_sdk=33).verified
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 1 << 20


def test_deep_and_wide_asn1_in_a_block(build: ModuleType, keys: dict[str, Any], members: dict[str, bytes]) -> None:
    nested = b"x"
    for _ in range(2000):
        nested = der.encode(0x30, nested)
    for block in (nested, b"\x30\x80" * 100_000, der.encode(0x30, b"\x05\x00" * 400_000), b"\x24\x80" * 300_000):
        refused(
            build.signed_jar(members, build.Jar([keys["ec"]], replaced={"META-INF/S0.EC": block[: 1 << 20]})), seconds=1
        )


def test_many_signature_blocks(build: ModuleType, members: dict[str, bytes]) -> None:
    extra = {f"META-INF/{number}.RSA": b"\x30\x00" for number in range(20_000)}
    refused(build.archive({"META-INF/MANIFEST.MF": b"A: b\n\n", **extra, **members}))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([0x7109871A, 0xF05368C0, 0x1B93AD61]))
def test_any_bytes_as_a_block(build: ModuleType, members: dict[str, bytes], value: bytes, number: int) -> None:
    data = build.with_block(build.archive({"a": b"b"}), [(number, value)])
    assert not verify_apk(open_container(data), min_sdk=24).verified


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_as_meta_inf(build: ModuleType, manifest: bytes, text: bytes, block: bytes) -> None:
    data = build.archive(
        {"META-INF/MANIFEST.MF": manifest, "META-INF/A.SF": text, "META-INF/A.RSA": block, "classes.dex": b""}
    )
    assert not verify_apk(open_container(data)).verified


def test_the_sizes_used_here_compress() -> None:
    """The large files of these tests are small on disk, as an attacker's would be."""
    assert len(zlib.compress(NAMED)) < len(NAMED) // 4

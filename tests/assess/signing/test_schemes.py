"""Schemes v2, v3 and v3.1 on packages built here; apksigner is asked about all that it knows of."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from proscribe.assess.facts import SigningFacts
from proscribe.assess.intake.container import open_container
from proscribe.assess.signing import verify_apk
from proscribe.assess.terms import Scheme, SignatureState

NEWEST = 0x7FFFFFFF
ALL = (28, NEWEST)


def verify(data: bytes, low: int = 28, high: int | None = None, **manifest: int) -> SigningFacts:
    return verify_apk(open_container(data), min_sdk=low, max_sdk=high, **manifest)


def problem(facts: SigningFacts) -> str:
    """The one reason why it does not hold."""
    assert not facts.verified
    assert facts.signers == ()
    (found,) = {scheme.problem for scheme in facts.schemes if scheme.problem} or {facts.warnings[0].split(" ")[0]}
    return found


@pytest.fixture(scope="module")
def apk(build: ModuleType, members: dict[str, bytes]) -> bytes:
    return bytes(build.in_pages(build.archive(members)))


Signed = Callable[..., bytes]


@pytest.fixture(scope="module")
def v2(build: ModuleType, apk: bytes) -> Signed:
    def sign(*identities: Any, **more: Any) -> bytes:
        blocks = [build.signer(apk, one, **more) for one in identities]
        return bytes(build.with_block(apk, [(build.V2, build.block(*blocks))]))

    return sign


@pytest.fixture(scope="module")
def v3(build: ModuleType, apk: bytes) -> Signed:
    def sign(one: Any, *, sdk: tuple[int, int] = ALL, **more: Any) -> bytes:
        return bytes(build.with_block(apk, [(build.V3, build.block(build.signer(apk, one, sdk=sdk, **more)))]))

    return sign


# ---- what holds, and whom it names ----------------------------------------------------------------------------------

RSA_ALGORITHMS = [(0x0101,), (0x0102,), (0x0103,), (0x0104,), (0x0421,), (0x0103, 0x0104), (0x0103, 0x0421)]


@pytest.mark.parametrize("algorithms", RSA_ALGORITHMS, ids=lambda one: "-".join(f"{a:04x}" for a in one))
def test_rsa_algorithms(v2: Signed, v3: Signed, keys: dict[str, Any], algorithms: tuple[int, ...]) -> None:
    for data in (v2(keys["rsa"], algorithms=algorithms), v3(keys["rsa"], algorithms=algorithms)):
        facts = verify(data)
        assert facts.verified, facts.schemes
        assert [signer.certificate for signer in facts.signers] == [keys["rsa"].sha256]


@pytest.mark.parametrize(
    ("kind", "algorithm"), [("ec", 0x0201), ("ec", 0x0202), ("ec", 0x0423), ("dsa", 0x0301), ("dsa", 0x0425)]
)
def test_other_algorithms(v2: Signed, keys: dict[str, Any], kind: str, algorithm: int) -> None:
    assert verify(v2(keys[kind], algorithms=(algorithm,))).verified


def test_an_algorithm_of_android_9_alone_does_not_verify_on_7(v2: Signed, keys: dict[str, Any]) -> None:
    data = v2(keys["ec"], algorithms=(0x0423,))
    assert verify(data, 28).verified
    assert problem(verify(data, 24)) == "v2-sig.no-supported-signatures"
    both = v2(keys["ec"], algorithms=(0x0201, 0x0423))
    assert verify(both, 24).verified


def test_content_of_many_chunks_and_levels(build: ModuleType, keys: dict[str, Any]) -> None:
    """Chunks of 1 MiB, and a tree of three levels; apksigner's golden files have one of each."""
    noise = random.Random(1).randbytes(3 << 20)
    for apk in (build.archive({"a": noise}), build.archive({"a": noise, "b": noise[::-1]})):
        paged = build.in_pages(apk)
        for algorithm in (0x0103, 0x0104, 0x0421):
            block = build.block(build.signer(paged, keys["rsa"], algorithms=(algorithm,)))
            assert verify(build.with_block(paged, [(build.V2, block)])).verified


def test_a_tree_wants_whole_pages(build: ModuleType, members: dict[str, bytes], keys: dict[str, Any]) -> None:
    apk = build.archive({**members, "odd": b"size"})
    block = build.block(build.signer(apk, keys["rsa"], algorithms=(0x0421,)))
    assert problem(verify(build.with_block(apk, [(build.V2, block)]))) == "apk.signing-block-not-in-pages"


def test_a_signer_for_each_span_of_versions(build: ModuleType, apk: bytes, keys: dict[str, Any]) -> None:
    """v3 may name another certificate for newer versions, which the older one vouches for."""
    old, new = keys["rsa"], keys["ec"]
    proof = [(build.PROOF, build.lineage([old, new]))]
    block = build.block(
        build.signer(apk, old, sdk=(28, 32)), build.signer(apk, new, sdk=(33, NEWEST), attributes=proof)
    )
    facts = verify(build.with_block(apk, [(build.V3, block)]))
    assert facts.verified, facts.schemes
    assert [(signer.certificate, signer.min_sdk, signer.max_sdk) for signer in facts.signers] == [
        (new.sha256, 33, None),
        (old.sha256, 28, 32),
    ]
    assert [step.certificate for step in facts.signers[0].lineage] == [old.sha256, new.sha256]
    assert facts.signers[1].lineage == ()


def test_v31_rotates_from_a_version_on(build: ModuleType, apk: bytes, keys: dict[str, Any]) -> None:
    old, new = keys["rsa"], keys["ec"]
    proof = [(build.PROOF, build.lineage([old, new], flags=3))]
    pairs = [
        (build.V3, build.block(build.signer(apk, old, sdk=(28, 33), attributes=[(build.ROTATION, build.u32(34))]))),
        (build.V31, build.block(build.signer(apk, new, sdk=(34, NEWEST), attributes=proof))),
    ]
    facts = verify(build.with_block(apk, pairs))
    assert facts.verified, facts.schemes
    assert [(signer.scheme, signer.certificate, signer.min_sdk, signer.max_sdk) for signer in facts.signers] == [
        (Scheme.v31, new.sha256, 34, None),
        (Scheme.v3, old.sha256, 28, 33),
    ]
    assert facts.signers[0].lineage[0].capabilities == ("installed-data", "shared-uid")
    # For versions before the rotation alone, the old key signs and the new block is not looked at.
    before = verify(build.with_block(apk, pairs), 28, 32)
    assert before.verified
    assert [signer.certificate for signer in before.signers] == [old.sha256]
    assert {one.scheme: one.state for one in before.schemes}[Scheme.v31] is SignatureState.not_checked


@pytest.mark.parametrize("taken", ["v31", "v3"])
def test_a_scheme_that_was_taken_away_is_missed(
    build: ModuleType, apk: bytes, keys: dict[str, Any], taken: str
) -> None:
    old, new = keys["rsa"], keys["ec"]
    pairs = {
        "v3": (
            build.V3,
            build.block(build.signer(apk, old, sdk=(28, 33), attributes=[(build.ROTATION, build.u32(34))])),
        ),
        "v31": (build.V31, build.block(build.signer(apk, new, sdk=(34, NEWEST)))),
    }
    kept = [pair for name, pair in pairs.items() if name != taken]
    expected = {"v31": "v31-sig.block-missing", "v3": "v31-sig.block-found-without-v3-block"}
    assert problem(verify(build.with_block(apk, kept))) == expected[taken]


def test_v31_must_begin_where_v3_says(build: ModuleType, apk: bytes, keys: dict[str, Any]) -> None:
    pairs = [
        (build.V3, build.block(build.signer(apk, keys["rsa"], sdk=ALL, attributes=[(build.ROTATION, build.u32(34))]))),
        (build.V31, build.block(build.signer(apk, keys["rsa"], sdk=(35, NEWEST)))),
    ]
    assert problem(verify(build.with_block(apk, pairs))) == "v31-sig.rotation-min-sdk-mismatch"


def test_v31_without_the_protection_is_warned_about(build: ModuleType, apk: bytes, keys: dict[str, Any]) -> None:
    pairs = [
        (build.V3, build.block(build.signer(apk, keys["rsa"], sdk=(28, 34)))),
        (build.V31, build.block(build.signer(apk, keys["rsa"], sdk=(35, NEWEST)))),
    ]
    facts = verify(build.with_block(apk, pairs))
    assert facts.verified
    assert "v31-sig.rotation-min-sdk-attr-missing" in facts.warnings


def test_v2_misses_a_v3_that_was_taken_away(build: ModuleType, v2: Signed, keys: dict[str, Any]) -> None:
    stripped = v2(keys["ec"], attributes=[(build.STRIPPED, build.u32(3))])
    assert problem(verify(stripped, 24)) == "v2-sig.missing-apk-sig-referenced"
    assert verify(stripped, 24, 27).verified  # no version up to 27 knows of v3


def test_old_and_new_schemes_must_agree(build: ModuleType, apk: bytes, keys: dict[str, Any]) -> None:
    def both(old: Any, new: Any, **more: Any) -> SigningFacts:
        pairs = [
            (build.V2, build.block(*(build.signer(apk, one) for one in old))),
            (build.V3, build.block(build.signer(apk, new, sdk=ALL, **more))),
        ]
        return verify(build.with_block(apk, pairs), 24)

    rsa, ec = keys["rsa"], keys["ec"]
    assert both([rsa], rsa).verified
    assert problem(both([rsa], ec)) == "v3-sig.past-signers-mismatch"
    assert problem(both([rsa, ec], ec)) == "v3-sig.multiple-past-signers"
    rotated = both([rsa], ec, attributes=[(build.PROOF, build.lineage([rsa, ec]))])
    assert [(signer.scheme, signer.certificate, signer.max_sdk) for signer in rotated.signers] == [
        (Scheme.v3, ec.sha256, None),
        (Scheme.v2, rsa.sha256, 27),
    ]
    assert (
        problem(both([ec], ec, attributes=[(build.PROOF, build.lineage([rsa, ec]))])) == "v3-sig.past-signers-mismatch"
    )


def test_two_v3_signers_and_no_rotation(build: ModuleType, apk: bytes, keys: dict[str, Any]) -> None:
    pairs = [
        (build.V2, build.block(build.signer(apk, keys["rsa"]))),
        (
            build.V3,
            build.block(build.signer(apk, keys["rsa"], sdk=(28, 32)), build.signer(apk, keys["rsa"], sdk=(33, NEWEST))),
        ),
    ]
    assert problem(verify(build.with_block(apk, pairs), 24)) == "v3-sig.multiple-signers"


def test_what_the_manifest_asks_for(
    build: ModuleType, members: dict[str, bytes], keys: dict[str, Any], v2: Signed
) -> None:
    v1 = build.signed_jar(members, build.Jar([keys["rsa"]]))
    assert verify(v1, 24, target_sdk=29).verified
    assert problem(verify(v1, 24, target_sdk=30)) == "apk.min-sig-scheme-for-target-sdk-not-met"
    assert problem(verify(v1, 24, target_sandbox=2)) == "apk.no-sig-for-target-sandbox-version"
    assert verify(v1, 24, 25, target_sdk=30, target_sandbox=2).verified
    assert verify(v2(keys["rsa"]), 24, target_sdk=35, target_sandbox=2).verified


def test_what_else_is_in_the_block_is_listed(build: ModuleType, apk: bytes, keys: dict[str, Any]) -> None:
    pairs = [
        (0x12345678, b"unknown"),
        (0x42726577, b"padding"),
        (0x6DFF800D, b"stamp"),
        (build.V2, build.block(build.signer(apk, keys["ec"], attributes=[(0x99, b"")]))),
        (0x12345678, b"again"),
    ]
    facts = verify(build.with_block(apk, pairs))
    assert facts.verified
    assert facts.warnings == (
        "signing-block.unknown-id 0x12345678",
        "source-stamp.not-checked v2",
        "v2-sig.unknown-additional-attribute 0x00000099",
    )


# ---- what does not --------------------------------------------------------------------------------------------------


def test_what_is_wrong_with_a_signer(build: ModuleType, v2: Signed, v3: Signed, keys: dict[str, Any]) -> None:
    ec, other = keys["ec"], keys["ec2"]
    digest = (0x0201, bytes(32))
    cases = {
        "v2-sig.apk-digest-did-not-verify": v2(ec, digests=[digest]),
        "v2-sig.sig-alg-mismatch-between-signatures-and-digests-records": v2(ec, digests=[digest, digest]),
        "v2-sig.no-certificates": v2(ec, certificates=[]),
        "v2-sig.public-key-mismatch-between-certificate-and-signatures-record": v2(
            ec, certificates=[other.certificate]
        ),
        "v2-sig.did-not-verify": v2(ec, key=other.spki),
        "v2-sig.malformed-public-key": v2(ec, key=b"no key"),
        "v2-sig.malformed-certificate": v2(ec, certificates=[b"no certificate"]),
        "v2-sig.no-signers": v2(),
        "v2-sig.max-signatures-exceeded": v2(*[ec] * 11),
        "v3-sig.invalid-sdk-versions": v3(ec, sdk=(30, 29)),
        "v3-sig.missing-sdk-versions": v3(ec, sdk=(30, NEWEST)),
        "v3-sig.min-sdk-version-mismatch-between-signer-and-signed-data-record": v3(ec, signed_sdk=(29, NEWEST)),
        "v3-sig.max-sdk-version-mismatch-between-signer-and-signed-data-record": v3(ec, signed_sdk=(28, 40)),
        "v3-sig.por-cert-mismatch": v3(ec, attributes=[(build.PROOF, build.lineage([keys["rsa"], other]))]),
        "v3-sig.malformed-lineage": v3(ec, attributes=[(build.PROOF, build.u32(2))]),
    }
    for expected, data in cases.items():
        assert problem(verify(data)) == expected
    assert problem(verify(v2(ec, key=keys["rsa"].spki))) == "v2-sig.malformed-public-key"


def test_a_certificate_with_the_key_of_a_kind_nobody_reads(build: ModuleType, v2: Signed, keys: dict[str, Any]) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    odd = build.Identity(ed25519.Ed25519PrivateKey.generate(), b"")
    assert problem(verify(v2(keys["ec"], key=odd.spki))) == "v2-sig.malformed-public-key"


def test_spans_must_follow_each_other(build: ModuleType, apk: bytes, keys: dict[str, Any]) -> None:
    def spans(*sdks: tuple[int, int]) -> bytes:
        block = build.block(*(build.signer(apk, keys["ec"], sdk=sdk) for sdk in sdks))
        return bytes(build.with_block(apk, [(build.V3, block)]))

    assert verify(spans((28, 30), (31, NEWEST))).verified
    assert verify(spans((31, NEWEST), (28, 30))).verified
    assert problem(verify(spans((28, 30), (32, NEWEST)))) == "v3-sig.inconsistent-sdk-versions"
    assert problem(verify(spans((28, 31), (31, NEWEST)))) == "v3-sig.inconsistent-sdk-versions"


def test_a_proof_of_rotation_is_checked_step_by_step(build: ModuleType, v3: Signed, keys: dict[str, Any]) -> None:
    rsa, ec, ec2 = keys["rsa"], keys["ec"], keys["ec2"]
    good = build.lineage([rsa, ec, ec2])
    assert verify(v3(ec2, attributes=[(build.PROOF, good)])).verified
    forged = build.lineage([rsa, ec]).replace(rsa.certificate, keys["dsa"].certificate)
    cases = {
        "v3-sig.por-did-not-verify": [
            good[:-10] + bytes(10),
            build.lineage([rsa, ec, rsa, ec2]),
            build.lineage([rsa, ec2]).replace(build.u32(0x0103), build.u32(0x0104), 1),
        ],
        "v3-sig.malformed-lineage": [b"", build.u32(1), good[:-1], build.u32(1) + build.lp(build.lp(build.lp(b"no")))],
    }
    for expected, values in cases.items():
        for value in values:
            assert problem(verify(v3(ec2, attributes=[(build.PROOF, value)]))) == expected
    assert len(forged) != len(good)


def test_lineages_of_two_signers_agree(build: ModuleType, apk: bytes, keys: dict[str, Any]) -> None:
    rsa, ec, ec2 = keys["rsa"], keys["ec"], keys["ec2"]

    def two(first: Any, second: Any) -> SigningFacts:
        block = build.block(
            build.signer(apk, first[-1], sdk=(28, 31), attributes=[(build.PROOF, build.lineage(first))]),
            build.signer(apk, second[-1], sdk=(32, NEWEST), attributes=[(build.PROOF, build.lineage(second))]),
        )
        return verify(build.with_block(apk, [(build.V3, block)]))

    assert problem(two([rsa, ec, ec2], [rsa, ec2])) == "v3-sig.inconsistent-lineages"
    assert problem(two([ec, rsa], [rsa, ec, ec2])) == "v3-sig.inconsistent-lineages"


# ---- the file around it ---------------------------------------------------------------------------------------------


def test_a_broken_block_does_not_exist(build: ModuleType, apk: bytes, v2: Signed, keys: dict[str, Any]) -> None:
    good = v2(keys["ec"])
    place = good.index(b"APK Sig Block 42")
    broken = [
        good.replace(b"APK Sig Block 42", b"APK Sig Block 43"),
        good[: place - 8] + struct.pack("<Q", 5) + good[place:],
        good[: place - 8] + struct.pack("<Q", 1 << 40) + good[place:],
        build.with_block(apk, [(0x99, b"x" * 50)]),
    ]
    for data in broken:
        facts = verify(data)
        assert not facts.verified
        assert {one.state for one in facts.schemes if one.scheme is not Scheme.v1} == {SignatureState.absent}
        assert problem(facts) == "jar-sig.no-manifest"


def test_pairs_after_a_broken_one_do_not_exist(build: ModuleType, apk: bytes, keys: dict[str, Any]) -> None:
    value = build.block(build.signer(apk, keys["ec"]))
    good = build.with_block(apk, [(0x42726577, b"padding!"), (build.V2, value)])
    at = good.index(b"padding!") - 12
    assert verify(good).verified
    assert not verify(good[:at] + struct.pack("<Q", 3) + good[at + 8 :]).verified


def test_a_zip_that_android_does_not_take_is_not_verified(v2: Signed, keys: dict[str, Any]) -> None:
    good = v2(keys["ec"])
    end = good.rindex(b"PK\x05\x06")
    locator = b"PK\x06\x07" + bytes(16)
    cases = [
        good[:end] + locator + good[end:],
        good[:end] + b"between" + good[end:],
        good + b"after",
        good[: end + 12] + struct.pack("<L", 1 << 30) + good[end + 16 :],
        good[: end + 10] + struct.pack("<H", 9) + good[end + 12 :],
    ]
    for data in cases:
        facts = verify(data)
        assert not facts.verified
        assert facts.signers == ()


# ---- apksigner's word -----------------------------------------------------------------------------------------------


def test_apksigner_agrees_on_what_was_built(
    build: ModuleType, apk: bytes, v2: Signed, v3: Signed, keys: dict[str, Any], tmp_path: Path, apksigner: Any
) -> None:
    """The builder's packages, right and wrong, as far as that version knows the schemes (not v3.1, not PSS)."""
    rsa, ec, ec2 = keys["rsa"], keys["ec"], keys["ec2"]
    built = [
        *(v2(rsa, algorithms=(algorithm,)) for algorithm in (0x0103, 0x0104, 0x0421)),
        *(v2(ec, algorithms=(algorithm,)) for algorithm in (0x0201, 0x0202, 0x0423)),
        v2(keys["dsa"]),
        v2(rsa, ec),
        v2(ec, digests=[(0x0201, bytes(32))]),
        v2(ec, certificates=[ec2.certificate]),
        v2(ec, attributes=[(build.STRIPPED, build.u32(3))]),
        v3(rsa),
        v3(ec, sdk=(30, NEWEST)),
        v3(ec2, attributes=[(build.PROOF, build.lineage([rsa, ec, ec2]))]),
        v3(ec, attributes=[(build.PROOF, build.lineage([rsa, ec2]))]),
        build.with_block(
            apk,
            [(build.V3, build.block(build.signer(apk, ec, sdk=(28, 30)), build.signer(apk, ec, sdk=(31, NEWEST))))],
        ),
        build.with_block(
            apk,
            [(build.V3, build.block(build.signer(apk, ec, sdk=(28, 30)), build.signer(apk, ec, sdk=(32, NEWEST))))],
        ),
    ]
    questions = []
    for number, data in enumerate(built):
        file = tmp_path / f"{number}.apk"
        file.write_bytes(data)
        questions += [(low, -1, file) for low in (24, 28)]
    verdicts = set()
    for (low, _, file), answer in zip(questions, apksigner(questions), strict=True):
        facts = verify(file.read_bytes(), low)
        # That version trips over an error it has itself found where v3 leaves versions out.
        assert answer.verdict != "threw" or "has not verified using any" in answer.why, (file.name, answer)
        assert facts.verified == answer.verified, (file.name, low, answer, facts.schemes)
        if answer.verified:
            assert answer.certificates <= {signer.certificate for signer in facts.signers}
        verdicts.add(answer.verified)
    assert verdicts == {True, False}


def test_apksigner_agrees_that_android_11_wants_v2(
    build: ModuleType, members_for_30: dict[str, bytes], keys: dict[str, Any], tmp_path: Path, apksigner: Any
) -> None:
    v1 = build.signed_jar(members_for_30, build.Jar([keys["rsa"]], scheme_header="2"))
    plain = build.signed_jar(members_for_30, build.Jar([keys["rsa"]]))
    with_v2 = build.with_block(v1, [(build.V2, build.block(build.signer(v1, keys["rsa"])))])
    questions = []
    for number, data in enumerate((plain, with_v2)):
        file = tmp_path / f"{number}.apk"
        file.write_bytes(data)
        questions += [(24, high, file) for high in (-1, 29)]
    answers = apksigner(questions)
    assert [answer.verified for answer in answers] == [False, True, True, True]
    for (low, high, file), answer in zip(questions, answers, strict=True):
        facts = verify(file.read_bytes(), low, None if high < 0 else high, target_sdk=30)
        assert facts.verified == answer.verified

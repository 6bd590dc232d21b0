"""Steps of verifying on their own: which digest counts, and chains of keys without end."""

from __future__ import annotations

import base64
import hashlib
from types import ModuleType
from typing import Any

import pytest

from proscribe.assess.intake.container import UnreadableMember, open_container
from proscribe.assess.signing.jar_digests import actual_digests, named_digests, verified
from proscribe.assess.signing.lineage import read_lineage
from proscribe.assess.signing.problems import SignatureProblem

DATA = b"bytes of a member"
DIGESTS = {name: getattr(hashlib, name)(DATA).digest() for name in ("md5", "sha1", "sha256", "sha384", "sha512")}
# Versions of Android on both sides of 4.3, which is API level 18.
OLD, NEW = (8, 17), (18, 34)


def b64(name: str) -> str:
    return base64.b64encode(DIGESTS[name]).decode()


@pytest.mark.parametrize(
    ("section", "versions", "names"),
    [
        ({"SHA1-Digest": "sha1", "SHA-256-Digest": "sha256"}, NEW, ["sha256"]),
        ({"SHA-512-Digest": "sha512", "SHA-256-Digest": "sha256"}, NEW, ["sha512"]),
        ({"SHA-256-Digest": "sha256"}, OLD, []),  # nothing that Android 4.2 looks for without a list
        ({"SHA1-Digest": "sha1"}, OLD, ["sha1"]),
        ({"SHA1-Digest": "sha1"}, (8, 34), ["sha1"]),  # asked once, though for both
        ({"SHA1-Digest": "sha1", "SHA-256-Digest": "sha256"}, (8, 34), ["sha1", "sha256"]),
        ({"MD5-Digest": "md5"}, NEW, []),
        ({}, NEW, []),
    ],
)
def test_the_digest_that_counts(section: dict[str, str], versions: tuple[int, int], names: list[str]) -> None:
    found = named_digests({key: b64(name) for key, name in section.items()}, "-Digest", *versions)
    assert [name for name, _ in found] == names
    assert verified(found, DATA)
    assert not names or not verified(found, b"other bytes")


def test_a_list_says_what_old_versions_take() -> None:
    section = {"Digest-Algorithms": "NONSENSE SHA-256 MD5", "MD5-Digest": b64("md5"), "SHA-256-Digest": b64("sha256")}
    assert named_digests(section, "-Digest", *OLD) == [("sha256", DIGESTS["sha256"])]
    section["Digest-Algorithms"] = "SHA-512 MD5"
    section["SHA-512-Digest"] = b64("sha512")
    assert named_digests(section, "-Digest", 8, 8) == [("md5", DIGESTS["md5"])]  # SHA-512 is known from 9 on
    assert named_digests(section, "-Digest", 9, 9) == [("sha512", DIGESTS["sha512"])]


@pytest.mark.parametrize("written", ["no base64!", "A", "AAA*"])
def test_a_digest_that_cannot_be_read_matches_nothing(written: str) -> None:
    found = named_digests({"SHA-256-Digest": written}, "-Digest", *NEW)
    assert found == [("sha256", b"")]
    assert not verified(found, DATA)


def test_padding_may_be_left_out() -> None:
    assert named_digests({"SHA-256-Digest": b64("sha256").rstrip("=")}, "-Digest", *NEW)[0][1] == DIGESTS["sha256"]


def test_the_digests_of_a_member_are_of_its_bytes_by_every_hash_named(kit: Any) -> None:
    apk = open_container(kit.zips.archive([kit.zips.Member("a", DATA)]))
    for names in (["sha256"], ["sha1"], ["sha512", "sha1"], []):
        assert actual_digests(apk, "a", [(name, b"") for name in names]) == [DIGESTS[name] for name in names]


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"method": 99}, "zip.unknown-method"),
        ({"offset": 1 << 30}, "zip.outside"),
        ({"local_name": "c"}, "zip.local-differs"),
        ({"local_size": 3}, "zip.local-differs"),
    ],
)
def test_a_member_that_android_would_not_take_has_no_digest(kit: Any, lie: dict[str, Any], code: str) -> None:
    whole = kit.zips.archive([kit.zips.Member("a", DATA), kit.zips.lying(kit.zips.Member("b", DATA), **lie)])
    with pytest.raises(UnreadableMember) as caught:
        actual_digests(open_container(whole), "b", [("sha256", b"")])
    assert caught.value.code == code


# ---- chains of keys ------------------------------------------------------------------------------------------------


def test_a_chain_is_read_oldest_first(build: ModuleType, keys: dict[str, Any]) -> None:
    chain = [keys["rsa"], keys["ec"], keys["ec2"]]
    nodes = read_lineage(build.lineage(chain, flags=3))
    assert [node.certificate.sha256 for node in nodes] == [one.sha256 for one in chain]
    assert {node.flags for node in nodes} == {3}


def test_a_chain_without_end_is_refused(build: ModuleType) -> None:
    chain = [build.identity("ec", str(number)) for number in range(33)]
    assert len(read_lineage(build.lineage(chain[:32]))) == 32
    with pytest.raises(SignatureProblem, match="more than 32 steps"):
        read_lineage(build.lineage(chain))


@pytest.mark.parametrize("value", [b"", b"\1\0\0\0", b"\2\0\0\0"])
def test_a_chain_of_nothing_is_no_chain(value: bytes) -> None:
    with pytest.raises(SignatureProblem) as caught:
        read_lineage(value)
    assert caught.value.code == "v3-sig.malformed-lineage"


def test_what_is_signed_by_an_unknown_algorithm_proves_nothing(build: ModuleType, keys: dict[str, Any]) -> None:
    good = build.lineage([keys["rsa"], keys["ec"]])
    unknown = build.u32(keys["rsa"].algorithm)
    assert unknown in good
    with pytest.raises(SignatureProblem) as caught:
        read_lineage(good.replace(unknown, build.u32(0x7777)))
    assert (caught.value.code, "0x7777" in caught.value.detail) == ("v3-sig.por-did-not-verify", True)


def test_a_key_of_another_kind_than_the_algorithm_proves_nothing(build: ModuleType, keys: dict[str, Any]) -> None:
    """The step is well signed by an EC key, and is said to be signed by RSA."""
    ec, rsa = keys["ec"], keys["rsa"]
    good = build.lineage([ec, rsa])
    changed = good.replace(build.u32(ec.algorithm), build.u32(rsa.algorithm))
    assert changed != good
    with pytest.raises(SignatureProblem) as caught:
        read_lineage(changed)
    assert caught.value.code == "v3-sig.por-did-not-verify"

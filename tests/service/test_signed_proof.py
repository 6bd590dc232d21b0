"""A proof with signatures, checked offline: what it carries, what it says of weaker keys, what no forger gets by."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.prove.test_bundle import Members, edit, repack, unpack
from tests.service.conftest import DIRECTIVE, START, exemption, open_world
from tests.service.officers import Officers
from tests.service.test_signatures import order

from proscribe.canonical import canonical_bytes, digest_bytes, digest_json
from proscribe.directive.library import find
from proscribe.documents import digest
from proscribe.plan.model import ExemptionGrant
from proscribe.prove import members as names
from proscribe.prove import verify as checking
from proscribe.prove.model import CheckState, VerifyResult
from proscribe.prove.verify import verify
from proscribe.service import exempting, proof, trusting
from proscribe.simulate.amapi import FleetSpec
from proscribe.text import Text

SMALL = FleetSpec(devices=6, start=START, departments=("Charts",))


class Signed:
    """A proof in which everything that can be signed is, and the digest of the first key list."""

    def __init__(self, path: Path, key_list: str, revoked: Path) -> None:
        self.path, self.key_list, self.revoked = path, key_list, revoked


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    folder = tmp_path_factory.mktemp("signed")
    with open_world(SMALL, folder) as world:
        seats = Officers(world.open(), plan_above=0)
        seats.install(world.open())
        seats.register(world.open(), find(DIRECTIVE))
        seats.register(world.open(), world.targets())
        seats.register(world.open(), order())
        granted = ExemptionGrant(exemption("e1", f"amapi:{next(iter(world.simulator.fleet.devices))}"))
        seats.register(world.open(), granted)
        exempting.grant(world.open(), granted)
        plan = world.plan()
        seats.register(world.open(), plan)
        world.apply(plan, standing=True)
        world.settle(days=1)
        path = folder / "proof.zip"
        proof.export_proof(world.home, DIRECTIVE, path)
        world.clock.advance(hours=1)
        stolen = replace(seats.keys.keys[-1], revoked_at=START - timedelta(days=1), revoked_because=Text("a", "b"))
        later = replace(
            seats.keys,
            version=2,
            issued=world.clock.now(),
            keys=(*seats.keys.keys[:-1], stolen),
            rules=seats.keys.rules,
        )
        seats.install(world.open(), later)
        assert len(trusting.key_lists(world.open())) == 2
        revoked = folder / "revoked.zip"
        proof.export_proof(world.home, DIRECTIVE, revoked)
        return Signed(path, digest(seats.keys), revoked)


def of_signatures(result: VerifyResult) -> list[tuple[CheckState, str, str]]:
    return [(one.state, one.member, one.what.en) for one in result.checks if one.name == "signatures"]


def test_envelopes_key_list_and_kinds_of_keys_are_in_it_and_no_device(signed: Signed) -> None:
    parts = unpack(signed.path)
    new = sorted(name for name in parts if name.startswith("signatures/"))
    assert new == [
        "signatures/key-list-0001.json",
        "signatures/signed-0001.json",
        "signatures/signed-0002.json",
        "signatures/signed-0003.json",
        "signatures/verified.json",
    ]
    kinds = [json.loads(parts[name])["of_kind"] for name in new[1:4]]
    assert kinds == ["proscribe.directive", "proscribe.target-set", "proscribe.standing-order"]
    assert not any(b"amapi:enterprises" in parts[name] for name in new)
    result = verify(signed.path, key_list=signed.key_list)  # type: ignore[arg-type]
    assert result.ok, [one.what.en for one in result.failures]
    said = of_signatures(result)
    assert said[0] == (
        CheckState.passed,
        "signatures/key-list-0001.json",
        f"key lists: 1, each signed and following the one before; {signed.key_list} is among them",
    )
    assert said[1][0] is CheckState.limited  # one of the two keys is no hardware
    assert said[1][2] == (
        "directive: signed by cio [ed25519, hardware token], "
        "legal [ed25519, plain file (weakest: whoever copies it signs)]: 2 of 2 seats"
    )
    assert [what.partition(":")[0] for _, _, what in said[1:]] == [
        "directive",
        "target-set",
        "standing-order",
        "proscribe.exemption",
        "proscribe.plan",
    ]
    assert "stays with its owner" in said[4][2]


def test_whose_keys_they_are_is_asked_and_another_list_is_refused(signed: Signed) -> None:
    said = of_signatures(verify(signed.path))
    assert said[0][0] is CheckState.limited
    assert signed.key_list in said[0][2]
    other = verify(signed.path, key_list=digest_json("another"))
    assert not other.ok
    assert "none of the key lists" in other.failures[0].what.en


def test_what_was_signed_with_a_key_revoked_for_that_time_is_told(signed: Signed) -> None:
    result = verify(signed.revoked, key_list=signed.key_list)  # type: ignore[arg-type]
    assert result.ok, [one.what.en for one in result.failures]
    said = of_signatures(result)
    assert said[0][2].startswith("key lists: 2, each signed and following")
    assert "it was signed, and counts no more" in said[1][2]
    assert (CheckState.limited, names.DIRECTIVE, "no signatures that count stand under it") in said
    assert (CheckState.limited, names.TARGETS, "no signatures that count stand under it") in said


def _set(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        body[name] = value

    return change


def _verification(number: int, **changes: object) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        body["verifications"][number].update(changes)

    return change


def _better_key(body: dict[str, Any]) -> None:
    for one in body["verifications"][0]["signatures"]:
        one["storage"] = "hardware"


def _one_signature(body: dict[str, Any]) -> None:
    body["envelope"]["signatures"] = body["envelope"]["signatures"][:1]


VERIFIED, FIRST, LIST = names.VERIFIED, names.SIGNED.format(1), names.KEY_LIST.format(1)


@pytest.mark.parametrize(
    ("member", "change"),
    [
        (VERIFIED, _better_key),
        (VERIFIED, _verification(0, threshold=1)),
        (VERIFIED, _verification(0, at="2026-11-02T12:00:00Z")),
        (VERIFIED, _verification(0, prepared_by="somebody")),
        (VERIFIED, _verification(0, of=digest_json("x"))),
        (VERIFIED, _set("verifications", [])),
        (FIRST, _one_signature),
        (FIRST, _set("of", digest_json("x"))),
        (LIST, _one_signature),
        (LIST, _set("of", digest_json("x"))),
    ],
)
def test_a_document_that_was_changed_and_sealed_anew_is_refused(
    signed: Signed, tmp_path: Path, member: str, change: Callable[[dict[str, Any]], None]
) -> None:
    parts = edit(unpack(signed.path), member, change)
    assert not verify(repack(parts, tmp_path / "forged.zip")).ok


def _without(parts: Members, *left_out: str) -> Members:
    return {name: data for name, data in parts.items() if name not in left_out}


def test_signatures_cannot_be_left_out_whole_or_in_part(signed: Signed, tmp_path: Path) -> None:
    parts = unpack(signed.path)
    none = _without(parts, *(name for name in parts if name.startswith("signatures/")))

    def unsigned(manifest: dict[str, Any]) -> None:
        del manifest["key_lists"], manifest["signed"]

    result = verify(repack(none, tmp_path / "forged.zip", unsigned))
    assert [one.what.en for one in result.failures] == [
        "the signatures are missing: there is a key list, and none of it is here"
    ]
    fewer = _without(parts, names.SIGNED.format(3))

    def two(manifest: dict[str, Any]) -> None:
        manifest["signed"] = manifest["signed"][:2]

    assert not verify(repack(fewer, tmp_path / "forged.zip", two)).ok
    body = json.loads(parts[VERIFIED])
    kept = [one for one in body["verifications"] if one["of_kind"] != "proscribe.directive"]
    silent = {**parts, VERIFIED: canonical_bytes({**body, "verifications": kept})}
    result = verify(repack(silent, tmp_path / "forged.zip"))
    assert any("records signatures that are not here" in one.what.en for one in result.failures)
    first = json.loads(unpack(signed.revoked)[names.KEY_LIST.format(1)])
    assert first["of"] == signed.key_list
    older = _without(unpack(signed.revoked), names.KEY_LIST.format(2))

    def one_list(manifest: dict[str, Any]) -> None:
        manifest["key_lists"] = manifest["key_lists"][:1]

    result = verify(repack(older, tmp_path / "forged.zip", one_list))  # hides the revocation
    assert any("which the ledger records, is missing" in one.what.en for one in result.failures)


def test_envelopes_of_somebody_elses_officers_are_refused(signed: Signed, tmp_path: Path) -> None:
    with open_world(SMALL, tmp_path) as world:
        strangers = Officers(world.open())
        forged = strangers.signed(find(DIRECTIVE), "cio", "legal")
    from proscribe.documents import to_bytes

    parts = {**unpack(signed.path), FIRST: to_bytes(forged)}
    assert not verify(repack(parts, tmp_path / "forged.zip")).ok


def test_every_flipped_byte_of_the_new_members_is_found(signed: Signed) -> None:
    data = signed.path.read_bytes()
    from proscribe.prove.container import Container

    entries = {name: one for name, one in Container(data).entries.items() if name.startswith("signatures/")}
    assert len(entries) == 5
    starts = sorted(data.find(name.encode()) for name in entries)
    for at in range(starts[0], starts[-1] + 600, 7):
        changed = bytearray(data)
        changed[at] ^= 0x01
        assert not checking._verify("proof.zip", bytes(changed), None).ok, at


def test_flipped_bytes_that_are_sealed_anew_are_refused(signed: Signed, tmp_path: Path) -> None:
    """Whoever makes every digest again that can be made again still cannot make a signature or a ledger entry."""
    parts = unpack(signed.path)
    assert verify(repack(parts, tmp_path / "same.zip")).ok
    for name in sorted(parts):
        if not name.startswith("signatures/"):
            continue
        whole = parts[name]
        for at in {*range(0, len(whole), max(1, len(whole) // 12)), len(whole) - 2, len(whole) - 5}:
            changed = bytearray(whole)
            changed[at] ^= 0x01
            result = verify(repack({**parts, name: bytes(changed)}, tmp_path / "forged.zip"))
            assert not result.ok, (name, at, bytes(whole[at - 10 : at + 10]), digest_bytes(whole))

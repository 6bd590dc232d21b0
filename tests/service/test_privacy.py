"""What leaves the installation names no device and no secret: the ledger, the summaries, the bundle."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from tests.service.conftest import DIRECTIVE, TOKEN, World, exemption

from proscribe.documents import to_bytes
from proscribe.prove.model import EntryKind
from proscribe.prove.pseudonym import KEY_BYTES
from proscribe.service import enforcing, exempting, proof
from proscribe.service.config import load
from proscribe.service.installation import WrongKey


def _secrets(world: World) -> list[bytes]:
    """Whatever would say which device it is, and the credentials."""
    devices = world.simulator.fleet.devices.values()
    names = {device.name.rsplit("/", 1)[1] for device in devices}
    return [text.encode() for text in sorted({*names, *(device.serial for device in devices), TOKEN})]


def _eventful(world: World) -> list[bytes]:
    """A life with everything in it; returns every summary as bytes."""
    told = []
    exempted = next(name for name, one in world.simulator.fleet.devices.items() if "com.tencent.mm" in one.apps)
    exempting.add(world.open(), exemption("e1", f"amapi:{exempted}"))
    plan = world.plan()
    enforcing.freeze(world.open(), "exercise")
    enforcing.thaw(world.open(), "over")
    faults = world.simulator.faults
    faults.next("policies.modifyPolicyApplications", "throttle")
    faults.next("policies.patch", "fail_after")
    told.append(world.apply(plan, standing=True))
    faults.next("policies.modifyPolicyApplications", "refuse", status=400)
    faults.next("write", "garbage")
    told += [world.tick(hours=1) for _ in range(3)]
    step = next(one for one in plan.steps if one.side.value != "personal")
    world.simulator.fleet.remove(step.scope, list(step.app_ids), world.clock.now(), foreign=True)
    told += [world.tick(minutes=30) for _ in range(4)]
    told.append(world.settle(days=2))
    exempting.end(world.open(), "e1")
    told.append(world.tick(hours=1))
    faults.next("write", "refuse", status=403, times=2)
    told.append(enforcing.lift(world.open(), DIRECTIVE, "revoked"))
    told.append(world.tick(hours=1))
    return [to_bytes(one) for one in told]


def test_nothing_that_leaves_names_a_device_or_a_secret(world: World, tmp_path: Path) -> None:
    told = _eventful(world)
    entries = list(world.open().stores.ledger.entries())
    kinds = {entry.entry for entry in entries}
    assert kinds >= {
        EntryKind.exemption,
        EntryKind.freeze,
        EntryKind.thaw,
        EntryKind.approval,
        EntryKind.intent,
        EntryKind.receipt,
        EntryKind.fault,
        EntryKind.drift,
        EntryKind.lift,
        EntryKind.observation,
        EntryKind.outcomes,
        EntryKind.plan,
        EntryKind.snapshot,
        EntryKind.wave,
    }
    secrets = _secrets(world)
    for entry in entries:
        assert not [one for one in secrets if one in to_bytes(entry)], entry
    for summary in told:
        assert not [one for one in secrets if one in summary], summary
    out = tmp_path / "proof.zip"
    proof.export_proof(world.home, DIRECTIVE, out)
    raw = out.read_bytes()
    assert not [one for one in secrets if one in raw]


def test_a_token_is_not_shown_with_the_settings_it_stands_in(world: World) -> None:
    installation = world.open()
    assert TOKEN not in repr(installation.connectors["amapi"].config)  # type: ignore[attr-defined]
    assert TOKEN not in repr(load(world.home))
    assert TOKEN not in repr(installation)


def test_the_pseudonym_key_is_for_its_owner_alone_and_never_half_written(world: World) -> None:
    installation = world.open()
    key = installation.pseudonym_key
    path = world.home / "pseudonym.key"
    assert len(key) == KEY_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert installation.pseudonym_key == key
    path.write_bytes(b"")
    with pytest.raises(WrongKey) as error:
        _ = installation.pseudonym_key
    assert "backup" in error.value.remedy.en
    assert path.read_bytes() == b""  # another key would break the link to every pseudonym given so far

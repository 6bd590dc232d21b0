"""The engine, case by case: presence, scope, drift, and what it refuses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from proscribe.catalogue.model import AppIdentity, Confidence, IdentifierType, MatchKind
from proscribe.documents import from_json, to_json
from proscribe.errors import DiskFull
from proscribe.evaluate import database
from proscribe.evaluate.engine import evaluate
from proscribe.evaluate.errors import MismatchedBan, NotWatched
from proscribe.evaluate.model import UNKNOWN_DEPARTMENT, Drift, Evaluation, FindingKey, Presence
from proscribe.inventory.errors import BrokenSnapshot
from proscribe.inventory.model import Coverage, Freshness, Retention, Snapshot, Visibility
from proscribe.terms import Enrolment, Held, Platform, Side
from proscribe.text import Text

CHAT = AppIdentity(Platform.android, "com.acme.chat", "Acme Chat")
CHAT_RENAMED = AppIdentity(Platform.android, "com.acme.chat", "Acme Chat 2")
CLONE = AppIdentity(Platform.android, "org.other.chat", "Acme Chat")
NAMED = AppIdentity(Platform.android, "", "Acme Chat")
PAY = AppIdentity(Platform.android, "com.acme.pay", "Acme Pay")
OTHER = AppIdentity(Platform.android, "org.lighthouse.tides", "Tides")

Make = Callable[..., Snapshot]


@pytest.fixture
def targets(kit: SimpleNamespace) -> list[Any]:
    return [
        kit.target(IdentifierType.android_package, "com.acme.chat", "acme/chat"),
        kit.target(IdentifierType.app_name, "Acme Chat", "acme/chat", platform=Platform.unknown, actionable=False),
        kit.target(IdentifierType.android_package_glob, "com.acme.*", ""),
    ]


def statuses(evaluated: Any, directive: str = "d1") -> dict[str, Presence]:
    return {status.device: status.presence for status in evaluated.statuses(directive)}


def test_findings_carry_kind_and_confidence_and_never_mix(
    kit: SimpleNamespace, targets: list[Any], make_snapshot: Make
) -> None:
    phones = [
        kit.Phone("a:1", apps=(kit.App(CHAT, held=Held.managed, side=Side.work, version="8.0"), kit.App(OTHER))),
        kit.Phone("a:2", apps=(kit.App(NAMED),), gives_ids=False),
        kit.Phone("a:3", apps=(kit.App(CLONE),)),
        kit.Phone("a:4", apps=(kit.App(PAY),)),
        kit.Phone("a:5", apps=(kit.App(OTHER),)),
    ]
    ban = kit.ban(targets=targets)
    with evaluate(make_snapshot(phones), [ban], now=kit.NOW) as evaluated:
        found = {finding.device: finding for finding in evaluated.findings()}
        assert {key: finding.match for key, finding in found.items()} == {
            "a:1": MatchKind.exact_id,
            "a:2": MatchKind.name_only,
            "a:3": MatchKind.lookalike_name,
            "a:4": MatchKind.glob,
        }
        one = found["a:1"]
        assert (one.side, one.held, one.version, one.app_id) == (Side.work, Held.managed, "8.0", "com.acme.chat")
        assert (one.confidence, one.actionable, one.drift) == (Confidence.high, True, Drift.first_seen)
        assert one.observed_at == kit.NOW - timedelta(days=1)
        assert found["a:4"].product == ""
        assert found["a:4"].key == FindingKey("d1", "android_package_glob:android:com.acme.* com.acme.pay", "a:4")
        assert not found["a:2"].actionable
        assert statuses(evaluated) == {
            "a:1": Presence.present_managed,
            "a:2": Presence.present_unmanaged,
            "a:3": Presence.absent,  # a look-alike is not the banned app
            "a:4": Presence.present_unmanaged,
            "a:5": Presence.absent,
        }
        assert evaluated.summary.violations == {"d1": 3}
        assert evaluated.summary.findings == {"exact_id": 1, "glob": 1, "name_only": 1, "lookalike_name": 1}
        (group,) = evaluated.groups("d1")
        assert (group.devices, group.by_identifier, group.by_name, group.lookalike) == (5, 2, 1, 1)
        assert [(row.product, row.by_identifier, row.by_name, row.lookalike) for row in evaluated.products("d1")] == [
            ("acme/chat", 1, 1, 1),
            ("", 1, 0, 0),
        ]
        assert evaluated.lookalike_devices("d1") == 1
        assert evaluated.names_only() == 1
        assert list(evaluated.cured()) == []
        summary = evaluated.summary
    assert from_json(Evaluation, to_json(summary)) == summary


@pytest.mark.parametrize(
    ("change", "presence", "hidden"),
    [
        ({}, Presence.absent, False),
        ({"others": 0}, Presence.unknown, False),
        ({"others": 0, "sees": Visibility.managed_apps}, Presence.invisible, True),
        (
            {"others": 0, "sees": Visibility.managed_apps, "remarks": ("no-app-reports",)},
            Presence.unknown,
            True,
        ),
        ({"sees": Visibility.unknown}, Presence.unknown, False),
        ({"sees": Visibility.nothing}, Presence.invisible, True),
        ({"sees": Visibility.work_side}, Presence.invisible, True),
        ({"sees": Visibility.user_apps}, Presence.invisible, True),
        ({"sees": Visibility.user_apps, "platform": Platform.ios}, Presence.absent, False),
        ({"observed": -8}, Presence.stale, False),
        ({"observed": -7}, Presence.absent, False),
        ({"observed": -1, "stale_after_days": 0}, Presence.stale, False),
        ({"observed": 2}, Presence.stale, False),
        ({"observed": -8, "sees": Visibility.work_side}, Presence.stale, True),
        ({"observed": None, "freshness": Freshness.imported}, Presence.absent, False),
        ({"observed": -8, "freshness": Freshness.imported}, Presence.stale, False),
    ],
)
def test_no_finding_is_absent_only_where_the_list_can_show_it(
    kit: SimpleNamespace,
    targets: list[Any],
    make_snapshot: Make,
    change: dict[str, Any],
    presence: Presence,
    hidden: bool,
) -> None:
    if isinstance(change.get("observed"), int):
        change = {**change, "observed": kit.NOW + timedelta(days=change["observed"])}
    phone = dataclasses.replace(kit.Phone("a:1"), **change)
    with evaluate(make_snapshot([phone]), [kit.ban(targets=targets)], now=kit.NOW) as evaluated:
        (status,) = evaluated.statuses("d1")
        assert (status.presence, status.invisible_side) == (presence, hidden)
        gaps = [gap for gap in evaluated.summary.gaps if gap.directive == "d1"]
        assert [gap.presence for gap in gaps] == ([] if presence is Presence.absent else [presence])
        assert all(gap.reason.fr and gap.devices == 1 for gap in gaps)


def test_a_list_older_than_the_ban_proves_nothing_for_that_ban(
    kit: SimpleNamespace, targets: list[Any], make_snapshot: Make
) -> None:
    seen = kit.NOW - timedelta(days=3)
    phones = [kit.Phone("a:1", observed=seen), kit.Phone("a:2", observed=seen, apps=(kit.App(CHAT),))]
    bans = [
        kit.ban("old", targets, effective=date(2023, 2, 28)),
        kit.ban("new", targets, effective=date(2026, 11, 19)),
        kit.ban("tomorrow", targets, effective=date(2026, 11, 21)),
        kit.ban("undated", targets, effective=None),
    ]
    with evaluate(make_snapshot(phones), bans, now=kit.NOW) as evaluated:
        assert statuses(evaluated, "old")["a:1"] is Presence.absent
        assert statuses(evaluated, "new") == {"a:1": Presence.stale, "a:2": Presence.present_unmanaged}
        assert statuses(evaluated, "tomorrow")["a:1"] is Presence.absent
        assert statuses(evaluated, "undated")["a:1"] is Presence.absent
        assert [(finding.directive, finding.stale) for finding in evaluated.findings()] == [
            ("old", False),
            ("new", True),
            ("tomorrow", False),
            ("undated", False),
        ]
        assert evaluated.before_ban() == 2


def test_scope_leaves_out_what_it_excludes_and_marks_what_it_cannot_tell(
    kit: SimpleNamespace, targets: list[Any], make_snapshot: Make
) -> None:
    have = (kit.App(CHAT),)
    phones = [
        kit.Phone("a:in", apps=have),
        kit.Phone("a:byod", apps=have, enrolment=Enrolment.byod),
        kit.Phone("a:ios", platform=Platform.ios),
        kit.Phone("a:enrolment", apps=have, enrolment=Enrolment.unknown),
        kit.Phone("a:usb", apps=have, enrolment=Enrolment.unmanaged),
        kit.Phone("a:department", apps=have, department=""),
        kit.Phone("a:elsewhere", apps=have, department="Foghorns"),
        kit.Phone("a:case", apps=have, department=" LAMPS "),
    ]
    ban = kit.ban(
        targets=targets,
        platforms=(Platform.android,),
        enrolments=(Enrolment.fully_managed,),
        departments=("Lamps",),
    )
    with evaluate(make_snapshot(phones), [ban], now=kit.NOW) as evaluated:
        unsure = {status.device: status.scope_unsure for status in evaluated.statuses("d1")}
        assert unsure == {"a:in": False, "a:enrolment": True, "a:usb": True, "a:department": True, "a:case": False}
        assert {finding.device: finding.scope_unsure for finding in evaluated.findings("d1")} == unsure
        assert evaluated.out_of_scope("d1") == 2
        assert evaluated.scope_unsure("d1") == 3
        counts = {row.department: row.devices for row in evaluated.summary.presences}
        assert counts == {"": 5, "Lamps": 3, " LAMPS ": 1, UNKNOWN_DEPARTMENT: 1}


def test_a_tombstone_is_evidence_of_absence_and_an_install_outweighs_it(
    kit: SimpleNamespace, targets: list[Any], make_snapshot: Make
) -> None:
    phones = [
        kit.Phone("a:1", apps=(kit.App(CHAT, removed=True),)),
        kit.Phone("a:2", apps=(kit.App(CHAT, removed=True, held=Held.managed), kit.App(CHAT, held=Held.system))),
        kit.Phone("a:3", apps=(kit.App(CHAT, removed=True, side=Side.work), kit.App(CHAT, side=Side.personal))),
    ]
    with evaluate(make_snapshot(phones), [kit.ban(targets=targets)], now=kit.NOW) as evaluated:
        assert [(one.device, one.side, one.held) for one in evaluated.findings()] == [
            ("a:2", Side.whole, Held.system),
            ("a:3", Side.personal, Held.unmanaged),
        ]
        assert statuses(evaluated)["a:1"] is Presence.absent


def test_contained_is_neither_absent_nor_plainly_present(
    kit: SimpleNamespace, targets: list[Any], make_snapshot: Make
) -> None:
    phones = [
        kit.Phone("a:1", apps=(kit.App(CHAT, held=Held.managed),), remarks=("contained:com.acme.chat", "x:y")),
        kit.Phone("a:2", apps=(kit.App(CHAT), kit.App(PAY)), remarks=("contained:com.acme.chat",)),
    ]
    with evaluate(make_snapshot(phones), [kit.ban(targets=targets)], now=kit.NOW) as evaluated:
        assert statuses(evaluated) == {"a:1": Presence.present_contained, "a:2": Presence.present_unmanaged}


def test_drift_new_continuing_reinstalled_cured(kit: SimpleNamespace, targets: list[Any], make_snapshot: Make) -> None:
    have = (kit.App(CHAT),)
    before = [
        kit.Phone("a:stays", apps=have),
        kit.Phone("a:cured", apps=have),
        kit.Phone("a:blind", apps=have),
        kit.Phone("a:gone", apps=have),
        kit.Phone("a:tomb", apps=have),
        kit.Phone("a:new"),
        kit.Phone("a:again", apps=(kit.App(CHAT, removed=True),)),
        kit.Phone("b:moved", apps=have, also=("a:moved",)),
        kit.Phone("a:known"),
    ]
    after = [
        kit.Phone("a:known", apps=have),
        kit.Phone("a:moved", apps=(kit.App(CHAT_RENAMED, version="9"),)),
        kit.Phone("a:again", apps=have),
        kit.Phone("a:new", apps=have),
        kit.Phone("a:tomb", apps=(kit.App(CHAT, removed=True),), sees=Visibility.unknown),
        kit.Phone("a:blind", others=0),
        kit.Phone("a:cured"),
        kit.Phone("a:stays", apps=have),
        kit.Phone("a:bought", apps=have),
    ]
    ban = kit.ban(targets=targets)
    cured = [
        FindingKey("d1", "acme/chat", "a:known"),
        FindingKey("d9", "acme/chat", "a:new"),
        FindingKey("d1", "x", "y"),
    ]
    with evaluate(make_snapshot(after), [ban], now=kit.NOW, previous=make_snapshot(before), cured=cured) as evaluated:
        assert {finding.device: finding.drift for finding in evaluated.findings()} == {
            "a:stays": Drift.continuing,
            "a:moved": Drift.continuing,
            "a:new": Drift.new,
            "a:again": Drift.reinstalled,
            "a:known": Drift.reinstalled,
            "a:bought": Drift.new,
        }
        # Out of sight is not cured, and neither is a device that is no longer listed.
        gone = list(evaluated.cured("d1"))
        assert {finding.device for finding in gone} == {"a:cured", "a:tomb"}
        assert {(finding.drift, finding.app_id, finding.version) for finding in gone} == {
            (Drift.cured, "com.acme.chat", "1")
        }
        assert evaluated.summary.previous is not None


def test_what_was_once_cured_and_is_there_again_was_reinstalled(
    kit: SimpleNamespace, targets: list[Any], make_snapshot: Make
) -> None:
    ban = kit.ban(targets=targets)
    with_app, without = [kit.Phone("a:1", apps=(kit.App(CHAT),))], [kit.Phone("a:1")]
    first, second, third = make_snapshot(with_app), make_snapshot(without), make_snapshot(without)
    with evaluate(second, [ban], now=kit.NOW, previous=first) as evaluated:
        keys = {finding.key for finding in evaluated.cured()}
    assert keys == {FindingKey("d1", "acme/chat", "a:1")}
    with evaluate(make_snapshot(with_app), [ban], now=kit.NOW, previous=third, cured=keys) as evaluated:
        assert [finding.drift for finding in evaluated.findings()] == [Drift.reinstalled]


def test_a_previous_snapshot_that_did_not_look_makes_nothing_new(
    kit: SimpleNamespace, targets: list[Any], make_snapshot: Make
) -> None:
    ban = kit.ban(targets=targets)
    previous = make_snapshot([kit.Phone("a:1")], retention=Retention.matches)
    now = make_snapshot([kit.Phone("a:1", apps=(kit.App(CHAT),))], [ban[1]], retention=Retention.matches)
    with evaluate(now, [ban], now=kit.NOW, previous=previous) as evaluated:
        assert [finding.drift for finding in evaluated.findings()] == [Drift.first_seen]


def test_refuses_what_would_be_a_guess(kit: SimpleNamespace, targets: list[Any], make_snapshot: Make) -> None:
    directive, target_set = kit.ban(targets=targets)
    snapshot = make_snapshot([kit.Phone("a:1")], retention=Retention.matches)
    with pytest.raises(NotWatched):
        evaluate(snapshot, [(directive, target_set)], now=kit.NOW)
    whole = make_snapshot([kit.Phone("a:1")])
    for wrong in (
        [(directive, dataclasses.replace(target_set, directive_version=2))],
        [(directive, dataclasses.replace(target_set, directive=""))],
        [(directive, target_set), (directive, target_set)],
    ):
        with pytest.raises(MismatchedBan) as caught:
            evaluate(whole, wrong, now=kit.NOW)
        assert caught.value.where.file == "d1"
        assert caught.value.remedy.fr


@pytest.mark.parametrize("name", ["apps.parquet", "devices.parquet", "installs.parquet", "versions.parquet"])
@pytest.mark.parametrize("content", [None, b"PAR1 not really PAR1"])
def test_a_damaged_snapshot_is_named(
    kit: SimpleNamespace, targets: list[Any], make_snapshot: Make, name: str, content: bytes | None
) -> None:
    snapshot = make_snapshot([kit.Phone("a:1", apps=(kit.App(CHAT),))])
    path = snapshot.path / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BrokenSnapshot) as caught:
        evaluate(snapshot, [kit.ban(targets=targets)], now=kit.NOW)
    assert caught.value.where.file == str(snapshot.path)


def test_a_folder_name_with_signs_of_a_pattern_is_a_folder_name(
    kit: SimpleNamespace, targets: list[Any], tmp_path: Any
) -> None:
    snapshot = kit.snapshot(tmp_path / "it's [a] *day*?", [kit.Phone("a:1", apps=(kit.App(CHAT),))])
    with evaluate(snapshot, [kit.ban(targets=targets)], now=kit.NOW) as evaluated:
        assert len(list(evaluated.findings())) == 1


def test_an_empty_fleet_and_no_bans(kit: SimpleNamespace, targets: list[Any], make_snapshot: Make) -> None:
    with evaluate(make_snapshot([]), [kit.ban(targets=targets)], now=kit.NOW) as evaluated:
        assert list(evaluated.findings()) == []
        assert list(evaluated.statuses("d1")) == []
        assert [(row.department, row.devices) for row in evaluated.summary.presences] == [("", 0)]
        assert evaluated.scope_unsure("d1") == 0
    with evaluate(make_snapshot([kit.Phone("a:1")]), [], now=kit.NOW) as evaluated:
        assert list(evaluated.findings()) == []
        assert evaluated.summary.presences == ()


def test_gaps_speak_in_the_words_of_the_source(kit: SimpleNamespace, targets: list[Any], make_snapshot: Make) -> None:
    blind = Text("The personal side is invisible.", "Le côté personnel est invisible.")
    row = Coverage(
        system="a",
        platform=Platform.android,
        enrolment=Enrolment.cope,
        devices=2,
        sees=Visibility.work_side,
        gives_ids=True,
        gives_signer=True,
        stale_after_days=7,
        blind_to=blind,
        source="mdm.md 1.1",
    )
    cope = {"enrolment": Enrolment.cope, "sees": Visibility.work_side}
    phones = [kit.Phone("a:1", **cope), kit.Phone("a:2", **cope), kit.Phone("a:3", **cope, apps=(kit.App(CHAT),))]
    with evaluate(make_snapshot(phones, coverage=(row,)), [kit.ban(targets=targets)], now=kit.NOW) as evaluated:
        everywhere, one = evaluated.summary.gaps
        assert (everywhere.directive, everywhere.devices) == ("", 3)
        assert (one.directive, one.devices, one.reason, one.source) == ("d1", 2, blind, "mdm.md 1.1")
        # A violation does not make the other side visible.
        assert [status.invisible_side for status in evaluated.statuses("d1")] == [True, True, True]
        assert evaluated.invisible() == 3


def test_two_readers_at_once(kit: SimpleNamespace, targets: list[Any], make_snapshot: Make) -> None:
    phones = [kit.Phone(f"a:{number}", apps=(kit.App(CHAT),)) for number in range(20)]
    with evaluate(make_snapshot(phones), [kit.ban(targets=targets)], now=kit.NOW) as evaluated:
        pairs = list(zip(evaluated.findings(), evaluated.statuses("d1"), strict=True))
        assert all(finding.device == status.device for finding, status in pairs)
        assert len(pairs) == 20


def test_a_full_disk_is_not_taken_for_a_broken_snapshot(kit: SimpleNamespace, make_snapshot: Make) -> None:
    snapshot = make_snapshot([kit.Phone("a:1")])
    with pytest.raises(DiskFull) as caught, database.guard(snapshot):
        raise OSError(28, "No space left on device")
    assert caught.value.transient
    with pytest.raises(DiskFull), database.guard(snapshot):
        raise caught.value

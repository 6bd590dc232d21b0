"""Random fleets: the engine against plain Python, and counts that add up."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proscribe.catalogue.model import AppIdentity, IdentifierType
from proscribe.evaluate.engine import evaluate
from proscribe.evaluate.model import UNKNOWN_DEPARTMENT
from proscribe.inventory.model import Freshness, Visibility
from proscribe.terms import Enrolment, Held, Platform, Side

APPS = [
    AppIdentity(Platform.android, "com.acme.chat", "Acme Chat"),
    AppIdentity(Platform.android, "com.acme.chat", "Acme Chat Beta"),
    AppIdentity(Platform.android, "com.acme.pay", "Acme Pay"),
    AppIdentity(Platform.android, "net.glob.one", "Zebra"),
    AppIdentity(Platform.android, "net.globular", "Yak"),
    AppIdentity(Platform.android, "org.copy.chat", "acme chat"),
    AppIdentity(Platform.android, "", "Acme Pay"),
    AppIdentity(Platform.android, "org.lighthouse.tides", "Tides"),
]

apps = st.tuples(
    st.sampled_from(APPS), st.sampled_from([Side.work, Side.personal]), st.sampled_from(list(Held)), st.booleans()
)
devices = st.fixed_dictionaries(
    {
        "platform": st.sampled_from([Platform.android, Platform.ios, Platform.unknown]),
        "enrolment": st.sampled_from(
            [Enrolment.fully_managed, Enrolment.cope, Enrolment.byod, Enrolment.unknown, Enrolment.unmanaged]
        ),
        "department": st.sampled_from(["", "Lamps", "lamps", "Foghorns"]),
        "sees": st.sampled_from(list(Visibility)),
        "freshness": st.sampled_from(list(Freshness)),
        "others": st.integers(0, 2),
        "stale_after_days": st.sampled_from([0, 1, 7]),
        "remarks": st.sampled_from([(), ("no-app-reports",), ("contained:com.acme.chat",)]),
        "days": st.one_of(st.none(), st.integers(-10, 3)),
        "apps": st.lists(apps, max_size=4),
    }
)
fleets = st.dictionaries(st.integers(1, 6), devices, max_size=6)
bans = st.fixed_dictionaries(
    {
        "effective": st.sampled_from([None, date(2023, 1, 1), date(2026, 11, 15), date(2027, 1, 1)]),
        "platforms": st.sampled_from([(), (Platform.android,), (Platform.android, Platform.ios)]),
        "enrolments": st.sampled_from([(), (Enrolment.fully_managed, Enrolment.cope)]),
        "departments": st.sampled_from([(), ("LAMPS",)]),
    }
)


def phones_of(kit: SimpleNamespace, fleet: dict[int, dict[str, Any]]) -> list[Any]:
    phones = []
    for number, given_values in fleet.items():
        values = dict(given_values)
        days = values.pop("days")
        values["observed"] = None if days is None else kit.NOW + timedelta(days=days, hours=1)
        values["apps"] = tuple(
            kit.App(identity, side=side, held=held, removed=removed) for identity, side, held, removed in values["apps"]
        )
        phones.append(kit.Phone(f"a:{number}", **values))
    return phones


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fleet=fleets, before=st.one_of(st.none(), fleets), rules=st.lists(bans, min_size=1, max_size=3))
def test_the_engine_agrees_with_plain_python(
    kit: SimpleNamespace, fleet: dict[int, Any], before: dict[int, Any] | None, rules: list[dict[str, Any]]
) -> None:
    every = [
        kit.target(IdentifierType.android_package, "com.acme.chat", "acme/chat"),
        kit.target(IdentifierType.android_package, "com.acme.pay", "acme/pay"),
        kit.target(IdentifierType.android_package_glob, "net.glob.*", "glob"),
        kit.target(IdentifierType.app_name, "Acme Chat", "acme/chat", platform=Platform.unknown, actionable=False),
        kit.target(IdentifierType.app_name, "Acme Pay", "acme/pay", platform=Platform.unknown, actionable=False),
    ]
    chosen = [kit.ban(f"d{number}", every, **rule) for number, rule in enumerate(rules)]
    phones = phones_of(kit, fleet)
    old = None if before is None else phones_of(kit, before)
    with TemporaryDirectory() as folder:
        snapshot = kit.snapshot(Path(folder) / "now", phones)
        previous = None if old is None else kit.snapshot(Path(folder) / "before", old)
        with evaluate(snapshot, chosen, now=kit.NOW, previous=previous) as evaluated:
            for ban in chosen:
                name = ban[0].id
                expected = kit.naive(phones, ban, kit.NOW, old)
                findings = list(evaluated.findings(name))
                keyed = {
                    (one.device, one.app_id, one.app_name, one.side): (one.drift, one.match.is_violation)
                    for one in findings
                }
                assert keyed == expected.findings
                assert len(keyed) == len(findings)
                statuses = list(evaluated.statuses(name))
                assert {one.device: one.presence for one in statuses} == expected.presences
                assert len(statuses) == len(expected.presences)
                cured = {(one.device, f"{one.product}:{one.match.is_violation}") for one in evaluated.cured(name)}
                assert cured == expected.cured
                check_counts(evaluated, name, statuses, findings)


def check_counts(evaluated: Any, name: str, statuses: list[Any], findings: list[Any]) -> None:
    """Every count is the sum of its parts, and of the rows it stands for."""
    rows = {row.department: row for row in evaluated.summary.presences if row.directive == name}
    whole = rows.pop("")
    assert whole.devices == len(statuses) == sum(row.devices for row in rows.values())
    for row in (whole, *rows.values()):
        own = [s for s in statuses if row is whole or (s.department or UNKNOWN_DEPARTMENT) == row.department]
        for presence, devices in row.by_presence.items():
            assert devices == sum(status.presence is presence for status in own)
            assert devices > 0
        assert sum(row.by_presence.values()) == row.devices == len(own)
    violating = {one.device for one in findings if one.match.is_violation}
    assert evaluated.summary.violations[name] == len(violating)
    groups = evaluated.groups(name)
    assert sum(group.devices for group in groups) == whole.devices
    assert sum(group.by_identifier + group.by_name for group in groups) == len(violating)
    assert sum(group.lookalike for group in groups) == evaluated.lookalike_devices(name)
    assert evaluated.lookalike_devices(name) == len({one.device for one in findings} - violating)
    gaps = [gap for gap in evaluated.summary.gaps if gap.directive == name]
    doubtful = [status for status in statuses if status.presence in {gap.presence for gap in gaps}]
    assert sum(gap.devices for gap in gaps) == len(doubtful)
    assert evaluated.scope_unsure(name) == sum(status.scope_unsure for status in statuses)


def test_the_oracle_is_not_blind(kit: SimpleNamespace) -> None:
    """A fleet in which every answer occurs, so that agreement above means something."""
    ban = kit.ban(targets=[kit.target(IdentifierType.android_package, "com.acme.chat", "acme/chat")])
    before = [kit.Phone("a:1", apps=(kit.App(APPS[0]),))]
    now = [kit.Phone("a:1"), dataclasses.replace(kit.Phone("a:2"), apps=(kit.App(APPS[0]),))]
    expected = kit.naive(now, ban, kit.NOW, before)
    assert expected.cured == {("a:1", "acme/chat:True")}
    assert len(expected.findings) == 1
    assert len(set(expected.presences.values())) == 2

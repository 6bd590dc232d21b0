"""Why an approved plan is stale, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from proscribe.canonical import Digest
from proscribe.plan.difference import difference
from proscribe.plan.model import Devices, Exemption, ExemptionRegister, Percent, Policy, Ring, Unlimited
from proscribe.plan.planner import make_plan


@pytest.fixture
def base(made):
    statuses = [made.status("fleetbox:1"), made.status("fleetbox:2"), made.status("fleetbox:3", scope="other")]
    return made.inputs(statuses, (made.finding(statuses[0]),))


def told(old, new):
    return [line.en for line in difference(make_plan(old), make_plan(new))]


def test_an_unchanged_world_has_no_difference(base):
    assert told(base, base) == []


CASES = {
    "directive": (lambda m, i: replace(i, directive=m.directive(title=m.text("x"))), "The directive was changed."),
    "other-directive": (
        lambda m, i: replace(i, directive=m.directive(id="dnl-2"), register=ExemptionRegister(())),
        "The plan is now about dnl-2, not dnl-2026-01.",
    ),
    "targets": (
        lambda m, i: replace(i, targets=m.target_set(m.target(), m.target("com.more"))),
        "fleetbox, default, entries: also com.more.",
    ),
    "holders": (
        lambda m, i: replace(i, findings=(*i.findings, m.finding(m.status("fleetbox:2")))),
        "fleetbox, default, entries: 1 device more with the app.",
    ),
    "fewer-holders": (
        lambda m, i: replace(i, findings=()),
        "fleetbox, default, entries: 1 device fewer with the app.",
    ),
    "version": (
        lambda m, i: replace(i, snapshot=m.snapshot([replace(m.scope(), version=5), m.scope("other")])),
        "fleetbox, default, entries: somebody changed it (version 3, now 5).",
    ),
    "gone": (
        lambda m, i: replace(i, snapshot=m.snapshot([m.scope(entries=["com.tencent.mm"]), m.scope("other")])),
        "No longer planned: fleetbox, default, entries.",
    ),
    "new": (
        lambda m, i: replace(
            i,
            statuses=(*i.statuses, m.status("fleetbox:9", scope="third")),
            snapshot=m.snapshot([m.scope(), m.scope("other"), m.scope("third")]),
        ),
        "New: fleetbox, third, entries (1 device).",
    ),
    "reach": (
        lambda m, i: replace(i, snapshot=m.snapshot([m.scope(devices=7), m.scope("other")])),
        "fleetbox, default, entries: reaches 7 devices; it was 2.",
    ),
    "capabilities": (
        lambda m, i: replace(i, systems={"fleetbox": m.FakeSystem(capabilities=m.android_rows()[:1])}),
        "What the management systems can do is described differently.",
    ),
    "effect": (
        lambda m, i: replace(i, systems={"fleetbox": m.FakeSystem(capabilities=m.android_rows()[:1])}),
        "fleetbox, default, entries: the expected effect is another one.",
    ),
    "exemptions": (
        lambda m, i: replace(
            i,
            register=ExemptionRegister(
                (Exemption("e", "dnl-2026-01", ("fleetbox:3",), "g", "a", "b", date(2026, 11, 1), date(2026, 12, 1)),)
            ),
        ),
        "The register of exemptions was changed.",
    ),
    "limits": (
        lambda m, i: replace(i, policy=Policy(Devices(9), Percent(50), i.policy.rings)),
        "The removal limit is 9; it was unlimited.",
    ),
    "blocked": (
        lambda m, i: replace(i, targets=m.target_set(reviewed_by="")),
        "Now refused: The target set of dnl-2026-01 has not been reviewed by a person.",
    ),
    "rings": (
        lambda m, i: replace(i, policy=Policy(Unlimited(), Unlimited(), (Ring("all", Unlimited()),))),
        "It takes 1 wave now; it was 2.",
    ),
    "age": (
        lambda m, i: replace(i, policy=replace(i.policy, inventory_max_days=1)),
        "The age allowed for the inventory is another one.",
    ),
}


@pytest.mark.parametrize(("change", "sentence"), CASES.values(), ids=CASES)
def test_what_changed_is_said(made, base, change, sentence):
    assert sentence in told(base, change(made, base))


def test_what_was_gained_is_said_in_reverse_too(made, base):
    fewer = replace(base, targets=made.target_set(made.target(), made.target("com.more")))
    assert "fleetbox, default, entries: no longer com.more." in told(fewer, base)
    unreviewed = replace(base, targets=made.target_set(reviewed_by=""))
    assert any(line.startswith("No longer refused") for line in told(unreviewed, base))


def test_a_step_that_moves_to_another_wave_is_named(made, base):
    one_wave = replace(base, policy=Policy(Unlimited(), Unlimited(), (Ring("all", Unlimited()),)))
    assert any("moves from wave 2 to wave 1" in line for line in told(base, one_wave))


def test_there_is_always_something_to_say(base):
    plan = make_plan(base)
    (line,) = difference(plan, replace(plan, basis=Digest("sha256:" + "f" * 64)))
    assert line.fr

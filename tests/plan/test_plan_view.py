"""The plan as a person meets it on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from proscribe.catalogue.model import IdentifierType
from proscribe.cli.plan_view import show_plan
from proscribe.plan.model import Exemption, ExemptionRegister, Policy, Reach, RefusalReason, Unlimited, Verb
from proscribe.plan.planner import make_plan
from proscribe.plan.reasons import REASONS
from proscribe.terms import Enrolment, Platform, Side
from proscribe.text import set_language


@pytest.fixture(params=["en", "fr"])
def lang(request) -> Iterator[str]:
    set_language(request.param)
    yield request.param
    set_language(None)


@pytest.fixture
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language(None)


@pytest.fixture
def plan(made):
    classes = (Enrolment.fully_managed, Enrolment.cope, Enrolment.byod)
    statuses = [
        made.status(f"fleetbox:{n:04}", scope=f"policy-{n % 13}", enrolment=classes[n % 3], invisible_side=n % 3 > 0)
        for n in range(60)
    ]
    statuses += [
        made.status(f"intune:{n}", platform=Platform.ios, enrolment=Enrolment.supervised, os_version="17.4")
        for n in range(5)
    ]
    findings = [made.finding(one, side=Side.work) for one in statuses[:60:9]]
    scopes = [made.scope(f"policy-{n}", devices=7, uninstall_disabled=n == 3) for n in range(13)]
    register = ExemptionRegister(
        (Exemption("e", "dnl-2026-01", ("fleetbox:0004",), "ground", "a", "b", date(2026, 11, 1), date(2027, 1, 1)),)
    )
    return make_plan(made.inputs(statuses, findings, scopes, register=register))


def shown(capsys, monkeypatch, plan, *, columns=80, details=False):
    monkeypatch.setenv("COLUMNS", str(columns))
    show_plan(plan, details=details)
    return capsys.readouterr().out


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.usefixtures("lang")
def test_it_fits_the_terminal(capsys, monkeypatch, plan, columns):
    lines = shown(capsys, monkeypatch, plan, columns=columns).splitlines()
    assert max(len(line) for line in lines) <= columns


@pytest.mark.usefixtures("english")
def test_what_cannot_be_done_stands_before_what_will_be(capsys, monkeypatch, plan):
    text = shown(capsys, monkeypatch, plan)
    places = [text.index(words) for words in ("What cannot be seen or done", "Blast radius", "Waves", "Changes")]
    assert places == sorted(places)
    assert "By hand: no connector: 5 devices" in text
    assert "Exempt device in a shared policy: 4 devices" in text
    assert "has a side" not in text
    assert "40 devices have a side that nobody can see" in text
    assert "(blind: nothing is reported back)" in " ".join(text.split())


@pytest.mark.usefixtures("english")
def test_the_numbers_of_the_blast_radius_are_the_plans(capsys, monkeypatch, plan):
    lines = shown(capsys, monkeypatch, plan).splitlines()
    counts = plan.counts
    for label, count in (
        ("in scope", counts.in_scope),
        ("app removed", counts.to_remove),
        ("blocked only", counts.block_only),
        ("nothing to do", counts.nothing_to_do),
        ("exempt", counts.exempt),
        ("cannot", counts.cannot),
    ):
        (line,) = [line for line in lines if line.startswith(f"  {label} ")]
        assert line.split("█")[0].split()[-1] == str(count)


@pytest.mark.usefixtures("lang")
def test_details_name_every_device_and_proof(capsys, monkeypatch, plan):
    text = shown(capsys, monkeypatch, plan, details=True)
    words = set(text.replace(",", " ").split())
    for refusal in plan.refusals:
        assert set(refusal.devices) <= words
    for step in plan.steps:
        assert step.id in words
        assert set(step.holders) <= words


@pytest.mark.usefixtures("english")
def test_a_long_list_of_changes_is_cut_and_counted(capsys, monkeypatch, plan):
    assert len(plan.steps) > 4
    assert f"and {len(plan.steps) - 4} more" in shown(capsys, monkeypatch, plan)


@pytest.mark.usefixtures("english")
def test_many_refusals_of_one_reason_are_cut_and_counted(capsys, monkeypatch, made):
    targets = [made.target(f"com.doubt{n}", actionable=False) for n in range(9)]
    plan = make_plan(made.inputs([made.status("fleetbox:1")], targets=made.target_set(made.target(), *targets)))
    text = shown(capsys, monkeypatch, plan)
    assert "Identifier not sure enough: 9 items" in text
    assert "- and 6 more" in text


@pytest.mark.usefixtures("english")
def test_a_blocked_plan_says_so_first(capsys, monkeypatch, made):
    plan = make_plan(made.inputs([made.status("fleetbox:1")], targets=made.target_set(reviewed_by="")))
    text = shown(capsys, monkeypatch, plan)
    assert text.splitlines()[1] == "BLOCKED: 1 item to settle before it can be applied."
    assert "BLOCKS, Target set not reviewed" in text


@pytest.mark.usefixtures("english")
def test_an_empty_plan_says_what_it_waits_for(capsys, monkeypatch, made):
    device = made.status("fleetbox:1")
    inputs = made.inputs([device], [made.finding(device)], [made.scope(entries=["com.tencent.mm"])])
    text = shown(capsys, monkeypatch, make_plan(inputs))
    assert "Nothing to send." in text
    assert "Nothing is refused." in text
    assert "1 device that still held the app" in " ".join(text.split())
    assert "Waves" not in text


@pytest.mark.usefixtures("english")
def test_warnings_are_shown(capsys, monkeypatch, made):
    plan = make_plan(made.inputs([made.status("fleetbox:1")], scopes=[made.scope(devices=9)]))
    assert "! It also reaches 8 devices outside the directive." in shown(capsys, monkeypatch, plan)


@pytest.mark.usefixtures("english")
def test_one_wave_starts_at_once_and_the_next_waits(capsys, monkeypatch, made):
    statuses = [made.status("fleetbox:1"), made.status("fleetbox:2", scope="other")]
    text = shown(capsys, monkeypatch, make_plan(made.inputs(statuses)))
    assert "1. canary: 1 change, 1 device, at once" in text
    assert "2. rest: 1 change, 1 device, once 95% of wave 1 is verified" in text
    single = replace(made.inputs(statuses), policy=Policy(Unlimited(), Unlimited(), ()))
    assert "verified" not in shown(capsys, monkeypatch, make_plan(single)).split("Waves")[1].split("Changes")[0]


def test_every_reason_has_a_heading_in_both_languages():
    assert set(REASONS) == set(RefusalReason)
    assert all(heading.en and heading.fr for heading in REASONS.values())


def test_the_view_imports_nothing_heavy_by_itself():
    import subprocess

    code = "import sys, proscribe.cli.plan_view; print(sorted({'rich', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_changes_to_single_devices_are_told_by_the_wave(made, capsys):
    """Thousands of phones are one line a wave, and the name of a group is shown whole."""
    whole = {"platform": Platform.ios}
    rows = (
        made.capability("block", Verb.block_launch, Enrolment.supervised, Side.whole, reach=Reach.group, **whole),
        made.capability(
            "remove", Verb.remove, Enrolment.supervised, Side.whole, method="take", reach=Reach.device, **whole
        ),
    )
    phones = [
        made.status(f"fleetbox:{n}", enrolment=Enrolment.supervised, os_version="17", scope="keepers/profile", **whole)
        for n in range(3)
    ]
    target = made.target("com.tencent.xin", type=IdentifierType.ios_bundle_id, **whole)
    found = [made.finding(one, app_id="com.tencent.xin", target=target.id) for one in phones]
    plan = make_plan(
        made.inputs(
            phones,
            found,
            targets=made.target_set(target),
            systems={"fleetbox": made.FakeSystem(capabilities=rows)},
        )
    )
    show_plan(plan, details=False)
    shown = capsys.readouterr().out
    assert "fleetbox, keepers/profile: stop launching" in shown
    assert "fleetbox, device by device (3 devices): remove" in shown
    assert "fleetbox:1" not in shown
    show_plan(plan, details=True)
    assert "fleetbox:1" in capsys.readouterr().out

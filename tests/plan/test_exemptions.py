"""Which exemptions are in order, and when they count."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from proscribe.canonical import canonical_bytes
from proscribe.directive.model import ExceptionRules
from proscribe.documents import from_json, to_bytes, to_json
from proscribe.plan.exemptions import InvalidExemption, active, exempt_devices, is_device_key, problems, validate
from proscribe.plan.model import Exemption, ExemptionRegister

NOW = datetime(2026, 11, 12, 9, tzinfo=UTC)
GOOD = Exemption(
    "ex-1",
    "dnl-2026-01",
    ("fleetbox:1",),
    "Law enforcement",
    "branch head",
    "CIO",
    date(2026, 11, 1),
    date(2027, 10, 1),
)


def test_a_proper_exemption_is_accepted(made):
    validate(GOOD, made.directive(), NOW)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"directive": "another"}, "directive"),
        ({"devices": ()}, "devices"),
        ({"devices": ("fleetbox:*",)}, "devices"),
        ({"devices": ("*",)}, "devices"),
        ({"devices": ("fleetbox:",)}, "devices"),
        ({"devices": ("department:North",)}, "devices"),
        ({"devices": ("fleetbox:1", "fleetbox:dev-[0-9]")}, "devices"),
        ({"devices": ("North",)}, "devices"),
        ({"ground": "  "}, "ground"),
        ({"requested_by": ""}, "requested_by"),
        ({"approved_by": ""}, "approved_by"),
        ({"approved_by": "Branch Head "}, "approved_by"),
        ({"expires": date(2026, 10, 1)}, "expires"),
        ({"expires": date(2027, 11, 2)}, "expires"),
        ({"starts": date(2026, 1, 1), "expires": date(2026, 11, 11)}, "expires"),
    ],
)
def test_what_the_rules_do_not_allow_names_its_field_and_a_remedy(made, changes, field):
    with pytest.raises(InvalidExemption) as error:
        validate(replace(GOOD, **changes), made.directive(), NOW)
    assert error.value.where.file == "ex-1"
    assert error.value.where.field == field
    assert error.value.remedy.en
    assert error.value.remedy.fr


def test_a_stated_list_of_grounds_is_closed_in_both_languages(made):
    grounds = (
        made.text("law enforcement"),
        replace(made.text("x"), en="security research", fr="recherche en sécurité"),
    )
    strict = made.directive(exceptions=ExceptionRules(stated=True, grounds=grounds))
    validate(GOOD, strict, NOW)
    validate(replace(GOOD, ground="Recherche en sécurité"), strict, NOW)
    with pytest.raises(InvalidExemption) as error:
        validate(replace(GOOD, ground="convenience"), strict, NOW)
    assert "security research" in error.value.remedy.en


def test_the_directive_may_allow_less_time_and_never_more_than_a_year(made):
    short = made.directive(exceptions=ExceptionRules(stated=True, max_days=30))
    with pytest.raises(InvalidExemption):
        validate(GOOD, short, NOW)
    long = made.directive(exceptions=ExceptionRules(stated=True, max_days=5000))
    with pytest.raises(InvalidExemption):
        validate(replace(GOOD, expires=GOOD.starts + timedelta(days=367)), long, NOW)
    validate(replace(GOOD, expires=GOOD.starts + timedelta(days=366)), long, NOW)


def test_every_fault_is_listed(made):
    bad = replace(GOOD, ground="", approved_by="", devices=())
    assert {fault.where.field for fault in problems(bad, made.directive())} == {"ground", "approved_by", "devices"}


def test_only_those_in_force_count_first_and_last_day_included(made):
    register = ExemptionRegister((GOOD, replace(GOOD, id="ex-2", directive="another", devices=("x:*",))))
    for day, count in ((GOOD.starts, 1), (GOOD.expires, 1), (GOOD.expires + timedelta(days=1), 0)):
        now = datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)
        assert len(active(register, made.directive(), now)) == count
    before = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
    assert active(register, made.directive(), before) == ()


def test_an_improper_exemption_is_neither_honoured_nor_passed_over(made):
    register = ExemptionRegister((replace(GOOD, approved_by="branch head"),))
    with pytest.raises(InvalidExemption):
        active(register, made.directive(), NOW)
    # Once it is over it can do no harm, and must not stop the work for ever.
    assert active(register, made.directive(), datetime(2027, 12, 1, tzinfo=UTC)) == ()


def test_the_exemption_that_lasts_longest_protects():
    longer = replace(GOOD, id="ex-2", expires=date(2027, 10, 20))
    assert exempt_devices((longer, GOOD)) == {"fleetbox:1": longer}


@pytest.mark.parametrize("key", ["amapi:enterprises/e/devices/d", "intune:0f-1", "jamf:7"])
def test_device_keys(key):
    assert is_device_key(key)


def test_an_exemption_and_a_register_of_before_keep_their_bytes():
    """Written as an earlier release wrote it: plans name the register by this digest, and the store compares bytes."""
    one = (
        '{"approved_by":"CIO","devices":["fleetbox:1"],"directive":"dnl-2026-01","expires":"2027-10-01",'
        '"ground":"Law enforcement","id":"ex-1","mitigations":[],"requested_by":"branch head","starts":"2026-11-01"}'
    )
    assert canonical_bytes(to_json(GOOD)).decode() == one
    whole = '{"exemptions":[' + one + '],"kind":"proscribe.exemptions","schema":1}'
    assert to_bytes(ExemptionRegister((GOOD,))).decode() == whole
    assert from_json(Exemption, json.loads(one)) == GOOD

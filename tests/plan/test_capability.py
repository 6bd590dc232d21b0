"""Loading capability rows: what is missing, wrong or too much is named with file, row and field."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.errors import UnreadableFile
from proscribe.plan.capability import (
    CapabilityError,
    all_rows,
    digest_rows,
    load_rows,
    parts,
    platform_rows,
    shipped_rows,
    within_ceiling,
)
from proscribe.plan.model import Effect, Reach, Verb
from proscribe.plan.versions import BEYOND, bounds, covers, in_range, parse_version
from proscribe.terms import Enrolment, Platform

ROW = """
system = "fleetbox"

[texts.later]
en = "A later inventory."
fr = "Un inventaire ultérieur."

[[capability]]
name = "one"
verb = "remove"
platform = "android"
enrolment = "fully_managed"
side = "whole"
effect = "full"
method = "entries"
reach = "policy"
proved_by = "later"
undo = {en = "Take out.", fr = "Retirer."}
limits = {en = "None.", fr = "Aucune."}
source = "a manual"
tested_by = "tests/plan/test_rows.py::test_the_plan_promises_no_more_than_the_row"
"""


def written(tmp_path, text):
    path = tmp_path / "rows.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_is_read(tmp_path):
    (row,) = load_rows(written(tmp_path, ROW))
    assert (row.id, row.verb, row.applies_to, row.os_min, row.reach) == (
        "fleetbox/one",
        Verb.remove,
        "any",
        "",
        Reach.policy,
    )
    assert row.proved_by.fr == "Un inventaire ultérieur."


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('source = "a manual"', "", "source"),
        ('source = "a manual"', 'source = " "', "source"),
        ('source = "a manual"', "source = 7", "source"),
        ("tested_by =", "# tested_by =", "tested_by"),
        ("test_rows.py::test_the", "test_rows.py - test_the", "tested_by"),
        ('verb = "remove"', 'verb = "delete"', "verb"),
        ('side = "whole"', "", "side"),
        ('effect = "full"', 'effect = "impossible"', "method"),
        ('method = "entries"', "", "method"),
        ('reach = "policy"', "", "reach"),
        ('proved_by = "later"', 'proved_by = "unknown name"', "proved_by"),
        ('undo = {en = "Take out.", fr = "Retirer."}', 'undo = {en = "Take out."}', "undo"),
        ('fr = "Aucune."}', 'fr = " "}', "limits"),
        ('name = "one"', 'name = "one"\nos_min = "new"', "os_min"),
        ('name = "one"', 'name = "one"\napplies_to = "some"', "applies_to"),
        ('name = "one"', 'name = "one"\nsurprise = 1', "surprise"),
        ('name = "one"', "", "name"),
    ],
)
def test_a_faulty_row_does_not_load(tmp_path, old, new, field):
    assert old in ROW
    with pytest.raises(CapabilityError) as error:
        load_rows(written(tmp_path, ROW.replace(old, new)))
    assert (error.value.where.file, error.value.where.row, error.value.where.field) == ("rows.toml", 1, field)
    assert error.value.remedy.fr


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('system = "fleetbox"', "", "system"),
        ('system = "fleetbox"', 'system = "fleetbox"\nversion = 2', "version"),
        ('fr = "Un inventaire ultérieur."', "", "texts.later"),
    ],
)
def test_a_faulty_file_does_not_load(tmp_path, old, new, field):
    with pytest.raises(CapabilityError) as error:
        load_rows(written(tmp_path, ROW.replace(old, new)))
    assert error.value.where.field == field
    assert error.value.where.row is None


def test_two_rows_of_one_name_do_not_load(tmp_path):
    row = ROW[ROW.index("[[capability]]") :]
    with pytest.raises(CapabilityError) as error:
        load_rows(written(tmp_path, ROW + row))
    assert error.value.where.row == 2


def test_a_row_beyond_the_platform_does_not_load(tmp_path):
    text = ROW.replace('"fully_managed"', '"byod"').replace('side = "whole"', 'side = "personal"')
    with pytest.raises(CapabilityError) as error:
        load_rows(written(tmp_path, text))
    assert error.value.where.field == "effect"
    assert "more than the platform" in error.value.what.en


def test_a_blind_platform_allows_no_full_promise(tmp_path):
    text = ROW.replace('"fully_managed"', '"cope"').replace('side = "whole"', 'side = "personal"\nos_min = "11"')
    with pytest.raises(CapabilityError):
        load_rows(written(tmp_path, text))
    (row,) = load_rows(written(tmp_path, text.replace('"full"', '"blind"')))
    assert row.effect is Effect.blind
    with pytest.raises(CapabilityError):
        load_rows(written(tmp_path, text.replace('"full"', '"blind"').replace('"11"', '"10"')))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UnreadableFile):
        load_rows(tmp_path / "absent.toml")
    with pytest.raises(CapabilityError):
        load_rows(written(tmp_path, "system ="))


def test_the_digest_does_not_depend_on_the_order():
    rows = shipped_rows()
    assert digest_rows(rows) == digest_rows(reversed(rows))
    assert digest_rows(rows) != digest_rows(rows[1:])


def test_extra_rows_replace_shipped_ones_of_the_same_id():
    extra = replace(platform_rows()[0], source="newer manual")
    merged = all_rows([extra])
    assert len(merged) == len(shipped_rows())
    assert extra in merged


def test_raising_a_promise_above_the_ceiling_is_noticed_for_every_row():
    ceiling = platform_rows()
    for row in shipped_rows():
        if row.effect is Effect.impossible and row.verb is not Verb.observe and row.system == "*":
            assert not within_ceiling(replace(row, effect=Effect.full), ceiling), row.id


VERSIONS = st.lists(st.integers(0, 40), min_size=1, max_size=3).map(lambda p: ".".join(map(str, p)))


@given(VERSIONS, VERSIONS, VERSIONS, st.sampled_from([e for e in Effect if e is not Effect.impossible]))
def test_the_ceiling_agrees_with_asking_version_by_version(low, high, version, effect):
    base = next(row for row in platform_rows() if row.id == "*/ios-supervised-remove-unmanaged-26")
    row = replace(base, id="x/x", system="x", os_min=low, os_max=high, effect=effect)
    if not within_ceiling(row, platform_rows()) or not in_range(version, low, high):
        return
    assert any(
        in_range(version, other.os_min, other.os_max)
        for other in platform_rows()
        if (other.verb, other.platform, other.enrolment) == (Verb.remove, Platform.ios, Enrolment.supervised)
        and "unmanaged" in parts(other.applies_to)
        and other.effect is Effect.full
    )


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("17.4.1 (21E236)", (17, 4, 1)),
        ("iOS 15.0", (15,)),
        ("Android 9", (9,)),
        ("10", (10,)),
        ("0", (0,)),
        ("", None),
        ("Android", None),
    ],
)
def test_versions_are_read_tolerantly(text, version):
    assert parse_version(text) == version


def test_versions_compare_as_numbers():
    assert in_range("9", "9.3", "") is False
    assert in_range("10", "9.3", "") is True
    assert in_range("25.6.1", "15", "25") is True
    assert in_range("26.0", "15", "25") is False
    assert in_range("26", "26.0", "") is True
    assert in_range("14.8", "", "14") is True
    assert in_range("", "15", "") is None
    assert in_range("", "", "") is True


def test_ranges_cover_only_without_a_gap():
    assert covers([bounds("9.3", "25"), bounds("26", "")], bounds("9.3", ""))
    assert not covers([bounds("9.3", "24"), bounds("26", "")], bounds("9.3", ""))
    assert not covers([], bounds("", ""))
    assert bounds("", "") == ((), BEYOND)

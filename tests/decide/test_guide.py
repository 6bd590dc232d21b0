"""The tables of the guide are the tables of the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proscribe.decide.model import Stage
from proscribe.decide.needs import NEEDS, Road
from proscribe.service.casework import ROLES

GUIDE = (Path(__file__).parents[2] / "docs/guide/case.md").read_text("utf-8")


def table(header: str) -> list[list[str]]:
    """The rows of the table that begins with this header."""
    lines = GUIDE.partition(header)[2].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize(("column", "road"), list(enumerate(Road, start=1)))
def test_what_each_stage_needs(column: int, road: Road) -> None:
    rows = {row[0].partition(" ")[0]: row for row in table("| Stage | A case of our own")}
    assert set(rows) == set(Stage)
    for stage in Stage:
        if rows[stage][column].startswith("the same"):
            continue
        said = set(re.findall(r"`([a-z.]+)`", rows[stage][column].partition(", with an item")[0].partition(":")[0]))
        needed = {need.name for need in NEEDS[road].get(stage, ()) if not need.optional}
        assert said == needed, (stage, road)


def test_adopted_cases_need_the_same_where_the_guide_says_so() -> None:
    def names(road: Road, stage: Stage) -> set[str]:
        return {need.name for need in NEEDS[road][stage] if not need.optional}

    for row in table("| Stage | A case of our own"):
        stage = Stage(row[0].partition(" ")[0])
        for column, road in ((2, Road.partner), (3, Road.feed)):
            if row[column].startswith("the same"):
                without = set(re.findall(r"`([a-z.]+)`", row[column]))
                assert names(road, stage) == names(Road.own, stage) - without


def test_who_may_do_what() -> None:
    said = {
        stage.strip(): tuple(re.findall(r"`([a-z-]+)`", row[1]))
        for row in table("| Stage | Roles |")
        for stage in row[0].split(",")
    }
    assert said == {stage.value: roles for stage, roles in ROLES.items()}

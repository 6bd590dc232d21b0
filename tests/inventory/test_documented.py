"""The formats page and the code agree."""

from __future__ import annotations

from pathlib import Path

from proscribe.inventory.importers import generic, headers
from proscribe.inventory.importers.registry import IMPORTERS
from proscribe.inventory.sightings import NO_APP_REPORTS
from proscribe.inventory.values import folded

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_every_format_is_documented_in_the_order_it_is_asked():
    page = (DOCS / "reference" / "formats.md").read_text(encoding="utf-8")
    found = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `") and line.count("|") == 4]
    assert found[: len(IMPORTERS)] == [importer.NAME for importer in IMPORTERS]


def test_every_generic_column_is_documented_and_every_documented_name_is_read():
    page = (DOCS / "reference" / "formats.md").read_text(encoding="utf-8")
    table = page.split("| Column | Also read as | Holds |")[1].split("\n\n")[0]
    known = headers.aliases("generic")
    columns = set()
    for line in table.splitlines()[2:]:
        name, others, _ = (cell.strip() for cell in line.strip("|").split("|", 2))
        columns.add(name.strip("`"))
        for other in others.split(", "):
            assert known[folded(other)] == name.strip("`"), other
    assert columns == {*generic.DEVICE_COLUMNS, *generic.APP_COLUMNS, *generic.MARK_COLUMNS, "version"}


def test_the_guide_names_the_remark_of_a_device_without_a_list():
    assert f"`{NO_APP_REPORTS}`" in (DOCS / "guide" / "inventory.md").read_text(encoding="utf-8")


def test_no_two_columns_of_a_format_share_a_name():
    for form, table in headers._tables().items():
        names = [folded(name) for column in table.values() for name in column]
        assert len(names) == len(set(names)), form

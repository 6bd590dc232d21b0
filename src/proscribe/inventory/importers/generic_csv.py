"""The generic table as CSV (docs/reference/formats.md)."""

from __future__ import annotations

from proscribe.inventory.csvblocks import Blocks, read_table
from proscribe.inventory.importers import generic
from proscribe.inventory.importers.base import Head
from proscribe.inventory.intake import Intake
from proscribe.inventory.opening import Opened
from proscribe.inventory.sheets import SheetReader

NAME = "generic-csv"


def recognises(head: Head) -> bool:
    """A device column and an app column."""
    return head.kind == "table" and generic.is_generic(head.columns)


def read(opened: Opened, intake: Intake) -> None:
    """Pass on every row."""
    sheet = generic.sheet()
    table = read_table(opened)
    reader = SheetReader(sheet, intake)
    for block, rows in Blocks(opened, table, sheet.columns(table.columns, intake), intake):
        reader.feed(block, rows)
    reader.flush()

"""The pages of this stage say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from proscribe.plan.capability import shipped_rows
from proscribe.plan.limits import show
from proscribe.plan.model import RefusalReason
from proscribe.plan.policy import DEFAULT
from proscribe.plan.reference import START, rows_as_markdown

DOCS = Path(__file__).parents[2] / "docs"


def test_the_capability_page_lists_every_row_as_it_is():
    page = (DOCS / "reference" / "capabilities.md").read_text(encoding="utf-8")
    assert page.partition(START + "\n")[2] == rows_as_markdown(shipped_rows())


def test_the_refusal_page_explains_every_reason_once():
    page = (DOCS / "reference" / "refusals.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [reason.value for reason in RefusalReason]


def test_the_guide_gives_the_real_defaults():
    page = (DOCS / "guide" / "plan.md").read_text(encoding="utf-8")
    rings = ", ".join(f"`{ring.name}={show(ring.size).en}`" for ring in DEFAULT.rings)
    assert f"| `--removal-limit` | `{show(DEFAULT.removal_limit).en}` |" in page
    assert f"| `--reach-limit` | `{show(DEFAULT.reach_limit).en}` |" in page
    assert f"| `--ring` (repeat) | {rings} |" in page
    assert DEFAULT.inventory_max_days == 7
    assert "more than seven days old" in page

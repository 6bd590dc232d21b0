"""The guide's table of attacks: every refusal there is, and none that there is not."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from proscribe.errors import ProscribeError
from proscribe.trust.errors import KeyListError, SignatureRefused, TrustError

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "signatures.md"
ROOTS = {TrustError.code, SignatureRefused.code, KeyListError.code}  # raised by no attack of their own


@pytest.fixture(scope="module")
def named() -> set[str]:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|") and line.count("|") == 4]
    return {code for row in rows for code in re.findall(r"`([a-z]+\.[a-z-]+)`", row.rsplit("|", 2)[1])}


def codes() -> set[str]:
    for module in ("trust.errors", "service.trusting", "service.keylists", "feed.errors", "store.errors", "documents"):
        import_module(f"proscribe.{module}")
    found, waiting = set(), [ProscribeError]
    while waiting:
        one = waiting.pop()
        waiting.extend(one.__subclasses__())
        if one.__module__.startswith("proscribe."):
            found.add(one.code)
    return found


def test_every_refusal_of_signatures_is_in_the_table(named):
    ours = {code for code in codes() if code.startswith("trust.")} - ROOTS
    assert ours - named == set()


def test_every_code_in_the_table_exists(named):
    assert named - codes() == set()
    assert len(named) > 30

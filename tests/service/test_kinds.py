"""Documents of whichever kind their file says."""

from __future__ import annotations

from pathlib import Path

import pytest

from proscribe.directive.library import find
from proscribe.documents import to_bytes
from proscribe.errors import InvalidDocument
from proscribe.service.kinds import UnknownKind, kinds, read_any


def test_a_file_says_of_which_kind_it_is(tmp_path: Path) -> None:
    directive = find("ca-tbs-2025-deepseek")
    (tmp_path / "file.json").write_bytes(b"\xef\xbb\xbf" + to_bytes(directive))
    assert read_any(tmp_path / "file.json") == directive


@pytest.mark.parametrize("text", ["kind: proscribe.nothing", "- proscribe.directive", "kind: [proscribe.directive]"])
def test_a_kind_that_there_is_not_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "file.yaml").write_text(text)
    with pytest.raises(UnknownKind):
        read_any(tmp_path / "file.yaml")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("kind: proscribe.directive\nschema: 1\ntitle: &a [*a]\n", "nested too deeply"),
        ('{"kind": "proscribe.directive", "a": [{"b": 1, "b": 1}]}', "twice"),
        ("kind: proscribe.directive\na:\n- {b: 1, b: 1}\n", "twice"),
    ],
)
def test_what_has_no_end_or_two_meanings_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(InvalidDocument, match=why):
        read_any(tmp_path / "file")


def test_every_kind_has_its_own_name() -> None:
    assert all(name == cls.KIND for name, cls in kinds().items())
    assert {"proscribe.directive", "proscribe.key-list", "proscribe.standing-order"} <= kinds().keys()

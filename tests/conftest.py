"""Every test starts in English, whatever the machine's locale and whatever language a test before it chose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proscribe.text import set_language


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PROSCRIBE_LANG", "en")
    set_language(None)
    yield
    set_language(None)

"""Every test starts in English, whatever the machine's locale and whatever language a test before it chose.

And no property fails because the machine is busy.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from proscribe.text import set_language

# How long an example takes depends on what else the machine does; the tests that limit time measure processor time.
settings.register_profile("proscribe", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("proscribe")


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PROSCRIBE_LANG", "en")
    set_language(None)
    yield
    set_language(None)

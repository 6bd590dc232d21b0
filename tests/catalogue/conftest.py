"""What the catalogue's tests share: a moment, the shipped catalogue, and a short way to make target sets."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from proscribe.catalogue.library import load
from proscribe.catalogue.resolve import resolve
from proscribe.catalogue.selectors import parse_selector

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def catalogue():
    return load()


@pytest.fixture(scope="session")
def resolved(catalogue):
    """``resolved("product:tencent/wechat", ...)`` is the target set of those selectors."""

    def make(*selectors, directive="d"):
        return resolve([parse_selector(one) for one in selectors], catalogue, now=NOW, directive=directive)

    return make


@pytest.fixture(scope="session")
def target(resolved):
    """``target("com.tencent.mm", "product:tencent/wechat")`` is the one target of that value."""

    def find(value, *selectors):
        (found,) = [one for one in resolved(*selectors).targets if one.value == value]
        return found

    return find

"""The shipped packs, read once."""

from __future__ import annotations

import pytest

from proscribe.assess.packs import installed
from proscribe.assess.packs.library import Packs
from proscribe.assess.packs.load import load_packs
from proscribe.assess.packs.read import Pack, read_pack


@pytest.fixture(scope="session")
def packs() -> Packs:
    return load_packs(installed.SHIPPED)


@pytest.fixture(scope="session")
def pack_files() -> dict[str, Pack]:
    """The packs of SDKs, hosts, operators and countries, as files."""
    return {name: read_pack(installed.shipped(name)) for name in ("sdks", "hosts", "operators", "jurisdictions")}

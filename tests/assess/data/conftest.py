"""The shipped packs: as the program reads them, and as their files hold them, with the oracles beside these tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from proscribe.assess.packs import installed
from proscribe.assess.packs.library import Packs
from proscribe.assess.packs.load import load_packs
from proscribe.assess.packs.read import Pack, read_pack

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def packs() -> Packs:
    return load_packs(installed.SHIPPED)


@pytest.fixture(scope="session")
def pack_files() -> dict[str, Pack]:
    """The packs of SDKs, hosts, operators and countries, as files."""
    return {name: read_pack(installed.shipped(name)) for name in ("sdks", "hosts", "operators", "jurisdictions")}


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in installed.shipped(name).read_text("utf-8").splitlines()]


@pytest.fixture(scope="session")
def headers() -> dict[str, dict[str, Any]]:
    return {name: lines(name)[0] for name in ("permissions", "apis", "capabilities")}


@pytest.fixture(scope="session")
def permissions() -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in lines("permissions")[1:]}


@pytest.fixture(scope="session")
def apis() -> list[dict[str, Any]]:
    return lines("apis")[1:]


@pytest.fixture(scope="session")
def capabilities() -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in lines("capabilities")[1:]}


@pytest.fixture(scope="session")
def public_ids() -> dict[str, Any]:
    """Identifiers that the public frameworks really have; the file says where they come from."""
    found: dict[str, Any] = json.loads((HERE / "public_ids.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="session")
def framework() -> dict[str, tuple[list[str], set[str], set[str]]]:
    """Class -> supertypes, fields and methods, from compiled platforms; the file says which."""
    found = {}
    for line in (HERE / "framework_members.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            name, above, fields, methods = (part.split() for part in line.split(" :"))
            found[name[0]] = above, set(fields), set(methods)
    return found

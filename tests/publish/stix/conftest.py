"""Bundles: of every shipped directive, and built by hand as a partner or an attacker would."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from proscribe.catalogue.model import TargetSet
from proscribe.directive.library import find, target_set
from proscribe.directive.model import Directive
from proscribe.publish.stix.model import Tlp
from proscribe.publish.stix.write import Shared, bundle_bytes

NOW = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
TIKTOK = "ca-tbs-2023-tiktok"


@pytest.fixture(scope="session")
def decided() -> Callable[[str], tuple[Directive, TargetSet]]:
    """A shipped directive with its reviewed target set."""

    def of(directive_id: str = TIKTOK) -> tuple[Directive, TargetSet]:
        directive = find(directive_id)
        return directive, target_set(directive, now=NOW)

    return of


@pytest.fixture
def written(decided: Callable[..., tuple[Directive, TargetSet]]) -> Callable[..., dict[str, Any]]:
    """The bundle of a shipped directive as plain JSON, to be changed."""

    def make(directive_id: str = TIKTOK, tlp: Tlp = Tlp.clear) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(bundle_bytes(Shared(*decided(directive_id), tlp)))
        return found

    return make


def identifier(kind: str, number: int) -> str:
    return f"{kind}--00000000-0000-4000-8000-{number:012x}"


@pytest.fixture
def thing() -> Callable[..., dict[str, Any]]:
    """An object of some type, as another producer writes it."""

    def make(kind: str, number: int = 1, **more: Any) -> dict[str, Any]:
        return {"type": kind, "spec_version": "2.1", "id": identifier(kind, number), **more}

    return make


@pytest.fixture
def packed() -> Callable[..., bytes]:
    """Objects as the bytes of a bundle."""

    def make(*objects: Any) -> bytes:
        return json.dumps({"type": "bundle", "id": identifier("bundle", 1), "objects": objects}).encode()

    return make


@pytest.fixture
def action() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The course of action of a bundle."""

    def of(bundle: dict[str, Any]) -> dict[str, Any]:
        (found,) = (one for one in bundle["objects"] if one["type"] == "course-of-action")
        assert isinstance(found, dict)
        return found

    return of

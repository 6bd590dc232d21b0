"""The whole line once more with PostgreSQL as the store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.service.conftest import DIRECTIVE, World
from tests.store.conftest import make_database, postgres_server

import proscribe.store
from proscribe.prove.verify import verify
from proscribe.service import enforcing, proof

__all__ = ["postgres_server"]  # a fixture


@pytest.fixture(autouse=True)
def database(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", make_database(postgres_server, f"line_{os.getpid()}"))
    yield
    proscribe.store.close()


@pytest.mark.postgres
def test_the_line_on_postgres_from_plan_to_proof_and_back(world: World, tmp_path: Path) -> None:
    plan = world.plan(rings=("canary=10%", "rest=unlimited"))
    world.apply(plan)
    summary = world.settle()
    assert not (world.home / "proscribe.sqlite3").exists()
    report = summary.statuses[0]
    assert sum(report.outcomes.values()) == report.fleet
    assert report.compliant > 0
    assert world.plan().steps == ()
    changes = len(world.simulator.journal.mutations)
    world.tick()
    assert len(world.simulator.journal.mutations) == changes
    proof.export_proof(world.home, DIRECTIVE, tmp_path / "proof.zip")
    assert verify(tmp_path / "proof.zip").ok
    lifted = enforcing.lift(world.open(), DIRECTIVE, "revoked")
    assert lifted.counts["lifted"] == len(plan.steps)

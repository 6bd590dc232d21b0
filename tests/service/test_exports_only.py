"""A department that drives no system: what came of the ban is read from the exports it imports afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from proscribe.clock import ManualClock, use_clock
from proscribe.enforce.model import Outcome
from proscribe.service import enforcing, inventory, planning, proof, standing
from proscribe.service.installation import open_installation

DIRECTIVE = "ca-tbs-2023-wechat-kaspersky"
HEADER = "device,platform,enrolment,os version,department,observed at,app id,app name\n"
PHONE = "P-{},Android,fully managed,15,Charts,{},{},{}\n"


def _export(path: Path, at: str, *, banned: bool) -> Path:
    rows = [PHONE.format(1, at, "com.tencent.mm", "WeChat")] if banned else []
    rows += [PHONE.format(number, at, "example.tides", "Tides") for number in (1, 2)]
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    return path


def test_a_plan_without_orders_is_approved_and_judged_by_later_exports(tmp_path: Path) -> None:
    clock = ManualClock(datetime(2026, 11, 2, 12, tzinfo=UTC))
    with use_clock(clock):
        installation = open_installation(tmp_path / "home", actor="officer", clock=clock)
        inventory.import_exports(installation, [_export(tmp_path / "1.csv", "2026-11-02T09:00:00Z", banned=True)])
        plan = planning.propose(installation, DIRECTIVE, planning.Choices())
        assert not plan.steps
        enforcing.apply(installation, plan, approved=True)
        before = standing.status(installation, DIRECTIVE)
        assert (before.fleet, before.compliant) == (2, 0)

        clock.advance(days=3)
        inventory.import_exports(installation, [_export(tmp_path / "2.csv", "2026-11-05T09:00:00Z", banned=False)])
        enforcing.tick(installation)
        after = standing.status(installation, DIRECTIVE).outcomes
        assert {key: count for key, count in after.items() if count} == {
            Outcome.absent_verified: 1,
            Outcome.removed_verified: 1,
        }
        assert len(proof.inputs(installation, DIRECTIVE).outcomes) == 2

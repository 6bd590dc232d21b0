"""The commands that need an installation, typed as an administrator would, against the simulated fleet."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from click.testing import CliRunner, Result
from tests.service.conftest import DIRECTIVE, ENTERPRISE, START

from proscribe import documents
from proscribe.cli.root import root
from proscribe.clock import ManualClock, use_clock
from proscribe.errors import ProscribeError
from proscribe.inventory.model import SnapshotManifest
from proscribe.plan.model import Plan
from proscribe.prove.verify import verify
from proscribe.service.model import StatusReport, TickSummary
from proscribe.simulate.amapi import AmapiSimulator, FleetSpec, make_fleet


class Desk:
    """A terminal in front of an installation."""

    def __init__(self, home: Path, clock: ManualClock, simulator: AmapiSimulator) -> None:
        self.home = home
        self.clock = clock
        self.simulator = simulator

    def type(self, *words: str, status: int | None = 0) -> Result:
        result = CliRunner().invoke(root, ["--lang", "en", *words], standalone_mode=False, env=self.env)
        if result.exception is not None and not isinstance(result.exception, ProscribeError | click.ClickException):
            raise result.exception
        if status is not None:
            assert result.exception is None, result.exception
            assert (result.return_value or 0) == status, result.output
        return result

    @property
    def env(self) -> dict[str, str]:
        return {"PROSCRIBE_HOME": str(self.home), "COLUMNS": "80"}

    def document(self, kind: type[Any], *words: str, status: int = 0) -> Any:
        found = json.loads(self.type(*words, "--json", status=status).stdout)
        jsonschema.validate(found, documents.json_schema(kind))
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = ManualClock(START)
    home = tmp_path / "home"
    home.mkdir()
    spec = FleetSpec(devices=40, start=START, departments=("Charts", "Lamps"), byod_share=0.1)
    with use_clock(clock), AmapiSimulator(make_fleet(spec), clock, tokens=["t"]) as simulator:
        (home / "proscribe.toml").write_text(
            f'[policy]\nremoval_limit = "unlimited"\n[systems.android]\nconnector = "amapi"\n'
            f'enterprise = "{ENTERPRISE}"\nendpoint = "{simulator.endpoint}"\ntoken = "t"\n',
            encoding="utf-8",
        )
        yield Desk(home, clock, simulator)


def test_the_line_from_observation_to_proof(desk: Desk, tmp_path: Path) -> None:
    plan, proof, report = tmp_path / "plan.json", tmp_path / "proof.zip", tmp_path / "report.html"
    seen = desk.document(SnapshotManifest, "observe")
    assert seen["devices"] == 40
    planned = desk.document(Plan, "plan", DIRECTIVE, "--out", str(plan))
    assert planned["steps"]
    assert "Blast radius" in desk.type("plan", "show", str(plan)).output
    desk.document(TickSummary, "apply", str(plan), "--approve", "--as", "officer")
    for _ in range(8):
        desk.clock.advance(hours=6)
        desk.document(TickSummary, "watch", "--once")
    found = desk.document(StatusReport, "status", DIRECTIVE, status=2)
    assert sum(found["outcomes"].values()) == found["fleet"] > 0
    assert found["compliant"] > 0
    shown = desk.type("status", DIRECTIVE, status=2).output
    assert all(len(line) <= 100 for line in shown.splitlines())
    assert shown.index("NO") < shown.index("absent verified")
    listed = desk.type("status", DIRECTIVE, "--devices", "pending_sync", status=2).output
    assert "amapi:" in listed
    assert "No device has this outcome." in desk.type("status", DIRECTIVE, "--devices", "stale", status=2).output
    desk.type("report", DIRECTIVE, "--out", str(report))
    assert report.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    desk.type("prove", "export", DIRECTIVE, "--out", str(proof))
    desk.type("prove", "verify", str(proof))


def test_what_gave_nothing_has_no_row_and_no_table(desk: Desk) -> None:
    desk.type("observe")
    again = desk.type("observe").output
    assert not any("│ snapshot │" in line for line in again.splitlines()), "nothing is left of the one before"


def test_apply_without_approval_is_refused_with_the_next_step(desk: Desk, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    desk.type("observe")
    desk.type("plan", DIRECTIVE, "--out", str(plan))
    result = desk.type("apply", str(plan), status=None)
    assert isinstance(result.exception, ProscribeError)
    assert result.exception.code == "service.not-approved"
    assert not desk.simulator.journal.mutations


def test_a_blocked_plan_exits_2(desk: Desk) -> None:
    desk.type("observe")
    shown = desk.type("plan", DIRECTIVE, "--removal-limit", "0", "--out", str(desk.home / "p.json"), status=2).output
    assert "BLOCKED" in shown
    assert "To carry it out" not in shown


def test_a_watch_over_nothing_says_so(desk: Desk) -> None:
    assert "Nothing is enforced here" in desk.type("watch", "--once").output


def test_freeze_and_thaw(desk: Desk, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    desk.type("observe")
    desk.type("plan", DIRECTIVE, "--out", str(plan))
    assert "Frozen" in desk.type("freeze", "--reason", "exercise").output
    desk.type("apply", str(plan), "--approve")
    assert not desk.simulator.journal.mutations
    assert "allowed" in desk.type("freeze", "--thaw").output
    desk.type("watch", "--once")
    assert desk.simulator.journal.mutations


def test_an_order_that_is_refused_exits_2_and_names_the_policy_and_the_next_step(desk: Desk, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    desk.type("observe")
    desk.type("plan", DIRECTIVE, "--out", str(plan), "--ring", "all=unlimited")
    desk.simulator.faults.next("policies.modifyPolicyApplications", "refuse", status=404)
    shown = desk.type("apply", str(plan), "--approve", status=2).output
    (error,) = [line for line in shown.splitlines() if line.startswith("! ")]
    assert "enterprises/lighthouses/policies/" in error
    assert "work side" in error
    desk.clock.advance(minutes=30)
    later = desk.type("watch", "--once").output
    assert "refused 1 order" in later, "nobody may have read the line above"


def test_a_lifted_ban_is_not_shown_as_enforced(desk: Desk, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    desk.type("observe")
    desk.type("plan", DIRECTIVE, "--out", str(plan), "--ring", "all=unlimited")
    desk.type("apply", str(plan), "--approve")
    desk.type("lift", DIRECTIVE, "--reason", "revoked")
    assert "nothing is enforced any more" in desk.type("status", DIRECTIVE, status=2).output


def test_lift_says_what_it_took_back(desk: Desk, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    desk.type("observe")
    desk.type("plan", DIRECTIVE, "--out", str(plan), "--ring", "all=unlimited")
    desk.type("apply", str(plan), "--approve")
    found = desk.document(TickSummary, "lift", DIRECTIVE, "--reason", "revoked")
    assert found["counts"]["lifted"] == len(json.loads(plan.read_text())["steps"])


def test_an_exemption_of_a_device_nobody_knows_is_recorded_with_a_warning(desk: Desk) -> None:
    desk.type("observe")
    known = f"amapi:{next(iter(desk.simulator.fleet.devices))}"
    words = ["--directive", DIRECTIVE, "--ground", "regulatory function", "--requested-by", "branch-lead"]
    words += ["--approved-by", "security-officer", "--starts", "2026-11-02", "--expires", "2027-03-01"]
    assert "!" not in desk.type("exempt", "add", "e1", "--device", known, *words).output
    warned = desk.type("exempt", "add", "e2", "--device", f"{known}x", *words).output
    assert f"no device {known}x" in warned
    assert "recorded" in warned


def test_exemptions_are_added_listed_and_ended(desk: Desk) -> None:
    device = f"amapi:{next(iter(desk.simulator.fleet.devices))}"
    words = ["exempt", "add", "e1", "--directive", DIRECTIVE, "--device", device, "--ground", "regulatory function"]
    words += ["--requested-by", "branch-lead", "--approved-by", "security-officer"]
    words += ["--starts", "2026-11-02", "--expires", "2027-03-01"]
    assert "recorded" in desk.type(*words).output
    assert "before" in desk.type(*words).output
    assert "in force" in desk.type("exempt", "list").output
    assert json.loads(desk.type("exempt", "list", "--json").stdout)[0]["id"] == "e1"
    assert "ended" in desk.type("exempt", "end", "e1").output
    assert "before" in desk.type("exempt", "end", "e1").output


def test_records_holds_are_placed_listed_and_released(desk: Desk) -> None:
    desk.type("observe")
    device = f"amapi:{next(iter(desk.simulator.fleet.devices))}"
    words = ["--device", device, "--authority", "access request A-2026-0041", "--placed-by", "records officer"]
    assert "placed" in desk.type("hold", "add", "case-12", *words).output
    assert "already" in desk.type("hold", "add", "case-12", *words).output
    warned = desk.type("hold", "add", "case-13", "--device", "amapi:nobody", *words[2:]).output
    assert "! The newest snapshot has no device amapi:nobody" in warned
    assert "in force" in desk.type("hold", "list").output
    listed = json.loads(desk.type("hold", "list", "--json").stdout)
    assert [one["id"] for one in listed] == ["case-12", "case-13"]
    assert listed[0]["released_at"] is None
    assert "released" in desk.type("hold", "release", "case-12", "--disposal-authority", "2016/001").output
    assert "already" in desk.type("hold", "release", "case-12", "--disposal-authority", "2016/001").output
    assert "released" in desk.type("hold", "list").output


def test_an_exemption_for_longer_than_a_year_is_refused_by_field(desk: Desk) -> None:
    device = f"amapi:{next(iter(desk.simulator.fleet.devices))}"
    words = ["exempt", "add", "e1", "--directive", DIRECTIVE, "--device", device, "--ground", "regulatory function"]
    words += ["--requested-by", "branch-lead", "--approved-by", "security-officer"]
    result = desk.type(*words, "--starts", "2026-11-02", "--expires", "2028-01-01", status=None)
    assert isinstance(result.exception, ProscribeError)
    assert result.exception.where.field == "expires"


def test_imports_carry_over_the_systems_that_are_not_in_the_files(desk: Desk, tmp_path: Path) -> None:
    desk.type("observe")
    export = tmp_path / "register.csv"
    export.write_text(
        "device,platform,enrolment,app_id,app_name,observed_at\n"
        "t1,ios,supervised,com.tencent.xin,WeChat,2026-11-02T10:00:00Z\n",
        encoding="utf-8",
    )
    found = desk.document(SnapshotManifest, "import", str(export))
    assert found["devices"] == 41
    assert {row["system"] for row in found["coverage"]} == {"amapi", "generic"}


def test_keeping_every_app_is_recorded_in_the_ledger(desk: Desk, tmp_path: Path) -> None:
    from proscribe.prove.model import EntryKind
    from proscribe.service.installation import open_installation

    export = tmp_path / "register.csv"
    export.write_text("device,platform,app_id\nt1,android,org.example.maps\n", encoding="utf-8")
    desk.type("import", str(export), "--retain", "all")
    entries = open_installation(desk.home, actor="auditor").stores.ledger.entries()
    assert EntryKind.retention in {entry.entry for entry in entries}


def test_without_a_system_observe_says_where_to_write_one(desk: Desk) -> None:
    (desk.home / "proscribe.toml").unlink()
    result = desk.type("observe", status=None)
    assert isinstance(result.exception, ProscribeError)
    assert "proscribe.toml" in result.exception.remedy.en


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("this is not toml", "settings.invalid"),
        ("[policy]\nremovel_limit = '3'\n", "document.invalid"),
        ("[systems.x]\nconnector = 'nosuch'\n", "connector.unknown"),
    ],
)
def test_a_wrong_setting_names_the_file_or_field(desk: Desk, text: str, code: str) -> None:
    (desk.home / "proscribe.toml").write_text(text, encoding="utf-8")
    result = desk.type("observe", status=None)
    assert isinstance(result.exception, ProscribeError)
    assert result.exception.code == code
    assert str(result.exception.where)


def test_only_the_newest_snapshots_keep_their_device_rows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from proscribe.service import inventory

    monkeypatch.setattr(inventory, "KEPT_SNAPSHOTS", 2)
    for _ in range(4):
        desk.clock.advance(minutes=1)
        desk.type("observe")
    assert len(list((desk.home / "snapshots").iterdir())) == 2


@pytest.mark.slow
def test_the_rehearsal_ends_with_a_proof_that_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo in full; the README shows what it prints."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(root, ["--lang", "en", "rehearse"], standalone_mode=False, env={"COLUMNS": "80"})
    assert result.exception is None, result.exception
    assert not result.return_value
    assert "1 REINSTALLED" in result.output
    out = tmp_path / "demo-output"
    assert (out / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert verify(out / "proof.zip").ok
    tool = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "readme_output.py"))
    assert tool["excerpt"](result.stdout) == tool["block"](), "run the demo and tools/readme_output.py"


@pytest.mark.slow
def test_the_rehearsal_speaks_french(tmp_path: Path) -> None:
    words = ["--lang", "fr", "rehearse", "--out", str(tmp_path / "demo"), "--devices", "400"]
    result = CliRunner().invoke(root, words, standalone_mode=False)
    assert result.exception is None, result.exception
    assert "Planifier" in result.output
    assert 'lang="fr-CA"' in (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")


def test_the_rehearsal_never_deletes_what_is_not_its_own(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine", encoding="utf-8")
    result = CliRunner().invoke(root, ["rehearse", "--out", str(tmp_path)], standalone_mode=False)
    assert isinstance(result.exception, ProscribeError)
    assert result.exception.code == "rehearsal.folder"
    assert precious.read_text(encoding="utf-8") == "mine"

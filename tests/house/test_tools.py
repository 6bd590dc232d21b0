"""The house's own tools, and the recipes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def entry(covered: int, total: int) -> dict:
    return {"summary": {"covered_lines": covered, "num_statements": total}}


@pytest.fixture
def floor(root, tmp_path):
    def run(files: dict, overall: float) -> subprocess.CompletedProcess:
        report = tmp_path / "coverage.json"
        report.write_text(json.dumps({"files": files, "totals": {"percent_covered": overall}}))
        return subprocess.run(
            [sys.executable, root / "tools" / "coverage_floor.py", report], capture_output=True, text=True, check=False
        )

    return run


STAGES = ("assess", "catalogue", "directive", "inventory", "evaluate", "plan", "enforce", "prove")
GOOD = {f"src/proscribe/{stage}/model.py": entry(95, 100) for stage in STAGES}


def test_the_floor_holds_at_its_edge(floor):
    run = floor(GOOD, 90.0)
    assert run.returncode == 0, run.stderr


def test_a_stage_below_its_floor_is_named(floor):
    run = floor({**GOOD, "src/proscribe/plan/planner.py": entry(50, 100)}, 95.0)
    assert run.returncode == 1
    assert "plan: 72.5 %" in run.stderr
    assert "prove" not in run.stderr


def test_the_whole_below_its_floor_is_said(floor):
    run = floor(GOOD, 89.9)
    assert run.returncode == 1
    assert "everything: 89.9 %" in run.stderr


def test_a_stage_without_lines_is_not_taken_for_covered(floor):
    run = floor({name: value for name, value in GOOD.items() if "/prove/" not in name}, 95.0)
    assert run.returncode == 1
    assert "prove: no lines measured" in run.stderr


def test_make_help_lists_every_recipe(root):
    run = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True)
    listed = {line.split()[1] for line in run.stdout.splitlines()}
    phony = {
        name
        for line in (root / "Makefile").read_text("utf-8").splitlines()
        if line.startswith(".PHONY:")
        for name in line.split()[1:]
    }
    assert listed == phony
    assert {"help", "demo", "test", "lint", "bench", "docs", "clean", "lock"} <= listed


def test_make_says_what_is_missing_when_there_is_no_python(root, tmp_path):
    """Only make, sh and a few tools on the path: no Python at all."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "grep", "touch"):
        found = subprocess.run(
            ["sh", "-c", f"command -v {name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        (tools / name).symlink_to(found)
    make = subprocess.run(["sh", "-c", "command -v make"], capture_output=True, text=True, check=True).stdout.strip()
    run = subprocess.run(
        [make, "-f", root / "Makefile", f"VENV={tmp_path}/venv", f"{tmp_path}/venv/bin/python"],
        cwd=tmp_path, env={"PATH": str(tools)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode != 0
    assert "needs Python 3.11" in run.stderr
    assert "python3-venv" in run.stderr


def test_the_ci_script_is_sound_shell(root):
    subprocess.run(["bash", "-n", root / ".ci" / "run"], check=True)
    assert (root / ".ci" / "run").stat().st_mode & 0o111

"""The replay of three real decisions: whole, and with one document missing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from proscribe.documents import parse

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "replay_decisions.py"
SHARED = ROOT.parent / "shared" / "data" / "precedents.yaml"
FACTS = parse((ROOT / "examples" / "precedents.yaml").read_text(encoding="utf-8"))["directives"]


def _replay(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--out", str(out), *more], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_three_decisions_go_the_whole_way(tmp_path: Path) -> None:
    done = _replay(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    chapters = done.stdout.split("\n\n")
    for one, track in zip(FACTS, ("standard", "standard", "interim"), strict=True):
        told = next(chapter for chapter in chapters if chapter.lstrip().startswith(f"{one['id']}:"))
        assert f"({track} track)" in told
        assert "removed_verified" in told
        assert re.search(r"^  \d{4}-.* review ", told, re.MULTILINE)
        left_out = re.search(r"left out in turn, each refused by name: (\d+)", told)
        assert left_out is not None
        assert int(left_out[1]) >= 20
        assert (tmp_path / one["id"] / "case" / "case.json").exists()
        assert one["id"] in (tmp_path / one["id"] / "record_fr.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fact", "name", "stage"),
    [(0, "impact", "impact"), (1, "review.legal", "reviews"), (2, "signature.targets", "sign")],
)
def test_with_one_document_missing_the_case_stops_there(tmp_path: Path, fact: int, name: str, stage: str) -> None:
    one = tmp_path / "one.yaml"
    one.write_text(json.dumps({"directives": [FACTS[fact]]}, default=str), encoding="utf-8")
    done = _replay(tmp_path / "out", "--precedents", str(one), "--without", name)
    refused = [line for line in done.stdout.splitlines() if "REFUSED" in line]
    assert len(refused) == 1, done.stdout + done.stderr
    assert f"stage '{stage}' is refused" in refused[0]
    assert f"\n  - {name}: " in done.stdout


def test_the_facts_are_those_of_the_research_notes() -> None:
    if not SHARED.exists():
        pytest.skip("the research notes do not lie beside this clone")
    theirs = {one["id"]: one for one in parse(SHARED.read_text(encoding="utf-8"))["directives"]}
    for ours in FACTS:
        record = theirs[ours["id"]]
        for name in ("announced", "effective", "force", "compromise_found", "required_actions"):
            if name in ours:
                assert ours[name] == record[name], (ours["id"], name)
        assert set(ours["sources"]) <= {source["url"] for source in record["sources"]}
        if "reply_due" in ours["vendor"]:
            assert ours["vendor"]["reply_due"] == _window(record)


def _window(record: dict[str, Any]) -> Any:
    return record["vendor_process"]["responses_due"]

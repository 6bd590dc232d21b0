"""The acceptance in small: an authority and eight departments, of which three misbehave and are found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_three_that_misbehave_are_found_and_nobody_else(tmp_path: Path) -> None:
    out = tmp_path / "rollup.json"
    words = ["examples/authority_and_departments.py", "--departments", "7", "--rechecks", "2", "--processes", "1"]
    done = subprocess.run(
        [sys.executable, *words, "--json", str(out)], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All three found, nobody else accused." in done.stdout
    rows = {row["department"]: row for row in json.loads(out.read_text("utf-8"))["rows"]}
    assert [row["standing"] for row in rows.values()][:4] == ["forked", "inconsistent", "silent", "attested"]
    assert "ledger" in rows["department-006"]["why"][0]["en"]
    assert "declared" in rows["department-004"]["why"][0]["en"]
    assert sum(row["rechecked_at"] is not None for row in rows.values()) == 2

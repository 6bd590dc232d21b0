"""Hold the coverage floors: 90 % of everything (lines and branches), 95 % of the lines of each domain stage.

Usage: python tools/coverage_floor.py COVERAGE_JSON. Exit status 1 names every stage below its floor.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

OVERALL = 90.0
DOMAIN = 95.0
STAGES = ("assess", "catalogue", "directive", "inventory", "evaluate", "plan", "enforce", "prove")


def stage_of(file: str) -> str:
    """The stage a source file belongs to: the folder under ``proscribe``, or "" for the roots."""
    parts = Path(file).parts
    inside = parts[parts.index("proscribe") + 1 :]
    return inside[0] if len(inside) > 1 else ""


def shortfalls(report: dict[str, object]) -> list[str]:
    """One line for each floor that is not met; ``report`` is what ``coverage json`` writes."""
    covered: defaultdict[str, int] = defaultdict(int)
    total: defaultdict[str, int] = defaultdict(int)
    for file, entry in report["files"].items():  # type: ignore[attr-defined]
        stage = stage_of(file)
        covered[stage] += entry["summary"]["covered_lines"]
        total[stage] += entry["summary"]["num_statements"]
    lines = []
    overall = report["totals"]["percent_covered"]  # type: ignore[index]
    if overall < OVERALL:
        lines.append(f"everything: {overall:.1f} % is under {OVERALL:.0f} %")
    for stage in STAGES:
        if not total[stage]:
            lines.append(f"{stage}: no lines measured")
            continue
        share = 100 * covered[stage] / total[stage]
        if share < DOMAIN:
            lines.append(f"{stage}: {share:.1f} % of its lines is under {DOMAIN:.0f} %")
    return lines


def main() -> int:
    """Read the report named on the command line and say what is below its floor."""
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    lines = shortfalls(report)
    if lines:
        print("Coverage is below its floor:", *lines, sep="\n  ", file=sys.stderr)
        return 1
    print(f"Coverage {report['totals']['percent_covered']:.1f} %; every floor is met.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

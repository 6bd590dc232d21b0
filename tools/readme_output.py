"""Put the demo's real output into the README: ``python tools/readme_output.py DEMO_OUTPUT.txt``.

The rehearsal is the same for the same seed, so a test can compare the block with a run of its own.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
_BLOCK = re.compile(r"(<!-- output: demo -->\n```text\n)(.*?)(```\n<!-- /output: demo -->)", re.DOTALL)


def excerpt(output: str) -> str:
    """The chapters in which the ban goes out and the phones answer, without the commands that are kept quiet."""
    lines = [line.rstrip() for line in output.splitlines()]
    first = next(at for at, line in enumerate(lines) if line.startswith("8. "))
    after = next(at for at, line in enumerate(lines) if line.startswith("9. "))
    shown = next(at for at, line in enumerate(lines) if line.startswith("10. "))
    proved = next(at for at, line in enumerate(lines) if line.startswith("11. "))
    last = next(line for line in lines if line.startswith("proof.zip holds"))
    chapters = [*lines[first:after], *lines[shown:proved], last]
    return re.sub(r"\n{2,}", "\n\n", "\n".join(chapters)).strip() + "\n"


def block() -> str:
    """What the README shows now."""
    found = _BLOCK.search(README.read_text(encoding="utf-8"))
    return found[2] if found else ""


def main() -> None:
    """Replace the block by the excerpt of a saved run."""
    text = excerpt(Path(sys.argv[1]).read_text(encoding="utf-8"))
    README.write_text(
        _BLOCK.sub(lambda found: found[1] + text + found[3], README.read_text(encoding="utf-8")), encoding="utf-8"
    )


if __name__ == "__main__":
    main()

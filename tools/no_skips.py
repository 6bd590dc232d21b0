"""Fail where tests against real components or sample packages were skipped: ``python tools/no_skips.py JUNIT.xml``."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET

# Part of a test's name or file, and what it needs.
NEEDED = {
    "postgres": "a PostgreSQL server",
    "tests.assess": "make samples, apksigner, javac, aapt2 and llvm-objdump",
    "tests.cli.test_assess": "make samples",
    "tests.connectors.nanomdm": "make servers, and PostgreSQL",
    "tests.publish": "the extras pdf and stix",
    "tests.simulate.apple": "make servers",
    "tests.simulate.nanomdm": "make servers",
    "tests.trust": "softhsm2",
}


def main() -> None:
    """Exit 1 with the names of what was skipped, or where a kind of test was not found at all."""
    cases = list(ET.parse(sys.argv[1]).iter("testcase"))  # noqa: S314 (our own test runner wrote it)
    faults = []
    for word, needs in NEEDED.items():
        named = [case for case in cases if word in f"{case.get('classname')} {case.get('name')}".lower()]
        skipped = [
            f"{case.get('classname')}.{case.get('name')}: {skip.get('message')}"
            for case in named
            if (skip := case.find("skipped")) is not None
        ]
        if not named:
            faults.append(f"no test was found that needs {needs}")
        faults += skipped
    if faults:
        sys.exit("skipped, or not there:\n" + "\n".join(faults))


if __name__ == "__main__":
    main()

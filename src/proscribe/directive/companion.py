"""Writes the reviewed target set that ships beside each directive: ``python -m proscribe.directive.companion``.

The tool resolves and records; reading the result, line by line, in the difference that version control shows is the
review. It leaves a companion alone whose meaning has not changed, so the day of its review stays true.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from proscribe import documents
from proscribe.canonical import Digest
from proscribe.catalogue import library as catalogue_library
from proscribe.catalogue.model import TargetSet
from proscribe.directive.library import TARGETS, shipped
from proscribe.directive.targets import resolve_directive, review

REVIEWER = "Proscribe (desk review of public sources / examen documentaire de sources publiques)"


def same_meaning(one: TargetSet, other: TargetSet) -> bool:
    """Whether two sets differ in nothing but when they were resolved and reviewed, and from which catalogue text."""
    return _timeless(one) == _timeless(other)


def _timeless(target_set: TargetSet) -> TargetSet:
    moment = datetime(1970, 1, 1, tzinfo=UTC)
    empty = Digest("")
    return replace(target_set, catalogue=empty, resolved_at=moment, reviewed_by="", reviewed_on=None)


def write_companions(folder: Path = TARGETS, *, now: datetime) -> list[str]:
    """Write the companions that are missing or mean something else by now; the ids of those written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for directive in shipped():
        path = folder / f"{directive.id}.json"
        fresh = resolve_directive(directive, catalogue_library.load(), now=now)
        if path.exists() and same_meaning(documents.read(TargetSet, path), fresh):
            continue
        body = documents.to_json(review(fresh, by=REVIEWER, on=now.date()))
        path.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        written.append(directive.id)
    for path in folder.glob("*.json"):
        if path.stem not in {directive.id for directive in shipped()}:
            path.unlink()
    return written


if __name__ == "__main__":
    import sys

    sys.stdout.write("\n".join(write_companions(now=datetime.now(UTC).replace(microsecond=0))) + "\n")

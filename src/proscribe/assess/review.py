"""An organisation's word on findings: set aside until a day, or released for quotation. Both stay visible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from proscribe import documents
from proscribe.assess.errors import WrongReview
from proscribe.assess.model import ReleaseEntry, Review, SuppressionEntry
from proscribe.assess.profile import Finding, Reference, Release, Suppression
from proscribe.errors import Where
from proscribe.text import Text

Entry = TypeVar("Entry", bound=SuppressionEntry | ReleaseEntry)


def load_review(path: Path) -> Review:
    """Read a review (YAML or JSON). Raises UnreadableFile, InvalidDocument, WrongDocumentVersion or WrongReview."""
    review = documents.read(Review, path)
    _check_entries(review, source=str(path))
    return review


@lru_cache(maxsize=64)
def reference(review: Review) -> Reference:
    """What an assessment names the review by; its day is its version."""
    return Reference(id=review.app_id, version=review.as_of.isoformat(), digest=documents.digest(review))


def apply(review: Review, findings: Sequence[Finding], *, app_id: str) -> tuple[Finding, ...]:
    """The findings with what the review says of them.

    Raises WrongReview where the review is of another app, names a finding that the assessment does not have, or leaves
    out reason or author.
    """
    if review.app_id != app_id:
        raise _wrong(
            "app_id",
            Text(
                f"the review is of {review.app_id!r}, the package is {app_id!r}",
                f"l'examen porte sur «\u00a0{review.app_id}\u00a0», le paquet est «\u00a0{app_id}\u00a0»",
            ),
        )
    _check_entries(review)
    known = {one.id for one in findings} | {one.capability for one in findings}
    for place, entry in _entries(review):
        if entry.finding not in known:
            raise _wrong(
                f"{place}.finding",
                Text(
                    f"the assessment has no finding {entry.finding!r}",
                    f"l'évaluation ne contient pas de constat «\u00a0{entry.finding}\u00a0»",
                ),
            )
    return tuple(_reviewed(one, review) for one in findings)


def _reviewed(finding: Finding, review: Review) -> Finding:
    entry = _latest(_of(finding, review.suppressions))
    release = next(iter(_of(finding, review.releases)), None)
    if entry is None and release is None:
        return finding
    suppressed, counter = None, finding.counter
    if entry is not None and entry.expires >= review.as_of:
        suppressed = Suppression(entry.reason, entry.author, entry.expires)
    elif entry is not None:
        counter = (*counter, _expired(entry))
    released = Release(release.author, release.reason) if release else None
    return replace(finding, suppressed=suppressed, released=released, counter=counter)


def _of(finding: Finding, entries: Iterable[Entry]) -> list[Entry]:
    """The entries that mean a finding; those that name it by its own id go first."""
    return sorted(
        (one for one in entries if one.finding in {finding.id, finding.capability}),
        key=lambda one: one.finding != finding.id,
    )


def _latest(entries: Sequence[SuppressionEntry]) -> SuppressionEntry | None:
    """Of several suppressions of one finding, the one that ends last."""
    return max(entries, key=lambda one: one.expires, default=None)


def _expired(entry: SuppressionEntry) -> Text:
    day = entry.expires.isoformat()
    return Text(
        f"Was set aside by {entry.author} until {day} ({entry.reason}); it counts again.",
        f"Avait été écarté par {entry.author} jusqu'au {day} ({entry.reason}); il compte de nouveau.",
    )


def _check_entries(review: Review, *, source: str = "") -> None:
    for place, entry in _entries(review):
        for name in ("finding", "reason", "author"):
            if not getattr(entry, name).strip():
                raise _wrong(
                    f"{place}.{name}",
                    Text(
                        "a word on a finding needs the finding, a reason and an author",
                        "une décision sur un constat exige le constat, un motif et un auteur",
                    ),
                    source,
                )


def _entries(review: Review) -> Iterator[tuple[str, SuppressionEntry | ReleaseEntry]]:
    for number, suppression in enumerate(review.suppressions):
        yield f"suppressions.{number}", suppression
    for number, release in enumerate(review.releases):
        yield f"releases.{number}", release


def _wrong(field: str, what: Text, source: str = "") -> WrongReview:
    return WrongReview(
        what,
        remedy=Text(
            "Correct the review: take app id and finding ids from the assessment it is about.",
            "Corrigez l'examen\u00a0: les identifiants de l'application et des constats figurent dans l'évaluation.",
        ),
        where=Where(file=source, field=field),
    )

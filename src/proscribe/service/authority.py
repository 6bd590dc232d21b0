"""The authority's side of a feed as a use case: documents put in their places, drafts signed, releases recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from proscribe.canonical import digest_bytes, digest_json
from proscribe.feed.layout import MAX_FILE
from proscribe.feed.placing import notice_path, place_of
from proscribe.feed.repository import OFFICERS, Repository, Standing
from proscribe.feed.seats import ROLES, Seats, public_key
from proscribe.files import read_bytes
from proscribe.prove.model import EntryKind
from proscribe.service.installation import Installation
from proscribe.trust.keys import read_public

if TYPE_CHECKING:
    from proscribe.trust.library import Signer


def seats_of(
    officers: Sequence[Path], snapshot: Sequence[Path], timestamp: Sequence[Path], *, threshold: int
) -> Mapping[str, Seats]:
    """Seats from public key files: the officers sign root and targets, ``threshold`` of them each time.

    A role without files is left out. Raises UnusableKey.
    """
    files = dict(zip(ROLES, (officers, officers, snapshot, timestamp), strict=True))
    return {
        role: Seats(tuple(public_key(read_public(path)) for path in paths), threshold if role in OFFICERS else 1)
        for role, paths in files.items()
        if paths
    }


def add(
    installation: Installation, folder: Path, files: Iterable[Path], *, precedent: bool = False, notice_of: str = ""
) -> tuple[str, ...]:
    """Put files in the draft, each at the place that its content says; the places.

    ``notice_of``: they are notices of that directive. Raises FeedItem, and what reading a file raises.
    """
    repository = Repository(folder)
    items: dict[str, bytes] = {}
    taken = set(repository.drafted())
    for file in files:
        data = read_bytes(file, MAX_FILE)
        same = [path for path, digest in repository.drafted().items() if digest == _hex(data)]
        if notice_of:
            path = notice_path(notice_of, file)
        elif same:
            path = same[0]
        else:
            path = place_of(data, (*taken, *items), precedent=precedent, source=str(file))
        items[path] = data
    repository.stage(items, now=installation.clock.now())
    return tuple(items)


def release(installation: Installation, folder: Path, signers: Sequence[Signer]) -> Standing:
    """Publish the signed draft, or a new sign of life, and record it. Raises FeedThreshold, FeedKey, FeedFolder."""
    repository = Repository(folder)
    drafted = repository.standing().draft
    for signer in signers:
        if repository.awaits(signer):
            repository.sign(signer)
    repository.release(signers, now=installation.clock.now())
    standing = repository.standing()
    if drafted:
        installation.record(
            EntryKind.feed,
            str(folder.name),
            event="published",
            versions=standing.versions,
            files=digest_json(repository.files()),
            count=len(standing.files),
        )
    return standing


def _hex(data: bytes) -> str:
    return digest_bytes(data).removeprefix("sha256:")

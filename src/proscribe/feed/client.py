"""The department's side: pull a feed, believe only what the pinned root vouches for, and say what is wrong with it.

The workflow is that of the TUF specification (theupdateframework.github.io/specification, section 5) as python-tuf's
``Updater`` carries it out; here is what it reads from, whose clock it goes by, and what its refusals mean.

One shortcut: where the source serves the very timestamp that was accepted last time, and nothing accepted has lapsed
since, there is nothing new, and no other file is asked for. Looking for a newer root first, as the specification has
it, would show no more: ``repository`` signs a new timestamp with every root, and a source that means to hold a root
back can do so either way, until the timestamp lapses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proscribe.canonical import digest_bytes
from proscribe.documents import from_json, to_bytes
from proscribe.errors import InvalidDocument, WrongDocumentVersion
from proscribe.feed import refusals
from proscribe.feed.layout import MAX_FILE, MAX_FILES, MAX_TOTAL, read_path
from proscribe.feed.model import FeedState
from proscribe.feed.sources import PATIENCE, Absent, Source, open_source
from proscribe.files import write_whole

if TYPE_CHECKING:
    from tuf.api._payload import TargetFile
    from tuf.ngclient.updater import Updater

TIMESTAMP = "metadata/timestamp.json"
TIMESTAMP_MAX = 16 << 10
_STATE = "state.json"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull found. ``files`` are on disk and as signed; the three that follow compare with the last time."""

    state: FeedState
    files: Mapping[str, Path]
    requests: int
    received: int  # bytes
    fresh: bool = False  # False: nothing new at all
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def pull(source: str | Path, state: Path, pinned_root: bytes, *, now: datetime, patience: float = PATIENCE) -> Pulled:
    """Read a feed from an address, a folder or a packed file, and keep what holds in the folder ``state``.

    Raises a FeedError of its own for each thing that can be wrong; then what was accepted before is still there,
    whole. One process at a time.
    """
    known = last_state(state)
    # Our clock may be set back, by mistake or to make old news look new: time does not run back here.
    now = now.astimezone(UTC) if known is None else max(now.astimezone(UTC), known.accepted_at)
    with open_source(source, patience=patience) as opened:
        meter = _Meter(opened)
        served = meter.bytes(TIMESTAMP, TIMESTAMP_MAX)
        if known is not None and _nothing_new(state, known, served, now):
            return _unchanged(state, known, meter, now)
        return _Pull(state, known, meter, now).run(pinned_root)


def last_state(state: Path) -> FeedState | None:
    """What was last accepted; None where nothing was, or where the note was damaged (the next pull makes it anew)."""
    try:
        return from_json(FeedState, json.loads((state / _STATE).read_bytes()))
    except (OSError, ValueError, InvalidDocument, WrongDocumentVersion):
        return None


def accepted_files(state: Path, note: FeedState) -> dict[str, Path]:
    """Where the accepted files lie."""
    return {path: state / "files" / digest for path, digest in note.files.items()}


def _nothing_new(state: Path, known: FeedState, served: bytes, now: datetime) -> bool:
    return (
        digest_bytes(served) == known.timestamp
        and now < known.until
        and all(path.is_file() for path in accepted_files(state, known).values())
    )


def _unchanged(state: Path, known: FeedState, meter: _Meter, now: datetime) -> Pulled:
    note = replace(known, checked_at=now)
    _write(state / _STATE, to_bytes(note))
    files = accepted_files(state, note)
    return Pulled(note, files, requests=meter.requests, received=meter.received)


@dataclass
class _Meter:
    """A source that counts, keeps what was read last, and reads nothing twice that it was given in advance."""

    source: Source
    requests: int = 0
    received: int = 0
    name: str = ""
    data: bytes = b""
    ahead: dict[str, bytes] = field(default_factory=dict)

    def chunks(self, path: str) -> Iterator[bytes]:
        self.name, self.data = path, b""
        if path in self.ahead:
            yield self.ahead.pop(path)
            return
        self.requests += 1
        for chunk in self.source.chunks(path):
            self.received += len(chunk)
            yield chunk

    def bytes(self, path: str, limit: int) -> bytes:
        """A whole file, kept for whoever asks next. Raises FeedTooLarge, FeedUnavailable."""
        data = bytearray()
        try:
            for chunk in self.chunks(path):
                data += chunk
                if len(data) > limit:
                    raise refusals.too_large(path, limit)
        except Absent as error:
            raise refusals.no_feed_here(path) from error
        self.ahead[path] = bytes(data)
        return bytes(data)


def _fetcher(meter: _Meter) -> Any:
    from tuf.api.exceptions import DownloadHTTPError
    from tuf.ngclient.fetcher import FetcherInterface

    class Fetcher(FetcherInterface):
        """python-tuf asks for paths (its base addresses are folders here); what is absent answers 404."""

        def _fetch(self, url: str) -> Iterator[bytes]:
            try:
                yield from meter.chunks(url)
            except Absent as error:
                raise DownloadHTTPError(f"{url} is not there", 404) from error

        def download_bytes(self, url: str, max_length: int) -> bytes:
            meter.data = super().download_bytes(url, max_length)
            return meter.data

    return Fetcher()


class _Pull:
    """One pull that has something to look at."""

    def __init__(self, state: Path, known: FeedState | None, meter: _Meter, now: datetime) -> None:
        self._state = state
        self._known = known
        self._meter = meter
        self._now = now

    def run(self, pinned_root: bytes) -> Pulled:
        updater = self._updater(pinned_root)
        with refusals.told(updater, self._meter, self._now):
            updater.refresh()
        listed, strange = self._listed(updater)
        for info in listed.values():
            self._fetch(updater, info)
        return self._accept(updater, {path: info.hashes["sha256"] for path, info in listed.items()}, strange)

    def _updater(self, pinned_root: bytes) -> Updater:
        from tuf.ngclient.config import UpdaterConfig
        from tuf.ngclient.updater import Updater

        metadata = self._state / "metadata"
        metadata.mkdir(parents=True, exist_ok=True)
        with refusals.told_of_root(self._state, pinned_root):
            updater = Updater(
                str(metadata),
                "metadata/",
                target_base_url="targets/",
                fetcher=_fetcher(self._meter),
                config=UpdaterConfig(timestamp_max_length=TIMESTAMP_MAX),
                bootstrap=pinned_root,
            )
        # The library would go by the machine's clock. A test sees to it that this is still where it looks.
        updater._trusted_set.reference_time = self._now
        return updater

    def _listed(self, updater: Updater) -> tuple[dict[str, TargetFile], tuple[str, ...]]:
        """The files to have, and the paths that this release does not know. Raises FeedTooLarge."""
        targets = updater._trusted_set.targets.targets
        listed, strange, total = {}, [], 0
        for path, info in targets.items():
            if read_path(path) is None or not _SHA256.fullmatch(info.hashes.get("sha256", "")):
                strange.append(path)
                continue
            if info.length > MAX_FILE:
                raise refusals.too_large(path, MAX_FILE)
            total += info.length
            listed[path] = info
        if total > MAX_TOTAL or len(listed) > MAX_FILES:
            raise refusals.too_large("targets", MAX_TOTAL)
        return listed, tuple(sorted(strange))

    def _fetch(self, updater: Updater, info: TargetFile) -> None:
        """Have a file under its digest, from before or from the source."""
        place = self._state / "files" / info.hashes["sha256"]
        if updater.find_cached_target(info, str(place)) is not None:
            return
        draft = place.with_name(f".{place.name}")
        try:
            with refusals.told(updater, self._meter, self._now):
                updater.download_target(info, str(draft))
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)

    def _accept(self, updater: Updater, files: dict[str, str], strange: tuple[str, ...]) -> Pulled:
        trusted = updater._trusted_set
        signed = (trusted.root, trusted.timestamp, trusted.snapshot, trusted.targets)
        timestamp = digest_bytes((self._state / "metadata" / "timestamp.json").read_bytes())
        before = self._known
        note = FeedState(
            versions={one.type: one.version for one in signed},
            timestamp=timestamp,
            until=min(one.expires for one in signed),
            accepted_at=before.accepted_at if before and before.timestamp == timestamp else self._now,
            checked_at=self._now,
            files=files,
            not_understood=strange,
        )
        _write(self._state / _STATE, to_bytes(note))
        for path in (self._state / "files").glob("*"):
            if path.name not in set(files.values()):
                path.unlink()
        old = before.files if before else {}
        return Pulled(
            state=note,
            files=accepted_files(self._state, note),
            fresh=before is None or before.timestamp != timestamp,
            added=tuple(sorted(files.keys() - old.keys())),
            changed=tuple(sorted(path for path in files.keys() & old.keys() if files[path] != old[path])),
            gone=tuple(sorted(old.keys() - files.keys())),
            requests=self._meter.requests,
            received=self._meter.received,
        )


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)

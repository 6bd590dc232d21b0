"""The authority's side: a folder with a public half that any web server can host, and a draft that officers sign.

The public half is a TUF repository (theupdateframework.github.io/specification, version 1.0) as python-tuf writes it,
with consistent snapshots. The four roles: **root** says whose keys count and **targets** what is published, each signed
by two of three officers, who need not meet: each adds a signature to the draft. **snapshot** and **timestamp** are
signed by keys that a machine may use, again and again: they say what belongs together, and that it is still so.

``public/metadata`` and ``public/targets`` are served; ``draft/`` never is.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proscribe.errors import Where
from proscribe.feed.errors import FeedFolder, FeedItem, FeedKey
from proscribe.feed.layout import MAX_FILE, read_path
from proscribe.feed.seats import DraftRole, Seats, Terms, seat, signers_of, too_few
from proscribe.files import write_whole
from proscribe.text import Text

if TYPE_CHECKING:
    # The public modules pass these on without naming them as their own, which a strict type checker refuses.
    from tuf.api._payload import Root, Snapshot, Targets, Timestamp
    from tuf.api.metadata import Metadata

    from proscribe.trust.library import Signer

OFFICERS = ("root", "targets")
"""The roles whose metadata officers sign in a draft; the others are signed on release."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An authority's feed as it stands: versions and expiry of what is public, and the draft's signatures."""

    versions: dict[str, int]
    expires: dict[str, datetime]
    files: tuple[str, ...]
    draft: tuple[DraftRole, ...]


class Repository:
    """One authority's feed."""

    def __init__(self, folder: Path, terms: Terms | None = None) -> None:
        self.folder = folder
        self.public = folder / "public"
        self.draft = folder / "draft"
        self.terms = terms or Terms()

    # What is public.

    @property
    def metadata(self) -> Path:
        """The signed part."""
        return self.public / "metadata"

    def root(self) -> Metadata[Root]:
        """The newest public root. Raises FeedFolder where nothing was released yet."""
        versions = [int(path.name.partition(".")[0]) for path in self.metadata.glob("*.root.json")]
        if not versions:
            raise self._no_feed()
        return self._load(self.metadata / f"{max(versions)}.root.json")

    def _current(self) -> tuple[Metadata[Timestamp], Metadata[Snapshot], Metadata[Targets]] | None:
        path = self.metadata / "timestamp.json"
        if not path.exists():
            return None
        timestamp: Metadata[Timestamp] = self._load(path)
        snapshot: Metadata[Snapshot] = self._load(
            self.metadata / f"{timestamp.signed.snapshot_meta.version}.snapshot.json"
        )
        version = snapshot.signed.meta["targets.json"].version
        return timestamp, snapshot, self._load(self.metadata / f"{version}.targets.json")

    def files(self) -> dict[str, str]:
        """Every public path with its SHA-256 (hex)."""
        current = self._current()
        return {} if current is None else _digests(current[2])

    def drafted(self) -> dict[str, str]:
        """Every path that will be public once the draft is released, with its SHA-256 (hex)."""
        draft = self._path("targets")
        return _digests(self._load(draft)) if draft.exists() else self.files()

    @staticmethod
    def place(path: str, digest: str) -> str:
        """Where a file lies below ``targets``: its digest is part of its name."""
        folder, _, name = path.rpartition("/")
        return f"{folder}/{digest}.{name}"

    def read(self, path: str) -> bytes:
        """A public file. Raises FeedItem where there is none."""
        found = self.files().get(path)
        if found is None:
            raise _no_item(path)
        return (self.public / "targets" / self.place(path, found)).read_bytes()

    # The draft.

    def begin(self, seats: Mapping[str, Seats], *, now: datetime) -> None:
        """A new feed's first draft. Raises FeedFolder where there is one, FeedKey where a role lacks keys."""
        from tuf.api._payload import Root, Targets
        from tuf.api.metadata import Metadata

        if any(self.metadata.glob("*.root.json")) or self._path("root").exists():
            raise FeedFolder(
                Text("this folder holds a feed already", "ce dossier contient déjà un fil de diffusion"),
                remedy=Text(
                    "Choose another folder, or change the keys with 'proscribe feed keys'.",
                    "Choisissez un autre dossier, ou changez les clés avec «\u00a0proscribe feed keys\u00a0».",
                ),
                where=Where(file=str(self.folder)),
            )
        for part in (self.metadata, self.public / "targets", self.draft / "targets"):
            part.mkdir(parents=True, exist_ok=True)
        root = Root(expires=self.terms.until("root", now), consistent_snapshot=True)
        seat(root, seats)
        self._write_draft("root", Metadata(root))
        self._write_draft("targets", Metadata(Targets(expires=self.terms.until("targets", now))))

    def rotate(self, seats: Mapping[str, Seats], *, now: datetime) -> None:
        """Draft the next root with other keys for the roles named; the officers of both roots sign it.

        What those roles signed before is signed anew. Raises FeedKey.
        """
        from tuf.api._payload import Root
        from tuf.api.metadata import Metadata

        old = self.root().signed
        root = Root.from_dict(old.to_dict())
        root.version = old.version + 1
        root.expires = self.terms.until("root", now)
        seat(root, seats)
        self._write_draft("root", Metadata(root))
        self.stage({}, now=now)

    def stage(self, items: Mapping[str, bytes], *, now: datetime, remove: Iterable[str] = ()) -> None:
        """Put files in the draft, or out of it; signatures it had are gone, as it is another draft now.

        Raises FeedItem where a path is none of a feed, a file too large, or a published version would change.
        """
        from tuf.api._payload import TargetFile
        from tuf.api.metadata import Metadata

        targets = self._draft_targets(now)
        listed = targets.signed.targets
        public = self.files()
        for path, data in items.items():
            self._acceptable(path, data, public)
            file = TargetFile.from_data(path, data, ["sha256"])
            listed[path] = file
            _write(self.draft / "targets" / self.place(path, file.hashes["sha256"]), data)
        for path in remove:
            if listed.pop(path, None) is None:
                raise _no_item(path)
        self._write_draft("targets", Metadata(targets.signed))

    def _acceptable(self, path: str, data: bytes, public: Mapping[str, str]) -> None:
        item = read_path(path)
        if item is None or len(data) > MAX_FILE:
            raise FeedItem(
                Text(
                    f"{path!r} ({len(data)} bytes) has no place in a feed",
                    f"{path!r} ({len(data)} octets) n'a pas sa place dans un fil de diffusion",
                ),
                remedy=Text("docs/guide/feed.md lists the places.", "docs/guide/feed.md énumère les emplacements."),
                where=Where(field="path"),
            )
        if item.numbered and public.get(path, hashlib.sha256(data).hexdigest()) != hashlib.sha256(data).hexdigest():
            raise FeedItem(
                Text(
                    f"{path} is published already, with other content",
                    f"{path} est déjà publié, avec un autre contenu",
                ),
                remedy=Text(
                    "Give the document its next version; what was published never changes.",
                    "Donnez au document sa version suivante; ce qui a été publié ne change jamais.",
                ),
                where=Where(field="path"),
            )

    def _draft_targets(self, now: datetime) -> Metadata[Targets]:
        if self._path("targets").exists():
            draft: Metadata[Targets] = self._load(self._path("targets"))
            draft.signed.expires = self.terms.until("targets", now)
            return draft
        current = self._current()
        if current is None:
            raise self._no_feed()
        targets = current[2]
        targets.signed.version += 1
        targets.signed.expires = self.terms.until("targets", now)
        return targets

    def sign(self, signer: Signer) -> tuple[str, ...]:
        """Add one officer's signature to the draft; the roles it counts for. Raises FeedKey where it counts for none.

        The next root is signed by officers of the old root too.
        """
        signed = self.awaits(signer)
        for role in signed:
            draft = self._load(self._path(role))
            draft.sign(signer, append=True)
            self._write_draft(role, draft)
        if not signed:
            raise FeedKey(
                Text("this key signs nothing of the draft", "cette clé ne signe rien de l'ébauche"),
                remedy=Text(
                    "'proscribe feed draft' shows what waits for signatures, and whose keys count.",
                    "«\u00a0proscribe feed draft\u00a0» montre ce qui attend des signatures, et quelles clés comptent.",
                ),
            )
        return signed

    def awaits(self, signer: Signer) -> tuple[str, ...]:
        """The roles of the draft for which this key's signature counts."""
        drafted = [role for role in OFFICERS if self._path(role).exists()]
        return tuple(role for role in drafted if signer.public_key.keyid in self._keys_asked(role))

    def _keys_asked(self, role: str) -> set[str]:
        asked = set(self._next_root().signed.roles[role].keyids)
        if role == "root" and any(self.metadata.glob("*.root.json")):
            asked |= set(self.root().signed.roles[role].keyids)
        return asked

    def _next_root(self) -> Metadata[Root]:
        return self._load(self._path("root")) if self._path("root").exists() else self.root()

    def standing(self) -> Standing:
        """Versions, expiry and what the draft still lacks. Raises FeedFolder."""
        versions, expires = {}, {}
        current = self._current()
        if current is not None:
            timestamp, snapshot, targets = current
            for signed in (self.root().signed, timestamp.signed, snapshot.signed, targets.signed):
                versions[signed.type], expires[signed.type] = signed.version, signed.expires
        elif not self._path("root").exists():
            raise self._no_feed()
        drafts = [self._draft_role(role) for role in OFFICERS if self._path(role).exists()]
        return Standing(versions, expires, tuple(sorted(self.files())), tuple(drafts))

    def _draft_role(self, role: str) -> DraftRole:
        draft: Metadata[Any] = self._load(self._path(role))
        results = [self._next_root().signed.get_verification_result(role, draft.signed_bytes, draft.signatures)]
        if role == "root" and any(self.metadata.glob("*.root.json")):
            results.append(self.root().signed.get_verification_result(role, draft.signed_bytes, draft.signatures))
        worst = max(results, key=lambda result: result.missing)
        return DraftRole(role, draft.signed.version, len(worst.signed), worst.threshold)

    # Release.

    def release(self, signers: Sequence[Signer], *, now: datetime) -> None:
        """Publish the signed draft, or without one only a new sign of life; ``signers`` hold the machine's keys.

        What others point to is written before what points to it, the timestamp last of all: whoever pulls meanwhile
        sees the old state or the new one. Raises FeedThreshold where officers' signatures are missing, FeedKey where
        a machine's key is.
        """
        for role in self.standing().draft:
            if role.signed < role.threshold:
                raise too_few(role)
        root = self._next_root()
        machine = {role: signers_of(root.signed, role, signers) for role in ("snapshot", "timestamp")}
        targets = self._release_targets()
        snapshot = self._next_snapshot(targets, machine["snapshot"], now)
        timestamp = self._next_timestamp(snapshot, machine["timestamp"], now)
        _put(self.metadata / f"{snapshot.signed.version}.snapshot.json", snapshot)
        _put(self.metadata / f"{root.signed.version}.root.json", root)
        _put(self.metadata / "timestamp.json", timestamp)
        for role_name in OFFICERS:
            self._path(role_name).unlink(missing_ok=True)
        shutil.rmtree(self.draft / "targets", ignore_errors=True)
        (self.draft / "targets").mkdir()

    def _release_targets(self) -> Metadata[Targets]:
        draft = self._path("targets")
        if not draft.exists():
            current = self._current()
            if current is None:
                raise self._no_feed()
            return current[2]
        targets: Metadata[Targets] = self._load(draft)
        for path, digest in _digests(targets).items():
            staged = self.draft / "targets" / self.place(path, digest)
            public = self.public / "targets" / self.place(path, digest)
            if not public.exists():
                _write(public, staged.read_bytes())
        _put(self.metadata / f"{targets.signed.version}.targets.json", targets)
        return targets

    def _next_snapshot(
        self, targets: Metadata[Targets], signers: Sequence[Signer], now: datetime
    ) -> Metadata[Snapshot]:
        from tuf.api._payload import MetaFile, Snapshot
        from tuf.api.metadata import Metadata

        current = self._current()
        version = 1 if current is None else current[1].signed.version + 1
        about = MetaFile.from_data(targets.signed.version, _bytes(targets), ["sha256"])
        snapshot = Metadata(
            Snapshot(version=version, expires=self.terms.until("snapshot", now), meta={"targets.json": about})
        )
        for signer in signers:
            snapshot.sign(signer, append=True)
        return snapshot

    def _next_timestamp(
        self, snapshot: Metadata[Snapshot], signers: Sequence[Signer], now: datetime
    ) -> Metadata[Timestamp]:
        from tuf.api._payload import MetaFile, Timestamp
        from tuf.api.metadata import Metadata

        current = self._current()
        version = 1 if current is None else current[0].signed.version + 1
        about = MetaFile.from_data(snapshot.signed.version, _bytes(snapshot), ["sha256"])
        timestamp = Metadata(
            Timestamp(version=version, expires=self.terms.until("timestamp", now), snapshot_meta=about)
        )
        for signer in signers:
            timestamp.sign(signer, append=True)
        return timestamp

    # Small things.

    def _path(self, role: str) -> Path:
        return self.draft / f"{role}.json"

    def _write_draft(self, role: str, metadata: Metadata[Any]) -> None:
        _put(self._path(role), metadata)

    def _load(self, path: Path) -> Metadata[Any]:
        from tuf.api.metadata import Metadata
        from tuf.api.serialization import DeserializationError

        try:
            return Metadata.from_bytes(path.read_bytes())
        except (OSError, DeserializationError) as error:
            raise FeedFolder(
                Text(f"cannot be read: {error}", f"lecture impossible\u00a0: {error}"),
                remedy=Text(
                    "Restore the authority's folder from a backup; what was accepted elsewhere stays so.",
                    "Restaurez le dossier de l'autorité à partir d'une sauvegarde; ce qui a été accepté ailleurs le "
                    "reste.",
                ),
                where=Where(file=str(path)),
            ) from error

    def _no_feed(self) -> FeedFolder:
        return FeedFolder(
            Text("there is no feed in this folder yet", "ce dossier ne contient pas encore de fil de diffusion"),
            remedy=Text("Begin one with 'proscribe feed init'.", "Créez-en un avec «\u00a0proscribe feed init\u00a0»."),
            where=Where(file=str(self.folder)),
        )


def init(folder: Path, seats: Mapping[str, Seats], *, now: datetime, terms: Terms | None = None) -> Repository:
    """Begin a feed: an unsigned draft of its first root and of an empty list of files. Raises FeedFolder, FeedKey."""
    repository = Repository(folder, terms)
    repository.begin(seats, now=now)
    return repository


def publish(
    folder: Path, items: Mapping[str, bytes], signers: Sequence[Signer], *, now: datetime, terms: Terms | None = None
) -> Repository:
    """Stage, sign and release in one go, for who has all the keys at hand (rehearsals, small organisations).

    Raises what ``stage``, ``sign`` and ``release`` raise.
    """
    repository = Repository(folder, terms)
    if items:
        repository.stage(items, now=now)
    for signer in signers:
        if repository.awaits(signer):
            repository.sign(signer)
    repository.release(signers, now=now)
    return repository


def _no_item(path: str) -> FeedItem:
    return FeedItem(
        Text(f"{path!r} is not in this feed", f"{path!r} n'est pas dans ce fil"),
        remedy=Text(
            "'proscribe feed draft' lists what is.", "«\u00a0proscribe feed draft\u00a0» énumère ce qui y est."
        ),
        where=Where(field="path"),
    )


def _digests(targets: Metadata[Targets]) -> dict[str, str]:
    return {path: file.hashes["sha256"] for path, file in targets.signed.targets.items()}


def _bytes(metadata: Metadata[Any]) -> bytes:
    from tuf.api.serialization.json import JSONSerializer

    return metadata.to_bytes(JSONSerializer(compact=True))


def _put(path: Path, metadata: Metadata[Any]) -> None:
    _write(path, _bytes(metadata))


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: a web server may be reading."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)

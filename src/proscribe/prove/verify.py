"""Check a proof bundle offline: no database, no network, nothing taken from the file on trust.

First the file itself, byte for byte; only where that is whole, what its documents say and how they hang together
(``checks``). Every check is reported, with the member it looked at.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from proscribe.canonical import Digest, canonical_bytes
from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.documents import Document, Value, from_json, to_bytes, to_json
from proscribe.enforce.model import DeviceOutcome
from proscribe.errors import ProscribeError
from proscribe.files import unreadable
from proscribe.inventory.model import SnapshotManifest
from proscribe.plan.model import Plan
from proscribe.prove import members as names
from proscribe.prove.checks import Proof, check_all
from proscribe.prove.container import CONTAINER, Container, Sliceable
from proscribe.prove.model import (
    BundleManifest,
    Check,
    CheckState,
    Counts,
    ExemptionList,
    LedgerEntry,
    LedgerProofs,
    NotSeen,
    ReceiptLine,
    SignatureList,
    TreeHead,
    VerifyResult,
)
from proscribe.text import Text
from proscribe.trust.model import SignedDocument

D = TypeVar("D", bound=Document)
V = TypeVar("V", bound=Value)

MAX_DOCUMENT = 256 << 20  # a member that is read whole, in bytes
MAX_LINE = 16 << 20


class _Damaged(Exception):
    """A member that is not the document it should be."""

    def __init__(self, member: str, what: Text) -> None:
        super().__init__(what.en)
        self.check = Check("documents", CheckState.failed, member, what)


def verify(path: Path, *, earlier: TreeHead | None = None, key_list: Digest | None = None) -> VerifyResult:
    """Check the proof in ``path``; with ``earlier``, also that its ledger goes on from that tree head; with
    ``key_list``, the digest of one that the reader trusts, also that its signatures come from there.

    Raises UnreadableFile where there is no file to read. Everything wrong inside the file is a failed check.
    """
    try:
        with path.open("rb") as stream:
            if not path.stat().st_size:
                return _verify(path.name, b"", earlier, key_list)
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _verify(path.name, data, earlier, key_list)
    except OSError as error:
        raise unreadable(path, error) from error


def _verify(file: str, data: Sliceable, earlier: TreeHead | None, key_list: Digest | None = None) -> VerifyResult:
    container = Container(data)
    if container.faults:
        return VerifyResult(
            file=file,
            checks=tuple(Check("container", CheckState.failed, fault.member, fault.what) for fault in container.faults),
        )
    try:
        sealed, manifest = _sealed(container)
        if any(check.state is CheckState.failed for check in sealed):
            return VerifyResult(file=file, checks=tuple(sealed), directive=manifest.directive)
        proof = _open(container, manifest)
        found = tuple(check_all(proof, earlier, key_list))
    except _Damaged as damage:
        return VerifyResult(file=file, checks=(damage.check,))
    documents = _passed(
        "documents",
        "every document fits its schema and is in canonical form",
        "chaque document est conforme à son schéma et en forme canonique",
    )
    return VerifyResult(
        file=file,
        checks=(*sealed, documents, *found),
        directive=manifest.directive,
        tree_head=manifest.tree_head,
    )


def _passed(name: str, en: str, fr: str, member: str = CONTAINER) -> Check:
    return Check(name, CheckState.passed, member, Text(en, fr))


def _failed(name: str, member: str, en: str, fr: str) -> Check:
    return Check(name, CheckState.failed, member, Text(en, fr))


@dataclass(frozen=True, slots=True)
class _Sums:
    digest: Digest
    size: int


def _sealed(container: Container) -> tuple[list[Check], BundleManifest]:
    """The manifest, the checksums, the zip comment and the members agree with each other."""
    sums = {name: _sum(container, name) for name in container.entries}
    if names.MANIFEST not in sums:
        raise _Damaged(names.MANIFEST, Text("it is missing", "il manque"))
    manifest = _document(container, names.MANIFEST, BundleManifest)
    checks = [*_listed(manifest, sums), *_checksums(container, sums)]
    if container.comment != names.seal(sums[names.MANIFEST].digest):
        checks.append(
            _failed(
                "members",
                names.MANIFEST,
                "its digest is not the one in the comment of the file",
                "son empreinte n'est pas celle du commentaire du fichier",
            )
        )
    if checks:
        return checks, manifest
    return [
        _passed(
            "container",
            "every byte of the file is where and what it should be",
            "chaque octet du fichier est à sa place et tel qu'il doit être",
        ),
        _passed(
            "members",
            f"{len(sums)} members, each with the digest the manifest and SHA256SUMS give",
            f"{len(sums)} membres, chacun avec l'empreinte que donnent le manifeste et SHA256SUMS",
            names.MANIFEST,
        ),
    ], manifest


def _listed(manifest: BundleManifest, sums: dict[str, _Sums]) -> Iterator[Check]:
    """Where the members differ from what the manifest lists, and from what a proof must hold."""
    listed = {member.name: member for member in manifest.members}
    wanted = names.expected(len(manifest.plans), len(manifest.snapshots), len(manifest.key_lists), len(manifest.signed))
    present = frozenset(sums) - {names.MANIFEST, names.CHECKSUMS}
    if len(listed) != len(manifest.members):
        yield _failed("members", names.MANIFEST, "it lists a member twice", "il énumère un membre deux fois")
    for name in sorted(wanted | present | frozenset(listed)):
        if name not in present:
            yield _failed("members", name, "it is missing", "il manque")
        elif name not in wanted or name not in listed:
            yield _failed("members", name, "it does not belong here", "il n'a pas sa place ici")
        elif (listed[name].digest, listed[name].bytes) != (sums[name].digest, sums[name].size):
            yield _failed(
                "members", name, "it is not what the manifest lists", "il n'est pas celui que le manifeste énumère"
            )


def _checksums(container: Container, sums: dict[str, _Sums]) -> Iterator[Check]:
    expected = names.checksums((name, found.digest) for name, found in sums.items() if name != names.CHECKSUMS)
    if names.CHECKSUMS not in sums:
        yield _failed("members", names.CHECKSUMS, "it is missing", "il manque")
    elif b"".join(_chunks(container, names.CHECKSUMS)) != expected:
        yield _failed(
            "members",
            names.CHECKSUMS,
            "it does not list the members as they are",
            "il n'énumère pas les membres tels qu'ils sont",
        )


def _open(container: Container, manifest: BundleManifest) -> Proof:
    def document(name: str, cls: type[D]) -> D:
        return _document(container, name, cls)

    def outcomes() -> Iterator[DeviceOutcome]:
        for value, _ in _lines(container, names.OUTCOMES, DeviceOutcome):
            yield value

    return Proof(
        manifest=manifest,
        directive=document(names.DIRECTIVE, Directive),
        targets=document(names.TARGETS, TargetSet),
        plans=tuple(document(names.PLAN.format(at), Plan) for at in range(1, len(manifest.plans) + 1)),
        snapshots=tuple(
            document(names.SNAPSHOT.format(at), SnapshotManifest) for at in range(1, len(manifest.snapshots) + 1)
        ),
        counts=document(names.COUNTS, Counts),
        exemptions=document(names.EXEMPTIONS, ExemptionList),
        not_seen=document(names.NOT_SEEN, NotSeen),
        proofs=document(names.PROOFS, LedgerProofs),
        leaves=_leaves(container),
        entries=tuple(_lines(container, names.ENTRIES, LedgerEntry)),
        receipts=tuple(value for value, _ in _lines(container, names.RECEIPTS, ReceiptLine)),
        outcomes=outcomes,
        key_lists=tuple(
            document(names.KEY_LIST.format(at), SignedDocument) for at in range(1, len(manifest.key_lists) + 1)
        ),
        signed=tuple(document(names.SIGNED.format(at), SignedDocument) for at in range(1, len(manifest.signed) + 1)),
        signatures=document(names.VERIFIED, SignatureList) if manifest.key_lists else None,
    )


def _chunks(container: Container, name: str) -> Iterator[bytes]:
    try:
        yield from container.chunks(name)
    except ValueError as error:
        raise _Damaged(name, Text("it cannot be unpacked", "il ne peut être décompressé")) from error


def _sum(container: Container, name: str) -> _Sums:
    state = hashlib.sha256()
    size = 0
    for chunk in _chunks(container, name):
        state.update(chunk)
        size += len(chunk)
    return _Sums(Digest("sha256:" + state.hexdigest()), size)


def _document(container: Container, name: str, cls: type[D]) -> D:
    if container.entries[name].size > MAX_DOCUMENT:
        raise _Damaged(name, Text("it is too large for a document", "il est trop volumineux pour un document"))
    data = b"".join(_chunks(container, name))
    value = _parse(name, data, cls)
    if to_bytes(value) != data:
        raise _not_canonical(name)
    return value


def _lines(container: Container, name: str, cls: type[V]) -> Iterator[tuple[V, bytes]]:
    for number, line in enumerate(_split(container, name), start=1):
        value = _parse(f"{name}, {number}", line, cls, member=name)
        data = to_bytes(value) if isinstance(value, Document) else canonical_bytes(to_json(value))
        if data != line:
            raise _not_canonical(name)
        yield value, line


def _split(container: Container, name: str) -> Iterator[bytes]:
    rest = b""
    for chunk in _chunks(container, name):
        *lines, rest = (rest + chunk).split(b"\n")
        if max(map(len, (rest, *lines))) > MAX_LINE:
            raise _Damaged(name, Text("a line of it is too long", "une de ses lignes est trop longue"))
        yield from lines
    if rest:
        raise _Damaged(name, Text("its last line is cut off", "sa dernière ligne est tronquée"))


def _parse(source: str, data: bytes, cls: type[V], member: str = "") -> V:
    try:
        return from_json(cls, json.loads(data), source=source)
    except (ValueError, RecursionError) as error:
        raise _Damaged(member or source, Text("it is not JSON", "ce n'est pas du JSON")) from error
    except ProscribeError as error:
        field = f" ({error.where.field})" if error.where.field else ""
        what = Text(f"{error.what.en}{field}", f"{error.what.fr}{field}")
        raise _Damaged(member or source, what) from error


def _not_canonical(name: str) -> _Damaged:
    return _Damaged(name, Text("it is not in canonical form", "il n'est pas sous forme canonique"))


def _leaves(container: Container) -> tuple[bytes, ...]:
    leaves = []
    for line in _split(container, names.LEAVES):
        try:
            leaf = bytes.fromhex(line.decode("ascii"))
        except ValueError:
            leaf = b""
        if len(leaf) != hashlib.sha256().digest_size or leaf.hex().encode() != line:
            raise _Damaged(
                names.LEAVES, Text("a line of it is not a hash", "une de ses lignes n'est pas une empreinte")
            )
        leaves.append(leaf)
    return tuple(leaves)

"""The ledger as others see it: signed heads, proofs, and the heads of other logs that this installation witnesses.

Every head that was signed stands in three places: in the ledger itself (the entry after those it covers), among the
documents, and as a file of ``heads/`` in the home folder. A database that was put back or written anew contradicts the
files, and no further head is signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proscribe.canonical import Digest
from proscribe.documents import read, to_bytes, to_json
from proscribe.errors import InvalidDocument, UnreadableFile, Where, WrongDocumentVersion
from proscribe.prove import faults
from proscribe.prove.audit import CONTRADICTED, SIGNED, WITNESSED, HeadRecord, audit, head_fault
from proscribe.prove.faults import LedgerFault
from proscribe.prove.heads import WrongLogKey, check_head, log_of, new_key, read_key, sign_head
from proscribe.prove.model import (
    EntryKind,
    HeadProof,
    InclusionProof,
    LedgerCheck,
    LedgerFinding,
    ProvenEntry,
    SignedTreeHead,
    TreeHead,
    WitnessedHead,
)
from proscribe.prove.witness import Contradiction, contradiction, in_words
from proscribe.service.installation import Installation
from proscribe.text import Text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_FILE = "ledger.key"
HEADS_FOLDER = "heads"


def log_key(installation: Installation) -> Ed25519PrivateKey:
    """The key that signs heads: made once, readable by its owner alone. Raises WrongLogKey where it was damaged."""
    from proscribe.store.home import owners_file

    path = installation.home / KEY_FILE
    try:
        return read_key(owners_file(path, new_key))
    except WrongLogKey as error:
        raise WrongLogKey(error.what, remedy=error.remedy, where=Where(file=str(path))) from error


def log_name(installation: Installation) -> str:
    """The name of this installation's log: its public key in hex."""
    return log_of(log_key(installation))


def signed_head(installation: Installation) -> SignedTreeHead:
    """Sign the ledger as it stands, and keep the head; the last one again where nothing was added since.

    In an open transaction the head covers what that one has appended, and is on file once it is committed. Raises
    LedgerTruncated, LedgerForked, HeadDamaged, LogReplaced (the heads on file contradict the ledger) or WrongLogKey.
    """
    from proscribe.store.repositories import after_commit

    key = log_key(installation)
    ledger = installation.stores.ledger
    with installation.atomic():
        ledger.alone()
        newest = newest_head(installation)
        size = ledger.size()
        if newest is not None:
            _refuse_contradiction(installation, newest, log_of(key))
            if size == newest.size + 1:  # nothing but its own record
                after_commit(lambda: _put_on_file(installation, newest))
                return newest
        signed = sign_head(TreeHead(size, ledger.root(size).hex()), key, installation.clock.now())
        installation.keep(
            signed, EntryKind.head, subject=_own(signed.log), event=SIGNED, log=signed.log, size=size, root=signed.root
        )
        after_commit(lambda: _put_on_file(installation, signed))
    return signed


def newest_head(installation: Installation) -> SignedTreeHead | None:
    """The head this installation signed last, on file or in the store; None before the first."""
    files = _files(installation)
    on_file = [read(SignedTreeHead, files[-1])] if files else []
    stored = installation.stores.documents.latest(SignedTreeHead, subject=_own(log_name(installation)))
    return max((*on_file, *([stored] if stored else [])), key=lambda head: head.size, default=None)


def consistency(installation: Installation, old: SignedTreeHead, new: SignedTreeHead | None = None) -> tuple[str, ...]:
    """Proof (hex) that ``new`` (None: the ledger as it stands) begins with ``old``; empty where neither needs one.

    Raises LedgerTruncated, LedgerForked or NoSuchProof where they are not heads of this ledger.
    """
    _refuse_contradiction(installation, old, old.log)
    size = installation.stores.ledger.size() if new is None else new.size
    if not old.size:
        return ()
    return tuple(part.hex() for part in installation.stores.ledger.consistency(old.size, size))


def inclusion(installation: Installation, index: int, head: SignedTreeHead | TreeHead) -> InclusionProof:
    """Proof that entry ``index`` is in the ledger of that head. Raises NoSuchProof where it is not."""
    path = installation.stores.ledger.inclusion(index, head.size)
    return InclusionProof(index=index, path=tuple(part.hex() for part in path))


def proof(installation: Installation, *, since: SignedTreeHead | None = None, entries: Sequence[int] = ()) -> HeadProof:
    """A head with the proof that the ledger grew from ``since``, and of some entries, for whoever holds that head.

    Raises what ``signed_head`` and ``consistency`` raise, and NoSuchProof for an entry that is not there.
    """
    head = signed_head(installation)
    stored = installation.stores.ledger
    proven = []
    for index in entries:
        path = inclusion(installation, index, head).path
        (entry,) = stored.entries(index, index + 1)
        proven.append(ProvenEntry(entry=to_json(entry), path=path))
    grown = () if since is None else consistency(installation, since, head)
    return HeadProof(head=head, since=since, consistency=grown, entries=tuple(proven))


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What came of looking at somebody's head: what was known before, and what is wrong, if anything is."""

    source: str
    head: SignedTreeHead
    before: SignedTreeHead | None
    contradiction: Contradiction | None
    why: Text | None


def witnessed(installation: Installation, source: str) -> SignedTreeHead | None:
    """The newest head of somebody else's log that was found good."""
    kept = installation.stores.documents.latest(WitnessedHead, subject=source)
    return None if kept is None else kept.head


def witness(installation: Installation, source: str, head: SignedTreeHead, proof: Sequence[str] = ()) -> Witnessed:
    """Judge a head of somebody else's log against the last good one, and keep it where it follows.

    ``source`` is who answers for the log (a department). The first head is taken as it is: from then on the log is
    bound. A head that convicts its log is kept as well, as evidence, and the earlier one stays the known one.
    """
    with installation.atomic():
        installation.stores.ledger.alone()
        before = witnessed(installation, source)
        found = contradiction(before or head, head, proof)
        if found is None and head != before:
            _keep_theirs(installation, WitnessedHead(source, head, tuple(proof)), source, WITNESSED)
        elif found is not None and found.convicts:
            kept = WitnessedHead(source, head, tuple(proof), found.value)
            _keep_theirs(installation, kept, f"{CONTRADICTED}:{source}", CONTRADICTED)
    why = None if found is None else in_words(found, before or head, head)
    return Witnessed(source=source, head=head, before=before, contradiction=found, why=why)


def witness_proof(installation: Installation, source: str, proof: HeadProof) -> Witnessed:
    """As ``witness``, of a head with its proof: one that runs from another head than the known one counts as none."""
    before = witnessed(installation, source)
    grown = proof.consistency if proof.since == before else ()
    return witness(installation, source, proof.head, grown)


def known_logs(installation: Installation) -> tuple[WitnessedHead, ...]:
    """The newest good head of each source, by name."""
    newest: dict[str, WitnessedHead] = {}
    for kept in installation.stores.documents.all(WitnessedHead):
        if not kept.contradiction:
            newest.setdefault(kept.source, kept)
    return tuple(newest[source] for source in sorted(newest))


def _keep_theirs(installation: Installation, kept: WitnessedHead, subject: str, event: str) -> None:
    head = kept.head
    installation.keep(
        kept,
        EntryKind.head,
        subject=subject,
        event=event,
        source=kept.source,
        log=head.log,
        size=head.size,
        root=head.root,
    )


def recognise(installation: Installation, head: SignedTreeHead) -> Text | None:
    """What is wrong with a head of this ledger that somebody else holds; None where the ledger bears it out."""
    fault = head_fault(head, installation.stores.ledger, log_name(installation))
    return None if fault is None else fault.what


def _refuse_contradiction(installation: Installation, head: SignedTreeHead, log: str) -> None:
    fault = head_fault(head, installation.stores.ledger, log)
    if fault is not None:
        raise fault


def check(installation: Installation, given: Sequence[SignedTreeHead] = ()) -> LedgerCheck:
    """Check everything: every row, every node, every head on file, those ``given`` by others, and those witnessed.

    Reads the whole ledger (about 100,000 entries a second); others may append meanwhile.
    """
    log = log_name(installation)
    files = _heads_on_file(installation)
    own, found = _sorted_out(((head, str(path)) for path, head in files), log)
    brought, wrong = _sorted_out(((head, "") for head in given), log)
    found += wrong
    ledger = installation.stores.ledger
    end, size = ledger.nodes_end(), ledger.size()  # in this order: entries may be added in between
    if end > size:
        found.append(faults.orphaned_nodes(size, end))
    result = audit(ledger.rows(0, size), size, [*own, *brought])
    found += result.faults
    names = {path.name for path, _ in files}
    for record in result.records:
        if record.event == SIGNED and record.log == log and _name(record.size) not in names:
            found.append(faults.file_missing(record.size))
        elif record.event != SIGNED and (fault := _witnessed_fault(installation, record)):
            found.append(fault)
    return LedgerCheck(
        at=installation.clock.now(),
        log=log,
        tree_head=result.tree_head,
        own_heads=len(own),
        given_heads=len(brought),
        witnessed_heads=sum(record.event != SIGNED for record in result.records),
        findings=tuple(LedgerFinding(code=one.code, what=_placed(one), remedy=one.remedy) for one in found),
    )


def _heads_on_file(installation: Installation) -> list[tuple[Path, SignedTreeHead | None]]:
    """The heads this installation signed, oldest first; None for a file that holds none."""
    files: list[tuple[Path, SignedTreeHead | None]] = []
    for path in _files(installation):
        try:
            files.append((path, read(SignedTreeHead, path)))
        except (InvalidDocument, UnreadableFile, WrongDocumentVersion):
            files.append((path, None))
    return files


def _sorted_out(
    heads: Iterable[tuple[SignedTreeHead | None, str]], log: str
) -> tuple[list[SignedTreeHead], list[LedgerFault]]:
    """The heads that this log signed, and what is wrong with the others."""
    good: list[SignedTreeHead] = []
    wrong: list[LedgerFault] = []
    for head, where in heads:
        if head is None or not check_head(head):
            wrong.append(faults.head_damaged(where))
        elif head.log != log:
            wrong.append(faults.log_replaced(head, log, where))
        else:
            good.append(head)
    return good, wrong


def _witnessed_fault(installation: Installation, record: HeadRecord) -> LedgerFault | None:
    from proscribe.store.errors import NotStored, StoreDamaged

    try:
        installation.stores.documents.raw(Digest(record.digest))
    except (NotStored, StoreDamaged):
        return faults.witnessed_missing(record.source, record.size)
    return None  # its digest is in the ledger, and its signature was checked before


def _placed(fault: LedgerFault) -> Text:
    place = fault.where.file
    return fault.what if not place else Text(f"{place}: ", f"{place}\u00a0: ") + fault.what


def _files(installation: Installation) -> list[Path]:
    return sorted((installation.home / HEADS_FOLDER).glob("*.json"))


def _own(log: str) -> str:
    return f"log:{log}"


def _put_on_file(installation: Installation, head: SignedTreeHead) -> None:
    from proscribe.store.home import owners_file

    folder = installation.home / HEADS_FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    owners_file(folder / _name(head.size), lambda: to_bytes(head) + b"\n")


def _name(size: int) -> str:
    return f"{size:012}.json"

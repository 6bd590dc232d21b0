"""What one department sent, read from the authority's store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from proscribe.canonical import Digest
from proscribe.clock import utc
from proscribe.documents import Document, digest
from proscribe.feed.model import Acknowledgement, Attestation, Challenge, ChallengeResult, ReceivedProof
from proscribe.feed.papers import Papers, Received
from proscribe.prove.audit import CONTRADICTED
from proscribe.prove.heads import check_head
from proscribe.prove.model import SignedTreeHead, WitnessedHead
from proscribe.service import trusting
from proscribe.service.installation import Installation
from proscribe.service.model import ExemptionReport
from proscribe.trust.model import KeyList, Verification, Weight

D = TypeVar("D", bound=Document)


def papers_of(installation: Installation, directive: str, department: str) -> Papers:
    """Everything that came from a department under a directive and whose signatures still count."""
    subject = f"{directive}/{department}"
    documents = installation.stores.documents
    came = dict(_arrivals(installation, subject))
    reports = [one for one in documents.all(ExemptionReport, subject=subject) if digest(one) in came]
    return Papers(
        department=department,
        acknowledgements=_received(installation, Acknowledgement, subject, came),
        attestations=_received(installation, Attestation, subject, came),
        proofs=tuple(documents.all(ReceivedProof, subject=subject))[::-1],
        challenges=tuple(documents.all(Challenge, subject=subject))[::-1],
        results=tuple(documents.all(ChallengeResult, subject=subject))[::-1],
        elsewhere=_witnessed(installation, department),
        reported_exempt=reports[0].in_force if reports else None,
    )


def _arrivals(installation: Installation, subject: str) -> Iterator[tuple[Digest, datetime]]:
    """When each document came, of those whose signatures still count: a key may be revoked as of an earlier day."""
    revoked = _revocations(installation)
    for one in installation.stores.documents.all(Verification, subject=f"received:{subject}"):
        counted = [each.key for each in one.signatures if each.weight is Weight.counted]
        if not any(key in revoked and revoked[key] <= utc(one.at) for key in counted):
            yield one.of, one.at


def _revocations(installation: Installation) -> dict[str, datetime]:
    """Key -> since when it does not count, as the key list in force says."""
    keys: KeyList | None = trusting.key_list(installation)
    listed = () if keys is None else keys.keys
    return {key.id: utc(key.revoked_at) for key in listed if key.revoked_at is not None}


def _received(
    installation: Installation, cls: type[D], subject: str, came: dict[Digest, datetime]
) -> tuple[Received[D], ...]:
    """Oldest first; of two that came in the same second, in the order in which they were recorded."""
    documents = installation.stores.documents
    found = [(one, came[one]) for one in reversed(documents.digests(cls, subject=subject)) if one in came]
    return tuple(sorted((Received(documents.get(cls, one), at) for one, at in found), key=lambda one: one.at))


def owners(installation: Installation) -> dict[str, str]:
    """Log -> who showed a head of it first. Heads are published, so that anybody can show those of others."""
    found: dict[str, str] = {}
    for kept in reversed(tuple(installation.stores.documents.all(WitnessedHead))):
        found.setdefault(kept.head.log, kept.source)
    return found


def with_owners(papers: Papers, known: dict[str, str]) -> Papers:
    """The papers of a department, and whose ledger it is that they show, where it is that of others."""
    given = [*(one.document.tree_head for one in papers.acknowledgements)]
    given += [one.document.tree_head for one in papers.attestations]
    shown = {known.get(head.log, papers.department) for head in given if head is not None}
    return replace(papers, ledger_of=tuple(sorted(shown - {papers.department})))


def _witnessed(installation: Installation, department: str) -> tuple[SignedTreeHead, ...]:
    """Every head of a department's ledger that is on file here, those that convict it included."""
    documents = installation.stores.documents
    subjects = (department, f"{CONTRADICTED}:{department}")
    return tuple(one.head for subject in subjects for one in documents.all(WitnessedHead, subject=subject))


def heads_of(installation: Installation, directive: str, department: str) -> tuple[SignedTreeHead, ...]:
    """Every head of its ledger that a department signed and that is known here."""
    papers = papers_of(installation, directive, department)
    given = [one.document.tree_head for one in papers.acknowledgements]
    given += [one.document.tree_head for one in papers.attestations]
    return (*papers.elsewhere, *(head for head in given if head is not None and check_head(head)))

"""All that one department sent under one directive, and the terms it is held to. Types only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from proscribe.canonical import Digest
from proscribe.clock import utc
from proscribe.documents import Document, digest
from proscribe.feed.model import (
    Acknowledgement,
    Attestation,
    Challenge,
    ChallengeResult,
    ReceivedProof,
)
from proscribe.prove.model import SignedTreeHead
from proscribe.text import Text

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Received(Generic[D]):
    """A document with the moment at which it was recorded here: the sender's own date is a claim."""

    document: D
    at: datetime


@dataclass(frozen=True)
class Terms:
    """What the departments are asked: which version of which directive, and by when."""

    directive: str
    digest: Digest
    grounds: tuple[Text, ...]  # for exemptions; empty: the directive names none
    acknowledge_by: date  # the last day, which ends in UTC
    attest_by: date
    now: datetime

    def over(self, day: date) -> bool:
        """Whether a last day has passed."""
        return self.now.date() > day


@dataclass(frozen=True)
class Papers:
    """Everything received from one department, each sequence from old to new."""

    department: str
    acknowledgements: tuple[Received[Acknowledgement], ...] = ()
    attestations: tuple[Received[Attestation], ...] = ()
    proofs: tuple[ReceivedProof, ...] = ()
    challenges: tuple[Challenge, ...] = ()
    results: tuple[ChallengeResult, ...] = ()
    elsewhere: tuple[SignedTreeHead, ...] = ()  # heads of its ledger from other directives, or witnessed by others
    ledger_of: tuple[str, ...] = ()  # others who showed heads of this very log before
    reported_exempt: int | None = None  # devices in the exemption reports it sent; None: it sent none

    @property
    def silent(self) -> bool:
        """Whether nothing at all came."""
        return not (self.acknowledgements or self.attestations)

    @property
    def newest(self) -> Attestation | None:
        """The attestation with the highest number; of two the one that came last."""
        if not self.attestations:
            return None
        return max(self.attestations, key=lambda one: (one.document.number, one.at)).document

    def open_challenges(self) -> Iterator[Challenge]:
        """The challenges without a result."""
        answered = {result.challenge for result in self.results}
        return (one for one in self.challenges if digest(one) not in answered)

    @property
    def declared(self) -> Acknowledgement | None:
        """The acknowledgement that came last: what the department answers for."""
        return self.acknowledgements[-1].document if self.acknowledgements else None

    def declared_before(self, attestation: Attestation) -> Acknowledgement | None:
        """What the department had declared when it attested; who declares more later attests again."""
        said = [one.document for one in self.acknowledgements if utc(one.document.at) <= utc(attestation.at)]
        return max(said, key=lambda one: utc(one.at), default=None)

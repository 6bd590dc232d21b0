"""What a partner's bundle turned out to hold, and how widely it may be shared. Types only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from proscribe.canonical import Digest
from proscribe.catalogue.model import Target, TargetSet
from proscribe.directive.model import Directive
from proscribe.documents import Document, Value
from proscribe.text import Text
from proscribe.trust.model import SignedDocument


class Tlp(StrEnum):
    """Traffic Light Protocol 2.0 (FIRST, August 2022): with whom a text may be shared, widest first."""

    clear = "clear"
    green = "green"
    amber = "amber"
    amber_strict = "amber+strict"
    red = "red"

    @property
    def label(self) -> str:
        """As FIRST writes it."""
        return f"TLP:{self.value.upper()}"

    def at_least(self, other: Tlp) -> Tlp:
        """The stricter of the two."""
        order = tuple(Tlp)
        return max(self, other, key=order.index)


@dataclass(frozen=True, slots=True)
class Proposed(Value):
    """One identifier a partner names, and why it could not be acted upon here as it stands (None: it could be)."""

    target: Target  # as sent, but ``actionable`` as judged here
    concern: Text | None


@dataclass(frozen=True, slots=True)
class KeptOut(Value):
    """Something in the bundle that was counted and left aside."""

    what: str  # "object:malware", "property:course-of-action.x_score", "malformed", ...
    count: int


@dataclass(frozen=True, slots=True)
class AttachedEnvelope(Value):
    """The signed form that came along. Nothing here says that a signature is good: 'proscribe verify' does."""

    signed: SignedDocument
    signatures: int
    fits: bool  # the signed document is the directive of the bundle, byte for byte


@dataclass(frozen=True)
class Received(Document):
    """One ban proposed by a partner, as read from a STIX bundle. It enforces nothing: it is what a case opens with."""

    KIND: ClassVar[str] = "proscribe.received"

    bundle: Digest  # of the bytes that came in
    bundle_id: str
    producer: str  # as it calls itself; nobody checked
    tlp: Tlp
    tlp_stated: bool  # False: no marking that we know, so amber+strict
    exact: bool  # made by this program's extension: the directive is whole; else a draft from plain STIX
    revoked: bool  # the partner has taken it back
    directive: Directive  # as sent; for plain STIX a draft with gaps in [brackets]
    targets: TargetSet | None
    proposed: tuple[Proposed, ...]
    envelope: AttachedEnvelope | None
    kept_out: tuple[KeptOut, ...]
    remarks: tuple[Text, ...]  # what a person must know before doing anything with it

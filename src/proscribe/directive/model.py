"""The ban as a document (governance.md section 3). Types only; see ``schema`` and ``library``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from proscribe.canonical import Digest
from proscribe.catalogue.model import Confidence, Selector
from proscribe.documents import Document, Value
from proscribe.terms import Enrolment, Platform
from proscribe.text import Text


class Force(StrEnum):
    """Whether the text binds; several well-known "bans" only recommend."""

    binding = "binding"
    recommended = "recommended"
    mixed = "mixed"


class State(StrEnum):
    """Where the directive stands in its life."""

    draft = "draft"
    in_force = "in_force"
    amended = "amended"
    superseded = "superseded"
    revoked = "revoked"


class Breadth(StrEnum):
    """The shape of a target as the authority wrote it."""

    product = "product"
    suite = "suite"
    publisher_wide = "publisher_wide"
    category = "category"
    list = "list"


class Stance(StrEnum):
    """What the text says about a side question. ``unstated`` is an answer of its own."""

    included = "included"
    excluded = "excluded"
    unstated = "unstated"


class Compromise(StrEnum):
    """Whether the authority claims that harm was found (DESIGN rule 12)."""

    none_stated = "none_stated"
    alleged = "alleged"
    confirmed = "confirmed"
    not_addressed = "not_addressed"


class ActionVerb(StrEnum):
    """What the directive requires."""

    identify = "identify"
    preserve = "preserve"
    remove = "remove"
    block_install = "block_install"
    block_launch = "block_launch"
    block_network = "block_network"
    revoke_account = "revoke_account"
    contract_terms = "contract_terms"
    notify = "notify"
    report = "report"
    exception_process = "exception_process"


class Standard(StrEnum):
    """Whether words on paper are enough, or a technical control is required."""

    prohibit = "prohibit"
    prevent = "prevent"
    unstated = "unstated"


@dataclass(frozen=True, slots=True)
class Authority(Value):
    """Who decided, on what basis."""

    body: Text
    jurisdiction: str  # ISO 3166, with the subdivision where it is one
    decided_by: Text
    announced_by: Text | None = None
    legal_basis: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Applies(Value):
    """To what the directive applies. ``enrolments`` is our reading of ``devices`` in the terms of an inventory."""

    devices: Text
    entities: Text
    byod: Stance
    platforms: tuple[Platform, ...]
    enrolments: tuple[Enrolment, ...]
    departments: tuple[str, ...] = ()  # empty: all
    exclusions: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class BannedItem(Value):
    """A target as the authority wrote it, with our selectors beside it."""

    publisher: str  # catalogue publisher id, "" for a rule without one
    wording: Text  # the product as named in the text, in our words
    breadth: Breadth
    selectors: tuple[Selector, ...]
    successors: Stance = Stance.unstated
    owned_entities: Stance = Stance.unstated
    web_access: Stance = Stance.unstated
    api_access: Stance = Stance.unstated
    embedded_components: Stance = Stance.unstated
    carve_outs: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class RequiredAction(Value):
    """A duty, by when, and by what standard."""

    verb: ActionVerb
    what: Text
    standard: Standard = Standard.unstated
    days: int | None = None
    by: date | None = None
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class ExceptionRules(Value):
    """On what terms a device may keep the app."""

    stated: bool  # False: the text has no process; that is not the same as "none allowed"
    grounds: tuple[Text, ...] = ()
    approver: Text | None = None
    delegable: bool | None = None
    blanket_allowed: bool = False
    max_days: int = 365
    mitigations: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Ambiguity(Value):
    """Where the text can be read in two ways, and how this document reads it."""

    question: Text
    reading: Text


@dataclass(frozen=True, slots=True)
class SourceRef(Value):
    """Where a fact comes from. ``kind``: primary, copy or secondary."""

    url: str
    kind: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Quote(Value):
    """A finding that may be quoted outside, with the words that keep it from claiming too much."""

    finding: str
    words: Text
    caution: Text


@dataclass(frozen=True, slots=True)
class AttachedAssessment(Value):
    """An assessment the decision rests on, named by the digest of its canonical bytes."""

    digest: Digest
    package: str  # SHA-256 of the app package that was assessed
    app_id: str
    version: str
    rating: str
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True)
class Directive(Document):
    """A decision about apps, as a document that people sign and machines read."""

    KIND: ClassVar[str] = "proscribe.directive"
    LATER: ClassVar[frozenset[str]] = frozenset({"assessments"})

    id: str
    version: int
    title: Text
    state: State
    force: Force
    authority: Authority
    instrument: Text
    announced: date | None
    effective: date | None  # every day here begins and ends in UTC
    applies: Applies
    items: tuple[BannedItem, ...]
    actions: tuple[RequiredAction, ...]
    exceptions: ExceptionRules
    stated_reasons: tuple[Text, ...]
    compromise_found: Compromise
    confidence: Confidence  # of this record of the text, not of the decision
    sources: tuple[SourceRef, ...]
    analyst_context: tuple[Text, ...] = ()
    compromise_basis: Text | None = None
    vendor_response: Text | None = None
    partners: tuple[Text, ...] = ()
    ambiguities: tuple[Ambiguity, ...] = ()
    review_on: date | None = None
    expires_on: date | None = None
    supersedes: str = ""
    unverified: tuple[Text, ...] = ()
    assessments: tuple[AttachedAssessment, ...] = ()

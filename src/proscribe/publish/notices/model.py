"""A notice as a document: what is said to whom, in both languages, before any format. Types and errors only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from proscribe.canonical import Digest
from proscribe.decide.model import EvidenceRegister, VendorRecord
from proscribe.documents import Document, Value
from proscribe.errors import ProscribeError
from proscribe.text import Text


class NoticeIncomplete(ProscribeError):
    """Something that a notice needs is missing, or stands in one language only. Every gap is listed by its field."""

    code = "notice.incomplete"

    gaps: tuple[Gap, ...] = ()


class NoticeMismatch(ProscribeError):
    """The decision was taken on another directive, or the evidence belongs to another case."""

    code = "notice.mismatch"


class PdfUnavailable(ProscribeError):
    """The typesetter of the ``pdf`` extra is not installed."""

    code = "notice.pdf-unavailable"


class PdfRefused(ProscribeError):
    """The typesetter cannot make an accessible PDF of this notice."""

    code = "notice.pdf-refused"


class Audience(StrEnum):
    """To whom a notice speaks."""

    public = "public"
    staff = "staff"
    departments = "departments"
    vendor = "vendor"


@dataclass(frozen=True, slots=True)
class Gap(Value):
    """A field that keeps a notice from going out, and what is wrong with it."""

    field: str  # e.g. "directive.stated_reasons[0].fr"
    what: Text


@dataclass(frozen=True, slots=True)
class Contact(Value):
    """Whom to ask: an office, never a person. At least one of the ways to reach it is needed."""

    office: Text
    email: str = ""
    telephone: str = ""
    address: Text | None = None


@dataclass(frozen=True, slots=True)
class Particulars(Value):
    """What a notice says beside the directive and the decision.

    ``vendor`` and ``reply_by`` come first, else what the vendor ``record`` says; of that record the answers are shown.
    ``reply_by`` is needed in a vendor notice of what is not final, ``acknowledge_by`` and ``attest_by`` in the
    instructions to departments. ``all_apps_kept``: the installation keeps rows for every app and not only for the
    banned ones; the staff notice then says so.
    """

    case: str = ""
    vendor: Text | None = None
    evidence: EvidenceRegister | None = None
    record: VendorRecord | None = None
    alternatives: tuple[Text, ...] = ()
    reply_by: date | None = None
    acknowledge_by: date | None = None
    attest_by: date | None = None
    all_apps_kept: bool = False


@dataclass(frozen=True, slots=True)
class Fact(Value):
    """A label with what belongs to it; several values are a list."""

    label: Text
    values: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Table(Value):
    """Rows under column titles; the first column heads its row."""

    caption: Text
    columns: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]


@dataclass(frozen=True, slots=True)
class Section(Value):
    """One section, in this order: paragraphs, points, facts, table, closing paragraphs."""

    name: str  # a stable anchor: "why", "by-when"
    heading: Text
    paragraphs: tuple[Text, ...] = ()
    points: tuple[Text, ...] = ()
    facts: tuple[Fact, ...] = ()
    table: Table | None = None
    closing: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Notice(Document):
    """A complete notice in both languages. Formats are made of it and add nothing."""

    KIND: ClassVar[str] = "proscribe.notice"

    audience: Audience
    case: str
    directive: str
    directive_digest: Digest
    decision: Digest | None  # None: before the decision
    at: datetime  # the moment of the decision, or of writing where there is none
    issuer: Text
    label: Text  # what kind of notice this is
    title: Text
    lead: Text
    sections: tuple[Section, ...]
    contact: Contact

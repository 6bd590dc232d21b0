"""Notices of a case or a directive: gathered from what is stored, written to files, kept and recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from proscribe.decide.model import Case, Decision, EvidenceRegister, Impact, VendorRecord
from proscribe.directive import library
from proscribe.directive.model import Directive, State
from proscribe.documents import Document
from proscribe.errors import Where
from proscribe.inventory.model import Retention, SnapshotManifest
from proscribe.prove.model import EntryKind
from proscribe.publish.notices.compose import compose
from proscribe.publish.notices.files import Format, contents, write
from proscribe.publish.notices.gaps import refuse
from proscribe.publish.notices.model import Audience, Contact, Gap, Notice, NoticeIncomplete, Particulars
from proscribe.service import casestore
from proscribe.service.config import FILE
from proscribe.service.installation import Installation
from proscribe.text import Text

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Days:
    """Last days that a notice names. None takes the settings' number of days, counted from the notice."""

    reply_by: date | None = None
    acknowledge_by: date | None = None
    attest_by: date | None = None


@dataclass(frozen=True, slots=True)
class _Dossier:
    """What is stored about a case, or a directive alone."""

    directive: Directive
    decision: Decision | None = None
    case: str = ""
    evidence: EvidenceRegister | None = None
    record: VendorRecord | None = None
    impact: Impact | None = None


def notices(
    installation: Installation,
    case_or_directive: str,
    *,
    audiences: tuple[Audience, ...] = (),
    days: Days | None = None,
) -> tuple[Notice, ...]:
    """The notices of a case by its id, or of a directive by its id or file; the same documents give the same notices.

    Where no audience is named: all of them; before the decision of a draft only the vendor, who is asked first. Raises
    NoticeIncomplete that lists every gap of every notice, NoticeMismatch, or UnknownDirective.
    """
    dossier = _dossier(installation, case_or_directive)
    contact = _contact(installation)
    at = dossier.decision.at if dossier.decision is not None else installation.clock.now()
    more = _particulars(installation, dossier, days or Days(), at)
    undecided = dossier.decision is None and dossier.directive.state is State.draft
    made: list[Notice] = []
    gaps: list[Gap] = []
    for audience in audiences or ((Audience.vendor,) if undecided else tuple(Audience)):
        try:
            made.append(compose(audience, dossier.directive, dossier.decision, contact=contact, at=at, more=more))
        except NoticeIncomplete as error:
            gaps += error.gaps
    refuse(gaps)
    return tuple(made)


def publish(
    installation: Installation, made: tuple[Notice, ...], folder: Path, *, formats: tuple[Format, ...]
) -> tuple[Path, ...]:
    """Write notices to ``folder`` in both languages, keep them and record them. Nothing is written if one fails.

    Raises PdfUnavailable or PdfRefused.
    """
    files = {name: data for one in made for name, data in contents(one, formats).items()}
    paths = write(files, folder)
    for one in made:
        installation.keep(
            one,
            EntryKind.notice,
            subject=one.case or one.directive,
            audience=one.audience,
            directive=one.directive_digest,
            decision=one.decision,
        )
    return paths


def _dossier(installation: Installation, name: str) -> _Dossier:
    documents = installation.stores.documents
    case = documents.latest(Case, subject=name)
    if case is None:
        kept = documents.latest(Directive, subject=name)
        return _Dossier(kept if kept is not None else library.find(name))
    file = casestore.load(installation, name)

    def newest(attached: str, cls: type[D]) -> D | None:
        """What a step of the case took, else what was stored about the case."""
        document = file.current(attached)
        return document if isinstance(document, cls) else documents.latest(cls, subject=name)

    decision = newest("decision", Decision)
    if decision is not None:
        directive = documents.get(Directive, decision.directive)
    else:
        proposed = newest("directive", Directive) or documents.latest(Directive, subject=case.directive)
        directive = proposed if proposed is not None else library.find(case.directive)
    return _Dossier(
        directive=directive,
        decision=decision,
        case=case.id,
        evidence=newest("evidence", EvidenceRegister),
        record=newest("vendor", VendorRecord),
        impact=newest("impact", Impact),
    )


def _contact(installation: Installation) -> Contact:
    settings = installation.settings.notices
    if settings.office is None:
        raise NoticeIncomplete(
            Text(
                "the settings name no office that people can ask",
                "les paramètres ne désignent aucun bureau à qui s'adresser",
            ),
            remedy=Text(
                'Add to proscribe.toml: [notices], then office = {en = "...", fr = "..."} and email = "...".',
                'Ajoutez à proscribe.toml\u00a0: [notices], puis office = {en = "...", fr = "..."} et email = "...".',
            ),
            where=Where(file=str(installation.home / FILE), field="notices.office"),
        )
    return Contact(settings.office, settings.email, settings.telephone, settings.address)


def _particulars(installation: Installation, dossier: _Dossier, days: Days, at: datetime) -> Particulars:
    settings = installation.settings.notices
    newest = installation.stores.documents.latest(SnapshotManifest)

    def after(count: int) -> date:
        return at.date() + timedelta(days=count)

    reply_due = dossier.record.reply_due if dossier.record is not None else None
    return Particulars(
        case=dossier.case,
        evidence=dossier.evidence,
        record=dossier.record,
        alternatives=dossier.impact.alternatives if dossier.impact is not None else (),
        reply_by=days.reply_by or reply_due or after(settings.reply_days),
        acknowledge_by=days.acknowledge_by or after(settings.acknowledge_days),
        attest_by=days.attest_by or after(settings.attest_days),
        all_apps_kept=newest is not None and newest.retention is Retention.all,
    )

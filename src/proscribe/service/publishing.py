"""Notices of a case or a directive: gathered from what is stored, written to files, kept and recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from proscribe.decide import needs
from proscribe.decide.model import Case, Decision, EvidenceRegister, Impact, Stage, VendorRecord
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
from proscribe.service import casestore, casework, markings
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
    case: Case | None = None
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

    Where no audience is named: all whom the case must tell; before the decision only the vendor, who is asked first.
    Raises NoticeIncomplete that lists every gap of every notice, NoticeMismatch, UnknownDirective, or TlpForbids where
    what a partner sent may not reach an audience.
    """
    dossier = _dossier(installation, case_or_directive)
    audiences = audiences or _audiences(dossier)
    markings.refuse_audiences(dossier.directive.id, markings.floor(installation, dossier.directive), audiences)
    contact = _contact(installation)
    at = dossier.decision.at if dossier.decision is not None else installation.clock.now()
    more = _particulars(installation, dossier, days or Days(), at)
    made: list[Notice] = []
    gaps: list[Gap] = []
    for audience in audiences:
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

    Notices of a decided case are laid ready for the step that publishes (or ends) it. Raises PdfUnavailable or
    PdfRefused.
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
        if one.case and one.decision is not None:
            _lay_ready(installation, one)
    return paths


def _lay_ready(installation: Installation, notice: Notice) -> None:
    name = f"notice.{notice.audience}"
    file = casestore.load(installation, notice.case)
    if file.current(name) == notice:  # published already
        return
    if any(need.name == name for need in needs.needed(file.case, Stage.publish)):
        casework.attach(installation, notice.case, name, notice)


def _dossier(installation: Installation, name: str) -> _Dossier:
    documents = installation.stores.documents
    if documents.latest(Case, subject=name) is None:
        kept = documents.latest(Directive, subject=name)
        return _Dossier(kept if kept is not None else library.find(name))
    file = casestore.load(installation, name)
    ready = {one.name: one for one in casestore.desk_of(installation, name)}

    def find(attached: str, cls: type[D], *, first: bool = True) -> D | None:
        """What lies ready for the next step, else (or only) what the newest step took."""
        document = casestore.fetch(installation, ready[attached]) if first and attached in ready else None
        document = document or file.current(attached)
        return document if isinstance(document, cls) else None

    decided = find("decision", Decision, first=False)
    # What lies ready is not decided yet. Only the end of a decision is announced together with the step that takes it.
    proposed = find("directive", Directive)
    ending = decided is not None and proposed is not None and proposed.state in (State.revoked, State.superseded)
    directive = proposed if decided is None or ending else find("directive", Directive, first=False)
    return _Dossier(
        directive=directive if directive is not None else library.find(file.case.directive),
        decision=find("decision", Decision) if ending else decided,
        case=file.case,
        evidence=find("evidence", EvidenceRegister, first=decided is None or ending),
        record=find("vendor", VendorRecord),
        impact=find("impact", Impact),
    )


def _audiences(dossier: _Dossier) -> tuple[Audience, ...]:
    """Everybody whom the case must tell; of a draft only the vendor, who is asked before anything is decided."""
    if dossier.decision is None and (dossier.case is not None or dossier.directive.state is State.draft):
        return (Audience.vendor,)
    if dossier.case is None:
        return tuple(Audience)
    names = {need.name for need in needs.needed(dossier.case, Stage.publish)}
    return tuple(one for one in Audience if f"notice.{one}" in names)


def _contact(installation: Installation) -> Contact:
    settings = installation.settings.notices
    if settings.office is None:
        raise NoticeIncomplete(
            Text(
                "the settings name no office that people can ask",
                "les paramètres ne désignent aucun bureau auquel s'adresser",
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
        case=dossier.case.id if dossier.case is not None else "",
        evidence=dossier.evidence,
        record=dossier.record,
        alternatives=dossier.impact.alternatives if dossier.impact is not None else (),
        reply_by=days.reply_by or reply_due or after(settings.reply_days),
        acknowledge_by=days.acknowledge_by or after(settings.acknowledge_days),
        attest_by=days.attest_by or after(settings.attest_days),
        all_apps_kept=newest is not None and newest.retention is Retention.all,
    )

"""The complete record of a decision: what was known when it was taken, and nothing that came later.

It is made of the case, its steps up to the decision and the documents those name, so that printing it again years later
gives the same bytes. The public edition leaves out evidence that is not public and the analysts' context, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from proscribe.canonical import Digest, canonical_bytes
from proscribe.catalogue.model import TargetSet
from proscribe.decide import words
from proscribe.decide.file import CaseFile
from proscribe.decide.model import (
    Claim,
    Decision,
    EvidenceItem,
    EvidenceRegister,
    Impact,
    ReviewOpinion,
    VendorRecord,
)
from proscribe.decide.needs import DECISIONS
from proscribe.directive.model import Compromise, Directive
from proscribe.documents import digest, to_json
from proscribe.errors import ProscribeError, Where
from proscribe.text import Text, number


class NotDecided(ProscribeError):
    """A record was asked for of a case, or a step, that holds no decision."""

    code = "decide.not-decided"


@dataclass(frozen=True, slots=True)
class Row:
    """A label and what belongs to it; several values are a list."""

    label: Text
    values: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One section: paragraphs, rows, then a table (columns, rows). ``below``: it belongs to the section before."""

    heading: Text
    paragraphs: tuple[Text, ...] = ()
    rows: tuple[Row, ...] = ()
    columns: tuple[Text, ...] = ()
    table: tuple[tuple[Text, ...], ...] = ()
    below: bool = False


@dataclass(frozen=True)
class Record:
    """The record of one decision, before any format."""

    case: str
    title: Text
    decided_at: datetime
    head: Digest  # of the step that took the decision
    parts: tuple[Part, ...]


def as_of(file: CaseFile, number: int | None = None) -> CaseFile:
    """The case as it was when a decision was taken: by default the first, else that of step ``number``.

    Raises NotDecided.
    """
    taken = [step for step in file.steps if step.stage in DECISIONS and number in (None, step.number)]
    if not taken:
        raise NotDecided(
            Text("no decision was taken there", "aucune décision n'y a été prise"),
            remedy=Text(
                "'proscribe case show' lists the steps; a record is of a step that decides.",
                "«\u00a0proscribe case show\u00a0» énumère les étapes; un compte rendu porte sur une décision.",
            ),
            where=Where(field=file.case.id),
        )
    steps = file.steps[: taken[0].number]
    named = {one.digest for step in steps for one in step.documents}
    return CaseFile(file.case, steps, {key: file.known[key] for key in sorted(named)})


def record_json(file: CaseFile, number: int | None = None) -> bytes:
    """The whole record as canonical JSON (RFC 8785): head, steps and every document by its digest."""
    then = as_of(file, number)
    body: dict[str, Any] = {
        "case": to_json(then.case),
        "steps": [to_json(step) for step in then.steps],
        "documents": {key: to_json(document) for key, document in then.known.items()},
    }
    return canonical_bytes(body)


def record(file: CaseFile, number: int | None = None, *, public: bool = False) -> Record:
    """The record in sections. Raises NotDecided."""
    then = as_of(file, number)
    decision = then.current("decision")
    if not isinstance(decision, Decision):
        raise TypeError("a step that decides holds a decision")
    parts = (
        _case(then),
        _decision(decision, public=public),
        *_ban(then),
        *_evidence(then, public=public),
        *_impact(then),
        *_vendor(then, public=public),
        *_reviews(then),
        _steps(then),
    )
    return Record(file.case.id, file.case.title, decision.at, digest(then.steps[-1]), parts)


def _case(file: CaseFile) -> Part:
    case = file.case
    rows = [
        Row(Text("Case", "Dossier"), (_same(case.id),)),
        Row(Text("Track", "Voie"), (words.TRACKS[case.track],)),
        Row(Text("Opened", "Ouverture"), (_moment(case.opened_at),)),
        Row(Text("Opened by", "Ouvert par"), (_same(case.opened_by),)),
        Row(Text("Opened because of", "À l'origine"), (words.ORIGINS[case.origin],)),
    ]
    if case.urgency is not None:
        rows.append(Row(Text("Why it could not wait", "Motif d'urgence"), (case.urgency,)))
    if case.interim_until is not None:
        rows.append(Row(Text("Ends without confirmation", "Fin sans confirmation"), (_day(case.interim_until),)))
    return Part(Text("The case", "Le dossier"), (case.concern,), tuple(rows))


_HARM: dict[Compromise, Text] = {
    Compromise.none_stated: Text(
        "the authority states that it has no evidence of one", "l'autorité dit n'en avoir aucune preuve"
    ),
    Compromise.alleged: Text("alleged", "alléguée"),
    Compromise.confirmed: Text("confirmed", "confirmée"),
    Compromise.not_addressed: Text("not addressed", "non abordée"),
}


def _decision(decision: Decision, *, public: bool) -> Part:
    rows = [
        Row(Text("Decided", "Décision"), (_moment(decision.at),)),
        Row(Text("By", "Par"), (decision.decided_by,)),
        Row(Text("Role", "Rôle"), (_same(decision.role),)),
        Row(Text("Legal basis", "Fondement juridique"), decision.legal_basis),
        Row(Text("Reasons stated", "Motifs énoncés"), decision.stated_reasons),
        Row(Text("Compromise found", "Compromission constatée"), (_HARM[decision.compromise_found],)),
    ]
    if decision.compromise_basis is not None:
        rows.append(Row(Text("Basis of that", "Fondement de ce constat"), (decision.compromise_basis,)))
    if decision.answers:
        rows.append(Row(Text("Answers to the reviews", "Réponses aux examens"), decision.answers))
    if decision.interim_until is not None:
        rows.append(Row(Text("Stands until", "Valable jusqu'au"), (_day(decision.interim_until),)))
    if decision.analyst_context and not public:
        label = Text(
            "Analysts' context, no reason of the decision",
            "Contexte d'analystes, qui n'est pas un motif de la décision",
        )
        rows.append(Row(label, decision.analyst_context))
    return Part(Text("The decision", "La décision"), (), tuple(rows))


def _ban(file: CaseFile) -> Iterator[Part]:
    directive, targets = file.current("directive"), file.current("targets")
    if not isinstance(directive, Directive) or not isinstance(targets, TargetSet):
        return
    rows = [
        Row(Text("Directive", "Directive"), (directive.title,)),
        Row(Text("Id and version", "Identifiant et version"), (_same(f"{directive.id}, {directive.version}"),)),
        Row(Text("Bans", "Vise"), tuple(item.wording for item in directive.items)),
        Row(Text("Digest", "Empreinte"), (_same(digest(directive)),)),
        Row(Text("Identifiers", "Identifiants"), (number(len(targets.targets)),)),
        Row(Text("Reviewed by", "Examinés par"), (_same(targets.reviewed_by),)),
        Row(Text("Digest of the targets", "Empreinte des cibles"), (_same(digest(targets)),)),
    ]
    yield Part(Text("What is banned", "Ce qui est interdit"), (), tuple(rows))


def _evidence(file: CaseFile, *, public: bool) -> Iterator[Part]:
    register = file.current("evidence")
    if not isinstance(register, EvidenceRegister):
        return
    shown = tuple(item for item in register.items if item.public or not public)
    withheld = len(register.items) - len(shown)
    said: tuple[Text, ...] = ()
    if withheld:
        count = number(withheld)
        said = (
            Text(
                f"Items that are not public and left out here: {count.en}.",
                f"Éléments non publics, omis ici\u00a0: {count.fr}.",
            ),
        )
    public_claims = {claim for item in shown for claim in item.supports}
    claims = tuple(claim for claim in register.claims if claim.id in public_claims or not public)
    version = Text(f"Version {register.version} of the register.", f"Version {register.version} du registre.")
    hidden = len(register.claims) - len(claims)
    without: tuple[Text, ...] = ()
    if hidden:
        count = number(hidden)
        without = (
            Text(
                f"Claims that no public item supports, left out here: {count.en}.",
                f"Affirmations qu'aucun élément public n'appuie, omises ici\u00a0: {count.fr}.",
            ),
        )
    yield Part(Text("Claims, and the other side", "Affirmations, et l'autre partie"), (version, *without))
    for claim in claims:
        yield Part(_same(claim.id), (claim.text,), tuple(_claim(claim, shown)), below=True)
    yield Part(Text("Evidence", "Éléments de preuve"), said)
    for item in shown:
        yield Part(item.title, (), tuple(_item(item)), below=True)


def _claim(claim: Claim, items: tuple[EvidenceItem, ...]) -> Iterator[Row]:
    yield Row(Text("Standing", "État"), (words.CLAIMS[claim.status],))
    rests = tuple(item.title for item in items if claim.id in item.supports)
    if rests:
        yield Row(Text("Rests on", "S'appuie sur"), rests)
    if claim.reply is not None:
        yield Row(Text("The other side", "L'autre partie"), (claim.reply,))
    if claim.weighed is not None:
        yield Row(Text("How it was weighed", "Comment elle a été examinée"), (claim.weighed,))


def _item(item: EvidenceItem) -> Iterator[Row]:
    yield Row(Text("Kind", "Type"), (words.EVIDENCE[item.kind],))
    yield Row(Text("Source", "Source"), (_same(item.source),))
    yield Row(Text("Collected", "Recueilli"), (_moment(item.collected_at) + _same(f", {item.collected_by}"),))
    yield Row(Text("Marking", "Marquage"), (_same(item.marking),))
    yield Row(Text("Does not show", "Ne montre pas"), (item.does_not_show,))
    if item.digest is not None:
        yield Row(Text("Digest", "Empreinte"), (_same(item.digest),))


def _impact(file: CaseFile) -> Iterator[Part]:
    impact = file.current("impact")
    if not isinstance(impact, Impact):
        return
    unknown = Text("not known", "inconnu")
    rows = [
        Row(label, (unknown if count is None else number(count),))
        for label, count in (
            (Text("Devices with a banned app", "Appareils ayant une application visée"), impact.devices),
            (Text("Devices in scope", "Appareils visés"), impact.in_scope),
            (Text("Organisations", "Organismes"), impact.departments),
        )
    ]
    rows += [
        Row(Text("Official accounts", "Comptes officiels"), (impact.official_accounts,)),
        Row(Text("Records at risk", "Documents en jeu"), (impact.records_at_risk,)),
    ]
    for label, texts in (
        (Text("Stated needs", "Besoins exprimés"), impact.stated_needs),
        (Text("Alternatives", "Solutions de rechange"), impact.alternatives),
        (Text("Not known", "Ce qu'on ignore"), impact.not_known),
    ):
        if texts:
            rows.append(Row(label, texts))
    yield Part(Text("Impact, as known then", "Incidence, telle que connue alors"), (), tuple(rows))


def _vendor(file: CaseFile, *, public: bool) -> Iterator[Part]:
    register = file.current("evidence")
    items = register.items if isinstance(register, EvidenceRegister) else ()
    open_to_all = {claim for item in items if item.public for claim in item.supports}
    vendor = file.current("vendor")
    if not isinstance(vendor, VendorRecord):
        return
    rows = [Row(Text("Vendor", "Fournisseur"), (vendor.vendor,))]
    for label, day in (
        (Text("Notice sent", "Avis envoyé"), vendor.notice_sent),
        (Text("Reply due", "Réponse attendue"), vendor.reply_due),
        (Text("Reply received", "Réponse reçue"), vendor.reply_received),
    ):
        if day is not None:
            rows.append(Row(label, (_day(day),)))
    if vendor.waiver is not None:
        rows.append(Row(Text("Not asked, because", "Non consulté, parce que"), (vendor.waiver.reason,)))
        rows.append(
            Row(Text("Waived by", "Dispense accordée par"), (_same(f"{vendor.waiver.by}, {vendor.waiver.on}"),))
        )
    if vendor.meetings:
        rows.append(Row(Text("Meetings", "Rencontres"), vendor.meetings))
    yield Part(
        Text("The vendor", "Le fournisseur"),
        (),
        tuple(rows),
        (
            Text("Claim", "Affirmation"),
            Text("The vendor says", "Le fournisseur dit"),
            Text("Our answer", "Notre réponse"),
        ),
        tuple(
            (_same(one.claim), one.vendor_says, one.answer)
            for one in vendor.responses
            if one.claim in open_to_all or not public
        ),
    )


def _reviews(file: CaseFile) -> Iterator[Part]:
    names = sorted({one.name for step in file.steps for one in step.documents if one.name.startswith("review.")})
    for name in names:
        opinion = file.current(name)
        if isinstance(opinion, ReviewOpinion):
            rows = [
                Row(Text("Outcome", "Issue"), (words.OPINIONS[opinion.outcome],)),
                Row(Text("By", "Par"), (_same(f"{opinion.by}, {opinion.on}"),)),
            ]
            if opinion.conditions:
                rows.append(Row(Text("Conditions", "Conditions"), opinion.conditions))
            if opinion.reference:
                rows.append(Row(Text("Reference", "Référence"), (_same(opinion.reference),)))
            heading = words.REVIEWS[opinion.review]
            yield Part(Text(f"Review: {heading.en}", f"Examen\u00a0: {heading.fr}"), (opinion.opinion,), tuple(rows))


def _steps(file: CaseFile) -> Part:
    rows = []
    for step in file.steps:
        held = ", ".join(f"{one.name} {one.digest.removeprefix('sha256:')[:16]}" for one in step.documents)
        rows.append(
            (_same(str(step.number)), words.STAGES[step.stage], _moment(step.at), _same(step.by), _same(held or "-"))
        )
    return Part(
        Text("Steps and documents", "Étapes et documents"),
        (
            Text(
                "Documents by name and the first 16 digits of their digest.",
                "Documents par nom et 16 premiers chiffres de leur empreinte.",
            ),
        ),
        (),
        (
            Text("No.", "No"),
            Text("Stage", "Étape"),
            Text("When", "Quand"),
            Text("Role", "Rôle"),
            Text("Documents", "Documents"),
        ),
        tuple(rows),
    )


def _same(value: str) -> Text:
    return Text(value, value)


def _day(day: date) -> Text:
    return _same(day.isoformat())


def _moment(moment: datetime) -> Text:
    return _same(moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"))

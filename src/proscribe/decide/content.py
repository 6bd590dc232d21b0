"""What must be right inside the documents of a step: they are of this case, fit each other, and are complete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from proscribe.catalogue.model import TargetSet
from proscribe.decide import deciding, evidence, vendor
from proscribe.decide.file import CaseFile, Taking, attached, look
from proscribe.decide.missing import Missing, blank, flaw, written
from proscribe.decide.model import (
    Case,
    EvidenceRegister,
    Impact,
    ReviewOpinion,
    ReviewOutcome,
    ReviewVerdict,
    ScheduledReview,
    Stage,
    Track,
    VendorRecord,
)
from proscribe.decide.needs import DECISIONS, MORE, Needed, Road, road_of
from proscribe.directive.model import ActionVerb, Directive, State
from proscribe.documents import digest
from proscribe.trust.model import Verification

MAX_INTERIM_DAYS = 365
"""As an exemption: what acts first may not become the rule. India's interim order of 2020 stood for seven months."""

_REMOVES = (ActionVerb.remove, ActionVerb.block_install, ActionVerb.block_launch, ActionVerb.block_network)


def head(case: Case) -> tuple[Missing, ...]:
    """What is missing in the head of a case."""
    found = [*written("case.title", case.title), *written("case.concern", case.concern)]
    if not case.opened_by.strip():
        found.append(
            flaw("case.opened_by", ("no role opens it", "aucun rôle ne l'ouvre"), ("Name the role.", "Nommez le rôle."))
        )
    if case.track is Track.interim:
        found += _urgent(case)
    elif case.urgency is not None or case.interim_until is not None:
        found.append(
            flaw(
                "case.track",
                ("urgency is stated on the standard track", "une urgence est invoquée sur la voie ordinaire"),
                (
                    "Open it on the interim track, or leave the urgency out.",
                    "Ouvrez-le sur la voie provisoire, ou omettez l'urgence.",
                ),
            )
        )
    if road_of(case) is not Road.own and case.received is None:
        found.append(
            flaw(
                "case.received",
                ("it does not name what was received", "il ne nomme pas ce qui a été reçu"),
                ("Open it with the file that came in.", "Ouvrez-le avec le fichier reçu."),
            )
        )
    return tuple(found)


def _urgent(case: Case) -> Iterator[Missing]:
    yield from written("case.urgency", case.urgency)
    opened = case.opened_at.date()
    until = case.interim_until
    if until is None or not opened < until <= opened + timedelta(days=MAX_INTERIM_DAYS):
        yield flaw(
            "case.interim_until",
            (
                f"the interim track ends on a day, at most {MAX_INTERIM_DAYS} days after it began",
                f"la voie provisoire prend fin un jour donné, au plus {MAX_INTERIM_DAYS} jours après son début",
            ),
            ("Set the last day without confirmation.", "Fixez le dernier jour sans confirmation."),
        )


def bound(file: CaseFile, taking: Taking, need: Needed, name: str) -> Iterator[Missing]:
    """Whether a document is of this case, names what it rests on, and says what its name says."""
    document = taking.documents[name]
    of = getattr(document, "case", None)
    if isinstance(of, str) and of != file.case.id:
        shown = of or "?"
        yield flaw(
            f"{name}.case",
            (f"it is of case {shown}", f"il est du dossier {shown}"),
            (f"It must name {file.case.id}.", f"Il doit nommer {file.case.id}."),
        )
    for field, value in need.says:
        said = str(getattr(document, field, ""))
        if said != value:
            yield flaw(
                f"{name}.{field}",
                (f"it says {said}, not {value}", f"il dit {said} et non {value}"),
                ("Attach the right file under this name.", "Joignez le bon fichier sous ce nom."),
            )
    for field, other in need.fits:
        rests = taking.documents.get(other)
        held = attached(file.steps).get(other)
        expected = digest(rests) if rests is not None else (held.digest if held else None)
        if getattr(document, field, None) != expected:
            yield flaw(
                f"{name}.{field}",
                (
                    f"it is not the digest of the '{other}' of this case",
                    f"ce n'est pas l'empreinte du document «\u00a0{other}\u00a0» du dossier",
                ),
                (
                    f"Name {expected}." if expected else "Leave it out: none is attached.",
                    f"Nommez {expected}." if expected else "Omettez-la\u00a0: aucun n'est joint.",
                ),
            )


def flaws(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    """What is wrong inside the documents brought along, and between them and those of earlier steps."""
    for name, check in _CHECKS.items():
        if name in taking.documents:
            yield from check(file, taking)
    for name, document in taking.documents.items():
        if isinstance(document, ReviewOpinion) and not name.startswith(f"{MORE}."):
            yield from _opinion(name, document, taking)
    yield from _STAGE_CHECKS.get(taking.stage, _nothing)(file, taking)


def _nothing(_file: CaseFile, _taking: Taking) -> Iterator[Missing]:
    yield from ()


def _evidence(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    register = look(file, taking, "evidence", EvidenceRegister)
    before = file.current("evidence")
    if register is not None:
        previous = before if isinstance(before, EvidenceRegister) else None
        partner = road_of(file.case) is not Road.own
        yield from evidence.flaws(register, at=taking.at, previous=previous, partner=partner)


def _received(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    if file.case.received not in (None, digest(taking.documents["received"])):
        yield flaw(
            "received",
            ("it is not what the head of the case names", "ce n'est pas ce que nomme l'en-tête du dossier"),
            (f"Attach the document {file.case.received}.", f"Joignez le document {file.case.received}."),
        )


def _directive(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    directive = look(file, taking, "directive", Directive)
    if directive is None:
        return
    if file.case.directive and directive.id != file.case.directive:
        yield flaw(
            "directive.id",
            (f"it is {directive.id}, not {file.case.directive}", f"c'est {directive.id} et non {file.case.directive}"),
            ("Attach the directive that this case is about.", "Joignez la directive visée par ce dossier."),
        )
    before = file.current("directive")
    changes = taking.stage in (Stage.amend, Stage.revoke)
    if changes and isinstance(before, Directive) and directive.id != before.id:
        yield flaw(
            "directive.id",
            (f"it is {directive.id}, not {before.id}", f"c'est {directive.id} et non {before.id}"),
            ("Another directive needs a case of its own.", "Une autre directive exige son propre dossier."),
        )
    if changes and isinstance(before, Directive) and directive.version <= before.version:
        yield flaw(
            "directive.version",
            (f"version {before.version} is in force already", f"la version {before.version} est déjà en vigueur"),
            ("Raise the version.", "Augmentez la version."),
        )
    if (directive.state is State.revoked) != (taking.stage is Stage.revoke):
        yield flaw(
            "directive.state",
            (f"it is '{directive.state}'", f"il est «\u00a0{directive.state}\u00a0»"),
            (
                "Only a directive that is being revoked says 'revoked'.",
                "Seule une directive qu'on révoque porte l'état «\u00a0revoked\u00a0».",
            ),
        )


def _targets(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    targets = look(file, taking, "targets", TargetSet)
    directive = look(file, taking, "directive", Directive)
    if targets is None or directive is None:
        return
    if (targets.directive, targets.directive_version) != (directive.id, directive.version):
        yield flaw(
            "targets.directive",
            ("they are of another directive or version", "elles sont d'une autre directive ou version"),
            (
                f"Resolve {directive.id} version {directive.version}.",
                f"Résolvez {directive.id}, version {directive.version}.",
            ),
        )
    if not targets.reviewed_by.strip() or targets.reviewed_on is None or targets.reviewed_on > taking.at.date():
        yield flaw(
            "targets.reviewed_by",
            ("no person has approved them yet", "personne ne les a encore approuvées"),
            ("Have them reviewed: which role, on which day.", "Faites-les examiner\u00a0: quel rôle, quel jour."),
        )
    if not targets.targets:
        yield flaw(
            "targets.targets",
            ("they hold no identifier", "elles ne contiennent aucun identifiant"),
            (
                "A ban without identifiers cannot be carried out.",
                "Une interdiction sans identifiants est inexécutable.",
            ),
        )


def _impact(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    impact = look(file, taking, "impact", Impact)
    if impact is None:
        return
    yield from written("impact.official_accounts", impact.official_accounts)
    yield from written("impact.records_at_risk", impact.records_at_risk)
    if None in (impact.devices, impact.in_scope, impact.departments) and not impact.not_known:
        yield flaw(
            "impact.not_known",
            ("a number is not known, and nothing says so", "un nombre est inconnu, et rien ne le dit"),
            ("List what is not known.", "Énumérez ce qui n'est pas connu."),
        )
    if impact.at > taking.at:
        yield _future("impact.at")


def _vendor(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    record = look(file, taking, "vendor", VendorRecord)
    if record is not None:
        register = look(file, taking, "evidence", EvidenceRegister)
        yield from vendor.flaws(record, register, taking.at.date())


def _opinion(name: str, opinion: ReviewOpinion, taking: Taking) -> Iterator[Missing]:
    yield from written(f"{name}.opinion", opinion.opinion)
    if not opinion.by.strip():
        yield flaw(f"{name}.by", ("no role gives it", "aucun rôle ne le donne"), ("Name the role.", "Nommez le rôle."))
    if opinion.on > taking.at.date():
        yield _future(f"{name}.on")
    if opinion.outcome is ReviewOutcome.with_conditions and not opinion.conditions:
        yield flaw(
            f"{name}.conditions",
            ("it speaks of conditions and names none", "il parle de conditions sans en nommer"),
            ("List them.", "Énumérez-les."),
        )


def _signing(_file: CaseFile, taking: Taking) -> Iterator[Missing]:
    if taking.unsigned and blank(taking.note):
        yield flaw(
            "step.note",
            ("a signature is left out, and nothing says why", "une signature est omise, et rien ne dit pourquoi"),
            ("Say it in the note of the step.", "Dites-le dans la note de l'étape."),
        )
    for name, one in taking.documents.items():
        if isinstance(one, Verification) and len(one.holders) < one.threshold:
            seats = f"{len(one.holders)}/{one.threshold}"
            yield flaw(
                name,
                (f"seats that signed: {seats}", f"sièges signataires\u00a0: {seats}"),
                ("Have the others sign.", "Faites signer les autres."),
            )


def _acting(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    """An interim decision may act at once; where it set the removal after the vendor's last day, it keeps its word."""
    record = look(file, taking, "vendor", VendorRecord)
    directive = look(file, taking, "directive", Directive)
    if record is None or directive is None or not vendor.still_open(record, taking.at.date()):
        return
    begins = min((one.by for one in directive.actions if one.verb in _REMOVES and one.by), default=None)
    if begins is not None and record.reply_due is not None and record.reply_due < begins:
        yield flaw(
            "vendor.reply",
            (
                f"the vendor may reply until {record.reply_due}, before removal begins on {begins}",
                f"le fournisseur peut répondre jusqu'au {record.reply_due}, avant le début du retrait le {begins}",
            ),
            ("Wait for the reply or for that day to pass.", "Attendez la réponse, ou que ce jour soit passé."),
        )


def _scheduled(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    review = look(file, taking, "review", ScheduledReview)
    if review is None:
        return
    yield from written("review.because", review.because)
    yield from written("review.findings", review.findings)
    if review.on > taking.at.date():
        yield _future("review.on")
    if review.next_on is not None and review.next_on <= review.on:
        yield flaw(
            "review.next_on",
            ("it is not after this review", "il n'est pas postérieur au présent réexamen"),
            ("Set a later day.", "Fixez un jour ultérieur."),
        )


def _concluded(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    review = look(file, taking, "review", ScheduledReview)
    wanted = ReviewVerdict(taking.stage.value)
    if review is None or review.verdict is not wanted:
        yield flaw(
            "review.verdict",
            (
                f"the last review does not conclude '{wanted}'",
                f"le dernier réexamen ne conclut pas à «\u00a0{wanted}\u00a0»",
            ),
            (
                "Record a review that does, with its findings.",
                "Consignez un réexamen qui y conclut, avec ses constats.",
            ),
        )


def _succeeding(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    yield from _concluded(file, taking)
    successor = taking.documents.get("successor")
    mine = look(file, taking, "directive", Directive)
    if isinstance(successor, Directive) and mine and (successor.supersedes != mine.id or successor.id == mine.id):
        yield flaw(
            "successor.supersedes",
            (f"it does not say that it supersedes {mine.id}", f"elle ne dit pas qu'elle remplace {mine.id}"),
            ("Attach the directive that does.", "Joignez la directive qui le fait."),
        )


def _changing(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    yield from _concluded(file, taking)
    yield from _signing(file, taking) if taking.stage is Stage.revoke else ()


def _future(name: str) -> Missing:
    return flaw(name, ("it lies in the future", "la date est dans l'avenir"), ("Correct it.", "Corrigez-la."))


Check = Callable[[CaseFile, Taking], Iterator[Missing]]

_CHECKS: dict[str, Check] = {
    "received": _received,
    "evidence": _evidence,
    "directive": _directive,
    "targets": _targets,
    "impact": _impact,
    "vendor": _vendor,
    "decision": deciding.decision_flaws,
    "review": _scheduled,
}
_STAGE_CHECKS: dict[Stage, Check] = {
    **dict.fromkeys(DECISIONS[:2], deciding.final_flaws),
    Stage.sign: _signing,
    Stage.act: _acting,
    Stage.amend: _changing,
    Stage.supersede: _succeeding,
    Stage.revoke: _changing,
}

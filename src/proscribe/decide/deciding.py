"""What must be right in a decision: it rests on the case, is dated after its record, and hides nothing it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from proscribe.canonical import Digest
from proscribe.decide import vendor
from proscribe.decide.file import CaseFile, Taking, attached, look
from proscribe.decide.missing import Missing, blank, flaw, written
from proscribe.decide.model import (
    Decision,
    EvidenceRegister,
    ReviewOpinion,
    ReviewOutcome,
    Stage,
    Track,
    VendorRecord,
)
from proscribe.decide.needs import MORE, Road, road_of
from proscribe.directive.model import Compromise, Directive
from proscribe.documents import digest


def decision_flaws(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    """What is wrong with a decision beside the case it is taken in."""
    decision = look(file, taking, "decision", Decision)
    if decision is None:
        return
    yield from _decided(file, taking, decision)
    yield from _reasons(decision, look(file, taking, "directive", Directive))
    opinions = {
        name: one
        for name, one in ((name, file.current(name)) for name in attached(file.steps))
        if isinstance(one, ReviewOpinion) and not name.startswith(f"{MORE}.")
    }
    expected = {digest(one) for one in opinions.values()}
    if set(decision.reviews) != expected:
        yield flaw(
            "decision.reviews",
            ("it does not name each review of this case", "elle ne nomme pas chaque examen du dossier"),
            (f"Name {', '.join(sorted(expected)) or '-'}.", f"Nommez {', '.join(sorted(expected)) or '-'}."),
        )
    reserved = sorted(name for name, one in opinions.items() if one.outcome is not ReviewOutcome.favourable)
    if reserved and (not decision.answers or any(blank(one) for one in decision.answers)):
        names = ", ".join(reserved)
        yield flaw(
            "decision.answers",
            (f"it does not answer {names}", f"elle ne répond pas à {names}"),
            (
                "A review that is unfavourable or sets conditions does not bind, but it is answered.",
                "Un examen défavorable ou assorti de conditions ne lie pas, mais il reçoit une réponse.",
            ),
        )


def _decided(file: CaseFile, taking: Taking, decision: Decision) -> Iterator[Missing]:
    case = file.case
    yield from written("decision.decided_by", decision.decided_by)
    if not decision.role.strip():
        yield flaw("decision.role", ("no role decides", "aucun rôle ne décide"), ("Name the role.", "Nommez le rôle."))
    last = file.steps[-1].at if file.steps else case.opened_at
    if not last <= decision.at <= taking.at:
        yield flaw(
            "decision.at",
            (
                f"it is not between {_iso(last)}, when its record was complete, and {_iso(taking.at)}",
                f"le moment n'est pas entre {_iso(last)}, quand le dossier était complet, et {_iso(taking.at)}",
            ),
            (
                "Decide on a complete record, and date it so.",
                "Décidez sur un dossier complet, et datez en conséquence.",
            ),
        )
    if decision.track is not case.track:
        yield flaw(
            "decision.track",
            (f"the case is on the {case.track} track", f"le dossier suit la voie «\u00a0{case.track}\u00a0»"),
            ("Write the same track.", "Indiquez la même voie."),
        )
    ends = case.interim_until if taking.stage is Stage.decide else None
    unconfirmed = all(step.stage is not Stage.confirm for step in file.steps)
    if taking.stage is Stage.amend and unconfirmed:
        ends = case.interim_until  # an amendment does not lengthen it
    if decision.interim_until != ends:
        shown = ends.isoformat() if ends else "null"
        yield flaw(
            "decision.interim_until",
            (f"it must be {shown} here", f"il doit être {shown} ici"),
            (
                "An interim decision ends unless confirmed; a confirmed one stands.",
                "Une décision provisoire prend fin faute de confirmation; confirmée, elle demeure.",
            ),
        )


def _reasons(decision: Decision, directive: Directive | None) -> Iterator[Missing]:
    for field in ("legal_basis", "stated_reasons"):
        texts = getattr(decision, field)
        if not texts or any(blank(one) for one in texts):
            yield flaw(
                f"decision.{field}",
                ("it is missing in one language or both", "il manque dans une langue ou dans les deux"),
                (
                    "Say on what basis and for which reasons; that none is stated can be said, too.",
                    "Dites sur quel fondement et pour quels motifs; vous pouvez aussi dire qu'aucun n'est énoncé.",
                ),
            )
    if set(decision.stated_reasons) & set(decision.analyst_context):
        yield flaw(
            "decision.analyst_context",
            (
                "a stated reason is repeated as analysts' context",
                "un motif énoncé est repris comme contexte d'analystes",
            ),
            ("Keep the two apart.", "Distinguez les deux."),
        )
    claims_harm = decision.compromise_found in (Compromise.alleged, Compromise.confirmed)
    if claims_harm and blank(decision.compromise_basis):
        yield from written("decision.compromise_basis", decision.compromise_basis)
    if directive is None:
        return
    if decision.compromise_found is not directive.compromise_found:
        yield flaw(
            "decision.compromise_found",
            (f"the directive says {directive.compromise_found}", f"la directive dit {directive.compromise_found}"),
            ("Say the same in both.", "Dites la même chose dans les deux."),
        )
    if not set(directive.stated_reasons) <= set(decision.stated_reasons):
        yield flaw(
            "directive.stated_reasons",
            (
                "the directive states reasons that the decision does not",
                "la directive énonce des motifs que la décision n'énonce pas",
            ),
            (
                "What is published never says more than the decision.",
                "Ce qui est publié n'en dit jamais plus que la décision.",
            ),
        )


def final_flaws(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    """What a decision that is final needs beside its document: the vendor heard, the register in order."""
    road, stage = road_of(file.case), taking.stage
    final = stage is Stage.confirm or (stage is Stage.decide and file.case.track is Track.standard)
    if final:
        yield from _overtaken(file)
    if road is Road.own and final:
        record = look(file, taking, "vendor", VendorRecord)
        register = look(file, taking, "evidence", EvidenceRegister)
        if record is not None:
            yield from vendor.unheard(record, register, taking.at.date())
            yield from vendor.unseen(record, register, _register_then(file, record))
    directive = look(file, taking, "directive", Directive)
    if isinstance(directive, Directive) and road is Road.own and stage is Stage.decide:
        yield from _effect(directive, taking.at.date())


def _overtaken(file: CaseFile) -> Iterator[Missing]:
    """An impact preview and reviews are of the directive and targets that lay before them, and of no later ones."""
    changed, given = 0, dict[str, int]()
    held: dict[str, Digest] = {}
    for step in file.steps:
        for one in step.documents:
            if one.name in ("directive", "targets") and held.get(one.name) != one.digest:
                changed = step.number
            held[one.name] = one.digest
            given[one.name] = step.number
    for name, number in given.items():
        if (name == "impact" or name.startswith("review.")) and number < changed:
            stage = Stage.impact if name == "impact" else Stage.reviews
            yield flaw(
                name,
                (
                    "the directive or its targets were changed after it",
                    "la directive ou ses cibles ont été modifiées depuis",
                ),
                (f"Take stage '{stage}' again.", f"Franchissez de nouveau l'étape «\u00a0{stage}\u00a0»."),
            )


def _register_then(file: CaseFile, record: VendorRecord) -> EvidenceRegister | None:
    """The evidence register as it was when the vendor was first written to with the letter of this record."""
    register: EvidenceRegister | None = None
    for step in file.steps:
        for one in step.documents:
            document = file.known[one.digest]
            if one.name == "evidence" and isinstance(document, EvidenceRegister):
                register = document
        for one in step.documents:
            document = file.known[one.digest]
            if one.name == "vendor" and isinstance(document, VendorRecord) and document.notice == record.notice:
                return register
    return register


def _effect(directive: Directive, decided: date) -> Iterator[Missing]:
    """A decision takes effect on a stated day, and not before there is one."""
    if directive.effective is None:
        yield flaw(
            "directive.effective",
            ("it does not say from when on it holds", "elle ne dit pas à partir de quand elle vaut"),
            ("Set a day; no notice could name it otherwise.", "Fixez un jour; aucun avis ne pourrait le nommer sinon."),
        )
    elif directive.effective < decided:
        yield flaw(
            "directive.effective",
            (
                f"it takes effect on {directive.effective}, before it is decided",
                f"elle prend effet le {directive.effective}, avant d'être décidée",
            ),
            ("Set a day that is not past.", "Fixez un jour qui n'est pas passé."),
        )


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")

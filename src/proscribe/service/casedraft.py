"""Documents of a case to start from: what the case knows already is filled in, the rest stands in [brackets]."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from proscribe.canonical import Digest
from proscribe.catalogue.model import TargetSet
from proscribe.decide.file import CaseFile, attached
from proscribe.decide.model import (
    Claim,
    ClaimStatus,
    Decision,
    EvidenceItem,
    EvidenceKind,
    EvidenceRegister,
    Impact,
    ReviewKind,
    ReviewOpinion,
    ReviewOutcome,
    ReviewVerdict,
    ScheduledReview,
    Stage,
    VendorRecord,
)
from proscribe.directive.library import target_set
from proscribe.directive.model import Compromise, Directive
from proscribe.documents import Document, digest
from proscribe.errors import ProscribeError, Where
from proscribe.service import casestore
from proscribe.service.installation import Installation
from proscribe.text import Text


class NothingToDraft(ProscribeError):
    """No draft can be made under that name, or the case does not hold yet what it would rest on."""

    code = "case.nothing-to-draft"


@dataclass(frozen=True, slots=True)
class Words:
    """Words for a draft of a decision that are known already."""

    decided_by: Text | None = None
    legal_basis: tuple[Text, ...] = ()
    answers: tuple[Text, ...] = ()
    analyst_context: tuple[Text, ...] = ()


@dataclass(frozen=True)
class _Ground:
    """What a draft is made from."""

    file: CaseFile
    desk: Mapping[str, Document]
    now: datetime
    actor: str
    words: Words

    def held(self, name: str) -> Document | None:
        """What lies ready under a name, else what a step took."""
        return self.desk.get(name) or self.file.current(name)

    def digest(self, name: str) -> Digest | None:
        document = self.held(name)
        return digest(document) if document is not None else None


def draft(installation: Installation, case_id: str, name: str, words: Words | None = None) -> Document:
    """A draft of the document that goes under a name. Raises UnknownCase or NothingToDraft."""
    file = casestore.load(installation, case_id)
    desk = {one.name: casestore.fetch(installation, one) for one in casestore.desk_of(installation, case_id)}
    ground = _Ground(file, desk, installation.clock.now(), installation.actor, words or Words())
    base, _, rest = name.partition(".")
    if base == "review" and rest in set(ReviewKind):
        return _opinion(ground, ReviewKind(rest))
    maker = _MAKERS.get(name)
    if maker is None:
        names = ", ".join((*_MAKERS, "review.privacy"))
        raise NothingToDraft(
            Text(f"there is no draft of {name!r}", f"il n'existe pas d'ébauche de «\u00a0{name}\u00a0»"),
            remedy=Text(f"Drafts can be made of: {names}.", f"Ébauches possibles\u00a0: {names}."),
            where=Where(field="name"),
        )
    return maker(ground)


def reviewed_targets(installation: Installation, case_id: str, reviewed_by: str) -> TargetSet:
    """The target set of the case's directive, resolved now and approved by a role. Raises NothingToDraft."""
    file = casestore.load(installation, case_id)
    desk = {one.name: casestore.fetch(installation, one) for one in casestore.desk_of(installation, case_id)}
    directive = desk.get("directive") or file.current("directive")
    if not isinstance(directive, Directive):
        raise _first("directive")
    now = installation.clock.now()
    found = target_set(directive, now=now)
    if found.reviewed_by:  # shipped: reviewed when it was issued
        return found
    return replace(found, reviewed_by=reviewed_by, reviewed_on=now.date())


def _first(name: str) -> NothingToDraft:
    return NothingToDraft(
        Text(f"the case holds no '{name}' yet", f"le dossier n'a pas encore de document «\u00a0{name}\u00a0»"),
        remedy=Text(f"Add '{name}' first.", f"Ajoutez d'abord «\u00a0{name}\u00a0»."),
        where=Where(field=name),
    )


_WRITE = Text("[To be written]", "[À rédiger]")


def _evidence(ground: _Ground) -> EvidenceRegister:
    before = ground.file.current("evidence")
    if isinstance(before, EvidenceRegister):
        return replace(before, version=before.version + 1)
    item = EvidenceItem(
        id="e1",
        kind=EvidenceKind.publication,
        title=_WRITE,
        source="",
        collected_by=ground.actor,
        collected_at=ground.now,
        marking="TLP:CLEAR",
        public=True,
        supports=("c1",),
        does_not_show=_WRITE,
        digest=ground.file.case.received,
    )
    if ground.file.case.received is not None:
        item = replace(item, kind=EvidenceKind.partner)
    return EvidenceRegister(ground.file.case.id, 1, (item,), (Claim("c1", _WRITE, ClaimStatus.asserted),))


def _impact(ground: _Ground) -> Impact:
    return Impact(
        case=ground.file.case.id,
        at=ground.now,
        devices=None,
        in_scope=None,
        departments=None,
        official_accounts=_WRITE,
        records_at_risk=_WRITE,
        stated_needs=(),
        alternatives=(_WRITE,),
        not_known=(_WRITE,),
    )


def _vendor(ground: _Ground) -> VendorRecord:
    before = ground.held("vendor")
    return before if isinstance(before, VendorRecord) else VendorRecord(ground.file.case.id, _WRITE)


def _opinion(ground: _Ground, kind: ReviewKind) -> ReviewOpinion:
    day = ground.now.date()
    return ReviewOpinion(ground.file.case.id, kind, ReviewOutcome.favourable, ground.actor, day, _WRITE)


def _decision(ground: _Ground) -> Decision:
    directive = ground.held("directive")
    if not isinstance(directive, Directive):
        raise _first("directive")
    names = {name: ground.digest(name) for name in ("directive", "targets", "evidence", "impact", "vendor")}
    for name in ("targets", "evidence"):
        if names[name] is None:
            raise _first(name)
    case, words = ground.file.case, ground.words
    final = any(step.stage is Stage.decide for step in ground.file.steps)
    opinions = {one.digest for name, one in attached(ground.file.steps).items() if name.startswith("review.")}
    return Decision(
        case=case.id,
        at=ground.now,
        decided_by=words.decided_by or _WRITE,
        role=ground.actor,
        track=case.track,
        legal_basis=words.legal_basis or (_WRITE,),
        stated_reasons=directive.stated_reasons,
        compromise_found=directive.compromise_found,
        compromise_basis=_basis(directive),
        directive=names["directive"] or Digest(""),
        targets=names["targets"] or Digest(""),
        evidence=names["evidence"] or Digest(""),
        impact=names["impact"],
        vendor=names["vendor"],
        reviews=tuple(sorted(opinions)),
        answers=words.answers,
        analyst_context=words.analyst_context,
        interim_until=None if final else case.interim_until,
    )


def _basis(directive: Directive) -> Text | None:
    if directive.compromise_basis is None and directive.compromise_found in (Compromise.alleged, Compromise.confirmed):
        return _WRITE
    return directive.compromise_basis


def _review(ground: _Ground) -> ScheduledReview:
    return ScheduledReview(
        case=ground.file.case.id,
        on=ground.now.date(),
        by=ground.actor,
        because=_WRITE,
        verdict=ReviewVerdict.keep,
        findings=_WRITE,
    )


_MAKERS: dict[str, Callable[[_Ground], Document]] = {
    "evidence": _evidence,
    "impact": _impact,
    "vendor": _vendor,
    "decision": _decision,
    "review": _review,
}

"""The documents of a replayed case: what the public record holds, and fillings that say that they are fillings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from proscribe.catalogue.model import TargetSet
from proscribe.decide.model import (
    Case,
    Claim,
    ClaimStatus,
    Decision,
    EvidenceItem,
    EvidenceKind,
    EvidenceRegister,
    Impact,
    Origin,
    ReviewKind,
    ReviewOpinion,
    ReviewOutcome,
    ReviewVerdict,
    ScheduledReview,
    Track,
    VendorRecord,
    Waiver,
)
from proscribe.directive.library import find, target_set
from proscribe.directive.model import Directive
from proscribe.documents import digest
from proscribe.text import Text

FILLED = Text(
    "Entered for this replay: the public record that was consulted holds none.",
    "Saisi pour cette reconstitution\u00a0: les sources publiques consultées n'en contiennent pas.",
)
"""Stands wherever the life cycle asks for something that nobody outside the authority knows."""


@dataclass(frozen=True)
class Precedent:
    """One real decision: its facts from the file of precedents, and the directive that ships."""

    facts: dict[str, Any]

    @property
    def id(self) -> str:
        """The id of the directive."""
        return str(self.facts["id"])

    @property
    def directive(self) -> Directive:
        """The shipped directive."""
        return find(self.id)

    @property
    def announced(self) -> date:
        """The day of the announcement."""
        return date.fromisoformat(str(self.facts["announced"]))

    @property
    def window(self) -> tuple[date, date] | None:
        """Notice to the vendor and last day of its reply; None where it was not asked."""
        vendor = self.facts["vendor"]
        if "reply_due" not in vendor:
            return None
        return date.fromisoformat(str(vendor["notice"])), date.fromisoformat(str(vendor["reply_due"]))

    @property
    def track(self) -> Track:
        """A decision that came before the vendor's word is on the interim track where that word could change it."""
        return Track.interim if self.window else Track.standard

    @property
    def last_interim_day(self) -> date | None:
        """When the removal was to begin: by then the replies were weighed."""
        return date.fromisoformat(str(self.facts["deadlines"]["begin"])) if self.window else None


def disagreements(precedent: Precedent) -> list[str]:
    """Where the directive that ships says otherwise than the facts."""
    directive, facts = precedent.directive, precedent.facts
    compared = {
        "announced": (str(directive.announced), str(facts["announced"])),
        "effective": (str(directive.effective), str(facts["effective"])),
        "force": (directive.force.value, facts["force"]),
        "compromise_found": (directive.compromise_found.value, facts["compromise_found"]),
    }
    return [f"{name}: {ours} and {theirs}" for name, (ours, theirs) in compared.items() if ours != theirs]


def moment(day: date, hour: int = 9) -> datetime:
    """A time of day, in UTC."""
    return datetime.combine(day, time(hour), UTC)


def head(precedent: Precedent, opened_at: datetime) -> Case:
    """The case as it is opened."""
    interim = precedent.track is Track.interim
    return Case(
        id=f"replay-{precedent.id}",
        title=precedent.directive.title,
        track=precedent.track,
        origin=Origin.concern,
        concern=FILLED,
        opened_at=opened_at,
        opened_by="analyst",
        directive=precedent.id,
        urgency=FILLED if interim else None,
        interim_until=precedent.last_interim_day,
    )


def evidence(precedent: Precedent, case: str, at: datetime) -> EvidenceRegister:
    """Each stated reason is a claim; each source an item. A reply that is on record makes the claims contested."""
    directive = precedent.directive
    reply = directive.vendor_response if precedent.window is None else None
    claims = tuple(
        Claim(
            id=f"reason-{number}",
            text=reason,
            status=ClaimStatus.upheld if reply else ClaimStatus.asserted,
            reply=reply,
            weighed=FILLED if reply else None,
        )
        for number, reason in enumerate(directive.stated_reasons, start=1)
    )
    items = tuple(
        EvidenceItem(
            id=f"source-{number}",
            kind=EvidenceKind.publication,
            title=directive.instrument,
            source=address,
            collected_by="analyst",
            collected_at=at,
            marking="TLP:CLEAR",
            public=True,
            supports=tuple(claim.id for claim in claims),
            does_not_show=Text(
                "It says what the authority stated, and not on what evidence.",
                "Il rapporte ce que l'autorité a énoncé, et non les preuves sur lesquelles elle s'est fondée.",
            ),
        )
        for number, address in enumerate(precedent.facts["sources"], start=1)
    )
    return EvidenceRegister(case=case, version=1, items=items, claims=claims)


def targets(precedent: Precedent, on: date) -> TargetSet:
    """What the directive names, in identifiers, as if reviewed on that day."""
    found = target_set(precedent.directive, now=moment(on))
    return replace(found, reviewed_by="security", reviewed_on=on)


def impact(case: str, at: datetime) -> Impact:
    """How many devices held the apps was never published."""
    return Impact(
        case=case,
        at=at,
        devices=None,
        in_scope=None,
        departments=None,
        official_accounts=FILLED,
        records_at_risk=FILLED,
        stated_needs=(),
        alternatives=(),
        not_known=(
            Text(
                "How many devices held the apps, and whose.",
                "Combien d'appareils contenaient les applications, et à qui ils étaient confiés.",
            ),
        ),
    )


def vendor(precedent: Precedent, case: str, on: date) -> VendorRecord:
    """The window that the notice gave; or a waiver, where nobody was asked."""
    directive = precedent.directive
    name = Text(directive.items[0].publisher.title(), directive.items[0].publisher.title())
    if precedent.window:
        sent, due = precedent.window
        return VendorRecord(case=case, vendor=name, notice_sent=sent, notice=digest(directive), reply_due=due)
    return VendorRecord(case=case, vendor=name, waiver=Waiver(reason=FILLED, by="cio", on=on))


def opinions(case: str, on: date) -> dict[str, ReviewOpinion]:
    """The five reviews."""
    return {
        f"review.{kind}": ReviewOpinion(
            case=case, review=kind, outcome=ReviewOutcome.favourable, by=f"{kind}-reviewer", on=on, opinion=FILLED
        )
        for kind in ReviewKind
    }


def decision(precedent: Precedent, case: Case, at: datetime, known: dict[str, Any], *, final: bool) -> Decision:
    """The decision, resting on what the case holds by then."""
    directive = precedent.directive

    def of(name: str) -> Any:
        return digest(known[name]) if name in known else None

    return Decision(
        case=case.id,
        at=at,
        decided_by=directive.authority.decided_by,
        role="cio",
        track=case.track,
        legal_basis=directive.authority.legal_basis or (FILLED,),
        stated_reasons=directive.stated_reasons,
        compromise_found=directive.compromise_found,
        directive=digest(directive),
        targets=of("targets"),
        evidence=of("evidence"),
        impact=of("impact"),
        vendor=of("vendor"),
        reviews=tuple(sorted(digest(one) for name, one in known.items() if name.startswith("review."))),
        analyst_context=directive.analyst_context,
        compromise_basis=directive.compromise_basis,
        interim_until=None if final else case.interim_until,
    )


def later_review(case: str, on: date) -> ScheduledReview:
    """A look at it a year on. None of the three set a day for one."""
    return ScheduledReview(
        case=case,
        on=on,
        by="security",
        because=FILLED,
        verdict=ReviewVerdict.keep,
        findings=FILLED,
        next_on=on + timedelta(days=365),
    )

"""A whole case, made up of documents in order: what a stage needs, made to fit what the case holds so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from proscribe.canonical import Digest, digest_bytes
from proscribe.decide.file import CaseFile, Taking, attached
from proscribe.decide.model import (
    Case,
    Claim,
    ClaimResponse,
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
    Stage,
    Step,
    Track,
    VendorRecord,
    Waiver,
)
from proscribe.decide.needs import Road, needed, road_of
from proscribe.decide.process import advance
from proscribe.directive.library import find, target_set
from proscribe.directive.model import Directive, State
from proscribe.documents import Document, digest
from proscribe.feed.model import Acknowledgement, FleetDeclared, Rollup
from proscribe.publish.notices.model import Audience, Contact, Notice
from proscribe.text import Text
from proscribe.trust.model import Scheme, Signature, Storage, Verification, Weight

OPENED = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
SHIPPED = "ca-tbs-2023-wechat-kaspersky"
DIRECTIVE = "ca-2026-wechat"
LETTER, REPLY = digest_bytes(b"the letter"), digest_bytes(b"the reply")
ALL_OWN = (
    Stage.intake,
    Stage.assess,
    Stage.targets,
    Stage.impact,
    Stage.vendor,
    Stage.reviews,
    Stage.decide,
    Stage.sign,
    Stage.publish,
    Stage.acknowledge,
    Stage.act,
    Stage.attest,
)


def said(words: str) -> Text:
    return Text(f"{words}.", f"{words} (fr).")


def a_case(**changes: Any) -> Case:
    return replace(
        Case(
            id="c-1",
            title=said("WeChat"),
            track=Track.standard,
            origin=Origin.referral,
            concern=said("What the app can reach"),
            opened_at=OPENED,
            opened_by="analyst",
            directive=DIRECTIVE,
        ),
        **changes,
    )


def interim(**changes: Any) -> Case:
    return a_case(
        track=Track.interim,
        urgency=said("Ministers travel tomorrow"),
        interim_until=OPENED.date() + timedelta(days=90),
        **changes,
    )


def adopted(origin: Origin, **changes: Any) -> Case:
    return a_case(origin=origin, received=digest(directive()), **changes)


def directive(version: int = 1, **changes: Any) -> Directive:
    shipped = find(SHIPPED)
    fields = {"id": DIRECTIVE, "version": version, "effective": OPENED.date() + timedelta(days=60), **changes}
    return replace(shipped, **fields)


def register(version: int = 1, **changes: Any) -> EvidenceRegister:
    item = EvidenceItem(
        id="e1",
        kind=EvidenceKind.partner,
        title=said("A report"),
        source="https://example.org/report",
        collected_by="analyst",
        collected_at=OPENED,
        marking="TLP:CLEAR",
        public=True,
        supports=("reach",),
        does_not_show=said("That anything was taken"),
    )
    claim = Claim(id="reach", text=said("The app reads the address book"), status=ClaimStatus.asserted)
    return replace(EvidenceRegister("c-1", version, (item,), (claim,)), **changes)


def contested(version: int = 2) -> EvidenceRegister:
    first = register()
    claim = replace(
        first.claims[0],
        status=ClaimStatus.upheld,
        reply=said("It asks first"),
        weighed=said("It asks once, for everything"),
    )
    return replace(first, version=version, claims=(claim,))


def waived(on: date) -> VendorRecord:
    return VendorRecord("c-1", said("Tencent"), waiver=Waiver(said("Talks are under way"), "cio", on))


def notified(on: date, *, due: date, replied: date | None = None) -> VendorRecord:
    answer = ClaimResponse("reach", said("It asks first"), said("We looked again"), changed=False)
    return VendorRecord(
        "c-1",
        said("Tencent"),
        notice_sent=on,
        notice=LETTER,
        reply_due=due,
        reply_received=replied,
        reply=REPLY if replied else None,
        responses=(answer,) if replied else (),
    )


@dataclass
class Story:
    """A case that is taken on, day by day, with every document in order unless told otherwise."""

    file: CaseFile
    now: datetime = OPENED

    def made(self, stage: Stage) -> dict[str, Document]:
        """Each document that the stage asks for."""
        found: dict[str, Document] = {}
        for need in needed(self.file.case, stage):
            if not need.optional:
                found[need.name] = self._make(need.name, stage, found)
        return found

    def take(self, stage: Stage, changes: Mapping[str, Document | None] | None = None, **more: Any) -> Step:
        """Take the case on by a day; ``changes`` replaces documents, None leaves one out."""
        self.now = more.pop("at", self.now + timedelta(days=1))
        documents = {**self.made(stage), **(changes or {})}
        given = {name: one for name, one in documents.items() if one is not None}
        taking = Taking(stage, given, at=self.now, by="cio", **more)
        step = advance(self.file, taking)
        known = {**self.file.known, **{digest(one): one for one in given.values()}}
        self.file = CaseFile(self.file.case, (*self.file.steps, step), known)
        return step

    def until(self, *stages: Stage) -> Story:
        for stage in stages:
            self.take(stage, at=self.now if stage is Stage.intake else self.now + timedelta(days=1))
        return self

    def of(self, name: str, found: Mapping[str, Document] | None = None) -> Digest | None:
        if found and name in found:
            return digest(found[name])
        held = attached(self.file.steps).get(name)
        return held.digest if held else None

    def _make(self, name: str, stage: Stage, found: Mapping[str, Document]) -> Document:
        base, _, rest = name.partition(".")
        makers: dict[str, Callable[[], Document]] = {
            "received": directive,
            "evidence": register,
            "directive": lambda: self._directive(stage),
            "targets": lambda: self._targets(found),
            "impact": self._impact,
            "vendor": lambda: waived(self.now.date()),
            "decision": lambda: self._decision(stage, found),
            "acknowledgement": self._acknowledgement,
            "action": self._rollup,
            "attestation": self._rollup,
            "successor": lambda: replace(directive(), id="ca-2027-wechat", supersedes=DIRECTIVE),
        }
        if base == "review" and rest:
            return self._opinion(ReviewKind(rest))
        if base == "review":
            return scheduled(self.now.date())
        if base == "signature":
            return self._signature(rest, found)
        if base == "notice":
            return self._notice(Audience(rest), found)
        return makers[base]()

    def _directive(self, stage: Stage) -> Directive:
        before = self.file.current("directive")
        version = before.version + 1 if isinstance(before, Directive) else 1
        return directive(version, state=State.revoked if stage is Stage.revoke else State.in_force)

    def _targets(self, found: Mapping[str, Document]) -> Document:
        new = found["directive"]
        assert isinstance(new, Directive)
        shipped = target_set(find(SHIPPED), now=self.now)
        return replace(
            shipped,
            directive=new.id,
            directive_version=new.version,
            reviewed_by="security",
            reviewed_on=self.now.date(),
        )

    def _impact(self) -> Impact:
        return Impact(
            "c-1", self.now, 12, 400, None, said("None"), said("Chats"), (), (said("Signal"),), (said("Departments"),)
        )

    def _opinion(self, kind: ReviewKind) -> ReviewOpinion:
        return ReviewOpinion("c-1", kind, ReviewOutcome.favourable, f"{kind}-office", self.now.date(), said("Fine"))

    def _decision(self, stage: Stage, found: Mapping[str, Document]) -> Decision:
        new = found.get("directive") or self.file.current("directive") or directive()
        assert isinstance(new, Directive)
        case = self.file.case
        opinions = {one.digest for name, one in attached(self.file.steps).items() if name.startswith("review.")}
        confirmed = stage is Stage.confirm or any(step.stage is Stage.confirm for step in self.file.steps)
        return Decision(
            case="c-1",
            at=self.now,
            decided_by=said("Chief Information Officer"),
            role="cio",
            track=case.track,
            legal_basis=(said("Policy on Service and Digital"),),
            stated_reasons=new.stated_reasons,
            compromise_found=new.compromise_found,
            compromise_basis=new.compromise_basis,
            directive=digest(new),
            targets=self.of("targets", found) or Digest(""),
            evidence=self.of("evidence", found) or Digest(""),
            impact=self.of("impact"),
            vendor=self.of("vendor"),
            reviews=tuple(sorted(opinions)),
            interim_until=None if confirmed or stage is Stage.revoke else case.interim_until,
        )

    def _signature(self, of: str, found: Mapping[str, Document]) -> Verification:
        seats = tuple(
            Signature(f"k-{seat}", Weight.counted, seat, Scheme.ed25519, Storage.encrypted_file)
            for seat in ("cio", "legal")
        )
        named = self.of(of, found) or Digest("")
        return Verification(named, f"proscribe.{of}", "analyst", self.now, digest_bytes(b"keys"), 1, 2, seats)

    def _notice(self, audience: Audience, found: Mapping[str, Document]) -> Notice:
        return Notice(
            audience=audience,
            case="c-1",
            directive=DIRECTIVE,
            directive_digest=self.of("directive", found) or Digest(""),
            decision=self.of("decision", found),
            at=self.now,
            issuer=said("The organisation"),
            label=said("Notice"),
            title=said("WeChat"),
            lead=said("It goes"),
            sections=(),
            contact=Contact(said("The office")),
        )

    def _acknowledgement(self) -> Acknowledgement:
        fleet = FleetDeclared(said("Phones"), "system", 400)
        named = self.of("directive") or Digest("")
        return Acknowledgement("lamps", DIRECTIVE, named, self.now, "owner", (fleet,), 0, said("None"))

    def _rollup(self) -> Rollup:
        day = self.now.date()
        return Rollup(DIRECTIVE, self.of("directive") or Digest(""), self.now, day, day, (), {}, {})


def scheduled(on: date, verdict: ReviewVerdict = ReviewVerdict.keep) -> ScheduledReview:
    return ScheduledReview("c-1", on, "security", said("A year is over"), verdict, said("Nothing changed"))


def road_stages(case: Case) -> tuple[Stage, ...]:
    """Every stage of a case up to its attestations, in an order in which it can be taken."""
    if road_of(case) is Road.own:
        own = ALL_OWN
    elif road_of(case) is Road.partner:
        own = tuple(stage for stage in ALL_OWN if stage is not Stage.vendor)
    else:
        own = tuple(stage for stage in ALL_OWN if stage not in (Stage.vendor, Stage.impact, Stage.reviews))
    if case.track is Track.standard:
        return own
    early = [stage for stage in own if stage not in (Stage.impact, Stage.vendor, Stage.reviews)]
    late = [stage for stage in own if stage not in early]
    return (*early, *late, Stage.confirm)


@pytest.fixture
def story() -> Callable[..., Story]:
    return lambda case=None: Story(CaseFile(case or a_case()))

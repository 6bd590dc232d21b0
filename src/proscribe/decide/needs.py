"""What each stage of a case rests on, and in which order stages come: tables, no logic.

A case of our own goes the whole road. A directive received from elsewhere is adopted on a shorter one: somebody else
has heard the vendor and decided; what is ours is whether, on what devices and with what care.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from proscribe.decide.model import Case, Origin, ReviewKind, Stage, Track
from proscribe.decide.words import REVIEWS
from proscribe.text import Text

MORE = "more"
"""Prefix of documents that a step carries without being asked for them: ``more.minutes``."""


NAME = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
"""The name under which a document is attached."""


@dataclass(frozen=True, slots=True)
class Needed:
    """A document that a stage rests on.

    ``many``: also ``name.<anything>``, at least one of all. ``fits``: (field, name) pairs; that field of the document
    holds the digest of what is attached under that name, or None where nothing is. ``says``: (field, value) pairs.
    """

    name: str
    kinds: tuple[str, ...]  # () for any
    what: Text
    many: bool = False
    optional: bool = False
    fits: tuple[tuple[str, str], ...] = ()
    says: tuple[tuple[str, str], ...] = ()


class Road(StrEnum):
    """Which list of documents applies."""

    own = "own"
    partner = "partner"  # adopted from another government
    feed = "feed"  # adopted from the authority above


def road_of(case: Case) -> Road:
    """The road of a case, from what opened it."""
    return {Origin.partner: Road.partner, Origin.feed: Road.feed}.get(case.origin, Road.own)


_EVIDENCE = Needed(
    "evidence", ("proscribe.evidence",), Text("the evidence register", "le registre des éléments de preuve")
)
_EVIDENCE_AGAIN = replace(_EVIDENCE, optional=True)
_RECEIVED = Needed("received", (), Text("what was received", "ce qui a été reçu"))
_ASSESSMENTS = Needed(
    "assessment", ("proscribe.assessment",), Text("an assessment", "une évaluation"), many=True, optional=True
)
_DIRECTIVE = Needed("directive", ("proscribe.directive",), Text("the directive", "la directive"))
_TARGETS = Needed("targets", ("proscribe.target-set",), Text("its reviewed target set", "ses cibles examinées"))
_IMPACT = Needed("impact", ("proscribe.impact",), Text("the impact preview", "l'aperçu de l'incidence"))
_VENDOR = Needed(
    "vendor",
    ("proscribe.vendor-record",),
    Text(
        "the vendor record (notice and reply, or a waiver with its reason)",
        "la fiche du fournisseur (avis et réponse, ou dispense motivée)",
    ),
)
_VENDOR_AGAIN = replace(_VENDOR, optional=True)
_DECISION = Needed(
    "decision",
    ("proscribe.decision",),
    Text("the decision", "la décision"),
    fits=tuple((name, name) for name in ("directive", "targets", "evidence", "impact", "vendor")),
)
_SIGNED = tuple(
    Needed(f"signature.{name}", ("proscribe.signature-verification",), what, fits=(("of", name),))
    for name, what in (
        ("directive", Text("the signatures of the directive", "les signatures de la directive")),
        ("targets", Text("the signatures of the target set", "les signatures des cibles")),
    )
)
_ENVELOPES = tuple(
    Needed(name, (kind,), what, many=True, optional=True)
    for name, kind, what in (
        ("envelope", "proscribe.signed", Text("the signed envelopes", "les enveloppes signées")),
        (
            "key-list",
            "proscribe.key-list",
            Text("the key list they were checked with", "la liste de clés qui a servi à les vérifier"),
        ),
    )
)
"""So that whoever has the case can check its signatures without us."""
_NOTICES = {
    audience: Needed(
        f"notice.{audience}",
        ("proscribe.notice",),
        what,
        fits=(("directive_digest", "directive"), ("decision", "decision")),
        says=(("audience", audience),),
    )
    for audience, what in (
        ("public", Text("the public notice", "l'avis public")),
        ("staff", Text("the notice to staff", "l'avis au personnel")),
        ("departments", Text("the instruction to departments", "l'instruction aux organismes")),
        ("vendor", Text("the notice to the vendor", "l'avis au fournisseur")),
    )
}
_NOTICE_VENDOR = replace(_NOTICES["vendor"], optional=True)
_ACKNOWLEDGEMENT = Needed(
    "acknowledgement",
    ("proscribe.acknowledgement",),
    Text("an acknowledgement", "un accusé de réception"),
    many=True,
    fits=(("directive_digest", "directive"),),
)
_ACTION = Needed(
    "action",
    ("proscribe.plan", "proscribe.standing", "proscribe.rollup"),
    Text(
        "what is carried out (a plan, a standing decision or a roll-up)",
        "ce qui est exécuté (un plan, la décision appliquée ou un état des organismes)",
    ),
    many=True,
    fits=(("directive_digest", "directive"),),
)
_ATTESTATION = Needed(
    "attestation",
    ("proscribe.attestation", "proscribe.rollup"),
    Text("an attestation (or a roll-up of them)", "une attestation (ou un état des organismes)"),
    many=True,
    fits=(("directive_digest", "directive"),),
)
_SCHEDULED = Needed("review", ("proscribe.scheduled-review",), Text("the review", "le réexamen"))
_SUCCESSOR = Needed(
    "successor", ("proscribe.directive",), Text("the directive that takes its place", "la directive qui la remplace")
)


def _opinions(*kinds: ReviewKind) -> tuple[Needed, ...]:
    return tuple(
        Needed(
            f"review.{kind}",
            ("proscribe.review-opinion",),
            Text(f"the review: {REVIEWS[kind].en}", f"l'examen\u00a0: {REVIEWS[kind].fr}"),
            says=(("review", kind),),
        )
        for kind in kinds
    )


_REVOKED = (_DIRECTIVE, _DECISION, _SIGNED[0], *_ENVELOPES, _EVIDENCE_AGAIN)
_LATER: dict[Stage, tuple[Needed, ...]] = {
    Stage.decide: (_DECISION, _EVIDENCE_AGAIN, _VENDOR_AGAIN),
    Stage.sign: (*_SIGNED, *_ENVELOPES),
    Stage.acknowledge: (_ACKNOWLEDGEMENT,),
    Stage.act: (_ACTION, _VENDOR_AGAIN),
    Stage.attest: (_ATTESTATION,),
    Stage.confirm: (_DECISION, _EVIDENCE_AGAIN, _VENDOR_AGAIN),
    Stage.review: (_SCHEDULED, _EVIDENCE_AGAIN),
    Stage.amend: (_DIRECTIVE, _TARGETS, _DECISION, _EVIDENCE_AGAIN),
    Stage.supersede: (_SUCCESSOR,),
    Stage.revoke: (*_REVOKED, _NOTICES["public"], _NOTICES["staff"]),
}

NEEDS: dict[Road, dict[Stage, tuple[Needed, ...]]] = {
    Road.own: {
        Stage.intake: (_ASSESSMENTS,),
        Stage.assess: (_EVIDENCE, _ASSESSMENTS),
        Stage.targets: (_DIRECTIVE, _TARGETS),
        Stage.impact: (_IMPACT,),
        Stage.vendor: (_VENDOR, _EVIDENCE_AGAIN),
        Stage.reviews: (*_opinions(*ReviewKind), _EVIDENCE_AGAIN),
        Stage.publish: (_NOTICES["public"], _NOTICES["staff"], _NOTICES["departments"], _NOTICE_VENDOR),
        **_LATER,
    },
    Road.partner: {
        Stage.intake: (_RECEIVED,),
        Stage.assess: (_EVIDENCE, _ASSESSMENTS),
        Stage.targets: (_DIRECTIVE, _TARGETS),
        Stage.impact: (_IMPACT,),
        Stage.reviews: (*_opinions(ReviewKind.privacy, ReviewKind.records, ReviewKind.legal), _EVIDENCE_AGAIN),
        Stage.publish: (_NOTICES["public"], _NOTICES["staff"]),
        **_LATER,
    },
    Road.feed: {
        Stage.intake: (_RECEIVED,),
        Stage.assess: (_EVIDENCE,),
        Stage.targets: (_DIRECTIVE, _TARGETS),
        Stage.publish: (_NOTICES["staff"],),
        **_LATER,
        Stage.revoke: (*_REVOKED, _NOTICES["staff"]),
    },
}

# Strands of stages: each comes after the one before it in its strand. A stage that a road does not have is left out.
# The interim track decides first; then two strands run side by side: carrying it out, and what the standard track does
# beforehand. Whether removal waits for the replies (BOD 17-01) or not (India 2020) is for the authority.
_ENFORCED = (Stage.sign, Stage.publish, Stage.acknowledge, Stage.act, Stage.attest)
_HEARD = (Stage.impact, Stage.vendor, Stage.reviews)
STRANDS: dict[Track, tuple[tuple[Stage, ...], ...]] = {
    Track.standard: ((Stage.intake, Stage.assess, Stage.targets, *_HEARD, Stage.decide, *_ENFORCED),),
    Track.interim: (
        (Stage.intake, Stage.assess, Stage.targets, Stage.decide, *_ENFORCED),
        (Stage.publish, *_HEARD, Stage.confirm),
    ),
}
AFTERWARDS: dict[Stage, Stage] = {
    Stage.review: Stage.decide,
    Stage.amend: Stage.review,
    Stage.supersede: Stage.review,
    Stage.revoke: Stage.review,
}
ENDS = (Stage.supersede, Stage.revoke)
DECISIONS = (Stage.decide, Stage.confirm, Stage.amend, Stage.revoke)
"""The stages that carry a decision."""
PREPARATION = (Stage.assess, Stage.targets, *_HEARD)
"""May be gone through again, with newer documents, until the decision rests on them."""
REPEATED = (Stage.acknowledge, Stage.act, Stage.attest, Stage.review)
"""May be gone through again at any time: departments come in one after the other."""


def needed(case: Case, stage: Stage) -> tuple[Needed, ...]:
    """The documents of a stage of this case; empty where its road does not have the stage."""
    return NEEDS[road_of(case)].get(stage, ())


def signatures(case: Case, stage: Stage) -> frozenset[str]:
    """The signatures a stage rests on, by name."""
    return frozenset(need.name for need in needed(case, stage) if need.name.startswith("signature."))


def stages(case: Case) -> tuple[Stage, ...]:
    """The stages of this case up to its attestations (and confirmation), in their usual order."""
    road = NEEDS[road_of(case)]
    every = [stage for strand in STRANDS[case.track] for stage in strand if stage in road]
    return tuple(dict.fromkeys(every))


def before(case: Case, stage: Stage) -> tuple[Stage, ...]:
    """The stages that come directly before this one."""
    if stage in AFTERWARDS:
        return (AFTERWARDS[stage],)
    road = NEEDS[road_of(case)]
    found: list[Stage] = []
    for strand in STRANDS[case.track]:
        had = [one for one in strand if one in road]
        if stage in had[1:]:
            found.append(had[had.index(stage) - 1])
    return tuple(found)

"""The judgement: facts, packs, rubric, review and observations in, an assessment out. The same in, the same out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from proscribe.assess import observed
from proscribe.assess import review as reviews
from proscribe.assess.facts import Anomaly, SigningFacts, VerifiedSigner
from proscribe.assess.gathered import Gathered
from proscribe.assess.model import Assessment, Observations, Review
from proscribe.assess.packs.library import Packs
from proscribe.assess.profile import CodeSummary, Finding, Publisher, PublisherMatch, RatingResult
from proscribe.assess.rate import rubric as rubrics
from proscribe.assess.rate.access import access_map
from proscribe.assess.rate.actors import Actors
from proscribe.assess.rate.evidence import Collected, Maker
from proscribe.assess.rate.exposure import exposure
from proscribe.assess.rate.findings import Judge
from proscribe.assess.rate.grants import Permissions
from proscribe.assess.rate.hidden import hidden
from proscribe.assess.rate.lower import Retrial, would_lower
from proscribe.assess.rate.rubric import Rubric, check_capabilities
from proscribe.assess.rate.sdks import presences, views
from proscribe.assess.rate.verdict import Bench, Reason, Verdict, reading_of
from proscribe.assess.rate.words import RATINGS
from proscribe.assess.terms import Rating
from proscribe.catalogue.library import Catalogue
from proscribe.text import Text


def judge(
    gathered: Gathered,
    packs: Packs,
    rubric: Rubric,
    *,
    review: Review | None = None,
    observations: Sequence[Observations] = (),
    library: Catalogue,
) -> Assessment:
    """The assessment of one package.

    Pure: no clock (suppressions expire by ``review.as_of``), no locale, no file. Raises WrongReview where the review or
    an observation is of another app or names what is not there, BrokenPack where the rubric names what no pack has.
    """
    check_capabilities(rubric, packs.capabilities.keys())
    app = identity(gathered)
    case = judge_of(gathered, packs, rubric)
    present = presences(gathered, packs, case.actors, case.maker)
    collected = case.collect(present, _seen(observations, gathered, packs))
    findings = tuple(one.finding for one in collected)
    if review is not None:
        findings = reviews.apply(review, findings, app_id=app.app_id)
    publisher = _publisher(gathered, app, library)
    sdks = views(present, collected)
    unseen = hidden(gathered)
    return Assessment(
        platform=gathered.platform,
        app_id=app.app_id,
        app_name=app.name,
        version=app.version,
        build=app.build,
        package=gathered.package,
        publisher=publisher,
        rating=rate(rubric, gathered, findings, packs),
        access=access_map(findings, seen_in_full=not unseen),
        findings=findings,
        permissions=case.permissions.views(),
        sdks=sdks,
        exposure=exposure(gathered, packs, publisher.matches, sdks, library),
        android=gathered.android,
        ios=gathered.ios,
        code=_code(gathered),
        runs=gathered.runs,
        anomalies=(*gathered.anomalies, *_other_signers(gathered)),
        hidden=unseen,
        packs=packs.references,
        rubric=rubrics.reference(rubric),
        review=reviews.reference(review) if review else None,
        observations=tuple(observed.reference(one) for one in observations),
        tools=gathered.tools,
    )


def collect(gathered: Gathered, packs: Packs, rubric: Rubric) -> tuple[Collected, ...]:
    """The findings of a package with all of their evidence, before review and observations."""
    case = judge_of(gathered, packs, rubric)
    return case.collect(presences(gathered, packs, case.actors, case.maker), {})


def judge_of(gathered: Gathered, packs: Packs, rubric: Rubric) -> Judge:
    """Everything that findings are made with."""
    app = identity(gathered)
    maker = Maker(gathered)
    return Judge(
        gathered=gathered,
        packs=packs,
        rubric=rubric,
        maker=maker,
        actors=Actors(packs, app.app_id, app.name),
        permissions=Permissions(gathered.android, packs, rubric, maker),
    )


@dataclass(frozen=True, slots=True)
class Identity:
    """What the package calls itself; empty where that could not be read."""

    app_id: str
    name: str
    version: str
    build: str


def identity(gathered: Gathered) -> Identity:
    """What the package calls itself."""
    if gathered.android is not None:
        facts = gathered.android
        return Identity(facts.package, facts.label, facts.version_name, facts.version_code)
    if gathered.ios is not None:
        bundle = gathered.ios
        return Identity(bundle.bundle_id, bundle.name, bundle.version, bundle.build)
    return Identity("", "", "", "")


def _seen(observations: Sequence[Observations], gathered: Gathered, packs: Packs) -> observed.Seen:
    app = identity(gathered)
    digests = {gathered.package.sha256, *(part.sha256 for part in gathered.package.parts)}
    for document in observations:
        observed.check(document, app_id=app.app_id, digests=digests, versions={app.version, app.build})
    capabilities = {row.id for row in packs.capabilities.values() if row.platform == gathered.platform.value}
    return observed.seen(observations, capabilities=capabilities, sdks=packs.sdks.keys())


# ---- the rating ----------------------------------------------------------------------------------------------------


def rate(rubric: Rubric, gathered: Gathered, findings: Sequence[Finding], packs: Packs) -> RatingResult:
    """The rubric's word on the findings, with why, and what would change it."""
    disagreements = gathered.android.disagreements if gathered.android else ()
    reading = reading_of(gathered.platform, gathered.runs, [one.about for one in disagreements])
    bench = Bench(rubric, reading, findings)
    verdict = bench.verdict()
    plain = Bench(rubric, reading, findings, suppress=False).verdict()
    reasons = _reasons(bench, verdict)
    used = tuple(dict.fromkeys(one for reason in reasons for one in reason.findings))
    return RatingResult(
        rating=_rating(verdict),
        rule=verdict.unsure[0].id if verdict.unsure else verdict.rule.id,
        because=tuple(reason.text for reason in reasons),
        findings=used,
        would_lower=would_lower(Retrial(rubric, reading, findings), verdict.rating, used, packs.capabilities),
        without_suppressions=_rating(plain),
    )


def _rating(verdict: Verdict) -> Rating:
    return Rating.inconclusive if verdict.unsure else verdict.rating


def _reasons(bench: Bench, verdict: Verdict) -> list[Reason]:
    """Why no word can be given, where none can; then the rule that fired, with its facts."""
    reasons = [reason for unsure in verdict.unsure for reason in bench.reasons(unsure)]
    word = RATINGS[verdict.rating]
    if verdict.unsure:
        reasons.append(
            Reason(
                Text(
                    f"From what was read, the rules would have given '{word.en}' (rule {verdict.rule.id}).",
                    f"D'après ce qui a été lu, les règles auraient donné «\u00a0{word.fr}\u00a0» "
                    f"(règle {verdict.rule.id}).",
                )
            )
        )
    for rule in (verdict.rule, *verdict.agreeing):
        reasons += bench.reasons(rule)
    told: dict[Text, Reason] = {}
    for reason in reasons:
        told.setdefault(reason.text, reason)
    return list(told.values())


# ---- the rest of the document --------------------------------------------------------------------------------------


def _publisher(gathered: Gathered, app: Identity, library: Catalogue) -> Publisher:
    """Who signed. Of several APKs all must be verified, and by the same certificates."""
    signing = gathered.signing
    signers = {frozenset(one.certificate for one in facts.signers) for facts in signing}
    verified = bool(signing) and all(facts.verified for facts in signing) and len(signers) == 1
    base = signing[0] if signing else None
    team = gathered.ios.team_id if gathered.ios else ""
    named = base.signers if base is not None and verified else ()
    claimed = {one for facts in signing for one in facts.claimed}
    if not verified:
        claimed |= {one.certificate for facts in signing for one in facts.signers}
    return Publisher(
        verified=verified,
        signers=named,
        lineage=named[0].lineage if named else (),
        certificates=base.certificates if base else (),
        claimed=tuple(sorted(claimed)),
        schemes=base.schemes if base else (),
        matches=_matches(named, base, app, gathered, library),
        team_id=team,
    )


def _other_signers(gathered: Gathered) -> Iterator[Anomaly]:
    """Splits that the base's signer did not sign: Android refuses such a set."""
    base, *others = gathered.signing or (SigningFacts(verified=False),)
    signers = {one.certificate for one in base.signers}
    for facts in others:
        if not facts.verified:
            yield Anomaly("signing.split-not-verified", facts.member)
        elif base.verified and {one.certificate for one in facts.signers} != signers:
            yield Anomaly("signing.other-signer", facts.member)


def _matches(
    named: Sequence[VerifiedSigner], base: SigningFacts | None, app: Identity, gathered: Gathered, library: Catalogue
) -> tuple[PublisherMatch, ...]:
    from proscribe.assess.signing.lineage import identities_of
    from proscribe.assess.signing.publisher import match_publisher

    signers = identities_of(named)
    md5s = [one.md5 for one in base.certificates if one.sha256 in signers and one.md5] if base else []
    return match_publisher(
        signers,
        team_id=gathered.ios.team_id if gathered.ios else "",
        app_id=app.app_id,
        app_name=app.name,
        platform=gathered.platform,
        library=library,
        md5s=md5s,
    )


def _code(gathered: Gathered) -> CodeSummary:
    code = gathered.code
    return CodeSummary(
        dex=code.dex,
        native=code.native,
        reflection=code.reflection,
        code_units=code.code_units,
        packer_marks=code.packer_marks,
        encrypted_like=code.encrypted_like,
    )

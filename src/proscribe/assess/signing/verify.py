"""Who signed an APK: every scheme that some Android the app runs on would check, checked.

The order and the conditions are those of ``apksigner verify``: v3.1, v3, v2, then v1 where a version needs it, and then
whether the schemes agree with each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from proscribe.assess.facts import SchemeResult, SigningFacts, VerifiedSigner
from proscribe.assess.intake.container import Container
from proscribe.assess.signing.algorithms import NEWEST, NOUGAT, OREO, PIE, TIRAMISU
from proscribe.assess.signing.certificate import X509, describe
from proscribe.assess.signing.content import Content
from proscribe.assess.signing.jar import JarResult, claimed_in_jar, has_jar_signature, verify_jar
from proscribe.assess.signing.lineage import Node, steps
from proscribe.assess.signing.problems import SignatureProblem
from proscribe.assess.signing.schemes import BlockResult, BlockVerifier
from proscribe.assess.signing.signing_block import V2_BLOCK, V3_BLOCK, V31_BLOCK, Sections, find_sections
from proscribe.assess.terms import Scheme, SignatureState

_RED_VELVET = 30  # Android 11: an app that targets it must be signed by v2 or newer
# Where the reader of members had to guess the directory, what it reads is not what the signature speaks of.
_GUESSED = frozenset({"zip.shifted-directory", "zip.directory-outside", "zip.trailing-data", "zip.cut-entry"})
_NUMBERS = {Scheme.v2: 2, Scheme.v3: 3, Scheme.v31: 31}
_WARNINGS = 100


@dataclass(slots=True)
class _Verdict:
    """What is known so far of one APK."""

    low: int
    high: int
    blocks: dict[Scheme, BlockResult] = field(default_factory=dict)
    jar: JarResult | None = None
    problem: SignatureProblem | None = None

    def holds(self, scheme: Scheme) -> BlockResult | None:
        """The result of a block scheme that verified."""
        result = self.blocks.get(scheme)
        return result if result is not None and result.holds else None

    @property
    def jar_holds(self) -> JarResult | None:
        return self.jar if self.jar is not None and self.jar.problem is None else None

    @property
    def found(self) -> frozenset[int]:
        return frozenset(_NUMBERS[scheme] for scheme in self.blocks)


def verify_apk(
    apk: Container,
    *,
    min_sdk: int | None = None,
    max_sdk: int | None = None,
    target_sdk: int | None = None,
    target_sandbox: int | None = None,
) -> SigningFacts:
    """Verify the signatures of one APK for the Android versions (API levels) it runs on.

    ``min_sdk``, ``target_sdk`` and ``target_sandbox`` are the manifest's; None is 1, unknown and 1. ``max_sdk`` None is
    every version to come. Never raises: what is wrong is in the facts, and without a signature that holds for all of
    those versions nobody is named as signer.
    """
    low, high = max(min_sdk or 1, 0), NEWEST if max_sdk is None else max_sdk
    verdict = _Verdict(low, max(low, high))
    warnings: list[str] = []
    try:
        sections = find_sections(apk.data)
        warnings += sections.warnings()
        _check_directory(apk)
        _verify_blocks(apk, sections, verdict)
        _verify_jar_where_needed(apk, sections, verdict)
        _check_manifest_rules(verdict, target_sdk or 0, target_sandbox or 1)
        _check_agreement(verdict)
    except SignatureProblem as problem:
        verdict.problem = problem
    return _facts(apk, verdict, warnings)


def _check_directory(apk: Container) -> None:
    for anomaly in apk.anomalies:
        if anomaly.code in _GUESSED:
            raise SignatureProblem("apk.malformed-zip", anomaly.code)


# ---- the schemes ---------------------------------------------------------------------------------------------------


def _verify_blocks(apk: Container, sections: Sections, verdict: _Verdict) -> None:
    """v3.1, v3 and v2, as far as a version asks for them. Raises SignatureProblem at the first that does not hold."""
    content = Content(apk.data, sections)
    high = verdict.high

    def check(scheme: Scheme, block_id: int, since: int) -> BlockResult | None:
        block = sections.pair(block_id)
        if block is None or high < since:
            return None
        rotated = verdict.holds(Scheme.v31) if scheme is Scheme.v3 else None
        verifier = BlockVerifier(
            scheme,
            content,
            max(verdict.low, since),
            high,
            rotation=min(signer.low for signer in rotated.signers) if rotated else None,
            v3_found=Scheme.v3 in verdict.blocks,
        )
        result = verdict.blocks[scheme] = verifier.verify(block)
        if result.problem:
            raise result.problem
        return result

    check(Scheme.v31, V31_BLOCK, TIRAMISU)
    if check(Scheme.v3, V3_BLOCK, PIE) is None and verdict.holds(Scheme.v31):
        raise SignatureProblem("v31-sig.block-found-without-v3-block")
    if verdict.low < PIE or not verdict.blocks:
        check(Scheme.v2, V2_BLOCK, NOUGAT)


def _verify_jar_where_needed(apk: Container, sections: Sections, verdict: _Verdict) -> None:
    """v1 counts where a version before 7.0 is to run the app, or where there is nothing newer."""
    if verdict.low >= NOUGAT and verdict.blocks:
        return
    verdict.jar = verify_jar(apk, verdict.low, verdict.high, verdict.found, sections.directory)
    if verdict.jar.problem:
        raise verdict.jar.problem


def _check_manifest_rules(verdict: _Verdict, target_sdk: int, target_sandbox: int) -> None:
    """What the manifest asks of the signature."""
    if verdict.high >= OREO and target_sandbox > 1 and not verdict.blocks:
        raise SignatureProblem("apk.no-sig-for-target-sandbox-version", str(target_sandbox))
    if target_sdk >= _RED_VELVET and verdict.high >= target_sdk and not verdict.blocks:
        raise SignatureProblem("apk.min-sig-scheme-for-target-sdk-not-met", f"{target_sdk} needs v2")


def _check_agreement(verdict: _Verdict) -> None:
    """Schemes that hold must hold for the same people, or for those whose key theirs was rotated from."""
    v2, v3, jar = verdict.holds(Scheme.v2), verdict.holds(Scheme.v3), verdict.jar_holds
    v1_certificates = [signer.encoded for signer in jar.signers] if jar else []
    v2_certificates = [signer.certificate.encoded for signer in v2.signers] if v2 else []
    if jar and v2 and not set(v1_certificates) <= set(v2_certificates):
        raise SignatureProblem("v2-sig.missing", "a signer of v1 is not one of v2")
    if jar and v2 and not set(v2_certificates) <= set(v1_certificates):
        raise SignatureProblem("jar-sig.missing", "a signer of v2 is not one of v1")
    older = v1_certificates or v2_certificates
    if v3 and older:
        _check_rotation(v3, older)


def _check_rotation(v3: BlockResult, older: list[bytes]) -> None:
    if len(older) > 1:
        raise SignatureProblem("v3-sig.multiple-past-signers", str(len(older)))
    if not v3.lineage and len(v3.signers) > 1:
        raise SignatureProblem("v3-sig.multiple-signers", str(len(v3.signers)))
    oldest = v3.lineage[0].certificate if v3.lineage else v3.signers[0].certificate
    if older[0] != oldest.encoded:
        raise SignatureProblem("v3-sig.past-signers-mismatch")


# ---- facts ---------------------------------------------------------------------------------------------------------


def _facts(apk: Container, verdict: _Verdict, warnings: list[str]) -> SigningFacts:
    claimed = [one for result in verdict.blocks.values() for one in result.claimed]
    claimed += verdict.jar.claimed if verdict.jar else claimed_in_jar(apk)
    for result in verdict.blocks.values():
        warnings += result.warnings
    warnings += verdict.jar.warnings if verdict.jar else []
    schemes = _scheme_results(apk, verdict)
    is_verified = verdict.problem is None
    if verdict.problem is not None and verdict.problem.code not in {result.problem for result in schemes}:
        warnings.insert(0, f"{verdict.problem.code} {verdict.problem.detail}".strip())
    signers = tuple(_signers(verdict)) if is_verified else ()
    lineage = [node.certificate for result in verdict.blocks.values() for node in result.lineage] if signers else []
    known = {certificate.sha256: certificate for certificate in (*claimed, *lineage)}
    named = {signer.certificate for signer in signers} | {certificate.sha256 for certificate in lineage}
    unique = list(dict.fromkeys(warnings))
    return SigningFacts(
        verified=is_verified,
        schemes=schemes,
        signers=signers,
        certificates=tuple(describe(certificate) for certificate in known.values()),
        claimed=tuple(digest for digest in known if digest not in named),
        warnings=tuple(unique[:_WARNINGS]),
        member=apk.name,
    )


def _signers(verdict: _Verdict) -> list[VerifiedSigner]:
    """Who is the signer on which versions: each takes the newest scheme that it knows."""
    found: list[VerifiedSigner] = []
    above: int | None = None  # the lowest version that a newer scheme speaks for

    def add(certificate: X509, scheme: Scheme, low: int, high: int, lineage: tuple[Node, ...] = ()) -> None:
        top = min(high, NEWEST if above is None else above - 1)
        if max(low, verdict.low) <= min(top, verdict.high):
            found.append(
                VerifiedSigner(
                    certificate.sha256,
                    scheme,
                    max(low, verdict.low),
                    None if min(top, verdict.high) == NEWEST else min(top, verdict.high),
                    steps(lineage),
                )
            )

    for scheme, since in ((Scheme.v31, TIRAMISU), (Scheme.v3, PIE), (Scheme.v2, NOUGAT)):
        result = verdict.holds(scheme)
        if result is None:
            continue
        for signer in reversed(result.signers) if scheme is not Scheme.v2 else result.signers:
            add(signer.certificate, scheme, max(since, signer.low), signer.high, signer.lineage)
        above = max(since, min(signer.low for signer in result.signers))
    if verdict.jar_holds:
        for certificate in verdict.jar_holds.signers:
            add(certificate, Scheme.v1, verdict.low, verdict.high)
    return found


def _scheme_results(apk: Container, verdict: _Verdict) -> tuple[SchemeResult, ...]:
    results = []
    for scheme in Scheme:
        jar = verdict.jar
        result: BlockResult | JarResult | None = jar if scheme is Scheme.v1 else verdict.blocks.get(scheme)
        if result is not None:
            problem = result.problem
            state = SignatureState.failed if problem else SignatureState.verified
            results.append(
                SchemeResult(scheme, state, problem.code if problem else "", problem.detail if problem else "")
            )
            continue
        there = has_jar_signature(apk) if scheme is Scheme.v1 else _block_there(apk, scheme)
        results.append(SchemeResult(scheme, SignatureState.not_checked if there else SignatureState.absent))
    return tuple(results)


def _block_there(apk: Container, scheme: Scheme) -> bool:
    block_id = {Scheme.v2: V2_BLOCK, Scheme.v3: V3_BLOCK, Scheme.v31: V31_BLOCK}[scheme]
    try:
        return find_sections(apk.data).pair(block_id) is not None
    except SignatureProblem:
        return False

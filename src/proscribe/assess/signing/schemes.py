"""Schemes v2, v3 and v3.1: who signed the whole file, for which Android versions.

A signer block is signed data, signatures over it and the public key that made them; signed data holds the digests of
the content, the certificates and attributes. Source: source.android.com, "APK Signature Scheme v2" and "v3".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from proscribe.assess.signing.algorithms import BLOCK_ALGORITHMS, NEWEST, TIRAMISU, to_check
from proscribe.assess.signing.certificate import X509, BadCertificate, parse_certificate
from proscribe.assess.signing.content import VERITY_SHA256, Content
from proscribe.assess.signing.keys import UnusableKey, parse_key, signature_holds
from proscribe.assess.signing.lineage import Node, longest, read_lineage
from proscribe.assess.signing.problems import SignatureProblem
from proscribe.assess.signing.signing_block import Records
from proscribe.assess.terms import Scheme

_STRIPPED = 0xBEEFF00D
_ROTATION_PROOF = 0x3BA06F8C
_ROTATION_MIN_SDK = 0x559F8B02
_ROTATION_ON_DEVELOPMENT = 0xC2A6B3BA

_SIGNERS = 10  # as Android has it
_CERTIFICATES = 64
_SIGNATURES = 64


@dataclass(frozen=True, slots=True)
class Signer:
    """One signer of a block whose signature over its signed data holds."""

    certificate: X509
    low: int
    high: int
    digests: tuple[tuple[int, bytes], ...]  # algorithm id, digest of the content
    checked: frozenset[str]  # content digests that the verified signatures stand for
    attributes: tuple[tuple[int, bytes], ...] = ()
    lineage: tuple[Node, ...] = ()


@dataclass(slots=True)
class BlockResult:
    """What came of one scheme. ``problem`` None: its signature holds, for ``signers``."""

    scheme: Scheme
    signers: tuple[Signer, ...] = ()
    lineage: tuple[Node, ...] = ()
    problem: SignatureProblem | None = None
    warnings: list[str] = field(default_factory=list)
    claimed: list[X509] = field(default_factory=list)  # certificates as they were met, verified or not

    @property
    def holds(self) -> bool:
        return self.problem is None


class BlockVerifier:
    """Verifies the block of one scheme over one APK, for a range of Android versions.

    ``rotation``: the version from which a v3.1 block that was found rotates the key, None without one; ``v3_found``:
    whether there is a v3 block, which v2 may say that there must be.
    """

    def __init__(
        self,
        scheme: Scheme,
        content: Content,
        low: int,
        high: int,
        *,
        rotation: int | None = None,
        v3_found: bool = False,
    ) -> None:
        self._result = BlockResult(scheme)
        self._content = content
        self._low = low
        self._high = high
        self._rotation = rotation
        self._v3_found = v3_found
        self._prefix = "v2-sig" if scheme is Scheme.v2 else "v3-sig"

    def verify(self, block: memoryview) -> BlockResult:
        """Everything that can be wrong is in the result."""
        result = self._result
        try:
            signers: list[Signer] = []
            records = Records(block, f"{self._prefix}.malformed-signers").record()
            while records.more():
                if len(signers) == _SIGNERS:
                    raise self._problem("max-signatures-exceeded", f"more than {_SIGNERS}")
                signers.append(self._signer(records.record(f"{self._prefix}.malformed-signer")))
            if not signers:
                raise self._problem("no-signers")
            self._check_content(signers)
            if result.scheme is not Scheme.v2:
                signers.sort(key=lambda signer: signer.high)
                self._check_ranges(signers)
                result.lineage = longest([signer.lineage for signer in signers if signer.lineage])
            result.signers = tuple(signers)
        except SignatureProblem as problem:
            result.problem = problem
        return result

    def _problem(self, what: str, detail: str = "") -> SignatureProblem:
        return SignatureProblem(f"{self._prefix}.{what}", detail)

    # ---- one signer -------------------------------------------------------------------------------------------------

    def _signer(self, record: Records) -> Signer:
        """Read one signer, and check its signatures before its signed data is believed. Raises SignatureProblem."""
        is_v2 = self._result.scheme is Scheme.v2
        signed = record.blob()
        low, high = (self._low, self._high) if is_v2 else (record.number(), record.number())
        if not is_v2 and (low > high or high > NEWEST):
            raise self._problem("invalid-sdk-versions", f"{low} to {high}")
        offered = self._pairs(record.record(f"{self._prefix}.malformed-signature"))
        key = record.blob()
        if not offered:
            raise self._problem("no-signatures")
        self._note_certificates(signed)
        checked = self._check_signatures(offered, key, signed, (low, high))
        return self._read_signed(signed, (low, high), key, offered, checked)

    def _pairs(self, records: Records) -> list[tuple[int, bytes]]:
        """Records of (algorithm id, bytes): signatures, and digests too."""
        pairs: list[tuple[int, bytes]] = []
        while records.more():
            if len(pairs) == _SIGNATURES:
                raise self._problem("malformed-signature", f"more than {_SIGNATURES}")
            record = records.record()
            number = record.number()
            if number not in BLOCK_ALGORITHMS:
                self._result.warnings.append(f"{self._prefix}.unknown-sig-algorithm 0x{number:x}")
            pairs.append((number, record.blob()))
        return pairs

    def _note_certificates(self, signed: bytes) -> None:
        """Remember what the file claims, whether or not it turns out to be so."""
        try:
            records = Records(memoryview(signed), "")
            records.record()
            self._result.claimed += self._certificates(records.record())
        except SignatureProblem:
            return

    def _certificates(self, records: Records) -> list[X509]:
        certificates: list[X509] = []
        while records.more():
            if len(certificates) == _CERTIFICATES:
                raise self._problem("malformed-certificate", f"more than {_CERTIFICATES}")
            try:
                certificates.append(parse_certificate(records.blob()))
            except BadCertificate as problem:
                raise self._problem("malformed-certificate", f"{len(certificates) + 1}: {problem}") from problem
        return certificates

    def _check_signatures(
        self, offered: Sequence[tuple[int, bytes]], key: bytes, signed: bytes, span: tuple[int, int]
    ) -> frozenset[str]:
        chosen = to_check(offered, *span)
        if not chosen:
            raise self._problem("no-supported-signatures")
        try:
            public = parse_key(key)
        except UnusableKey as problem:
            raise self._problem("malformed-public-key", str(problem)) from problem
        for algorithm, signature in chosen:
            try:
                holds = signature_holds(public, algorithm.padding, algorithm.hash, signature, signed)
            except UnusableKey as problem:
                raise self._problem("malformed-public-key", str(problem)) from problem
            if not holds:
                raise self._problem("did-not-verify", f"0x{algorithm.id:04x}")
        return frozenset(algorithm.content for algorithm, _ in chosen)

    def _read_signed(
        self,
        signed: bytes,
        span: tuple[int, int],
        key: bytes,
        offered: Sequence[tuple[int, bytes]],
        checked: frozenset[str],
    ) -> Signer:
        is_v2 = self._result.scheme is Scheme.v2
        records = Records(memoryview(signed), f"{self._prefix}.malformed-signer")
        digest_records = records.record(f"{self._prefix}.malformed-digest")
        certificates = self._certificates(records.record())
        if not is_v2:
            self._check_span(span, (records.number(), records.number()))
        attributes = self._attributes(records.record(f"{self._prefix}.malformed-additional-attribute"))
        if not certificates:
            raise self._problem("no-certificates")
        self._check_key(certificates[0], key)
        digests = self._pairs(digest_records)
        if [number for number, _ in offered] != [number for number, _ in digests]:
            raise self._problem("sig-alg-mismatch-between-signatures-and-digests-records")
        signer = Signer(certificates[0], *span, tuple(digests), checked, tuple(attributes))
        return self._with_attributes(signer)

    def _check_span(self, outside: tuple[int, int], inside: tuple[int, int]) -> None:
        for which, there, signed in zip(("min", "max"), outside, inside, strict=True):
            if there != signed:
                raise self._problem(
                    f"{which}-sdk-version-mismatch-between-signer-and-signed-data-record", f"{there}, signed {signed}"
                )

    def _check_key(self, certificate: X509, key: bytes) -> None:
        """The key that verified must be the certificate's, as it stands there or as it should have been written."""
        if key == certificate.spki:
            return
        try:
            matches = key == certificate.key().encoded
        except UnusableKey:
            matches = False
        if not matches:
            raise self._problem("public-key-mismatch-between-certificate-and-signatures-record")

    # ---- attributes -------------------------------------------------------------------------------------------------

    def _attributes(self, records: Records) -> list[tuple[int, bytes]]:
        attributes = []
        while records.more():
            record = records.record()
            attributes.append((record.number(), record.rest()))
        return attributes

    def _with_attributes(self, signer: Signer) -> Signer:
        lineage: tuple[Node, ...] = ()
        rotation_named = False
        for number, value in signer.attributes:
            if self._result.scheme is Scheme.v2:
                self._check_v2_attribute(number, value)
            elif number == _ROTATION_PROOF:
                lineage = self._check_lineage(signer, value)
            elif number == _ROTATION_MIN_SDK:
                rotation_named = True
                self._check_rotation(value)
            elif number != _ROTATION_ON_DEVELOPMENT:
                self._unknown_attribute(number)
        if self._rotation is not None and not rotation_named:
            self._result.warnings.append("v31-sig.rotation-min-sdk-attr-missing")
        return Signer(
            signer.certificate, signer.low, signer.high, signer.digests, signer.checked, signer.attributes, lineage
        )

    def _unknown_attribute(self, number: int) -> None:
        self._result.warnings.append(f"{self._prefix}.unknown-additional-attribute 0x{number:08x}")

    def _check_v2_attribute(self, number: int, value: bytes) -> None:
        """v2 says which newer scheme must be there too, so that it cannot be taken away."""
        if number != _STRIPPED:
            self._unknown_attribute(number)
            return
        named = Records(memoryview(value), "v2-sig.malformed-additional-attribute").number()
        if named == 3 and self._high >= 28 and not self._v3_found:
            raise SignatureProblem("v2-sig.missing-apk-sig-referenced", "v3")

    def _check_lineage(self, signer: Signer, value: bytes) -> tuple[Node, ...]:
        """The chain must hold, and end with the certificate that signed."""
        lineage = read_lineage(value)
        if lineage[-1].certificate.encoded != signer.certificate.encoded:
            raise SignatureProblem("v3-sig.por-cert-mismatch")
        return lineage

    def _check_rotation(self, value: bytes) -> None:
        """v3 says from which version on a v3.1 block rotates the key, so that the block cannot be taken away."""
        if self._result.scheme is not Scheme.v3 or self._high < TIRAMISU:
            return
        named = Records(memoryview(value), "v3-sig.malformed-additional-attribute").number()
        if self._rotation is None:
            raise SignatureProblem("v31-sig.block-missing", str(named))
        if named != self._rotation:
            raise SignatureProblem("v31-sig.rotation-min-sdk-mismatch", f"{named}, found {self._rotation}")

    # ---- all signers ------------------------------------------------------------------------------------------------

    def _check_content(self, signers: Sequence[Signer]) -> None:
        """Every digest of a kind that a verified signature stands for must be the content's."""
        wanted = frozenset().union(*(signer.checked for signer in signers))
        if VERITY_SHA256 in wanted and not self._content.in_pages:
            raise SignatureProblem("apk.signing-block-not-in-pages")
        for signer in signers:
            for number, digest in signer.digests:
                algorithm = BLOCK_ALGORITHMS.get(number)
                if algorithm and algorithm.content in wanted and self._content.digest(algorithm.content) != digest:
                    raise self._problem("apk-digest-did-not-verify", algorithm.content)

    def _check_ranges(self, signers: Sequence[Signer]) -> None:
        """v3 signers follow each other without gap or overlap, over every version that is asked about."""
        chain = 0
        before: Signer | None = None
        for signer in signers:
            if before is not None and signer.low != before.high + 1 and not self._targets_development(signer, before):
                raise self._problem("inconsistent-sdk-versions", f"{before.high}, then {signer.low}")
            if signer.lineage:
                if len(signer.lineage) < chain:
                    raise self._problem("inconsistent-lineages")
                chain = len(signer.lineage)
            before = signer
        low, high = self._low, self._high
        if self._result.scheme is Scheme.v31:
            low = high  # v3 covers the versions before the rotation
        elif self._rotation is not None:
            high = self._rotation - 1
        if signers[0].low > low or signers[-1].high < high:
            raise self._problem("missing-sdk-versions", f"{signers[0].low} to {signers[-1].high}")

    @staticmethod
    def _targets_development(signer: Signer, before: Signer) -> bool:
        """A build that is not out yet still has its predecessor's number."""
        return signer.low == before.high and any(number == _ROTATION_ON_DEVELOPMENT for number, _ in signer.attributes)

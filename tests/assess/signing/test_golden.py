"""Every sample package against apksigner: the verdict, the reason, and whose certificate is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from proscribe.assess.facts import SigningFacts
from proscribe.assess.intake.container import Container, open_container
from proscribe.assess.signing import verify_apk
from proscribe.assess.terms import Scheme
from proscribe.errors import ProscribeError

pytestmark = pytest.mark.samples

# Lowest and highest version that is asked about; (-1, -1) is plain "apksigner verify FILE".
PLAIN = (-1, -1)
SPANS = ((1, -1), (18, -1), (21, -1), (24, -1), (28, -1), (1, 8), (1, 17), (18, 23), (21, 21), (24, 27), (28, 32))

# Where this verifier says "verified" and the tool does not. Nothing is listed for plain "apksigner verify FILE": there
# is no difference there. All of these are verdicts for Android 7.0 and later alone (a lowest version of 24 and up).
NO_PSS = (
    "The JVM that Debian runs the tool on has RSA-PSS under another name, so the tool throws NoSuchAlgorithmException. "
    "Scheme v2 allows the algorithms 0x0101 and 0x0102, Android takes them, and the file's name says it is well signed."
)
NO_MANIFEST = (
    "The package is an empty ZIP, well signed by v2. The tool wants a manifest all the same, to look up its "
    "targetSandboxVersion, and throws where there is none; the signature itself holds, and that is what is asked here."
)
EXPLAINED = {
    "v2-only-empty.apk": NO_MANIFEST,
    **{
        f"v2-only-with-rsa-pss-{name}.apk": NO_PSS
        for name in (
            *(f"sha256-{bits}" for bits in (1024, 2048, 3072, 4096, 8192, 16384)),
            *(f"sha512-{bits}" for bits in (2048, 3072, 4096, 8192, 16384)),
        )
    },
}


@cache
def opened(file: Path) -> Container | None:
    """The package, kept for all questions about it; None where it is refused as a whole."""
    try:
        return open_container(file.read_bytes(), path=str(file))
    except ProscribeError:
        return None


def verify(file: Path, low: int | None, high: int | None, sandbox: int | None) -> SigningFacts | None:
    """The facts, or None where the container is refused as a whole: nobody is a publisher then either."""
    apk = opened(file)
    return apk and verify_apk(apk, min_sdk=low, max_sdk=high, target_sandbox=sandbox)


def problems(facts: SigningFacts) -> set[str]:
    found = {scheme.problem for scheme in facts.schemes if scheme.problem}
    return found or {facts.warnings[0].split(" ")[0]}


def as_ours(issue: str) -> str:
    """JAR_SIG_NO_MANIFEST reads jar-sig.no-manifest here."""
    name = issue.lower().replace("unnnamed", "unnamed").replace("_", "-")
    for prefix in ("jar-sig-", "v2-sig-", "v3-sig-"):
        if name.startswith(prefix):
            return f"{prefix[:-1]}.{name.removeprefix(prefix)}"
    return f"apk.{name}"


def named(facts: SigningFacts) -> frozenset[str]:
    """The certificates that the tool would print: of the newest scheme; of v3, of its newest signer alone."""
    newest = facts.signers[0]
    if newest.scheme is Scheme.v3:
        return frozenset({newest.certificate})
    return frozenset(signer.certificate for signer in facts.signers if signer.scheme is newest.scheme)


def differences(apksigner: object, files: Sequence[Path], span: tuple[int, int]) -> Iterator[str]:
    low, high = span
    for file, answer in zip(files, apksigner((low, high, file) for file in files), strict=True):  # type: ignore[operator]
        asked = answer.low if low < 0 else low
        facts = verify(file, asked, None if high < 0 else high, answer.sandbox)
        ours = facts is not None and facts.verified
        if ours != answer.verified:
            yield f"{file.name} {span}: we say {ours}, apksigner {answer.verdict} {answer.why}"
        elif facts is not None and ours and named(facts) != answer.certificates:
            yield f"{file.name} {span}: we name {sorted(named(facts))}, apksigner {sorted(answer.certificates)}"
        elif facts is not None and answer.verdict == "rejected":
            theirs = {as_ours(issue) for issue in answer.why.split(",")}
            if not problems(facts) & theirs:
                yield f"{file.name} {span}: we say {sorted(problems(facts))}, apksigner {sorted(theirs)}"


def test_all_golden_files_plain(samples: Path, apksigner: object) -> None:
    files = sorted((samples / "apksig").glob("*.apk"))
    assert len(files) == 309
    assert list(differences(apksigner, files, PLAIN)) == []


@pytest.mark.parametrize("span", SPANS, ids=str)
def test_all_golden_files_for_a_span_of_versions(samples: Path, apksigner: object, span: tuple[int, int]) -> None:
    files = sorted((samples / "apksig").glob("*.apk"))
    found = [line for line in differences(apksigner, files, span) if line.split(" ")[0] not in EXPLAINED]
    assert found == []


def test_what_is_explained_is_so(samples: Path, apksigner: object) -> None:
    """Each exception is a file on which the tool throws, for the reason given, and that we verify."""
    files = [samples / "apksig" / name for name in sorted(EXPLAINED)]
    answers = apksigner((24, -1, file) for file in files)  # type: ignore[operator]
    for file, answer in zip(files, answers, strict=True):
        assert answer.verdict == "threw"
        wanted = "RSA/PSS Signature not available" if EXPLAINED[file.name] is NO_PSS else "Missing AndroidManifest.xml"
        assert wanted in answer.why
        facts = verify(file, 24, None, None)
        assert facts is not None
        assert facts.verified
    broken = verify(samples / "apksig" / "v2-only-with-rsa-pss-sha256-2048-sig-does-not-verify.apk", 24, None, None)
    assert broken is not None
    assert not broken.verified


def test_every_other_sample(samples: Path, apksigner: object) -> None:
    files = sorted(file for file in samples.rglob("*.apk") if file.parent.name != "apksig")
    assert len(files) > 50
    assert list(differences(apksigner, files, PLAIN)) == []
    assert list(differences(apksigner, files, (24, -1))) == []


# ---- the spoofing set: a second signer stands in the file beside the one that signed --------------------------------


@pytest.mark.parametrize("name", ["poc1", "poc2", "poc3a", "poc3b", "min-sdk-30-poc"])
def test_a_certificate_that_merely_stands_in_the_file_is_no_publisher(
    samples: Path, name: str, apksigner: object
) -> None:
    file = samples / "fdroid" / f"issue-1128-{name}.apk"
    (answer,) = apksigner([(-1, -1, file)])  # type: ignore[operator]
    facts = verify(file, answer.low, None, answer.sandbox)
    assert facts is not None
    assert {signer.certificate for signer in facts.signers} == answer.certificates
    assert len(answer.certificates) == 1
    known = {certificate.sha256 for certificate in facts.certificates}
    assert set(facts.claimed) == known - answer.certificates


def test_the_spoofs_are_seen_as_claims(samples: Path) -> None:
    """At least the files that carry a second certificate list it, apart."""
    claimed = {}
    for file in sorted((samples / "fdroid").glob("issue-1128-*.apk")):
        facts = verify(file, 30, None, None)
        assert facts is not None
        claimed[file.name] = len(facts.claimed)
    assert sum(1 for count in claimed.values() if count) >= 3, claimed


@pytest.mark.parametrize("name", ["urzip-badsig.apk", "urzip-badcert.apk"])
def test_a_bad_signature_names_nobody(samples: Path, name: str) -> None:
    facts = verify(samples / "fdroid" / name, None, None, None)
    assert facts is not None
    assert not facts.verified
    assert facts.signers == ()
    assert facts.claimed


def test_no_signature_claims_nothing(samples: Path) -> None:
    facts = verify(samples / "fdroid" / "urzip-release-unsigned.apk", None, None, None)
    assert facts is not None
    assert (facts.verified, facts.signers, facts.claimed, facts.certificates) == (False, (), (), ())


def test_the_lineage_of_a_rotated_key(samples: Path) -> None:
    facts = verify(samples / "apksig" / "v1v2v3-with-rsa-2048-lineage-3-signers.apk", 23, None, None)
    assert facts is not None
    assert facts.verified
    newest = facts.signers[0]
    assert newest.scheme is Scheme.v3
    assert len(newest.lineage) == 3
    assert newest.lineage[-1].certificate == newest.certificate
    # Before Android 9 the oldest key is the signer.
    assert {signer.certificate for signer in facts.signers if signer.scheme is not Scheme.v3} == {
        newest.lineage[0].certificate
    }

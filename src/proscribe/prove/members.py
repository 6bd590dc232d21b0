"""The names of a bundle's members, and the two small texts that seal it."""

from __future__ import annotations

from collections.abc import Iterable

from proscribe.canonical import Digest

README = "README.txt"
COUNTS = "counts.json"
NOT_SEEN = "coverage/not-seen.json"
DIRECTIVE = "directive.json"
EXEMPTIONS = "exemptions.json"
ENTRIES = "ledger/entries.jsonl"
LEAVES = "ledger/leaves.txt"
PROOFS = "ledger/proofs.json"
OUTCOMES = "outcomes.jsonl"
RECEIPTS = "receipts.jsonl"
REPORT_EN = "report_en.html"
REPORT_FR = "report_fr.html"
TARGETS = "targets.json"
PLAN = "plans/plan-{:04d}.json"
SNAPSHOT = "observations/snapshot-{:04d}.json"
KEY_LIST = "signatures/key-list-{:04d}.json"
SIGNED = "signatures/signed-{:04d}.json"
VERIFIED = "signatures/verified.json"
MANIFEST = "manifest.json"
CHECKSUMS = "SHA256SUMS"

FIXED = (
    README,
    COUNTS,
    NOT_SEEN,
    DIRECTIVE,
    EXEMPTIONS,
    ENTRIES,
    LEAVES,
    PROOFS,
    OUTCOMES,
    RECEIPTS,
    REPORT_EN,
    REPORT_FR,
    TARGETS,
)


def expected(plans: int, snapshots: int, key_lists: int = 0, signed: int = 0) -> frozenset[str]:
    """The members a manifest must list: no more, no fewer."""
    return frozenset(FIXED) | {
        *(KEY_LIST.format(number) for number in range(1, key_lists + 1)),
        *(SIGNED.format(number) for number in range(1, signed + 1)),
        *([VERIFIED] if key_lists else []),
        *(PLAN.format(number) for number in range(1, plans + 1)),
        *(SNAPSHOT.format(number) for number in range(1, snapshots + 1)),
    }


def checksums(digests: Iterable[tuple[str, Digest]]) -> bytes:
    """What ``sha256sum --check`` reads: the digest and the name of every member, the manifest included."""
    lines = (f"{digest.removeprefix('sha256:')}  {name}\n" for name, digest in sorted(digests))
    return "".join(lines).encode("ascii")


def seal(manifest: Digest) -> str:
    """The comment of the zip file."""
    return f"proscribe.proof manifest {manifest}"

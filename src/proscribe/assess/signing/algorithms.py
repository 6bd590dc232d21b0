"""Which signature algorithms each scheme knows, and from which Android version on.

Sources: source.android.com, "APK Signature Scheme v2" and "v3" (algorithm ids), and the tables by which ``apksigner``
tells on which versions a PKCS #7 algorithm verifies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from proscribe.assess.signing.content import CHUNKED_SHA256, CHUNKED_SHA512, VERITY_SHA256

NEWEST = 0x7FFFFFFF
"""No upper bound: whatever Android comes next."""

NOUGAT, OREO, PIE, TIRAMISU = 24, 26, 28, 33
JELLY_BEAN_MR2, KITKAT = 18, 19


@dataclass(frozen=True, slots=True)
class BlockAlgorithm:
    """A signature algorithm of schemes v2 and up. ``rank`` orders them by the strength of their content digest."""

    id: int
    padding: str
    hash: str
    content: str
    min_sdk: int

    @property
    def rank(self) -> int:
        return (CHUNKED_SHA256, VERITY_SHA256, CHUNKED_SHA512).index(self.content)


BLOCK_ALGORITHMS = {
    row.id: row
    for row in (
        BlockAlgorithm(0x0101, "RSA-PSS", "sha256", CHUNKED_SHA256, NOUGAT),
        BlockAlgorithm(0x0102, "RSA-PSS", "sha512", CHUNKED_SHA512, NOUGAT),
        BlockAlgorithm(0x0103, "RSA", "sha256", CHUNKED_SHA256, NOUGAT),
        BlockAlgorithm(0x0104, "RSA", "sha512", CHUNKED_SHA512, NOUGAT),
        BlockAlgorithm(0x0201, "EC", "sha256", CHUNKED_SHA256, NOUGAT),
        BlockAlgorithm(0x0202, "EC", "sha512", CHUNKED_SHA512, NOUGAT),
        BlockAlgorithm(0x0301, "DSA", "sha256", CHUNKED_SHA256, NOUGAT),
        BlockAlgorithm(0x0421, "RSA", "sha256", VERITY_SHA256, PIE),
        BlockAlgorithm(0x0423, "EC", "sha256", VERITY_SHA256, PIE),
        BlockAlgorithm(0x0425, "DSA", "sha256", VERITY_SHA256, PIE),
    )
}


def to_check(offered: Iterable[tuple[int, bytes]], low: int, high: int) -> list[tuple[BlockAlgorithm, bytes]]:
    """Of a signer's signatures, those that some Android between ``low`` and ``high`` would check.

    None where one of them could check nothing. Android takes the strongest that it knows, so there is one for each
    version that brought new algorithms.
    """
    best: dict[int, tuple[BlockAlgorithm, bytes]] = {}
    for number, signature in offered:
        algorithm = BLOCK_ALGORITHMS.get(number)
        if algorithm is None or algorithm.min_sdk > high:
            continue
        held = best.get(algorithm.min_sdk)
        if held is None or algorithm.rank > held[0].rank:
            best[algorithm.min_sdk] = (algorithm, signature)
    if not best or low < min(best):
        return []
    return [best[sdk] for sdk in sorted(best)]


# ---- PKCS #7 -------------------------------------------------------------------------------------------------------

HASHES = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}

# Signature algorithm -> kind of key, and its own hash where it names one.
SIGNATURES: dict[str, tuple[str, str]] = {
    "1.2.840.113549.1.1.1": ("RSA", ""),
    "1.2.840.113549.1.1.4": ("RSA", "md5"),
    "1.2.840.113549.1.1.5": ("RSA", "sha1"),
    "1.2.840.113549.1.1.14": ("RSA", "sha224"),
    "1.2.840.113549.1.1.11": ("RSA", "sha256"),
    "1.2.840.113549.1.1.12": ("RSA", "sha384"),
    "1.2.840.113549.1.1.13": ("RSA", "sha512"),
    "1.2.840.10040.4.1": ("DSA", ""),
    "1.2.840.10040.4.3": ("DSA", "sha1"),
    "2.16.840.1.101.3.4.3.1": ("DSA", "sha224"),
    "2.16.840.1.101.3.4.3.2": ("DSA", "sha256"),
    "1.2.840.10045.2.1": ("EC", ""),
    "1.2.840.10045.4.1": ("EC", "sha1"),
    "1.2.840.10045.4.3.1": ("EC", "sha224"),
    "1.2.840.10045.4.3.2": ("EC", "sha256"),
    "1.2.840.10045.4.3.3": ("EC", "sha384"),
    "1.2.840.10045.4.3.4": ("EC", "sha512"),
}

Ranges = tuple[tuple[int, int], ...]
_ALWAYS: Ranges = ((0, NEWEST),)
_LOLLIPOP: Ranges = ((21, NEWEST),)
_MIXED: Ranges = ((21, 23),)


def _since(sdk: int, *, early: bool = False) -> Ranges:
    """From a version on; ``early``: up to 8 as well, before Android changed its library."""
    return ((0, 8), (sdk, NEWEST)) if early else ((sdk, NEWEST),)


# (hash of the signer's digestAlgorithm, kind of key, hash of the signatureAlgorithm) -> versions that verify it.
_SUPPORT: dict[tuple[str, str, str], Ranges] = {
    ("md5", "RSA", ""): _ALWAYS,
    ("md5", "RSA", "md5"): _since(21, early=True),
    ("sha1", "RSA", ""): _ALWAYS,
    ("sha1", "RSA", "sha1"): _ALWAYS,
    ("sha224", "RSA", ""): _since(21, early=True),
    ("sha224", "RSA", "sha224"): _since(21, early=True),
    ("sha224", "RSA", "sha256"): ((21, 21),),
    ("sha256", "RSA", ""): _since(18, early=True),
    ("sha256", "RSA", "sha256"): _since(18, early=True),
    ("sha256", "RSA", "sha1"): ((21, 21),),
    ("sha384", "RSA", ""): _since(18),
    ("sha384", "RSA", "sha384"): _LOLLIPOP,
    ("sha512", "RSA", ""): _since(18),
    ("sha512", "RSA", "sha512"): _LOLLIPOP,
    ("sha512", "RSA", "sha384"): ((21, 21),),
    ("sha1", "DSA", ""): _ALWAYS,
    ("sha1", "DSA", "sha1"): _since(9),
    ("sha224", "DSA", ""): _since(22),
    ("sha224", "DSA", "sha224"): _LOLLIPOP,
    ("sha256", "DSA", ""): _since(22),
    ("sha256", "DSA", "sha256"): _LOLLIPOP,
    ("sha1", "EC", ""): _since(18),
    ("sha224", "EC", ""): _LOLLIPOP,
    ("sha256", "EC", ""): _since(18),
    ("sha384", "EC", ""): _since(18),
    ("sha512", "EC", ""): _since(18),
    ("sha1", "EC", "sha1"): _since(18),
    ("sha224", "EC", "sha224"): _LOLLIPOP,
    ("sha256", "EC", "sha256"): _LOLLIPOP,
    ("sha384", "EC", "sha384"): _LOLLIPOP,
    ("sha512", "EC", "sha512"): _LOLLIPOP,
}


def pkcs7_algorithm(digest_oid: str, signature_oid: str, low: int, high: int) -> tuple[str, str] | None:
    """Kind of key and hash of a PKCS #7 signature; None where some Android between the two does not verify it."""
    named = HASHES.get(digest_oid)
    kind, own = SIGNATURES.get(signature_oid, ("", ""))
    if named is None or not kind:
        return None
    # Two hashes that differ were taken by the versions 21 to 23 alone.
    ranges = _SUPPORT.get((named, kind, own), _MIXED if own else ())
    return (kind, own or named) if covers(ranges, low, high) else None


def covers(ranges: Sequence[tuple[int, int]], low: int, high: int) -> bool:
    """Whether sorted inclusive ranges hold every number from ``low`` to ``high``."""
    for first, last in ranges:
        if first <= low <= last:
            if last >= high:
                return True
            low = last + 1
    return False

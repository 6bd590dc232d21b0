"""Proof of rotation: a chain in which each signing certificate is signed for by the one before it.

Format (source.android.com, "APK Signature Scheme v3"): uint32 version, then nodes of (signed data, uint32 flags,
uint32 id of the algorithm that signs the next node, signature by the node before); signed data is a certificate and
the id of the algorithm that it was signed with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from proscribe.assess.facts import LineageStep, VerifiedSigner
from proscribe.assess.signing.algorithms import BLOCK_ALGORITHMS
from proscribe.assess.signing.certificate import X509, BadCertificate, parse_certificate
from proscribe.assess.signing.keys import UnusableKey, signature_holds
from proscribe.assess.signing.problems import SignatureProblem
from proscribe.assess.signing.signing_block import Records
from proscribe.text import Text

_MALFORMED = "v3-sig.malformed-lineage"
_UNPROVEN = "v3-sig.por-did-not-verify"
_VERSION = 1
# Each step costs a signature check. Android counts none; the longest known chain has three.
_STEPS = 32

_CAPABILITIES = (
    (1, "installed-data"),
    (2, "shared-uid"),
    (4, "permission"),
    (8, "rollback"),
    (16, "auth"),
)
_CAPABILITY_TEXTS = {
    "installed-data": Text("data of the installed app", "données de l'application installée"),
    "shared-uid": Text("shared user id", "identifiant d'utilisateur partagé"),
    "permission": Text("permissions between apps", "autorisations entre applications"),
    "rollback": Text("going back to it", "retour à celui-ci"),
    "auth": Text("authenticators", "authentificateurs"),
}


@dataclass(frozen=True, slots=True)
class Node:
    """One certificate of a chain. ``signature`` is by the certificate before, ``flags`` what newer ones still grant."""

    certificate: X509
    flags: int
    algorithm: int
    signature: bytes


def read_lineage(value: bytes) -> tuple[Node, ...]:
    """A chain whose every step was verified, oldest first. Raises SignatureProblem."""
    records = Records(memoryview(value), _MALFORMED)
    version = records.number()
    if version != _VERSION:
        raise SignatureProblem(_MALFORMED, f"version {version}")
    nodes: list[Node] = []
    seen: set[bytes] = set()
    while records.more():
        if len(nodes) == _STEPS:
            raise SignatureProblem(_MALFORMED, f"more than {_STEPS} steps")
        node = _node(records.record(), nodes[-1] if nodes else None)
        if node.certificate.encoded in seen:
            raise SignatureProblem(_UNPROVEN, "a certificate twice")
        seen.add(node.certificate.encoded)
        nodes.append(node)
    if not nodes:
        raise SignatureProblem(_MALFORMED, "no certificate")
    return tuple(nodes)


def _node(record: Records, before: Node | None) -> Node:
    signed = record.blob()
    flags, algorithm, signature = record.number(), record.number(), record.blob()
    fields = Records(memoryview(signed), _MALFORMED)
    try:
        certificate = parse_certificate(fields.blob())
    except BadCertificate as problem:
        raise SignatureProblem(_MALFORMED, str(problem)) from problem
    if before is not None:
        _check_step(before, fields.number(), signed, signature)
    return Node(certificate, flags, algorithm, signature)


def _check_step(before: Node, algorithm: int, signed: bytes, signature: bytes) -> None:
    known = BLOCK_ALGORITHMS.get(before.algorithm)
    if known is None or algorithm != before.algorithm:
        raise SignatureProblem(_UNPROVEN, f"algorithm 0x{before.algorithm:04x}, signed 0x{algorithm:04x}")
    try:
        holds = signature_holds(before.certificate.key(), known.padding, known.hash, signature, signed)
    except UnusableKey as problem:
        raise SignatureProblem(_UNPROVEN, str(problem)) from problem
    if not holds:
        raise SignatureProblem(_UNPROVEN, before.certificate.sha256)


def longest(lineages: Sequence[tuple[Node, ...]]) -> tuple[Node, ...]:
    """The longest of chains that are each a beginning of it; () of none. Raises SignatureProblem where they differ."""
    top = max(lineages, key=len, default=())
    if any(lineage != top[: len(lineage)] for lineage in lineages):
        raise SignatureProblem("v3-sig.inconsistent-lineages")
    return top


def steps(lineage: Sequence[Node]) -> tuple[LineageStep, ...]:
    """The chain as a fact, oldest first."""
    return tuple(
        LineageStep(node.certificate.sha256, tuple(name for bit, name in _CAPABILITIES if node.flags & bit))
        for node in lineage
    )


# ---- for display ---------------------------------------------------------------------------------------------------


def describe_step(step: LineageStep) -> Text:
    """What newer certificates still grant an older one, in words."""
    named = [_CAPABILITY_TEXTS[name] for name in step.capabilities if name in _CAPABILITY_TEXTS]
    if not named:
        return Text("nothing more is granted to it", "plus rien ne lui est accordé")
    return Text(
        "still granted to it: " + ", ".join(text.en for text in named),
        "lui reste accordé\N{NO-BREAK SPACE}: " + ", ".join(text.fr for text in named),
    )


def lineage_of(signers: Sequence[VerifiedSigner]) -> tuple[LineageStep, ...]:
    """The longest verified chain among a package's signers, () where its key was never rotated."""
    return max((signer.lineage for signer in signers), key=len, default=())


def identities_of(signers: Sequence[VerifiedSigner]) -> tuple[str, ...]:
    """SHA-256 of the certificates that stand for the signers: their own, and those proven to have passed on to them.

    This is what a publisher is looked up by: the catalogue may know the key from before a rotation alone.
    """
    own = [signer.certificate for signer in signers]
    return tuple(dict.fromkeys((*own, *(step.certificate for signer in signers for step in signer.lineage))))

"""The authority's side: it receives what departments sign, draws entries to re-check, sees where each one stands."""

from __future__ import annotations

import json
import secrets
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from proscribe.canonical import Digest
from proscribe.documents import Document, Value, digest, from_json
from proscribe.errors import InvalidDocument, ProscribeError, Where
from proscribe.feed import challenge as challenges
from proscribe.feed import statement
from proscribe.feed.consistency import against_proofs
from proscribe.feed.model import (
    Acknowledgement,
    Attestation,
    Challenge,
    ChallengeAnswer,
    ChallengeResult,
    DepartmentHeads,
    ReceivedProof,
    Rollup,
)
from proscribe.feed.papers import Terms
from proscribe.feed.rollup import roll_up
from proscribe.files import read_bytes
from proscribe.prove import members
from proscribe.prove.ledger import Tree
from proscribe.prove.model import BundleManifest, EntryKind
from proscribe.prove.verify import verify as verify_proof
from proscribe.service import ledgering, planning, trusting
from proscribe.service.installation import Installation
from proscribe.service.model import ExemptionReport
from proscribe.service.papers import heads_of, owners, papers_of, with_owners
from proscribe.store.errors import NotStored
from proscribe.text import Text
from proscribe.trust import dsse
from proscribe.trust.envelope import document_of, envelope_of
from proscribe.trust.model import SignedDocument, Verification
from proscribe.trust.verify import Subject, rule_for, verify, verify_sealed

ENTRIES = 8
"""How many entries a challenge asks for where nobody says."""


class NotForTheAuthority(ProscribeError):
    """A signed document that no department sends to its authority."""

    code = "rollup.not-for-us"


class WrongDepartment(ProscribeError):
    """A document of one department, signed by the seat of another."""

    code = "rollup.wrong-department"


class NothingAttested(ProscribeError):
    """A department was to be re-checked that has not attested, or is not known."""

    code = "rollup.nothing-attested"


class UnsoundProof(ProscribeError):
    """A proof bundle that was handed over does not verify."""

    code = "rollup.unsound-proof"


class UnknownChallenge(ProscribeError):
    """An answer to a challenge that was not issued here."""

    code = "rollup.unknown-challenge"


@dataclass(frozen=True, slots=True)
class Arrival(Value):
    """What came of one file: whose it is, and what is wrong with it (empty for all but answers)."""

    kind: str
    department: str
    directive: str
    digest: Digest
    known: bool  # it had been received before
    wrong: tuple[Text, ...] = ()


# --- receiving


def read_signed(path: Path) -> SignedDocument:
    """A signed document from a file: our statement, or an in-toto Statement. No signature is checked."""
    raw = read_bytes(path, dsse.MOST_BYTES)
    envelope = dsse.strict_json(raw, source=str(path))
    if isinstance(envelope, dict) and statement.is_statement(envelope):
        return statement.envelope_of(raw, source=str(path))
    return envelope_of(raw, source=str(path))


def receive(installation: Installation, signed: SignedDocument) -> Arrival:
    """Check the signatures of what a department sent, and record it with the moment it came.

    What contradicts itself is recorded all the same: the roll-up says so. Again, it changes nothing. Raises NoKeyList,
    a SignatureRefused, WrongDepartment, NotForTheAuthority, UnknownChallenge.
    """
    document = _inside(signed)
    verification = _verified(installation, signed)
    department = _department(document, verification)
    if isinstance(document, ChallengeAnswer):
        return _receive_answer(installation, signed, document, verification)
    subject = f"{document.directive}/{department}"
    known = signed.of in installation.stores.documents.digests(type(document), subject=subject)
    if not known:
        _record(installation, document, signed, verification, subject)
        if not isinstance(document, ExemptionReport) and document.tree_head is not None:
            _witness(installation, department, document)
    return Arrival(signed.of_kind, department, document.directive, signed.of, known)


def _inside(signed: SignedDocument) -> Acknowledgement | Attestation | ChallengeAnswer | ExemptionReport:
    if statement.is_statement(signed.envelope):
        return statement.read(signed)[0]
    if signed.of_kind == Acknowledgement.KIND:
        return document_of(signed, Acknowledgement)
    if signed.of_kind == Attestation.KIND:
        return document_of(signed, Attestation)
    if signed.of_kind == ChallengeAnswer.KIND:
        return document_of(signed, ChallengeAnswer)
    if signed.of_kind == ExemptionReport.KIND:
        return document_of(signed, ExemptionReport)
    raise NotForTheAuthority(
        Text(
            f"{signed.of_kind} is not what a department sends to its authority",
            f"{signed.of_kind} n'est pas un document qu'un organisme envoie à son autorité",
        ),
        remedy=Text(
            "Send an acknowledgement, an attestation, an exemption report or an answer to a challenge.",
            "Envoyez un accusé de réception, une attestation, un rapport d'exemptions ou une réponse à une demande.",
        ),
    )


def _verified(installation: Installation, signed: SignedDocument) -> Verification:
    keys = trusting.key_list(installation)
    now = installation.clock.now()
    if keys is None:
        raise trusting.NoKeyList(
            Text("no key list is installed", "aucune liste de clés n'est installée"),
            remedy=Text(
                "Install one: 'proscribe key trust FILE --pin DIGEST'.",
                "Installez-en une\u00a0: «\u00a0proscribe key trust FICHIER --pin EMPREINTE\u00a0».",
            ),
        )
    if not statement.is_statement(signed.envelope):
        return verify(signed, keys, at=now)
    predicate = statement.read(signed)[1]
    subject = Subject(of=signed.of, kind=signed.of_kind, prepared_by=predicate.prepared_by)
    found = verify_sealed(dsse.open_envelope(signed.envelope), subject, keys, at=now)
    return replace(found, envelope=digest(signed))


def _department(document: Document, verification: Verification) -> str:
    """The department whose seats signed. Raises WrongDepartment where they are not those of the document."""
    signers = {department_of_seat(holder) for holder in verification.holders}
    named = getattr(document, "department", None)  # an exemption report names its organisation only
    if len(signers) == 1 and (named is None or named in signers):
        return signers.pop()
    listed = ", ".join(sorted(signers))
    raise WrongDepartment(
        Text(
            f"a document of {named or 'one department'}, signed by a seat of {listed}",
            f"un document de {named or 'un ministère'}, signé par un siège de {listed}",
        ),
        remedy=Text(
            "Ask the department itself; keep this file.", "Adressez-vous à l'organisme même; conservez ce fichier."
        ),
    )


def department_of_seat(holder: str) -> str:
    """The department of a seat: "transport" of "transport/cio", or of "transport"."""
    return holder.partition("/")[0]


def _record(
    installation: Installation,
    document: Acknowledgement | Attestation | ExemptionReport,
    signed: SignedDocument,
    verification: Verification,
    subject: str,
) -> None:
    kind = EntryKind.attestation
    if isinstance(document, Acknowledgement):
        kind = EntryKind.acknowledgement
    elif isinstance(document, ExemptionReport):
        kind = EntryKind.exemption
    documents, now = installation.stores.documents, installation.clock.now()
    with installation.atomic():
        documents.put(signed, subject=signed.of, at=now)
        documents.put(verification, subject=f"received:{subject}", at=now)
        installation.keep(
            document,
            kind,
            subject=subject,
            directive=document.directive,
            event="received",
            department=subject.rpartition("/")[2],
            seats=list(verification.holders),
            envelope=verification.envelope,
            key_list=verification.key_list,
        )


def _witness(installation: Installation, department: str, document: Acknowledgement | Attestation) -> None:
    """Hold on to the head, so that the feed can show it to others."""
    head = document.tree_head
    known = ledgering.witnessed(installation, department)
    if head is not None and (known is None or document.since == known or head.size <= known.size):
        ledgering.witness(installation, department, head, document.consistency)


def receive_proof(installation: Installation, department: str, path: Path) -> tuple[Text, ...]:
    """Check a proof bundle that a department handed over; what contradicts it. The bundle is noted, and not kept.

    Its ledger must begin with every smaller head that the department signed. Raises UnreadableFile or UnsoundProof.
    """
    result = verify_proof(path)
    if not result.ok:
        first = result.failures[0]
        raise UnsoundProof(
            Text(
                f"this proof does not hold: {first.what.en}", f"cette preuve n'est pas valable\u00a0: {first.what.fr}"
            ),
            remedy=Text(
                "Ask the department for it again; 'proscribe prove verify' lists all that is wrong.",
                "Demandez-la de nouveau à l'organisme; «\u00a0proscribe prove verify\u00a0» énumère tout ce qui "
                "ne va pas.",
            ),
            where=Where(file=str(path), field=first.member),
        )
    manifest, tree = _opened(path)
    wrong = tuple(
        Text(
            f"its proof does not begin with the {head.size} entries it signed on {head.at:%Y-%m-%d}",
            f"sa preuve ne commence pas par les {head.size} entrées signées le {head.at:%Y-%m-%d}",
        )
        for head in heads_of(installation, manifest.directive, department)
        if head.size <= tree.size and tree.root(head.size).hex() != head.root
    )
    noted = ReceivedProof(
        department=department,
        directive=manifest.directive,
        manifest=digest(manifest),
        at=installation.clock.now(),
        fleet=manifest.fleet,
        outcomes=manifest.outcomes,
        tree_head=manifest.tree_head,
        wrong=wrong,
    )
    subject = f"{manifest.directive}/{department}"
    if not any(
        one.manifest == noted.manifest for one in installation.stores.documents.all(ReceivedProof, subject=subject)
    ):
        installation.keep(
            noted,
            EntryKind.attestation,
            subject=subject,
            directive=manifest.directive,
            event="proof",
            department=department,
            manifest=noted.manifest,
        )
    return tuple(against_proofs(papers_of(installation, manifest.directive, department)))


def _opened(path: Path) -> tuple[BundleManifest, Tree]:
    """The manifest of a proof that verifies, and the tree over all the leaves of its ledger."""
    with zipfile.ZipFile(path) as bundle:
        manifest = from_json(BundleManifest, json.loads(bundle.read(members.MANIFEST)), source=str(path))
        leaves = bundle.read(members.LEAVES).decode("ascii").split()
    return manifest, Tree(bytes.fromhex(leaf) for leaf in leaves)


# --- the re-check


def attested(installation: Installation, directive: str, departments: Sequence[str]) -> tuple[str, ...]:
    """The departments that have attested under a directive."""
    known = installation.stores.documents
    return tuple(one for one in departments if known.digests(Attestation, subject=f"{directive}/{one}"))


def drawn(departments: Sequence[str], number: int) -> tuple[str, ...]:
    """So many departments, drawn from the operating system's random source; all where there are fewer."""
    chosen = secrets.SystemRandom().sample(sorted(departments), min(number, len(departments)))
    return tuple(sorted(chosen))


def challenge(
    installation: Installation, directive: str, department: str, *, due: date, entries: int = ENTRIES
) -> Challenge:
    """Draw entries of the ledger that a department attested to last. Raises NothingAttested."""
    newest = papers_of(installation, directive, department).newest
    if newest is None:
        raise NothingAttested(
            Text(f"{department} has not attested to {directive}", f"{department} n'a pas attesté {directive}"),
            remedy=Text(
                f"'proscribe rollup show {directive}' lists who has.",
                f"«\u00a0proscribe rollup show {directive}\u00a0» énumère qui l'a fait.",
            ),
        )
    issued = challenges.draw(newest, entries=entries, at=installation.clock.now(), due=due)
    installation.keep(
        issued,
        EntryKind.attestation,
        subject=f"{directive}/{department}",
        directive=directive,
        event="challenged",
        department=department,
        entries=len(issued.indexes),
    )
    return issued


def _receive_answer(
    installation: Installation, signed: SignedDocument, given: ChallengeAnswer, verification: Verification
) -> Arrival:
    issued = _issued(installation, given)
    subject = f"{issued.directive}/{issued.department}"
    before = [
        one for one in installation.stores.documents.all(ChallengeResult, subject=subject) if one.answer == signed.of
    ]
    result = before[0] if before else challenges.check(issued, given, at=installation.clock.now())
    if not before:
        with installation.atomic():
            installation.stores.documents.put(signed, subject=signed.of, at=installation.clock.now())
            installation.stores.documents.put(given, subject=subject, at=installation.clock.now())
            installation.keep(
                result,
                EntryKind.attestation,
                subject=subject,
                directive=issued.directive,
                event="re-checked",
                department=issued.department,
                wrong=len(result.wrong),
                seats=list(verification.holders),
            )
    return Arrival(signed.of_kind, issued.department, issued.directive, signed.of, bool(before), result.wrong)


def _issued(installation: Installation, given: ChallengeAnswer) -> Challenge:
    try:
        issued = installation.stores.documents.get(Challenge, given.challenge)
    except (NotStored, InvalidDocument):
        issued = None
    if issued is not None and issued.department == given.department:
        return issued
    raise UnknownChallenge(
        Text(
            f"{given.department} answers a challenge that was not issued to it from here",
            f"{given.department} répond à une demande qui ne lui a pas été adressée d'ici",
        ),
        remedy=Text("Send the department the challenge again.", "Envoyez de nouveau la demande à l'organisme."),
    )


# --- the roll-up


def departments_of(installation: Installation) -> tuple[str, ...]:
    """The departments whose seats may sign attestations, as the key list in force says."""
    keys = trusting.key_list(installation)
    rule = None if keys is None else rule_for(keys, Attestation.KIND)
    if keys is None or rule is None:
        return ()
    return tuple(sorted({department_of_seat(key.holder) for key in keys.keys if set(key.roles) & set(rule.roles)}))


def rollup(
    installation: Installation,
    reference: str,
    departments: Sequence[str],
    *,
    acknowledge_by: date,
    attest_by: date,
) -> Rollup:
    """Where every department stands now. Raises UnknownDirective."""
    directive = planning.known_directive(installation, reference)
    terms = Terms(
        directive=directive.id,
        digest=digest(directive),
        grounds=directive.exceptions.grounds,
        acknowledge_by=acknowledge_by,
        attest_by=attest_by,
        now=installation.clock.now(),
    )
    known = owners(installation)
    papers = (papers_of(installation, directive.id, one) for one in sorted(set(departments)))
    return roll_up((with_owners(one, known) for one in papers), terms)


def heads(installation: Installation, departments: Sequence[str]) -> DepartmentHeads:
    """The newest good head of each department's ledger, for the feed."""
    found = {one: ledgering.witnessed(installation, one) for one in sorted(departments)}
    return DepartmentHeads(
        at=installation.clock.now(), heads={one: head for one, head in found.items() if head is not None}
    )

"""A department's side: it acknowledges a directive, attests to what came of it, and answers for its ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from proscribe.documents import digest, read
from proscribe.enforce.model import DeviceOutcome, Outcome
from proscribe.errors import ProscribeError
from proscribe.feed import challenge as challenges
from proscribe.feed.model import (
    Acknowledgement,
    AnsweredEntry,
    Attestation,
    Challenge,
    ChallengeAnswer,
    FleetDeclared,
)
from proscribe.feed.smallcells import OTHER, publishable
from proscribe.inventory.model import Coverage
from proscribe.plan.exemptions import exempt_devices
from proscribe.plan.fleet import exemption_of
from proscribe.plan.inputs import aliases_of
from proscribe.plan.labels import class_label
from proscribe.prove.bundle import export
from proscribe.prove.evidence import latest_coverage
from proscribe.prove.ledger import leaf_hash
from proscribe.prove.model import EntryKind, SignedTreeHead
from proscribe.prove.pseudonym import names_a_device, spellings
from proscribe.service import inventory, ledgering, planning, proof, signing, trusting
from proscribe.service.installation import Installation
from proscribe.service.standing import order_of
from proscribe.store.errors import NotStored
from proscribe.text import Text
from proscribe.trust.envelope import document_of, is_envelope, read_envelope

FLOOR = 5
"""Devices. The smallest count that leaves a department, unless it chooses another."""

PROOFS_FOLDER = "proofs"


class NoDepartment(ProscribeError):
    """The settings do not say under which name the authority knows this organisation."""

    code = "attest.no-department"


class ForeignChallenge(ProscribeError):
    """A challenge is for another department, or about an attestation that was not given from here."""

    code = "attest.foreign-challenge"


class FloorChanged(ProscribeError):
    """Two attestations to one directive with different floors: what one puts together the other may give away."""

    code = "attest.floor-changed"


def department_of(installation: Installation) -> str:
    """The name under which the authority knows this organisation. Raises NoDepartment."""
    name = installation.settings.department
    if name:
        return name
    raise NoDepartment(
        Text(
            "the settings do not say which department this is",
            "les paramètres n'indiquent pas de quel organisme il s'agit",
        ),
        remedy=Text(
            'Write department = "..." at the top of proscribe.toml: the name that the authority\'s key list has.',
            "Inscrivez department = «\u00a0...\u00a0» au début de proscribe.toml\u00a0: le nom figurant à la liste de "
            "clés de l'autorité.",
        ),
    )


def acknowledge(
    installation: Installation,
    reference: str,
    *,
    owner: str,
    byod: Text,
    unmanaged: int | None = None,
) -> Acknowledgement:
    """Accept a directive: who answers for it, for how many devices of which systems, and what is outside all of them.

    The devices are those of the newest snapshot in scope of the directive; without a snapshot none is declared.
    Raises NoDepartment, UnknownDirective, and NotWatched where the snapshot is older than the directive.
    """
    department = department_of(installation)
    directive = planning.known_directive(installation, reference)
    fleets = _fleets(installation, reference)
    with installation.atomic():
        since = last_given(installation, directive.id)
        head = ledgering.signed_head(installation)
        given = Acknowledgement(
            department=department,
            directive=directive.id,
            directive_digest=digest(directive),
            at=installation.clock.now(),
            owner=owner,
            fleets=fleets,
            unmanaged=unmanaged,
            byod=byod,
            tree_head=head,
            since=since,
            consistency=() if since is None else ledgering.consistency(installation, since, head),
        )
        installation.keep(
            given,
            EntryKind.acknowledgement,
            subject=directive.id,
            directive=directive.id,
            directive_digest=given.directive_digest,
            owner=owner,
        )
    return given


def _fleets(installation: Installation, reference: str) -> tuple[FleetDeclared, ...]:
    directive = planning.known_directive(installation, reference)
    try:
        snapshot = inventory.current(installation)
    except inventory.NothingToObserve:
        return ()
    targets = planning.targets_in_use(installation, directive)
    seen = planning.view(installation, directive, targets, snapshot)
    systems = Counter(status.system for status in seen.statuses)
    return tuple(FleetDeclared(Text(name, name), name, devices) for name, devices in sorted(systems.items()))


def last_given(installation: Installation, directive: str) -> SignedTreeHead | None:
    """The tree head last given to the authority under a directive; None before the first."""
    documents = installation.stores.documents
    given = (
        documents.latest(Acknowledgement, subject=directive),
        documents.latest(Attestation, subject=directive),
    )
    heads = [one.tree_head for one in given if one is not None and one.tree_head is not None]
    return max(heads, key=lambda head: head.size, default=None)


def attest(
    installation: Installation,
    reference: str,
    *,
    signed_off_by: str,
    unmanaged: int | None = None,
    floor: int | None = None,
    out: Path | None = None,
) -> Attestation:
    """Say what was done, and what could not be seen or done, in counts that show no fewer than ``floor`` devices.

    ``floor`` None: as in the attestation before, ``FLOOR`` in the first.

    The proof bundle it names is written to ``out`` (else to ``proofs/`` in the home folder) and stays here.
    ``unmanaged`` None: as acknowledged. Raises NoDepartment, NotEnforced, FloorChanged, and what
    ``prove.bundle.export`` raises.
    """
    department = department_of(installation)
    order = order_of(installation, reference)
    floor = _floor(installation, order.directive, floor)
    documents = installation.stores.documents
    number = len(documents.digests(Attestation, subject=order.directive)) + 1
    inputs = proof.inputs(installation, order.directive)
    manifest = export(inputs, out or installation.home / PROOFS_FOLDER / f"{order.directive}-{number}.zip")
    acknowledged = documents.latest(Acknowledgement, subject=order.directive)
    table = Counter((f"{one.system}/{one.enrolment}", one.outcome) for one in inputs.outcomes)
    figures = publishable(table, _grounds(installation, inputs.outcomes), floor)
    with installation.atomic():
        since = last_given(installation, order.directive)
        documents.put(manifest, subject=order.directive, at=installation.clock.now())
        head = ledgering.signed_head(installation)
        given = Attestation(
            department=department,
            directive=order.directive,
            directive_digest=order.directive_digest,
            number=number,
            at=installation.clock.now(),
            signed_off_by=signed_off_by,
            devices=figures.devices,
            by_outcome=figures.by_outcome,
            classes=figures.classes,
            small_cell_floor=floor,
            not_seen=tuple(
                _not_seen(row) for row in latest_coverage(inputs.snapshots) if row.devices and row.blind_to.en
            ),
            unmanaged=acknowledged.unmanaged if unmanaged is None and acknowledged is not None else unmanaged,
            exemptions=figures.exemptions,
            proof=digest(manifest),
            tree_head=head,
            consistency=() if since is None else ledgering.consistency(installation, since, head),
            since=since,
            together=figures.together,
        )
        installation.keep(
            given,
            EntryKind.attestation,
            subject=order.directive,
            directive=order.directive,
            event="given",
            number=number,
            proof=given.proof,
            role=signed_off_by,
        )
    return given


def _floor(installation: Installation, directive: str, wished: int | None) -> int:
    """One floor for all attestations to a directive: with two, the figures of one could be had from the other."""
    before = installation.stores.documents.latest(Attestation, subject=directive)
    if before is None:
        return FLOOR if wished is None else wished
    if wished in (None, before.small_cell_floor):
        return before.small_cell_floor
    raise FloorChanged(
        Text(
            f"the attestation before has a floor of {before.small_cell_floor}, not {wished}",
            f"l'attestation précédente a un seuil de {before.small_cell_floor} et non de {wished}",
        ),
        remedy=Text(
            "Leave --small-cells out; under another directive it can be chosen anew.",
            "Omettez --small-cells; il peut être choisi de nouveau au titre d'une autre directive.",
        ),
    )


def _grounds(installation: Installation, outcomes: Sequence[DeviceOutcome]) -> Counter[str]:
    """Exempt devices by ground."""
    exempt = [one for one in outcomes if one.outcome is Outcome.exempt]
    if not exempt:
        return Counter()
    register = signing.exemptions(installation, directive=exempt[0].directive)
    known = exempt_devices(register.exemptions)
    aliases = aliases_of(inventory.current(installation))
    found = (exemption_of(one.device, known, aliases) for one in exempt)
    return Counter(OTHER if one is None else one.ground for one in found)


def _not_seen(row: Coverage) -> Text:
    """What a class of device does not show, without the number of such devices: the floor is kept elsewhere."""
    return (
        Text(f"{row.system}, ", f"{row.system}, ")
        + class_label(row.platform, row.enrolment)
        + Text(": ", "\u00a0: ")
        + row.blind_to
    )


def read_challenge(installation: Installation, path: Path, *, issuer: str = trusting.OWN) -> Challenge:
    """A challenge from a file, signed or bare. ``issuer``: whose key list it is checked against.

    Raises NotSigned where that list has a rule for challenges and this one is not signed accordingly.
    """
    if is_envelope(path):
        signed = read_envelope(path)
        if trusting.key_list(installation, issuer=issuer) is not None:
            trusting.register(installation, signed, issuer=issuer)
        challenge = document_of(signed, Challenge)
    else:
        challenge = read(Challenge, path)
    trusting.require(installation, digest(challenge), Challenge.KIND, issuer=issuer)
    return challenge


def answer(installation: Installation, challenge: Challenge) -> ChallengeAnswer:
    """The entries that the authority drew, each with its place in the ledger attested to.

    An entry that names a device, or counts fewer than the floor of the attestation, is given as its leaf hash. Raises
    ForeignChallenge, NoSuchProof.
    """
    attestation = _attested(installation, challenge)
    devices = _device_keys(installation, attestation.directive)
    given = ChallengeAnswer(
        department=department_of(installation),
        challenge=digest(challenge),
        at=installation.clock.now(),
        entries=tuple(_entry(installation, attestation, index, devices) for index in challenge.indexes),
    )
    installation.keep(
        given,
        EntryKind.attestation,
        subject=f"{attestation.directive}:answers",
        directive=attestation.directive,
        event="answered",
        challenge=given.challenge,
        entries=len(given.entries),
    )
    return given


def _attested(installation: Installation, challenge: Challenge) -> Attestation:
    if challenge.department == department_of(installation):
        try:
            attestation = installation.stores.documents.get(Attestation, challenge.attestation)
        except NotStored:
            attestation = None
        if attestation is not None and attestation.tree_head == challenge.tree_head:
            return attestation
    raise ForeignChallenge(
        Text(
            "this challenge is not about an attestation given from here",
            "cette demande ne porte pas sur une attestation faite ici",
        ),
        remedy=Text(
            "Check that it is for this department, and that this is the installation that attested.",
            "Vérifiez qu'elle vise cet organisme et que la présente installation a produit l'attestation.",
        ),
    )


def _device_keys(installation: Installation, directive: str) -> frozenset[str]:
    known = {one.device for one in installation.stores.outcomes.latest(directive)}
    known |= inventory.device_keys(installation) or frozenset()
    return frozenset(spelling for key in known for spelling in spellings(key))


def _entry(installation: Installation, attestation: Attestation, index: int, devices: frozenset[str]) -> AnsweredEntry:
    entry = next(installation.stores.ledger.entries(index, index + 1))
    told = names_a_device([entry.subject, entry.body], devices)
    shown = not told and challenges.may_be_shown(entry, attestation.small_cell_floor)
    path = installation.stores.ledger.inclusion(index, attestation.tree_head.size)
    return challenges.answered(index, leaf_hash(entry), path, entry if shown else None)

"""Exemptions: named devices, a ground, an approver, an end. Asked for, granted or refused, renewed, reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from proscribe.canonical import digest_chunks
from proscribe.clock import utc
from proscribe.documents import digest
from proscribe.errors import ProscribeError
from proscribe.files import unreadable
from proscribe.plan.exemptions import validate
from proscribe.plan.granting import Known, chain, granting_problems, request_problems
from proscribe.plan.model import Exemption, ExemptionGrant, ExemptionRequest, MitigationProof
from proscribe.prove.model import EntryKind
from proscribe.service import inventory, signing
from proscribe.service.installation import Installation
from proscribe.service.model import ExemptionLine, ExemptionReport, ExemptionState
from proscribe.service.planning import known_directive
from proscribe.text import Text

_CHUNK = 1 << 20


class NoRequest(ProscribeError):
    """Nobody asked for an exemption of that id, or it was refused."""

    code = "service.no-exemption-request"


class AlreadyGranted(ProscribeError):
    """An exemption was to be refused that is in force or was."""

    code = "service.exemption-granted"


class RequestExists(ProscribeError):
    """An exemption of that id was asked for before, with other words."""

    code = "service.exemption-request-exists"


def proof_of(mitigation: str, file: Path) -> MitigationProof:
    """The proof of a safeguard: the digest of a file, which is read and not kept. Raises UnreadableFile."""
    try:
        with file.open("rb") as stream:
            found = digest_chunks(iter(lambda: stream.read(_CHUNK), b""))
    except OSError as error:
        raise unreadable(file, error) from error
    return MitigationProof(mitigation=mitigation, digest=found, what=file.name)


def request(installation: Installation, asked: ExemptionRequest) -> bool:
    """Record that an exemption is asked for; False where the very same request is known.

    Raises InvalidExemption, UnknownDirective or RequestExists.
    """
    exemption = asked.exemption
    faults = request_problems(exemption, known_directive(installation, exemption.directive))
    if faults:
        raise faults[0]
    with installation.atomic():
        _one_at_a_time()
        before = installation.stores.documents.latest(ExemptionRequest, subject=_subject(exemption.id))
        if before == asked:
            return False
        if before is not None or exemption.id in {one.id for one, _ in listed(installation)}:
            raise _exists(exemption.id)
        _keep_request(installation, asked, "requested")
    return True


def _one_at_a_time() -> None:
    """Two officers at once would each see nothing of what the other grants or asks for."""
    from proscribe.store.repository.unit import serialise

    serialise("exemption")


def _exists(exemption_id: str) -> RequestExists:
    return RequestExists(
        Text(
            f"an exemption {exemption_id} is on file with other terms",
            f"une exemption {exemption_id} est déjà au dossier avec d'autres modalités",
        ),
        remedy=Text("Give this one an id of its own.", "Donnez à celle-ci son propre identifiant."),
    )


def refuse(installation: Installation, exemption_id: str, *, by: str, because: str) -> ExemptionRequest:
    """Refuse what was asked for. Raises NoRequest, or AlreadyGranted: what was granted is ended, not refused."""
    with installation.atomic():
        _one_at_a_time()
        asked = _asked(installation, exemption_id)
        if exemption_id in {one.id for one, _ in listed(installation)}:
            raise AlreadyGranted(
                Text(f"exemption {exemption_id} was granted", f"l'exemption {exemption_id} a été accordée"),
                remedy=Text(
                    f"End it: 'proscribe exempt end {exemption_id}'.",
                    f"Mettez-y fin\u00a0: «\u00a0proscribe exempt end {exemption_id}\u00a0».",
                ),
            )
        refused = replace(asked, refused_by=by, refused_because=because)
        _keep_request(installation, refused, "refused", because=because, role=by)
    return refused


def draft(installation: Installation, exemption_id: str, *, approved_by: str, delegated_by: str = "") -> ExemptionGrant:
    """The exemption as it would be granted: what approvers sign. Raises NoRequest or InvalidExemption."""
    asked = _asked(installation, exemption_id)
    exemption = replace(asked.exemption, approved_by=approved_by, delegated_by=delegated_by)
    _refuse_faulty(installation, exemption)
    return ExemptionGrant(exemption=exemption, request=digest(asked))


def add(installation: Installation, exemption: Exemption) -> bool:
    """Grant an exemption without a request on file; False where the very same one is known.

    Raises as ``grant`` does.
    """
    return grant(installation, ExemptionGrant(exemption=exemption))


def grant(installation: Installation, granted: ExemptionGrant) -> bool:
    """Record an exemption after checking it against its directive; False where the very same one is known.

    Raises InvalidExemption (field and remedy named), UnknownDirective, ExemptionExists, NoRequest or RequestExists
    (refused under that id, or asked for with other terms), or NotSigned where the key list asks for signatures and they
    are not on file.
    """
    exemption, now = granted.exemption, installation.clock.now()
    own = digest(granted)
    with installation.atomic():
        _one_at_a_time()
        _refuse_faulty(installation, exemption)
        _refuse_other_terms(installation, exemption)
        signing.demand(installation, own, ExemptionGrant.KIND)
        added = installation.stores.exemptions.add(exemption, at=now)
        if added:
            installation.stores.documents.put(granted, subject=_subject(exemption.id), at=now)
            # Devices are counted, not named: the ledger goes into bundles that leave the organisation.
            installation.record(
                EntryKind.exemption,
                exemption.directive,
                id=exemption.id,
                event="granted",
                digest=own,
                ground=exemption.ground,
                approved_by=exemption.approved_by,
                delegated_by=exemption.delegated_by,
                renews=exemption.renews,
                starts=exemption.starts.isoformat(),
                expires=exemption.expires.isoformat(),
                devices=len(exemption.devices),
            )
    return added


def not_seen(installation: Installation, exemption: Exemption) -> tuple[str, ...]:
    """The devices of an exemption that the newest snapshot does not hold: a misspelt key exempts nobody."""
    known = inventory.device_keys(installation)
    return () if known is None else tuple(device for device in exemption.devices if device not in known)


def end(installation: Installation, exemption_id: str, *, because: str = "") -> bool:
    """End an exemption now, so that the next tick enforces again; False where it had ended. Raises NotStored."""
    with installation.atomic():
        ended = installation.stores.exemptions.end(exemption_id, at=installation.clock.now())
        if ended:
            about = {one.id: one for one, _ in installation.stores.exemptions.all()}[exemption_id]
            reason = {"because": because} if because else {}
            installation.record(EntryKind.exemption, about.directive, id=exemption_id, ended=True, **reason)
    return ended


def listed(installation: Installation) -> tuple[tuple[Exemption, datetime | None], ...]:
    """Every exemption ever recorded, with the moment it was ended."""
    return installation.stores.exemptions.all()


def open_requests(installation: Installation) -> tuple[ExemptionRequest, ...]:
    """What was asked for and neither granted nor refused, oldest first; and what was refused."""
    granted = {one.id for one, _ in listed(installation)}
    newest: dict[str, ExemptionRequest] = {}
    for one in installation.stores.documents.all(ExemptionRequest):  # newest first
        newest.setdefault(one.exemption.id, one)
    return tuple(reversed([one for name, one in newest.items() if name not in granted]))


def state_of(exemption: Exemption, ended: datetime | None, now: datetime) -> ExemptionState:
    """Where a granted exemption stands."""
    today = utc(now).date()
    if ended is not None:
        return ExemptionState.ended
    if exemption.expires < today:
        return ExemptionState.expired
    return ExemptionState.to_come if exemption.starts > today else ExemptionState.in_force


def report(installation: Installation, reference: str) -> ExemptionReport:
    """The exemptions under a directive, for its authority. Raises UnknownDirective."""
    directive = known_directive(installation, reference)
    now = installation.clock.now()
    known = [Known(one, ended) for one, ended in listed(installation) if one.directive == directive.id]
    exempt: dict[str, str] = {}
    for one in known:
        if state_of(one.exemption, one.ended, now) is ExemptionState.in_force:
            exempt.update(dict.fromkeys(one.exemption.devices, one.exemption.ground))
    by_ground: dict[str, int] = {}
    for ground in exempt.values():
        by_ground[ground] = by_ground.get(ground, 0) + 1
    asked = [one for one in open_requests(installation) if one.exemption.directive == directive.id]
    return ExemptionReport(
        directive=directive.id,
        at=now,
        organisation=installation.settings.organisation,
        in_force=len(exempt),
        by_ground=dict(sorted(by_ground.items())),
        exemptions=(
            *(_granted_line(installation, one, known, now) for one in known),
            *(_asked_line(one, known) for one in asked),
        ),
    )


def _granted_line(installation: Installation, one: Known, known: Sequence[Known], now: datetime) -> ExemptionLine:
    granted = installation.stores.documents.latest(ExemptionGrant, subject=_subject(one.exemption.id))
    seats = () if granted is None else signing.seats(installation, digest(granted))
    state = state_of(one.exemption, one.ended, now)
    return replace(
        _line(one.exemption, state, known),
        ended_on=None if one.ended is None else utc(one.ended).date(),
        signed_by=seats,
    )


def _asked_line(asked: ExemptionRequest, known: Sequence[Known]) -> ExemptionLine:
    state = ExemptionState.refused if asked.refused_by else ExemptionState.requested
    return _line(asked.exemption, state, known)


def _line(exemption: Exemption, state: ExemptionState, known: Sequence[Known]) -> ExemptionLine:
    line = chain(exemption, (one.exemption for one in known))
    return ExemptionLine(
        id=exemption.id,
        state=state,
        ground=exemption.ground,
        devices=len(exemption.devices),
        requested_by=exemption.requested_by,
        approved_by=exemption.approved_by,
        delegated_by=exemption.delegated_by,
        starts=exemption.starts,
        expires=exemption.expires,
        ended_on=None,
        renews=exemption.renews,
        since=line[0].starts,
        renewals=len(line) - 1,
        mitigations=exemption.mitigations,
        proven=tuple(dict.fromkeys(one.mitigation for one in exemption.proofs)),
        signed_by=(),
    )


def _refuse_faulty(installation: Installation, exemption: Exemption) -> None:
    directive, now = known_directive(installation, exemption.directive), installation.clock.now()
    validate(exemption, directive, now)
    first = {key: keys[0] for keys in inventory.keys_of_devices(installation) for key in keys}

    def by_device(one: Exemption) -> Exemption:
        """With each device under one key, whichever of its systems the exemption names it by."""
        return replace(one, devices=tuple(dict.fromkeys(first.get(key, key) for key in one.devices)))

    faults = granting_problems(
        by_device(exemption),
        directive,
        [Known(by_device(one), ended) for one, ended in listed(installation)],
        offices=installation.settings.exemptions.approvers.get(directive.id, ()),
        now=now,
        entities=[frozenset(first.get(key, key) for key in keys) for keys in inventory.entities(installation)],
    )
    if faults:
        raise faults[0]


def _refuse_other_terms(installation: Installation, exemption: Exemption) -> None:
    """What was refused is not granted by another door, nor something else than what was asked for under its id."""
    asked = installation.stores.documents.latest(ExemptionRequest, subject=_subject(exemption.id))
    if asked is None:
        return
    if asked.refused_by:
        _asked(installation, exemption.id)
    granted = replace(exemption, approved_by="", delegated_by="")
    if granted != asked.exemption:
        raise _exists(exemption.id)


def _asked(installation: Installation, exemption_id: str) -> ExemptionRequest:
    asked = installation.stores.documents.latest(ExemptionRequest, subject=_subject(exemption_id))
    if asked is None or asked.refused_by:
        what = Text(f"nobody asked for an exemption {exemption_id}", f"personne n'a demandé d'exemption {exemption_id}")
        if asked is not None:
            what = Text(
                f"exemption {exemption_id} was refused by {asked.refused_by}",
                f"l'exemption {exemption_id} a été refusée par {asked.refused_by}",
            )
        raise NoRequest(
            what,
            remedy=Text(
                "Ask for it with 'proscribe exempt request', under an id of its own.",
                "Demandez-la avec «\u00a0proscribe exempt request\u00a0», sous son propre identifiant.",
            ),
        )
    return asked


def _keep_request(installation: Installation, asked: ExemptionRequest, event: str, **body: str) -> None:
    exemption = asked.exemption
    with installation.atomic():
        installation.stores.documents.put(asked, subject=_subject(exemption.id), at=installation.clock.now())
        installation.record(
            EntryKind.exemption,
            exemption.directive,
            id=exemption.id,
            event=event,
            digest=digest(asked),
            ground=exemption.ground,
            requested_by=exemption.requested_by,
            devices=len(exemption.devices),
            **body,
        )


def _subject(exemption_id: str) -> str:
    return f"exemption {exemption_id}"

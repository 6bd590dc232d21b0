"""Sharing with partners: a ban out as STIX, a partner's bundle in as a case, and the outcomes as OSCAL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from proscribe.canonical import Digest, digest_bytes
from proscribe.catalogue.model import TargetSet
from proscribe.decide.model import Case, Origin, Track
from proscribe.directive.model import Directive, State
from proscribe.documents import digest
from proscribe.errors import Where
from proscribe.files import read_bytes
from proscribe.prove.evidence import latest_coverage, not_seen, summarise_exemptions, tally
from proscribe.prove.model import EntryKind
from proscribe.publish.oscal.bundle import assessed_in
from proscribe.publish.oscal.parts import Assessed
from proscribe.publish.oscal.plan import plan_of_action
from proscribe.publish.oscal.results import assessment_results
from proscribe.publish.stix.errors import TlpForbids
from proscribe.publish.stix.known import one_line
from proscribe.publish.stix.model import Received, Tlp
from proscribe.publish.stix.opening import MAX_BYTES
from proscribe.publish.stix.read import marking_of, read
from proscribe.publish.stix.write import Shared, bundle_bytes, withheld_note, without_context
from proscribe.service import casework, markings, planning, proof, standing
from proscribe.service.installation import Installation
from proscribe.text import Language, Text, plural
from proscribe.trust.envelope import envelope_bytes
from proscribe.trust.model import SignedDocument

RESULTS = "assessment-results.json"
PLAN = "plan-of-action.json"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A bundle ready to be sent: its bytes, its marking, and what to know before sending it."""

    directive: str
    tlp: Tlp
    data: bytes
    signed: bool
    warnings: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A proposal that came in, and the case it opened; ``new`` is False where that had happened before."""

    case: str
    received: Received
    new: bool


def stix(installation: Installation, reference: str, *, tlp: Tlp, with_context: bool = False) -> Outgoing:
    """A directive as a STIX bundle, recorded as shared.

    ``reference``: a directive decided or adopted here, a shipped one, or a file. Raises UnknownDirective; TlpForbids
    where a partner's marking is stricter than ``tlp``.
    """
    whole, targets = _decided(installation, reference)
    warnings = [*_marked(installation, whole, tlp), *_unfinished(whole, targets)]
    shown = whole if with_context else without_context(whole)
    envelope = None
    if shown == whole:
        envelope = _envelope(installation, whole)
    elif (note := withheld_note(whole)) is not None:
        warnings.append(note)
    data = bundle_bytes(Shared(shown, targets, tlp, envelope))
    installation.record(
        EntryKind.notice, whole.id, event="shared", tlp=tlp.value, form="stix", digest=digest_bytes(data)
    )
    return Outgoing(whole.id, tlp, data, envelope is not None, tuple(warnings))


def receive(installation: Installation, path: Path) -> tuple[Incoming, ...]:
    """Read a partner's bundle and open a case for each ban in it. Nothing is adopted, planned or sent.

    The same bytes open no second case. Raises NotABundle, BundleTooBig, NothingProposed, UnreadableFile, and
    RoleRefused where the role may not open cases.
    """
    found = read(read_bytes(path, MAX_BYTES), source=str(path))
    stem = "partner-" + found[0].bundle.removeprefix("sha256:")[:12]
    several = len(found) > 1
    return tuple(
        _opened(installation, f"{stem}-{number}" if several else stem, one) for number, one in enumerate(found, start=1)
    )


def received(installation: Installation) -> tuple[Incoming, ...]:
    """Everything partners ever proposed, newest first."""
    documents = installation.stores.documents
    cases = {case.received: case.id for case in documents.all(Case) if case.received is not None}
    return tuple(Incoming(cases.get(digest(one), ""), one, new=False) for one in documents.all(Received))


def assessed(installation: Installation, reference: str) -> Assessed:
    """What became of a directive, as last judged here. Raises NotEnforced, or TlpForbids for TLP:RED."""
    status = standing.status(installation, reference)
    inputs = proof.inputs(installation, status.directive)
    if markings.floor(installation, inputs.directive) is Tlp.red:
        raise markings.red(status.directive)
    counts = tally(status.directive, inputs.outcomes)
    return Assessed(
        organisation=inputs.organisation,
        at=status.at,
        directive=inputs.directive,
        directive_digest=digest(inputs.directive),
        targets_digest=digest(inputs.targets),
        counts=counts,
        not_seen=not_seen(counts, latest_coverage(inputs.snapshots)),
        exemptions=summarise_exemptions(inputs.exemptions, status.directive),
    )


def oscal(source: Assessed | Path, *, language: Language) -> dict[str, bytes]:
    """The OSCAL documents by file name, from a proof bundle or from ``assessed``; the plan only where one is needed.

    Raises ProofUnsound, UnreadableFile, and TlpForbids where the directive came under TLP:RED.
    """
    what = assessed_in(source) if isinstance(source, Path) else source
    if marking_of(what.directive) is Tlp.red:
        raise markings.red(what.directive.id)
    plan = plan_of_action(what, language)
    made = {RESULTS: assessment_results(what, language)}
    return made if plan is None else {**made, PLAN: plan}


def _decided(installation: Installation, reference: str) -> tuple[Directive, TargetSet]:
    documents = installation.stores.documents
    for order in standing.orders(installation):
        if order.directive == reference:
            return documents.get(Directive, order.directive_digest), documents.get(TargetSet, order.targets_digest)
    directive = planning.known_directive(installation, reference)
    return directive, planning.targets_in_use(installation, directive)


def _marked(installation: Installation, directive: Directive, tlp: Tlp) -> list[Text]:
    """What a partner's marking asks for. Raises TlpForbids."""
    floor = markings.floor(installation, directive)
    if floor is Tlp.red:
        raise markings.red(directive.id)
    if floor is not None and floor.at_least(tlp) is not tlp:
        raise TlpForbids(
            Text(
                f"{directive.id} rests on what a partner sent as {floor.label}, stricter than {tlp.label}",
                f"{directive.id} repose sur un envoi d'un partenaire marqué {floor.label}, plus strict que {tlp.label}",
            ),
            remedy=Text(
                f"Share it with '--tlp {floor.value}', or ask the partner for a wider marking.",
                f"Partagez-la avec «\u00a0--tlp {floor.value}\u00a0», ou demandez-lui un marquage plus large.",
            ),
            where=Where(field="tlp"),
        )
    if tlp in (Tlp.clear, Tlp.green):
        return []
    return [
        Text(
            f"{tlp.label}: give it only to those whom the marking allows.",
            f"{tlp.label}\u00a0: ne le remettez qu'à ceux que le marquage autorise.",
        )
    ]


def _unfinished(directive: Directive, targets: TargetSet) -> list[Text]:
    warnings: list[Text] = []
    if directive.state is State.draft:
        warnings.append(Text("It is a draft, and says so.", "C'est une ébauche, et le fichier le dit."))
    if not targets.reviewed_by:
        warnings.append(Text("Nobody has reviewed its target set yet.", "Personne n'a encore examiné ses cibles."))
    return warnings


def _envelope(installation: Installation, directive: Directive) -> bytes | None:
    signed = installation.stores.documents.latest(SignedDocument, subject=digest(directive))
    return None if signed is None else envelope_bytes(signed)


def _opened(installation: Installation, case_id: str, one: Received) -> Incoming:
    kept = digest(one)
    if kept in installation.stores.documents.digests(Received, subject=case_id):
        return Incoming(case_id, one, new=False)
    with installation.atomic():
        # Under the case's name: a stranger's text never becomes the newest directive of any id.
        installation.stores.documents.put(one, subject=case_id, at=installation.clock.now())
        _open_case(installation, case_id, one, kept)
    return Incoming(case_id, one, new=True)


def _open_case(installation: Installation, case_id: str, one: Received, kept: Digest) -> None:
    case = Case(
        id=case_id,
        title=_title(one.directive.title),
        track=Track.standard,
        origin=Origin.partner,
        concern=_concern(one),
        opened_at=installation.clock.now(),
        opened_by=installation.actor,
        # Names no directive: which one is made from it, and under what id, is ours to say.
        received=kept,
    )
    casework.open_case(installation, case, {"received": one})


def _title(ban: Text) -> Text:
    en, fr = one_line(ban.en or ban.fr), one_line(ban.fr or ban.en)
    return Text(f"Proposed by a partner: {en}", f"Proposé par un partenaire\u00a0: {fr}")


def _concern(one: Received) -> Text:
    doubtful = sum(proposed.concern is not None for proposed in one.proposed)
    named = plural(
        len(one.proposed),
        Text("identifier named", "identifiant nommé"),
        Text("identifiers named", "identifiants nommés"),
    )
    sender = one.producer or "-"
    return Text(
        f"A partner ({sender}, as it calls itself; {one.tlp.label}) proposes a ban: {named.en}; {doubtful} of them "
        "cannot be acted upon as they stand.",
        f"Un partenaire ({sender}, selon lui; {one.tlp.label}) propose une interdiction\u00a0: {named.fr}, dont "
        f"{doubtful} sur lesquels on ne peut agir tels quels.",
    )

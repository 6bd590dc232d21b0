"""Write a proof bundle: one zip file that an auditor can check without this program, its database or a network.

``docs/reference/proof-bundle.md`` describes every member. The same inputs give the same bytes.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from proscribe.canonical import canonical_bytes
from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.documents import Document, Value, digest, to_bytes, to_json
from proscribe.enforce.model import DeviceOutcome
from proscribe.errors import DiskFull, ProscribeError, UnreadableFile, Where
from proscribe.files import reason
from proscribe.inventory.model import SnapshotManifest
from proscribe.plan.model import ExemptionRegister, Plan
from proscribe.prove import members as names
from proscribe.prove.container import Writer
from proscribe.prove.evidence import (
    LedgerExtract,
    extract_ledger,
    history,
    join_small_departments,
    latest_coverage,
    not_seen,
    pseudonymised,
    summarise_exemptions,
    tally,
)
from proscribe.prove.model import BundleManifest, ExemptionList, Member
from proscribe.prove.ports import LedgerStore
from proscribe.prove.pseudonym import Pseudonyms, spellings
from proscribe.prove.readme import readme
from proscribe.prove.report import render
from proscribe.prove.report_model import ReportData
from proscribe.prove.signatures import SignatureInputs
from proscribe.prove.verify import verify
from proscribe.text import Text

__all__ = ["BundleInputs", "BundleUnsound", "export", "report_data", "verify"]


class BundleUnsound(ProscribeError):
    """The proof that was just written does not hold; it is not handed out."""

    code = "prove.bundle-unsound"


@dataclass(frozen=True)
class BundleInputs:
    """Everything a proof is made from. Sequences run from old to new."""

    organisation: Text
    created_at: datetime
    directive: Directive
    targets: TargetSet
    plans: Sequence[Plan]
    snapshots: Sequence[SnapshotManifest]
    outcomes: Sequence[DeviceOutcome]  # one a device; all of the fleet in scope
    exemptions: ExemptionRegister
    ledger: LedgerStore
    pseudonym_key: bytes  # at least 32 random bytes; never leaves the organisation
    small_cell_floor: int = 0
    signatures: SignatureInputs = field(default_factory=SignatureInputs)
    approvals: tuple[Text, ...] = ()  # whose signatures stand under what was approved, in words
    disclose_devices: bool = False  # True: device keys instead of pseudonyms, for whoever may see them


def export(inputs: BundleInputs, out: Path) -> BundleManifest:
    """Write the proof of one directive to ``out`` and return its manifest.

    The file appears whole or not at all, and only after :func:`verify` has found it sound. Raises BundleUnsound,
    BundleTooLarge, WeakPseudonymKey, DiskFull, UnreadableFile (the folder cannot be written to).
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, scratch = tempfile.mkstemp(prefix=".proof-", suffix=".zip", dir=out.parent)
    except OSError as error:
        raise _write_error(error, out) from error
    temporary = Path(scratch)
    try:
        with os.fdopen(handle, "w+b") as stream:
            manifest = _write(inputs, Writer(stream))
        result = verify(temporary)
        if not result.ok:
            raise _unsound(result.failures[0].what, result.failures[0].member)
        temporary.replace(out)
    except OSError as error:
        raise _write_error(error, out) from error
    finally:
        temporary.unlink(missing_ok=True)
    return manifest


def report_data(inputs: BundleInputs) -> ReportData:
    """What the report shows, from the same inputs as the bundle."""
    return _report_data(inputs, extract_ledger(inputs.ledger, inputs.directive.id, _device_keys(inputs)))


def _report_data(inputs: BundleInputs, extract: LedgerExtract) -> ReportData:
    outcomes = join_small_departments(inputs.outcomes, inputs.small_cell_floor)
    counts = tally(inputs.directive.id, outcomes)
    plan = inputs.plans[-1] if inputs.plans else None
    copy = plan if plan is None or inputs.disclose_devices else Pseudonyms(inputs.pseudonym_key).plan(plan)
    entries = [entry for entry, _ in extract.shown]
    return ReportData(
        organisation=inputs.organisation,
        generated_at=inputs.created_at,
        directive=inputs.directive,
        targets=inputs.targets,
        plan=copy,
        plan_digest=None if plan is None else digest(plan),
        counts=counts,
        history=history(entries, inputs.directive.id),
        coverage=latest_coverage(inputs.snapshots),
        exemptions=summarise_exemptions(inputs.exemptions, inputs.directive.id),
        snapshots=tuple(digest(snapshot) for snapshot in inputs.snapshots),
        tree_head=extract.head,
        small_cell_floor=inputs.small_cell_floor,
        approvals=inputs.approvals,
    )


def _device_keys(inputs: BundleInputs) -> frozenset[str]:
    """The keys that must not appear in a pseudonymised bundle; none where devices are disclosed."""
    if inputs.disclose_devices:
        return frozenset()
    keys = {outcome.device for outcome in inputs.outcomes}
    for plan in inputs.plans:
        for step in plan.steps:
            keys.update(step.holders)
        for refusal in plan.refusals:
            keys.update(refusal.devices)
    for exemption in inputs.exemptions.exemptions:
        keys.update(exemption.devices)
    return frozenset(spelling for key in keys for spelling in spellings(key))


def _write(inputs: BundleInputs, writer: Writer) -> BundleManifest:
    pseudonyms = Pseudonyms(inputs.pseudonym_key)
    shown: Callable[[str], str] = _itself if inputs.disclose_devices else pseudonyms.of
    outcomes = pseudonymised(join_small_departments(inputs.outcomes, inputs.small_cell_floor), shown)
    counts = tally(inputs.directive.id, outcomes)
    unseen = not_seen(counts, latest_coverage(inputs.snapshots))
    extract = extract_ledger(inputs.ledger, inputs.directive.id, _device_keys(inputs))
    plans = tuple(plan if inputs.disclose_devices else pseudonyms.plan(plan) for plan in inputs.plans)
    exemptions = ExemptionList(
        register=digest(inputs.exemptions),
        exemptions=summarise_exemptions(inputs.exemptions, inputs.directive.id),
    )
    report = _report_data(inputs, extract)  # of the very ledger that the bundle shows

    parts: dict[str, Iterable[bytes]] = {
        names.README: [readme().encode()],
        names.COUNTS: [to_bytes(counts)],
        names.NOT_SEEN: [to_bytes(unseen)],
        names.DIRECTIVE: [to_bytes(inputs.directive)],
        names.EXEMPTIONS: [to_bytes(exemptions)],
        names.ENTRIES: (data + b"\n" for _, data in extract.shown),
        names.LEAVES: (leaf.hex().encode() + b"\n" for leaf in extract.leaves),
        names.PROOFS: [to_bytes(extract.proofs)],
        names.OUTCOMES: _lines(outcomes),
        names.RECEIPTS: _lines(extract.receipts()),
        names.REPORT_EN: [render(report, "en").encode()],
        names.REPORT_FR: [render(report, "fr").encode()],
        names.TARGETS: [to_bytes(inputs.targets)],
    }
    parts.update(_numbered(names.PLAN, plans))
    parts.update(_numbered(names.SNAPSHOT, inputs.snapshots))
    parts.update((name, [to_bytes(document)]) for name, document in inputs.signatures.members)

    listed: list[Member] = []
    for name in sorted(parts):
        member_digest, size = writer.add(name, parts[name])
        listed.append(Member(name=name, digest=member_digest, bytes=size))
    manifest = BundleManifest(
        created_at=inputs.created_at,
        directive=inputs.directive.id,
        directive_digest=digest(inputs.directive),
        targets_digest=digest(inputs.targets),
        plans=tuple(digest(plan) for plan in inputs.plans),
        snapshots=tuple(digest(snapshot) for snapshot in inputs.snapshots),
        tree_head=extract.head,
        fleet=counts.fleet,
        outcomes={outcome.value: devices for outcome, devices in counts.by_outcome.items()},
        not_seen=unseen.statements,
        members=tuple(listed),
        organisation=inputs.organisation,
        pseudonymised=not inputs.disclose_devices,
        small_cell_floor=inputs.small_cell_floor,
        key_lists=tuple(one.of for one in inputs.signatures.key_lists),
        signed=tuple(one.of for one in inputs.signatures.signed),
    )
    manifest_digest, size = writer.add(names.MANIFEST, [to_bytes(manifest)])
    every = (*listed, Member(name=names.MANIFEST, digest=manifest_digest, bytes=size))
    writer.add(names.CHECKSUMS, [names.checksums((member.name, member.digest) for member in every)])
    writer.finish(names.seal(manifest_digest))
    return manifest


def _itself(device: str) -> str:
    return device


def _numbered(pattern: str, documents: Sequence[Document]) -> dict[str, Iterable[bytes]]:
    return {pattern.format(number): [to_bytes(document)] for number, document in enumerate(documents, start=1)}


def _lines(values: Iterable[Value]) -> Iterator[bytes]:
    return (canonical_bytes(to_json(value)) + b"\n" for value in values)


def _unsound(what: Text, member: str) -> BundleUnsound:
    return BundleUnsound(
        Text(
            f"the proof does not hold and was not written: {member}: {what.en}",
            f"la preuve n'est pas valable et n'a pas été produite : {member} : {what.fr}",
        ),
        remedy=Text(
            "The records contradict each other. Keep the database as it is and look at that document in the ledger.",
            "Les documents se contredisent. Conservez la base de données telle quelle et examinez ce document dans le "
            "registre.",
        ),
    )


def _write_error(error: OSError, out: Path) -> ProscribeError:
    where = Where(file=str(out))
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            Text("no room left for the proof", "il n'y a plus d'espace pour la preuve"),
            remedy=Text(
                "Free some space or give another folder; nothing was left behind.",
                "Libérez de l'espace ou indiquez un autre dossier; il ne reste aucun fichier partiel.",
            ),
            where=where,
        )
    return UnreadableFile(
        Text(f"cannot be written: {error.strerror}", f"écriture impossible : {reason(error).fr}"),
        remedy=Text("Check the folder and its permissions.", "Vérifiez le dossier et les droits d'accès."),
        where=where,
    )

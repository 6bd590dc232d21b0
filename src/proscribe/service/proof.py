"""The proof bundle and the report of one directive, from what the installation kept."""

from __future__ import annotations

from pathlib import Path

from proscribe.canonical import Digest
from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.inventory.model import SnapshotManifest
from proscribe.plan.model import ExemptionRegister, Plan
from proscribe.prove.bundle import BundleInputs, export, report_data
from proscribe.prove.model import BundleManifest
from proscribe.prove.report import render
from proscribe.service import signing
from proscribe.service.installation import Installation, open_installation
from proscribe.service.standing import order_of
from proscribe.text import Language


def export_proof(
    home: Path | None, directive: str, out: Path, *, actor: str = "operator", small_cell_floor: int = 0
) -> BundleManifest:
    """Write the proof bundle of a directive. Raises NotEnforced and what ``prove.bundle.export`` raises."""
    installation = open_installation(home, actor=actor)
    return export(inputs(installation, directive, small_cell_floor=small_cell_floor), out)


def write_report(
    installation: Installation, directive: str, out: Path, *, language: Language, small_cell_floor: int = 0
) -> None:
    """Write the HTML report of a directive. Raises NotEnforced."""
    data = report_data(inputs(installation, directive, small_cell_floor=small_cell_floor))
    out.write_text(render(data, language), encoding="utf-8")


def inputs(installation: Installation, directive: str, *, small_cell_floor: int = 0) -> BundleInputs:
    """Everything that was decided, sent, received, observed and judged under one directive. Raises NotEnforced."""
    order = order_of(installation, directive)
    stores = installation.stores
    plans = {order.plan, *(action.plan for action in stores.actions.find(directive=order.directive))}
    kept = stores.documents.digests(Plan, subject=order.directive)
    approved = [stores.documents.get(Plan, one) for one in reversed(kept) if one in plans]
    return BundleInputs(
        organisation=installation.settings.organisation,
        created_at=installation.clock.now(),
        directive=stores.documents.get(Directive, order.directive_digest),
        targets=stores.documents.get(TargetSet, order.targets_digest),
        plans=approved,
        snapshots=_snapshots(installation, {plan.snapshot_digest for plan in approved}),
        outcomes=list(stores.outcomes.latest(order.directive)),
        exemptions=ExemptionRegister(tuple(one for one, _ in stores.exemptions.all() if one.directive == directive)),
        ledger=stores.ledger,
        signatures=signing.for_proof(installation, order),
        approvals=signing.said_of(installation, order),
        small_cell_floor=small_cell_floor,
        pseudonym_key=installation.pseudonym_key,
    )


def _snapshots(installation: Installation, planned_on: set[Digest]) -> list[SnapshotManifest]:
    """What the plans rest on and what was seen last, old to new; a year of ticks would be thousands more."""
    documents = installation.stores.documents
    known = documents.digests(SnapshotManifest)  # newest first
    return [documents.get(SnapshotManifest, one) for one in reversed(known) if one in planned_on or one == known[0]]

"""The proof bundle and the report of one directive, from what the installation kept."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.inventory.model import SnapshotManifest
from proscribe.plan.model import ExemptionRegister, Plan
from proscribe.prove.bundle import BundleInputs, export, report_data
from proscribe.prove.model import BundleManifest
from proscribe.prove.report import render
from proscribe.service.installation import Installation, open_installation
from proscribe.service.standing import order_of
from proscribe.text import Language

_KEY_FILE = "pseudonym.key"
_KEY_BYTES = 32


def export_proof(home: Path | None, directive: str, out: Path, *, actor: str = "operator") -> BundleManifest:
    """Write the proof bundle of a directive. Raises NotEnforced and what ``prove.bundle.export`` raises."""
    return export(inputs(open_installation(home, actor=actor), directive), out)


def write_report(installation: Installation, directive: str, out: Path, *, language: Language) -> None:
    """Write the HTML report of a directive. Raises NotEnforced."""
    out.write_text(render(report_data(inputs(installation, directive)), language), encoding="utf-8")


def inputs(installation: Installation, directive: str) -> BundleInputs:
    """Everything that was decided, sent, received, observed and judged under one directive. Raises NotEnforced."""
    order = order_of(installation, directive)
    stores = installation.stores
    plans = {order.plan, *(action.plan for action in stores.actions.find(directive=order.directive))}
    kept = stores.documents.digests(Plan, subject=order.directive)
    return BundleInputs(
        organisation=installation.settings.organisation,
        created_at=installation.clock.now(),
        directive=stores.documents.get(Directive, order.directive_digest),
        targets=stores.documents.get(TargetSet, order.targets_digest),
        plans=[stores.documents.get(Plan, one) for one in reversed(kept) if one in plans],
        snapshots=list(stores.documents.all(SnapshotManifest))[::-1],
        outcomes=list(stores.outcomes.latest(order.directive)),
        exemptions=ExemptionRegister(tuple(one for one, _ in stores.exemptions.all() if one.directive == directive)),
        ledger=stores.ledger,
        pseudonym_key=_pseudonym_key(installation.home),
    )


def _pseudonym_key(home: Path) -> bytes:
    """The key that turns device keys into pseudonyms: made once, readable by its owner alone, never exported."""
    path = home / _KEY_FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as stream:
        key = secrets.token_bytes(_KEY_BYTES)
        stream.write(key)
    return key

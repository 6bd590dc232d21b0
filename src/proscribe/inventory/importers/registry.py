"""Every importer. Recognition asks them in this order, and the first that says yes reads the export."""

from __future__ import annotations

from proscribe.inventory.importers import (
    adb,
    amapi,
    apple_plist,
    fleet,
    generic_csv,
    generic_jsonl,
    generic_parquet,
    intune_csv,
    intune_graph,
    jamf_csv,
    jamf_json,
)
from proscribe.inventory.importers.base import Importer

IMPORTERS: tuple[Importer, ...] = (
    amapi,
    fleet,
    jamf_json,
    intune_graph,
    intune_csv,
    jamf_csv,
    apple_plist,
    adb,
    # The generic forms come last: their names are common words.
    generic_parquet,
    generic_csv,
    generic_jsonl,
)

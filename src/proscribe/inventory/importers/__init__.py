"""One module a format. Recognition asks them in this order, and the first that says yes reads the export."""

from __future__ import annotations

from proscribe.inventory.importers import (
    amapi,
    generic_csv,
    generic_jsonl,
    generic_parquet,
)
from proscribe.inventory.importers.base import Importer

IMPORTERS: tuple[Importer, ...] = (
    amapi,
    generic_csv,
    generic_jsonl,
    generic_parquet,
)

"""Which format an export is of, by its content alone: names and extensions lie."""

from __future__ import annotations

import io
import re
from typing import Any

from proscribe.errors import ProscribeError, Where
from proscribe.inventory.csvblocks import layout
from proscribe.inventory.encoding import head_as_utf8, unicode_name
from proscribe.inventory.errors import UnknownFormat, WrongEncoding
from proscribe.inventory.importers.base import Head, Importer
from proscribe.inventory.importers.registry import IMPORTERS
from proscribe.inventory.jsonstream import JsonRecords
from proscribe.inventory.opening import Opened, empty
from proscribe.text import Text

# The fields under which the formats of ours keep their arrays of records.
_MEMBERS = frozenset({"devices", "hosts", "results", "value", "installs"})
_KEY = re.compile(r'"([^"\\]{1,80})"\s*:')


def recognise(opened: Opened) -> Importer:
    """The importer for an export.

    Raises EmptyExport, WrongEncoding when it is text in no encoding we know, or UnknownFormat.
    """
    head = look(opened)
    for importer in IMPORTERS:
        if importer.recognises(head):
            return importer
    if opened.fault is not None:
        raise opened.fault
    raise _unknown(opened, head)


def look(opened: Opened) -> Head:
    """What recognition goes by."""
    data = opened.head
    where = Where(file=opened.name)
    if not data.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0"):
        if opened.fault is not None:
            raise opened.fault
        raise empty(where)
    if data.startswith(b"PAR1"):
        return Head("parquet")
    if data.startswith(b"bplist"):
        return Head("plist")
    if unicode_name(data) == "binary":
        raise WrongEncoding(
            Text(
                "this is neither text nor a container that Proscribe reads",
                "ce n'est ni du texte ni un conteneur que Proscribe sait lire",
            ),
            remedy=Text(
                "Export as CSV, JSON or Parquet; a spreadsheet file must be saved as CSV (UTF-8).",
                "Exportez en CSV, en JSON ou en Parquet; un classeur doit être enregistré au format CSV (UTF-8).",
            ),
            where=where,
        )
    text = head_as_utf8(data).decode("utf-8", "replace").lstrip()
    if text[:1] in ("{", "["):
        return _json_head(opened.name, data, text)
    if text.startswith("<"):
        return Head("plist" if "<plist" in text[:2000] else "text", text=text[:4000])
    found = layout(data)
    return Head("text" if found is None else "table", columns=found.columns if found else (), text=text[:4000])


def _json_head(name: str, data: bytes, text: str) -> Head:
    records = JsonRecords(Opened(name, io.BytesIO(data)), _MEMBERS, on_bad=lambda _number, _reason: None)
    try:
        for record in records:
            value: dict[str, Any] = record.value if isinstance(record.value, dict) else {}
            return Head(
                "json", member=record.member, keys=frozenset(value), record=value, envelope=dict(record.envelope)
            )
    except ProscribeError:
        pass  # the first record goes beyond what was read so far, or is broken: its field names may still tell
    return Head("json", keys=frozenset(_KEY.findall(text[:200_000])), text=text[:4000])


def _unknown(opened: Opened, head: Head) -> UnknownFormat:
    seen = ", ".join((head.columns or tuple(sorted(head.keys)))[:8])
    begins_en = f"; it begins with {seen}" if seen else ""
    begins_fr = f"; il commence par {seen}" if seen else ""
    return UnknownFormat(
        Text(
            f"of no format that Proscribe reads{begins_en}",
            f"d'aucun format que Proscribe sait lire{begins_fr}",
        ),
        remedy=Text(
            "See docs/reference/formats.md for the formats, and for a plain CSV for every other system.",
            "Voir docs/reference/formats.md pour les formats, et pour un CSV simple qui accueille les données de tout "
            "autre système.",
        ),
        where=Where(file=opened.name),
    )

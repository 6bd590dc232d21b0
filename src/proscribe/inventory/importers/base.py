"""What every importer offers, and what recognition gives it to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from proscribe.errors import Where
from proscribe.inventory.errors import InventoryError
from proscribe.inventory.intake import Intake
from proscribe.inventory.jsonstream import JsonRecords, Quick, Record
from proscribe.inventory.opening import Opened
from proscribe.inventory.values import whole
from proscribe.text import Text


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of an export. ``kind``: parquet, plist, json, table or text."""

    kind: str
    columns: tuple[str, ...] = ()  # of a table or Parquet file, as written
    text: str = ""  # the first lines of a text
    member: str = ""  # the field that holds the records of a JSON document; "" when they stand alone
    keys: frozenset[str] = frozenset()  # the fields of the first record of a JSON document
    record: Mapping[str, Any] = field(default_factory=dict)  # that record, as far as it could be read
    envelope: Mapping[str, Any] = field(default_factory=dict)  # the fields around the records, as far as read


class Importer(Protocol):
    """One format. Implemented by a module of this package."""

    NAME: str

    def recognises(self, head: Head) -> bool:
        """Whether an export that begins so is of this format. Looks at content alone."""
        ...

    def read(self, opened: Opened, intake: Intake) -> None:
        """Pass every device and app on to ``intake``. Raises an InventoryError when it cannot go on; what it passed on
        before stays."""
        ...


class UnusableRecord(InventoryError):
    """A record lacks what makes it one: its row is listed and reading goes on. ``where.field`` names the field."""

    code: ClassVar[str] = "inventory.record"


def lacking(field_name: str) -> UnusableRecord:
    """The error for a record without a field that it cannot do without."""
    return UnusableRecord(
        Text(f"there is no {field_name}", f"il n'y a pas de {field_name}"),
        remedy=Text(f"Export again with {field_name} included.", f"Exportez de nouveau en incluant {field_name}."),
        where=Where(field=field_name),
    )


def json_records(
    opened: Opened, members: frozenset[str], intake: Intake, *, quick: Quick | None = None
) -> Iterator[Record]:
    """The records of a JSON export that are objects; anything else is listed as a problem.

    What ``quick`` makes of a record (``jsonstream.Quick``) is passed on as it is.
    """

    def bad(number: int, reason: str) -> None:
        intake.rows += 1
        intake.problem(
            number,
            "",
            Text(f"not JSON: {reason}", f"JSON non valide : {reason}"),
            Text(
                "Repair this record or export again; the others were read.",
                "Réparez cet enregistrement ou exportez de nouveau; les autres ont été lus.",
            ),
        )

    for record in JsonRecords(opened, members, on_bad=bad, on_legacy=intake.not_utf8, quick=quick):
        intake.rows += 1
        if record.quick or isinstance(record.value, dict):
            yield record
        else:
            intake.problem(
                record.number,
                "",
                Text("not an object with fields", "n'est pas un objet avec des champs"),
                Text("Export again.", "Exportez de nouveau."),
            )


def text_of(mapping: Mapping[str, Any], name: str) -> str:
    """A field as text: "" when it is missing, null or not a plain value."""
    value = mapping.get(name)
    if isinstance(value, str):
        return whole(value.strip())
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def inner(mapping: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A field that holds fields; empty when it is missing or something else."""
    value = mapping.get(name)
    return value if isinstance(value, dict) else {}


def items(mapping: Mapping[str, Any], name: str) -> list[Mapping[str, Any]] | None:
    """A field that holds a list of objects; None when it is missing or no list. Other things in it are left out."""
    value = mapping.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else None

"""The outcome table, and how the counts moved over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import connection
from django.db.models import Count

from proscribe.enforce.model import DeviceOutcome, Outcome
from proscribe.store.errors import guarded, translated
from proscribe.store.models import OutcomeCountRow, OutcomeRow
from proscribe.store.repository.unit import atomic, serialise
from proscribe.terms import Enrolment
from proscribe.text import Text

_BATCH = 2000


@dataclass(frozen=True, slots=True)
class OutcomePoint:
    """The counts of one judgement. ``counts`` adds up to the fleet of that moment."""

    at: datetime
    counts: dict[Outcome, int]


class Outcomes:
    """The latest outcome of each device under each directive, with the history of the counts."""

    @guarded
    def replace(self, directive: str, outcomes: Iterable[DeviceOutcome], *, at: datetime) -> dict[Outcome, int]:
        """Replace a directive's outcomes by those of a new judgement of the whole fleet; return the counts.

        All or nothing: whoever reads meanwhile sees the old table.
        """
        counts: Counter[Outcome] = Counter()
        rows = iter(outcomes)
        with atomic():
            serialise(f"outcomes:{directive}")
            OutcomeRow.objects.filter(directive=directive).delete()
            while batch := list(islice(rows, _BATCH)):
                counts.update(row.outcome for row in batch)
                _insert(_row(row, at) for row in batch)
            for outcome, devices in counts.items():
                OutcomeCountRow.objects.update_or_create(
                    directive=directive, at=at, outcome=outcome.value, defaults={"devices": devices}
                )
            OutcomeCountRow.objects.filter(directive=directive, at=at).exclude(outcome__in=list(counts)).delete()
        return {outcome: counts[outcome] for outcome in Outcome if outcome in counts}

    def latest(self, directive: str, *, outcome: Outcome | None = None) -> Iterator[DeviceOutcome]:
        """The outcomes of a directive by device, of one kind where it is given."""
        rows = OutcomeRow.objects.filter(directive=directive).order_by("device")
        if outcome is not None:
            rows = rows.filter(outcome=outcome.value)
        with translated():
            for row in rows.iterator(chunk_size=2000):
                yield _outcome(row)

    @guarded
    def tally(self, directive: str) -> dict[Outcome, int]:
        """Devices by outcome; adds up to the fleet that was judged."""
        rows = OutcomeRow.objects.filter(directive=directive).values_list("outcome").annotate(n=Count("id"))
        counts = {Outcome(value): number for value, number in rows}
        return {outcome: counts[outcome] for outcome in Outcome if outcome in counts}

    @guarded
    def by_department(self, directive: str) -> dict[str, dict[Outcome, int]]:
        """Devices by department and outcome."""
        rows = OutcomeRow.objects.filter(directive=directive).values_list("department", "outcome")
        table: dict[str, dict[Outcome, int]] = {}
        for department, value, number in rows.annotate(n=Count("id")).order_by("department", "outcome"):
            table.setdefault(department, {})[Outcome(value)] = number
        return table

    @guarded
    def history(self, directive: str) -> tuple[OutcomePoint, ...]:
        """The counts of every judgement, oldest first."""
        points: dict[datetime, dict[Outcome, int]] = {}
        for row in OutcomeCountRow.objects.filter(directive=directive).order_by("at"):
            points.setdefault(row.at, {})[Outcome(row.outcome)] = row.devices
        return tuple(OutcomePoint(at, counts) for at, counts in points.items())

    @guarded
    def once_held(self, directive: str) -> frozenset[str]:
        """Devices on which the app was seen at some time: it outlives the finding that showed it."""
        rows = OutcomeRow.objects.filter(directive=directive, held=True)
        return frozenset(rows.values_list("device", flat=True))


def _insert(rows: Iterable[OutcomeRow]) -> None:
    """Insert rows in one prepared statement. A whole fleet is judged anew in every round, and the ORM's own bulk insert
    takes five times as long over it."""
    fields = [field for field in OutcomeRow._meta.concrete_fields if not field.primary_key]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    ready = [[field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {quote(OutcomeRow._meta.db_table)} ({columns}) VALUES ({marks})", ready)


def _row(outcome: DeviceOutcome, at: datetime) -> OutcomeRow:
    return OutcomeRow(
        directive=outcome.directive,
        device=outcome.device,
        system=outcome.system,
        enrolment=outcome.enrolment.value,
        department=outcome.department,
        scope=outcome.scope,
        outcome=outcome.outcome.value,
        why_en=outcome.why.en,
        why_fr=outcome.why.fr,
        observed_at=outcome.observed_at,
        evidence=list(outcome.evidence),
        held=outcome.held,
        judged_at=at,
    )


def _outcome(row: OutcomeRow) -> DeviceOutcome:
    return DeviceOutcome(
        directive=row.directive,
        device=row.device,
        system=row.system,
        enrolment=Enrolment(row.enrolment),
        department=row.department,
        outcome=Outcome(row.outcome),
        why=Text(row.why_en, row.why_fr),
        observed_at=row.observed_at,
        evidence=tuple(row.evidence),
        scope=row.scope,
        held=row.held,
    )

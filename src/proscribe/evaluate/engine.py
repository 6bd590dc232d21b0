"""Evaluate: directives x a snapshot -> findings, one status for each device in scope, gaps, counts, drift.

One integer plan. What is text is matched or classified first, on distinct values and in Python (``targets``,
``standing``); then only integers are joined (``work``, ``sql/*.sql``); text comes back at the very end, when somebody
reads the rows (``result``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from proscribe.catalogue.model import TargetSet
from proscribe.clock import utc
from proscribe.directive.model import Directive
from proscribe.errors import Where
from proscribe.evaluate import database
from proscribe.evaluate.errors import NotWatched
from proscribe.evaluate.model import FindingKey
from proscribe.evaluate.result import Evaluated
from proscribe.evaluate.targets import number, watches
from proscribe.evaluate.work import Work
from proscribe.inventory.model import Snapshot
from proscribe.text import Text


def evaluate(
    snapshot: Snapshot,
    bans: Sequence[tuple[Directive, TargetSet]],
    *,
    now: datetime,
    previous: Snapshot | None = None,
    cured: Collection[FindingKey] = (),
) -> Evaluated:
    """Evaluate directives over a snapshot, in full.

    ``previous`` gives drift; ``cured`` names findings that were cured before it, so that the same app present again is
    ``reinstalled`` and not ``new``. Raises MismatchedBan, NotWatched (the snapshot was taken without looking for a
    directive's targets), BrokenSnapshot or DiskFull.
    """
    numbered = number(bans)
    for ban in numbered:
        if not watches(snapshot, ban):
            raise NotWatched(
                Text(
                    f"the snapshot was taken without looking for the targets of {ban.directive.id}",
                    f"l'instantané a été pris sans chercher les cibles de {ban.directive.id}",
                ),
                remedy=Text(
                    "Import or observe again ('proscribe import', 'proscribe observe'), then plan again: from now on "
                    "these targets are looked for.",
                    "Importez ou observez de nouveau (« proscribe import », « proscribe observe »), puis planifiez de "
                    "nouveau : ces cibles sont désormais recherchées.",
                ),
                where=Where(file=str(snapshot.path)),
            )
    connection = database.connect()
    try:
        work = Work(connection, snapshot, numbered, utc(now))
        with database.guard(snapshot):
            work.classify()
            work.find()
        with database.guard(previous or snapshot):
            work.compare(previous, cured)
        with database.guard(snapshot):
            return Evaluated(work, previous)
    except BaseException:
        connection.close()
        raise

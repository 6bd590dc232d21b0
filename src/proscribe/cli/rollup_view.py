"""The roll-up on a terminal of 80 columns: what is not known first, then the departments, worst first."""

from __future__ import annotations

import click

from proscribe.cli.output import print_table
from proscribe.feed.model import DepartmentRow, DepartmentStanding, Rollup
from proscribe.text import Text, devices, number, plural

WORDS: dict[DepartmentStanding, Text] = {
    DepartmentStanding.forked: Text("FORKED", "DIVERGENT"),
    DepartmentStanding.inconsistent: Text("INCONSISTENT", "INCOHÉRENT"),
    DepartmentStanding.silent: Text("SILENT", "MUET"),
    DepartmentStanding.overdue: Text("OVERDUE", "EN RETARD"),
    DepartmentStanding.acting: Text("acting", "agit"),
    DepartmentStanding.acknowledged: Text("acknowledged", "a répondu"),
    DepartmentStanding.waiting: Text("waiting", "attendu"),
    DepartmentStanding.attested: Text("attested", "attesté"),
}
_NAME = 28  # characters of a department's name that fit


def show_rollup(found: Rollup) -> None:
    """The whole roll-up."""
    click.echo(f"\n{found.directive}, {found.at:%Y-%m-%d %H:%M} UTC")
    for line in _unknown(found):
        click.echo(f"  {line}")
    for row in found.rows:
        for why in row.why:
            click.echo(f"! {row.department}: {why}" if _alarming(row) else f"  {row.department}: {why}")
    print_table(
        "",
        [
            str(Text("Standing", "État")),
            str(Text("Department", "Organisme")),
            str(Text("Not\nverified", "Non\nvérifiés")),
            str(Text("Un-\nmanaged", "Non\ngérés")),
            str(Text("Verified", "Vérifiés")),
        ],
        [_cells(row) for row in found.rows],
        numeric=3,
    )
    standings = [f"{WORDS[one]} {number(count)}" for one, count in found.standings.items()]
    total = plural(len(found.rows), Text("department", "organisme"), Text("departments", "organismes"))
    click.echo(
        f"{total}: {', '.join(standings)}." if str(total) == total.en else f"{total}\u00a0: {', '.join(standings)}."
    )


def _unknown(found: Rollup) -> list[Text]:
    """What nobody has seen, in numbers: departments, devices, and devices outside every system."""
    dark = sum(row.devices is None for row in found.rows)
    doubtful = sum(row.devices is not None and _alarming(row) for row in found.rows)
    unmanaged = sum(row.unmanaged or 0 for row in found.rows)
    unstated = sum(row.unmanaged is None for row in found.rows)
    open_ = sum(_not_verified(row) for row in found.rows)
    ministries = (Text("department", "organisme"), Text("departments", "organismes"))
    return [
        Text(
            f"Not known: the devices of {plural(dark, *ministries).en}; the counts of "
            f"{plural(doubtful, *ministries).en} cannot be relied on.",
            f"Inconnu\u00a0: les appareils de {plural(dark, *ministries).fr}; les nombres de "
            f"{plural(doubtful, *ministries).fr} ne sont pas fiables.",
        ),
        Text(
            f"Not verified: {devices(open_).en}, of which {number(found.together).en} of kinds too few to count apart.",
            f"Non vérifiés\u00a0: {devices(open_).fr}, dont {number(found.together).fr} dans des catégories trop "
            "petites pour être dénombrées à part.",
        ),
        Text(
            f"Unmanaged: {devices(unmanaged).en} declared; not stated by {plural(unstated, *ministries).en}.",
            f"Non gérés\u00a0: {devices(unmanaged).fr} selon les déclarations; non précisé par "
            f"{plural(unstated, *ministries).fr}.",
        ),
    ]


def _alarming(row: DepartmentRow) -> bool:
    return row.standing in (DepartmentStanding.forked, DepartmentStanding.inconsistent, DepartmentStanding.silent)


def _verified(row: DepartmentRow) -> int:
    return sum(count for outcome, count in row.by_outcome.items() if outcome.compliant)


def _not_verified(row: DepartmentRow) -> int:
    """What was put together counts as not verified: nobody was told that it is."""
    return (row.devices or 0) - _verified(row)


def _cells(row: DepartmentRow) -> tuple[object, ...]:
    name = row.department if len(row.department) <= _NAME else row.department[: _NAME - 1] + "…"
    known = row.devices is not None
    return (
        WORDS[row.standing],
        name,
        number(_not_verified(row)) if known else "?",
        "?" if row.unmanaged is None else number(row.unmanaged),
        number(_verified(row)) if known else "?",
    )

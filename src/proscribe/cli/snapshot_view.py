"""A snapshot on a terminal: what could not be seen stands first."""

from __future__ import annotations

import click

from proscribe.cli.output import print_table
from proscribe.inventory.model import Snapshot
from proscribe.text import Text

_SHOWN_PROBLEMS = 5


def show_snapshot(snapshot: Snapshot) -> None:
    """Blind spots, bad rows, then sources and counts."""
    manifest = snapshot.manifest
    click.echo(f"{Text('Snapshot', 'Instantané')} {snapshot.digest[:19]}…  {manifest.taken_at:%Y-%m-%d %H:%M} UTC")
    print_table(
        str(Text("What these sources cannot see", "Ce que ces sources ne peuvent pas voir")),
        [
            str(Text("System", "Système")),
            str(Text("Enrolment", "Inscription")),
            str(Text("Blind to", "Ne voit pas")),
            str(Text("Devices", "Appareils")),
        ],
        [(row.system, f"{row.platform} {row.enrolment}", row.blind_to, row.devices) for row in manifest.coverage],
        numeric=1,
    )
    if manifest.problems_total:
        click.echo(
            str(
                Text(
                    f"{manifest.problems_total} rows could not be used:",
                    f"{manifest.problems_total} lignes n'ont pu être utilisées :",
                )
            )
        )
        for problem in manifest.problems[:_SHOWN_PROBLEMS]:
            place = f"{problem.file}, {Text('row', 'ligne')} {problem.row}, {problem.field}"
            click.echo(f"  {place}: {problem.what}\n    → {problem.remedy}")
        if manifest.problems_total > _SHOWN_PROBLEMS:
            click.echo(f"  … {Text('all of them', 'la liste complète')} : {snapshot.path / 'problems.jsonl'}")
    print_table(
        str(Text("Sources", "Sources")),
        [
            str(Text("Name", "Nom")),
            str(Text("Format", "Format")),
            str(Text("Devices", "Appareils")),
            str(Text("Installs", "Installations")),
            str(Text("Bad rows", "Lignes rejetées")),
        ],
        [(s.name, s.format, f"{s.devices:,}", f"{s.installs:,}", s.bad_rows) for s in manifest.sources],
        numeric=3,
    )
    click.echo(
        str(
            Text(
                f"{manifest.devices:,} devices ({manifest.duplicate_devices:,} seen by two systems, counted once); "
                f"{manifest.installs_kept:,} of {manifest.installs_seen:,} installs kept, the rest counted only.",
                f"{manifest.devices:,} appareils ({manifest.duplicate_devices:,} vus par deux systèmes, comptés une "
                "fois); "
                f"{manifest.installs_kept:,} installations conservées sur {manifest.installs_seen:,}, le reste compté.",
            )
        )
    )

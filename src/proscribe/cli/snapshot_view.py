"""A snapshot on a terminal: what could not be seen stands first."""

from __future__ import annotations

import click

from proscribe.cli.output import print_table
from proscribe.errors import Where
from proscribe.inventory.model import Snapshot
from proscribe.text import COLON, Text, devices, number, plural

_SHOWN_PROBLEMS = 5
_CARRIED = "snapshot"


def show_snapshot(snapshot: Snapshot) -> None:
    """Blind spots, bad rows, then sources and counts."""
    manifest = snapshot.manifest
    click.echo(f"{Text('Snapshot', 'Instantané')} {snapshot.digest[:19]}…  {manifest.taken_at:%Y-%m-%d %H:%M} UTC")
    if manifest.coverage:
        print_table(
            str(Text("What these sources cannot see", "Ce que ces sources ne peuvent pas voir")),
            [
                str(Text("System", "Système")),
                str(Text("Enrolment", "Inscription")),
                str(Text("Blind to", "Ce qui échappe à la source")),
                str(Text("Devices", "Appareils")),
            ],
            [(row.system, f"{row.platform} {row.enrolment}", row.blind_to, row.devices) for row in manifest.coverage],
            numeric=1,
        )
    if manifest.problems_total:
        lost = min(manifest.problems_total, sum(source.bad_rows for source in manifest.sources))
        rows = plural(
            lost,
            Text("row could not be used", "ligne inutilisable"),
            Text("rows could not be used", "lignes inutilisables"),
        )
        others = plural(
            manifest.problems_total - lost,
            Text("other remark", "autre remarque"),
            Text("other remarks", "autres remarques"),
        )
        click.echo(str(Text(f"{rows.en}, {others.en}:", f"{rows.fr}, {others.fr}\u00a0:")))
        for problem in manifest.problems[:_SHOWN_PROBLEMS]:
            place = Where(problem.file, problem.row or None, problem.field)
            click.echo(f"  {place}{COLON} {problem.what}\n    → {problem.remedy}")
        if manifest.problems_total > _SHOWN_PROBLEMS:
            whole_list = Text("all of them:", "la liste complète :")
            click.echo(f"  … {whole_list} {snapshot.path / 'problems.jsonl'}")
    print_table(
        str(Text("Sources", "Sources")),
        [
            str(Text("Name", "Nom")),
            str(Text("Format", "Format")),
            str(Text("Devices", "Appareils")),
            str(Text("Installs", "Installations")),
            str(Text("Bad rows", "Lignes rejetées")),
        ],
        [
            (s.name, s.format, str(number(s.devices)), str(number(s.installs)), str(number(s.bad_rows)))
            for s in manifest.sources
            if s.devices or s.format != _CARRIED  # an earlier snapshot that gave nothing says nothing
        ],
        numeric=3,
    )
    seen, kept, whole = devices(manifest.devices), number(manifest.installs_kept), number(manifest.installs_seen)
    twice = plural(
        manifest.duplicate_devices,
        Text("seen by two systems, counted once", "vu par deux systèmes, compté une seule fois"),
        Text("seen by two systems, counted once", "vus par deux systèmes, comptés une seule fois"),
    )
    click.echo(
        str(
            Text(
                f"{seen.en} ({twice.en}); installs kept: {kept.en} of {whole.en}, the rest counted only.",
                f"{seen.fr} ({twice.fr}); installations conservées : {kept.fr} sur {whole.fr}, le reste étant "
                "seulement compté.",
            )
        )
    )

"""Outcomes and ticks on a terminal: what is not verified stands first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from proscribe.cli.output import print_table
from proscribe.enforce.model import DeviceOutcome, Outcome
from proscribe.service.model import StatusReport, TickSummary
from proscribe.text import Text

_WIDTH = 12  # of a bar, in characters

WORDS: dict[Outcome, Text] = {
    Outcome.absent_verified: Text("seen absent by the device", "absence constatée par l'appareil"),
    Outcome.removed_verified: Text("removed, seen by the device", "retrait constaté par l'appareil"),
    Outcome.contained: Text("listed but cannot launch", "listée, mais ne peut démarrer"),
    Outcome.enforced_blind: Text("enforced where nobody can look", "appliquée là où nul ne peut voir"),
    Outcome.invisible: Text("personal side: cannot be seen", "côté personnel : invisible"),
    Outcome.pending_locked: Text("waits: device locked", "en attente : appareil verrouillé"),
    Outcome.pending_sync: Text("waits: not synced since", "en attente de synchronisation"),
    Outcome.pending_vendor_approval: Text("waits for the vendor", "en attente du fournisseur"),
    Outcome.refused_by_user: Text("refused by the user", "refusée par l'utilisateur"),
    Outcome.failed: Text("failed: still there", "échec : toujours présente"),
    Outcome.impossible: Text("nothing can be done from here", "rien ne peut être fait d'ici"),
    Outcome.exempt: Text("exempt", "exempté"),
    Outcome.stale: Text("last seen too long ago", "vu il y a trop longtemps"),
    Outcome.unknown: Text("not known", "inconnu"),
}


def show_status(report: StatusReport) -> None:
    """One directive: the outcomes, those that are not verified first; they add up to the fleet."""
    click.echo(f"\n{report.directive}, {report.at:%Y-%m-%d %H:%M} UTC\n{report.title}")
    if report.lifted:
        click.echo(str(Text("This ban was lifted.", "Cette interdiction a été levée.")))
    if report.frozen:
        click.echo(str(Text("All sending is frozen.", "Tout envoi est gelé.")))
    rows = [
        (
            Text("yes", "oui") if one.compliant else Text("NO", "NON"),
            one.replace("_", " "),
            WORDS[one],
            _bar(number, report.fleet),
            f"{number:,}",
        )
        for one, number in sorted(report.outcomes.items(), key=lambda item: (item[0].compliant, -item[1]))
    ]
    print_table(
        "",
        [
            str(Text("Verified", "Vérifié")),
            str(Text("Outcome", "Résultat")),
            str(Text("Meaning", "Sens")),
            "",
            str(Text("Devices", "Appareils")),
        ],
        rows,
        numeric=1,
    )
    click.echo(
        str(
            Text(
                f"{report.compliant:,} of {report.fleet:,} devices verified by the devices themselves.",
                f"{report.compliant:,} appareils sur {report.fleet:,} vérifiés par les appareils eux-mêmes.",
            )
        )
    )


def show_tick(summary: TickSummary) -> None:
    """What a tick did, what waits and why, what a person must settle, then the outcomes."""
    for error in summary.errors:
        click.echo(f"! {error}")
    _list(Text("Waiting", "En attente"), summary.waits)
    _list(Text("Done", "Fait"), summary.happened)
    for drift in summary.drift:
        if drift.new or drift.reinstalled or drift.cured:
            click.echo(
                str(
                    Text(
                        f"Drift: {drift.cured} gone, {drift.new} new, {drift.reinstalled} reinstalled.",
                        f"Écart : {drift.cured} disparues, {drift.new} nouvelles, {drift.reinstalled} réinstallées.",
                    )
                )
            )
    for report in summary.statuses:
        show_status(report)


def show_devices(rows: Sequence[DeviceOutcome]) -> None:
    """The devices of one outcome, with the reason."""
    print_table(
        "",
        [str(Text("Device", "Appareil")), str(Text("Department", "Ministère")), str(Text("Why", "Motif"))],
        [(row.device, row.department, row.why) for row in rows],
    )


def _list(title: Text, lines: Iterable[Text], most: int = 12) -> None:
    found = [str(line) for line in lines]
    if found:
        click.echo(f"{title} :" if str(title) == title.fr and title.fr != title.en else f"{title}:")
        for line in found[:most]:
            click.echo(f"  - {line}")
        if len(found) > most:
            click.echo(f"  … +{len(found) - most}")


def _bar(number: int, whole: int) -> str:
    return "█" * max(1, round(_WIDTH * number / whole)) if number and whole else ""

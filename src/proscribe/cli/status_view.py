"""Outcomes and ticks on a terminal: what is not verified stands first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from proscribe.cli.output import print_table
from proscribe.enforce.model import DeviceOutcome, Outcome
from proscribe.service.model import StatusReport, TickSummary
from proscribe.text import Text, devices, number, plural

_WIDTH = 12  # of a bar, in characters

WORDS: dict[Outcome, Text] = {
    Outcome.absent_verified: Text("seen absent by the device", "absence constatée par l'appareil"),
    Outcome.removed_verified: Text("removed, seen by the device", "retrait constaté par l'appareil"),
    Outcome.contained: Text("listed but cannot launch", "dans la liste, mais ne peut démarrer"),
    Outcome.enforced_blind: Text("enforced where nobody can look", "appliquée là où personne ne peut voir"),
    Outcome.invisible: Text("personal side: cannot be seen", "côté personnel : invisible"),
    Outcome.pending_locked: Text("waits: device locked", "en attente : appareil verrouillé"),
    Outcome.pending_sync: Text("waits: not synced since", "en attente de synchronisation"),
    Outcome.pending_vendor_approval: Text("waits for the vendor", "en attente du fournisseur"),
    Outcome.refused_by_user: Text("refused by the user", "refusée par l'utilisateur"),
    Outcome.failed: Text("failed: still there, or refused", "échec : toujours présente, ou refus"),
    Outcome.impossible: Text("nothing can be done from here", "rien ne peut être fait d'ici"),
    Outcome.exempt: Text("exempt", "exempté"),
    Outcome.stale: Text("last seen too long ago", "vu il y a trop longtemps"),
    Outcome.unknown: Text("not known", "inconnu"),
}


def show_status(report: StatusReport) -> None:
    """One directive: the outcomes, those that are not verified first; they add up to the fleet."""
    click.echo(f"\n{report.directive}, {report.at:%Y-%m-%d %H:%M} UTC\n{report.title}")
    if report.lifted:
        click.echo(
            str(
                Text(
                    "This ban was lifted and nothing is enforced any more. What follows is the last judgement before.",
                    "Cette interdiction a été levée et plus rien n'est appliqué. Ce qui suit est le dernier état "
                    "établi auparavant.",
                )
            )
        )
    if report.ended is not None:
        click.echo(f"! {report.ended}")
    if report.frozen:
        click.echo(str(Text("All sending is frozen.", "Tout envoi est gelé.")))
    rows = [
        (
            Text("yes", "oui") if one.compliant else Text("NO", "NON"),
            one.replace("_", " "),
            WORDS[one],
            _bar(count, report.fleet),
            str(number(count)),
        )
        for one, count in sorted(report.outcomes.items(), key=lambda item: (item[0].compliant, -item[1]))
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
                f"{number(report.compliant).en} of {devices(report.fleet).en} verified by the devices themselves.",
                f"Vérifiés d'après l'appareil même : {devices(report.compliant).fr} sur {number(report.fleet).fr}.",
            )
        )
    )
    for line in report.approvals:
        click.echo(str(line))


def show_tick(summary: TickSummary) -> None:
    """What a tick did, what waits and why, what a person must settle, then the outcomes."""
    for error in summary.errors:
        click.echo(f"! {error}")
    _list(Text("Waiting", "En attente"), summary.waits)
    _list(Text("Done", "Fait"), summary.happened)
    for drift in summary.drift:
        if drift.new or drift.reinstalled or drift.cured:
            came = plural(drift.new, Text("new", "apparition"), Text("new", "apparitions"))
            back = plural(
                drift.reinstalled, Text("reinstalled", "réinstallation"), Text("reinstalled", "réinstallations")
            )
            gone = plural(drift.cured, Text("gone", "disparition"), Text("gone", "disparitions"))
            click.echo(
                str(
                    Text(
                        f"Drift: {gone.en}, {came.en}, {back.en}.",
                        f"Écart : {gone.fr}, {came.fr}, {back.fr}.",
                    )
                )
            )
    for report in summary.statuses:
        show_status(report)
    if not summary.statuses:
        click.echo(
            str(
                Text(
                    "Nothing is enforced here: no plan was approved yet ('proscribe apply').",
                    "Rien n'est appliqué ici\u00a0: aucun plan n'a été approuvé («\u00a0proscribe apply\u00a0»).",
                )
            )
        )


def show_devices(rows: Sequence[DeviceOutcome]) -> None:
    """The devices of one outcome, with the reason."""
    if not rows:
        click.echo(str(Text("No device has this outcome.", "Aucun appareil n'a ce résultat.")))
        return
    print_table(
        "",
        [str(Text("Device", "Appareil")), str(Text("Department", "Direction")), str(Text("Why", "Motif"))],
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


def _bar(count: int, whole: int) -> str:
    return "█" * max(1, round(_WIDTH * count / whole)) if count and whole else ""

"""``proscribe exempt``: named devices that keep an app, for a ground, until a date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from proscribe.cli.exempt_terms import exemption_of, term_options, warn_not_seen
from proscribe.cli.options import CommandGroup, installation_options, open_installation
from proscribe.cli.output import json_option, print_json, print_table
from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.plan.model import ExemptionGrant
    from proscribe.service.installation import Installation
    from proscribe.service.model import ExemptionReport, ExemptionState


@click.group(
    cls=CommandGroup,
    help=str(
        Text(
            "Exemptions: who, on what ground, approved by whom, until when (a year at most).",
            "Exemptions : pour qui, pour quel motif, approuvées par qui, jusqu'à quand (un an au plus).",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


_approver = click.option(
    "--approved-by", required=True, help=str(Text("Role that approves.", "Rôle de l'approbateur."))
)
_delegated = click.option(
    "--delegated-by",
    default="",
    help=str(Text("Role that delegated the decision.", "Rôle qui a délégué la décision.")),
)
_out = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(Text("Write the document to be signed, and record nothing.", "Écrire le document à signer, sans plus.")),
)


@command.command(help=str(Text("Ask for an exemption.", "Demander une exemption.")))
@click.argument("exemption_id", metavar="ID")
@term_options
@click.option(
    "--justification",
    required=True,
    help=str(Text("Why the devices need the app.", "Pourquoi ces appareils ont besoin de l'application.")),
)
@installation_options
def request(exemption_id: str, justification: str, home: Path | None, actor: str, **terms: Any) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.plan.model import ExemptionRequest
    from proscribe.service import exempting

    exemption = exemption_of(exemption_id, {**terms, "approved_by": ""})
    installation = open_installation(home, actor)
    asked = ExemptionRequest(exemption, justification, installation.clock.now().date())
    exempting.request(installation, asked)
    warn_not_seen(installation, exemption)
    click.echo(
        str(
            Text(
                f"Exemption {exemption_id} requested. Next: 'proscribe exempt grant {exemption_id}' or "
                f"'proscribe exempt refuse {exemption_id}', by another role.",
                f"Exemption {exemption_id} demandée. Ensuite : « proscribe exempt grant {exemption_id} » ou "
                f"« proscribe exempt refuse {exemption_id} », par un autre rôle.",
            )
        )
    )


@command.command(help=str(Text("Grant an exemption that was asked for.", "Accorder une exemption demandée.")))
@click.argument("exemption_id", metavar="ID")
@_approver
@_delegated
@_out
@installation_options
def grant(
    exemption_id: str, approved_by: str, delegated_by: str, out: Path | None, home: Path | None, actor: str
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.service import exempting

    installation = open_installation(home, actor)
    drafted = exempting.draft(installation, exemption_id, approved_by=approved_by, delegated_by=delegated_by)
    _grant(installation, drafted, out)


@command.command(help=str(Text("Refuse an exemption that was asked for.", "Refuser une exemption demandée.")))
@click.argument("exemption_id", metavar="ID")
@click.option("--by", required=True, help=str(Text("Role that refuses.", "Rôle qui refuse.")))
@click.option("--because", required=True, help=str(Text("The reason.", "Le motif.")))
@installation_options
def refuse(exemption_id: str, by: str, because: str, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.service import exempting

    exempting.refuse(open_installation(home, actor), exemption_id, by=by, because=because)
    click.echo(str(Text(f"Exemption {exemption_id} refused.", f"Exemption {exemption_id} refusée.")))


@command.command(
    short_help=str(Text("Add an exemption.", "Ajouter une exemption.")),
    help=str(
        Text(
            "Add an exemption that was decided elsewhere: request and approval in one.",
            "Ajouter une exemption décidée ailleurs : la demande et l'approbation en une fois.",
        )
    ),
)
@click.argument("exemption_id", metavar="ID")
@term_options
@_approver
@_delegated
@_out
@installation_options
def add(exemption_id: str, out: Path | None, home: Path | None, actor: str, **terms: Any) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.plan.model import ExemptionGrant

    _grant(open_installation(home, actor), ExemptionGrant(exemption_of(exemption_id, terms)), out)


def _grant(installation: Installation, granted: ExemptionGrant, out: Path | None) -> None:
    from proscribe.documents import to_bytes
    from proscribe.service import exempting

    name = granted.exemption.id
    warn_not_seen(installation, granted.exemption)
    if out is not None:
        out.write_bytes(to_bytes(granted))
        click.echo(
            str(
                Text(
                    f"Written to {out}. Have it signed ('proscribe sign {out}'), record it ('proscribe verify "
                    "FILE --record'), then run this command again without --out.",
                    f"Enregistré dans {out}. Faites-le signer (« proscribe sign {out} »), consignez-le (« proscribe "
                    "verify FICHIER --record »), puis relancez cette commande sans --out.",
                )
            )
        )
    elif exempting.grant(installation, granted):
        click.echo(str(Text(f"Exemption {name} recorded.", f"Exemption {name} consignée.")))
    else:
        click.echo(str(Text("This exemption was recorded before.", "Cette exemption avait déjà été consignée.")))


@command.command(
    "list", help=str(Text("List all exemptions, ended ones too.", "Énumérer toutes les exemptions, même terminées."))
)
@installation_options
@json_option
def list_(home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import to_json
    from proscribe.service import exempting
    from proscribe.service.model import ExemptionState

    installation = open_installation(home, actor)
    now = installation.clock.now()
    rows = [(one, exempting.state_of(one, ended, now), ended) for one, ended in exempting.listed(installation)]
    for asked in exempting.open_requests(installation):
        refused = asked.refused_by != ""
        rows.append((asked.exemption, ExemptionState.refused if refused else ExemptionState.requested, None))
    if as_json:
        print_json(
            [
                {**to_json(one), "state": state.value, "ended_at": ended.isoformat() if ended else None}
                for one, state, ended in rows
            ]
        )
        return
    print_table(
        str(Text("Exemptions", "Exemptions")),
        [
            "ID",
            str(Text("Directive", "Directive")),
            str(Text("Ground", "Motif")),
            str(Text("State", "État")),
            str(Text("Until", "Jusqu'au")),
            str(Text("Devices", "Appareils")),
        ],
        [
            (one.id, one.directive, one.ground, state_word(state), one.expires, len(one.devices))
            for one, state, _ in rows
        ],
        numeric=1,
    )


def state_word(state: ExemptionState) -> Text:
    """A state in words."""
    from proscribe.service.model import ExemptionState

    return {
        ExemptionState.requested: Text("requested", "demandée"),
        ExemptionState.refused: Text("refused", "refusée"),
        ExemptionState.to_come: Text("to come", "à venir"),
        ExemptionState.in_force: Text("in force", "en vigueur"),
        ExemptionState.expired: Text("expired", "expirée"),
        ExemptionState.ended: Text("ended", "terminée"),
    }[state]


@command.command(
    short_help=str(Text("Report exemptions to the authority.", "Rendre compte des exemptions à l'autorité.")),
    help=str(
        Text(
            "The exemptions under a directive, for the authority that issued it: counts, grounds, dates, renewals and "
            "safeguards; no device and no person.",
            "Les exemptions en vertu d'une directive, pour l'autorité qui l'a prise : décomptes, motifs, dates, "
            "renouvellements et mesures d'atténuation; aucun appareil ni aucune personne.",
        )
    ),
)
@click.argument("directive")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(Text("Write the document to a file.", "Enregistrer le document dans un fichier.")),
)
@installation_options
@json_option
def report(directive: str, out: Path | None, home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import to_bytes, to_json
    from proscribe.service import exempting

    found = exempting.report(open_installation(home, actor), directive)
    if out is not None:
        out.write_bytes(to_bytes(found))
    if as_json:
        print_json(to_json(found))
    else:
        _show_report(found)


def _show_report(found: ExemptionReport) -> None:
    from proscribe.text import devices

    print_table(
        str(Text(f"Exemptions under {found.directive}", f"Exemptions en vertu de {found.directive}")),
        [
            "ID",
            str(Text("State", "État")),
            str(Text("Ground", "Motif")),
            str(Text("Since", "Depuis")),
            str(Text("Until", "Jusqu'au")),
            str(Text("Safeguards shown", "Mesures prouvées")),
            str(Text("Renewals", "Renouvellements")),
            str(Text("Devices", "Appareils")),
        ],
        [
            (
                one.id,
                state_word(one.state),
                one.ground,
                one.since,
                one.ended_on or one.expires,
                f"{len(one.proven)}/{len(one.mitigations)}",
                one.renewals,
                one.devices,
            )
            for one in found.exemptions
        ],
        numeric=2,
    )
    count = devices(found.in_force)
    click.echo(str(Text(f"{count.en} exempt today.", f"Exemptés aujourd'hui : {count.fr}.")))


@command.command(help=str(Text("End an exemption now.", "Mettre fin à une exemption dès maintenant.")))
@click.argument("exemption_id", metavar="ID")
@click.option("--because", default="", help=str(Text("The reason.", "Le motif.")))
@installation_options
def end(exemption_id: str, because: str, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.service import exempting

    if exempting.end(open_installation(home, actor), exemption_id, because=because):
        click.echo(
            str(
                Text(
                    f"Exemption {exemption_id} ended; the next tick enforces again.",
                    f"Exemption {exemption_id} terminée; le prochain passage applique de nouveau la directive.",
                )
            )
        )
    else:
        click.echo(str(Text("It had been ended before.", "Elle était déjà terminée.")))

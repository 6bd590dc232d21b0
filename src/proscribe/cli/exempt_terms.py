"""The terms of an exemption as options, for whoever asks for one and whoever grants it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.plan.model import Exemption
    from proscribe.service.installation import Installation

F = TypeVar("F", bound=Callable[..., Any])

_DATE = click.DateTime(["%Y-%m-%d"])


class _ProofType(click.ParamType["tuple[str, Path]"]):
    """``MITIGATION=FILE``; the file is the part behind the last equals sign."""

    name = "mitigation=file"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path]:
        mitigation, sign, file = str(value).rpartition("=")
        if not sign or not mitigation or not file:
            self.fail(str(Text("give it as MITIGATION=FILE", "indiquez MESURE=FICHIER")), param, ctx)
        return mitigation, Path(file)


_OPTIONS = (
    click.option("--directive", required=True, help=str(Text("The directive's id.", "Identifiant de la directive."))),
    click.option(
        "--device",
        "devices",
        multiple=True,
        required=True,
        help=str(Text("A device key; repeat for more.", "Clé d'appareil; à répéter au besoin.")),
    ),
    click.option("--ground", required=True, help=str(Text("The ground.", "Le motif."))),
    click.option("--requested-by", required=True, help=str(Text("Role that asks.", "Rôle du demandeur."))),
    click.option("--starts", type=_DATE, required=True, help=str(Text("First day.", "Premier jour."))),
    click.option("--expires", type=_DATE, required=True, help=str(Text("Last day.", "Dernier jour."))),
    click.option(
        "--mitigation", "mitigations", multiple=True, help=str(Text("A safeguard.", "Une mesure d'atténuation."))
    ),
    click.option(
        "--proof",
        "proofs",
        type=_ProofType(),
        multiple=True,
        metavar=str(Text("MITIGATION=FILE", "MESURE=FICHIER")),
        help=str(
            Text(
                "The file that shows a safeguard; its digest is kept.",
                "Le fichier qui prouve une mesure; son empreinte est conservée.",
            )
        ),
    ),
    click.option(
        "--renews", default="", metavar="ID", help=str(Text("The exemption it renews.", "L'exemption renouvelée."))
    ),
)


def term_options(function: F) -> F:
    """The options that make up an exemption, its approver apart."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def exemption_of(exemption_id: str, terms: dict[str, Any]) -> Exemption:
    """The exemption that the options describe. Raises InvalidDocument or UnreadableFile."""
    from proscribe.documents import from_json, to_json
    from proscribe.plan.model import Exemption
    from proscribe.service.exempting import proof_of

    dates: dict[str, datetime] = {name: terms[name] for name in ("starts", "expires")}
    return from_json(
        Exemption,
        {
            **terms,
            "id": exemption_id,
            **{name: f"{day:%Y-%m-%d}" for name, day in dates.items()},
            "proofs": [to_json(proof_of(mitigation, file)) for mitigation, file in terms["proofs"]],
        },
        source="exempt",
    )


def warn_not_seen(installation: Installation, exemption: Exemption) -> None:
    """Say which devices the newest snapshot does not hold."""
    from proscribe.service import exempting

    for device in exempting.not_seen(installation, exemption):
        click.echo(
            str(
                Text(
                    f"! The newest snapshot holds no device {device}: check the key, or nobody is exempt.",
                    f"! Le dernier instantané ne compte aucun appareil {device}\u00a0: vérifiez la clé, sans quoi "
                    "personne n'est exempté.",
                )
            ),
            err=True,
        )

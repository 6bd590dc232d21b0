"""``proscribe attest``: a department says what came of a directive, in counts, and signs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.cli.passphrase import passphrase, passphrase_options
from proscribe.text import Text, devices, number

if TYPE_CHECKING:
    from proscribe.feed.model import Attestation
    from proscribe.trust.model import SignedDocument

SUFFIX = ".dsse.json"


@click.command(
    help=str(
        Text(
            "Attest to what came of a directive: outcomes by class of device, what could not be seen, exemptions by "
            "ground, and the digest of the proof, which stays here. Writes an in-toto Statement in a DSSE envelope; "
            "given such a file instead of a directive, adds a signature to it.",
            "Attester ce qu'il est advenu d'une directive\u00a0: résultats par catégorie d'appareils, ce qui n'a pu "
            "être vu, exemptions par motif, et l'empreinte de la preuve, qui reste ici. Produit un Statement in-toto "
            "dans une enveloppe DSSE; si un tel fichier est donné au lieu d'une directive, y ajoute une signature.",
        )
    )
)
@click.argument("directive", metavar=str(Text("DIRECTIVE|FILE", "DIRECTIVE|FICHIER")))
@click.option(
    "--signed-off-by",
    help=str(
        Text(
            "The role that attests. Needed for a new one.", "Le rôle qui atteste. Requis pour une nouvelle attestation."
        )
    ),
)
@click.option(
    "--by",
    help=str(
        Text(
            "The seat that prepared it; it may not sign. Needed for a new one.",
            "Le siège qui l'a préparée; il ne peut signer. Requis pour une nouvelle attestation.",
        )
    ),
)
@click.option(
    "--key",
    "references",
    multiple=True,
    help=str(
        Text(
            "Private key: file:PATH, or pkcs11:token=...;object=...; repeat for more.",
            "Clé privée\u00a0: file:CHEMIN ou pkcs11:token=...;object=...; à répéter au besoin.",
        )
    ),
)
@click.option(
    "--unmanaged",
    type=click.IntRange(min=0),
    help=str(
        Text(
            "Devices in no management system; as acknowledged where left out.",
            "Appareils hors de tout système de gestion; par défaut, comme dans l'accusé de réception.",
        )
    ),
)
@click.option(
    "--small-cells",
    "floor",
    type=click.IntRange(min=1),
    help=str(
        Text(
            "No count of fewer devices than this is shown, nor follows from others. As in the attestation before; 5 in "
            "the first.",
            "Aucun nombre inférieur à celui-ci n'est montré, ni ne se déduit des autres. Par défaut, comme dans "
            "l'attestation précédente; 5 dans la première.",
        )
    ),
)
@click.option(
    "--proof",
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(Text("Where to write the proof bundle.", "Où enregistrer le dossier de preuve.")),
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(Text("File to write. Needed for a new one.", "Fichier à produire. Requis pour une nouvelle attestation.")),
)
@passphrase_options
@installation_options
def command(
    directive: str,
    references: tuple[str, ...],
    out: Path | None,
    variable: str | None,
    secret_file: Path | None,
    home: Path | None,
    actor: str,
    **words: object,
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.envelopes import write
    from proscribe.feed import statement
    from proscribe.trust.keys import open_signer

    if directive.endswith(SUFFIX):
        target = out or Path(directive)
        signed = _existing(Path(directive))
    else:
        target, signed = _new(directive, out, home, actor, **words)
    for reference in references:
        what = reference.partition("?")[0]
        signed = statement.sign(signed, open_signer(reference, passphrase(variable, secret_file, what=what)))
    write(signed, target)
    count = len(signed.envelope["signatures"])
    click.echo(
        str(Text(f"{target}: signatures in it: {count}.", f"{target}\u00a0: signatures qu'il contient\u00a0: {count}."))
    )


def _existing(path: Path) -> SignedDocument:
    from proscribe.feed import statement
    from proscribe.service.rolling import read_signed

    signed = read_signed(path)
    _show(statement.read(signed, source=str(path))[0])
    return signed


def _new(
    directive: str, out: Path | None, home: Path | None, actor: str, **words: object
) -> tuple[Path, SignedDocument]:
    from proscribe.cli.progress import working
    from proscribe.feed import statement
    from proscribe.service import attesting

    role, seat, proof = words["signed_off_by"], words["by"], words["proof"]
    if out is None or not isinstance(role, str) or not isinstance(seat, str):
        raise click.UsageError(
            str(
                Text(
                    "a new attestation needs --signed-off-by, --by and --out",
                    "une nouvelle attestation exige --signed-off-by, --by et --out",
                )
            )
        )
    unmanaged, floor = words["unmanaged"], words["floor"]
    installation = open_installation(home, actor)
    with working():
        given = attesting.attest(
            installation,
            directive,
            signed_off_by=role,
            unmanaged=unmanaged if isinstance(unmanaged, int) else None,
            floor=floor if isinstance(floor, int) else None,
            out=proof if isinstance(proof, Path) else None,
        )
    _show(given)
    return out, statement.prepare(given, by=seat, at=installation.clock.now())


def _show(given: Attestation) -> None:
    from proscribe.cli.output import print_table
    from proscribe.cli.status_view import WORDS

    rows = [
        (outcome.value.replace("_", " "), WORDS[outcome], number(count))
        for outcome, count in sorted(given.by_outcome.items(), key=lambda item: (item[0].compliant, -item[1]))
    ]
    if given.together:
        rows.insert(
            0,
            (
                "-",
                Text("too few of each to count apart", "trop peu de chacun pour être dénombrés à part"),
                number(given.together),
            ),
        )
    print_table(
        "",
        [str(Text("Outcome", "Résultat")), str(Text("Meaning", "Sens")), str(Text("Devices", "Appareils"))],
        rows,
        numeric=1,
    )
    click.echo(
        str(
            Text(
                f"Attestation {given.number} of {given.department} to {given.directive}: {devices(given.devices).en}.",
                f"Attestation {given.number} de {given.department}, {given.directive}\u00a0: "
                f"{devices(given.devices).fr}.",
            )
        )
    )

"""The commands of ``proscribe feed`` for an authority: begin a feed, draft, sign, publish, pack."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.cli.output import json_option, print_json
from proscribe.cli.passphrase import passphrase, passphrase_options
from proscribe.text import Text

F = TypeVar("F", bound=Callable[..., Any])

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
folder_argument = click.argument("folder", metavar=str(Text("FOLDER", "DOSSIER")), type=_FOLDER)
key_option = click.option(
    "--key",
    "references",
    multiple=True,
    required=True,
    help=str(
        Text(
            "Private key: file:PATH, or pkcs11:token=...;object=... Repeat for more.",
            "Clé privée\u00a0: file:CHEMIN ou pkcs11:token=...;object=... À répéter au besoin.",
        )
    ),
)


def _seat_options(function: F) -> F:
    for name, help_text in reversed(
        (
            (
                "officer",
                Text(
                    "Public key (PEM) of an officer: signs what is published. Repeat.",
                    "Clé publique (PEM) d'un responsable, qui signe ce qui est publié. À répéter au besoin.",
                ),
            ),
            (
                "snapshot",
                Text(
                    "Public key of the machine that says what belongs together.",
                    "Clé publique de la machine qui dit ce qui va ensemble.",
                ),
            ),
            (
                "timestamp",
                Text(
                    "Public key of the machine that says that it is still so.",
                    "Clé publique de la machine qui dit que c'est toujours le cas.",
                ),
            ),
        )
    ):
        function = click.option(f"--{name}", f"{name}s", multiple=True, type=_FILE, help=str(help_text))(function)
    return click.option(
        "--threshold",
        type=click.IntRange(min=1),
        default=2,
        show_default=True,
        help=str(Text("How many officers must sign.", "Nombre de responsables qui doivent signer.")),
    )(function)


@click.command(
    help=str(
        Text(
            "Begin a feed in a new folder: a draft that the officers sign. Its 'public' part is what a web server "
            "hosts, its 'draft' part never is.",
            "Créer un fil dans un nouveau dossier\u00a0: une ébauche que les responsables signent. Sa partie "
            "«\u00a0public\u00a0» est celle qu'un serveur Web héberge; sa partie «\u00a0draft\u00a0» ne l'est jamais.",
        )
    )
)
@folder_argument
@_seat_options
def init(
    folder: Path,
    threshold: int,
    officers: tuple[Path, ...],
    snapshots: tuple[Path, ...],
    timestamps: tuple[Path, ...],
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.clock import current_clock
    from proscribe.feed import repository
    from proscribe.service.authority import seats_of

    seats = seats_of(officers, snapshots, timestamps, threshold=threshold)
    repository.init(folder, seats, now=current_clock().now())
    _show_draft(folder)


@click.command(
    help=str(
        Text(
            "Draft other keys for the roles named; officers of the old and of the new root sign it.",
            "Préparer d'autres clés pour les rôles nommés; les responsables de l'ancienne et de la nouvelle racine "
            "signent.",
        )
    )
)
@folder_argument
@_seat_options
def keys(
    folder: Path,
    threshold: int,
    officers: tuple[Path, ...],
    snapshots: tuple[Path, ...],
    timestamps: tuple[Path, ...],
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.clock import current_clock
    from proscribe.feed.repository import Repository
    from proscribe.service.authority import seats_of

    seats = seats_of(officers, snapshots, timestamps, threshold=threshold)
    Repository(folder).rotate(seats, now=current_clock().now())
    _show_draft(folder)


@click.command(
    help=str(
        Text(
            "Put files in the draft: signed documents (.dsse.json) find their place by what is in them.",
            "Mettre des fichiers dans l'ébauche\u00a0: les documents signés (.dsse.json) trouvent leur place d'après "
            "leur contenu.",
        )
    )
)
@folder_argument
@click.argument("files", metavar=str(Text("FILE...", "FICHIER...")), nargs=-1, required=True, type=_FILE)
@click.option(
    "--precedent",
    is_flag=True,
    help=str(
        Text(
            "They are directives of others, for information.",
            "Ce sont des directives d'autres autorités, à titre d'information.",
        )
    ),
)
@click.option(
    "--notice",
    "notice_of",
    default="",
    metavar="DIRECTIVE",
    help=str(Text("They are notices of this directive.", "Ce sont des avis relatifs à cette directive.")),
)
@installation_options
def add(folder: Path, files: tuple[Path, ...], precedent: bool, notice_of: str, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.service import authority

    places = authority.add(open_installation(home, actor), folder, files, precedent=precedent, notice_of=notice_of)
    for path in places:
        click.echo(f"+ {path}")
    _show_draft(folder)


@click.command(
    help=str(
        Text(
            "Take files out with the next publication. Departments keep what they adopted.",
            "Retirer des fichiers à la prochaine publication. Les organismes conservent ce qu'ils ont adopté.",
        )
    )
)
@folder_argument
@click.argument("paths", metavar=str(Text("PATH...", "CHEMIN...")), nargs=-1, required=True)
def remove(folder: Path, paths: tuple[str, ...]) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.clock import current_clock
    from proscribe.feed.repository import Repository

    Repository(folder).stage({}, now=current_clock().now(), remove=paths)
    _show_draft(folder)


@click.command(
    help=str(
        Text(
            "What is public, until when, and what waits for signatures.",
            "Ce qui est public, jusqu'à quand, et ce qui attend des signatures.",
        )
    )
)
@folder_argument
@json_option
def draft(folder: Path, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.feed.repository import Repository

    repository = Repository(folder)
    standing = repository.standing()
    if as_json:
        print_json(
            {
                "public": {
                    role: {"version": version, "until": f"{standing.expires[role]:%Y-%m-%dT%H:%M:%SZ}"}
                    for role, version in standing.versions.items()
                },
                "files": sorted(repository.files()),
                "drafted": sorted(repository.drafted()),
                "waiting": [
                    {"role": one.role, "version": one.version, "signed": one.signed, "threshold": one.threshold}
                    for one in standing.draft
                ],
            }
        )
        return
    for role in ("root", "targets", "snapshot", "timestamp"):
        if role in standing.versions:
            until = f"{standing.expires[role]:%Y-%m-%d %H:%M} UTC"
            click.echo(
                str(
                    Text(
                        f"{role} {standing.versions[role]}, until {until}",
                        f"{role} {standing.versions[role]}, jusqu'au {until}",
                    )
                )
            )
    public, drafted = repository.files(), repository.drafted()
    for path in sorted(public.keys() | drafted.keys()):
        mark = " " if public.get(path) == drafted.get(path) else "+" if path in drafted else "-"
        click.echo(f"{mark} {path}")
    _show_draft(folder)


@click.command(
    help=str(
        Text(
            "Add your signature, as an officer, to the draft. Look at it first ('feed draft').",
            "Ajouter votre signature de responsable à l'ébauche. Examinez-la d'abord («\u00a0feed draft\u00a0»).",
        )
    )
)
@folder_argument
@key_option
@passphrase_options
def sign(folder: Path, references: tuple[str, ...], variable: str | None, secret_file: Path | None) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.feed.repository import Repository

    repository = Repository(folder)
    for signer in _signers(references, variable, secret_file):
        repository.sign(signer)
    _show_draft(folder)


@click.command(
    help=str(
        Text(
            "Publish the signed draft; without one, a new sign of life, which a machine gives every day. --key: the "
            "machine's keys.",
            "Publier l'ébauche signée; à défaut, un nouveau signe de vie, qu'une machine donne chaque jour. "
            "--key\u00a0: les clés de la machine.",
        )
    )
)
@folder_argument
@key_option
@passphrase_options
@installation_options
def publish(
    folder: Path,
    references: tuple[str, ...],
    variable: str | None,
    secret_file: Path | None,
    home: Path | None,
    actor: str,
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.service import authority

    signers = _signers(references, variable, secret_file)
    standing = authority.release(open_installation(home, actor), folder, signers)
    until = f"{min(standing.expires.values()):%Y-%m-%d %H:%M} UTC"
    click.echo(
        str(
            Text(
                f"Published: {len(standing.files)} files. Sign of life {standing.versions['timestamp']}, "
                f"good until {until}.",
                f"Publié\u00a0: {len(standing.files)} fichiers. Signe de vie {standing.versions['timestamp']}, valable "
                f"jusqu'au {until}.",
            )
        )
    )


@click.command(
    help=str(
        Text(
            "Write what is public to one file, for who has no line to you.",
            "Enregistrer ce qui est public dans un seul fichier, pour qui n'a pas de liaison avec vous.",
        )
    )
)
@folder_argument
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(Text("The file to write.", "Le fichier à produire.")),
)
def pack(folder: Path, out: Path) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.feed.packing import pack as pack_it

    count = pack_it(folder, out)
    click.echo(str(Text(f"{out}: {count} files.", f"{out}\u00a0: {count} fichiers.")))


@click.command(
    help=str(
        Text(
            "Write a packed feed to a new folder. Nothing is believed of it; whoever pulls from there checks it.",
            "Extraire un fil empaqueté dans un nouveau dossier. Rien n'en est tenu pour vrai; qui le lit ensuite "
            "le vérifie.",
        )
    )
)
@click.argument("package", metavar=str(Text("FILE", "FICHIER")), type=_FILE)
@click.option("--to", "folder", required=True, type=_FOLDER, help=str(Text("The new folder.", "Le nouveau dossier.")))
def unpack(package: Path, folder: Path) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.feed.packing import unpack as unpack_it

    count = unpack_it(package, folder)
    click.echo(str(Text(f"{folder}: {count} files.", f"{folder}\u00a0: {count} fichiers.")))


AUTHORITY = (init, keys, add, remove, draft, sign, publish, pack, unpack)


def _signers(references: tuple[str, ...], variable: str | None, secret_file: Path | None) -> list[Any]:
    from proscribe.trust.keys import open_signer

    return [
        open_signer(reference, passphrase(variable, secret_file, what=reference.partition("?")[0]))
        for reference in references
    ]


def _show_draft(folder: Path) -> None:
    from proscribe.feed.repository import Repository

    waiting = Repository(folder).standing().draft
    for role in waiting:
        click.echo(
            str(
                Text(
                    f"Draft of {role.role} {role.version}: {role.signed} of {role.threshold} officers signed.",
                    f"Ébauche de {role.role} {role.version} (responsables signataires\u00a0: {role.signed} sur "
                    f"{role.threshold}).",
                )
            )
        )
    if waiting and all(role.signed >= role.threshold for role in waiting):
        click.echo(str(Text("Ready: 'proscribe feed publish'.", "Prêt\u00a0: «\u00a0proscribe feed publish\u00a0».")))
    elif waiting:
        click.echo(
            str(
                Text(
                    f"Next: each officer runs 'proscribe feed sign {folder} --key ...'.",
                    f"Ensuite\u00a0: chaque responsable lance «\u00a0proscribe feed sign {folder} --key ...\u00a0».",
                )
            )
        )

"""``proscribe data``: the data packs that assessments rest on; list them, update one from a file, check them all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proscribe.cli.options import CommandGroup
from proscribe.cli.output import console, json_option, print_json, print_table
from proscribe.errors import ProscribeError
from proscribe.text import COLON, Text, number, plural

if TYPE_CHECKING:
    from proscribe.assess.packs.documents import PackCheck, PackEntry, PackList, PackUpdate, PackVerification

_SHOWN = 12  # rows of each kind that a summary names; --json names all


class UnknownPack(ProscribeError):
    """There is no data pack of that name."""

    code = "assess.unknown-pack"


@click.group(
    cls=CommandGroup,
    help=str(
        Text(
            "Data packs: permissions, APIs, SDKs, hosts, operators and laws, each row with its source.",
            "Ensembles de données : autorisations, API, trousses SDK, hôtes, exploitants et lois, chaque ligne avec sa "
            "source.",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


@command.command(
    name="list",
    short_help=str(Text("Show the packs in use.", "Afficher les ensembles en service.")),
    help=str(
        Text(
            "Show the packs in use, shipped or updated; with a pack's name, its file and its sources.",
            "Afficher les ensembles en service, livrés ou mis à jour; avec le nom d'un ensemble, son fichier et ses "
            "sources.",
        )
    ),
)
@click.argument("pack", metavar=str(Text("[PACK]", "[ENSEMBLE]")), required=False)
@json_option
def list_packs(pack: str | None, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.assess.packs.documents import PackList
    from proscribe.assess.packs.update import listing
    from proscribe.documents import to_json

    packs = listing()
    if pack is not None:
        packs = PackList(tuple(one for one in packs.packs if one.pack == pack))
        if not packs.packs:
            raise _unknown(pack)
    if as_json:
        print_json(to_json(packs))
    elif pack is not None:
        _show_pack(packs.packs[0])
    else:
        _show_list(packs)


@command.command(
    short_help=str(Text("Put a newer pack in use, from a file.", "Mettre en service un ensemble plus récent.")),
    help=str(
        Text(
            "Put a newer pack in use, from a file; never from the network. The pack is checked alone and with the "
            "others before anything changes, and the one before is kept.",
            "Mettre en service un ensemble plus récent, à partir d'un fichier; jamais du réseau. L'ensemble est "
            "vérifié seul et avec les autres avant tout changement, et le précédent est conservé.",
        )
    ),
)
@click.argument(
    "file", metavar=str(Text("FILE", "FICHIER")), type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--allow-older",
    is_flag=True,
    help=str(
        Text("Also where it is not newer than the one in use.", "Même s'il n'est pas plus récent que celui en service.")
    ),
)
@json_option
def update(file: Path, allow_older: bool, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.assess.packs.update import install
    from proscribe.documents import to_json

    result = install(file, allow_older=allow_older)
    if as_json:
        print_json(to_json(result))
    else:
        _show_update(result)


@command.command(
    short_help=str(Text("Check every pack in use.", "Vérifier chaque ensemble en service.")),
    help=str(
        Text(
            "Check every pack in use: row by row, against the digests that were shipped or installed, and all of them "
            "together. Exit status 1 where one is altered or broken.",
            "Vérifier chaque ensemble en service : ligne par ligne, par rapport aux empreintes livrées ou installées, "
            "et tous ensemble. Code de sortie 1 si l'un d'eux est altéré ou inutilisable.",
        )
    ),
)
@json_option
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.assess.packs.update import verify as check
    from proscribe.documents import to_json

    result = check()
    if as_json:
        print_json(to_json(result))
    else:
        _show_verification(result)
    ctx.exit(0 if result.ok else 1)


def _unknown(pack: str) -> UnknownPack:
    from proscribe.assess.packs.model import PACKS

    names = ", ".join(PACKS)
    return UnknownPack(
        Text(f"there is no data pack {pack!r}", f"il n'existe pas d'ensemble de données « {pack} »"),
        remedy=Text(f"Give one of: {names}.", f"Donnez l'un de ceux-ci : {names}."),
    )


def _show_list(packs: PackList) -> None:
    print_table(
        "",
        [
            str(Text("Pack", "Ensemble")),
            str(Text("Version", "Version")),
            str(Text("From", "Provenance")),
            str(Text("Licence", "Licence")),
            str(Text("Digest", "Empreinte")),
            str(Text("Rows", "Lignes")),
        ],
        [
            (one.pack, one.version, origin_word(one.origin), one.licence, one.digest[7:19], number(one.rows))
            for one in packs.packs
        ],
        numeric=1,
    )
    click.echo(
        str(
            Text(
                "Sources of a pack: proscribe data list PACK",
                "Sources d'un ensemble : proscribe data list ENSEMBLE",
            )
        )
    )


def _show_pack(entry: PackEntry) -> None:
    click.echo(f"{entry.pack} {entry.version} ({origin_word(entry.origin)})")
    click.echo(_wrapped(entry.about))
    for label, value in (
        (Text("Licence", "Licence"), entry.licence),
        (Text("Rows", "Lignes"), str(number(entry.rows))),
        (Text("Shipped version", "Version livrée"), entry.shipped_version),
        (Text("Digest", "Empreinte"), entry.digest),
        (Text("File", "Fichier"), entry.file),
    ):
        click.echo(f"{label}{COLON} {value}")
    print_table(
        "",
        [
            str(Text("Source", "Source")),
            str(Text("What and where", "Nature et lieu")),
            str(Text("Licence", "Licence")),
            str(Text("Rows", "Lignes")),
        ],
        [(one.id, f"{one.what}\n{one.where} ({one.revision})", one.licence, number(one.rows)) for one in entry.sources],
        numeric=1,
    )


def _show_update(result: PackUpdate) -> None:
    before, after = result.version_before, result.version_after
    rows = plural(result.rows, Text("row", "ligne"), Text("rows", "lignes"))
    if result.digest_before == result.digest_after:
        click.echo(
            str(
                Text(
                    f"{result.pack} {after} is already in use; nothing changed.",
                    f"{result.pack} {after} est déjà en service; rien n'a changé.",
                )
            )
        )
        return
    click.echo(
        str(
            Text(
                f"{result.pack}: version {after} ({rows.en}) is in use instead of {before}.",
                f"{result.pack} : la version {after} ({rows.fr}) est en service au lieu de {before}.",
            )
        )
    )
    _show_rows(result.added, result.changed, result.removed)
    click.echo(str(Text(f"Kept, to go back: {result.kept}", f"Conservé, pour y revenir : {result.kept}")))


def _show_rows(added: tuple[str, ...], changed: tuple[str, ...], removed: tuple[str, ...]) -> None:
    for word, keys in (
        (Text("Added", "Ajoutées"), added),
        (Text("Changed", "Modifiées"), changed),
        (Text("Removed", "Retirées"), removed),
    ):
        if keys:
            more = f", +{number(len(keys) - _SHOWN)}" if len(keys) > _SHOWN else ""
            click.echo(
                _wrapped(
                    Text(f"{word.en} ({number(len(keys)).en}): ", f"{word.fr} ({number(len(keys)).fr}) : ")
                    + Text(", ".join(keys[:_SHOWN]) + more, ", ".join(keys[:_SHOWN]) + more)
                )
            )


def _show_verification(result: PackVerification) -> None:
    print_table(
        "",
        [
            str(Text("Pack", "Ensemble")),
            str(Text("Version", "Version")),
            str(Text("State", "État")),
            str(Text("Digest", "Empreinte")),
        ],
        [(one.pack, one.version, state_word(one), one.digest[7:19]) for one in result.packs],
    )
    for one in result.packs:
        if one.problem is not None:
            click.echo(_wrapped(Text(f"{one.file}: {one.problem.en}", f"{one.file} : {one.problem.fr}")))
        elif one.added or one.changed or one.removed:
            click.echo(
                str(Text(f"{one.pack}, beside the shipped pack:", f"{one.pack}, par rapport à l'ensemble livré :"))
            )
            _show_rows(one.added, one.changed, one.removed)
    if result.together is not None:
        why = result.together
        click.echo(
            _wrapped(Text(f"The packs do not fit each other: {why.en}", f"Les ensembles ne s'accordent pas : {why.fr}"))
        )
    if result.ok:
        click.echo(str(Text("All packs are what they should be.", "Tous les ensembles sont tels qu'ils doivent être.")))
    else:
        click.echo(
            _wrapped(
                Text(
                    "Install this release again for a shipped pack, or run 'proscribe data update FILE' for an updated "
                    "one.",
                    "Réinstallez la présente version pour un ensemble livré, ou « proscribe data update FICHIER » pour "
                    "un ensemble mis à jour.",
                )
            )
        )


def origin_word(value: str) -> str:
    """An origin in the language shown."""
    return str({"shipped": Text("shipped", "livré"), "updated": Text("updated", "mis à jour")}[value])


def state_word(check: PackCheck) -> str:
    """A state in the language shown."""
    words = {
        "intact": Text("as shipped", "tel que livré"),
        "updated": Text("as installed", "tel qu'installé"),
        "altered": Text("altered", "altéré"),
        "broken": Text("cannot be used", "inutilisable"),
    }
    return str(words[check.state])


def _wrapped(text: Text) -> str:
    """Text folded to the terminal's width, at most 100 columns."""
    return click.wrap_text(str(text), width=min(console().width, 100))

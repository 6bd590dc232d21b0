"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.service.installation import Installation

SUBCOMMAND = str(Text("COMMAND [ARGS]...", "COMMANDE [ARGUMENTS]..."))
"""How the usage line of a group names what comes after it."""

_FIRST = re.compile(r"\.(?=\s)|[\s\u00a0]?:(?=\s)|\.$")
"""Where the first sentence of a help text ends, or what it lists or explains begins."""


class CommandGroup(click.Group):
    """A group that lists its commands by their first sentence, whole; click would cut it off at the line's end."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **{"subcommand_metavar": SUBCOMMAND, **more})

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, _first_sentence(one)) for name, one in commands if one is not None]
        with formatter.section(str(Text("Commands", "Commandes\u00a0"))):
            formatter.write_dl(rows)


def _first_sentence(command: click.Command) -> str:
    return _FIRST.split(command.short_help or command.help or "", maxsplit=1)[0] + "."


F = TypeVar("F", bound=Callable[..., Any])


def installation_options(function: F) -> F:
    """``--home`` and ``--as``, on every command that needs the database."""
    home = click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        help=str(
            Text("Folder of this installation (or PROSCRIBE_HOME).", "Dossier de l'installation (ou PROSCRIBE_HOME).")
        ),
    )
    actor = click.option(
        "--as",
        "actor",
        default="operator",
        show_default=True,
        help=str(Text("The role you act in; the ledger records it.", "Votre rôle; le registre le consigne.")),
    )
    return home(actor(function))


def open_installation(home: Path | None, actor: str) -> Installation:
    """Open the installation a command works on."""
    from proscribe.service.installation import open_installation as open_it

    return open_it(home, actor=actor)


small_cells_option = click.option(
    "--small-cells",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help=str(
        Text(
            "Put departments of fewer devices than this together.",
            "Regrouper les directions comptant moins d'appareils que ce nombre.",
        )
    ),
)

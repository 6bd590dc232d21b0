"""Where a passphrase or PIN comes from: a prompt, a variable of the environment, a file. Never an argument."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.trust.keys import Passphrase

VARIABLE = "PROSCRIBE_PASSPHRASE"

F = TypeVar("F", bound=Callable[..., Any])


def passphrase_options(function: F) -> F:
    """``--passphrase-env`` and ``--passphrase-file``."""
    variable = click.option(
        "--passphrase-env",
        "variable",
        metavar=str(Text("NAME", "NOM")),
        help=str(
            Text(
                f"Variable of the environment with the passphrase or PIN (by default {VARIABLE}, where it is set).",
                f"Variable d'environnement contenant la phrase de passe ou le NIP (par défaut {VARIABLE}, si définie).",
            )
        ),
    )
    file = click.option(
        "--passphrase-file",
        "secret_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help=str(
            Text(
                "File with the passphrase or PIN, which nobody else can read.",
                "Fichier contenant la phrase de passe ou le NIP, lisible par vous seul.",
            )
        ),
    )
    return variable(file(function))


def passphrase(variable: str | None, file: Path | None, *, twice: bool = False, what: str = "") -> Passphrase:
    """A function that gives the passphrase when it is needed; ``twice``: a new one, which is typed again."""

    def ask() -> bytes:
        from proscribe.trust.keys import read_secret, secret_missing

        if file is not None:
            return read_secret(file)
        named = variable or (VARIABLE if VARIABLE in os.environ else None)
        if named is not None:
            if named not in os.environ:
                raise secret_missing(named)
            return os.environb[named.encode()]
        label = Text("Passphrase or PIN", "Phrase de passe ou NIP")
        typed: str = click.prompt(
            f"{label} ({what})" if what else str(label), hide_input=True, confirmation_prompt=twice, err=True
        )
        return typed.encode("utf-8")

    return ask

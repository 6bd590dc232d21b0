"""The command line: a thin shell over ``proscribe.service`` and, for commands without a database, the stages.

Nothing heavy is imported here: a command's module is loaded when the command is named (start-up under 0.15 s).
"""

from __future__ import annotations

import sys

from proscribe.text import set_language

_LANG_FLAG = "--lang"


def main() -> None:
    """Entry point of the ``proscribe`` program. Exit status: 0 fine, 1 error, 2 findings or refusals."""
    # Help texts are made when a command's module is loaded, so the language must be known before that.
    for position, word in enumerate(sys.argv[1:], start=1):
        value = ""
        if word == _LANG_FLAG and position + 1 < len(sys.argv):
            value = sys.argv[position + 1]
        elif word.startswith(_LANG_FLAG + "="):
            value = word.split("=", 1)[1]
        if value in ("en", "fr"):
            set_language("fr" if value == "fr" else "en")
    from proscribe.cli.root import run

    run()

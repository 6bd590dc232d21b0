"""The command line: a thin shell over ``proscribe.service`` and, for commands without a database, the stages.

Nothing heavy is imported here: a command's module is loaded when the command is named (start-up under 0.15 s).
"""

from __future__ import annotations

import io
import sys

from proscribe.text import language, set_language

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
    translate_click()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a sign shows a question mark for it; the command must not end because of it.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    from proscribe.cli.root import run

    run()


def translate_click() -> None:
    """Have click's own words (usage, options, refused arguments) in French where French is spoken.

    click asks the process-wide gettext domain, whose language comes from the environment and from nowhere else; so the
    choice is put there, for this process. Words that are not translated stay English.
    """
    if language() != "fr":
        return
    import gettext
    import os
    from pathlib import Path

    os.environ["LANGUAGE"] = "fr"
    gettext.bindtextdomain("click", Path(__file__).with_name("locale"))
    gettext.textdomain("click")

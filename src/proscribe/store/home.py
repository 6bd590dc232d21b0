"""Where an installation keeps its database, its key and its locks."""

from __future__ import annotations

import os
from pathlib import Path


def default_home() -> Path:
    """``PROSCRIBE_HOME``, or the user's own data folder."""
    named = os.environ.get("PROSCRIBE_HOME", "")
    if named:
        return Path(named)
    import click  # knows where programs of this operating system keep their data

    return Path(click.get_app_dir("proscribe"))

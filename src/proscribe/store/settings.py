"""Django's settings. No secret stands here: the key is made once a home folder, readable by its owner alone.

Set by :func:`proscribe.store.setup`, which names the home folder in ``PROSCRIBE_HOME`` first; ``manage``-like tools
that name this module themselves get the same result.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from proscribe.store.database import FILE, busy_seconds, from_url, sqlite
from proscribe.store.home import default_home, owners_file


def secret_key(home: Path) -> str:
    """The key that signs sessions and forms; made where it is missing, with mode 0600 from its first moment."""
    return owners_file(home / "secret.key", lambda: secrets.token_urlsafe(64).encode() + b"\n").decode("ascii").strip()


def databases(home: Path) -> dict[str, dict[str, object]]:
    """The ``DATABASES`` setting: ``DATABASE_URL`` where it is set, else SQLite in the home folder."""
    busy = busy_seconds()
    url = os.environ.get("DATABASE_URL", "")
    return {"default": from_url(url, busy_seconds=busy) if url else sqlite(home / FILE, busy_seconds=busy)}


HOME = default_home()
HOME.mkdir(mode=0o700, parents=True, exist_ok=True)

SECRET_KEY = secret_key(HOME)
DATABASES = databases(HOME)
INSTALLED_APPS = ["proscribe.store"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]

"""What the connector is told by its operator: where the servers are, and how a ban is carried out on devices.

Keys stand in files of their own, which only their owner may read. A key written into the settings is accepted for
servers on this machine alone (rehearsals and tests); so is plain http.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from proscribe.connectors.base import InvalidConfiguration
from proscribe.connectors.web import is_loopback
from proscribe.errors import Where
from proscribe.text import Text

_KEY_LIMIT = 4_096
"""Bytes of a key file. A longer one is some other file."""


@dataclass(frozen=True, slots=True)
class NanomdmConfig:
    """One NanoMDM server, the KMFDDM beside it if there is one, and the habits of the organisation.

    Raises InvalidConfiguration with the field that is wrong. Key files are read when a key is needed, not before: who
    only plans needs none.
    """

    endpoint: str  # NanoMDM
    api_key: str = field(default="", repr=False)
    api_key_file: Path | None = None
    push: bool = True  # wake devices as commands are queued; without, they answer when they next call
    webhook_key: str = field(default="", repr=False)
    webhook_key_file: Path | None = None
    listen: str = ""  # host:port for NanoMDM's webhook; "" where another process receives it
    kmfddm_endpoint: str = ""  # "" for none: then nothing is done by declarations
    kmfddm_key: str = field(default="", repr=False)
    kmfddm_key_file: Path | None = None
    roster: Path | None = None  # CSV that places devices into groups
    profiles: Path | None = None  # folder of the organisation's own profiles, <group>.mobileconfig
    default_group: str = "all"  # of devices that the roster does not place
    signing_certificate: Path | None = None  # PEM, with its chain; profiles are signed where it is given
    signing_key: Path | None = None  # PEM
    organisation: str = ""  # shown on devices beside the profile
    list_every_hours: float = 12.0  # how old a device's app list may get before it is asked anew
    fresh_hours: float = 24.0  # how old it may be for a step that rests on it
    lost_after_hours: float = 1.0  # a command unanswered for so long, on a device heard of since, was lost
    retry_hours: float = 24.0  # before a failed removal is tried again
    refused_days: float = 7.0  # before a user who refused is asked again
    concurrency: int = 8  # requests at a time
    connect_timeout: float = 10.0  # seconds, as the next
    read_timeout: float = 60.0
    response_limit: int = 16 * 1024 * 1024  # bytes of an answer

    def __post_init__(self) -> None:
        _check_endpoint("endpoint", self.endpoint)
        _check_key("api_key", self.api_key, self.api_key_file, loopback=is_loopback(self.endpoint))
        if self.kmfddm_endpoint:
            _check_endpoint("kmfddm_endpoint", self.kmfddm_endpoint)
            _check_key("kmfddm_key", self.kmfddm_key, self.kmfddm_key_file, loopback=is_loopback(self.kmfddm_endpoint))
        if self.listen:
            host = _check_listen(self.listen)
            local = is_loopback(self.endpoint) and is_loopback(f"http://{host}")
            _check_key("webhook_key", self.webhook_key, self.webhook_key_file, loopback=local)
        _check_signing(self.signing_certificate, self.signing_key)
        _check_group(self.default_group)
        for name in _HOURS:
            if not 0.0 < getattr(self, name) < float("inf"):
                raise _must_be_positive(name)
        for name in ("concurrency", "response_limit"):
            if getattr(self, name) < 1:
                raise _must_be_positive(name)

    def api_secret(self) -> str:
        """The key of NanoMDM's API. Raises InvalidConfiguration where its file cannot be used."""
        return _secret("api_key", self.api_key, self.api_key_file)

    def kmfddm_secret(self) -> str:
        """The key of KMFDDM's API. Raises InvalidConfiguration where its file cannot be used."""
        return _secret("kmfddm_key", self.kmfddm_key, self.kmfddm_key_file)

    def webhook_secret(self) -> bytes:
        """The key that NanoMDM signs its events with. Raises InvalidConfiguration where its file cannot be used."""
        return _secret("webhook_key", self.webhook_key, self.webhook_key_file).encode()


def from_settings(settings: Mapping[str, str], home: Path) -> NanomdmConfig:
    """The configuration that a section of the settings file describes: the fields of NanomdmConfig, as text.

    Relative paths begin at ``home``. Raises InvalidConfiguration for an unknown setting, a value that cannot be read,
    or anything that NanomdmConfig refuses.
    """
    given: dict[str, Any] = {"endpoint": "", **{name: _setting(name, value, home) for name, value in settings.items()}}
    return NanomdmConfig(**given)


_HOURS = (
    "list_every_hours",
    "fresh_hours",
    "lost_after_hours",
    "retry_hours",
    "refused_days",
    "connect_timeout",
    "read_timeout",
)
_TYPES: Mapping[str, str] = {each.name: str(each.type) for each in fields(NanomdmConfig)}
_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _setting(name: str, value: str, home: Path) -> Any:
    kind = _TYPES.get(name)
    if kind is None:
        known = ", ".join(sorted(_TYPES))
        raise _invalid(
            name,
            Text("unknown setting", "paramètre inconnu"),
            Text(f"The settings are: {known}.", f"Les paramètres sont : {known}."),
        )
    if kind == "bool":
        return _switch(name, value)
    if kind.startswith("Path"):
        return home / Path(value).expanduser() if value else None
    try:
        return {"int": int, "float": float, "str": str}[kind](value)
    except ValueError:
        raise _invalid(
            name,
            Text(f"{value!r} is not a number", f"{value!r} n'est pas un nombre"),
            Text("Write a number.", "Écrivez un nombre."),
        ) from None


def _switch(name: str, value: str) -> bool:
    try:
        return _SWITCH[value.strip().lower()]
    except KeyError:
        raise _invalid(
            name,
            Text(f"{value!r} is neither true nor false", f"{value!r} n'est ni vrai ni faux"),
            Text("Write true or false.", "Écrivez true ou false."),
        ) from None


def _check_endpoint(name: str, endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        usable = bool(parts.hostname) and parts.scheme in ("http", "https") and parts.port != 0
        plain = not (parts.query or parts.fragment or parts.username or parts.password)
    except ValueError:
        usable = plain = False
    if not (usable and plain):
        raise _invalid(
            name,
            Text("this is not the address of a server", "ce n'est pas l'adresse d'un serveur"),
            Text(
                "Write it as https://host or https://host:port, without a user, a key or a query.",
                "Écrivez-la sous la forme https://hôte ou https://hôte:port, sans utilisateur, clé ni requête.",
            ),
        )
    if parts.scheme != "https" and not is_loopback(endpoint):
        raise _invalid(
            name,
            Text(
                f"{endpoint!r} would send the key without encryption",
                f"{endpoint!r} ferait circuler la clé sans chiffrement",
            ),
            Text(
                "Put a TLS proxy before the server and use https; plain http is for a server on this machine only.",
                "Placez un mandataire TLS devant le serveur et utilisez https; http est réservé à un serveur sur cette "
                "machine.",
            ),
        )


def _check_listen(listen: str) -> str:
    """The host of ``host:port``, as an address has it."""
    host, _, port = listen.rpartition(":")
    try:
        good = bool(host and urlsplit(f"http://{listen}").hostname) and 0 < int(port) < 65_536
    except ValueError:
        good = False
    if not good or "/" in listen or "@" in listen:
        raise _invalid(
            "listen",
            Text(f"{listen!r} is not host:port", f"{listen!r} n'est pas de la forme hôte:port"),
            Text("Write for example 127.0.0.1:9005.", "Écrivez par exemple 127.0.0.1:9005."),
        )
    return host


def _check_key(name: str, key: str, file: Path | None, *, loopback: bool) -> None:
    if key and file is not None:
        raise _invalid(
            name,
            Text(f"both {name} and {name}_file are given", f"{name} et {name}_file sont tous deux indiqués"),
            Text(f"Keep {name}_file.", f"Conservez {name}_file."),
        )
    if not key and file is None:
        raise _invalid(
            f"{name}_file",
            Text("no key is given", "aucune clé n'est indiquée"),
            Text(
                "Give the path of a file that holds the key and nothing else, readable by its owner only.",
                "Indiquez le chemin d'un fichier qui ne contient que la clé et que seul son propriétaire peut lire.",
            ),
        )
    if key and not loopback:
        raise _invalid(
            name,
            Text(
                "a key in the settings is accepted for servers on this machine only",
                "une clé dans les paramètres n'est acceptée que pour des serveurs sur cette machine",
            ),
            Text(
                f"Put the key into a file and give its path in {name}_file.",
                f"Placez la clé dans un fichier et indiquez le chemin de celui-ci dans {name}_file.",
            ),
        )


def _check_signing(certificate: Path | None, key: Path | None) -> None:
    if (certificate is None) != (key is None):
        raise _invalid(
            "signing_key" if key is None else "signing_certificate",
            Text(
                "profiles are signed with a certificate and its key, and one of the two is missing",
                "les profils sont signés avec un certificat et sa clé, et l'un des deux manque",
            ),
            Text("Give both, or neither.", "Indiquez les deux, ou aucun des deux."),
        )


def _check_group(name: str) -> None:
    if not name.strip() or "/" in name:
        raise _invalid(
            "default_group",
            Text(f"{name!r} cannot be the name of a group", f"{name!r} ne peut pas être le nom d'un groupe"),
            Text("Give a name without a slash.", "Indiquez un nom sans barre oblique."),
        )


def _secret(name: str, key: str, file: Path | None) -> str:
    return key if file is None else _read_key(f"{name}_file", file)


def _read_key(name: str, file: Path) -> str:
    try:
        with file.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            content = stream.read(_KEY_LIMIT + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        what = Text(f"cannot be read: {why}", f"est illisible : {why}")
        raise _unusable(name, file, what) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise _invalid(
            name,
            Text(
                f"{file} can be read by others than its owner (mode {mode:04o})",
                f"{file} est lisible par d'autres que son propriétaire (mode {mode:04o})",
            ),
            Text(f"Run: chmod 600 {file}", f"Exécutez : chmod 600 {file}"),
        )
    return _key_of(name, file, content)


def _key_of(name: str, file: Path, content: bytes) -> str:
    try:
        key = content.decode().strip()
    except UnicodeDecodeError:
        key = ""
    if not key.isprintable() or not key or len(content) > _KEY_LIMIT:
        raise _unusable(name, file, Text("does not hold one key on one line", "ne contient pas une clé sur une ligne"))
    return key


def _unusable(name: str, file: Path, what: Text) -> InvalidConfiguration:
    return _invalid(
        name,
        Text(f"{file} {what.en}", f"{file} {what.fr}"),
        Text(
            "Write the key on one line of that file, and make the user that runs Proscribe its owner.",
            "Inscrivez la clé sur une ligne de ce fichier et donnez-en la propriété à l'utilisateur qui exécute "
            "Proscribe.",
        ),
    )


def _must_be_positive(name: str) -> InvalidConfiguration:
    return _invalid(
        name,
        Text("this must be greater than zero", "cette valeur doit être supérieure à zéro"),
        Text("Give a positive number.", "Indiquez un nombre positif."),
    )


def _invalid(name: str, what: Text, remedy: Text) -> InvalidConfiguration:
    return InvalidConfiguration(what, remedy=remedy, where=Where(field=f"nanomdm.{name}"))

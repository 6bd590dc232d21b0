"""The one Restrictions profile of a scope: the organisation's own, kept whole, with our app ids added to its list.

Apple has no rule for the same restriction in several payloads, so there is one profile a scope and never one a ban.
The organisation's keeps its identifier and everything in it; only two UUIDs change with each edition, so that a
device's list of profiles tells which edition it has.
"""

from __future__ import annotations

import copy
import json
import plistlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proscribe.connectors.base import InvalidConfiguration
from proscribe.connectors.memory import Json
from proscribe.connectors.nanomdm.base_profile import (
    APP_LISTS,
    BLACKLISTED,
    BLOCKED,
    RESTRICTIONS,
    Base,
    is_envelope,
    read_base,
)
from proscribe.connectors.nanomdm.declarations import label
from proscribe.connectors.nanomdm.model import Entry
from proscribe.errors import UnreadableFile, Where
from proscribe.files import reason
from proscribe.plan.ports import Objection
from proscribe.plan.versions import parse_version
from proscribe.text import Text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

__all__ = [
    "Base",
    "Profile",
    "lint",
    "merged",
    "needs_old_key",
    "own_identifier",
    "read_base",
    "sign",
]

_NAMESPACE = uuid.UUID("57b4b781-ebd6-4b84-aa77-7f935929e234")
_NAME = Text("Banned apps", "Applications interdites")
_DESCRIPTION = Text(
    "Keeps banned apps from being shown or opened.", "Empêche d'afficher ou d'ouvrir les applications interdites."
)
_CANNOT_BE_HIDDEN = ("com.apple.mobilephone", "com.apple.preferences")  # Phone and Settings, in lower case
_WEB_CLIPS = "com.apple.webapp"
_APP_CLIP = ".clip"


@dataclass(frozen=True, slots=True)
class Profile:
    """What is to be on a device. ``uuid`` is "" and ``payload`` empty where that is no profile at all."""

    identifier: str
    uuid: str
    payload: bytes


def needs_old_key(os_version: str) -> bool:
    """Whether a device of this version knows the list under its old name only (before iOS 15)."""
    version = parse_version(os_version)
    return version is not None and version < (15,)


def merged(scope: str, base: Base | None, entries: Iterable[Entry], *, old_key: bool, organisation: str) -> Profile:
    """The profile of a scope: the base with our apps in it, or one with our apps alone.

    Without entries it is the base itself, byte for byte, or nothing. Otherwise the UUIDs follow from scope, base and
    apps, so the same content has the same UUID whenever it is made. The profile's is the same under either name of
    the list, as it tells which edition a device has; that of the payload is not.
    """
    apps = sorted({entry.app for entry in entries})
    if not apps:
        return (
            Profile(own_identifier(scope), "", b"") if base is None else Profile(base.identifier, base.uuid, base.raw)
        )
    document = _empty(scope, organisation) if base is None else copy.deepcopy(base.document)
    key = BLACKLISTED if old_key else BLOCKED
    named = (scope, "" if base is None else base.digest, *apps)
    document["PayloadUUID"] = _uuid("profile", *named)
    payload = _payload_for_apps(document)
    payload["PayloadUUID"] = _uuid(key, *named)
    payload[key] = list(dict.fromkeys([*payload.get(key, ()), *apps]))
    return Profile(document["PayloadIdentifier"], document["PayloadUUID"], plistlib.dumps(document, sort_keys=True))


def own_identifier(scope: str) -> str:
    """The identifier of a profile that the organisation had no part in."""
    return f"proscribe.restrictions.{label(scope)}"


def _uuid(*parts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, json.dumps(parts))).upper()


def _empty(scope: str, organisation: str) -> Json:
    """A profile of our own. Its texts are shown to whoever holds the device, and have one language only: both stand."""
    document: Json = {
        "PayloadContent": [],
        "PayloadDescription": _both(_DESCRIPTION),
        "PayloadDisplayName": _both(_NAME),
        "PayloadIdentifier": own_identifier(scope),
        "PayloadScope": "System",
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
    }
    return {**document, "PayloadOrganization": organisation} if organisation else document


def _both(text: Text) -> str:
    return f"{text.en} / {text.fr}"


def _payload_for_apps(document: Json) -> Json:
    """The Restrictions payload that names apps already, else the first one, else a new one at the end."""
    found = [payload for payload in document["PayloadContent"] if payload.get("PayloadType") == RESTRICTIONS]
    if found:
        return next((payload for payload in found if any(key in payload for key in APP_LISTS)), found[0])
    payload: Json = {
        "PayloadDisplayName": _both(_NAME),
        "PayloadIdentifier": _free_identifier(document),
        "PayloadType": RESTRICTIONS,
        "PayloadVersion": 1,
    }
    document["PayloadContent"].append(payload)
    return payload


def _free_identifier(document: Json) -> str:
    """An identifier that no payload of the profile has: Apple wants each to be unique in it."""
    taken = {payload.get("PayloadIdentifier") for payload in document["PayloadContent"]}
    wanted = f"{document['PayloadIdentifier']}.proscribe"
    while wanted in taken:
        wanted += "-1"
    return wanted


# Signing ------------------------------------------------------------------------------------------------------------


def sign(payload: bytes, certificate: Path, key: Path) -> bytes:
    """The payload in a CMS envelope (DER), signed. One that is in an envelope already is given back as it is.

    ``certificate``: PEM, the signer's first, then any intermediate ones. ``key``: PEM, RSA or EC, without password.
    Raises UnreadableFile, or InvalidConfiguration that names the file.
    """
    if is_envelope(payload):
        return payload
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

    signer, *others = _certificates(certificate)
    private = _private_key(key)
    if signer.public_key() != private.public_key():
        raise _unusable(
            key,
            Text(
                f"this key does not belong to the first certificate of {certificate}",
                f"cette clé ne correspond pas au premier certificat de {certificate}",
            ),
        )
    builder = pkcs7.PKCS7SignatureBuilder().set_data(payload).add_signer(signer, private, SHA256())
    for other in others:
        builder = builder.add_certificate(other)
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def _certificates(path: Path) -> list[Certificate]:
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(_pem(path))
    except ValueError as error:
        raise _unusable(path, Text("no certificate in PEM form", "aucun certificat au format PEM")) from error


def _private_key(path: Path) -> RSAPrivateKey | EllipticCurvePrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_pem(path), password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:  # TypeError: it asks for a password
        raise _unusable(
            path, Text("no private key that can be read", "aucune clé privée qui puisse être lue")
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise _unusable(path, Text("neither an RSA nor an EC key", "ni une clé RSA ni une clé EC"))
    return key


def _pem(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(
            Text(f"cannot be read: {error.strerror}", f"lecture impossible : {reason(error).fr}"),
            remedy=Text("Check the path and the permissions.", "Vérifiez le chemin et les droits d'accès."),
            where=Where(file=str(path)),
        ) from error


def _unusable(path: Path, what: Text) -> InvalidConfiguration:
    return InvalidConfiguration(
        what,
        remedy=Text(
            "Give the certificate that signs profiles and its RSA or EC key as PEM files without a password.",
            "Fournissez le certificat qui signe les profils et sa clé RSA ou EC en fichiers PEM sans mot de passe.",
        ),
        where=Where(file=str(path)),
    )


# What stands against a change ---------------------------------------------------------------------------------------


def lint(apps: Iterable[str], base: Base | None) -> tuple[Objection, ...]:
    """What stands against keeping these apps from launching, as far as their ids and the base tell."""
    named = sorted(set(apps))
    found = [objection for app in named for objection in _of_id(app)]
    return tuple(found if base is None else [*found, *_of_base(named, base)])


def _of_id(app: str) -> list[Objection]:
    if app.lower() in _CANNOT_BE_HIDDEN:
        return [_cannot_be_hidden(app)]
    if app == _WEB_CLIPS:
        return [_every_web_clip()]
    return [_app_clip(app)] if app.lower().endswith(_APP_CLIP) else []


def _of_base(apps: Sequence[str], base: Base) -> list[Objection]:
    spelt = {app.lower(): app for app in base.blocked}
    found = [
        _other_case(app, spelt[app.lower()], base) for app in apps if app.lower() in spelt and app not in base.blocked
    ]
    if base.allowed is None:
        return found
    return [*found, *(_allowed(app, base) for app in apps if app in base.allowed), _by_omission(base)]


def _stops(what: Text, remedy: Text) -> Objection:
    return Objection(blocks=True, what=what, remedy=remedy)


def _warns(what: Text, remedy: Text) -> Objection:
    return Objection(blocks=False, what=what, remedy=remedy)


def _cannot_be_hidden(app: str) -> Objection:
    return _stops(
        Text(
            f"{app} cannot be hidden: a device refuses the whole profile for it (error 2004)",
            f"{app} ne peut être masquée : un appareil refuse alors tout le profil (erreur 2004)",
        ),
        Text("Take this app out of the ban.", "Retirez cette application de l'interdiction."),
    )


def _every_web_clip() -> Objection:
    return _warns(
        Text(
            f"{_WEB_CLIPS} stands for every web clip: all of them disappear",
            f"{_WEB_CLIPS} désigne tous les clips Web : ils disparaîtront tous",
        ),
        Text(
            "If the organisation uses web clips of its own, take this identifier out of the ban.",
            "Si l'organisation se sert de ses propres clips Web, retirez cet identifiant de l'interdiction.",
        ),
    )


def _app_clip(app: str) -> Objection:
    return _warns(
        Text(
            f"{app} looks like an app clip: nothing shows that a list of app ids keeps app clips away",
            f"{app} semble être un extrait d'app (app clip) : rien n'établit qu'une liste d'identifiants écarte les "
            "extraits d'app",
        ),
        Text(
            "Set allowAppClips to false in the organisation's own profile.",
            "Dans le profil de l'organisation, donnez à allowAppClips la valeur false.",
        ),
    )


def _other_case(app: str, listed: str, base: Base) -> Objection:
    return _warns(
        Text(
            f"{base.path.name} blocks {listed}, which differs from {app} only in capital letters; both will be in the "
            "list",
            f"{base.path.name} bloque {listed}, qui ne diffère de {app} que par les majuscules; les deux figureront "
            "dans la liste",
        ),
        Text(
            "Compare both with the app's identifier on a device: capital and small letters must match.",
            "Comparez-les à l'identifiant de l'application sur un appareil : majuscules et minuscules doivent "
            "correspondre.",
        ),
    )


def _allowed(app: str, base: Base) -> Objection:
    return _stops(
        Text(
            f"{base.path.name} itself allows {app}, and no rule says whether the permission or the block counts",
            f"{base.path.name} autorise lui-même {app}, et aucune règle ne dit lequel l'emporte, de l'autorisation ou "
            "du blocage",
        ),
        Text(
            "Take the app out of the list of allowed apps in that profile.",
            "Retirez l'application de la liste des applications autorisées de ce profil.",
        ),
    )


def _by_omission(base: Base) -> Objection:
    return _warns(
        Text(
            f"{base.path.name} lets only listed apps launch; all others are kept away as long as that list is there",
            f"{base.path.name} ne laisse ouvrir que les applications énumérées; toutes les autres sont écartées tant "
            "que cette liste existe",
        ),
        Text(
            "Nothing to do: keep the list. The ban is added beside it, and holds even if the list goes.",
            "Rien à faire : conservez la liste. L'interdiction s'y ajoute et tient même si la liste disparaît.",
        ),
    )

"""The profile that an organisation hands over for a group (``profiles/<group>.mobileconfig``): read with care.

It is merged and sent out again, so whatever could not be given back exactly as it came is refused here.
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from pathlib import Path

from proscribe.canonical import Digest, digest_bytes
from proscribe.connectors.base import InvalidConfiguration
from proscribe.connectors.memory import Json
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.errors import UnreadableFile, Where
from proscribe.files import reason
from proscribe.text import Text

PROFILE = ".mobileconfig"
RESTRICTIONS = "com.apple.applicationaccess"
BLOCKED = "blockedAppBundleIDs"
BLACKLISTED = "blacklistedAppBundleIDs"
"""The same list under its name before iOS 15."""
ALLOWED = ("allowListedAppBundleIDs", "whitelistedAppBundleIDs")
APP_LISTS = (BLOCKED, BLACKLISTED, *ALLOWED)

_MAX_BYTES = 3 << 20  # of the file; the property list in it may have 2 MiB (assess.ios.plists)
_SIGNED_DATA = "1.2.840.113549.1.7.2"

_EXPORT = Text(
    "Export the profile again as XML, not encrypted and no larger than 2 MiB. Or take the file away.",
    "Exportez de nouveau le profil en XML, sans le chiffrer et sans dépasser 2 Mio. Sinon, retirez le fichier.",
)


@dataclass(frozen=True, slots=True)
class Base:
    """The organisation's own profile. ``raw`` is the file as it is, its signature included, ``digest`` is of that."""

    path: Path
    digest: Digest
    identifier: str
    uuid: str
    raw: bytes
    document: Json  # plistlib's types; never changed, a merge works on a copy

    @property
    def restrictions(self) -> tuple[Json, ...]:
        """Its Restrictions payloads; at most one of them names apps."""
        return tuple(_restrictions(self.document))

    @property
    def blocked(self) -> tuple[str, ...]:
        """The app ids that it keeps from launching by itself, under either name of the list."""
        return tuple(dict.fromkeys((*self.listed(BLOCKED), *self.listed(BLACKLISTED))))

    @property
    def allowed(self) -> tuple[str, ...] | None:
        """The only app ids that it lets launch; None where it sets no such limit."""
        lists = [payload[key] for payload in self.restrictions for key in ALLOWED if key in payload]
        return tuple(dict.fromkeys(app for apps in lists for app in apps)) if lists else None

    def listed(self, key: str) -> tuple[str, ...]:
        """The app ids of one list."""
        return tuple(app for payload in self.restrictions for app in payload.get(key, ()))


def profile_files(config: NanomdmConfig) -> list[Path]:
    """The profiles that the organisation handed over, sorted; none where no folder is configured.

    Raises UnreadableFile where the configured folder is not there: a disk that is not mounted must not look like an
    organisation without restrictions of its own.
    """
    folder = config.profiles
    if folder is None:
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(PROFILE))
    except OSError as error:
        raise UnreadableFile(
            Text(f"cannot be read: {error.strerror}", f"lecture impossible : {reason(error).fr}"),
            remedy=Text(
                "See that the folder is there, or take profiles out of the settings.",
                "Vérifiez que le dossier est présent, ou retirez profiles des paramètres.",
            ),
            where=Where(file=str(folder), field="nanomdm.profiles"),
        ) from error


def read_base(path: Path) -> Base | None:
    """The organisation's own profile; None where there is no such file.

    XML, binary, or in a CMS envelope. Of a signed one only the content is used: its signature is not checked, as the
    file comes from a folder that the organisation itself configured, and it does not outlive a merge.

    Raises UnreadableFile, or InvalidConfiguration that names the file.
    """
    raw = _read(path)
    if raw is None:
        return None
    document = _document(_content(raw, path), path)
    _check(document, path)
    return Base(path, digest_bytes(raw), document["PayloadIdentifier"], document["PayloadUUID"], raw, document)


def is_envelope(data: bytes) -> bool:
    """Whether these bytes are a CMS structure in DER or BER: a property list never begins like that."""
    return data.startswith(b"\x30")


def _read(path: Path) -> bytes | None:
    try:
        if not path.is_symlink() and not path.exists():
            return None
        if not path.is_file():  # a pipe would be waited for; a link to nowhere is no sign that there is to be no base
            raise _refused(path, Text("this is not a regular file", "ceci n'est pas un fichier ordinaire"))
        with path.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableFile(
            Text(f"cannot be read: {error.strerror}", f"lecture impossible : {reason(error).fr}"),
            remedy=Text("Check the permissions of the file.", "Vérifiez les droits d'accès au fichier."),
            where=Where(file=str(path)),
        ) from error
    if len(raw) > _MAX_BYTES:
        raise _refused(path, Text("it is larger than 3 MiB", "il dépasse 3 Mio"))
    return raw


def _content(raw: bytes, path: Path) -> bytes:
    """The property list: the file itself, or what its envelope holds."""
    if not is_envelope(raw):
        return raw
    from proscribe.assess.signing import der  # 0.1 s, for signed files alone

    try:
        kind, content = der.parse(raw).expect(der.SEQUENCE).children()[:2]
        if kind.oid() != _SIGNED_DATA:
            raise der.BadAsn1(f"content of type {kind.oid()}")
        held = der.parse(content.expect(0xA0).content).expect(der.SEQUENCE).children()[2]
        _, octets = held.expect(der.SEQUENCE).children()
        return der.parse(octets.expect(0xA0).content).octets()
    except (ValueError, IndexError) as error:  # BadAsn1 is a ValueError, and so is a wrong number of children
        raise _refused(
            path,
            Text(
                "it is a signature envelope (CMS) without a readable profile in it",
                "c'est une enveloppe de signature (CMS) sans profil lisible",
            ),
        ) from error


def _document(content: bytes, path: Path) -> Json:
    """The dictionary in the bytes, as XML gives it back: nothing in it is shared with another part of it."""
    from proscribe.assess.ios.plists import UnreadablePlist, read_plist

    try:
        twice = read_plist(content).twice
    except UnreadablePlist as error:
        what = Text(f"not a usable property list ({error.code})", f"liste de propriétés inutilisable ({error.code})")
        raise _refused(path, what) from error
    if twice:
        raise _refused(path, Text(f"the key {twice[0]} is given twice", f"la clé {twice[0]} est donnée deux fois"))
    value = plistlib.loads(content)  # read_plist has found it harmless, and knows JSON's types only
    if not isinstance(value, dict):
        raise _refused(path, Text("it is not a dictionary", "ce n'est pas un dictionnaire"))
    try:
        document: Json = plistlib.loads(plistlib.dumps(value, sort_keys=True))
    except (TypeError, ValueError, OverflowError):
        document = {}
    if document != value:
        raise _refused(
            path,
            Text(
                "it holds a value that an XML property list cannot give back exactly",
                "il contient une valeur qu'une liste de propriétés XML ne peut rendre telle quelle",
            ),
        )
    return document


def _check(document: Json, path: Path) -> None:
    """Raises InvalidConfiguration where it is not a profile that a list can be merged into."""
    if document.get("IsEncrypted"):
        raise _refused(path, Text("the profile is encrypted", "le profil est chiffré"), field="IsEncrypted")
    if document.get("PayloadType") != "Configuration":
        raise _refused(
            path, Text("this is not a configuration profile", "ceci n'est pas un profil de configuration"),
            field="PayloadType",
        )  # fmt: skip
    for field in ("PayloadIdentifier", "PayloadUUID"):
        if not isinstance(document.get(field), str) or not document[field]:
            raise _refused(path, Text(f"the profile has no {field}", f"le profil n'a pas de {field}"), field=field)
    payloads = document.get("PayloadContent")
    if not isinstance(payloads, list) or not all(isinstance(payload, dict) for payload in payloads):
        raise _refused(
            path, Text("this is not a list of payloads", "ceci n'est pas une liste de données utiles"),
            field="PayloadContent",
        )  # fmt: skip
    _check_lists(_restrictions(document), path)


def _check_lists(payloads: list[Json], path: Path) -> None:
    for payload in payloads:
        for key in APP_LISTS:
            apps = payload.get(key, [])
            if not isinstance(apps, list) or not all(isinstance(app, str) for app in apps):
                raise _refused(
                    path, Text("this is not a list of app ids", "ce n'est pas une liste d'identifiants"), field=key
                )
    if sum(any(key in payload for key in APP_LISTS) for payload in payloads) > 1:
        raise InvalidConfiguration(
            Text(
                "several Restrictions payloads name apps, and no rule says which of them counts on a device",
                "plusieurs ensembles de données utiles Restrictions nomment des applications, et aucune règle ne dit "
                "lequel l'emporte sur un appareil",
            ),
            remedy=Text(
                "Put the app lists of the profile into one Restrictions payload.",
                "Réunissez les listes d'applications du profil dans un seul ensemble de données utiles Restrictions.",
            ),
            where=Where(file=str(path), field="PayloadContent"),
        )


def _restrictions(document: Json) -> list[Json]:
    return [payload for payload in document["PayloadContent"] if payload.get("PayloadType") == RESTRICTIONS]


def _refused(path: Path, what: Text, *, field: str = "") -> InvalidConfiguration:
    return InvalidConfiguration(what, remedy=_EXPORT, where=Where(file=str(path), field=field))

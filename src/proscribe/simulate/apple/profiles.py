"""Configuration profiles as a phone reads them, and what their Restrictions payloads keep from launching."""

from __future__ import annotations

import plistlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from xml.parsers.expat import ExpatError

from proscribe.simulate.apple.answers import (
    BAD_SIGNATURE,
    INSTALLATION,
    INSTALLATION_FAILURE,
    MALFORMED_PROFILE,
    MISSING_FIELD,
    PAYLOAD,
    PROFILE,
    UNSUPPORTED_VALUE,
    CannotDo,
    Fault,
)
from proscribe.simulate.apple.cms import BadSignature, opened

Json = dict[str, Any]

RESTRICTIONS = "com.apple.applicationaccess"
NEVER_HIDDEN = frozenset({"com.apple.mobilephone", "com.apple.Preferences"})

_DENYING = "blockedAppBundleIDs"
_DENYING_ONCE = "blacklistedAppBundleIDs"  # since 9.3; deprecated since 15, and read all the same
_ALLOWING = "allowListedAppBundleIDs"
_ALLOWING_ONCE = "whitelistedAppBundleIDs"
_RENAMED_IN = 15

_COMMON = ("PayloadIdentifier", "PayloadUUID", "PayloadType", "PayloadVersion")


@dataclass(frozen=True, slots=True)
class Profile:
    """An installed profile. ``signers``: certificates in DER, the signer's own first; none if it was not signed."""

    document: Json
    signers: tuple[bytes, ...] = ()
    managed: bool = True

    @property
    def identifier(self) -> str:
        """By which it is replaced and removed."""
        return str(self.document["PayloadIdentifier"])

    @property
    def payloads(self) -> list[Json]:
        """What it holds."""
        return list(self.document.get("PayloadContent", []))


def read_profile(data: bytes) -> Profile:
    """Read a profile, signed or not.

    Raises:
        CannotDo: as a phone answers ``InstallProfile``; the profile as a whole is refused.
    """
    signers: tuple[bytes, ...] = ()
    if not data.lstrip().startswith(b"<"):
        try:
            data, signers = opened(data)
        except BadSignature as error:
            raise _refused(Fault(PROFILE, BAD_SIGNATURE, f"The profile cannot be verified: {error}.")) from error
    try:
        document = plistlib.loads(data, fmt=plistlib.FMT_XML)
    except (ValueError, ExpatError, LookupError, OverflowError, TypeError, AttributeError) as error:
        raise _refused(Fault(PROFILE, MALFORMED_PROFILE, "The profile is malformed.")) from error
    _check_common(document, "Configuration")
    content = document.get("PayloadContent")
    if not isinstance(content, list):
        raise _refused(Fault(PROFILE, MALFORMED_PROFILE, "The profile has no content."))
    for payload in content:
        _check_common(payload, None)
    return Profile(document, signers)


def _check_common(payload: object, kind: str | None) -> None:
    if not isinstance(payload, dict):
        raise _refused(Fault(PROFILE, MALFORMED_PROFILE, "A payload is not a dictionary."))
    for key in _COMMON:
        if key not in payload:
            raise _refused(Fault(PAYLOAD, MISSING_FIELD, f"The field “{key}” is missing."))
    if kind is not None and payload["PayloadType"] != kind:
        raise _refused(Fault(PAYLOAD, UNSUPPORTED_VALUE, "The field “PayloadType” has an unsupported value."))


def _refused(cause: Fault) -> CannotDo:
    return CannotDo(Fault(INSTALLATION, INSTALLATION_FAILURE, "Profile Installation Failed"), cause)


@dataclass(frozen=True, slots=True)
class Reader:
    """What decides whether the keys of a Restrictions payload count on a phone."""

    supervised: bool
    user_enrolment: bool
    major: int

    def _honoured(self, profile: Profile, now: str, once: str) -> Iterable[list[str]]:
        """The lists under these keys. Both need supervision and are forbidden in User Enrolment: ignored there."""
        if not self.supervised or self.user_enrolment:
            return
        keys = (now, once) if self.major >= _RENAMED_IN else (once,)
        for payload in profile.payloads:
            if payload["PayloadType"] == RESTRICTIONS:
                yield from (payload[key] for key in keys if isinstance(payload.get(key), list))

    def denied(self, profile: Profile) -> frozenset[str]:
        """Apps that the profile keeps from launching on this phone."""
        return frozenset(app for apps in self._honoured(profile, _DENYING, _DENYING_ONCE) for app in apps)

    def allowed(self, profile: Profile) -> frozenset[str] | None:
        """The only apps that the profile lets launch; None where it does not say."""
        found: frozenset[str] | None = None
        for apps in self._honoured(profile, _ALLOWING, _ALLOWING_ONCE):
            found = frozenset(apps) if found is None else found & frozenset(apps)
        return found

    def switched_off(self, profile: Profile, switch: str) -> bool:
        """Whether the profile forbids something on this phone. For switches that need supervision, as those of apps."""
        if not self.supervised or self.user_enrolment:
            return False
        return any(item["PayloadType"] == RESTRICTIONS and item.get(switch) is False for item in profile.payloads)

    def check(self, profile: Profile) -> None:
        """Refuse what a phone of this kind refuses.

        Raises:
            CannotDo: it would hide the phone itself or its settings.
        """
        for app in sorted(self.denied(profile) & NEVER_HIDDEN):
            text = f"The field “{_DENYING}” holds “{app}”, which cannot be hidden."
            raise _refused(Fault(PAYLOAD, UNSUPPORTED_VALUE, text))


def listed(profile: Profile, *, reader: Reader) -> Json:
    """The profile as ``ProfileList`` gives it."""
    document = profile.document
    names = ("PayloadDisplayName", "PayloadOrganization", "PayloadDescription", "PayloadRemovalDisallowed")
    entry: Json = {
        "PayloadIdentifier": profile.identifier,
        "PayloadUUID": document["PayloadUUID"],
        "PayloadVersion": document["PayloadVersion"],
        "HasRemovalPasscode": False,
        "IsEncrypted": False,
        "PayloadContent": [_listed_payload(payload, reader.major) for payload in profile.payloads],
    } | {name: document[name] for name in names if name in document}
    if profile.signers:
        entry["SignerCertificates"] = list(profile.signers)
    if not reader.supervised:
        entry["IsManaged"] = profile.managed
    return entry


def _listed_payload(payload: Json, major: int) -> Json:
    names = ("PayloadType", "PayloadVersion", "PayloadIdentifier", "PayloadDisplayName", "PayloadOrganization")
    told = {name: payload[name] for name in names if name in payload}
    return told | {"PayloadUUID": payload["PayloadUUID"]} if major >= 17 else told

"""The provisioning profile: how an app outside the store may be installed, and by whose leave."""

from __future__ import annotations

from dataclasses import dataclass, field

from proscribe.assess.intake.container import UnreadableMember
from proscribe.assess.ios import der
from proscribe.assess.ios.bundles import Survey, child, text, texts
from proscribe.assess.ios.plists import Plain, UnreadablePlist, read_plist
from proscribe.assess.terms import FactClass


@dataclass(frozen=True, slots=True)
class Profile:
    """``kind``: development, ad-hoc, enterprise or store; "" where there is no profile or it could not be read.

    ``entitlements`` are those it allows, not those the app has. Device identifiers in it are not taken over.
    """

    kind: str = ""
    team_id: str = ""
    expires: str = ""
    entitlements: dict[str, Plain] = field(default_factory=dict)


def read_profile(survey: Survey, root: str) -> Profile:
    """The app's ``embedded.mobileprovision``. Its signature is not verified."""
    name = f"{root}embedded.mobileprovision"
    if name not in survey.container.entries:
        return Profile()
    survey.attempt(FactClass.entitlements, name)
    try:
        data = survey.bytes_of(name)
        plist = read_plist(_content(survey, name, data)).mapping
    except (UnreadableMember, UnreadablePlist) as error:
        survey.fail(FactClass.entitlements, error.code, name, error.detail)
        return Profile()
    allowed = child(plist, "Entitlements")
    teams = texts(plist.get("TeamIdentifier"))
    return Profile(_kind(plist, allowed), teams[0] if teams else "", text(plist, "ExpirationDate"), allowed)


def _content(survey: Survey, name: str, data: bytes) -> bytes:
    """The property list inside the CMS envelope; where that is malformed, the XML that can be seen in it."""
    try:
        return der.signed_content(memoryview(data))
    except der.MalformedDer as error:
        survey.odd("profile.envelope", name, str(error))
        start, end = data.find(b"<?xml"), data.rfind(b"</plist>")
        return data[start : end + len(b"</plist>")] if 0 <= start < end else data


def _kind(plist: dict[str, Plain], allowed: dict[str, Plain]) -> str:
    if plist.get("ProvisionsAllDevices") is True:
        return "enterprise"
    if isinstance(plist.get("ProvisionedDevices"), list):
        return "development" if allowed.get("get-task-allow") is True else "ad-hoc"
    return "store"

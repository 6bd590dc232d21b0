"""The names of device classes and of their sides, as people read them."""

from __future__ import annotations

from proscribe.terms import Enrolment, Platform, Side
from proscribe.text import Text

PLATFORMS = {
    Platform.android: Text("Android", "Android"),
    Platform.ios: Text("iOS/iPadOS", "iOS/iPadOS"),
    Platform.macos: Text("macOS", "macOS"),
    Platform.windows: Text("Windows", "Windows"),
    Platform.chromeos: Text("ChromeOS", "ChromeOS"),
    Platform.unknown: Text("unknown platform", "plateforme inconnue"),
}
ENROLMENTS = {
    Enrolment.fully_managed: Text("fully managed", "entièrement géré"),
    Enrolment.cope: Text("company device with work profile", "appareil de l'organisation avec profil professionnel"),
    Enrolment.byod: Text("personal device with work profile", "appareil personnel avec profil professionnel"),
    Enrolment.supervised: Text("supervised", "supervisé"),
    Enrolment.unsupervised: Text("unsupervised", "non supervisé"),
    Enrolment.user_enrolment: Text("User Enrolment", "inscription d'utilisateur"),
    Enrolment.unmanaged: Text("unmanaged", "non géré"),
    Enrolment.unknown: Text("enrolment unknown", "mode d'inscription inconnu"),
}
SIDES = {
    Side.whole: Text("", ""),
    Side.work: Text(", work side", ", côté professionnel"),
    Side.personal: Text(", personal side", ", côté personnel"),
    Side.unknown: Text("", ""),
}


def class_label(platform: Platform, enrolment: Enrolment, side: Side = Side.unknown) -> Text:
    """E.g. "Android, personal device with work profile, personal side"."""
    return PLATFORMS[platform] + Text(", ", ", ") + ENROLMENTS[enrolment] + SIDES[side]

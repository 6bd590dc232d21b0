"""What each type of identifier looks like, and what can be done with it."""

from __future__ import annotations

import re

from proscribe.catalogue.model import IdentifierType
from proscribe.terms import Platform
from proscribe.text import Text

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MD5 = re.compile(r"[0-9a-f]{32}")
_TEAM = re.compile(r"[0-9A-Z]{10}")
_STORE_ID = re.compile(r"[0-9]{6,12}")
# Letters, digits, "_" and "-" (bundle ids); at least two labels, as both platforms demand.
_APP_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+")
# Two whole labels before the star: "com.*" is half of all apps there are.
_GLOB = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+[A-Za-z0-9_.-]*\*")

APP_IDS: dict[IdentifierType, Platform] = {
    IdentifierType.android_package: Platform.android,
    IdentifierType.ios_bundle_id: Platform.ios,
    IdentifierType.macos_bundle_id: Platform.macos,
}
"""Exact identifiers of an app on a device, and the platform whose app lists hold them."""

GLOBS: dict[IdentifierType, Platform] = {
    IdentifierType.android_package_glob: Platform.android,
    IdentifierType.ios_bundle_glob: Platform.ios,
}

SIGNERS = frozenset({IdentifierType.android_cert_sha256, IdentifierType.apple_team_id})

MATCHED = frozenset({*APP_IDS, *GLOBS, *SIGNERS, IdentifierType.app_store_id, IdentifierType.app_name})
"""Types that the matcher looks for in an app list; the others are for the record and for later stages."""

APPLE = (Platform.ios, Platform.macos)


def fingerprint(value: str) -> str:
    """A certificate fingerprint as Proscribe writes it: lower-case hexadecimal without separators."""
    return value.replace(":", "").replace(" ", "").lower()


_FINGERPRINT = Text(
    "a SHA-256 fingerprint is 64 lower-case hexadecimal digits, without colons",
    "une empreinte SHA-256 compte 64 chiffres hexadécimaux minuscules, sans deux-points",
)
_APP = Text(
    "an app identifier is two or more labels with dots between them",
    "un identifiant d'application compte au moins deux éléments séparés par des points",
)
_STAR = Text(
    "a glob is at least two labels and one star, at the end, such as com.example.*",
    "un motif compte au moins deux éléments et une étoile, à la fin, par exemple com.example.*",
)
_SHAPES: dict[IdentifierType, tuple[re.Pattern[str], Text]] = {
    IdentifierType.android_cert_sha256: (_SHA256, _FINGERPRINT),
    IdentifierType.android_cert_md5: (
        _MD5,
        Text(
            "an MD5 fingerprint is 32 lower-case hexadecimal digits",
            "une empreinte MD5 compte 32 chiffres hexadécimaux minuscules",
        ),
    ),
    IdentifierType.apple_team_id: (
        _TEAM,
        Text(
            "an Apple team id is ten capital letters and digits",
            "un identifiant d'équipe Apple compte dix lettres majuscules et chiffres",
        ),
    ),
    IdentifierType.app_store_id: (
        _STORE_ID,
        Text("an App Store id is a number", "un identifiant App Store est un nombre"),
    ),
    **dict.fromkeys(APP_IDS, (_APP_ID, _APP)),
    **dict.fromkeys(GLOBS, (_GLOB, _STAR)),
}


def malformed(kind: IdentifierType, value: str) -> Text | None:
    """Why ``value`` cannot be an identifier of that type, or None when it can."""
    if kind in _SHAPES:
        pattern, shape = _SHAPES[kind]
        return None if pattern.fullmatch(value) else shape
    return None if value.strip() else Text("the value is empty", "la valeur est vide")

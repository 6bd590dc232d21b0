"""What the fictional department's people have on their phones.

Most apps are invented (their ids stand under ``example`` domains); a few ordinary ones give the lists a familiar look.
How often an app is met follows Zipf's law, as app lists do: a handful is everywhere and most are rare.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import accumulate, product

from proscribe.terms import Platform


@dataclass(frozen=True, slots=True)
class App:
    """An app on both platforms. An empty id means that it does not exist there."""

    name: str
    android: str
    ios: str
    publisher: str

    def id_on(self, platform: Platform) -> str:
        """Package name or bundle id on a platform."""
        return self.android if platform is Platform.android else self.ios


ORDINARY = (
    App("Microsoft Outlook", "com.microsoft.office.outlook", "com.microsoft.Office.Outlook", "Microsoft Corporation"),
    App(
        "Microsoft Authenticator",
        "com.azure.authenticator",
        "com.microsoft.azureauthenticator",
        "Microsoft Corporation",
    ),
    App("Google Maps", "com.google.android.apps.maps", "com.google.Maps", "Google LLC"),
    App("Firefox", "org.mozilla.firefox", "org.mozilla.ios.Firefox", "Mozilla"),
    App("Signal", "org.thoughtcrime.securesms", "org.whispersystems.signal", "Signal Foundation"),
    App("Wikipedia", "org.wikipedia", "org.wikimedia.wikipedia", "Wikimedia Foundation"),
    App("VLC", "org.videolan.vlc", "org.videolan.vlc-ios", "VideoLAN"),
)

_SUBJECTS = (
    "Tide", "Harbour", "Beacon", "Fog", "Lantern", "Gull", "Ferry", "Buoy", "Keel", "Anchor", "Reef", "Pilot", "Brume",
    "Phare", "Marée", "Quai", "Amarre", "Boussole", "Glacier", "Aurore", "Cabotage", "Sextant", "Compass", "Sounding",
)  # fmt: skip
_PURPOSES = (
    "Notes", "Radio", "Weather", "Timesheet", "Wallet", "Recipes", "Fitness", "Puzzle", "Scanner", "Journal", "Player",
    "Météo", "Carnet", "Agenda", "Horaire",
)  # fmt: skip


def _plain(word: str) -> str:
    return word.lower().replace("é", "e")


INVENTED = tuple(
    App(
        f"{subject} {purpose}",
        f"example.{_plain(subject)}.{_plain(purpose)}",
        f"example.{_plain(subject)}.{_plain(purpose)}",
        f"{subject} Works (fictional)",
    )
    for subject, purpose in product(_SUBJECTS, _PURPOSES)
)


@cache
def usual() -> tuple[tuple[App, ...], tuple[float, ...]]:
    """Every usual app with the cumulated Zipf weights, for ``random.choices``."""
    apps = (*ORDINARY, *INVENTED)
    return apps, tuple(accumulate(1 / rank for rank in range(1, len(apps) + 1)))


# The apps that directives name, as an inventory lists them, with the share of phones that carry them before a ban.
WECHAT = App("WeChat", "com.tencent.mm", "com.tencent.xin", "Tencent")
TIKTOK = App("TikTok", "com.zhiliaoapp.musically", "com.zhiliaoapp.musically", "TikTok Ltd.")
KASPERSKY = App(
    "Kaspersky Password Manager", "com.kaspersky.passwordmanager", "com.kaspersky.passwordmanager", "Kaspersky Lab"
)
NAMED: tuple[tuple[str, App, float], ...] = (
    ("tencent/wechat", WECHAT, 0.012),
    ("bytedance/tiktok", TIKTOK, 0.026),
    ("kaspersky/password-manager", KASPERSKY, 0.011),
)

# Not the named apps: a Cyrillic letter in the name, or the plain name under somebody else's id. To be looked into.
LOOKALIKES: tuple[tuple[str, App, float], ...] = (
    ("homoglyph", App("We\u0421hat", "example.wechat.free", "example.wechat.free", "unknown (fictional)"), 0.002),
    ("homoglyph", App("T\u0456kTok", "example.shortvideo.tt", "example.shortvideo.tt", "unknown (fictional)"), 0.001),
    ("same_name", App("TikTok", "example.tiktok.clone", "example.tiktok.clone", "unknown (fictional)"), 0.001),
)

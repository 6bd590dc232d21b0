"""Make the pack of permissions again from the platform's own lists, API level by level.

Usage: python tools/make_permissions.py [PACK]. The lists are those that androguard (development only) carries: what
AOSP's ``core/res/AndroidManifest.xml`` declares at API 4 to 36. Rows from other sources stay as they
stand in the pack, and so does its header; the same inputs give the same bytes.

``grant`` follows the platform's rules for an app from a store. Where the protection level alone does not decide, the
tables below do, each with its reason.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

PACK = Path("src/proscribe/assess/data/permissions.jsonl")
LISTS = "androguard.core.api_specific_resources"
A = "android.permission."

# A settings screen, or a dialog that stands for one, lets the user switch it on for any app that asks.
SETTINGS_SCREEN = {
    A + "ACCESS_MOCK_LOCATION",  # chosen in the developer options
    A + "ACCESS_NOTIFICATION_POLICY",  # Do Not Disturb access; its level is normal, its use waits for the screen
    A + "MANAGE_EXTERNAL_STORAGE",
    A + "MANAGE_MEDIA",
    A + "PACKAGE_USAGE_STATS",
    A + "REQUEST_INSTALL_PACKAGES",
    A + "SCHEDULE_EXACT_ALARM",
    A + "SYSTEM_ALERT_WINDOW",
    A + "TURN_SCREEN_ON",
    A + "USE_FULL_SCREEN_INTENT",
    A + "WRITE_SETTINGS",
    A + "WRITE_SYSTEM_PREFERENCES",
}
# Held automatically, and what it lets an app do is to ask the user.
ASKS = {
    A + "REQUEST_DELETE_PACKAGES",
    A + "REQUEST_IGNORE_BATTERY_OPTIMIZATIONS",
}
# Held by whoever the user makes the default app of a role that is open to any app: assistant, browser, phone,
# messages, home, notes, or the companion app of a watch.
OPEN_ROLE = {
    A + "ACCESS_BLOBS_ACROSS_USERS",
    A + "EXECUTE_APP_ACTION",
    A + "LAUNCH_CAPTURE_CONTENT_ACTIVITY_FOR_NOTE",
    A + "MANAGE_ONGOING_CALLS",
    A + "MEDIA_ROUTING_CONTROL",
    A + "PROVIDE_OWN_AUTOFILL_SUGGESTIONS",
    A + "READ_ASSISTANT_APP_SEARCH_DATA",
    A + "READ_HOME_APP_SEARCH_DATA",
    A + "RECEIVE_SENSITIVE_NOTIFICATIONS",
    A + "START_FOREGROUND_SERVICES_FROM_BACKGROUND",
    A + "SUBSCRIBE_TO_KEYGUARD_LOCKED_STATE",
    A + "USE_ICC_AUTH_WITH_DEVICE_IDENTIFIER",
    "com.android.voicemail.permission.READ_VOICEMAIL",
    "com.android.voicemail.permission.WRITE_VOICEMAIL",
}
# Settled by an administrator: the cross-profile consent screen shows only apps that one has allowed.
ADMINISTRATOR = {A + "BIND_DEVICE_ADMIN", A + "INTERACT_ACROSS_PROFILES"}
# A BIND_ permission guards a component; no app holds it. Its grant says who must agree before the system binds.
BOUND_BY_CHOICE = {
    A + "BIND_ACCESSIBILITY_SERVICE",
    A + "BIND_AUTOFILL",
    A + "BIND_AUTOFILL_SERVICE",
    A + "BIND_CALL_REDIRECTION_SERVICE",
    A + "BIND_CONDITION_PROVIDER_SERVICE",
    A + "BIND_CREDENTIAL_PROVIDER_SERVICE",
    A + "BIND_DREAM_SERVICE",
    A + "BIND_INCALL_SERVICE",
    A + "BIND_INPUT_METHOD",
    A + "BIND_NOTIFICATION_LISTENER_SERVICE",
    A + "BIND_PRINT_SERVICE",
    A + "BIND_QUICK_ACCESS_WALLET_SERVICE",
    A + "BIND_SCREENING_SERVICE",
    A + "BIND_TELECOM_CONNECTION_SERVICE",
    A + "BIND_TEXT_SERVICE",
    A + "BIND_TV_INPUT",
    A + "BIND_VOICE_INTERACTION",
    A + "BIND_VR_LISTENER_SERVICE",
    A + "BIND_WALLPAPER",
}
BOUND_BY_DIALOG = {
    A + "BIND_APPWIDGET",
    A + "BIND_COMPANION_DEVICE_SERVICE",
    A + "BIND_CONTROLS",
    A + "BIND_QUICK_SETTINGS_TILE",
    A + "BIND_VPN_SERVICE",
}
BOUND_FREELY = {
    A + "BIND_CHOOSER_TARGET_SERVICE",
    A + "BIND_JOB_SERVICE",
    A + "BIND_MIDI_DEVICE_SERVICE",
    A + "BIND_NFC_SERVICE",
    A + "BIND_REMOTEVIEWS",
}
# (names, grant, source of the reason), asked in this order before the protection level is.
TABLES = (
    (SETTINGS_SCREEN, "special_access", "aosp-settings"),
    (ASKS, "prompt", "aosp-settings"),
    (OPEN_ROLE, "special_access", "aosp-roles"),
    (ADMINISTRATOR, "administrator", "android-admin"),
    (BOUND_BY_CHOICE, "special_access", "android-bind"),
    (BOUND_BY_DIALOG, "prompt", "android-bind"),
    (BOUND_FREELY, "automatic", "android-bind"),
)
DEVICE_POLICY = A + "MANAGE_DEVICE_POLICY_"  # what a device policy controller does as owner of the device
BY_LEVEL = {"normal": "automatic", "dangerous": "prompt"}
GENERATED = frozenset({"aosp", *(source for _, _, source in TABLES)})


def grant(name: str, protection: str) -> tuple[str, str]:
    """Who must agree before an app from a store has it, and the source of that: a table, else the level.

    Flags widen a level only for apps that no store delivers: ``privileged``, ``installer``, ``preinstalled``,
    ``role`` of the system, ``knownSigner``; ``development`` waits for a computer with adb.
    """
    for names, who, source in TABLES:
        if name in names:
            return who, source
    words = protection.split("|")
    if name.startswith(DEVICE_POLICY) and "role" in words:
        return "administrator", "android-admin"
    return next((who for level, who in BY_LEVEL.items() if level in words), "never"), "aosp"


def levels() -> dict[int, dict[str, str]]:
    """API level -> permission -> protection, as the lists have them."""
    found = {}
    for file in files(LISTS).joinpath("aosp_permissions").iterdir():
        if match := re.fullmatch(r"permissions_(\d+)\.json", file.name):
            listed = json.loads(file.read_text("utf-8"))["permissions"]
            found[int(match[1])] = {name: entry["protectionLevel"] for name, entry in listed.items()}
    return dict(sorted(found.items()))


def rows(lists: Mapping[int, Mapping[str, str]]) -> list[dict[str, object]]:
    """One row a permission. What the oldest list has may be older, and has no ``since``; the newest no ``until``."""
    oldest, newest = min(lists), max(lists)
    made = []
    for name in sorted(set().union(*lists.values())):
        having = [level for level, listed in lists.items() if name in listed]
        protection = lists[having[-1]][name].replace("signatureOrSystem", "signature|system")
        who, source = grant(name, protection)
        row: dict[str, object] = {"name": name, "protection": protection, "grant": who, "source": source}
        if having[0] != oldest:
            row["since"] = having[0]
        if having[-1] != newest:
            row["until"] = having[-1]
        made.append(row)
    return made


def line(row: Mapping[str, object]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def remake(pack: str, lists: Mapping[int, Mapping[str, str]]) -> str:
    """The pack with its platform rows made again; its header and the rows of other sources stay."""
    header, *kept = (json.loads(text) for text in pack.splitlines())
    others = {row["name"]: row for row in kept if row["source"] not in GENERATED}
    platform = {str(row["name"]): row for row in rows(lists)}
    merged = [row for _, row in sorted({**others, **platform}.items())]
    return "".join(line(row) + "\n" for row in (header, *merged))


def main(arguments: list[str]) -> int:
    path = Path(arguments[0]) if arguments else PACK
    path.write_text(remake(path.read_text("utf-8"), levels()), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The pack of capabilities: whole in both languages, reachable, and true to the public frameworks it names."""

from __future__ import annotations

import json
import re
from collections import defaultdict

import pytest

from proscribe.assess.terms import Area, SpecialKind

# No app from Apple's store can get at these: iOS has no interface for it (documentation of app extensions).
NOT_ON_IOS = {Area.interface, Area.notifications}

CODES = {
    "CONTACTS": "contacts", "RECORDS": "records", "LOCATION": "location", "SENSORS": "sensors", "FILES": "files",
    "SCREEN": "screen", "INTERFACE": "interface", "KEYBOARD": "keyboard", "NOTIFICATIONS": "notifications",
    "CLIPBOARD": "clipboard", "APPS": "apps", "IDENTIFIERS": "identifiers", "NETWORK": "network",
    "CONTROL": "control", "CODE": "changeable_code", "HIDDEN": "hidden_code", "BACKGROUND": "background",
    "SUPPLY": "supply_chain",
}  # fmt: skip

# The grammar of ``declared_by``, as packs/model.py states it.
WHOLE = {
    "query:all", "query:any", "network:cleartext", "network:user_certificates", "boot", "ats:arbitrary", "schemes:any",
    "keyboard:open_access", "code:packer", "code:encrypted", "code:reflection", "code:fairplay", "sdk:any",
}  # fmt: skip
FOREGROUND = {
    "camera", "connectedDevice", "dataSync", "fileManagement", "health", "location", "mediaPlayback",
    "mediaProcessing", "mediaProjection", "microphone", "phoneCall", "remoteMessaging", "shortService", "specialUse",
    "systemExempted",
}  # fmt: skip
BACKGROUND_MODES = {
    "audio", "bluetooth-central", "bluetooth-peripheral", "external-accessory", "fetch", "location",
    "nearby-interaction", "processing", "push-to-talk", "remote-notification", "voip",
}  # fmt: skip
DETAIL = {
    "accessibility": re.compile(r"(canRetrieveWindowContent|canTakeScreenshot|canRequestFilterKeyEvents)=true"),
    "device_admin": re.compile(r"wipe-data|force-lock|reset-password"),
}
ANDROID_ONLY = ("permission", "special", "query", "network", "boot", "foreground")
IOS_ONLY = ("plist", "entitlement", "background", "ats", "schemes", "keyboard")

# What the rubric and the documentation name by id: the id must keep its meaning.
NAMED = {
    "PSB-A-INTERFACE-01": ("accessibility", "special:accessibility:canRetrieveWindowContent=true"),
    "PSB-A-NOTIFICATIONS-01": ("notifications", "special:notification_listener"),
    "PSB-A-KEYBOARD-01": ("keyboard", "special:input_method"),
    "PSB-A-FILES-01": ("files", "special:all_files"),
    "PSB-A-NETWORK-01": ("VPN", "special:vpn"),
    "PSB-A-CONTROL-01": ("administer", "special:device_admin"),
    "PSB-A-CODE-01": ("code at run time", None),
    "PSB-A-CODE-02": ("web pages", None),
    "PSB-A-SCREEN-01": ("screen", "foreground:mediaProjection"),
    "PSB-A-SUPPLY-01": ("SDK", "sdk:any"),
    "PSB-A-NETWORK-02": ("TLS", None),
    "PSB-I-KEYBOARD-01": ("keyboard", "keyboard:open_access"),
}

# Permissions that a user can grant and no capability names, with the reason.
NO_CAPABILITY = {
    "com.android.voicemail.permission.ADD_VOICEMAIL": "adds to the device, reads nothing",
    "com.android.voicemail.permission.WRITE_VOICEMAIL": "comes with READ_VOICEMAIL, to the phone app alone",
    "android.permission.ACCEPT_HANDOVER": "goes on with a call that another app began",
    "android.permission.ACCESS_BLOBS_ACROSS_USERS": "files that other apps chose to share",
    "android.permission.BLUETOOTH_ADVERTISE": "shows this device to others, finds none",
    "android.permission.EXECUTE_APP_ACTION": "asks apps for actions that they offer to the assistant",
    "android.permission.LAUNCH_CAPTURE_CONTENT_ACTIVITY_FOR_NOTE": "the user cuts out a piece of the screen",
    "android.permission.MEDIA_ROUTING_CONTROL": "chooses where sound is played",
    "android.permission.POST_NOTIFICATIONS": "shows its own notifications",
    "android.permission.PROVIDE_OWN_AUTOFILL_SUGGESTIONS": "fills in forms inside the browser itself",
    "android.permission.READ_CELL_BROADCASTS": "public alerts, the same for everyone around",
    "android.permission.START_FOREGROUND_SERVICES_FROM_BACKGROUND": "when a service starts, not what it reaches",
    "android.permission.SUBSCRIBE_TO_KEYGUARD_LOCKED_STATE": "whether the screen is locked",
    "android.permission.TURN_SCREEN_ON": "turns the screen on",
    "android.permission.USE_ICC_AUTH_WITH_DEVICE_IDENTIFIER": "logs in to the operator by the SIM card",
    "android.permission.USE_SIP": "calls over the internet by an interface deprecated since Android 12",
}
# Purpose strings of Apple's that no capability names, with the reason.
NO_IOS_CAPABILITY = {
    "NSFaceIDUsageDescription": "unlocks by face; no data of the face is given",
    "NSFocusStatusUsageDescription": "whether a Focus is on",
    "NSSiriUsageDescription": "Siri hands over what the user said to it for this app",
    "NSCriticalMessagingUsageDescription": "sends an emergency message that the user set up",
}
PURPOSES = {
    "NSAppleMusic", "NSBluetoothAlways", "NSBluetoothPeripheral", "NSCalendars", "NSCalendarsFullAccess",
    "NSCalendarsWriteOnlyAccess", "NSCamera", "NSContacts", "NSCriticalMessaging", "NSFaceID", "NSFallDetection",
    "NSFinancialData", "NSFocusStatus", "NSGKFriendList", "NSHealthClinicalHealthRecordsShare", "NSHealthShare",
    "NSHealthUpdate", "NSHomeKit", "NSIdentity", "NSLocalNetwork", "NSLocation", "NSLocationAlways",
    "NSLocationAlwaysAndWhenInUse", "NSLocationWhenInUse", "NSMicrophone", "NSMotion", "NSNearbyInteraction",
    "NSNearbyInteractionAllowOnce", "NSPhotoLibrary", "NSPhotoLibraryAdd", "NSReminders", "NSRemindersFullAccess",
    "NSSensorKit", "NSSiri", "NSSpeechRecognition", "NSUserTracking", "NSVideoSubscriberAccount",
}  # fmt: skip

SENTENCE = re.compile(r".{12,220}\.")


VALUES = {
    "foreground": FOREGROUND.__contains__,
    "background": BACKGROUND_MODES.__contains__,
    "plist": re.compile(r"(NS|NFC|BG)[A-Za-z]+").fullmatch,
    "entitlement": re.compile(r"com\.apple\.[A-Za-z.-]+|get-task-allow|dynamic-codesigning").fullmatch,
}


def known(token, permissions):
    kind, _, value = token.partition(":")
    if kind == "permission":
        return value in permissions
    if kind == "special":
        special, _, detail = value.partition(":")
        return special in set(SpecialKind) and (not detail or DETAIL[special].fullmatch(detail) is not None)
    return bool(VALUES[kind](value)) if kind in VALUES else token in WHOLE


def test_the_shipped_packs_load_together(packs):
    assert len(packs.capabilities) > 150
    assert len(packs.apis) > 400


def test_ids_say_platform_and_area(capabilities):
    for id_, row in capabilities.items():
        match = re.fullmatch(r"PSB-([AI])-([A-Z]+)-[0-9]{2}", id_)
        assert match, id_
        assert row["platform"] == {"A": "android", "I": "ios"}[match[1]], id_
        assert row["area"] == CODES[match[2]], id_


def test_no_number_is_left_out(capabilities):
    """A gap would be an id that somebody's report may still hold, or that was meant and forgotten."""
    numbers = defaultdict(list)
    for id_ in capabilities:
        stem, _, number = id_.rpartition("-")
        numbers[stem].append(int(number))
    for stem, found in numbers.items():
        assert sorted(found) == list(range(1, len(found) + 1)), stem


@pytest.mark.parametrize("platform", ["android", "ios"])
def test_every_area_has_a_capability(capabilities, platform):
    covered = {row["area"] for row in capabilities.values() if row["platform"] == platform}
    left = {area for area in Area if area not in covered}
    assert left == (NOT_ON_IOS if platform == "ios" else set())


@pytest.mark.parametrize(("id_", "meaning"), NAMED.items())
def test_ids_that_others_name_keep_their_meaning(capabilities, id_, meaning):
    word, token = meaning
    assert word in capabilities[id_]["title"]["en"]
    if token:
        assert token in capabilities[id_]["declared_by"]


def test_every_token_is_in_the_grammar_and_of_the_right_platform(capabilities, permissions):
    for id_, row in capabilities.items():
        for token in row["declared_by"]:
            assert known(token, permissions), (id_, token)
            other = IOS_ONLY if row["platform"] == "android" else ANDROID_ONLY
            assert token.partition(":")[0] not in other, (id_, token)


def test_what_must_be_declared_can_be(capabilities):
    for id_, row in capabilities.items():
        assert row["declared_by"] or not row["needs_declaration"], id_


def test_every_capability_can_be_found(capabilities, apis):
    reached = {row["capability"] for row in apis}
    assert not [id_ for id_, row in capabilities.items() if id_ not in reached and not row["declared_by"]]


def test_a_permission_that_no_store_app_can_hold_declares_nothing_that_counts(capabilities, permissions):
    for id_, row in capabilities.items():
        asked = [token.partition(":")[2] for token in row["declared_by"] if token.startswith("permission:")]
        if asked and all(permissions[name]["grant"] == "never" for name in asked):
            assert row["grant"] == "never", id_


def test_every_permission_that_a_user_can_grant_is_told_or_explained(capabilities, apis, permissions):
    """A permission that nobody thought of would be silence about an access."""
    told = {t.partition(":")[2] for row in capabilities.values() for t in row["declared_by"] if t.startswith("permi")}
    told |= {name for row in apis for name in row.get("permission", ())}
    left = {
        name
        for name, row in permissions.items()
        if row["grant"] in {"prompt", "special_access"} and "until" not in row and ".BIND_" not in name
    } - told
    assert left == set(NO_CAPABILITY)


def test_every_purpose_string_of_ios_is_told_or_explained(capabilities):
    told = {t.partition(":")[2] for row in capabilities.values() for t in row["declared_by"] if t.startswith("plist:")}
    assert {f"{name}UsageDescription" for name in PURPOSES} - told == set(NO_IOS_CAPABILITY)


def test_both_languages_say_it(capabilities):
    for id_, row in capabilities.items():
        for key in ("title", "caution", "lower"):
            english, french = row[key]["en"], row[key]["fr"]
            assert english, (id_, key)
            assert french, (id_, key)
            assert english != french, (id_, key)


def test_titles_are_titles_and_cautions_sentences(capabilities):
    for id_, row in capabilities.items():
        for text in row["title"].values():
            assert 8 < len(text) < 110, (id_, text)
            assert text[0].isupper(), id_
            assert not text.endswith("."), id_
        for key in ("caution", "lower"):
            for text in row[key].values():
                assert SENTENCE.fullmatch(text), (id_, text)


def test_no_two_capabilities_of_a_platform_read_alike(capabilities):
    for language in ("en", "fr"):
        titles = [(row["platform"], row["title"][language]) for row in capabilities.values()]
        assert len(titles) == len(set(titles))


def test_french_is_set_as_french(capabilities, headers):
    texts = [row[key]["fr"] for row in capabilities.values() for key in ("title", "caution", "lower")]
    texts += [header["about"]["fr"] for header in headers.values()]
    texts += [source["what"]["fr"] for header in headers.values() for source in header["sources"]]
    for text in texts:
        assert not re.search(r"(?<!\u00a0):|(?<!\u00a0)»|«(?!\u00a0)| [;?!%]", text), text
        assert "\u2019" not in text, text


# ---- public frameworks ---------------------------------------------------------------------------------------------


def of(row, framework):
    return dict(row["maps"]).get(framework, [])


def test_mapped_identifiers_exist(capabilities, public_ids):
    there = {**public_ids["ids"], "attack-mobile@20.0": list(public_ids["attack_platforms"])}
    for id_, row in capabilities.items():
        assert [name for name, _ in row["maps"]] == sorted(name for name, _ in row["maps"]), id_
        for framework, ids in row["maps"]:
            assert ids, id_
            assert not set(ids) - set(there[framework]), (id_, framework)


def test_attack_techniques_are_of_the_platform(capabilities, public_ids):
    for id_, row in capabilities.items():
        for technique in of(row, "attack-mobile@20.0"):
            assert row["platform"] in public_ids["attack_platforms"][technique], (id_, technique)


def test_beta_ids_of_maswe_cannot_slip_in(capabilities, public_ids):
    """Ids of the beta were given new meanings in 1.0.0: each must fit the control that 1.0.0 puts it under."""
    controls = public_ids["control_of_maswe"]
    assert len(controls) == 78
    assert "MASWE-0097" not in controls  # a beta id
    for id_, row in capabilities.items():
        for weakness in of(row, "maswe@1.0.0"):
            assert controls[weakness] in of(row, "masvs@2.1.0"), (id_, weakness)


def test_contents_of_the_device_speak_of_niap(capabilities):
    """NIST SP 800-163r1 points to this profile: the first mapping to have for contents and hardware."""
    contents = {"contacts", "records", "location", "sensors", "files", "screen", "interface"}
    for id_, row in capabilities.items():
        if row["area"] in contents:
            assert any(sfr.startswith(("FDP_", "FPT_")) for sfr in of(row, "niap-app-pp@1.4")), id_


def test_rows_hold_no_prose_of_the_frameworks(capabilities, public_ids):
    text = json.dumps([[row["title"], row["caution"]] for row in capabilities.values()], ensure_ascii=False)
    assert "MASWE" not in text
    assert "ATT&CK" not in text
    assert public_ids["origin"].startswith("Identifiers only")

"""Resource ids of the framework attributes that a manifest and the XML beside it use.

Android finds an attribute by this id and never by its name, so a name can be missing or lie. Ids are public and fixed:
AOSP ``frameworks/base/core/res/res/values/public-final.xml``.
"""

from __future__ import annotations

from typing import Final

ANDROID: Final = "http://schemas.android.com/apk/res/android"

IDS: Final[dict[str, int]] = {
    "label": 0x01010001,
    "name": 0x01010003,
    "permission": 0x01010006,
    "readPermission": 0x01010007,
    "writePermission": 0x01010008,
    "protectionLevel": 0x01010009,
    "sharedUserId": 0x0101000B,
    "enabled": 0x0101000E,
    "debuggable": 0x0101000F,
    "exported": 0x01010010,
    "process": 0x01010011,
    "authorities": 0x01010018,
    "value": 0x01010024,
    "resource": 0x01010025,
    "mimeType": 0x01010026,
    "scheme": 0x01010027,
    "host": 0x01010028,
    "targetActivity": 0x01010202,
    "minSdkVersion": 0x0101020C,
    "versionCode": 0x0101021B,
    "versionName": 0x0101021C,
    "settingsActivity": 0x01010225,
    "targetSdkVersion": 0x01010270,
    "maxSdkVersion": 0x01010271,
    "testOnly": 0x01010272,
    "allowBackup": 0x01010280,
    "accessibilityEventTypes": 0x01010380,
    "packageNames": 0x01010381,
    "accessibilityFeedbackType": 0x01010382,
    "notificationTimeout": 0x01010383,
    "accessibilityFlags": 0x01010384,
    "canRetrieveWindowContent": 0x01010385,
    "isolatedProcess": 0x010103A9,
    "canRequestTouchExplorationMode": 0x010103D7,
    "canRequestEnhancedWebAccessibility": 0x010103D8,
    "canRequestFilterKeyEvents": 0x010103D9,
    "usesCleartextTraffic": 0x010104EC,
    "canControlMagnification": 0x01010507,
    "canPerformGestures": 0x0101050D,
    "networkSecurityConfig": 0x01010527,
    "targetSandboxVersion": 0x0101054C,
    "canRequestFingerprintGestures": 0x0101054D,
    "isFeatureSplit": 0x0101055B,
    "compileSdkVersion": 0x01010572,
    "versionCodeMajor": 0x01010576,
    "isSplitRequired": 0x01010591,
    "foregroundServiceType": 0x01010599,
    "canTakeScreenshot": 0x0101060F,
    "isAccessibilityTool": 0x01010641,
    "requiredSplitTypes": 0x0101064E,
    "splitTypes": 0x0101064F,
}

PROTECTION: Final = ("normal", "dangerous", "signature", "signature|privileged", "internal")
"""Base protection levels by the low four bits of ``protectionLevel``; 3 is the old name signatureOrSystem."""

PROTECTION_FLAGS: Final[tuple[tuple[int, str], ...]] = (
    (0x10, "privileged"),
    (0x20, "development"),
    (0x40, "appop"),
    (0x80, "pre23"),
    (0x100, "installer"),
    (0x200, "verifier"),
    (0x400, "preinstalled"),
    (0x800, "setup"),
    (0x1000, "instant"),
    (0x2000, "runtime"),
    (0x4000, "oem"),
    (0x8000, "vendorPrivileged"),
    (0x10000, "textClassifier"),
    (0x40000, "documenter"),
    (0x80000, "configurator"),
    (0x100000, "incidentReportApprover"),
    (0x200000, "appPredictor"),
    (0x400000, "module"),
    (0x800000, "companion"),
    (0x1000000, "retailDemo"),
    (0x2000000, "recents"),
    (0x4000000, "role"),
    (0x8000000, "knownSigner"),
)

FOREGROUND: Final[tuple[tuple[int, str], ...]] = (
    (0x1, "dataSync"),
    (0x2, "mediaPlayback"),
    (0x4, "phoneCall"),
    (0x8, "location"),
    (0x10, "connectedDevice"),
    (0x20, "mediaProjection"),
    (0x40, "camera"),
    (0x80, "microphone"),
    (0x100, "health"),
    (0x200, "remoteMessaging"),
    (0x400, "systemExempted"),
    (0x800, "shortService"),
    (0x1000, "fileManagement"),
    (0x2000, "mediaProcessing"),
    (0x40000000, "specialUse"),
)

EVENT_TYPES: Final[tuple[tuple[int, str], ...]] = (
    (0x1, "typeViewClicked"),
    (0x2, "typeViewLongClicked"),
    (0x4, "typeViewSelected"),
    (0x8, "typeViewFocused"),
    (0x10, "typeViewTextChanged"),
    (0x20, "typeWindowStateChanged"),
    (0x40, "typeNotificationStateChanged"),
    (0x80, "typeViewHoverEnter"),
    (0x100, "typeViewHoverExit"),
    (0x200, "typeTouchExplorationGestureStart"),
    (0x400, "typeTouchExplorationGestureEnd"),
    (0x800, "typeWindowContentChanged"),
    (0x1000, "typeViewScrolled"),
    (0x2000, "typeViewTextSelectionChanged"),
    (0x4000, "typeAnnouncement"),
    (0x8000, "typeViewAccessibilityFocused"),
    (0x10000, "typeViewAccessibilityFocusCleared"),
    (0x20000, "typeViewTextTraversedAtMovementGranularity"),
    (0x40000, "typeGestureDetectionStart"),
    (0x80000, "typeGestureDetectionEnd"),
    (0x100000, "typeTouchInteractionStart"),
    (0x200000, "typeTouchInteractionEnd"),
    (0x400000, "typeWindowsChanged"),
    (0x800000, "typeContextClicked"),
    (0x1000000, "typeAssistReadingContext"),
    (0x2000000, "typeSpeechStateChange"),
)

FEEDBACK: Final[tuple[tuple[int, str], ...]] = (
    (0x1, "feedbackSpoken"),
    (0x2, "feedbackHaptic"),
    (0x4, "feedbackAudible"),
    (0x8, "feedbackVisual"),
    (0x10, "feedbackGeneric"),
    (0x20, "feedbackBraille"),
)

ACCESSIBILITY_FLAGS: Final[tuple[tuple[int, str], ...]] = (
    (0x1, "flagDefault"),
    (0x2, "flagIncludeNotImportantViews"),
    (0x4, "flagRequestTouchExplorationMode"),
    (0x8, "flagRequestEnhancedWebAccessibility"),
    (0x10, "flagReportViewIds"),
    (0x20, "flagRequestFilterKeyEvents"),
    (0x40, "flagRetrieveInteractiveWindows"),
    (0x80, "flagEnableAccessibilityVolume"),
    (0x100, "flagRequestAccessibilityButton"),
    (0x200, "flagRequestFingerprintGestures"),
    (0x400, "flagRequestShortcutWarningDialogSpokenFeedback"),
    (0x800, "flagServiceHandlesDoubleTap"),
    (0x1000, "flagRequestMultiFingerGestures"),
    (0x2000, "flagRequest2FingerPassthrough"),
    (0x4000, "flagSendMotionEvents"),
    (0x8000, "flagInputMethodEditor"),
)

ALL_BITS: Final = 0xFFFFFFFF


def flags(number: int, table: tuple[tuple[int, str], ...], everything: str = "") -> tuple[str, ...]:
    """The names of the bits that are set, lowest first; a bit without a name as hex; all bits as ``everything``."""
    if everything and number == ALL_BITS:
        return (everything,)
    named = tuple(name for bit, name in table if number & bit)
    rest = number & ~sum(bit for bit, _ in table)
    return (*named, f"0x{rest:x}") if rest else named


def protection(level: int) -> str:
    """As AOSP writes it, e.g. ``signature|privileged``; "" for a plain normal permission."""
    base = level & 0xF
    head = PROTECTION[base] if base < len(PROTECTION) else f"0x{base:x}"
    parts = [*head.split("|"), *flags(level & ~0xF, PROTECTION_FLAGS)]
    text = "|".join(dict.fromkeys(parts))
    return "" if text == "normal" else text

"""The words of an assessment: content areas, the evidence ladder, grantability, ratings."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Area(StrEnum):
    """What on a device an app can reach, or do to it: the 18 rows of the access map, in the order they are shown."""

    contacts = "contacts"
    records = "records"  # calendar, call log, text messages, accounts
    location = "location"
    sensors = "sensors"  # microphone and camera
    files = "files"  # photos, media and other files
    screen = "screen"
    interface = "interface"  # all of the user interface and its input (accessibility)
    keyboard = "keyboard"
    notifications = "notifications"
    clipboard = "clipboard"
    apps = "apps"  # which other apps are installed
    identifiers = "identifiers"
    network = "network"
    control = "control"  # device administration, installing packages
    changeable_code = "changeable_code"  # code it can load or change later
    hidden_code = "hidden_code"  # packed, encrypted or reflective code
    background = "background"
    supply_chain = "supply_chain"  # other makers' code inside


CONTENT_AREAS: tuple[Area, ...] = tuple(Area)[:13]
"""The areas that are contents of the device; the other five say how the app behaves, and never count as contents."""


class Ladder(IntEnum):
    """How strong the evidence is. A higher rung includes what a lower one shows only where the lower one was found."""

    none = 0  # E0
    declared = 1  # E1: a permission, a component or a usage description asks for it
    referenced = 2  # E2: an API is in a method table, an import table or a string
    called = 3  # E3: a call site, with its offset (or a callback that the system calls)
    observed = 4  # E4: seen at run time, imported from a device, an MTD or a capture


class Grant(StrEnum):
    """Who must agree before the access works. What a store app can never hold is never counted."""

    automatic = "automatic"  # normal permission, or none is needed
    prompt = "prompt"  # the user is asked at run time
    special_access = "special_access"  # the user switches it on in a settings screen
    administrator = "administrator"  # an administrator or an MDM, or the user agrees to a device administrator
    never = "never"  # signature or privileged: not for an app from a store
    unknown = "unknown"


class Declaration(StrEnum):
    """Whether the package asks for what the code would need."""

    declared = "declared"
    not_declared = "not_declared"
    not_needed = "not_needed"
    unknown = "unknown"  # the manifest could not be read, or the parsers disagree


class Rating(StrEnum):
    """Words, not a score; which rule of the rubric fired is shown beside it."""

    limited = "limited"
    moderate = "moderate"
    considerable = "considerable"
    pervasive = "pervasive"
    inconclusive = "inconclusive"


class FactClass(StrEnum):
    """What completeness is stated for."""

    container = "container"
    manifest = "manifest"
    signature = "signature"
    dex = "dex"
    native = "native"
    resources = "resources"  # the XML that special access points to
    splits = "splits"
    plist = "plist"
    privacy_manifest = "privacy_manifest"
    macho = "macho"
    entitlements = "entitlements"


class Extent(StrEnum):
    """How much of a fact class was read."""

    complete = "complete"
    partial = "partial"
    hidden = "hidden"  # encrypted or packed: it is there and cannot be read
    failed = "failed"
    absent = "absent"  # the package has none
    not_applicable = "not_applicable"


class SpecialKind(StrEnum):
    """Access that Android gives by another way than a run-time prompt."""

    accessibility = "accessibility"
    notification_listener = "notification_listener"
    device_admin = "device_admin"
    vpn = "vpn"
    input_method = "input_method"
    usage_access = "usage_access"
    all_files = "all_files"
    overlay = "overlay"
    install_packages = "install_packages"
    query_all_packages = "query_all_packages"
    autofill = "autofill"
    write_settings = "write_settings"


class SiteKind(StrEnum):
    """What stands at a place in the code."""

    call = "call"  # invoke-*
    field = "field"  # sget-* or iget-* of a named field (content URI constants)
    string = "string"  # const-string
    callback = "callback"  # a method the system calls, defined by a subclass
    reference = "reference"  # in the method table, no call found (E2)
    native_import = "native_import"


class Scheme(StrEnum):
    """APK signature schemes."""

    v1 = "v1"
    v2 = "v2"
    v3 = "v3"
    v31 = "v3.1"


class SignatureState(StrEnum):
    """What verification of one signature scheme showed."""

    verified = "verified"
    failed = "failed"
    absent = "absent"
    not_checked = "not_checked"


class ActorKind(StrEnum):
    """Whose code it is, by the package of the caller."""

    app = "app"  # under the app's own package name
    sdk = "sdk"  # under a prefix of the SDK catalogue
    unattributed = "unattributed"  # in the package, claimed by nobody (renamed or unknown)
    declaration = "declaration"  # no code: the manifest or a property list alone

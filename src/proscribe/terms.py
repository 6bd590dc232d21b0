"""The field's terms that every stage shares: platforms, enrolments, the sides of a device."""

from __future__ import annotations

from enum import StrEnum


class Platform(StrEnum):
    """Operating system family, as far as identifiers and management differ by it."""

    android = "android"
    ios = "ios"  # iPadOS included: same identifiers, same management
    macos = "macos"
    windows = "windows"
    chromeos = "chromeos"
    unknown = "unknown"


class Enrolment(StrEnum):
    """How a device is managed: the fact that decides what can be seen and done (mdm.md section 1.1)."""

    fully_managed = "fully_managed"  # Android DEVICE_OWNER
    cope = "cope"  # Android work profile on a company-owned device
    byod = "byod"  # Android work profile on a personal device
    supervised = "supervised"  # Apple, supervised
    unsupervised = "unsupervised"  # Apple device enrolment without supervision
    user_enrolment = "user_enrolment"  # Apple User Enrolment (BYOD)
    unmanaged = "unmanaged"  # seen over USB or not under any MDM
    unknown = "unknown"


class Side(StrEnum):
    """The part of a device an app was seen in."""

    whole = "whole"  # no profiles: one app list for the device
    work = "work"
    personal = "personal"
    unknown = "unknown"


class Held(StrEnum):
    """Who put the app there, as far as the source says."""

    managed = "managed"
    unmanaged = "unmanaged"
    system = "system"
    unknown = "unknown"

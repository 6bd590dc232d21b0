"""Parser A: apk-info, so that what we read ourselves never stands alone.

It gets the file by path where the archive is sound, and otherwise a small archive of just the manifest and the
resource table as *we* read them: what is compared here is the reading of XML, oddities of the ZIP are facts already.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from proscribe.assess.android.components import class_name
from proscribe.assess.android.package import MANIFEST, MAX_XML, TABLE
from proscribe.assess.android.values import integer
from proscribe.assess.facts import AndroidFacts, Component, UsesPermission
from proscribe.assess.intake.container import Container, UnreadableMember
from proscribe.assess.intake.memory import NoMemoryFile, as_path
from proscribe.assess.libraries import version_of

if TYPE_CHECKING:
    from apk_info import APK

# It makes all of a table into objects, at eight times its size; without the table it leaves references as they are.
_LIMITS: Final = {MANIFEST: MAX_XML, TABLE: 8 << 20}


class OtherFailed(Exception):
    """Parser A could not read this APK; ``code`` is a stable problem code."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Other:
    """What parser A read, in the terms that are compared. Numbers are text as it gives them; "" for none."""

    package: str
    version_code: str = ""
    version_name: str = ""
    min_sdk: str = ""
    target_sdk: str = ""
    max_sdk: str = ""
    permissions: frozenset[str] = frozenset()
    components: frozenset[tuple[str, str]] = field(default_factory=frozenset)  # kind, class

    def facts(self, member: str) -> AndroidFacts:
        """As facts, for the case that our own reader failed: less than it would have read, and nothing inherited."""
        return AndroidFacts(
            package=self.package,
            version_name=self.version_name,
            version_code=self.version_code,
            min_sdk=integer(self.min_sdk),
            target_sdk=integer(self.target_sdk),
            max_sdk=integer(self.max_sdk),
            permissions=tuple(UsesPermission(name, member=member) for name in sorted(self.permissions)),
            components=tuple(Component(kind, name, member=member) for kind, name in sorted(self.components)),
        )


def reader_name() -> str:
    """The parser with its version, for the record of the run."""
    return f"apk-info {version_of('apk-info')}"


def read_other(apk: Container) -> Other:
    """What apk-info reads from one APK. Raises OtherFailed."""
    from apk_info import APK, APKError

    try:
        with _path(apk) as path:
            return _read(APK(path))
    except (APKError, OSError, ValueError, TypeError) as error:
        if isinstance(error, NoMemoryFile):
            raise OtherFailed("parser.no-memory-file") from error
        raise OtherFailed("parser.refused", str(error).splitlines()[0][:200] if str(error) else "") from error
    except BaseException as error:
        # A panic of the Rust library arrives as pyo3's PanicException, which derives from BaseException alone.
        if type(error).__name__ != "PanicException":
            raise
        raise OtherFailed("parser.panic") from error


def _path(apk: Container) -> AbstractContextManager[str]:
    """A path parser A may open: the file itself, or a small one in memory."""
    sound = apk.path and not apk.name and not apk.anomalies
    return nullcontext(apk.path) if sound and _small(apk) else as_path(_rewrapped(apk))


def _small(apk: Container) -> bool:
    """Whether the members that parser A inflates are of a size it may have."""
    return all(apk.entries[name].size <= limit for name, limit in _LIMITS.items() if name in apk.entries)


def _rewrapped(apk: Container) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, limit in _LIMITS.items():
            try:
                archive.writestr(zipfile.ZipInfo(name), apk.read(name, limit))
            except KeyError:
                continue
            except UnreadableMember as fault:
                if name == MANIFEST:
                    raise OtherFailed(fault.code, fault.detail) from fault
    return buffer.getvalue()


def _read(apk: APK) -> Other:
    package = _text(apk.get_package_name())
    if not package:
        raise OtherFailed("manifest.no-package")
    named: tuple[tuple[str, Callable[[], Iterable[object]]], ...] = (
        ("activity", apk.get_activities),
        ("activity-alias", apk.get_activity_aliases),
        ("service", apk.get_services),
        ("receiver", apk.get_receivers),
        ("provider", apk.get_providers),
    )
    return Other(
        package=package,
        version_code=_text(apk.get_version_code()),
        version_name=_text(apk.get_version_name()),
        min_sdk=_text(apk.get_min_sdk_version()),
        target_sdk=_stated_target(apk),
        max_sdk=_text(apk.get_max_sdk_version()),
        permissions=frozenset({*map(str, apk.get_permissions()), *map(str, apk.get_permissions_sdk23())} - {""}),
        components=frozenset(
            (kind, class_name(package, name))
            for kind, items in named
            for item in items()
            if (name := _text(getattr(item, "name", None)))
        ),
    )


def _stated_target(apk: APK) -> str:
    """Its own accessor puts a default where nothing is stated; the attribute alone says what is there."""
    return _text(apk.get_attribute_value("uses-sdk", "targetSdkVersion"))


def _text(value: object) -> str:
    return "" if value is None else str(value)

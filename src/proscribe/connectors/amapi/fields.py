"""The field names of the API's types that we read or write, from ``fields.json``.

Answers are read leniently: a field that stands in no list here is skipped and counted, so that a new field of the
vendor stops nothing and is noticed all the same. A test holds the lists against the vendor's discovery document.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

# Where one type holds another that we know the fields of: type -> field -> type of the value or of the list's items.
_INSIDE: dict[str, dict[str, str]] = {
    "ListDevicesResponse": {"devices": "Device"},
    "ListPoliciesResponse": {"policies": "Policy"},
    "Device": {
        "applicationReports": "ApplicationReport",
        "nonComplianceDetails": "NonComplianceDetail",
        "hardwareInfo": "HardwareInfo",
        "softwareInfo": "SoftwareInfo",
    },
    "ApplicationReport": {"signingKeyCerts": "ApplicationSigningKeyCert"},
    "Policy": {
        "applications": "ApplicationPolicy",
        "personalUsagePolicies": "PersonalUsagePolicies",
        "statusReportingSettings": "StatusReportingSettings",
        "advancedSecurityOverrides": "AdvancedSecurityOverrides",
    },
    "PersonalUsagePolicies": {"personalApplications": "PersonalApplicationPolicy"},
    "StatusReportingSettings": {"applicationReportingSettings": "ApplicationReportingSettings"},
}


@cache
def _data() -> dict[str, Any]:
    text = Path(__file__).with_name("fields.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def fields(kind: str) -> frozenset[str]:
    """The field names of one type of the API. KeyError for a type that is not listed."""
    return frozenset(_data()["fields"][kind])


@cache
def values(field: str) -> frozenset[str]:
    """The values of one enumeration, named ``Type.field``."""
    return frozenset(_data()["values"][field])


def inside(kind: str) -> Mapping[str, str]:
    """The fields of a type that hold another type listed here."""
    return _INSIDE.get(kind, {})


def unknown(kind: str, value: Any) -> tuple[str, ...]:
    """The paths (``Device.newThing``) in an answer that this release does not know, each once, in order."""
    return tuple(sorted(set(_walk(kind, value))))


def _walk(kind: str, value: Any) -> Iterator[str]:
    items: Iterable[Any] = value if isinstance(value, list) else (value,)
    known, below = fields(kind), inside(kind)
    for item in items:
        if not isinstance(item, dict):
            continue
        for name, part in item.items():
            if name not in known:
                yield f"{kind}.{name}"
            elif name in below:
                yield from _walk(below[name], part)

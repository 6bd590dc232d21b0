"""The part of STIX 2.1 that we read: which types, which of their properties, and how to take a value off an object."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from proscribe.publish.stix import extension, tlp
from proscribe.publish.stix.opening import Opened, Tally
from proscribe.text import Text

_MOST = 200  # characters of a name
_SPACES = re.compile(r"[ \t\n]+")  # other spaces that break lines were replaced before; those of French stay
_COMMON = frozenset(
    (
        *("type", "spec_version", "id", "created_by_ref", "created", "modified", "revoked", "labels", "confidence"),
        *("lang", "external_references", "object_marking_refs", "granular_markings", "extensions", "defanged"),
    )
)
_TYPES: dict[str, tuple[str, ...]] = {
    "artifact": ("mime_type", "payload_bin", "hashes", "url"),
    "course-of-action": ("name", "description"),
    "domain-name": ("value", "resolves_to_refs"),
    "extension-definition": ("name", "description", "schema", "version", "extension_types"),
    "grouping": ("name", "description", "context", "object_refs"),
    "identity": ("name", "description", "roles", "identity_class", "sectors", "contact_information"),
    "indicator": (
        *("name", "description", "indicator_types", "pattern", "pattern_type", "pattern_version"),
        *("valid_from", "valid_until", "kill_chain_phases"),
    ),
    "language-content": ("object_ref", "object_modified", "contents"),
    "marking-definition": ("name", "definition_type", "definition"),
    "relationship": ("relationship_type", "description", "source_ref", "target_ref", "start_time", "stop_time"),
    "software": ("name", "cpe", "swid", "languages", "vendor", "version"),
}
_OUR_EXTENSIONS = frozenset({extension.ID, tlp.EXTENSION})


def count_unknown(item: dict[str, Any], tally: Tally) -> None:
    """Count what an object brings that we do not read: itself, a property, an extension."""
    kind = item["type"]
    properties = _TYPES.get(kind)
    if properties is None:
        tally.add("object", kind)
        return
    for name in item:
        if name not in _COMMON and name not in properties:
            tally.add("property", kind, name)
    for name in extensions(item):
        if name not in _OUR_EXTENSIONS:
            tally.add("extension", name)


def extensions(item: dict[str, Any]) -> dict[str, Any]:
    """The extensions of an object, by id."""
    found = item.get("extensions")
    return found if isinstance(found, dict) else {}


def markings(item: dict[str, Any]) -> Iterator[str]:
    """The marking definitions an object names, on the whole or on a part; "" for one that is no reference."""
    for reference in _list(item.get("object_marking_refs")):
        yield reference if isinstance(reference, str) else ""
    for granular in _list(item.get("granular_markings")):
        if isinstance(granular, dict) and "lang" in granular and "marking_ref" not in granular:
            continue  # says in which language a part is
        reference = granular.get("marking_ref") if isinstance(granular, dict) else None
        yield reference if isinstance(reference, str) else ""


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def name_of(item: dict[str, Any], field: str = "name") -> str:
    """A text of an object, cut to what fits a line; "" where it has none."""
    value = item.get(field)
    return one_line(value).strip() if isinstance(value, str) else ""


def one_line(value: str) -> str:
    """A stranger's text as it may stand in a line of ours: without line breaks, and not without end."""
    return _SPACES.sub(" ", value[: 4 * _MOST])[:_MOST]


def producer(item: dict[str, Any], opened: Opened) -> str:
    """What whoever made an object calls itself; without an object, whoever made all that is there."""
    made_by = item.get("created_by_ref")
    if isinstance(made_by, str) and made_by in opened.objects and made_by.startswith("identity--"):
        return name_of(opened.objects[made_by])
    others = [name_of(one) for one in opened.of("identity") if one["id"] != extension.AUTHOR]
    return others[0] if len(others) == 1 else ""


def translated(item: dict[str, Any], field: str, opened: Opened, gap: Text) -> Text:
    """A text of an object in both languages, ``gap`` where one is missing."""
    found = {"en": "", "fr": ""}
    language = item.get("lang") if isinstance(item.get("lang"), str) else "en"
    for code in found:
        if str(language).lower().split("-")[0] == code:
            found[code] = name_of(item, field)
    for one in opened.of("language-content"):
        contents = one.get("contents")
        if one.get("object_ref") != item.get("id") or not isinstance(contents, dict):
            continue
        for code, known in found.items():
            fields = contents.get(code)
            if isinstance(fields, dict) and not known:
                found[code] = name_of(fields, field)
    return Text(found["en"] or gap.en, found["fr"] or gap.fr)

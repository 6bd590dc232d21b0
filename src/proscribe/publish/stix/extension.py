"""Our extension of the course of action: the directive and its target set, whole, inside ordinary STIX.

A partner with this program reads back every identifier, date and carve-out; one without it reads the plain objects
beside it. The documents stand there as they are, once: fields written twice could contradict each other.
"""

from __future__ import annotations

import uuid
from typing import Any

from proscribe.canonical import canonical_bytes
from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.documents import digest, to_json

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://proscribe.example.org/stix")
"""Of our own objects' version 5 UUIDs (STIX 2.1, 2.9: any namespace but the one of cyber-observables)."""
SCHEMA = 1
FIELDS = frozenset({"extension_type", "schema", "directive", "directive_digest", "targets", "targets_digest"})
CREATED = "2026-11-01T00:00:00.000Z"
"""Date of the objects that never change: the extension, and identities named by their own content."""


def object_id(kind: str, *key: str) -> str:
    """A deterministic identifier: the same key gives the same object, at every partner."""
    return f"{kind}--{uuid.uuid5(NAMESPACE, canonical_bytes([kind, *key]).decode())}"


ID = object_id("extension-definition", "directive", str(SCHEMA))
AUTHOR = object_id("identity", "Proscribe")

_SCHEMA_TEXT = (
    "A property extension of course-of-action. 'schema' is 1. 'directive' is a proscribe.directive document and "
    "'targets' a proscribe.target-set document, each with its own 'kind' and 'schema'; 'proscribe schema KIND' prints "
    "their JSON Schema. 'directive_digest' and 'targets_digest' are 'sha256:' and the hexadecimal SHA-256 of the RFC "
    "8785 bytes of each. Texts have 'en' and 'fr'. A reader treats it as a proposal and acts upon nothing by itself."
)


def author() -> dict[str, Any]:
    """Who defined the extension: the program, not the authority that uses it."""
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": AUTHOR,
        "created": CREATED,
        "modified": CREATED,
        "name": "Proscribe",
        "identity_class": "system",
        "lang": "en",
    }


def definition() -> dict[str, Any]:
    """The extension definition that every bundle of ours carries."""
    return {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": ID,
        "created_by_ref": AUTHOR,
        "created": CREATED,
        "modified": CREATED,
        "name": "Proscribe directive",
        "description": "A ban on apps: identifiers, dates, force and carve-outs, in English and French.",
        "schema": _SCHEMA_TEXT,
        "version": "1.0.0",
        "extension_types": ["property-extension"],
    }


def content(directive: Directive, targets: TargetSet) -> dict[str, Any]:
    """What stands under our key in ``extensions``."""
    return {
        "extension_type": "property-extension",
        "schema": SCHEMA,
        "directive": to_json(directive),
        "directive_digest": digest(directive),
        "targets": to_json(targets),
        "targets_digest": digest(targets),
    }

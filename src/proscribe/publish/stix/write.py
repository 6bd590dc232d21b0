"""A directive and its target set as a STIX 2.1 bundle. The same inputs give the same bytes, anywhere.

Objects that are said about one directive are named by it and by their ``created`` date, which STIX forbids to change;
what never changes (an identity, a piece of software) is named by its own content. Plain objects carry what any reader
of STIX understands; the extension carries the documents themselves.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from proscribe.canonical import canonical_bytes
from proscribe.catalogue.model import Confidence, IdentifierType, Target, TargetSet
from proscribe.directive.model import Directive
from proscribe.publish.stix import extension, tlp
from proscribe.publish.stix.extension import object_id
from proscribe.publish.stix.model import Tlp
from proscribe.publish.stix.words import described
from proscribe.text import Text

ENVELOPE_TYPE = "application/json"  # a DSSE envelope has no registered type of its own, and STIX asks for one
# STIX 2.1, section 2.9: the identifier of a cyber-observable is made from its content, in this namespace.
_OBSERVABLES = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
# STIX 2.1, appendix A: None/Low/Med/High.
_CONFIDENCE = {Confidence.low: 15, Confidence.medium: 50, Confidence.high: 85}


@dataclass(frozen=True, slots=True)
class Shared:
    """What goes into a bundle. ``envelope`` is a DSSE envelope around the directive, as bytes."""

    directive: Directive
    targets: TargetSet
    tlp: Tlp
    envelope: bytes | None = None


def without_context(directive: Directive) -> Directive:
    """The directive as the authority states it: what our analysts add stays in the house."""
    return replace(directive, analyst_context=())


def bundle_bytes(shared: Shared) -> bytes:
    """The bundle as RFC 8785 bytes and a final newline."""
    return canonical_bytes(bundle(shared)) + b"\n"


def bundle(shared: Shared) -> dict[str, Any]:
    """The bundle, every object marked with ``shared.tlp``."""
    objects = _Objects(shared)
    every = [tlp.definition(shared.tlp), *objects.marked()]
    name = hashlib.sha256(canonical_bytes(every)).hexdigest()
    return {"type": "bundle", "id": object_id("bundle", name), "objects": every}


class _Objects:
    """The objects of one bundle, in an order that depends on nothing but their content."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._directive = shared.directive
        self._created = _created(shared)
        self._modified = max(self._created, _moment(shared.targets.resolved_at))
        self._authority = _authority(self._directive)
        self._by = self._authority["id"]
        self._ban = self._own("course-of-action")

    def marked(self) -> list[dict[str, Any]]:
        marking = [tlp.MARKINGS[self._shared.tlp]]
        return [{**item, "object_marking_refs": marking} for item in self._all()]

    def _all(self) -> list[dict[str, Any]]:
        ban = self._course_of_action()
        software = _software(self._shared.targets)
        indicators = [self._indicator(target) for target in _domains(self._shared.targets)]
        relations = [
            *(self._relationship("related-to", one["id"]) for one in software),
            *(self._relationship("mitigates", one["id"]) for one in indicators),
        ]
        envelope = [_artifact(self._shared.envelope)] if self._shared.envelope is not None else []
        content = [ban, *software, *indicators, *relations, *envelope]
        return [
            extension.author(),
            extension.definition(),
            self._authority,
            *content,
            self._french(ban),  # translates the ban; what is about objects is no member of a grouping
            self._grouping(content),
        ]

    def _own(self, kind: str, *more: str) -> dict[str, Any]:
        return {
            "type": kind,
            "spec_version": "2.1",
            "id": object_id(kind, self._directive.id, self._created, *more),
            "created_by_ref": self._by,
            "created": self._created,
            "modified": self._modified,
        }

    def _course_of_action(self) -> dict[str, Any]:
        directive = self._directive
        return {
            **self._ban,
            "name": directive.title.en,
            "description": described(directive).en,
            "lang": "en",
            "confidence": _CONFIDENCE[directive.confidence],
            "external_references": [
                {"source_name": source.kind, "url": source.url}
                if source.url.startswith(("https://", "http://"))
                else {"source_name": source.kind, "description": source.url}
                for source in directive.sources
                if source.url
            ]
            or [{"source_name": "proscribe", "external_id": directive.id}],
            "extensions": {extension.ID: extension.content(directive, self._shared.targets)},
        }

    def _french(self, ban: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **self._own("language-content"),
            "object_ref": ban["id"],
            "object_modified": self._modified,
            "contents": {
                "fr": {"name": self._directive.title.fr, "description": described(self._directive).fr},
            },
        }

    def _indicator(self, target: Target) -> dict[str, Any]:
        start = self._directive.effective or self._directive.announced
        return {
            **self._own("indicator", target.id),
            "name": target.value,
            "description": f"A host of {target.label}, as far as the directive covers access to it. Not malicious by "
            "itself: see the course of action.",
            "lang": "en",
            "indicator_types": ["unknown"],
            "pattern": f"[domain-name:value = '{target.value}']",
            "pattern_type": "stix",
            "pattern_version": "2.1",
            "valid_from": f"{start.isoformat()}T00:00:00Z" if start else self._created,
            "confidence": _CONFIDENCE[target.confidence],
        }

    def _relationship(self, kind: str, to: str) -> dict[str, Any]:
        return {
            **self._own("relationship", kind, to),
            "relationship_type": kind,
            "source_ref": self._ban["id"],
            "target_ref": to,
        }

    def _grouping(self, content: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            **self._own("grouping"),
            "name": self._directive.title.en,
            "lang": "en",
            "context": "unspecified",
            "object_refs": [one["id"] for one in content],
        }


def _created(shared: Shared) -> str:
    day = shared.directive.announced or shared.directive.effective
    return _day(day) if day else _moment(shared.targets.resolved_at)


def _authority(directive: Directive) -> dict[str, Any]:
    body, jurisdiction = directive.authority.body, directive.authority.jurisdiction
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": object_id("identity", body.en, body.fr, jurisdiction),
        "created": extension.CREATED,
        "modified": extension.CREATED,
        "name": body.en,
        "description": f"{body.fr} ({jurisdiction})",
        "identity_class": "organization",
        "lang": "en",
    }


def _software(targets: TargetSet) -> list[dict[str, Any]]:
    """One object a product, without ``version``: some servers cannot store one (medallion 3.0.0)."""
    found: dict[str, dict[str, Any]] = {}
    for target in targets.targets:
        if not target.product:
            continue
        names = targets.publisher_names.get(target.publisher, ())
        key = {"name": target.label, "vendor": names[0] if names else target.publisher}
        key = {name: value for name, value in key.items() if value}
        made = f"software--{uuid.uuid5(_OBSERVABLES, canonical_bytes(key).decode())}"
        found.setdefault(made, {"type": "software", "spec_version": "2.1", "id": made, **key})
    return sorted(found.values(), key=lambda one: (str(one["name"]), str(one["id"])))


def _domains(targets: TargetSet) -> list[Target]:
    """Hosts that the directive covers. What may not drive a change here is no indicator for anybody else either."""
    return [
        target
        for target in sorted(targets.targets, key=lambda one: one.id)
        if target.type is IdentifierType.domain and target.actionable and _plain(target.value)
    ]


def _plain(host: str) -> bool:
    return host.isascii() and host.replace("-", "").replace(".", "").replace("_", "").isalnum()


def _artifact(envelope: bytes) -> dict[str, Any]:
    payload = base64.b64encode(envelope).decode("ascii")
    hashes = {"SHA-256": hashlib.sha256(envelope).hexdigest()}
    made = uuid.uuid5(_OBSERVABLES, canonical_bytes({"hashes": hashes, "payload_bin": payload}).decode())
    return {
        "type": "artifact",
        "spec_version": "2.1",
        "id": f"artifact--{made}",
        "mime_type": ENVELOPE_TYPE,
        "payload_bin": payload,
        "hashes": hashes,
    }


def _day(day: date) -> str:
    return f"{day.isoformat()}T00:00:00.000Z"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def withheld_note(directive: Directive) -> Text | None:
    """What to tell whoever shares a directive with analysts' context, which the bundle leaves out."""
    if not directive.analyst_context:
        return None
    return Text(
        "The analysts' context stays here, and so would a signed form, which holds it; --with-context sends both.",
        "Le contexte des analystes reste ici, de même que toute forme signée, qui le contient; --with-context envoie "
        "les deux.",
    )

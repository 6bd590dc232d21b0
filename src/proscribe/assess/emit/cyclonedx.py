"""CycloneDX 1.6: the app and the SDKs inside it, with what shows that they are there. No time, no chance."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from proscribe.assess.emit.hostile import visible
from proscribe.assess.emit.makers import publisher_by_name
from proscribe.assess.model import Assessment
from proscribe.assess.profile import Evidence, EvidenceKind, SdkPresence
from proscribe.canonical import Digest
from proscribe.documents import digest

_CONFIDENCE = {EvidenceKind.class_prefix: 0.8, EvidenceKind.native_library: 0.6}
"""How sure a kind of evidence is. A package name can be copied, a file name even more easily; nothing is certain."""
_LEAST = 0.5
_PREFIX = "proscribe:"


def bom(assessment: Assessment) -> dict[str, Any]:
    """The bill of materials: the app in ``metadata``, each SDK a component that it depends on.

    The serial number follows from the assessment's digest: the same assessment has the same number.
    """
    name = digest(assessment)
    app = _app(assessment, name)
    components = [_sdk(sdk) for sdk in assessment.sdks]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, name)}",
        "version": 1,
        "metadata": {
            "tools": {"components": [_tool(one.name, one.version) for one in assessment.tools]},
            "component": app,
        },
        "components": components,
        "dependencies": [
            {"ref": app["bom-ref"], "dependsOn": [one["bom-ref"] for one in components]},
            *({"ref": one["bom-ref"]} for one in components),
        ],
    }


def _tool(name: str, version: str) -> dict[str, Any]:
    return {"type": "application", "name": name, "version": version}


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": _PREFIX + name, "value": visible(value)}


def _app(assessment: Assessment, name: Digest) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "application",
        "bom-ref": f"app:{assessment.package.sha256}",
        "name": visible(assessment.app_id),
        "hashes": [{"alg": "SHA-256", "content": assessment.package.sha256}],
        "properties": [
            _property("platform", assessment.platform),
            _property("format", assessment.package.format),
            _property("rating", assessment.rating.rating),
            _property("assessment", name),
            *(_property("signer", one.certificate) for one in assessment.publisher.signers),
        ],
    }
    if assessment.app_name:
        found["description"] = visible(assessment.app_name)
    if assessment.version:
        found["version"] = visible(assessment.version)
    publisher = assessment.exposure.publisher
    if publisher is not None and assessment.publisher.verified and not publisher_by_name(assessment):
        found["publisher"] = visible(publisher.name)
    return found


def _sdk(sdk: SdkPresence) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"sdk:{sdk.id}",
        "name": visible(sdk.name),
        "description": visible(sdk.purpose.en),
        "properties": [
            _property("sdk", sdk.id),
            _property("purpose-fr", sdk.purpose.fr),
            _property("service-of", sdk.operator or "none"),
            _property("classes", str(sdk.classes)),
            _property("call-sites-in-findings", str(sdk.sites)),
        ],
    }
    if sdk.vendor:
        found["supplier"] = {"name": visible(sdk.vendor)}
        if sdk.country:
            found["supplier"]["address"] = {"country": sdk.country}
    if sdk.evidence:
        found["evidence"] = {"identity": _identity(sdk), "occurrences": _occurrences(sdk)}
    return found


def _identity(sdk: SdkPresence) -> list[dict[str, Any]]:
    """By what it was recognised. The version is not known from names, and is left out rather than guessed."""
    methods = [
        {
            "technique": "filename" if one.kind is EvidenceKind.native_library else "binary-analysis",
            "confidence": _CONFIDENCE.get(one.kind, _LEAST),
            "value": visible(one.subject),
        }
        for one in sdk.evidence
    ]
    return [{"field": "name", "confidence": max(one["confidence"] for one in methods), "methods": methods}]


def _occurrences(sdk: SdkPresence) -> list[dict[str, Any]]:
    places: dict[tuple[str, str], Evidence] = {(one.member, one.subject): one for one in sdk.evidence}
    return [
        {
            "location": visible(one.member),
            "symbol": visible(one.subject),
            "additionalContext": visible(f"sha256:{one.sha256} {one.detail}".strip()),
        }
        for one in places.values()
    ]

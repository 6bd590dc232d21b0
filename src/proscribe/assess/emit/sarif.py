"""SARIF 2.1.0: findings for the tools that collect them. Rules are capabilities; nothing in it depends on a clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from proscribe.assess.emit.hostile import visible
from proscribe.assess.emit.reading import actor_name
from proscribe.assess.emit.words import AREAS, DECLARATIONS, EVIDENCE, GRANTS, RUNGS, capital
from proscribe.assess.facts import Run
from proscribe.assess.model import Assessment
from proscribe.assess.profile import Evidence, Finding
from proscribe.assess.terms import Declaration, Extent, Grant, Ladder, Rating
from proscribe.text import Text

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_BASE = "PACKAGE"

TAXONOMIES: dict[str, tuple[str, str, str]] = {
    "attack-mobile": ("MITRE ATT&CK Mobile", "MITRE", "https://attack.mitre.org/matrices/mobile/"),
    "masvs": ("OWASP MASVS", "OWASP", "https://mas.owasp.org/MASVS/"),
    "maswe": ("OWASP MASWE", "OWASP", "https://mas.owasp.org/MASWE/"),
    "niap-app-pp": ("NIAP Protection Profile for Application Software", "NIAP", "https://www.niap-ccevs.org/"),
    "cwe": ("CWE", "MITRE", "https://cwe.mitre.org/"),
}
"""Framework -> full name, organisation, address. One that is not here is written by its own id."""


def sarif(assessment: Assessment) -> dict[str, Any]:
    """The assessment as a SARIF 2.1.0 log with one run."""
    frameworks = _frameworks(assessment)
    rules = _rules(assessment, frameworks)
    artifacts = _Artifacts()
    indexes = {rule["id"]: number for number, rule in enumerate(rules)}
    results = [
        _result(finding, indexes[finding.capability], artifacts, list(frameworks)) for finding in assessment.findings
    ]
    tool = {one.name: one.version for one in assessment.tools}.get("proscribe", "")
    driver: dict[str, Any] = {
        "name": "Proscribe",
        "rules": rules,
        "supportedTaxonomies": [_component(name) for name in frameworks],
        "properties": {"packs": {one.id: f"{one.version} {one.digest}" for one in assessment.packs}},
    }
    if tool:
        driver["version"] = tool
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {
                    _BASE: {"description": _message(Text("Files of the package", "Fichiers du paquet"))}
                },
                "artifacts": artifacts.listed(assessment),
                "taxonomies": [_taxonomy(name, ids) for name, ids in frameworks.items()],
                "invocations": [_invocation(assessment)],
                "results": results,
                "properties": _about(assessment),
            }
        ],
    }


def _message(text: Text) -> dict[str, Any]:
    """English is what SARIF viewers show; the French travels beside it."""
    return {"text": visible(text.en, 2000), "properties": {"fr": visible(text.fr, 2000)}}


# ---- rules and taxonomies ------------------------------------------------------------------------------------------


def _frameworks(assessment: Assessment) -> dict[str, list[str]]:
    """``attack-mobile@20.0`` -> its ids that findings name, both sorted."""
    found: dict[str, set[str]] = {}
    for finding in assessment.findings:
        for mapping in finding.maps:
            found.setdefault(mapping.framework, set()).update(mapping.ids)
    return {name: sorted(ids) for name, ids in sorted(found.items())}


def _guid(name: str) -> str:
    """A GUID that follows from a name (version 5: SARIF's schema knows no later one), so that no run needs a dice."""
    return str(uuid5(NAMESPACE_URL, name))


def _component(framework: str) -> dict[str, Any]:
    return {"name": framework, "guid": _guid(framework)}


def _taxonomy(framework: str, ids: Iterable[str]) -> dict[str, Any]:
    key, _, version = framework.partition("@")
    full, organisation, address = TAXONOMIES.get(key, (key, "", ""))
    found: dict[str, Any] = {
        "name": framework,
        "guid": _guid(framework),
        "fullName": full,
        "isComprehensive": False,
        "taxa": [{"id": one} for one in ids],
    }
    if version:
        found["version"] = version
    if organisation:
        found |= {"organization": organisation, "informationUri": address}
    return found


def _rules(assessment: Assessment, frameworks: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    """One rule a capability, in the order of their ids; relationships say which taxa it maps to."""
    first = {finding.capability: finding for finding in reversed(assessment.findings)}
    rules = []
    for capability in sorted(first):
        finding = first[capability]
        targets = [
            {
                "target": {
                    "id": one,
                    "index": frameworks[mapping.framework].index(one),
                    "toolComponent": _component(mapping.framework),
                },
                "kinds": ["relevant"],
            }
            for mapping in finding.maps
            for one in mapping.ids
        ]
        rules.append(
            {
                "id": capability,
                "name": capability.replace("-", ""),
                "shortDescription": _message(finding.title),
                "fullDescription": _message(finding.caution),
                "help": _message(AREAS[finding.area]),
                "relationships": targets,
                "properties": {"area": finding.area.value, "tags": [finding.area.value]},
            }
        )
    return rules


# ---- results -------------------------------------------------------------------------------------------------------


class _Artifacts:
    """The members that results point at, numbered as they come."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], int] = {}

    def place(self, member: str, sha256: str) -> dict[str, Any]:
        """A location of a member."""
        index = self._places.setdefault((member, sha256), len(self._places))
        return {"uri": _uri(member), "uriBaseId": _BASE, "index": index}

    def listed(self, assessment: Assessment) -> list[dict[str, Any]]:
        """Every member that was placed; the package itself is described by its digest alone, for it has no name."""
        found = []
        for member, sha256 in self._places:
            artifact: dict[str, Any] = {"location": {"uri": _uri(member), "uriBaseId": _BASE}}
            digest = sha256 or ("" if member else assessment.package.sha256)
            if digest:
                artifact["hashes"] = {"sha-256": digest}
            found.append(artifact)
        return found


def _uri(member: str) -> str:
    """A member's name as a relative URI; names are hostile, so everything but plain path characters is escaped."""
    return quote(member.encode("utf-8", "backslashreplace").decode("utf-8").lstrip("/"), safe="/!") or "."


def level_of(finding: Finding) -> tuple[str, str]:
    """SARIF's kind and level: what can never be granted is informational, a bare wish is a note."""
    if finding.grant is Grant.never:
        return "informational", "none"
    if finding.ladder >= Ladder.called:
        undeclared = finding.declaration is Declaration.not_declared
        return ("fail", "note") if undeclared else ("fail", "warning")
    return "fail", "note"


def _result(finding: Finding, rule: int, artifacts: _Artifacts, frameworks: list[str]) -> dict[str, Any]:
    kind, level = level_of(finding)
    actor, grant, rung = actor_name(finding.actor, full=True), GRANTS[finding.grant], RUNGS[finding.ladder]
    stated = capital(DECLARATIONS[finding.declaration])
    what = Text(
        f"{finding.title.en}. Evidence: E{int(finding.ladder)}, {rung.en}. By: {actor.en}. {stated.en}; who must "
        f"agree: {grant.en}.",
        f"{finding.title.fr}. Preuve : E{int(finding.ladder)}, {rung.fr}. Par : {actor.fr}. {stated.fr}; qui doit "
        f"consentir : {grant.fr}.",
    )
    found: dict[str, Any] = {
        "ruleId": finding.capability,
        "ruleIndex": rule,
        "kind": kind,
        "level": level,
        "message": _message(what),
        "locations": [_location(one, artifacts) for one in finding.evidence[:1]],
        "relatedLocations": [
            {"id": number, **_location(one, artifacts)} for number, one in enumerate(finding.evidence[1:], start=1)
        ],
        "partialFingerprints": {"finding/v1": finding.id},
        "occurrenceCount": max(1, finding.evidence_total),
        "taxa": [
            {
                "id": one,
                "toolComponent": {**_component(mapping.framework), "index": frameworks.index(mapping.framework)},
            }
            for mapping in finding.maps
            for one in mapping.ids
        ],
        "properties": {
            "finding": finding.id,
            "area": finding.area.value,
            "ladder": f"E{int(finding.ladder)}",
            "declaration": finding.declaration.value,
            "grant": finding.grant.value,
            "actor": finding.actor.kind.value,
            "caution": finding.caution.en,
            "cautionFr": finding.caution.fr,
        },
    }
    if finding.actor.sdk:
        found["properties"] |= {"sdk": finding.actor.sdk, "vendor": finding.actor.vendor}
        found["properties"] |= {"vendorCountry": finding.actor.country}
    if finding.released is not None:
        found["properties"]["releasedBy"] = finding.released.author
    if finding.suppressed is not None:
        found["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": visible(finding.suppressed.reason, 2000),
                "properties": {
                    "author": visible(finding.suppressed.author),
                    "expires": finding.suppressed.expires.isoformat(),
                },
            }
        ]
    return found


def _location(evidence: Evidence, artifacts: _Artifacts) -> dict[str, Any]:
    """A place: the member, the calling method, and the subject with its offset in words."""
    words = EVIDENCE[evidence.kind]
    at = f", +{evidence.offset}" if evidence.offset >= 0 else ""
    subject = visible(evidence.subject)
    found: dict[str, Any] = {
        "message": _message(Text(f"{words.en}: {subject}{at}", f"{words.fr} : {subject}{at}")),
        "physicalLocation": {"artifactLocation": artifacts.place(evidence.member, evidence.sha256)},
        "properties": {"kind": evidence.kind.value, "subject": _plain(evidence.subject)},
    }
    if evidence.detail:
        found["properties"]["detail"] = _plain(evidence.detail)
    if evidence.offset >= 0:
        found["properties"]["codeOffset"] = evidence.offset
    if evidence.caller:
        found["logicalLocations"] = [{"fullyQualifiedName": _plain(evidence.caller), "kind": "function"}]
    return found


def _plain(text: str) -> str:
    """As it stands in the package, half surrogate pairs apart: no UTF-8 can carry them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


# ---- how it went ---------------------------------------------------------------------------------------------------

_LEVELS = {Extent.failed: "error", Extent.hidden: "warning", Extent.partial: "warning"}


def _invocation(assessment: Assessment) -> dict[str, Any]:
    """Successful where the rating stands; what could not be read is a notification each."""
    notes = [{"level": "warning", "message": _message(text)} for text in assessment.hidden]
    notes += [_notification(run) for run in assessment.runs if run.extent in _LEVELS]
    notes += [
        {
            "descriptor": {"id": one.code},
            "level": "warning",
            "message": {"text": visible(" ".join(filter(None, (one.code, one.member, one.detail))))},
        }
        for one in assessment.anomalies
    ]
    return {
        "executionSuccessful": assessment.rating.rating is not Rating.inconclusive,
        "toolExecutionNotifications": notes,
    }


def _notification(run: Run) -> dict[str, Any]:
    said = " ".join(filter(None, (f"{run.of} ({run.reader}): {run.extent}", f"{run.read}/{run.total}", run.detail)))
    note: dict[str, Any] = {"level": _LEVELS[run.extent], "message": {"text": visible(said)}}
    if run.problem:
        note["descriptor"] = {"id": run.problem}
    return note


def _about(assessment: Assessment) -> dict[str, Any]:
    """What the run was about, for who reads one log among many."""
    return {
        "appId": _plain(assessment.app_id),
        "appName": _plain(assessment.app_name),
        "version": _plain(assessment.version),
        "platform": assessment.platform.value,
        "packageSha256": assessment.package.sha256,
        "rating": assessment.rating.rating.value,
        "rule": assessment.rating.rule,
        "rubric": f"{assessment.rubric.id} {assessment.rubric.version} {assessment.rubric.digest}",
    }

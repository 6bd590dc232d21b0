"""The best that plain STIX gives: names of software, hosts of simple patterns, and a draft with gaps for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from proscribe import documents
from proscribe.canonical import Digest
from proscribe.catalogue.library import load
from proscribe.catalogue.model import (
    Confidence,
    IdentifierType,
    Selector,
    SelectorKind,
    Target,
    TargetSet,
)
from proscribe.directive.model import BannedItem, Breadth, Compromise, Directive, Force, SourceRef
from proscribe.directive.template import template
from proscribe.publish.stix import known
from proscribe.publish.stix.opening import Opened
from proscribe.terms import Platform
from proscribe.text import Text

_GAP = Text("[Title of the ban]", "[Titre de l'interdiction]")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # nobody resolved it: there is no moment
_ESCAPED = r"'((?:[^'\\]|\\['\\]){1,300})'"
_COMPARED = re.compile(rf"\s*(domain-name:value|software:name)\s*=\s*{_ESCAPED}\s*")
_OBSERVED = re.compile(r"\s*\[([^\[\]]{1,2000})\]\s*")
_HOST = re.compile(r"(?=.{4,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")


Named = tuple[tuple[IdentifierType, str], ...]


def named_in(opened: Opened) -> Named:
    """The names of software and the hosts in a bundle, each once. Patterns that cannot be read are counted."""
    return tuple(dict.fromkeys(sorted(_named(opened))))


def plain_targets(named: Named) -> TargetSet:
    """What the bundle names. Nothing in it is actionable: a name is not an identifier, a host is not an app."""
    return TargetSet(
        directive="",
        directive_version=1,
        catalogue=Digest(""),
        resolved_at=_NEVER,
        selectors=(),
        targets=tuple(_target(kind, value) for kind, value in named),
    )


def plain_directive(opened: Opened, bundle: Digest, named: Named) -> Directive:
    """A draft directive that says what the bundle says and leaves a gap in [brackets] for everything else."""
    placeholder = Selector(SelectorKind.name, "placeholder")
    text = template(f"partner-{bundle.removeprefix('sha256:')[:12]}", [placeholder], load(), today=date(1970, 1, 1))
    blank = documents.from_json(Directive, documents.parse(text))
    apps = [value for kind, value in named if kind is IdentifierType.app_name]
    return replace(
        blank,
        title=_title(opened),
        force=Force.recommended,  # what a partner decides binds nobody here
        announced=None,
        effective=None,
        items=tuple(_item(app) for app in apps),
        compromise_found=Compromise.not_addressed,
        confidence=Confidence.low,
        sources=(SourceRef(url=opened.bundle_id or bundle, kind="copy", note="STIX"),),
    )


def _title(opened: Opened) -> Text:
    for kind in ("course-of-action", "grouping"):
        items = opened.of(kind)
        if len(items) == 1:
            return known.translated(items[0], "name", opened, _GAP)
    return _GAP


def _item(app: str) -> BannedItem:
    return BannedItem(
        publisher="",
        wording=Text(app, app),
        breadth=Breadth.list,
        selectors=(Selector(SelectorKind.name, app),),
    )


def _target(kind: IdentifierType, value: str) -> Target:
    return Target(
        id=f"{kind}:{Platform.unknown}:{value}",
        type=kind,
        value=value,
        platform=Platform.unknown,
        confidence=Confidence.low,
        publisher="",
        product="",
        label=value,
        why=(Text("a partner's bundle names it", "le lot d'un partenaire le nomme"),),
        sources=(),
        actionable=False,
        not_actionable_because=Text(
            "a person must find out first which app is meant", "une personne doit d'abord établir l'application visée"
        ),
    )


def _named(opened: Opened) -> Iterator[tuple[IdentifierType, str]]:
    for item in opened.of("software"):
        if name := known.name_of(item):
            yield IdentifierType.app_name, name
    for item in opened.of("domain-name"):
        yield from _host(known.name_of(item, "value"))
    for item in opened.of("indicator"):
        yield from _of_pattern(item, opened)


def _host(value: str) -> Iterator[tuple[IdentifierType, str]]:
    host = value.lower().removesuffix(".")
    if _HOST.fullmatch(host):
        yield IdentifierType.domain, host


def _of_pattern(item: dict[str, Any], opened: Opened) -> Iterator[tuple[IdentifierType, str]]:
    """Hosts and names of a pattern that is nothing but equalities joined by OR; any other pattern is counted."""
    pattern = item.get("pattern")
    found = list(_equalities(pattern)) if isinstance(pattern, str) and item.get("pattern_type") == "stix" else []
    if not found:
        opened.kept_out.add("pattern")
    for path, value in found:
        if path == "software:name":
            name = " ".join(value.split())
            if name:
                yield IdentifierType.app_name, name[:200]
        else:
            yield from _host(value)


def _equalities(pattern: str) -> Iterator[tuple[str, str]]:
    if len(pattern) > 10_000:
        return
    found: list[tuple[str, str]] = []
    for part in pattern.split(" OR "):
        observed = _OBSERVED.fullmatch(part)
        compared = _COMPARED.fullmatch(observed[1] if observed else part.strip().strip("[]"))
        if compared is None:
            return
        found.append((compared[1], re.sub(r"\\(.)", r"\1", compared[2])))
    yield from found

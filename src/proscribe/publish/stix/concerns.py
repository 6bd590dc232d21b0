"""Why an identifier that a partner names could not be acted upon here as it stands.

A partner's word is a lead. What it calls actionable is judged again: protected apps, shapes, confidence. Whatever
passes here still goes through our own catalogue and a person's review before it can be a target.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from proscribe.catalogue.identifiers import APP_IDS, GLOBS, MATCHED, malformed
from proscribe.catalogue.model import Confidence, IdentifierType, SelectorKind, Target
from proscribe.catalogue.protected import is_protected, protected_under
from proscribe.directive.model import Directive
from proscribe.publish.stix.known import one_line
from proscribe.publish.stix.model import Proposed
from proscribe.terms import Platform
from proscribe.text import Text

MAX_VALUE = 300  # characters; the longest name an app or a host can have is 255


_ENDLESS = Text("no app or host has a name that long", "aucune application ni aucun hôte n'a un nom si long")


def proposed(target: Target) -> Proposed:
    """The identifier with our concern about it. What cannot be an identifier at all is never actionable either."""
    concern = _concern(target)
    return Proposed(target if concern is None else replace(target, actionable=False), concern)


def _concern(target: Target) -> Text | None:
    if len(target.value) > MAX_VALUE:
        return _ENDLESS
    if target.type in APP_IDS or target.type in GLOBS or target.type is IdentifierType.app_name:
        protected = _protected(target.value)
        if protected is not None:
            return protected
    return malformed(target.type, target.value) or _doubtful(target)


def _doubtful(target: Target) -> Text | None:
    if target.confidence is Confidence.low:
        return Text(
            "the partner itself gives it low confidence",
            "le partenaire lui-même lui attribue une fiabilité faible",
        )
    if target.type is IdentifierType.app_name:
        return Text(
            "a name is not an identifier: a person must confirm what it finds",
            "un nom n'est pas un identifiant\u00a0: une personne doit confirmer ce qu'il trouve",
        )
    if not target.actionable:
        return Text("the partner itself does not act upon it", "le partenaire lui-même n'agit pas en conséquence")
    if target.type not in MATCHED and target.type is not IdentifierType.domain:
        return Text("it is kept for the record only", "il n'est conservé que pour mémoire")
    return None


def _protected(value: str) -> Text | None:
    """Why an identifier or glob may never be a target, on whatever platform: a false one must not lead past it."""
    if len(value) > MAX_VALUE:
        return _ENDLESS
    value = value.strip()
    if "*" not in value:
        return is_protected(Platform.unknown, value)
    hits = [hit for platform in Platform for hit in protected_under(platform, value.partition("*")[0])]
    if not hits:
        return None
    some = ", ".join(dict.fromkeys(hits[:3]))
    return Text(f"it would hit protected apps: {some}", f"il toucherait des applications protégées\u00a0: {some}")


def selector_concerns(directive: Directive) -> Iterator[tuple[str, Text]]:
    """What the selectors of a directive name that would hit protected apps, each once."""
    named = (selector for item in directive.items for selector in item.selectors)
    values = dict.fromkeys(one.value for one in named if one.kind in (SelectorKind.glob, SelectorKind.name))
    for value in values:
        concern = _protected(value)
        if concern is not None:
            yield one_line(value), concern

"""From a directive to its target set: the catalogue's answer, narrowed to what the text itself covers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from proscribe.catalogue.library import Catalogue
from proscribe.catalogue.model import IdentifierType, Selector, Target, TargetSet
from proscribe.catalogue.resolve import resolve
from proscribe.directive.model import BannedItem, Directive, Stance
from proscribe.text import Text


def resolve_directive(directive: Directive, catalogue: Catalogue, *, now: datetime) -> TargetSet:
    """The targets of a directive, not reviewed.

    A host name may drive a change only where an item of its publisher covers web access, and an embedded component
    only where one covers embedded components: a target list must not widen the text.
    """
    resolved = resolve(
        selectors_of(directive), catalogue, now=now, directive=directive.id, directive_version=directive.version
    )
    return replace(resolved, targets=tuple(_narrowed(target, directive.items) for target in resolved.targets))


def review(resolved: TargetSet, *, by: str, on: date) -> TargetSet:
    """The same set, approved by a role on a day. Only then is a directive executable (DESIGN rule 11)."""
    return replace(resolved, reviewed_by=by, reviewed_on=on)


def selectors_of(directive: Directive) -> tuple[Selector, ...]:
    """All selectors of a directive, each once."""
    return tuple(dict.fromkeys(selector for item in directive.items for selector in item.selectors))


def _narrowed(target: Target, items: tuple[BannedItem, ...]) -> Target:
    if target.type is IdentifierType.domain:
        stances = {item.web_access for item in items if item.publisher in ("", target.publisher)}
        what = Text("web access", "l'accès Web")
    elif target.type is IdentifierType.ios_skadnetwork_id:
        stances = {item.embedded_components for item in items if item.publisher in ("", target.publisher)}
        what = Text("embedded components", "les composants intégrés")
    else:
        return target
    if Stance.included in stances or not target.actionable:
        return target
    if Stance.excluded in stances:
        reason = Text(f"the directive leaves {what.en} out", f"la directive exclut {what.fr}")
    else:
        reason = Text(
            f"the directive does not speak of {what.en}", f"la directive ne traite pas de ce point ({what.fr})"
        )
    return replace(target, actionable=False, not_actionable_because=reason)

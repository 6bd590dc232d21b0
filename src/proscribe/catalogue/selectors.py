"""Selectors as people write them: ``kind:value``, optionally ``@platform``, such as ``team:2Y8XE5CQ94``."""

from __future__ import annotations

from proscribe.catalogue.library import did_you_mean
from proscribe.catalogue.model import Selector, SelectorKind
from proscribe.errors import ProscribeError, Where
from proscribe.terms import Platform
from proscribe.text import Text


class InvalidSelector(ProscribeError):
    """Text that is not a selector."""

    code = "catalogue.selector"


def parse_selector(text: str) -> Selector:
    """``product:tencent/wechat``, ``glob:com.kaspersky.*@android``, ... Raises InvalidSelector."""
    kind, colon, value = text.partition(":")
    if not colon or not value:
        raise InvalidSelector(
            Text(f"{text!r} is not a selector", f"{text!r} n'est pas un sélecteur"),
            remedy=Text(
                "Write kind:value, for instance product:tencent/wechat, team:2Y8XE5CQ94 or glob:com.kaspersky.*.",
                "Écrivez type:valeur, par exemple product:tencent/wechat, team:2Y8XE5CQ94 ou glob:com.kaspersky.*.",
            ),
            where=Where(field="selector"),
        )
    if kind not in set(SelectorKind):
        raise InvalidSelector(
            Text(f"there is no kind of selector {kind!r}", f"il n'existe pas de type de sélecteur {kind!r}"),
            remedy=did_you_mean(
                kind,
                (one.value for one in SelectorKind),
                otherwise=Text(
                    "The kinds are: " + ", ".join(SelectorKind), "Les types sont : " + ", ".join(SelectorKind)
                ),
            ),
            where=Where(field="selector"),
        )
    # A name may hold "@" itself, so only a platform's name after it counts.
    before, _, after = value.rpartition("@")
    if before and after in set(Platform) - {Platform.unknown}:
        return Selector(SelectorKind(kind), before, Platform(after))
    return Selector(SelectorKind(kind), value)


def format_selector(selector: Selector) -> str:
    """The selector as ``parse_selector`` reads it."""
    at = f"@{selector.platform}" if selector.platform else ""
    return f"{selector.kind}:{selector.value}{at}"

"""Counted nouns in both languages: the sentences of this stage are full of them."""

from __future__ import annotations

from collections.abc import Iterable

from proscribe.enforce.model import Action
from proscribe.terms import Side
from proscribe.text import Text, plural

_FEW = 2  # app ids that a sentence can carry
_SIDES = {
    Side.work: Text(" (work side)", " (côté professionnel)"),
    Side.personal: Text(" (personal side)", " (côté personnel)"),
}


def orders(number: int) -> Text:
    """``1 order`` / ``1 ordre``."""
    return plural(number, Text("order", "ordre"), Text("orders", "ordres"))


def share(value: float) -> Text:
    """A share as a percentage, rounded down: 94.99 % must not read as 95 %."""
    tenths = int(value * 1000 + 1e-9)
    whole, tenth = divmod(tenths, 10)
    if tenth:
        return Text(f"{whole}.{tenth}%", f"{whole},{tenth} %")
    return Text(f"{whole}%", f"{whole} %")


def listed(values: Iterable[str]) -> str:
    """Names in a row, the same in both languages."""
    return ", ".join(values)


def devicewise(action: Action) -> bool:
    """Whether an order is about one device; the device is then its scope and its one holder."""
    return action.scope in action.holders


def place(action: Action) -> Text:
    """The scope of an order; with its side where a scope has two, since each has an order of its own."""
    return Text(action.scope, action.scope) + _SIDES.get(action.side, Text("", ""))


def apps(action: Action) -> Text:
    """The apps of an order: by their ids where they are few, else counted (the plan and the ledger list them)."""
    if len(action.app_ids) <= _FEW:
        return Text(listed(action.app_ids), listed(action.app_ids))
    return plural(len(action.app_ids), Text("app id", "identifiant"), Text("app ids", "identifiants"))


def block_first(action: Action, scope: str) -> Text:
    """A removal whose block is not in place yet. One sentence for all devices of the scope."""
    return Text(
        f"Removals of {action.system} wait until the block of {scope} is in place; without it the app could come back.",
        f"Des retraits de {action.system} attendent que le blocage de {scope} soit en place; sans lui, l'application "
        "pourrait revenir.",
    )


def held_back(action: Action) -> Text:
    """A removal that a records hold forbids now, whatever was planned before."""
    return Text(
        f"Removals of {action.system} wait: devices that they would reach are under a records hold. Release the hold "
        "once the records are preserved.",
        f"Des retraits de {action.system} attendent : une mise en suspens de l'élimination vise des appareils qu'ils "
        "toucheraient. Levez-la une fois les documents préservés.",
    )

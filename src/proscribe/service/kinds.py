"""Every document kind there is, by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proscribe.documents import Document

STAGES = (
    "trust",
    "catalogue",
    "assess",
    "directive",
    "decide",
    "inventory",
    "evaluate",
    "plan",
    "enforce",
    "prove",
    "publish",
    "feed",
    "service",
)


def kinds() -> dict[str, type[Document]]:
    """Every document kind, by name. A stage's documents stand in its ``model`` module."""
    from proscribe.documents import Document

    for name in (
        *(f"proscribe.{stage}.model" for stage in STAGES),
        "proscribe.assess.packs.documents",
        "proscribe.assess.rate.rubric",
        "proscribe.plan.orders",
        "proscribe.publish.notices.model",
        "proscribe.publish.stix.model",
    ):
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:  # a stage without documents has no such module; anything else is a fault
                raise
    found: dict[str, type[Document]] = {}
    waiting = list(Document.__subclasses__())
    while waiting:
        cls = waiting.pop()
        waiting.extend(cls.__subclasses__())
        if cls.__module__.startswith("proscribe.") and "KIND" in vars(cls):
            found[cls.KIND] = cls
    return dict(sorted(found.items()))

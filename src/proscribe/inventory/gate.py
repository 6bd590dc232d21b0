"""The ingest gate: which app identities may be kept at all (DESIGN rule 10).

Every distinct identity passes here once; the rows that carry it are then kept or merely counted by an integer. What
the gate turns away is never written anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from proscribe.catalogue.model import AppIdentity, TargetSet
from proscribe.inventory.model import Retention

if TYPE_CHECKING:
    from proscribe.catalogue.match import Matcher


class Gate:
    """Decides on identities. With ``Retention.all`` every one is kept; otherwise those that meet a target in any way,
    look-alikes included."""

    def __init__(self, target_sets: Sequence[TargetSet], retention: Retention) -> None:
        self._matcher: Matcher | None = None
        self._all = retention is Retention.all
        if target_sets and not self._all:
            from proscribe.catalogue.match import Matcher

            self._matcher = Matcher(target_sets)

    def keeps(self, identity: AppIdentity) -> bool:
        """Whether this identity and its installs are kept."""
        if self._all:
            return True
        return self._matcher is not None and bool(self._matcher.match(identity))

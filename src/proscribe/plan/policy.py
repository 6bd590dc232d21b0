"""The limits and waves of a plan: the defaults, and others in words, as settings and command lines give them.

The defaults, and why:

* removal from at most one device in ten: more is either a wrong target or a decision to be taken knowingly;
* reach of at most the fleet in scope: a change to a shared policy must not touch more devices than the ban covers;
* waves of 5 %, then 25 %, then the rest, each only after 95 % of the wave before is verified;
* an inventory of at most seven days, the longest refresh of a common system (Intune, per device).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from proscribe.plan.limits import UNLIMITED, parse, parse_rings
from proscribe.plan.model import Percent, Policy, Ring

DEFAULT = Policy(
    removal_limit=Percent(10.0),
    reach_limit=Percent(100.0),
    rings=(Ring("canary", Percent(5.0)), Ring("early", Percent(25.0)), Ring("rest", UNLIMITED)),
)


def from_words(
    *,
    removal_limit: str | None = None,
    reach_limit: str | None = None,
    rings: Sequence[str] = (),
    max_days: int | None = None,
    base: Policy = DEFAULT,
) -> Policy:
    """``base`` with what the words say instead; ``max_days`` is the age allowed for an inventory. Raises LimitError."""
    policy = base
    if removal_limit is not None:
        policy = replace(policy, removal_limit=parse(removal_limit, field="removal_limit"))
    if reach_limit is not None:
        policy = replace(policy, reach_limit=parse(reach_limit, field="reach_limit"))
    if rings:
        policy = replace(policy, rings=parse_rings(rings))
    if max_days is not None:
        policy = replace(policy, inventory_max_days=max_days)
    return policy

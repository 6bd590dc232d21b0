"""The simulation says and does what the real servers say and do: the same exchanges with both, written down, compared."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.simulate.nanomdm.exchanges import SCENARIOS, Site, Talk

from proscribe.simulate.apple.identity import CertificateAuthority

pytestmark = pytest.mark.servers


def readable(lines: list[Any]) -> list[str]:
    """A line each, for a difference that can be read."""
    return [json.dumps(line, default=repr, sort_keys=True) for line in lines]


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_say_the_same(name: str, real: Site, simulated: Site, authority: CertificateAuthority) -> None:
    said = []
    for site in (real, simulated):
        talk = Talk(site, authority)
        SCENARIOS[name](talk)
        said.append(readable(talk.lines))
    assert said[1] == said[0]

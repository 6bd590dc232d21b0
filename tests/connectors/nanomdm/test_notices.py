"""What is said where nobody listens to NanoMDM, or what it tells is turned away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.connectors.nanomdm.remembered import config, hours, records

from proscribe.connectors.memory import Row
from proscribe.connectors.nanomdm.notices import SILENCE, notices, unused
from proscribe.connectors.nanomdm.records import Records
from proscribe.connectors.nanomdm.roster import Place, Roster

NOW = hours(0)


def said(stored: Records, *, known: bool = True, listen: str = "127.0.0.1:9443") -> list[str]:
    found = notices(stored, config(listen=listen, webhook_key="k"), NOW, known=known)
    return [f"{problem.what.en}. {problem.remedy.en}" for problem in found]


def test_without_any_device_the_next_step_is_told() -> None:
    (words,) = said(records(), known=False)
    assert words.startswith("no device is known yet")
    assert "proscribe receive" in words
    assert "-webhook-url" in words


@pytest.mark.parametrize(("more", "told"), [(timedelta(0), 0), (timedelta(seconds=1), 1)])
def test_a_receiver_that_is_silent_for_long_is_spoken_of(more: timedelta, told: int) -> None:
    stored = records()
    stored.memory.put("receiver", [Row("heartbeat", {"at": (NOW - SILENCE - more).isoformat()})])
    assert len(said(stored)) == told
    assert said(stored, listen="") == []


def test_what_was_turned_away_is_counted_and_its_remedy_told() -> None:
    stored = records()
    assert said(stored) == []
    stored.memory.count("refused.signature", 97)
    stored.memory.count("refused.shape", 2)
    stored.memory.count("refused.size")
    stored.memory.count("taken.Connect", 5)
    forged, others = said(stored)
    assert forged.startswith("97 messages were refused so far")
    assert "-webhook-hmac-key" in forged
    assert others.startswith("3 messages were refused so far for a reason other than the signature")


def test_a_profile_of_no_group_is_pointed_out() -> None:
    roster = Roster(by_id={"A": Place(group="keepers")}, by_serial={"B": Place(group="tides")})
    files = ("all", "keepers", "tides", "Tidez")
    (problem,) = unused(files, roster, config())
    assert problem.file == "Tidez.mobileconfig"
    assert "no row of the roster" in problem.what.en

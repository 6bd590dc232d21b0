"""``proscribe exempt`` and ``proscribe hold``: the whole life of each on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click.testing
import pytest
from tests.service.conftest import START

from proscribe.canonical import digest_bytes
from proscribe.cli.exempt import command as exempt
from proscribe.cli.hold import command as hold
from proscribe.clock import ManualClock, use_clock
from proscribe.documents import digest, read
from proscribe.errors import ProscribeError
from proscribe.plan.exemptions import InvalidExemption
from proscribe.plan.holds import InvalidHold
from proscribe.plan.model import ExemptionGrant
from proscribe.service.exempting import NoRequest, RequestExists
from proscribe.service.model import ExemptionReport

DIRECTIVE = "ca-tbs-2023-wechat-kaspersky"
STRICT = "no-jd-2023-tiktok-telegram"
APART = "A separate device, not connected to the organisation's systems"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


class Desk:
    """Calls commands on one installation."""

    def __init__(self, home: Path, clock: ManualClock) -> None:
        self._home, self._clock = home, clock

    def __call__(self, group: click.Command, *arguments: str) -> click.testing.Result:
        with use_clock(self._clock):
            result = click.testing.CliRunner().invoke(group, [*arguments, "--home", str(self._home)])
        if isinstance(result.exception, ProscribeError):
            raise result.exception
        return result

    def json(self, group: click.Command, *arguments: str) -> Any:
        return json.loads(self(group, *arguments, "--json").output)


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return Desk(tmp_path / "home", clock)


def terms(*more: str, directive: str = DIRECTIVE, device: str = "amapi:1") -> tuple[str, ...]:
    dates = ("--starts", "2026-11-02", "--expires", "2026-12-01")
    return (
        "--directive",
        directive,
        "--device",
        device,
        "--ground",
        "law enforcement",
        "--requested-by",
        "branch",
        *dates,
        *more,
    )


GROUND = "Operational need"
WHY = ("--justification", "Interviews are arranged there.")


def test_requested_granted_ended_and_reported(desk: Desk, tmp_path: Path) -> None:
    said = desk(exempt, "request", "e1", *terms(), *WHY).output
    assert "exempt grant e1" in said
    (listed,) = desk.json(exempt, "list")
    assert (listed["state"], listed["approved_by"], listed["ended_at"]) == ("requested", "", None)
    assert "recorded" in desk(exempt, "grant", "e1", "--approved-by", "chief-security-officer").output
    assert "recorded before" in desk(exempt, "grant", "e1", "--approved-by", "chief-security-officer").output
    out = tmp_path / "report.json"
    told = desk.json(exempt, "report", DIRECTIVE, "--out", str(out))
    assert (told["in_force"], told["by_ground"]) == (1, {"law enforcement": 1})
    assert read(ExemptionReport, out).exemptions[0].approved_by == "chief-security-officer"
    assert "amapi" not in out.read_text("utf-8")
    assert "1 device exempt today" in desk(exempt, "report", DIRECTIVE).output
    assert "ended" in desk(exempt, "end", "e1", "--because", "over").output
    assert "ended before" in desk(exempt, "end", "e1").output
    assert desk.json(exempt, "report", DIRECTIVE)["exemptions"][0]["ended_on"] == "2026-11-02"
    assert "ended" in desk(exempt, "list").output


def test_refused_stays_refused(desk: Desk) -> None:
    desk(exempt, "request", "e1", *terms(), *WHY)
    desk(exempt, "request", "e1", *terms(), *WHY)  # the very same: nothing happens
    with pytest.raises(RequestExists):
        desk(exempt, "request", "e1", *terms(device="amapi:2"), *WHY)
    desk(exempt, "refuse", "e1", "--by", "chief-security-officer", "--because", "no need shown")
    with pytest.raises(NoRequest, match="refused by chief-security-officer"):
        desk(exempt, "grant", "e1", "--approved-by", "chief-security-officer")
    with pytest.raises(NoRequest, match="nobody asked"):
        desk(exempt, "grant", "e2", "--approved-by", "chief-security-officer")
    assert desk.json(exempt, "report", DIRECTIVE)["exemptions"][0]["state"] == "refused"


def test_who_asks_does_not_grant(desk: Desk) -> None:
    desk(exempt, "request", "e1", *terms(), *WHY)
    with pytest.raises(InvalidExemption) as error:
        desk(exempt, "grant", "e1", "--approved-by", "branch")
    assert error.value.where.field == "approved_by"


def test_a_safeguard_with_its_proof(desk: Desk, tmp_path: Path) -> None:
    invoice = tmp_path / "invoice.pdf"
    invoice.write_bytes(b"one phone")
    short = terms("--mitigation", APART, "--ground", GROUND, directive=STRICT)
    desk(exempt, "request", "e1", *short, *WHY)
    with pytest.raises(InvalidExemption) as error:
        desk(exempt, "grant", "e1", "--approved-by", "chief")
    assert error.value.where.field == "proofs"
    shown = (*short, "--proof", f"{APART}={invoice}")
    desk(exempt, "request", "e2", *shown, *WHY)
    desk(exempt, "grant", "e2", "--approved-by", "chief")
    granted = next(one for one in desk.json(exempt, "list") if one["id"] == "e2")
    assert granted["proofs"] == [{"mitigation": APART, "digest": digest_bytes(b"one phone"), "what": "invoice.pdf"}]
    line = next(one for one in desk.json(exempt, "report", STRICT)["exemptions"] if one["id"] == "e2")
    assert line["proven"] == [APART]
    assert desk(exempt, "add", "e3", *terms("--proof", "nothing"), "--approved-by", "chief").exit_code == 2
    with pytest.raises(ProscribeError, match=r"nowhere\.pdf"):
        desk(exempt, "add", "e3", *terms("--proof", "x=nowhere.pdf"), "--approved-by", "chief")


def test_renewed_near_its_end_and_shown_as_a_chain(desk: Desk, clock: ManualClock) -> None:
    desk(exempt, "add", "e1", *terms(), "--approved-by", "chief")
    clock.advance(days=29)
    later = list(terms())
    later[later.index("2026-11-02")], later[later.index("2026-12-01")] = "2026-12-02", "2027-03-01"
    with pytest.raises(InvalidExemption, match="had exemption e1"):
        desk(exempt, "add", "e2", *later, "--approved-by", "chief")
    desk(exempt, "add", "e2", *later, "--renews", "e1", "--approved-by", "chief")
    lines = desk.json(exempt, "report", DIRECTIVE)["exemptions"]
    assert [(one["state"], one["since"], one["renewals"]) for one in lines] == [
        ("in_force", "2026-11-02", 0),
        ("to_come", "2026-11-02", 1),
    ]
    clock.advance(days=2)
    assert [one["state"] for one in desk.json(exempt, "list")] == ["expired", "in_force"]


def test_the_document_to_be_signed_is_the_one_that_is_granted(desk: Desk, tmp_path: Path) -> None:
    desk(exempt, "request", "e1", *terms(), *WHY)
    out = tmp_path / "e1.json"
    said = desk(exempt, "grant", "e1", "--approved-by", "chief", "--out", str(out)).output
    assert "proscribe sign" in said
    assert desk.json(exempt, "list")[0]["state"] == "requested"
    first = digest(read(ExemptionGrant, out))
    desk(exempt, "grant", "e1", "--approved-by", "chief", "--out", str(out))
    assert digest(read(ExemptionGrant, out)) == first


def test_a_hold_on_a_users_devices(desk: Desk, tmp_path: Path) -> None:
    listing = tmp_path / "devices.csv"
    listing.write_text("user,device\nu-7,amapi:1\nu-7,amapi:2\nu-8,amapi:3\n", "utf-8")
    grounds = ("--authority", "access request", "--placed-by", "records officer")
    result = desk(hold, "add", "case-7", "--user", "u-7", "--devices-of", str(listing), *grounds)
    assert "2 devices of u-7" in result.output
    assert "! The newest snapshot has no device amapi:2" in result.output
    assert (
        "already been placed"
        in desk(hold, "add", "case-7", "--user", "u-7", "--devices-of", str(listing), *grounds).output
    )
    (listed,) = desk.json(hold, "list")
    assert (listed["user"], listed["devices"], listed["released_at"]) == ("u-7", ["amapi:1", "amapi:2"], None)
    assert "u-7" in desk(hold, "list").output
    assert desk(hold, "add", "case-8", "--user", "u-7", *grounds).exit_code == 2
    with pytest.raises(InvalidHold):
        desk(hold, "add", "case-8", *grounds)
    said = desk(
        hold, "release", "case-7", "--disposal-authority", "2016/001", "--released-by", "records officer"
    ).output
    assert "next tick" in said
    assert "will delete" not in said
    assert "already been released" in desk(hold, "release", "case-7", "--disposal-authority", "2016/001").output
    assert desk.json(hold, "list")[0]["released_at"]


def test_a_release_without_a_disposal_authority_is_refused(desk: Desk) -> None:
    desk(hold, "add", "case-1", "--device", "amapi:1", "--authority", "a", "--placed-by", "b")
    assert desk(hold, "release", "case-1").exit_code == 2
    with pytest.raises(InvalidHold) as refused:
        desk(hold, "release", "case-1", "--disposal-authority", " ")
    assert refused.value.where.field == "disposal_authority"
    assert desk.json(hold, "list")[0]["released_at"] is None

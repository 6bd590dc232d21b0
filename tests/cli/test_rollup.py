"""acknowledge, sign, attest, rollup: as they are typed, by a department and by its authority."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.service.conftest import DIRECTIVE, START, World, open_world
from tests.trust.conftest import listed

from proscribe.canonical import digest_bytes
from proscribe.cli.rollup_view import show_rollup
from proscribe.cli.root import root
from proscribe.documents import digest, from_json
from proscribe.enforce.model import Outcome
from proscribe.feed.model import Attestation, DepartmentHeads, DepartmentRow, DepartmentStanding, Rollup
from proscribe.service import attesting, inventory, rolling, trusting
from proscribe.service.installation import open_installation
from proscribe.simulate.amapi import FleetSpec
from proscribe.text import Text, set_language
from proscribe.trust.envelope import prepare, sign
from proscribe.trust.keys import new_pair, write_pair
from proscribe.trust.model import KeyList, Rule, Scheme

DEADLINES = ("--acknowledge-by", "2026-11-20", "--attest-by", "2026-11-20")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A department that carried a directive out; every command comes after that."""
    with open_world(FleetSpec(devices=40, start=START), tmp_path_factory.mktemp("department")) as world:
        settings = world.home / "proscribe.toml"
        settings.write_text('department = "tides"\n' + settings.read_text("utf-8"), "utf-8")
        inventory.observe(world.open())
        world.apply()
        world.settle(days=1)
        yield world


@pytest.fixture(scope="module")
def office(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority's home, with a key list, and the keys of two seats beside it."""
    folder = tmp_path_factory.mktemp("authority")
    pairs = {seat: new_pair(Scheme.ed25519) for seat in ("cio", "tides/cio")}
    for seat, pair in pairs.items():
        write_pair(pair, folder / f"{seat.replace('/', '.')}.pem", None, plain=True)
    keys = KeyList(
        organisation=Text("Office", "Bureau"),
        version=1,
        issued=START,
        expires=START + timedelta(days=365),
        keys=tuple(listed(pair, seat, "department" if "/" in seat else "officer") for seat, pair in pairs.items()),
        rules=(
            Rule(kinds=(KeyList.KIND,), roles=("officer",), threshold=1),
            Rule(
                kinds=("proscribe.acknowledgement", Attestation.KIND, "proscribe.challenge-answer"),
                roles=("department",),
                threshold=1,
            ),
        ),
    )
    signed = sign(prepare(keys, by="legal", at=START), pairs["cio"].signer())
    home = folder / "home"
    trusting.install(open_installation(home, actor="authority", clock=world.clock), signed, pin=digest(keys))
    return home


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Type a command; its exit status and what it printed on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def typed(*words: object) -> tuple[int, str]:
        status = root.main([str(word) for word in words], prog_name="proscribe", standalone_mode=False)
        return (status if isinstance(status, int) else 0), capsys.readouterr().out

    return typed


def test_a_department_and_its_authority_from_end_to_end(run: Run, world: World, office: Path, tmp_path: Path) -> None:
    here, there = ("--home", world.home), ("--home", office)
    key = ("--key", f"file:{office.parent / 'tides.cio.pem'}")
    ack, att, proof = tmp_path / "ack.json", tmp_path / "att.dsse.json", tmp_path / "proof.zip"

    status, said = run("rollup", "show", DIRECTIVE, *DEADLINES, *there)
    assert status == 2
    assert "waiting" in said
    _, said = run(
        *("acknowledge", DIRECTIVE, "--owner", "cio", "--unmanaged", 3, "--byod", "none", "--out", ack, *here)
    )
    assert "tides acknowledges" in said
    run("sign", ack, *key, "--by", "tides/mobility")
    _, said = run(
        *("attest", DIRECTIVE, "--signed-off-by", "cio", "--by", "tides/mobility", *key),
        *("--proof", proof, "--out", att, *here),
    )
    assert "signatures in it: 1" in said
    assert "too few of each to count apart" in said
    _, said = run("attest", att, *key, *here)  # the same seat again: still one
    assert "signatures in it: 1" in said

    status, said = run("rollup", "receive", tmp_path / "ack.dsse.json", att, *there)
    assert status == 0
    assert "tides: proscribe.attestation" in said
    assert "known already" in run("rollup", "receive", att, *there)[1]
    status, said = run("rollup", "show", DIRECTIVE, *DEADLINES, *there)
    assert status == 0
    assert "attested 1." in said
    status, said = run("rollup", "check", "tides", proof, *there)
    assert (status, "The proof holds" in said) == (0, True)

    drawn = tmp_path / "drawn"
    _, said = run("rollup", "challenge", DIRECTIVE, "--random", 3, "--entries", 5, "--to", drawn, *there)
    assert "5 entries" in said
    answer = tmp_path / "answer.json"
    assert "5 entries" in run("rollup", "answer", drawn / "tides.json", "--out", answer, *here)[1]
    run("sign", answer, *key, "--by", "tides/mobility")
    assert run("rollup", "receive", tmp_path / "answer.dsse.json", *there)[0] == 0
    short = json.loads(answer.read_text("utf-8"))
    short["entries"].pop()
    answer.write_text(json.dumps(short), "utf-8")
    run("sign", answer, *key, "--by", "tides/mobility", "--out", tmp_path / "false.dsse.json")
    status, said = run("rollup", "receive", tmp_path / "false.dsse.json", *there)
    assert status == 2
    assert "! entry" in said
    status, said = run("rollup", "show", DIRECTIVE, *DEADLINES, *there)
    assert status == 2
    assert "! tides: the re-check failed" in said

    heads = tmp_path / "heads.json"
    assert "heads: 1" in run("rollup", "heads", "--out", heads, *there)[1]
    assert set(from_json(DepartmentHeads, json.loads(heads.read_text("utf-8"))).heads) == {"tides"}
    status, said = run("rollup", "show", DIRECTIVE, *DEADLINES, "--json", *there)
    assert from_json(Rollup, json.loads(said)).rows[0].standing is DepartmentStanding.inconsistent


def test_departments_may_be_listed_in_a_file(run: Run, office: Path, tmp_path: Path) -> None:
    listed = tmp_path / "departments.txt"
    listed.write_text("fog\n\nlamps\n", "utf-8")
    _, said = run("rollup", "show", DIRECTIVE, *DEADLINES, "--departments", listed, "--json", "--home", office)
    assert {row["department"] for row in json.loads(said)["rows"]} == {"fog", "lamps"}


def test_what_is_missing_on_the_line_is_said(run: Run, world: World, office: Path, tmp_path: Path) -> None:
    import click

    for words in (
        ("attest", DIRECTIVE, "--home", world.home),
        ("rollup", "challenge", DIRECTIVE, "--to", tmp_path, "--home", office),
        ("rollup", "challenge", DIRECTIVE, "--to", tmp_path, "--random", 1, "--department", "a", "--home", office),
    ):
        with pytest.raises(click.UsageError):
            run(*words)


def test_the_help_names_the_floor_and_the_numbers_that_the_service_takes() -> None:
    from proscribe.cli import attest, rollup

    shown = next(one for one in attest.command.params if one.name == "floor")
    assert f"; {attesting.FLOOR} in the first" in str(getattr(shown, "help", ""))
    assert rollup._ENTRIES == rolling.ENTRIES


# --- a hundred rows in eighty columns


def hundred() -> Rollup:
    standings = [*DepartmentStanding] + [DepartmentStanding.attested] * 92
    names = [f"department-of-fisheries-and-oceans-{n}" for n in range(100)]
    rows = tuple(
        DepartmentRow(
            department=name,
            standing=standing,
            why=(Text("something is wrong here", "quelque chose ne va pas"),) if n < 4 else (),
            acknowledged_at=None,
            attested_at=None,
            attestations=1,
            devices=None if standing is DepartmentStanding.silent else 12_345,
            by_outcome={Outcome.absent_verified: 12_000, Outcome.failed: 300},
            unmanaged=None if n == 7 else 1_234,
            exempt=0,
            together=45,
        )
        for n, (name, standing) in enumerate(zip(names, standings, strict=True))
    )
    day = START.date()
    return Rollup("ban", digest_bytes(b"x"), START, day, day, rows, {DepartmentStanding.attested: 93}, {}, 4455)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_hundred_departments_fit_a_terminal_of_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    set_language("fr" if language == "fr" else "en")
    show_rollup(hundred())
    lines = capsys.readouterr().out.splitlines()
    table = [line for line in lines if "│" in line]
    assert len(table) == 100  # one line each: no name is folded
    assert max(map(len, lines[:5] + table)) <= 110
    assert max(map(len, table)) <= 80
    first, *_ = (line for line in lines if "12" in line or "345" in line)
    assert ("Not known" in lines[2]) or ("Inconnu" in lines[2])  # what is not known comes before any count
    assert lines.index(first) < lines.index(table[0])
    assert "?" in next(line for line in table if "SILENT" in line or "MUET" in line)

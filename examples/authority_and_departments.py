"""An authority and its departments on one machine: publish, pull, adopt, act, attest, roll up.

    python examples/authority_and_departments.py --departments 100

Each department is a real installation: its own home folder, database, ledger and keys, and a small fleet of phones
behind a simulated management service that speaks the Android Management API. The counts it attests to come from there.

Three departments misbehave. One says nothing. One takes phones that kept the app out of its management system before it
attests. One attests, puts an old copy of its database back, and attests again. The authority has to find these three
and accuse nobody else; then it draws ledger entries of some others at random and checks their answers. The exit status
is 0 only if all of that is so.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

from proscribe import store
from proscribe.canonical import Digest
from proscribe.cli.rollup_view import show_rollup
from proscribe.clock import ManualClock, use_clock
from proscribe.directive.library import find, target_set
from proscribe.documents import Document, digest, to_bytes, to_json
from proscribe.enforce.model import Outcome
from proscribe.feed import repository, statement
from proscribe.feed.model import DepartmentStanding, Rollup
from proscribe.feed.seats import Seats, public_key
from proscribe.service import attesting, enforcing, feeding, inventory, planning, rolling, standing, trusting
from proscribe.service.installation import Installation, open_installation
from proscribe.simulate.amapi import AmapiSimulator, FleetSpec, make_fleet
from proscribe.terms import Enrolment
from proscribe.text import Text
from proscribe.trust.envelope import envelope_bytes, prepare, sign
from proscribe.trust.keys import KeyPair, new_pair, open_signer, write_pair
from proscribe.trust.model import KeyList, PublicKey, Rule, Scheme, SignedDocument, Storage

DIRECTIVE = "ca-tbs-2023-wechat-kaspersky"
ENTERPRISE = "enterprises/lighthouses"
START = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
ATTESTED = START + timedelta(days=5)
JUDGED = START + timedelta(days=20)
ACKNOWLEDGE_BY = (START + timedelta(days=7)).date()
ATTEST_BY = (START + timedelta(days=14)).date()
OFFICERS = ("cio", "security", "legal")
FEED = "authority"


class Conduct(Enum):
    """How a department behaves, and how the authority should find it."""

    honest = DepartmentStanding.attested
    silent = DepartmentStanding.silent
    inconsistent = DepartmentStanding.inconsistent
    forked = DepartmentStanding.forked


@dataclass(frozen=True)
class Stage:
    """Where everything lies."""

    folder: Path
    key_list: Digest

    @property
    def feed(self) -> Path:
        return self.folder / "feed"

    def key(self, seat: str) -> Path:
        return self.folder / "keys" / f"{seat.replace('/', '.')}.pem"

    def post(self, name: str) -> Path:
        """The post between a department and the authority: files, carried by whoever."""
        path = self.folder / "post" / name
        path.mkdir(parents=True, exist_ok=True)
        return path


@dataclass(frozen=True)
class Department:
    """One department."""

    number: int
    conduct: Conduct

    @property
    def name(self) -> str:
        return f"department-{self.number:03}"

    @property
    def seats(self) -> tuple[str, str]:
        """Who prepares and who signs: not the same."""
        return f"{self.name}/mobility", f"{self.name}/cio"

    def fleet(self) -> FleetSpec:
        """Its phones; the same each time it is asked."""
        return FleetSpec(devices=12 + self.number * 7 % 24, seed=self.number, departments=("Lamps",), start=START)


@dataclass(frozen=True)
class Truth:
    """What a department knows of itself and does not tell: the figures the authority's are held against."""

    department: str
    in_scope: int
    verified: int
    clean: int  # phones without a banned app, as the simulator knows
    seconds: float


# --- a department, in a process of its own


@contextmanager
def at_work(
    stage: Stage, one: Department, moment: datetime
) -> Iterator[tuple[Installation, AmapiSimulator, ManualClock]]:
    """A department's installation with its phones, at a moment."""
    home, clock = stage.folder / one.name, ManualClock(moment)
    home.mkdir(exist_ok=True)
    with use_clock(clock), AmapiSimulator(make_fleet(one.fleet()), clock, tokens=["token"]) as simulator:
        first_root = stage.feed / "public" / "metadata" / "1.root.json"
        (home / "proscribe.toml").write_text(
            f'department = "{one.name}"\n'
            f'[feeds.{FEED}]\nsource = "{stage.feed / "public"}"\nroot = "{first_root}"\n'
            f'key_list = "{stage.key_list}"\nadopt = "approved"\napprovers = ["cio"]\n'
            f'[systems.android]\nconnector = "amapi"\nenterprise = "{ENTERPRISE}"\n'
            f'endpoint = "{simulator.endpoint}"\ntoken = "token"\n',
            encoding="utf-8",
        )
        yield open_installation(home, actor="cio", clock=clock), simulator, clock


def join(stage: Stage, one: Department) -> str:
    """Pull the feed, adopt the directive, look at the phones, acknowledge."""
    with at_work(stage, one, START + timedelta(hours=1)) as (installation, _, clock):
        report = feeding.pull(installation, FEED)
        if report.refused or len(report.cases) != 1:
            raise AssertionError(report)
        feeding.adopt(installation, FEED, DIRECTIVE)
        inventory.observe(installation)
        if one.conduct is not Conduct.silent:
            given = attesting.acknowledge(
                installation, DIRECTIVE, owner="cio", byod=Text("none", "aucun"), unmanaged=one.number % 3
            )
            prepared = prepare(given, by=one.seats[0], at=clock.now())
            signed = sign(prepared, open_signer(f"file:{stage.key(one.seats[1])}"))
            send(stage.post("in") / f"{one.name}.1.dsse.json", signed)
        store.close()
    return one.name


def act(stage: Stage, one: Department) -> Truth:
    """Plan, apply, let days pass, see what is true, attest."""
    started = time.monotonic()
    home, copy = stage.folder / one.name, stage.folder / f"{one.name}.copy"
    if one.conduct is Conduct.forked:
        shutil.copytree(home, copy)
    with at_work(stage, one, START + timedelta(days=1)) as (installation, simulator, clock):
        enforce(installation, clock)
        if one.conduct is Conduct.inconsistent:
            for name in holders(simulator):
                del simulator.fleet.devices[name]
            enforcing.tick(installation)
        attest(stage, one, installation, "2")
        truth = truth_of(one, installation, simulator, started)
        store.close()
    if one.conduct is Conduct.forked:
        shutil.rmtree(home)
        copy.rename(home)
        with at_work(stage, one, START + timedelta(days=2)) as (installation, _, clock):
            enforce(installation, clock)
            attest(stage, one, installation, "3")
            store.close()
    return truth


def enforce(installation: Installation, clock: ManualClock) -> None:
    choices = planning.Choices(removal_limit="unlimited", rings=("all=unlimited",))
    plan = planning.propose(installation, DIRECTIVE, choices)
    enforcing.apply(installation, plan, approved=True)
    for hours in (6, 18, 48):
        clock.advance(hours=hours)
        enforcing.tick(installation)


def holders(simulator: AmapiSimulator) -> list[str]:
    """Company phones that still have a banned app on them."""
    banned = {target.value for target in target_set(find(DIRECTIVE), now=START).targets}
    return [
        name
        for name, phone in simulator.fleet.devices.items()
        if phone.enrolment is not Enrolment.byod and banned & set(phone.apps)
    ]


def attest(stage: Stage, one: Department, installation: Installation, number: str) -> None:
    given = attesting.attest(installation, DIRECTIVE, signed_off_by="cio")
    prepared = statement.prepare(given, by=one.seats[0], at=installation.clock.now())
    signed = statement.sign(prepared, open_signer(f"file:{stage.key(one.seats[1])}"))
    send(stage.post("in") / f"{one.name}.{number}.dsse.json", signed)


def truth_of(one: Department, installation: Installation, simulator: AmapiSimulator, started: float) -> Truth:
    report = standing.status(installation, DIRECTIVE)
    company = [phone for phone in simulator.fleet.devices.values() if phone.enrolment is not Enrolment.byod]
    return Truth(
        department=one.name,
        in_scope=len(company),
        verified=report.compliant,
        clean=len(company) - len(holders(simulator)),
        seconds=time.monotonic() - started,
    )


def answer(stage: Stage, one: Department) -> str:
    """Answer what the authority drew."""
    with at_work(stage, one, JUDGED + timedelta(hours=1)) as (installation, _, clock):
        challenge = attesting.read_challenge(installation, stage.post("out") / f"{one.name}.dsse.json", issuer=FEED)
        prepared = prepare(attesting.answer(installation, challenge), by=one.seats[0], at=clock.now())
        signed = sign(prepared, open_signer(f"file:{stage.key(one.seats[1])}"))
        send(stage.post("in") / f"{one.name}.9.dsse.json", signed)
        store.close()
    return one.name


def look_at_the_heads(stage: Stage, one: Department) -> tuple[str, tuple[str, ...]]:
    """Pull once more: the feed carries the heads the authority holds, and a ledger knows whether it had that head."""
    with at_work(stage, one, JUDGED + timedelta(hours=2)) as (installation, _, _clock):
        report = feeding.pull(installation, FEED)
        store.close()
    return one.name, tuple(text.en for text in report.proposals if "tree head" in text.en)


def send(path: Path, signed: SignedDocument) -> None:
    path.write_bytes(envelope_bytes(signed))


# --- the authority, in this process


class Authority:
    """The authority: three officers, their feed, and an installation that receives."""

    def __init__(self, folder: Path, departments: list[Department]) -> None:
        self.departments = departments
        (folder / "keys").mkdir(parents=True)
        self.pairs = {seat: new_pair(Scheme.ed25519) for seat in (*OFFICERS, "snapshot", "timestamp")}
        theirs = {one.seats[1]: new_pair(Scheme.ed25519) for one in departments}
        self.keys = self._key_list(theirs)
        self.stage = Stage(folder, digest(self.keys))
        for seat, pair in theirs.items():
            write_pair(pair, self.stage.key(seat), None, plain=True)
        self.clock = ManualClock(START)
        self.installation = open_installation(folder / "authority", actor="authority", clock=self.clock)
        trusting.install(self.installation, self.signed(self.keys), pin=self.stage.key_list)

    def _key_list(self, theirs: dict[str, KeyPair]) -> KeyList:
        def line(seat: str, pair: KeyPair, role: str) -> PublicKey:
            return PublicKey(
                id=pair.id,
                scheme=pair.scheme,
                public=pair.public,
                holder=seat,
                roles=(role,),
                storage=Storage.plain_file,
                valid_from=START - timedelta(days=1),
                valid_until=START + timedelta(days=365),
            )

        own = ("proscribe.key-list", "proscribe.directive", "proscribe.target-set")
        sent = ("proscribe.acknowledgement", "proscribe.attestation", "proscribe.challenge-answer")
        return KeyList(
            organisation=Text("Office of Lighthouses (fictional)", "Bureau des phares (fictif)"),
            version=1,
            issued=START,
            expires=START + timedelta(days=365),
            keys=(
                *(line(seat, self.pairs[seat], "officer") for seat in OFFICERS),
                *(line(seat, pair, "department") for seat, pair in theirs.items()),
            ),
            rules=(
                Rule(kinds=own, roles=("officer",), threshold=2),
                Rule(kinds=("proscribe.challenge",), roles=("officer",), threshold=1),
                Rule(kinds=sent, roles=("department",), threshold=1),
            ),
        )

    def signed(self, document: Document) -> SignedDocument:
        """Prepared by the one officer, signed by the two others."""
        made = prepare(document, by="legal", at=self.clock.now())
        for seat in ("cio", "security"):
            made = sign(made, self.pairs[seat].signer())
        return made

    def publish(self, items: dict[str, bytes]) -> None:
        seats = [*OFFICERS[:2], "snapshot", "timestamp"]
        signers = [self.pairs[seat].signer() for seat in seats]
        repository.publish(self.stage.feed, items, signers, now=self.clock.now())

    def open_feed(self) -> None:
        """The directive and its reviewed targets, each signed by two officers, in a feed that needs two as well."""
        people = tuple(public_key(self.pairs[seat].public) for seat in OFFICERS)
        alone = {role: Seats((public_key(self.pairs[role].public),), 1) for role in ("snapshot", "timestamp")}
        seats = {"root": Seats(people, 2), "targets": Seats(people, 2), **alone}
        repository.init(self.stage.feed, seats, now=self.clock.now())
        directive = find(DIRECTIVE)
        found = target_set(directive, now=self.clock.now())
        targets = replace(found, reviewed_by="security", reviewed_on=self.clock.now().date())
        self.publish(
            {
                "keys/key-list/1.dsse.json": envelope_bytes(self.signed(self.keys)),
                f"directives/{DIRECTIVE}/{directive.version}.dsse.json": envelope_bytes(self.signed(directive)),
                f"target-sets/{DIRECTIVE}/1.dsse.json": envelope_bytes(self.signed(targets)),
            }
        )

    def receive(self) -> int:
        """Take in what came by post; how many files were new."""
        files = sorted(self.stage.post("in").glob("*.dsse.json"))
        came = [rolling.receive(self.installation, rolling.read_signed(file)) for file in files]
        wrong = [fault for one in came for fault in one.wrong]
        if wrong:
            raise AssertionError(wrong)
        return sum(not one.known for one in came)

    def roll_up(self) -> Rollup:
        return rolling.rollup(
            self.installation,
            DIRECTIVE,
            rolling.departments_of(self.installation),
            acknowledge_by=ACKNOWLEDGE_BY,
            attest_by=ATTEST_BY,
        )

    def draw(self, found: Rollup, number: int) -> list[Department]:
        """Draw departments among those that attested in good order, and entries of each."""
        good = [row.department for row in found.rows if row.standing is DepartmentStanding.attested]
        chosen = rolling.drawn(good, number)
        due = (JUDGED + timedelta(days=14)).date()
        for name in chosen:
            issued = rolling.challenge(self.installation, DIRECTIVE, name, due=due)
            send(self.stage.post("out") / f"{name}.dsse.json", self.signed(issued))
        return [one for one in self.departments if one.name in chosen]


# --- the story


def main(arguments: list[str] | None = None) -> int:
    """Play it. Returns 0 if everybody was judged rightly."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--departments", type=int, default=100)
    parser.add_argument("--rechecks", type=int, default=10)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="write the roll-up to this file")
    asked = parser.parse_args(arguments)
    conducts = {2: Conduct.silent, 4: Conduct.inconsistent, 6: Conduct.forked}
    departments = [Department(n, conducts.get(n, Conduct.honest)) for n in range(1, max(asked.departments, 7) + 1)]
    with tempfile.TemporaryDirectory(prefix="proscribe-") as folder:
        return play(Path(folder), departments, asked)


def play(folder: Path, departments: list[Department], asked: argparse.Namespace) -> int:
    laps = Laps()
    authority = Authority(folder, departments)
    stage = authority.stage
    authority.open_feed()
    laps.done(f"authority: {len(authority.keys.keys)} keys, feed with a signed directive")
    context = multiprocessing.get_context("spawn")
    with use_clock(authority.clock), ProcessPoolExecutor(asked.processes, mp_context=context) as pool:
        many = [stage] * len(departments)
        list(pool.map(join, many, departments))
        authority.clock.advance(days=1)
        laps.done(f"departments: pulled, adopted, acknowledged ({authority.receive()} papers)")
        early = authority.roll_up()
        print("  on the second day:", {one.value: count for one, count in early.standings.items()})
        truths = list(pool.map(act, many, [one for one in departments if one.conduct is not Conduct.silent]))
        authority.clock.advance(seconds=(JUDGED - authority.clock.now()).total_seconds())
        laps.done(f"departments: planned, applied, attested ({authority.receive()} papers)")
        found = authority.roll_up()
        laps.done("authority: rolled up")
        drawn = authority.draw(found, asked.rechecks)
        list(pool.map(answer, [stage] * len(drawn), drawn))
        authority.clock.advance(hours=2)
        laps.done(f"re-check: {len(drawn)} departments drawn, {authority.receive()} answers hold")
        held = rolling.heads(authority.installation, [one.name for one in departments])
        authority.publish({"heads/departments.json": to_bytes(held)})
        witnesses = [one for one in departments if one.conduct is Conduct.forked or one.number in (1, 3)]
        warned = dict(pool.map(look_at_the_heads, [stage] * len(witnesses), witnesses))
        laps.done(f"feed: {len(held.heads)} tree heads published, {len(witnesses)} departments compared theirs")
        found = authority.roll_up()
    show_rollup(found)
    if asked.json is not None:
        asked.json.write_text(json.dumps(to_json(found), ensure_ascii=False, indent=2), encoding="utf-8")
    faults = [*judged(found, departments), *counted(found, truths, departments), *warnings(warned, departments)]
    if sum(row.rechecked_at is not None for row in found.rows) != len(drawn):
        faults.append("a re-check is missing")
    for fault in faults:
        print("WRONG:", fault)
    slowest = max(truths, key=lambda one: one.seconds)
    print(f"\nPhones: {sum(one.in_scope for one in truths)}; slowest department {slowest.seconds:.1f} s.")
    print(f"{len(departments)} departments in {laps.total():.1f} s on {asked.processes} processes.")
    print("All three found, nobody else accused." if not faults else "Not as it should be.")
    return 1 if faults else 0


def judged(found: Rollup, departments: list[Department]) -> Iterator[str]:
    """Each department must stand where its conduct puts it."""
    rows = {row.department: row for row in found.rows}
    for one in departments:
        row = rows[one.name]
        if row.standing is not one.conduct.value:
            yield f"{one.name} ({one.conduct.name}) stands as {row.standing.value}: {[why.en for why in row.why]}"


def counted(found: Rollup, truths: list[Truth], departments: list[Department]) -> Iterator[str]:
    """What honest departments attested to against what is true of their phones."""
    rows = {row.department: row for row in found.rows}
    honest = {one.name for one in departments if one.conduct is Conduct.honest}
    for truth in truths:
        row = rows[truth.department]
        verified = sum(count for outcome, count in row.by_outcome.items() if outcome.compliant)
        if truth.department not in honest:
            continue
        if row.devices != truth.in_scope or sum(row.by_outcome.values()) + row.together != row.devices:
            yield f"{row.department} attests to {row.devices} of {truth.in_scope} phones"
        if not verified <= truth.verified <= truth.clean:
            yield f"{row.department}: {verified} attested, {truth.verified} verified, {truth.clean} clean"
        if row.by_outcome.get(Outcome.unknown):
            yield f"{row.department} has phones nobody can judge"


def warnings(warned: dict[str, tuple[str, ...]], departments: list[Department]) -> Iterator[str]:
    """The heads in the feed tell the department with the forked ledger, and disquiet no other."""
    for one in departments:
        if one.name in warned and bool(warned[one.name]) is not (one.conduct is Conduct.forked):
            yield f"{one.name} ({one.conduct.name}) was told of the heads: {warned[one.name]}"


class Laps:
    """Wall time, chapter by chapter."""

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()

    def done(self, what: str) -> None:
        now = time.monotonic()
        print(f"{now - self._last:7.1f} s  {what}", flush=True)
        self._last = now

    def total(self) -> float:
        return time.monotonic() - self._start


if __name__ == "__main__":
    sys.exit(main())

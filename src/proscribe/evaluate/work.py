"""The integer tables of one evaluation, made in order: classify the devices, find the apps, compare with before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from proscribe.catalogue.match import Matcher
from proscribe.evaluate import database
from proscribe.evaluate.model import Drift, FindingKey, Presence
from proscribe.evaluate.standing import (
    CLOCK_SKEW_SECONDS,
    Age,
    Grade,
    Reach,
    Standing,
    eras,
    grade,
    moment,
    reach_of_class,
    reach_of_department,
)
from proscribe.evaluate.targets import APP_COLUMNS, WATCH_COLUMNS, Ban, Codes, watched, watches
from proscribe.inventory.model import Snapshot, Visibility
from proscribe.terms import Enrolment, Platform

PRESENCES = tuple(Presence)
DRIFTS = tuple(Drift)

NO_LIST_REMARK = "no-app-reports"
"""The remark by which an importer says that a device came without an app list (``inventory.sightings``)."""

CONTAINED_REMARK = "contained:"
"""Prefix of the remark by which a source says that an app is listed and cannot be launched; the app id follows."""

EVERY_BAN = -1
"""Stands for "whatever is banned" in the tables of grades: what is out of sight apart from any directive."""


@dataclass
class Work:
    """The tables of one evaluation while they are made."""

    connection: Any
    snapshot: Snapshot
    bans: tuple[Ban, ...]
    now: datetime
    codes: Codes = field(default_factory=Codes)
    standings: tuple[Standing, ...] = ()
    grades: dict[tuple[int, int], Grade] = field(default_factory=dict)  # by (ban, standing)

    def __post_init__(self) -> None:
        self._matcher = Matcher([ban.targets for ban in self.bans])

    def classify(self) -> None:
        """Tables ``device``, ``standing``, ``department``, ``grade``, ``place``: what holds before any app is seen."""
        database.attach(self.connection, self.snapshot)
        moments = eras((ban.directive.effective for ban in self.bans), self.now)
        script = database.query("devices").format(
            now=int(self.now.timestamp()),
            skew=CLOCK_SKEW_SECONDS,
            eras=" + ".join(f"CASE WHEN observed >= {second} THEN 1 ELSE 0 END" for second in moments) or "0",
            no_list=NO_LIST_REMARK,
        )
        self.connection.execute(script)
        self.standings = tuple(
            Standing(
                code, system, Platform(platform), Enrolment(enrolment), Visibility(sees), ids, listed, Age(age), era
            )
            for code, system, platform, enrolment, sees, ids, listed, age, era in self.connection.execute(
                "SELECT standing, system, platform, enrolment, sees, gives_ids, listed, age, era FROM standing"
            ).fetchall()
        )
        grade_rows: list[tuple[Any, ...]] = []
        place_rows: list[tuple[int, int, bool]] = []
        departments = self.connection.execute("SELECT department, name FROM department").fetchall()
        for ban in self.bans:
            applies = ban.directive.applies
            since = _era_of(ban, moments)
            for standing in self.standings:
                reach = reach_of_class(applies, standing.platform, standing.enrolment)
                if reach is not Reach.outside:
                    given = self.grades[ban.code, standing.code] = grade(standing, since)
                    grade_rows.append(_grade_row(ban.code, standing, given, unsure=reach is Reach.unsure))
            for code, name in departments:
                reach = reach_of_department(applies, name)
                if reach is not Reach.outside:
                    place_rows.append((ban.code, code, reach is Reach.unsure))
        for standing in self.standings:
            given = self.grades[EVERY_BAN, standing.code] = grade(standing, 0)
            grade_rows.append(_grade_row(EVERY_BAN, standing, given, unsure=False))
        place_rows.extend((EVERY_BAN, code, False) for code, _ in departments)
        columns = {"ban": "INTEGER", "standing": "INTEGER", "presence": "INTEGER"}
        flags = dict.fromkeys(("invisible", "aged", "proves_absence", "unsure"), "BOOLEAN")
        database.create(self.connection, "grade", {**columns, **flags}, grade_rows)
        place = {"ban": "INTEGER", "department": "INTEGER", "unsure": "BOOLEAN"}
        database.create(self.connection, "place", place, place_rows)

    def find(self) -> None:
        """Tables ``hit``, ``finding``, ``violator``, ``sighting``, ``tally``: what was seen where."""
        self._watch(self.snapshot, "")
        self._contained()
        self.connection.execute(database.query("findings"))

    def _watch(self, snapshot: Snapshot, prefix: str) -> None:
        found = watched(snapshot, self.bans, self._matcher, self.codes)
        database.create(self.connection, f"{prefix}watch", WATCH_COLUMNS, found.watch)
        database.create(self.connection, f"{prefix}app", APP_COLUMNS, found.apps)
        self.connection.execute(database.query("hits").format(p=prefix))

    def _contained(self) -> None:
        """Table ``contained``: the few (device, app) pairs of which the source says that the app cannot launch."""
        self.connection.execute(
            f"""
            CREATE TABLE contained AS
            SELECT DISTINCT m.device, a.app
            FROM (
                SELECT r.device, unnest(r.remarks) AS remark
                FROM raw_devices AS r JOIN (SELECT DISTINCT device FROM hit) AS h ON h.device = r.device
            ) AS m
            JOIN app AS a ON m.remark = '{CONTAINED_REMARK}' || a.app_id
            """
        )

    def compare(self, previous: Snapshot | None, cured: Collection[FindingKey]) -> None:
        """Tables ``drifted``, ``cured`` and ``ban``: what changed since the previous snapshot."""
        keys = dict.fromkeys(("ban", "thing"), "INTEGER")
        drifted = {**keys, "violation": "BOOLEAN", "device": "INTEGER", "drift": "INTEGER"}
        database.create(self.connection, "drifted", drifted, [])
        if previous is not None or cured:
            self.connection.execute(_aliases(""))
        if previous is not None:
            database.attach(self.connection, previous, "before_")
            self._watch(previous, "before_")
            self.connection.execute(_aliases("before_"))
            self.connection.execute(database.query("drift"))
        if cured:
            code_of = {ban.directive.id: ban.code for ban in self.bans}
            known = sorted(
                (code_of[key.directive], self.codes.things[key.product], key.device)
                for key in set(cured)
                if key.directive in code_of and key.product in self.codes.things
            )
            database.create(self.connection, "once", {**keys, "alias": "VARCHAR"}, known)
            self.connection.execute(database.query("reinstalled"))
        # Where the previous snapshot did not look for a directive's targets, its silence makes nothing "new".
        default = [
            (ban.code, DRIFTS.index(Drift.new if previous and watches(previous, ban) else Drift.first_seen))
            for ban in self.bans
        ]
        database.create(self.connection, "ban", {"ban": "INTEGER", "drift": "INTEGER"}, default)


def _era_of(ban: Ban, moments: Sequence[int]) -> int:
    """How many effective dates had passed when this one had; 0 for a ban without a date, or not yet in effect."""
    effective = ban.directive.effective
    since = None if effective is None else moment(effective)
    return moments.index(since) + 1 if since in moments else 0


def _grade_row(ban: int, standing: Standing, given: Grade, *, unsure: bool) -> tuple[Any, ...]:
    presence = PRESENCES.index(given.presence)
    return (ban, standing.code, presence, given.invisible, given.aged, given.proves_absence, unsure)


def _aliases(prefix: str) -> str:
    """Every key under which a device is known: one phone may lead under another system's key tomorrow."""
    return f"""
        CREATE TABLE {prefix}alias AS
        SELECT device, key AS alias FROM {prefix}raw_devices
        UNION
        SELECT device, unnest(also) AS alias FROM {prefix}raw_devices
    """

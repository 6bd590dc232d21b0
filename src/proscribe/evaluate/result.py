"""What an evaluation found. Rows stay in the database's columns and become objects only while they are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from proscribe.catalogue.model import Confidence
from proscribe.evaluate import database
from proscribe.evaluate.model import (
    UNKNOWN_DEPARTMENT,
    DepartmentCount,
    DeviceStatus,
    Evaluation,
    Finding,
    Gap,
    GroupCount,
    Presence,
    ProductCount,
)
from proscribe.evaluate.standing import REASONS, Doubt
from proscribe.evaluate.targets import KINDS
from proscribe.evaluate.work import DRIFTS, EVERY_BAN, PRESENCES, Work
from proscribe.inventory.model import Coverage, Freshness, Snapshot
from proscribe.terms import Enrolment, Held, Platform, Side

_SIDES = tuple(Side)
_HELD = tuple(Held)
_STEP = 1 << 18  # devices whose text is read at a time, so that memory does not grow with the fleet


class Evaluated:
    """The result of one evaluation. Use it as a context manager, or call :meth:`close`, to give its memory back."""

    def __init__(self, work: Work, previous: Snapshot | None) -> None:
        self._work = work
        self._connection = work.connection
        self._code = {ban.directive.id: ban.code for ban in work.bans}
        self._ids = {ban.code: ban.directive.id for ban in work.bans}
        last = self._connection.execute("SELECT coalesce(max(device), -1) FROM device").fetchone()[0]
        self._ranges = [(start, start + _STEP) for start in range(0, last + 1, _STEP)]
        self.summary = self._summarise(previous)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the tables; nothing can be read afterwards."""
        self._connection.close()

    def findings(self, directive: str | None = None) -> Iterator[Finding]:
        """What is there now, of one directive or of all: violations and look-alikes, by device.

        Cured findings are not among them: see :meth:`cured`.
        """
        return self._read("read_findings", "f", directive)

    def cured(self, directive: str | None = None) -> Iterator[Finding]:
        """What was there in the previous snapshot and is shown to be gone; a device out of sight cures nothing."""
        if self.summary.previous is None:
            return iter(())
        return self._read("read_cured", "c", directive)

    def _read(self, name: str, table: str, directive: str | None) -> Iterator[Finding]:
        only = "" if directive is None else f"AND {table}.ban = {self._code[directive]}"
        sql = database.query(name).format(only=only)
        for bounds in self._ranges:
            for row in database.rows(self._connection, self._work.snapshot, sql, (*bounds, *bounds)):
                yield self._finding(row)

    def _finding(self, row: tuple[Any, ...]) -> Finding:
        ban, target, kind, side, held, aged, unsure, drift, key, system, platform, enrolment = row[:12]
        department, scope, observed, freshness, app_id, name, signer, version = row[12:]
        match = self._work.codes.matches[target]
        return Finding(
            directive=self._ids[ban],
            device=key,
            system=system,
            platform=Platform(platform),
            enrolment=Enrolment(enrolment),
            department=department,
            scope=scope,
            product=match.product,
            target=match.target,
            match=KINDS[kind],
            confidence=Confidence(match.confidence),
            actionable=match.actionable,
            app_id=app_id,
            app_name=name,
            signer=signer,
            version=version,
            side=_SIDES[side],
            held=_HELD[held],
            observed_at=_time(observed),
            freshness=Freshness(freshness),
            stale=aged,
            drift=DRIFTS[drift],
            scope_unsure=unsure,
        )

    def statuses(self, directive: str) -> Iterator[DeviceStatus]:
        """Every device in scope of a directive, once, with its worst presence."""
        sql = database.query("read_statuses")
        for bounds in self._ranges:
            parameters = (self._code[directive], *bounds, *bounds)
            for row in database.rows(self._connection, self._work.snapshot, sql, parameters):
                key, system, platform, enrolment, os_version, department, scope, presence = row[:8]
                invisible, observed, freshness, unsure = row[8:]
                yield DeviceStatus(
                    directive=directive,
                    device=key,
                    system=system,
                    platform=Platform(platform),
                    enrolment=Enrolment(enrolment),
                    os_version=os_version,
                    department=department,
                    scope=scope,
                    presence=PRESENCES[presence],
                    invisible_side=invisible,
                    observed_at=_time(observed),
                    freshness=Freshness(freshness),
                    scope_unsure=unsure,
                )

    def groups(self, directive: str) -> tuple[GroupCount, ...]:
        """Devices in scope by department and platform, with what was found on them."""
        code = self._code[directive]
        return tuple(
            GroupCount(department or UNKNOWN_DEPARTMENT, Platform(platform), *counts)
            for department, platform, *counts in self._query(database.query("read_groups"), code, code)
        )

    def products(self, directive: str) -> tuple[ProductCount, ...]:
        """Devices by banned product, the most widespread first."""
        targets = {target.id: target for ban in self._work.bans for target in ban.targets.targets}
        rows = self._query(database.query("read_products"), self._code[directive])
        found = ((self._work.codes.matches[target], counts) for _, target, *counts in rows)
        return tuple(ProductCount(match.product, targets[match.target].label, *counts) for match, counts in found)

    def out_of_scope(self, directive: str) -> int:
        """Devices outside the directive's scope that hold a banned app all the same."""
        return int(self._query(database.query("read_outside"), self._code[directive])[0][0])

    def scope_unsure(self, directive: str) -> int:
        """Devices in scope only as far as known: their source leaves out what the scope turns on."""
        sql = """
            SELECT coalesce(sum(t.devices), 0) FROM tally AS t
            JOIN grade AS g ON g.ban = t.ban AND g.standing = t.standing
            JOIN place AS p ON p.ban = t.ban AND p.department = t.department
            WHERE t.ban = ? AND (g.unsure OR p.unsure)
        """
        return int(self._query(sql, self._code[directive])[0][0])

    def lookalike_devices(self, directive: str) -> int:
        """Devices on which nothing but look-alikes was found."""
        sql = "SELECT count(*) FROM sighting WHERE ban = ? AND family = 2"
        return int(self._query(sql, self._code[directive])[0][0])

    def doubts(self) -> dict[Doubt, int]:
        """Devices of the whole fleet by the gravest doubt about their lists, whatever is banned."""
        counts: dict[Doubt, int] = defaultdict(int)
        for standing, devices in self._query("SELECT standing, count(*) FROM device GROUP BY standing"):
            counts[self._work.grades[EVERY_BAN, standing].doubt] += devices
        return dict(counts)

    def invisible(self) -> int:
        """Devices of which a part is out of sight by design, whatever else is said of them."""
        counts = self._query("SELECT standing, count(*) FROM device GROUP BY standing")
        return sum(devices for standing, devices in counts if self._work.grades[EVERY_BAN, standing].invisible)

    def before_ban(self) -> int:
        """Devices whose list is no evidence for at least one directive in force, because it was taken before."""
        early = {standing for (_, standing), given in self._work.grades.items() if given.doubt is Doubt.before_ban}
        counts = self._query("SELECT standing, count(*) FROM device GROUP BY standing")
        return sum(devices for standing, devices in counts if standing in early)

    def undated(self) -> int:
        """Devices whose list bears no date."""
        return int(self._query("SELECT count(*) FROM raw_devices WHERE observed IS NULL")[0][0])

    def names_only(self) -> int:
        """Devices whose list gives names and no identifiers."""
        sql = """
            SELECT count(*) FROM device AS d JOIN standing AS s ON s.standing = d.standing
            WHERE s.listed AND NOT s.gives_ids AND s.sees <> 'unknown'
        """
        return int(self._query(sql)[0][0])

    def _query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return list(database.rows(self._connection, self._work.snapshot, sql, parameters))

    def _summarise(self, previous: Snapshot | None) -> Evaluation:
        work = self._work
        kinds = self._query("SELECT kind, count(*) FROM finding GROUP BY kind ORDER BY kind")
        violations = dict(self._query("SELECT ban, count(*) FROM violator GROUP BY ban"))
        return Evaluation(
            evaluated_at=work.now,
            directives={ban.directive.id: ban.directive_digest for ban in work.bans},
            target_sets={ban.directive.id: ban.targets_digest for ban in work.bans},
            snapshot=work.snapshot.digest,
            previous=None if previous is None else previous.digest,
            devices=work.snapshot.manifest.devices,
            violations={ban.directive.id: violations.get(ban.code, 0) for ban in work.bans},
            findings={KINDS[kind].value: count for kind, count in kinds},
            presences=tuple(self._presences()),
            gaps=tuple(self._gaps()),
        )

    def _presences(self) -> Iterator[DepartmentCount]:
        sql = """
            SELECT t.ban, p.name, t.presence, CAST(sum(t.devices) AS BIGINT)
            FROM tally AS t JOIN department AS p ON p.department = t.department
            WHERE t.ban >= 0
            GROUP BY t.ban, p.name, t.presence ORDER BY t.ban, p.name, t.presence
        """
        table: dict[tuple[int, str], dict[Presence, int]] = {(ban.code, ""): {} for ban in self._work.bans}
        for ban, name, presence, devices in self._query(sql):
            whole, own = table[ban, ""], table.setdefault((ban, name or UNKNOWN_DEPARTMENT), {})
            own[PRESENCES[presence]] = devices
            whole[PRESENCES[presence]] = whole.get(PRESENCES[presence], 0) + devices
        for (ban, name), counts in sorted(table.items()):
            by_presence = {presence: counts[presence] for presence in PRESENCES if presence in counts}
            yield DepartmentCount(self._ids[ban], name, sum(counts.values()), by_presence)

    def _gaps(self) -> Iterator[Gap]:
        """What is out of sight whatever is banned (directive ""), then what is so for one directive."""
        seen = {(row.system, row.platform, row.enrolment): row for row in self._work.snapshot.manifest.coverage}
        sql = """
            SELECT t.ban, t.standing, t.presence, CAST(sum(t.devices) AS BIGINT) FROM tally AS t
            GROUP BY t.ban, t.standing, t.presence
        """
        found: dict[tuple[Any, ...], int] = defaultdict(int)
        for ban, standing, presence, devices in self._query(sql):
            given = self._work.grades[ban, standing]
            if given.doubt is not Doubt.none and PRESENCES[presence] is given.presence:
                of = self._work.standings[standing]
                found[ban, of.system, of.platform, of.enrolment, given.presence, given.doubt] += devices
        for (ban, system, platform, enrolment, presence, doubt), devices in sorted(found.items()):
            row: Coverage | None = seen.get((system, platform, enrolment))
            by_design = row is not None and presence is Presence.invisible
            yield Gap(
                directive="" if ban == EVERY_BAN else self._ids[ban],
                system=system,
                platform=platform,
                enrolment=enrolment,
                presence=presence,
                devices=devices,
                reason=row.blind_to if row is not None and by_design else REASONS[doubt],
                source=row.source if row is not None else "",
            )


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

"""The repository suite: the same behaviour on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import proscribe.store
from proscribe.canonical import Digest, digest_bytes
from proscribe.catalogue.model import TargetSet
from proscribe.clock import ManualClock
from proscribe.documents import digest, from_json, to_bytes
from proscribe.enforce.model import Action, ActionState, DeviceOutcome, Outcome
from proscribe.inventory.model import Retention, Snapshot, SnapshotManifest
from proscribe.plan.model import Exemption, ExemptionRegister
from proscribe.prove.ledger import leaf_hash, leaf_hash_of, tree_head
from proscribe.prove.model import EntryKind, LedgerEntry
from proscribe.terms import Enrolment, Side
from proscribe.text import Text

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PLAN = Digest("sha256:" + "a" * 64)


def action(key: str = "k1", **changes: object) -> Action:
    plain = Action(
        key=key,
        directive="ca-wechat",
        plan=PLAN,
        step="step-1",
        system="sim",
        scope="policies/base",
        method="block",
        side=Side.work,
        app_ids=("com.example.chat", "com.example.video"),
        holders=("sim:1", "sim:2"),
        wave=1,
        state=ActionState.waiting,
    )
    return replace(plain, **changes)


def outcome(device: str, kind: Outcome, department: str = "Keepers", **changes: object) -> DeviceOutcome:
    plain = DeviceOutcome(
        directive="ca-wechat",
        device=device,
        system="sim",
        enrolment=Enrolment.fully_managed,
        department=department,
        outcome=kind,
        why=Text("because", "parce que"),
        observed_at=NOW,
        evidence=("sha256:x", "applied:policies/base@3"),
        scope="policies/base",
    )
    return replace(plain, **changes)


# --- actions ---------------------------------------------------------------------------------------------------------


def test_an_action_comes_back_as_it_went_in(store: Path) -> None:
    from proscribe.store.repositories import Actions

    full = action(
        state=ActionState.lifting,
        attempts=3,
        not_before=NOW + timedelta(microseconds=250),
        prior='{"applications":[]}',
        scope_version=9_000_000_000,
        accepted_at=NOW,
        last_error="HTTP 503",
        ours=("com.example.chat",),
        turn=2,
        ended=4,
    )
    assert Actions().add([full]) == ("k1",)
    assert Actions().get("k1") == full
    assert Actions().get("nothing") is None


def test_a_known_key_changes_nothing(store: Path) -> None:
    from proscribe.store.repositories import Actions

    actions = Actions()
    assert actions.add([action("k1"), action("k2"), action("k1")]) == ("k1", "k2")
    assert actions.add([action("k1", state=ActionState.lifted), action("k3")]) == ("k3",)
    assert actions.get("k1") == action("k1")
    assert actions.add([]) == ()


def test_find_takes_every_condition(store: Path) -> None:
    from proscribe.store.repositories import Actions

    actions = Actions()
    actions.add(
        [
            action("k4", wave=2, state=ActionState.ready),
            action("k3", directive="other"),
            action("k2", system="other"),
            action("k1", scope=""),
        ]
    )
    assert [row.key for row in actions.find()] == ["k1", "k2", "k3", "k4"]
    assert [row.key for row in actions.find(directive="other")] == ["k3"]
    assert [row.key for row in actions.find(system="other")] == ["k2"]
    assert [row.key for row in actions.find(scope="")] == ["k1"], "an empty scope is a scope"
    assert [row.key for row in actions.find(states=(ActionState.ready, ActionState.sending))] == ["k4"]
    assert actions.find(directive="other", states=(ActionState.ready,)) == ()


def test_save_compares_before_it_sets(store: Path) -> None:
    from proscribe.store.repositories import Actions

    actions = Actions()
    actions.add([action()])
    ready = action(state=ActionState.ready)
    assert actions.save(ready, was=ActionState.waiting)
    assert not actions.save(action(state=ActionState.sending), was=ActionState.waiting)
    assert actions.get("k1") == ready
    assert not actions.save(action("k9"), was=ActionState.waiting)


def test_a_transaction_is_all_or_nothing(store: Path) -> None:
    from proscribe.store.repositories import Actions, Ledger

    actions, ledger = Actions(), Ledger()

    def half_done() -> None:
        with actions.atomic():
            actions.add([action()])
            ledger.append(EntryKind.intent, "k1", "worker", {}, NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()
    assert actions.find() == ()
    assert ledger.size() == 0


def test_claim_gives_the_row_to_one_worker(store: Path) -> None:
    from proscribe.store.repositories import Actions

    actions = Actions()
    actions.add([action(state=ActionState.ready)])
    with actions.atomic():
        assert actions.claim("k1", ActionState.waiting) is None
    taken: list[str] = []
    ready = threading.Barrier(4)

    def worker(name: str) -> None:
        ready.wait()
        with actions.atomic():
            found = actions.claim("k1", ActionState.ready)
            if found is not None:
                actions.save(replace(found, state=ActionState.sending, last_error=name), was=ActionState.ready)
                taken.append(name)
        proscribe.store.close()

    _in_threads(worker, 4)
    assert len(taken) == 1
    stored = actions.get("k1")
    assert stored is not None
    assert stored.last_error == taken[0]


def test_a_flight_is_held_by_one_and_ends_with_its_process(store: Path) -> None:
    from proscribe.store.repositories import Actions

    actions = Actions()
    with actions.flight("sim", "a") as mine:
        assert mine
        assert _try_flight("a") == 1, "nor does the one who holds it get it a second time"
        assert _in_child(lambda: _try_flight("a")) == 1, "another process must not get it"
        assert _in_child(lambda: _try_flight("b")) == 0, "another scope is another flight"
    assert _in_child(lambda: _try_flight("a")) == 0
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        inherited = _leave_parents_connection()  # noqa: F841 (held until _exit)
        with Actions().flight("sim", "a"):
            os.write(write, b"x")
            threading.Event().wait(30)
        os._exit(0)
    os.read(read, 1)
    with actions.flight("sim", "a") as mine:
        assert not mine
    os.kill(child, 9)
    os.waitpid(child, 0)
    for _ in range(100):  # PostgreSQL notices the broken connection a moment later
        with actions.flight("sim", "a") as mine:
            if mine:
                return
        threading.Event().wait(0.05)
    pytest.fail("the flight outlived its process")


def _try_flight(scope: str) -> int:
    from proscribe.store.repositories import Actions

    with Actions().flight("sim", scope) as mine:
        return 0 if mine else 1


def _leave_parents_connection() -> list[object]:
    """In a child: a connection of its own. The parent's is kept from being closed, which would end it for both."""
    from django.db import connection

    inherited = [connection.connection]
    connection.connection = None
    return inherited


def _in_child(function: object) -> int:
    child = os.fork()
    if child == 0:
        inherited = _leave_parents_connection()  # noqa: F841 (held until _exit)
        try:
            os._exit(function())  # type: ignore[operator]
        except BaseException:  # noqa: BLE001 (a child never returns into pytest)
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _in_threads(function: object, number: int) -> None:
    failed: list[BaseException] = []

    def guarded(name: str) -> None:
        try:
            function(name)  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 (raised again in the test's own thread)
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(f"w{n}",)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not failed, failed


# --- ledger ----------------------------------------------------------------------------------------------------------


def test_the_ledger_numbers_from_nought_and_reads_in_order(store: Path) -> None:
    from proscribe.store.repositories import Ledger

    ledger = Ledger()
    assert ledger.size() == 0
    assert list(ledger.entries()) == []
    written = [
        ledger.append(EntryKind.intent, f"key-{n}", "worker", {"n": n, "é": ["à"]}, NOW + timedelta(seconds=n))
        for n in range(5)
    ]
    assert [entry.index for entry in written] == [0, 1, 2, 3, 4]
    assert ledger.size() == 5
    assert list(ledger.entries()) == written
    assert list(ledger.entries(1, 3)) == written[1:3]
    assert list(ledger.entries(4)) == written[4:]
    assert list(ledger.entries(3, 99)) == written[3:]
    assert [row.leaf for row in ledger.rows()] == [leaf_hash(entry) for entry in written]
    assert tree_head(row.leaf for row in ledger.rows()) == ledger.head()


def test_no_way_leads_to_a_changed_ledger(store: Path) -> None:
    from django.db import DatabaseError, connection, transaction

    from proscribe.store.models import LedgerRow
    from proscribe.store.repositories import Ledger

    ledger = Ledger()
    entry = ledger.append(EntryKind.freeze, "installation", "role", {}, NOW)
    for attempt in (
        lambda: LedgerRow.objects.all().delete(),
        lambda: LedgerRow.objects.update(body=b"{}"),
        lambda: connection.cursor().execute("UPDATE proscribe_ledger SET leaf = body"),
        lambda: connection.cursor().execute("DELETE FROM proscribe_ledger"),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            attempt()
    assert list(ledger.entries()) == [entry]
    assert not [name for name in dir(ledger) if name.startswith(("update", "delete", "remove", "set"))]


def test_a_row_changed_behind_our_back_shows(store: Path) -> None:
    from django.db import connection

    from proscribe.store.repositories import Ledger

    ledger = Ledger()
    for n in range(3):
        ledger.append(EntryKind.receipt, str(n), "worker", {}, NOW)
    with connection.cursor() as cursor:  # an administrator of the database can drop the trigger first
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE proscribe_ledger DISABLE TRIGGER USER")
        else:
            cursor.execute("DROP TRIGGER proscribe_ledger_no_update")
        cursor.execute("UPDATE proscribe_ledger SET body = %s WHERE index = 1", [b"{}"]) if (
            connection.vendor == "postgresql"
        ) else cursor.execute('UPDATE proscribe_ledger SET body = %s WHERE "index" = 1', [b"{}"])
    assert [row.index for row in ledger.rows() if leaf_hash_of(row.body) != row.leaf] == [1]


def test_indexes_have_no_gaps_under_concurrency(store: Path) -> None:
    from proscribe.store.repositories import Ledger, atomic

    def worker(name: str) -> None:
        for n in range(12):
            with contextlib.suppress(ZeroDivisionError), atomic():
                Ledger().append(EntryKind.intent, f"{name}-{n}", name, {}, NOW)
                1 / (3 - n % 4)  # every fourth is rolled back
        proscribe.store.close()

    _in_threads(worker, 4)
    entries = list(Ledger().entries())
    assert [entry.index for entry in entries] == list(range(36))
    assert len({entry.subject for entry in entries}) == 36


def test_the_journal_binds_actor_and_clock(store: Path) -> None:
    from proscribe.store.repositories import Ledger, LedgerJournal

    ledger = Ledger()
    LedgerJournal(ledger, actor="watch", clock=ManualClock(NOW)).record("intent", "k1", {"directive": "d"})
    (entry,) = ledger.entries()
    assert entry == LedgerEntry(0, NOW, "watch", EntryKind.intent, "k1", {"directive": "d"})


# --- documents -------------------------------------------------------------------------------------------------------


def targets(directive: str) -> TargetSet:
    return TargetSet(
        directive=directive, directive_version=1, catalogue=PLAN, resolved_at=NOW, selectors=(), targets=()
    )


def test_documents_by_digest_and_newest_first(store: Path) -> None:
    from proscribe.store.repositories import Documents

    documents = Documents()
    one, two = targets("one"), targets("two")
    assert documents.put(one, subject="one", at=NOW) == digest(one)
    documents.put(two, subject="two", at=NOW)
    documents.put(ExemptionRegister(()), at=NOW)
    assert documents.get(TargetSet, digest(one)) == one
    assert documents.raw(digest(one)) == to_bytes(one)
    assert documents.digests(TargetSet) == (digest(two), digest(one))
    assert documents.digests(TargetSet, subject="one") == (digest(one),)
    assert documents.latest(TargetSet) == two
    assert documents.latest(TargetSet, subject="one") == one
    assert documents.latest(TargetSet, subject="three") is None
    documents.put(one, subject="one", at=NOW)
    assert list(documents.all(TargetSet)) == [one, two], "storing it again makes it the newest"


def test_a_document_that_is_not_there_or_was_changed(store: Path) -> None:
    from proscribe.store.errors import NotStored, StoreDamaged
    from proscribe.store.models import DocumentRow
    from proscribe.store.repositories import Documents

    documents = Documents()
    with pytest.raises(NotStored) as missing:
        documents.raw(PLAN)
    assert missing.value.code == "store.not-found"
    key = documents.put(targets("one"), at=NOW)
    DocumentRow.objects.filter(digest=key).update(body=to_bytes(targets("two")))
    with pytest.raises(StoreDamaged):
        documents.get(TargetSet, key)


# --- exemptions, freeze ----------------------------------------------------------------------------------------------


def exemption(name: str, starts: date = date(2026, 1, 1), expires: date = date(2026, 6, 30)) -> Exemption:
    return Exemption(
        id=name,
        directive="ca-wechat",
        devices=("sim:9",),
        ground="law enforcement",
        requested_by="role:keeper",
        approved_by="role:security-officer",
        starts=starts,
        expires=expires,
        mitigations=("no network",),
    )


def test_exemptions_hold_from_first_to_last_day_and_are_ended_not_deleted(store: Path) -> None:
    from proscribe.store.errors import NotStored
    from proscribe.store.repositories import Exemptions

    register = Exemptions()
    assert register.add(exemption("e1"), at=NOW)
    assert not register.add(exemption("e1"), at=NOW), "the same words again"
    with pytest.raises(Exception, match="e1") as clash:
        register.add(exemption("e1", expires=date(2026, 7, 1)), at=NOW)
    assert clash.value.code == "store.exemption-exists"
    register.add(exemption("e2", starts=date(2026, 6, 30), expires=date(2026, 12, 31)), at=NOW)
    named = lambda day: [each.id for each in register.in_force(day).exemptions]  # noqa: E731
    assert named(date(2025, 12, 31)) == []
    assert named(date(2026, 1, 1)) == ["e1"]
    assert named(date(2026, 6, 30)) == ["e1", "e2"]
    assert named(date(2026, 7, 1)) == ["e2"]
    assert register.in_force(date(2026, 7, 1), directive="other").exemptions == ()
    assert register.end("e1", at=NOW)
    assert not register.end("e1", at=NOW)
    assert named(date(2026, 6, 30)) == ["e2"]
    assert [(each.id, ended) for each, ended in register.all()] == [("e1", NOW), ("e2", None)]
    assert register.all()[0][0] == exemption("e1")
    with pytest.raises(NotStored):
        register.end("e9", at=NOW)


def test_freeze_and_thaw(store: Path) -> None:
    from proscribe.store.repositories import Freeze, Frozen

    freeze = Freeze()
    assert not freeze.frozen()
    assert freeze.state() is None
    assert not freeze.thaw(actor="a", reason="", at=NOW)
    assert freeze.freeze(actor="role:lead", reason="wrong list", at=NOW)
    assert not freeze.freeze(actor="role:other", reason="me too", at=NOW + timedelta(hours=1))
    assert freeze.state() == Frozen("role:lead", "wrong list", NOW)
    assert freeze.thaw(actor="role:lead", reason="list corrected", at=NOW)
    assert not freeze.frozen()
    assert freeze.freeze(actor="role:lead", reason="again", at=NOW)


# --- snapshots, cursors ----------------------------------------------------------------------------------------------


def snapshot(letter: str, at: datetime) -> Snapshot:
    manifest = SnapshotManifest(
        taken_at=at,
        retention=Retention.matches,
        watched=(),
        sources=(),
        coverage=(),
        devices=0,
        duplicate_devices=0,
        apps_seen=0,
        apps_kept=0,
        installs_seen=0,
        installs_kept=0,
        scopes=(),
        problems_total=0,
        problems=(),
        files={},
    )
    return Snapshot(Path("/snapshots") / letter, manifest, digest_bytes(letter.encode()))


def test_snapshots_in_the_order_recorded(store: Path) -> None:
    from proscribe.store.errors import NotStored
    from proscribe.store.repositories import Snapshots

    snapshots = Snapshots()
    assert snapshots.latest() is None
    first, second = snapshot("a", NOW), snapshot("b", NOW - timedelta(days=1))
    assert snapshots.before(first.digest) is None
    assert snapshots.add(first, {"sim"})
    assert snapshots.add(second, {"sim", "files"})
    assert not snapshots.add(first, {"sim"})
    latest = snapshots.latest()
    assert latest is not None
    assert latest == snapshots.get(second.digest)
    assert latest.systems == ("files", "sim")
    assert latest.path == second.path
    before = snapshots.before(second.digest)
    assert before is not None
    assert before.digest == first.digest
    assert snapshots.before(first.digest) is None
    assert [each.digest for each in snapshots.all()] == [second.digest, first.digest]
    with pytest.raises(NotStored):
        snapshots.get(PLAN)


# --- outcomes --------------------------------------------------------------------------------------------------------


def test_outcomes_are_replaced_whole_and_counted_over_time(store: Path) -> None:
    from proscribe.store.repositories import OutcomePoint, Outcomes

    table = Outcomes()
    later = NOW + timedelta(hours=1)
    first = [outcome("sim:1", Outcome.pending_sync), outcome("sim:2", Outcome.failed, "Beacons", held=True)]
    second = [
        outcome("sim:1", Outcome.absent_verified),
        outcome("sim:2", Outcome.removed_verified, "Beacons", held=True),
        outcome("sim:3", Outcome.absent_verified, observed_at=None),
    ]
    assert table.replace("ca-wechat", first, at=NOW) == {Outcome.pending_sync: 1, Outcome.failed: 1}
    table.replace("other", [outcome("sim:1", Outcome.unknown, directive="other")], at=NOW)
    assert table.replace("ca-wechat", iter(second), at=later) == {
        Outcome.absent_verified: 2,
        Outcome.removed_verified: 1,
    }
    assert list(table.latest("ca-wechat")) == second
    assert list(table.latest("ca-wechat", outcome=Outcome.removed_verified)) == second[1:2]
    assert table.tally("ca-wechat") == {Outcome.absent_verified: 2, Outcome.removed_verified: 1}
    assert table.by_department("ca-wechat") == {
        "Beacons": {Outcome.removed_verified: 1},
        "Keepers": {Outcome.absent_verified: 2},
    }
    assert table.history("ca-wechat") == (
        OutcomePoint(NOW, {Outcome.pending_sync: 1, Outcome.failed: 1}),
        OutcomePoint(later, {Outcome.absent_verified: 2, Outcome.removed_verified: 1}),
    )
    assert table.once_held("ca-wechat") == {"sim:2"}
    assert table.tally("nothing") == {}


def test_a_judgement_repeated_at_the_same_moment_replaces_its_counts(store: Path) -> None:
    from proscribe.store.repositories import Outcomes

    table = Outcomes()
    table.replace("ca-wechat", [outcome("sim:1", Outcome.failed)], at=NOW)
    table.replace("ca-wechat", [outcome("sim:1", Outcome.stale)], at=NOW)
    (point,) = table.history("ca-wechat")
    assert point.counts == {Outcome.stale: 1}


def test_a_judgement_that_breaks_leaves_the_old_table(store: Path) -> None:
    from proscribe.store.repositories import Outcomes

    table = Outcomes()
    table.replace("ca-wechat", [outcome("sim:1", Outcome.failed)], at=NOW)

    def broken() -> object:
        yield outcome("sim:1", Outcome.absent_verified)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        table.replace("ca-wechat", broken(), at=NOW)  # type: ignore[arg-type]
    assert table.tally("ca-wechat") == {Outcome.failed: 1}


def test_many_outcomes(store: Path) -> None:
    from proscribe.store.repositories import Outcomes

    table = Outcomes()
    fleet = [outcome(f"sim:{n:05d}", Outcome.absent_verified) for n in range(1234)]
    assert table.replace("ca-wechat", fleet, at=NOW) == {Outcome.absent_verified: 1234}
    assert sum(1 for _ in table.latest("ca-wechat")) == 1234


def test_entries_survive_as_documents(store: Path) -> None:
    """A bundle carries the stored bytes; they must read back as the entry they are."""
    from proscribe.store.repositories import Ledger

    entry = Ledger().append(EntryKind.wave, "d", "worker", {"rate": 0.95, "text": "« fin »"}, NOW)
    assert from_json(LedgerEntry, json.loads(to_bytes(entry))) == entry


def test_records_holds_are_released_not_deleted(store: Path) -> None:
    from proscribe.plan.model import Hold
    from proscribe.store.errors import NotStored
    from proscribe.store.repositories import Holds

    register = Holds()
    first = Hold("h1", ("amapi:1",), "case 12", "records officer", date(2026, 1, 2))
    assert register.add(first, at=NOW)
    assert not register.add(first, at=NOW), "the same words again"
    with pytest.raises(Exception, match="h1") as clash:
        register.add(replace(first, authority="case 13"), at=NOW)
    assert clash.value.code == "store.hold-exists"
    assert register.in_force(date(2026, 1, 1)).holds == ()
    assert register.in_force(date(2026, 1, 2)).holds == (first,)
    assert register.release("h1", at=NOW)
    assert not register.release("h1", at=NOW)
    assert register.in_force(date(2026, 1, 2)).holds == ()
    assert register.all() == ((first, NOW),)
    with pytest.raises(NotStored):
        register.release("h9", at=NOW)

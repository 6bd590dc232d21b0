"""What connectors remember: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import proscribe.store
from proscribe.connectors.memory import Message, Row

NOW = datetime(2026, 11, 22, 12, 0, 0, 250, tzinfo=UTC)


def memory(system: str = "nanomdm"):
    from proscribe.store.repositories import Memory

    return Memory(system)


def message(number: int, body: bytes = b"\x00\xff body", at: datetime = NOW) -> Message:
    return Message(f"id-{number}", at, body)


# Rows ---------------------------------------------------------------------------------------------------------------


def test_a_row_comes_back_as_it_went_in(store: Path) -> None:
    body = {"name": "Phare de l'Île-Verte \U0001f4a1", "n": 2**60, "none": None, "deep": [{"a": 1.5}]}
    memory().put("device", [Row("k", body, owner="serial", mark="state")])
    assert memory().get("device", "k") == body
    assert memory().find("device") == (Row("k", body, "serial", "state"),)
    assert memory().get("device", "other") is None
    assert memory().get("command", "k") is None


def test_a_row_of_the_same_key_is_replaced_whole(store: Path) -> None:
    memory().put("device", [Row("k", {"a": 1}, owner="x", mark="y")])
    memory().put("device", [Row("k", {"b": 2})])
    assert memory().find("device") == (Row("k", {"b": 2}),)


def test_systems_do_not_see_each_other(store: Path) -> None:
    memory("one").put("device", [Row("k", {"of": 1})])
    memory("two").put("device", [Row("k", {"of": 2})])
    memory("one").receive([message(1)])
    memory("one").count("seen")
    assert memory("one").get("device", "k") == {"of": 1}
    assert memory("two").unread(10) == ()
    assert memory("two").counters() == {}
    assert memory("two").receive([message(1)]) == 1
    memory("two").done(["id-1"])
    assert len(memory("one").unread(10)) == 1


def test_more_rows_than_a_statement_takes(store: Path) -> None:
    rows = [Row(f"{number:05}", {"n": number}, owner=f"o{number % 2}") for number in range(1_300)]
    memory().put("device", rows)
    assert len(memory().many("device", [row.key for row in rows] + ["none"])) == 1_300
    memory().drop("device", [row.key for row in rows[5:]])
    assert [row.key for row in memory().find("device")] == ["00000", "00001", "00002", "00003", "00004"]


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ({}, "abcdef"),
        ({"owner": "x"}, "ace"),
        ({"marks": ["open"]}, "abc"),
        ({"marks": ["open", "done"]}, "abcdef"),
        ({"marks": ["none"]}, ""),
        ({"owner": "x", "marks": ["open"]}, "ac"),
        ({"owner": "x", "marks": ["done", "open"]}, "ace"),
        ({"after": "b"}, "cdef"),
        ({"owner": "x", "after": "a"}, "ce"),
        ({"limit": 2}, "ab"),
        ({"owner": "x", "after": "a", "limit": 1}, "c"),
        ({"marks": ["open"], "after": "a", "limit": 1}, "b"),
        ({"owner": "nobody"}, ""),
    ],
)
def test_rows_are_found_by_every_condition_and_come_by_key(store: Path, wanted: dict, keys: str) -> None:
    rows = [
        Row(key, {"is": key}, owner="x" if number % 2 == 0 else "y", mark="open" if number < 3 else "done")
        for number, key in enumerate("abcdef")
    ]
    memory().put("command", reversed(rows))
    memory().put("device", rows)
    assert "".join(row.key for row in memory().find("command", **wanted)) == keys


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_rows_of_an_owner_are_found_without_reading_those_of_all(store: Path) -> None:
    """On PostgreSQL the plan follows from what is there; SQLite has to be told."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        memory().find("command", owner="x", marks=["a", "b"])
        memory().find("command", owner="x")
        memory().find("command", marks=["a", "b"])
    plans = []
    for query in captured.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
            plans.append(cursor.fetchall()[0][-1])
    assert [plan.split("USING INDEX ")[1].split(" ")[0] for plan in plans] == [
        "memory_by_owner",
        "memory_by_owner",
        "memory_by_mark",
    ]


# Transactions -------------------------------------------------------------------------------------------------------


def test_a_transaction_that_fails_leaves_nothing(store: Path) -> None:
    kept = memory()
    with pytest.raises(ZeroDivisionError), kept.atomic():  # noqa: PT012 (all of it is one transaction)
        kept.put("device", [Row("k", {})])
        with kept.atomic():
            kept.receive([message(1)])
            kept.count("seen")
        raise ZeroDivisionError
    assert (kept.find("device"), kept.unread(10), kept.counters()) == ((), (), {})


def test_transactions_of_one_system_never_overlap(store: Path) -> None:
    """Each adds one to what it read: where two overlapped, an addition would be lost."""
    memory().put("sum", [Row("k", {"n": 0})])
    faults: list[BaseException] = []

    def add() -> None:
        try:
            for _ in range(20):
                kept = memory()
                with kept.atomic():
                    found = kept.get("sum", "k")
                    assert found is not None
                    kept.put("sum", [Row("k", {"n": found["n"] + 1})])
        except BaseException as fault:  # noqa: BLE001 (told by the main thread)
            faults.append(fault)
        finally:
            proscribe.store.close()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert memory().get("sum", "k") == {"n": 80}


@pytest.mark.parametrize("store", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_receiving_does_not_wait_for_those_who_deal_with_messages(store: Path) -> None:
    """SQLite has one writer at a time: there it does wait."""
    stored: list[int] = []

    def receive() -> None:
        try:
            stored.append(memory().receive([message(1)]))
        finally:
            proscribe.store.close()

    with memory().atomic():
        memory().put("device", [Row("k", {})])
        thread = threading.Thread(target=receive)
        thread.start()
        thread.join(30)
        assert stored == [1]


# The inbox ----------------------------------------------------------------------------------------------------------


def test_messages_come_out_as_they_went_in_and_in_order(store: Path) -> None:
    first = [message(number) for number in (5, 3, 9)]
    assert memory().receive(first) == 3
    assert memory().receive([message(1)]) == 1
    assert memory().unread(10) == (*first, message(1))
    assert memory().unread(2) == tuple(first[:2])


def test_a_replay_is_known_before_and_after_it_was_dealt_with(store: Path) -> None:
    kept = memory()
    assert kept.receive([message(1), message(2), message(1)]) == 2
    kept.done(["id-1"])
    assert kept.receive([message(1, b"other"), message(2), message(3)]) == 1
    assert [one.id for one in kept.unread(10)] == ["id-2", "id-3"]
    assert kept.counters() == {"replayed": 3}


def test_what_was_dealt_with_is_erased(store: Path) -> None:
    from proscribe.store.models import InboxRow

    kept = memory()
    kept.receive([message(1), message(2)])
    kept.done(["id-1", "unknown"])
    assert [one.id for one in kept.unread(10)] == ["id-2"]
    assert bytes(InboxRow.objects.get(message="id-1").body) == b""


def test_ids_are_forgotten_after_a_time_and_only_of_what_was_dealt_with(store: Path) -> None:
    kept = memory()
    old = NOW - timedelta(days=31)
    kept.receive([message(1, at=old), message(2, at=old), message(3)])
    kept.done(["id-1", "id-3"])
    assert kept.forget_done(NOW - timedelta(days=30)) == 1
    assert [one.id for one in kept.unread(10)] == ["id-2"]
    assert kept.receive([message(1), message(2), message(3)]) == 1


def test_nothing_is_received_of_nothing(store: Path) -> None:
    assert memory().receive([]) == 0
    assert memory().counters() == {}


def test_several_processes_may_receive_at_once(store: Path) -> None:
    """Every message is there once, whoever brought it first; and there is one order of all."""
    from proscribe.store.models import InboxRow

    faults: list[BaseException] = []

    def receive(start: int) -> None:
        try:
            for number in range(start, start + 40, 4):
                memory().receive([message(one) for one in range(number, number + 8)])
        except BaseException as fault:  # noqa: BLE001 (told by the main thread)
            faults.append(fault)
        finally:
            proscribe.store.close()

    threads = [threading.Thread(target=receive, args=(start,)) for start in (0, 0, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert {one.id for one in memory().unread(1_000)} == {f"id-{number}" for number in range(64)}
    serials = list(InboxRow.objects.values_list("serial", flat=True))
    assert len(serials) == len(set(serials)) == 64


_RECEIVES_UNTIL_KILLED = """
import itertools, os, sys
from datetime import UTC, datetime
from pathlib import Path
from proscribe import store
store.setup(Path(sys.argv[1]))
from proscribe.connectors.memory import Message
from proscribe.store.repositories import Memory
for batch in itertools.count():
    ids = [f"{batch}-{number}" for number in range(20)]
    Memory("nanomdm").receive([Message(one, datetime.now(UTC), os.urandom(2_000)) for one in ids])
    os.write(1, (" ".join(ids) + "\\n").encode())
"""


@pytest.mark.slow
def test_what_was_acknowledged_outlives_a_kill(store: Path) -> None:
    proscribe.store.close()
    process = subprocess.Popen(
        [sys.executable, "-c", _RECEIVES_UNTIL_KILLED, str(store)], stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(25)]
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.readlines()
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    acknowledged = {one for line in lines if line.endswith(b"\n") for one in line.decode().split()}
    assert len(acknowledged) >= 500
    stored = [one.id for one in memory().unread(1_000_000)]
    assert acknowledged <= set(stored)
    assert len(stored) == len(set(stored))
    assert len(stored) % 20 == 0  # a transaction is there whole or not at all


# Counters -----------------------------------------------------------------------------------------------------------


def test_counters_add_up_and_come_by_name(store: Path) -> None:
    kept = memory()
    kept.count("b")
    kept.count("a", 41)
    kept.count("a")
    assert list(kept.counters().items()) == [("a", 42), ("b", 1)]

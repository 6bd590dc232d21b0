"""The connector as others meet it: from settings, lazily, and as what it claims to be; and its outbox under threads."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tests.connectors.nanomdm.acting import START, WATCH, WECHAT, Department

from proscribe.clock import ManualClock
from proscribe.connectors.base import FollowsUp, InvalidConfiguration, Listens, NotAuthorised, UnusableSetUp
from proscribe.connectors.memory import Surroundings
from proscribe.connectors.nanomdm import outbox
from proscribe.connectors.nanomdm.connector import NanomdmConnector, from_settings
from proscribe.connectors.nanomdm.history import cases
from proscribe.connectors.nanomdm.means import Means
from proscribe.connectors.nanomdm.model import CommandState
from proscribe.connectors.nanomdm.removals import begun, first_step, record_begun
from proscribe.connectors.registry import names, open_connector
from proscribe.errors import UnreadableFile

Make = Callable[..., Department]
SETTINGS = {"endpoint": "http://127.0.0.1:9000", "api_key": "n", "webhook_key": "h", "listen": "127.0.0.1:9005"}


def around(home: Path) -> Surroundings:
    return Surroundings(ManualClock(START), home)


def test_it_is_found_by_name_and_made_from_settings(tmp_path: Path) -> None:
    assert "nanomdm" in names()
    made = open_connector("nanomdm", SETTINGS, around(tmp_path))
    assert isinstance(made, NanomdmConnector)
    assert isinstance(made, FollowsUp)
    assert isinstance(made, Listens)
    assert made.listen == "127.0.0.1:9005"
    assert made.name == "nanomdm"
    made.close()  # nothing was opened


def test_relative_paths_begin_at_home(tmp_path: Path) -> None:
    made = from_settings({**SETTINGS, "profiles": "theirs"}, around(tmp_path))
    assert made.config.profiles == tmp_path / "theirs"


def test_wrong_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration):
        from_settings({**SETTINGS, "endpoint": "ftp://x"}, around(tmp_path))


def test_planning_loads_nothing_heavy() -> None:
    """Start-up of the command line: what only acting needs is loaded when something is done."""
    code = (
        "import sys; import proscribe.connectors.nanomdm.connector;"
        "print([n for n in ('httpx', 'cryptography', 'uvicorn', 'pydantic', 'django') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_it_observes_what_it_took_in(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    batches = list(dept.connect().observe())
    assert [device.key for batch in batches for device in batch.devices] == [f"nanomdm:{phone.id}"]
    assert {item.app.app_id for batch in batches for item in batch.installs} == {WECHAT.id}


def test_more_than_a_page_of_the_inbox_is_taken_in(department: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proscribe.connectors.nanomdm.connector._INBOX_PAGE", 1)
    dept = department()
    for _ in range(3):
        dept.phone("18.5")
    assert dept.follow_up().counts["taken_in"] == 6
    assert dept.memory.unread(1) == ()


def test_the_receiver_is_an_application(department: Make) -> None:
    dept = department(webhook_key="h", listen="127.0.0.1:9005")
    assert callable(dept.connect().receiver())


# Threads ------------------------------------------------------------------------------------------------------------


def test_several_requests_at_a_time_and_never_two_of_one_device(
    department: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    dept = department(concurrency=4)
    for _ in range(6):
        dept.phone("18.5", WECHAT)
    guard = threading.Lock()
    busy: set[str] = set()
    most: list[int] = []
    meeting = threading.Barrier(4, timeout=10)

    def slow(request: httpx.Request) -> None:
        name = request.url.path
        with guard:
            assert name not in busy, "two requests of one device at a time"
            busy.add(name)
            most.append(len(busy))
            first = len(most) <= 4
        if first:
            meeting.wait()
        time.sleep(0)
        with guard:
            busy.discard(name)

    dept.answer = slow  # type: ignore[assignment]
    done = dept.follow_up()
    assert done.counts["asked"] == 12
    assert max(most) == 4
    assert not dept.records.commands(states=[CommandState.sending])


def test_many_go_out_chunk_by_chunk(department: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "CHUNK", 3)
    dept = department(concurrency=2)
    for _ in range(4):
        dept.phone("18.5", WECHAT)
    assert dept.follow_up().counts["asked"] == 8
    assert set(dept.journal.times().values()) == {1}


def test_what_breaks_in_a_thread_is_raised_once_the_others_are_written_down(department: Make) -> None:
    dept = department(concurrency=2)
    phones = [dept.phone("18.5") for _ in range(4)]

    def broken(request: httpx.Request) -> None:
        if phones[1].id in request.url.path:
            raise ZeroDivisionError

    dept.answer = broken  # type: ignore[assignment]
    with pytest.raises(ZeroDivisionError):
        dept.follow_up()
    written = dept.records.commands(states=[CommandState.queued])
    assert len(written) == len(dept.journal.enqueued)
    dept.answer = lambda _: None
    dept.follow_up()
    assert len(dept.journal.enqueued) == 8


def test_credentials_are_refused_in_the_middle_of_a_chunk(department: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "CHUNK", 3)
    dept = department()
    for _ in range(3):
        dept.phone("18.5")
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response | None:
        seen.append(request.url.path)
        return httpx.Response(401) if len(seen) == 2 else None

    dept.answer = answer
    with pytest.raises(NotAuthorised):
        dept.follow_up()
    assert len(seen) == 2
    assert not dept.records.commands(states=[CommandState.sending])
    dept.answer = lambda _: None
    dept.follow_up()
    assert set(dept.journal.times().values()) == {1}
    assert len(dept.journal.enqueued) == 6


@pytest.mark.parametrize("lost", [False, True])
def test_the_same_commands_again_queue_nothing(department: Make, *, lost: bool) -> None:
    """Known: they are not sent. Found ``sending``, as after a crash: they are sent, refused, and known to be there."""
    dept = department()
    phones = [dept.phone("26.1", WECHAT) for _ in range(3)]
    dept.settle()
    now = dept.clock.now()
    wanted = {}
    steps = []
    for (case,) in (cases([dept.device(phone)], {}) for phone in phones):
        removal = begun(case.device, WECHAT.id, "key", "RemoveApplication", now)
        steps.append(first_step(case, removal, now))
        wanted[steps[-1].command.uuid] = removal
    means = dept.connect()._means

    def send() -> outbox.Sent:
        return outbox.enqueue(means, steps, settle=lambda there: record_begun(dept.records, there, wanted))

    first = send()
    if lost:
        dept.records.save_commands([replace(one, state=CommandState.sending) for one in first.queued])
        dept.records.save_devices([replace(dept.device(phone), removals=()) for phone in phones])
    second = send()
    assert (first.there, len(first.queued), second.there, len(second.queued)) == (3, 3, 3, 3 * lost)
    assert len(dept.journal.refused) == 3 * lost
    assert len(dept.queued("RemoveApplication")) == 3
    assert all(len(dept.device(phone).removals) == 1 for phone in phones)


def test_a_void_command_is_not_sent(department: Make) -> None:
    """Its UUID was used, and came to nothing: whoever still wants it counts one further."""
    dept = department()
    phone = dept.phone("26.1", WECHAT)
    dept.settle()
    (case,) = cases([dept.device(phone)], {})
    step = first_step(case, begun(case.device, WECHAT.id, "key", "RemoveApplication", dept.clock.now()), START)
    dept.records.save_commands([replace(step.command, state=CommandState.void)])
    assert outbox.enqueue(dept.connect()._means, [step]).there == 0
    assert dept.queued("RemoveApplication") == []
    (again,) = cases([dept.device(phone)], {phone.id: [replace(step.command, state=CommandState.void)]})
    other = first_step(again, begun(case.device, WECHAT.id, "key", "RemoveApplication", START), START)
    assert other.command.uuid != step.command.uuid
    assert other.command.attempts == 2


# The organisation's files ------------------------------------------------------------------------------------------


def test_files_are_read_again_once_they_changed(home: Path, department: Make) -> None:
    dept = department(roster=home / "roster.csv")
    (home / "roster.csv").write_text("serial,group\nNL1,harbour\n", "utf-8")
    means: Means = dept.connect()._means
    first = means.roster
    assert means.roster is first
    assert (means.view().watch, means.view().bases) == (WATCH, {})
    (home / "roster.csv").write_text("serial,group\nNL1,lighthouse\n", "utf-8")
    assert means.roster is not first
    (home / "roster.csv").unlink()
    with pytest.raises(UnreadableFile):
        means.view()


def test_a_file_that_is_missing_stops_this_system_and_no_other(home: Path, department: Make) -> None:
    """A fault of this system, which the loop tells and tries again; anything else would end the loop for all."""
    roster = home / "roster.csv"
    roster.write_text("serial,group\n", "utf-8")
    dept = department(roster=roster)
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    order = dept.order("all/profile", "RestrictionsProfile")
    roster.unlink()
    for attempt in (
        lambda: list(dept.connect().observe()),
        lambda: dept.connect().follow_up(frozen=False),
        lambda: dept.connect().prepare(order),
    ):
        with pytest.raises(UnusableSetUp) as caught:
            attempt()
        assert caught.value.transient
        assert "roster.csv" in str(caught.value.where)
        assert caught.value.remedy.fr
    roster.write_text("serial,group\n", "utf-8")
    assert dept.connect().prepare(order).scope.devices == 1
    assert phone.can_launch(WECHAT.id)

"""What the simulation does besides what the real servers do: trouble by script, and a record of everything."""

from __future__ import annotations

import datetime as dt
import http.client
import threading
import time
from collections.abc import Iterator
from typing import Any, Self

import pytest
from tests.simulate.nanomdm.exchanges import TOPIC, Device, Receiver, Site, Talk, command, declaration, push_certificate

from proscribe.clock import ManualClock
from proscribe.simulate.apple.identity import CertificateAuthority
from proscribe.simulate.nanomdm import FaultKind, KmfddmSimulator, NanomdmSimulator

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


class Stage:
    """Both simulations, a receiver, and someone to talk to them."""

    def __init__(self, authority: CertificateAuthority, **more: Any) -> None:
        self.receiver = Receiver()
        self.receiver.key = "webhook key"
        self.clock = ManualClock(NOON)
        self.kmfddm = KmfddmSimulator(api_key="k", clock=self.clock)
        settings = {"webhook_url": self.receiver.url, "webhook_key": "webhook key", "declarations": self.kmfddm, **more}
        self.nanomdm = NanomdmSimulator(ca_pem=authority.pem, api_key="n", clock=self.clock, **settings)
        self.talk = Talk(Site("s", self.nanomdm.endpoint, "n", self.kmfddm.endpoint, "k", self.receiver), authority)

    def __enter__(self) -> Self:
        self.kmfddm.__enter__()
        self.nanomdm.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.nanomdm.__exit__(None, None, None)
        self.kmfddm.__exit__(None, None, None)
        self.receiver.stop()

    def topics(self) -> list[str]:
        """The topics of what came in, in the order of arrival."""
        assert self.nanomdm.settle(10)
        return [event["topic"] for event in self.receiver.of("A")]


@pytest.fixture
def stage(authority: CertificateAuthority) -> Iterator[Stage]:
    with Stage(authority) as running:
        yield running


# On the way to NanoMDM ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "details", "status", "header"),
    [
        ("throttle", {}, 429, None),
        ("throttle", {"retry_after": "30"}, 429, "30"),
        ("refuse", {}, 400, None),
        ("refuse", {"status": 401}, 401, None),
        ("fail_before", {}, 500, None),
        ("fail_before", {"status": 503}, 503, None),
    ],
)
def test_what_is_refused_is_not_queued(
    stage: Stage, kind: str, details: dict[str, Any], status: int, header: str | None
) -> None:
    stage.nanomdm.faults.next("enqueue", kind, **details)
    answer = stage.talk.enqueue("A", "1")
    assert (answer.status, answer.headers.get("retry-after")) == (status, header)
    assert stage.nanomdm.queue("A") == ()
    assert stage.talk.enqueue("A", "1").status == 200
    assert stage.nanomdm.queue("A") == ("1",)


def test_what_fails_afterwards_is_queued_and_a_second_send_learns_it(stage: Stage) -> None:
    stage.nanomdm.faults.next("enqueue", FaultKind.fail_after)
    assert stage.talk.enqueue("A", "1").status == 500
    assert stage.talk.enqueue("A", "1").json()["command_error"] == "command already exists: 1"
    assert stage.nanomdm.queue("A") == ("1",)
    assert stage.nanomdm.journal.refused == ["1"]
    assert stage.nanomdm.journal.times() == {("A", "1"): 1}


@pytest.mark.parametrize(
    ("kind", "queued"), [("drop_before", ()), ("drop_after", ("1",)), ("stall_before", ()), ("stall_after", ("1",))]
)
def test_connections_break(stage: Stage, kind: str, queued: tuple[str, ...]) -> None:
    stage.nanomdm.faults.next("enqueue", kind, seconds=0.05)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        stage.talk.enqueue("A", "1")
    assert stage.nanomdm.queue("A") == queued
    assert stage.nanomdm.journal.requests[-1].status == 0


def test_a_stalled_answer_ends_with_the_server(authority: CertificateAuthority) -> None:
    def ask() -> None:
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            running.talk.enqueue("A", "1")

    begun = time.monotonic()
    with Stage(authority) as running:
        running.nanomdm.faults.next("enqueue", "stall_before", seconds=300)
        client = threading.Thread(target=ask)
        client.start()
        while not running.nanomdm.journal.requests:
            time.sleep(0.005)
    client.join(30)
    assert not client.is_alive()
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize(("kind", "least"), [("garbage", 1), ("oversize", 32 * 1024 * 1024)])
def test_answers_that_are_none(stage: Stage, kind: str, least: int) -> None:
    stage.nanomdm.faults.next("any", kind)
    answer = stage.talk.api("PUT", "/v1/enqueue/A?nopush=1", command("1"))
    assert answer.status == 200
    assert len(answer.body) >= least
    assert b"command_uuid" not in answer.body
    assert stage.nanomdm.queue("A") == ("1",)


def test_faults_come_in_their_order_and_can_be_taken_back(stage: Stage) -> None:
    stage.nanomdm.faults.next("enqueue", "throttle", times=2)
    stage.nanomdm.faults.next("enqueue", "refuse")
    stage.nanomdm.faults.next("any", "fail_before", times=2)
    assert [stage.talk.enqueue("A", "1").status for _ in range(4)] == [429, 429, 400, 500]
    stage.nanomdm.faults.clear()
    assert stage.talk.enqueue("A", "1").status == 200
    with pytest.raises(KeyError):
        stage.nanomdm.faults.next("commands", "throttle")
    with pytest.raises(ValueError, match="thunder"):
        stage.nanomdm.faults.next("enqueue", "thunder")


def test_devices_meet_faults_too(stage: Stage) -> None:
    device = stage.talk.device("A")
    stage.nanomdm.faults.next("mdm", "fail_before")
    assert stage.talk.authenticate(device).status == 500
    assert stage.talk.authenticate(device).status == 200
    assert stage.topics() == ["mdm.Authenticate"]


# The webhook ----------------------------------------------------------------------------------------------------------


def _enrolled(stage: Stage) -> Device:
    return stage.talk.enrol(stage.talk.device("A"))


def test_events_get_lost(stage: Stage) -> None:
    stage.nanomdm.faults.deliveries.next("lose", topic="mdm.TokenUpdate")
    stage.talk.connect(_enrolled(stage))
    assert stage.topics() == ["mdm.Authenticate", "mdm.Connect"]
    told = {(one.topic, one.outcome) for one in stage.nanomdm.journal.deliveries}
    assert told == {("mdm.Authenticate", "200"), ("mdm.TokenUpdate", "lost"), ("mdm.Connect", "200")}


def test_events_come_twice(stage: Stage) -> None:
    stage.nanomdm.faults.deliveries.next("duplicate")
    _enrolled(stage)
    assert stage.topics() == ["mdm.Authenticate", "mdm.Authenticate", "mdm.TokenUpdate"]
    assert stage.receiver.bodies[0] == stage.receiver.bodies[1]


def test_events_are_overtaken(stage: Stage) -> None:
    stage.nanomdm.faults.deliveries.next("overtake", topic="mdm.Authenticate")
    stage.talk.connect(_enrolled(stage))
    assert stage.topics() == ["mdm.TokenUpdate", "mdm.Authenticate", "mdm.Connect"]


def test_events_are_late(stage: Stage) -> None:
    stage.nanomdm.faults.deliveries.next("delay", topic="mdm.Authenticate", seconds=0.3)
    stage.talk.connect(_enrolled(stage))
    assert stage.topics() == ["mdm.TokenUpdate", "mdm.Connect", "mdm.Authenticate"]
    assert all(event["genuine"] for event in stage.receiver.of("A"))


def test_an_event_is_tried_once(stage: Stage) -> None:
    stage.receiver.status = 503
    _enrolled(stage)
    assert stage.topics() == ["mdm.Authenticate", "mdm.TokenUpdate"]
    stage.receiver.stop()
    stage.talk.connect(stage.talk.enrol(stage.talk.device("B")))
    assert stage.nanomdm.settle(10)
    outcomes = [one.outcome for one in stage.nanomdm.journal.deliveries]
    assert outcomes == ["503", "503", "unreachable", "unreachable", "unreachable"]


def test_waiting_for_what_is_not_out_yet_ends(stage: Stage) -> None:
    stage.nanomdm.faults.deliveries.next("delay", seconds=600)
    stage.talk.authenticate(stage.talk.device("A"))
    assert not stage.nanomdm.settle(0.05)


def test_without_a_webhook_nothing_is_sent_and_without_a_key_nothing_is_signed(authority: CertificateAuthority) -> None:
    with Stage(authority, webhook_url="") as silent:
        _enrolled(silent)
        assert silent.topics() == []
    with Stage(authority, webhook_key="") as unsigned:
        _enrolled(unsigned)
        assert unsigned.topics() == ["mdm.Authenticate", "mdm.TokenUpdate"]
        assert all("x-hmac-signature" not in headers for headers, _ in unsigned.receiver.bodies)


def test_events_are_dated_by_the_clock(stage: Stage) -> None:
    stage.clock.advance(seconds=60)
    _enrolled(stage)
    stage.topics()
    assert {event["created_at"] for event in stage.receiver.of("A")} == {"2026-03-01T12:01:00Z"}


# Pushes ---------------------------------------------------------------------------------------------------------------


def test_with_a_push_certificate_devices_are_pushed(stage: Stage) -> None:
    _enrolled(stage)
    assert stage.talk.enqueue("A", "1", query="").status == 500
    assert stage.talk.api("PUT", "/v1/pushcert", push_certificate(TOPIC)).json()["topic"] == TOPIC
    answer = stage.talk.enqueue("A", "2", query="")
    assert answer.status == 200
    assert list(answer.json()["status"]["A"]) == ["push_result"]
    mixed = stage.talk.api("GET", "/v1/push/A,NOBODY")
    assert mixed.status == 207
    assert mixed.json()["status"]["NOBODY"] == {"push_error": "push data missing for id"}
    assert stage.nanomdm.journal.pushed == ["A", "A"]


# KMFDDM ---------------------------------------------------------------------------------------------------------------


def test_kmfddm_meets_faults(stage: Stage) -> None:
    stage.kmfddm.faults.next("declarations", "fail_before")
    stage.kmfddm.faults.next("declarations", "fail_after")
    put = [stage.talk.ddm("PUT", "/v1/declarations?nonotify=1", declaration("a")).status for _ in range(3)]
    assert put == [500, 500, 304]
    changed = [(one.resource, one.changed, one.notifies) for one in stage.kmfddm.journal.changes]
    assert changed == [("a", True, False), ("a", False, False)]


def test_devices_feel_what_happens_to_kmfddm(stage: Stage) -> None:
    device = _enrolled(stage)
    for kind in ("drop_before", "fail_before", "throttle"):
        stage.kmfddm.faults.next("device", kind)
        assert stage.talk.declarative(device, "tokens").status == 500
    assert stage.talk.declarative(device, "tokens").status == 200


def test_writes_that_would_notify_are_seen(stage: Stage) -> None:
    stage.talk.ddm("PUT", "/v1/declarations", declaration("a"))
    stage.talk.ddm("PUT", "/v1/set-declarations/S?declaration=a&nonotify=0")
    stage.talk.ddm("PUT", "/v1/enrollment-sets/A?set=S&nonotify=true")
    assert [one.notifies for one in stage.kmfddm.journal.changes] == [True, True, False]


def test_what_devices_report_is_counted_and_dated(stage: Stage) -> None:
    device = _enrolled(stage)
    item = {"identifier": "a", "active": True, "valid": "valid", "server-token": "t"}
    report = {"StatusItems": {"management": {"declarations": {"configurations": [item]}}}}
    stage.talk.declarative(device, "status", report)
    found = stage.talk.ddm("GET", "/v1/declaration-status/A").json()["A"]
    assert found[0]["status_received"] == "2026-03-01T12:00:00Z"
    assert stage.kmfddm.journal.reports == ["A"]


def test_without_kmfddm_declarative_management_is_refused(authority: CertificateAuthority) -> None:
    with Stage(authority, declarations=None) as alone:
        assert alone.talk.declarative(_enrolled(alone), "tokens").status == 500


# The journal ----------------------------------------------------------------------------------------------------------


def test_the_journal_tells_a_command_s_whole_way(stage: Stage) -> None:
    device = _enrolled(stage)
    stage.talk.enqueue("A,B", "1")
    stage.talk.enqueue("A", "2", request_type="RemoveApplication")
    stage.talk.connect(device, "NotNow", stage.talk.connect(device))
    stage.talk.connect(device, "Acknowledged", "2")
    journal = stage.nanomdm.journal
    assert journal.times() == {("A", "1"): 1, ("B", "1"): 1, ("A", "2"): 1}
    assert [one.uuid for one in journal.commands("A")] == ["1", "2"]
    assert [one.device for one in journal.commands(request_type="ProfileList")] == ["A", "B"]
    assert journal.commands("B")[0].raw == command("1")
    assert [(one.uuid, one.request_type) for one in journal.handed][:2] == [
        ("1", "ProfileList"),
        ("2", "RemoveApplication"),
    ]
    assert [(one.uuid, one.status) for one in journal.answered] == [("1", "NotNow"), ("2", "Acknowledged")]
    assert {one.path for one in journal.requests} == {"/mdm", "/v1/enqueue/A,B", "/v1/enqueue/A"}


def test_many_at_once(stage: Stage) -> None:
    def send(part: int) -> None:
        for number in range(25):
            Talk(stage.talk.site, stage.talk.authority).enqueue("A", f"{number}", query=f"?nopush=1&part={part}")

    senders = [threading.Thread(target=send, args=(part,)) for part in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert stage.nanomdm.journal.times() == {("A", str(number)): 1 for number in range(25)}
    assert len(stage.nanomdm.journal.refused) == 75
    assert sorted(stage.nanomdm.queue("A"), key=int) == [str(number) for number in range(25)]

"""The client of NanoMDM: what each answer means, and the real server's own words for it."""

from __future__ import annotations

import json
import plistlib
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.connectors.nanomdm.servers import NanoMdm, Servers

from proscribe.canonical import digest_bytes, digest_json
from proscribe.clock import ManualClock, SystemClock
from proscribe.connectors.base import ConnectorFault, NotAuthorised, Rejected, Throttled, UnknownFate
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.wire import PUSHES, Enqueued, NanomdmWire, UnknownEnrolment

DEVICE = "99A8F4AD-4E0C-4A4B-9B3B-0B5B5D7A1C01"
UUID = "7D1F6D0E-6E6F-5A0B-8B0A-0C2D3E4F5A6B"


def command(name: str = UUID) -> bytes:
    return plistlib.dumps({"CommandUUID": name, "Command": {"RequestType": "ProfileList"}})


def said(code: int, /, **body: Any) -> httpx.Response:
    return httpx.Response(code, json=body)


class Script:
    """A server that gives these answers, one after the other, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        found = self._answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def wire(script: Callable[[httpx.Request], httpx.Response], **settings: Any) -> NanomdmWire:
    config = NanomdmConfig(**{"endpoint": "http://127.0.0.1:1", "api_key": "key", **settings})
    clock = ManualClock(SystemClock().now())
    return NanomdmWire(config, clock=clock, transport=httpx.MockTransport(script))


def enqueue(answer: httpx.Response | Exception, **settings: Any) -> Enqueued:
    return wire(Script(answer), **settings).enqueue(DEVICE, command(), uuid=UUID)


# Requests -----------------------------------------------------------------------------------------------------------


def test_a_request_is_what_the_server_takes() -> None:
    script = Script(said(200, command_uuid=UUID))
    wire(script, endpoint="http://127.0.0.1:1/mdm/").enqueue(DEVICE, command(), uuid=UUID)
    (asked,) = script.asked
    assert (asked.method, str(asked.url)) == ("PUT", f"http://127.0.0.1:1/mdm/v1/enqueue/{DEVICE}")
    assert asked.headers["Authorization"] == "Basic bmFub21kbTprZXk="  # nanomdm:key
    assert asked.content == command()


@pytest.mark.parametrize("push", [True, False])
@pytest.mark.parametrize("wake", [True, False])
def test_a_device_is_woken_where_both_the_caller_and_the_configuration_want_it(push: bool, wake: bool) -> None:
    script = Script(said(200, command_uuid=UUID))
    wire(script, push=push).enqueue(DEVICE, command(), uuid=UUID, wake=wake)
    assert script.asked[0].url.query == (b"" if push and wake else b"nopush=1")


def test_the_digests_are_those_of_what_went_out_and_what_came_back() -> None:
    answer = said(200, command_uuid=UUID)
    done = enqueue(answer, push=False)
    assert done.response == digest_bytes(answer.content)
    asked = {"method": "PUT", "path": f"/v1/enqueue/{DEVICE}", "query": {"nopush": "1"}}
    assert done.request == digest_json({**asked, "body": digest_bytes(command())})
    assert enqueue(said(200, command_uuid=UUID), push=False, api_key="another").request == done.request


@pytest.mark.parametrize("device", ["", ".", "..", "a/b", "a,b", "a\nb"])
def test_an_identifier_that_would_address_something_else_is_refused(device: str) -> None:
    client = wire(Script())
    with pytest.raises(Rejected):
        client.enqueue(device, command(), uuid=UUID)
    with pytest.raises(Rejected):
        client.push([DEVICE, device])


@pytest.mark.parametrize("device", ["a?b", "a#b", "a%2Fb", "a b", "a&nopush=1", f"{DEVICE}:501"])
def test_an_odd_identifier_arrives_whole(device: str) -> None:
    script = Script(said(200, command_uuid=UUID))
    wire(script).enqueue(device, command(), uuid=UUID)
    assert script.asked[0].url.path == f"/v1/enqueue/{device}"
    assert script.asked[0].url.query == b""


def test_a_key_file_that_cannot_be_used_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    from proscribe.connectors.base import InvalidConfiguration

    script = Script()
    client = wire(script, api_key="", api_key_file=tmp_path / "missing")
    with pytest.raises(InvalidConfiguration):
        client.enqueue(DEVICE, command(), uuid=UUID)
    assert script.asked == []


def test_a_key_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_text("old")
    script = Script(httpx.Response(401), said(200, command_uuid=UUID))
    client = wire(script, api_key="", api_key_file=path)
    with pytest.raises(NotAuthorised):
        client.enqueue(DEVICE, command(), uuid=UUID)
    path.write_text("key")
    client.enqueue(DEVICE, command(), uuid=UUID)
    assert script.asked[1].headers["Authorization"] == "Basic bmFub21kbTprZXk="


# Answers ------------------------------------------------------------------------------------------------------------

NO_CERTIFICATE = 'retrieving push cert for topic "com.apple.mgmt.External.a": sql: no rows in result set'


@pytest.mark.parametrize(
    ("answer", "already", "push_error"),
    [
        (said(200, command_uuid=UUID, status={DEVICE: {"push_result": "1"}}), False, ""),
        (said(200, command_uuid=UUID.lower(), no_push=True), False, ""),
        (said(500, command_uuid=UUID, push_error=NO_CERTIFICATE), False, NO_CERTIFICATE),
        (said(500, command_uuid=UUID, status={DEVICE: {"push_error": "push data missing for id"}}), False, "missing"),
        (said(207, command_uuid=UUID, status={DEVICE: {"push_error": "BadDeviceToken"}}), False, "BadDeviceToken"),
        (said(500, command_uuid=UUID, command_error=f"command already exists: {UUID}"), True, ""),
        (
            said(
                500,
                command_uuid=UUID,
                command_error='pq: duplicate key value violates unique constraint "commands_pkey"',
            ),
            True,
            "",
        ),
        (  # PostgreSQL in French
            said(
                500,
                command_uuid=UUID,
                command_error="pq: la valeur d'une clé dupliquée rompt la contrainte unique « commands_pkey »",
            ),
            True,
            "",
        ),
        (
            said(
                500,
                command_uuid=UUID,
                command_error=f"Error 1062 (23000): Duplicate entry '{UUID}' for key 'commands.PRIMARY'",
            ),
            True,
            "",
        ),
    ],
)
def test_a_command_that_is_in_the_queue(answer: httpx.Response, already: bool, push_error: str) -> None:
    done = enqueue(answer)
    assert (done.already, done.status) == (already, answer.status_code)
    assert push_error in done.push_error
    assert bool(done.push_error) is bool(push_error)


NOT_ENROLLED = (
    'pq: insert or update on table "enrollment_queue" violates foreign key constraint "enrollment_queue_id_fkey"',
    (  # PostgreSQL in French
        "pq: une instruction insert ou update sur la table « enrollment_queue » viole la contrainte de clé étrangère "
        "« enrollment_queue_id_fkey »"
    ),
    "Error 1452 (23000): Cannot add or update a child row: a foreign key constraint fails (`a`.`enrollment_queue`)",
)


@pytest.mark.parametrize("error", NOT_ENROLLED)
def test_a_device_that_the_server_does_not_know(error: str) -> None:
    with pytest.raises(UnknownEnrolment) as caught:
        enqueue(said(500, command_uuid=UUID, command_error=error))
    assert DEVICE in caught.value.what.fr
    assert caught.value.code == "connector.unknown-enrolment"


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (httpx.Response(401, text="Unauthorized\n"), NotAuthorised),
        (httpx.Response(403), NotAuthorised),
        (httpx.Response(429), Throttled),
        (httpx.Response(400, json={"error": "no"}), Rejected),
        (httpx.Response(404, text="404 page not found\n"), Rejected),
        (httpx.Response(301, headers={"Location": "http://elsewhere.example/"}), Rejected),
        (httpx.Response(413), Rejected),
        (httpx.Response(408), UnknownFate),
        (httpx.Response(409), UnknownFate),
        (httpx.Response(500), UnknownFate),
        (httpx.Response(502, text="<html>Bad Gateway</html>"), UnknownFate),
        (httpx.Response(503, headers={"Retry-After": "5"}), UnknownFate),
        (httpx.Response(504), UnknownFate),
        (httpx.Response(200, text="<html>Sign in</html>"), UnknownFate),
        (httpx.Response(200, text="[]"), UnknownFate),
        (httpx.Response(200, text="[" * 100_000), UnknownFate),
        (said(200), UnknownFate),
        (said(200, command_uuid="another"), UnknownFate),
        (said(500, command_uuid=UUID), UnknownFate),
        (said(500, command_uuid="another", push_error="x"), UnknownFate),
        (said(500, command_uuid=UUID, command_error="pq: the database system is shutting down"), UnknownFate),
        (said(500, command_uuid=UUID, command_error="no space left on device", push_error="x"), UnknownFate),
        (said(500, command_error="nil API result", push_error="nil API result"), UnknownFate),
        (said(500, command_uuid="another", command_error="command already exists: another"), UnknownFate),
        # filekv files a device's error under the command
        (said(500, command_uuid=UUID, status={UUID: {"command_error": "enqueue for x: disk full"}}), UnknownFate),
        (said(200, command_uuid=UUID, status={DEVICE: {"command_error": "disk full"}}), UnknownFate),
        (said(500, command_error="decoding command: invalid command"), Rejected),
        # what is quoted of the command must not be taken for the database's words
        (said(500, command_error=f"decoding command: parse error: raw content: commands_pkey {UUID}"), Rejected),
        (httpx.ConnectError("refused"), UnknownFate),
        (httpx.ConnectTimeout("late"), UnknownFate),
        (httpx.ReadTimeout("late"), UnknownFate),
        (httpx.WriteError("broken"), UnknownFate),
        (httpx.RemoteProtocolError("cut"), UnknownFate),
    ],
)
def test_each_answer_has_its_fault(answer: httpx.Response | Exception, fault: type[Exception]) -> None:
    with pytest.raises(fault) as caught:
        enqueue(answer)
    assert type(caught.value) is fault
    assert isinstance(caught.value, ConnectorFault)
    assert "NanoMDM" in caught.value.what.en
    assert "NanoMDM" in caught.value.what.fr


def test_where_nobody_listens_the_address_is_named() -> None:
    with pytest.raises(UnknownFate) as caught:
        enqueue(httpx.ConnectError("refused"))
    assert "http" in caught.value.what.en
    assert "ConnectError" not in caught.value.what.en


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        ("", None),
        ("soon", None),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 00:00:30 -0000", 30.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
    ],
)
def test_how_long_to_wait(header: str, seconds: float | None) -> None:
    from datetime import UTC, datetime

    config = NanomdmConfig(endpoint="http://127.0.0.1:1", api_key="key")
    script = Script(httpx.Response(429, headers={"Retry-After": header}))
    client = NanomdmWire(
        config, clock=ManualClock(datetime(2026, 1, 1, tzinfo=UTC)), transport=httpx.MockTransport(script)
    )
    with pytest.raises(Throttled) as caught:
        client.enqueue(DEVICE, command(), uuid=UUID)
    assert caught.value.retry_after == seconds


def test_what_the_server_says_is_told_in_part() -> None:
    with pytest.raises(UnknownFate) as caught:
        enqueue(said(500, command_uuid=UUID, command_error="disk " * 1_000))
    assert "disk disk" in caught.value.what.en
    assert len(caught.value.what.en) < 700
    odd = httpx.Response(500, content=b'{"command_uuid": "%s", "push_error": "\\ud800"}' % UUID.encode())
    assert enqueue(odd).push_error.encode("utf-8") == b"?"


@pytest.mark.parametrize("status", [200, 401, 500])
def test_an_endless_answer_is_cut_off(status: int) -> None:
    given = 0

    def endless() -> Iterator[bytes]:
        nonlocal given
        while True:
            given += 1_000
            yield b" " * 1_000

    with pytest.raises(UnknownFate) as caught:
        enqueue(httpx.Response(status, content=endless()), response_limit=10_000)
    assert given <= 12_000
    assert "10,000" in caught.value.what.en


def test_a_redirect_is_not_followed() -> None:
    script = Script(httpx.Response(307, headers={"Location": "http://127.0.0.1:2/v1/enqueue/x"}))
    with pytest.raises(Rejected):
        wire(script).enqueue(DEVICE, command(), uuid=UUID)
    assert len(script.asked) == 1, "the key is for one server"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
)
answers = st.fixed_dictionaries(
    {},
    optional={
        "command_uuid": st.just(UUID) | json_values,
        "command_error": st.just(f"command already exists: {UUID}") | json_values,
        "push_error": json_values,
        "status": st.dictionaries(
            st.just(DEVICE) | st.text(max_size=5),
            st.fixed_dictionaries({}, optional={"push_error": json_values, "command_error": json_values}) | json_values,
            max_size=2,
        )
        | json_values,
    },
)


@given(body=answers | json_values, status=st.sampled_from([200, 207, 400, 429, 500, 503]))
def test_whatever_is_answered_is_an_outcome_or_a_fault(body: Any, status: int) -> None:
    """And a command counts as queued only where the answer says so of this very command."""
    try:
        done = enqueue(httpx.Response(status, content=json.dumps(body).encode()))
    except ConnectorFault:
        return
    assert UUID in json.dumps(body)
    assert done.already or body.get("command_error") is None
    assert status in (200, 207) or done.already or done.push_error


# Waking devices -----------------------------------------------------------------------------------------------------


def test_devices_are_woken_by_the_hundred() -> None:
    devices = [f"D{number:03d}" for number in range(2 * PUSHES + 1)]
    script = Script(
        said(200, status={}),
        said(207, status={"D150": {"push_error": "BadDeviceToken"}, "D151": {"push_result": "1"}}),
        said(500, push_error=NO_CERTIFICATE),
    )
    assert wire(script).push(devices) == {"D150": "BadDeviceToken", "D200": NO_CERTIFICATE}
    paths = [request.url.path.removeprefix("/v1/push/").split(",") for request in script.asked]
    assert [name for path in paths for name in path] == devices
    assert [request.method for request in script.asked] == ["PUT"] * 3


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (httpx.Response(500), UnknownFate),
        (said(500), UnknownFate),
        (httpx.Response(200, text="<html>"), UnknownFate),
        (httpx.Response(401), NotAuthorised),
        (httpx.Response(429), Throttled),
        (httpx.Response(404), Rejected),
    ],
)
def test_waking_may_fail(answer: httpx.Response, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        wire(Script(answer)).push([DEVICE])


def test_nobody_to_wake() -> None:
    assert wire(Script()).push([]) == {}


@pytest.mark.parametrize(
    ("answer", "version"), [(said(200, version="v0.9.0"), "v0.9.0"), (said(200), ""), (httpx.Response(200), "")]
)
def test_the_version(answer: httpx.Response, version: str) -> None:
    assert wire(Script(answer)).version() == version


def test_a_version_that_is_not_told() -> None:
    with pytest.raises(UnknownFate):
        wire(Script(httpx.Response(503))).version()


# Threads ------------------------------------------------------------------------------------------------------------


def test_one_device_gets_one_request_at_a_time() -> None:
    busy, most, guard = 0, 0, threading.Lock()

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal busy, most
        with guard:
            busy += 1
            most = max(most, busy)
        threading.Event().wait(0.005)  # long enough for others to come
        with guard:
            busy -= 1
        return said(200, command_uuid=plistlib.loads(request.read())["CommandUUID"])

    client = wire(answer)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: client.enqueue(DEVICE, command(name), uuid=name), map(str, range(40))))
    assert most == 1


def test_several_devices_are_served_at_a_time() -> None:
    met = threading.Barrier(4, timeout=20)

    def answer(request: httpx.Request) -> httpx.Response:
        met.wait()  # breaks unless four requests are under way at once
        return said(200, command_uuid=plistlib.loads(request.read())["CommandUUID"])

    client = wire(answer)
    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda name: client.enqueue(name, command(name), uuid=name), map(str, range(16))))
    assert len(done) == 16


# The real server (more of it: test_wire_on_servers.py) ----------------------------------------------------------------


@pytest.fixture
def connect() -> Iterator[Callable[..., NanomdmWire]]:
    made: list[NanomdmWire] = []

    def start(server: NanoMdm, **settings: Any) -> NanomdmWire:
        config = NanomdmConfig(**{"endpoint": server.endpoint, "api_key": server.api_key, **settings})
        made.append(NanomdmWire(config, clock=SystemClock()))
        return made[-1]

    yield start
    for client in made:
        client.close()


@pytest.fixture
def on_files(real_servers: Servers) -> NanoMdm:
    return real_servers.nanomdm()


def fresh() -> str:
    return str(uuid.uuid4()).upper()


@pytest.mark.servers
def test_the_real_server_refuses(on_files: NanoMdm, connect: Callable[..., NanomdmWire]) -> None:
    with pytest.raises(Rejected, match="decoding command"):
        connect(on_files).enqueue(DEVICE, b"nonsense", uuid=UUID)
    with pytest.raises(Rejected, match="404"):
        connect(on_files, endpoint=f"{on_files.endpoint}/elsewhere").enqueue(DEVICE, command(), uuid=UUID)
    on_files.stop()
    with pytest.raises(UnknownFate):
        connect(on_files).enqueue(DEVICE, command(), uuid=UUID)


def queue_on_disk(server: NanoMdm, device: str) -> list[str]:
    """NanoMDM's queue of a device (storage/kv/queue_ll.go): a list linked by files."""
    folder = server.log.parent / "files" / "queue"

    def read(key: str) -> str:
        path = folder / key[:2] / key[2:4] / key
        return path.read_text("ascii") if path.exists() else ""

    names: list[str] = []
    name = read(f"{device}.queuekey.queue.first")
    while name and name not in names:
        names.append(name)
        name = read(f"{device}.{name}.queueitem.next")
    return names


@pytest.mark.servers
def test_no_command_is_lost_when_many_threads_serve_one_device(
    on_files: NanoMdm, connect: Callable[..., NanomdmWire]
) -> None:
    client = connect(on_files, push=False)
    names = [fresh() for _ in range(80)]
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda name: client.enqueue(DEVICE, command(name), uuid=name), names))
    assert not any(each.already for each in done)
    assert sorted(queue_on_disk(on_files, DEVICE)) == sorted(names)

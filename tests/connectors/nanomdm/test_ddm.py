"""The client of KMFDDM: what each answer means, and the real server's own answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.connectors.nanomdm.servers import Kmfddm, Servers

from proscribe.clock import ManualClock, SystemClock
from proscribe.connectors.base import (
    ConnectorFault,
    InvalidConfiguration,
    NotAuthorised,
    Rejected,
    Throttled,
    UnknownFate,
)
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.ddm import DEVICES, KmfddmWire, reported
from proscribe.connectors.nanomdm.declarations import for_ban, set_name
from proscribe.connectors.nanomdm.model import Declarations, SeenDeclaration

SCOPE = "ships/declarations"
SET = set_name(SCOPE)
CONFIGURATION, ACTIVATION = for_ban(SCOPE, "ban-1", ["com.tencent.xin"])
NAME = CONFIGURATION["Identifier"]
DEVICE = "99A8F4AD-4E0C-4A4B-9B3B-0B5B5D7A1C01"
RECEIVED = "2026-11-02T08:00:00.123456789Z"


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


def wire(script: Callable[[httpx.Request], httpx.Response]) -> KmfddmWire:
    config = NanomdmConfig(
        endpoint="http://127.0.0.1:1", api_key="a", kmfddm_endpoint="http://127.0.0.1:2/", kmfddm_key="key"
    )
    return KmfddmWire(config, clock=ManualClock(SystemClock().now()), transport=httpx.MockTransport(script))


CHANGES: tuple[tuple[Callable[[KmfddmWire], bool], str, str], ...] = (
    (lambda client: client.put_declaration(CONFIGURATION), "PUT", "/v1/declarations?nonotify=1"),
    (lambda client: client.delete_declaration(NAME), "DELETE", f"/v1/declarations/{NAME}"),
    (
        lambda client: client.put_in_set(SET, NAME),
        "PUT",
        f"/v1/set-declarations/{SET}?declaration={NAME}&nonotify=1",
    ),
    (
        lambda client: client.drop_from_set(SET, NAME),
        "DELETE",
        f"/v1/set-declarations/{SET}?declaration={NAME}&nonotify=1",
    ),
    (lambda client: client.join(DEVICE, SET), "PUT", f"/v1/enrollment-sets/{DEVICE}?set={SET}&nonotify=1"),
    (lambda client: client.leave(DEVICE, SET), "DELETE", f"/v1/enrollment-sets/{DEVICE}?set={SET}&nonotify=1"),
)
READS: tuple[Callable[[KmfddmWire], Any], ...] = (
    lambda client: client.declaration(NAME),
    lambda client: client.declarations_of(SET),
    lambda client: client.sets_of(DEVICE),
    lambda client: client.status([DEVICE]),
)


@pytest.mark.parametrize(("change", "method", "address"), CHANGES)
@pytest.mark.parametrize(("status", "changed"), [(204, True), (304, False)])
def test_a_change_says_whether_it_was_one(
    change: Callable[[KmfddmWire], bool], method: str, address: str, status: int, changed: bool
) -> None:
    script = Script(httpx.Response(status))
    assert change(wire(script)) is changed
    asked = script.asked[0]
    assert (asked.method, str(asked.url)) == (method, f"http://127.0.0.1:2{address}")
    assert asked.headers["Authorization"] == "Basic a21mZGRtOmtleQ=="  # kmfddm:key


def test_the_same_declaration_is_always_the_same_bytes() -> None:
    script = Script(httpx.Response(204), httpx.Response(304))
    client = wire(script)
    client.put_declaration(CONFIGURATION)
    client.put_declaration(dict(reversed(CONFIGURATION.items())))
    assert script.asked[0].content == script.asked[1].content
    assert json.loads(script.asked[0].content) == CONFIGURATION


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda: httpx.Response(401, text="Unauthorized\n"), NotAuthorised),
        (lambda: httpx.Response(403), NotAuthorised),
        (lambda: httpx.Response(429, headers={"Retry-After": "9"}), Throttled),
        (lambda: httpx.Response(400, json={"error": "invalid declaration"}), Rejected),
        (lambda: httpx.Response(404, text="404 page not found\n"), Rejected),
        (lambda: httpx.Response(405), Rejected),
        (lambda: httpx.Response(302, headers={"Location": "/elsewhere"}), Rejected),
        (lambda: httpx.Response(500, json={"error": "database is locked"}), UnknownFate),
        (lambda: httpx.Response(500, json=[]), UnknownFate),
        (lambda: httpx.Response(502, text="<html>"), UnknownFate),
        (lambda: httpx.Response(200, text="<html>Sign in</html>"), UnknownFate),
        (lambda: httpx.ReadTimeout("late"), UnknownFate),
        (lambda: httpx.ConnectError("refused"), UnknownFate),
    ],
)
@pytest.mark.parametrize("ask", [*(change for change, _, _ in CHANGES), *READS])
def test_each_answer_has_its_fault(
    ask: Callable[[KmfddmWire], Any], answer: Callable[[], httpx.Response | Exception], fault: type[Exception]
) -> None:
    with pytest.raises(fault) as caught:
        ask(wire(Script(answer())))
    assert type(caught.value) is fault
    assert isinstance(caught.value, ConnectorFault)
    assert "KMFDDM" in caught.value.what.en


@pytest.mark.parametrize(
    "error",
    [
        "declaration not found",
        "txn rolled back: declaration is referenced by 1 sets",
        "Error 1451 (23000): Cannot delete or update a parent row: a foreign key constraint fails (`a`.`b`)",
    ],
)
def test_a_change_that_the_server_will_never_make(error: str) -> None:
    with pytest.raises(Rejected, match="KMFDDM refused"):
        wire(Script(httpx.Response(500, json={"error": error}))).put_in_set(SET, NAME)


@pytest.mark.parametrize("name", ["", "a/b", "a,b", "..", "a\nb"])
def test_a_name_that_cannot_be_asked_for_is_refused(name: str) -> None:
    client = wire(Script())
    for ask in (
        lambda: client.declaration(name),
        lambda: client.delete_declaration(name),
        lambda: client.put_in_set(name, NAME),
        lambda: client.put_in_set(SET, name),
        lambda: client.drop_from_set(SET, name),
        lambda: client.declarations_of(name),
        lambda: client.join(name, SET),
        lambda: client.leave(DEVICE, name),
        lambda: client.sets_of(name),
        lambda: client.status([DEVICE, name]),
    ):
        with pytest.raises(Rejected):
            ask()


def test_without_kmfddm_there_is_no_client() -> None:
    config = NanomdmConfig(endpoint="http://127.0.0.1:1", api_key="a")
    with pytest.raises(InvalidConfiguration) as caught:
        KmfddmWire(config, clock=SystemClock())
    assert caught.value.where.field == "nanomdm.kmfddm_endpoint"


# Reading ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (httpx.Response(200, json=["b", "a"]), ("a", "b")),
        (httpx.Response(200, json=[]), ()),
        (httpx.Response(200, text="null"), ()),
        (httpx.Response(204), ()),
    ],
)
def test_names_are_sorted(answer: httpx.Response, names: tuple[str, ...]) -> None:
    assert wire(Script(answer)).declarations_of(SET) == names
    assert wire(Script(answer)).sets_of(DEVICE) == names


@pytest.mark.parametrize("body", [{"a": 1}, "a", [1], [None], 7])
def test_names_of_another_shape_are_not_believed(body: Any) -> None:
    with pytest.raises(UnknownFate):
        wire(Script(httpx.Response(200, json=body))).declarations_of(SET)


def test_a_declaration_or_none() -> None:
    script = Script(
        httpx.Response(200, json={**CONFIGURATION, "ServerToken": "1"}),
        httpx.Response(404, json={"error": f"declaration not found: getting dcl.{NAME}.token"}),
    )
    client = wire(script)
    assert client.declaration(NAME) == {**CONFIGURATION, "ServerToken": "1"}
    assert client.declaration(NAME) is None


@pytest.mark.parametrize("body", [ACTIVATION, {}, [], None])
def test_another_declaration_is_not_believed(body: Any) -> None:
    with pytest.raises(UnknownFate):
        wire(Script(httpx.Response(200, json=body))).declaration(NAME)


# Reports ------------------------------------------------------------------------------------------------------------


def test_reports_are_asked_for_by_the_hundred() -> None:
    devices = [f"D{number:03d}" for number in range(DEVICES + 1)]
    entry = {"identifier": NAME, "active": True, "valid": "valid", "current": True, "status_received": RECEIVED}
    script = Script(
        httpx.Response(200, json={"D000": [entry], "stranger": [entry]}), httpx.Response(200, json={"D100": [entry]})
    )
    assert wire(script).status(devices).keys() == {"D000", "D100"}, "the others reported nothing"
    paths = [request.url.path.removeprefix("/v1/declaration-status/").split(",") for request in script.asked]
    assert [name for path in paths for name in path] == devices


@pytest.mark.parametrize("body", [[], "x", None])
def test_reports_of_another_shape_are_not_believed(body: Any) -> None:
    with pytest.raises(UnknownFate):
        wire(Script(httpx.Response(200, json=body))).status([DEVICE])


def test_a_report_is_read_with_its_reasons() -> None:
    told = [
        {
            "identifier": "b",
            "active": False,
            "valid": "invalid",
            "server-token": "t",
            "current": True,
            "status_received": "2026-11-02T03:00:00-05:00",
            "status_id": "7",
            "reasons": [
                {"code": "Error.ConfigurationCannotBeApplied", "description": "It cannot.", "details": {"App": "x"}},
                {"code": "Info.NotReferencedByActivation"},
                {"details": {}},
                "odd",
            ],
        },
        {"identifier": "a", "active": True, "valid": "valid", "current": True, "status_received": RECEIVED},
    ]
    assert reported(told) == Declarations(
        received_at=datetime(2026, 11, 2, 8, 0, 0, 123456, tzinfo=UTC),
        items=(
            SeenDeclaration(identifier="a", active=True, valid="valid", current=True),
            SeenDeclaration(
                identifier="b",
                active=False,
                valid="invalid",
                current=True,
                server_token="t",
                reason="Error.ConfigurationCannotBeApplied - It cannot.; Info.NotReferencedByActivation",
            ),
        ),
    )


def test_what_is_odd_in_a_report_is_never_taken_for_good() -> None:
    told = [
        {"identifier": "a", "active": 1, "valid": "VALID", "current": "true", "server-token": 7, "reasons": {}},
        {"identifier": "b", "valid": ["valid"], "status_received": RECEIVED},
        {"identifier": 7, "status_received": RECEIVED},
        {"active": True},
        "odd",
    ]
    found = reported(told)
    assert found is not None
    assert [each.identifier for each in found.items] == ["a", "b"]
    assert all(each.valid == "unknown" and not each.active and not each.current for each in found.items)


@pytest.mark.parametrize("when", [None, 7, "", "yesterday", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:00"])
def test_a_report_without_a_date_proves_nothing(when: Any) -> None:
    assert reported([{"identifier": "a", "active": True, "valid": "valid", "status_received": when}]) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "description", "details"]), inner, max_size=3)
    ),
)
entries = st.fixed_dictionaries(
    {"status_received": st.just(RECEIVED) | values, "identifier": st.just(NAME) | values},
    optional=dict.fromkeys(("active", "valid", "current", "server-token", "reasons"), values),
)


@given(told=st.lists(entries | values, max_size=3) | values)
def test_whatever_is_reported_can_be_read(told: Any) -> None:
    found = reported(told)
    assert found is None or found.received_at.tzinfo is not None


# The real server (more of it: test_wire_on_servers.py) ----------------------------------------------------------------


@pytest.fixture
def kmfddm(real_servers: Servers) -> Kmfddm:
    return real_servers.kmfddm()


@pytest.fixture
def client(kmfddm: Kmfddm) -> Iterator[KmfddmWire]:
    config = NanomdmConfig(
        endpoint="http://127.0.0.1:1", api_key="a", kmfddm_endpoint=kmfddm.endpoint, kmfddm_key=kmfddm.api_key
    )
    made = KmfddmWire(config, clock=SystemClock())
    yield made
    made.close()


def device(server: Kmfddm, path: str, report: Any = None) -> httpx.Response:
    """What NanoMDM passes on for a device."""
    return httpx.request(
        "GET" if report is None else "PUT",
        f"{server.endpoint}/{path}",
        headers={"X-Enrollment-ID": DEVICE},
        json=report,
    ).raise_for_status()


def report(*items: dict[str, Any]) -> dict[str, Any]:
    """A status report as Apple's schema has it (declarative/status/management.declarations.yaml)."""
    return {"StatusItems": {"management": {"declarations": {"configurations": list(items), "activations": []}}}}


@pytest.mark.servers
def test_a_device_is_offered_what_its_set_holds(client: KmfddmWire, kmfddm: Kmfddm) -> None:
    for each in (CONFIGURATION, ACTIVATION):
        client.put_declaration(each)
        client.put_in_set(SET, each["Identifier"])
    client.join(DEVICE, SET)

    def offered() -> set[str]:
        kinds = device(kmfddm, "declaration-items").json()["Declarations"]
        return {each["Identifier"] for kind in kinds.values() for each in kind or ()}

    assert offered() == {NAME, ACTIVATION["Identifier"]}
    client.drop_from_set(SET, ACTIVATION["Identifier"])
    assert offered() == {NAME}
    client.leave(DEVICE, SET)
    assert offered() == set()


@pytest.mark.servers
def test_the_order_of_things_is_kept(client: KmfddmWire) -> None:
    """A declaration comes before its place in a set, and goes after it."""
    with pytest.raises(Rejected, match="not found"):
        client.put_in_set(SET, NAME)
    client.put_declaration(CONFIGURATION)
    client.put_in_set(SET, NAME)
    with pytest.raises(Rejected, match="referenced"):
        client.delete_declaration(NAME)
    assert client.declaration(NAME) is not None


@pytest.mark.servers
def test_what_a_device_reports(client: KmfddmWire, kmfddm: Kmfddm) -> None:
    for each in (CONFIGURATION, ACTIVATION):
        client.put_declaration(each)
        client.put_in_set(SET, each["Identifier"])
    client.join(DEVICE, SET)
    assert client.status([DEVICE, "NOBODY"]) == {}

    stored = client.declaration(NAME)
    assert stored is not None
    seen = {"identifier": NAME, "server-token": stored["ServerToken"], "active": True, "valid": "valid"}
    device(kmfddm, "status", report(seen))
    told = client.status(["NOBODY", DEVICE])[DEVICE]
    expected = SeenDeclaration(
        identifier=NAME, active=True, valid="valid", current=True, server_token=stored["ServerToken"]
    )
    assert told.items == (expected,)
    assert abs(told.received_at - datetime.now(UTC)) < timedelta(minutes=1)

    changed = {**CONFIGURATION, "Payload": {"Allowed": {"DeniedApps": ["com.tencent.xin", "org.example.casino"]}}}
    assert client.put_declaration(changed)
    assert not client.status([DEVICE])[DEVICE].items[0].current, "the device has the one before"

    failed = {**seen, "active": False, "valid": "invalid", "reasons": [{"code": "Error.Some", "description": "No."}]}
    device(kmfddm, "status", report(failed))
    assert client.status([DEVICE])[DEVICE].items[0].reason == "Error.Some - No."


@pytest.mark.servers
def test_what_was_withdrawn_stays_in_the_report_and_is_not_current(client: KmfddmWire, kmfddm: Kmfddm) -> None:
    """KMFDDM keeps the last report that named declarations, also when a later one names none."""
    client.put_declaration(CONFIGURATION)
    client.put_in_set(SET, NAME)
    client.join(DEVICE, SET)
    stored = client.declaration(NAME)
    assert stored is not None
    seen = {"identifier": NAME, "server-token": stored["ServerToken"], "active": True, "valid": "valid"}
    device(kmfddm, "status", report(seen))
    client.drop_from_set(SET, NAME)
    device(kmfddm, "status", report())
    (item,) = client.status([DEVICE])[DEVICE].items
    assert (item.active, item.current) == (True, False)


@pytest.mark.servers
def test_the_real_server_refuses(kmfddm: Kmfddm, client: KmfddmWire) -> None:
    config = NanomdmConfig(
        endpoint="http://127.0.0.1:1", api_key="a", kmfddm_endpoint=kmfddm.endpoint, kmfddm_key="wrong"
    )
    stranger = KmfddmWire(config, clock=SystemClock())
    assert stranger.version() == kmfddm.version(), "that needs no key"
    with pytest.raises(NotAuthorised):
        stranger.put_declaration(CONFIGURATION)
    stranger.close()
    with pytest.raises(Rejected, match="invalid declaration"):
        client.put_declaration({"Identifier": "x"})
    kmfddm.stop()
    with pytest.raises(UnknownFate):
        client.put_declaration(CONFIGURATION)


@pytest.mark.servers
def test_the_same_change_by_many_threads_does_not_stop_the_server(client: KmfddmWire) -> None:
    """Sent at once, without our waiting, this change stops a KMFDDM on files until it is started anew."""

    def once(change: Callable[[], bool]) -> None:
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(lambda _: change(), range(40))) == 1

    once(lambda: client.put_declaration(CONFIGURATION))
    once(lambda: client.put_in_set(SET, NAME))
    once(lambda: client.join(DEVICE, SET))
    once(lambda: client.leave(DEVICE, SET))
    once(lambda: client.drop_from_set(SET, NAME))
    once(lambda: client.delete_declaration(NAME))

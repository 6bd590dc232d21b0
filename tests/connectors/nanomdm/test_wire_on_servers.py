"""The clients against the real servers: what a queue and a set of declarations make of the same request twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from tests.connectors.nanomdm.fault_proxy import FaultProxy
from tests.connectors.nanomdm.servers import Kmfddm, NanoMdm, Servers

from proscribe.clock import SystemClock
from proscribe.connectors.base import ConnectorFault, NotAuthorised
from proscribe.connectors.conformance import EXPECTED, Trouble
from proscribe.connectors.nanomdm import commands
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.ddm import KmfddmWire
from proscribe.connectors.nanomdm.declarations import for_ban, identifier
from proscribe.connectors.nanomdm.wire import NanomdmWire, UnknownEnrolment

pytestmark = pytest.mark.servers

CLOCK = SystemClock()
UUID = commands.command_uuid("a", "command")
BODY = commands.as_plist(UUID, commands.profile_list())
SCOPE = "harbour/declarations"


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(params=["filekv", pytest.param("pgsql", marks=pytest.mark.postgres)])
def nanomdm(
    request: pytest.FixtureRequest,
    real_servers: Servers,
    nanomdm_database: Callable[[], str],
    enrol: Callable[[NanoMdm, str], None],
) -> NanoMdm:
    server = real_servers.nanomdm(database=nanomdm_database() if request.param == "pgsql" else "")
    enrol(server, "D-1")
    return server


def _config(server: NanoMdm, endpoint: str = "", **given: object) -> NanomdmConfig:
    settings = {"push": False, "read_timeout": 1.0, "api_key": server.api_key, **given}
    return NanomdmConfig(endpoint=endpoint or server.endpoint, **settings)  # type: ignore[arg-type]


def test_the_same_command_is_queued_once(nanomdm: NanoMdm, closing: ExitStack) -> None:
    wire = NanomdmWire(_config(nanomdm), clock=CLOCK)
    closing.callback(wire.close)
    assert not wire.enqueue("D-1", BODY, uuid=UUID).already
    again = wire.enqueue("D-1", BODY, uuid=UUID)
    assert (again.already, again.status) == (True, 500)
    assert wire.version() == "v0.9.0"


@pytest.mark.parametrize("trouble", EXPECTED)
def test_trouble_on_the_way(nanomdm: NanoMdm, closing: ExitStack, trouble: Trouble) -> None:
    """After trouble the same request is either new to the server or known to it; both prove that it is queued."""
    proxy = closing.enter_context(FaultProxy(nanomdm.endpoint))
    wire = NanomdmWire(_config(nanomdm, proxy.endpoint), clock=CLOCK)
    closing.callback(wire.close)
    proxy.script.trouble(trouble)
    with pytest.raises(EXPECTED[trouble]):
        wire.enqueue("D-1", BODY, uuid=UUID)
    done = trouble in (Trouble.fail_after, Trouble.cut_after, Trouble.silent)
    assert wire.enqueue("D-1", BODY, uuid=UUID).already is done
    assert proxy.script.by_type() == {"ProfileList": 1}


def test_who_cannot_be_woken_has_the_command_all_the_same(nanomdm: NanoMdm, closing: ExitStack) -> None:
    """There is no push certificate here: 500, and queued."""
    wire = NanomdmWire(_config(nanomdm, push=True), clock=CLOCK)
    closing.callback(wire.close)
    queued = wire.enqueue("D-1", BODY, uuid=UUID)
    assert (queued.already, queued.status) == (False, 500)
    assert queued.push_error
    assert wire.enqueue("D-1", BODY, uuid=UUID).already
    assert wire.push(["D-1"])["D-1"]


def test_a_device_that_the_database_does_not_know(nanomdm: NanoMdm, closing: ExitStack) -> None:
    wire = NanomdmWire(_config(nanomdm), clock=CLOCK)
    closing.callback(wire.close)
    if "pgsql" in str(nanomdm.process.args):
        with pytest.raises(UnknownEnrolment):
            wire.enqueue("D-2", BODY, uuid=UUID)
        wire.enqueue("D-1", BODY, uuid=UUID)  # and the refusal left nothing behind
    else:
        assert not wire.enqueue("D-2", BODY, uuid=UUID).already


def test_a_wrong_key(nanomdm: NanoMdm, closing: ExitStack) -> None:
    wire = NanomdmWire(_config(nanomdm, api_key="wrong"), clock=CLOCK)
    closing.callback(wire.close)
    with pytest.raises(NotAuthorised):
        wire.enqueue("D-1", BODY, uuid=UUID)


# KMFDDM -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def kmfddm(real_servers: Servers) -> Kmfddm:
    return real_servers.kmfddm()


def _declarations(server: Kmfddm, endpoint: str = "") -> KmfddmWire:
    config = NanomdmConfig(
        endpoint="http://127.0.0.1:9",
        api_key="unused",
        kmfddm_endpoint=endpoint or server.endpoint,
        kmfddm_key=server.api_key,
        read_timeout=1.0,
    )
    return KmfddmWire(config, clock=CLOCK)


def test_a_ban_is_put_joined_and_withdrawn(kmfddm: Kmfddm, closing: ExitStack) -> None:
    wire = _declarations(kmfddm)
    closing.callback(wire.close)
    name = identifier(SCOPE, "ban")
    for first in (True, False):  # 204, then 304
        assert [wire.put_declaration(each) for each in for_ban(SCOPE, "ban", ["com.tencent.xin"])] == [first, first]
        assert [wire.put_in_set("set", each) for each in (name, f"{name}-on")] == [first, first]
        assert wire.join("D-1", "set") is first
    assert wire.declarations_of("set") == (name, f"{name}-on")
    assert wire.sets_of("D-1") == ("set",)
    stored = wire.declaration(name)
    assert stored is not None
    assert stored["Payload"] == {"Allowed": {"DeniedApps": ["com.tencent.xin"]}}
    assert stored["ServerToken"]
    for first in (True, False):
        assert [wire.drop_from_set("set", each) for each in (f"{name}-on", name)] == [first, first]
    assert wire.delete_declaration(f"{name}-on")
    assert wire.delete_declaration(name)
    assert wire.declaration(name) is None
    assert wire.declarations_of("set") == ()
    assert wire.status(["D-1"]) == {}


@pytest.mark.parametrize("trouble", EXPECTED)
def test_trouble_on_the_way_to_declarations(kmfddm: Kmfddm, closing: ExitStack, trouble: Trouble) -> None:
    proxy = closing.enter_context(FaultProxy(kmfddm.endpoint))
    wire = _declarations(kmfddm, proxy.endpoint)
    closing.callback(wire.close)
    declaration = for_ban(SCOPE, "ban", ["com.tencent.xin"])[0]
    proxy.script.trouble(trouble)
    with pytest.raises(ConnectorFault) as caught:
        wire.put_declaration(declaration)
    assert type(caught.value) is EXPECTED[trouble]
    wire.put_declaration(declaration)
    assert len(proxy.script.writes()) == 1

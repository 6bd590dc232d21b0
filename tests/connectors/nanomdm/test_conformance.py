"""The shared suite against NanoMDM and KMFDDM, real (both back ends) and simulated, with simulated phones behind them.

What an order came to is read from the phones: what they really keep from launching, and what they really hold.
"""

from __future__ import annotations

import plistlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from tests.connectors.nanomdm.fault_proxy import TLS, FaultProxy, Script
from tests.connectors.nanomdm.servers import Servers
from tests.connectors.nanomdm.world import SiteMaker, World, real_site, simulated_site, world

from proscribe.connectors import conformance
from proscribe.connectors.base import AsgiApp, Order
from proscribe.connectors.conformance import EXPECTED, NotConforming, Trouble
from proscribe.connectors.memory import Surroundings, Watch
from proscribe.connectors.nanomdm import commands
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.connector import NanomdmConnector
from proscribe.connectors.nanomdm.records import Records
from proscribe.simulate.apple import App, CertificateAuthority, Phone, PhoneSpec
from proscribe.terms import Enrolment, Side

WECHAT = App("com.tencent.xin", "WeChat")
CASINO, NEW = "org.example.casino", "org.example.new"
WATCH = Watch(ios=frozenset({WECHAT.id, "com.kaspersky.passwordmanager", CASINO, NEW}))
GROUP = "harbour"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of order, and the phone that shows it. ``command`` is what brings it to a phone."""

    name: str
    os: str
    method: str
    command: str
    banned: str = "blocked"
    troubled: str = ""  # part of the path of the write that goes wrong; "" for the first

    @property
    def scope(self) -> str:
        """The group scope; "" for an order to the phone itself."""
        return f"{GROUP}/{self.name}" if self.banned == "blocked" else ""


PROFILE = Kind("profile", "18.5", "RestrictionsProfile", "InstallProfile")
DECLARATIONS = Kind("declarations", "27.0", "AppSettingsDeclaration", "DeclarativeManagement")
REMOVAL = Kind("removal", "26.1", "RemoveApplication", "RemoveApplication", banned="removed")
CONVERSION = Kind("conversion", "17.6", "ConvertThenRemove", "InstallApplication", banned="removed")
KINDS = (PROFILE, DECLARATIONS, REMOVAL, CONVERSION)
GROUPS = (PROFILE, DECLARATIONS)


class NanomdmHarness:
    """The suite's view of a world with one phone that the order is for, and others that it is not for."""

    def __init__(self, kind: Kind, made: World, home: Path, stack: ExitStack) -> None:
        self.kind = kind
        self.world = made
        self._home = home
        self._stack = stack
        self._script = Script()
        self._proxies = [
            stack.enter_context(FaultProxy(address, self._script)) for address in (made.site.nanomdm, made.site.kmfddm)
        ]
        digits = uuid.uuid4().hex.upper()
        spec = PhoneSpec(udid=f"00008110-{digits[:16]}", serial=f"S{digits[:8]}", os=kind.os, apps=(WECHAT,))
        self.phone = Phone(spec)
        others = [
            Phone(replace(spec, udid=f"00008120-{digits[:15]}{number}", serial=f"T{number}", enrolment=enrolment))
            for number, enrolment in enumerate((Enrolment.supervised, Enrolment.unsupervised, Enrolment.user_enrolment))
        ]
        (home / "roster.csv").write_text(f"udid,group\n{spec.udid},{GROUP}\n", "utf-8")
        (home / "profiles").mkdir()
        made.enrol([self.phone, *others])

    @property
    def banned(self) -> str:
        return self.kind.banned

    def order(self) -> Order:
        """The order of this kind."""
        scope = self.kind.scope or f"nanomdm:{self.phone.id}"
        return Order(f"key-{self.phone.id}", "nanomdm", scope, self.kind.method, Side.whole, (WECHAT.id,))

    def connect(self) -> NanomdmConnector:
        config = NanomdmConfig(
            endpoint=self._proxies[0].endpoint,
            api_key=self.world.site.api_key,
            push=False,
            webhook_key=self.world.site.hook_key,
            kmfddm_endpoint=self._proxies[1].endpoint,
            kmfddm_key=self.world.site.kmfddm_key,
            roster=self._home / "roster.csv",
            profiles=self._home / "profiles",
            read_timeout=1.0,
        )
        transport = httpx.HTTPTransport(verify=TLS)
        connector = NanomdmConnector(config, surroundings(self.world, self._home), transport=transport)
        self._stack.callback(connector.close)
        return connector

    def settle(self) -> None:
        """Let the connector learn and do what follows from what was ordered, until nothing is left to say."""
        for _ in range(12):
            self.connect().follow_up(frozen=False)
            if not self.world.check_in():
                return
            self.world.clock.advance(minutes=1)
        raise AssertionError("there is no end to it")

    def writes(self) -> int:
        return len(self._script.writes())

    def effects(self, order: Order) -> Mapping[str, int]:
        return Counter(
            write.path.partition("?")[0].rpartition("/")[2]
            for write in self._script.writes()
            if write.what == self.kind.command
        )

    def entries(self, order: Order) -> dict[str, str]:
        if self.kind.name == CONVERSION.name:
            self.settle()
        self.world.check_in()
        if self.kind.scope:
            return dict.fromkeys(self.phone.blocked(), "blocked")
        return {app: "there" if app in self.phone.installed() else "removed" for app in order.app_ids}

    def edit(self, order: Order, app_id: str, value: str | None) -> None:
        if self.kind.name == PROFILE.name:
            self._edit_profile(app_id, value)
        else:
            self._edit_declarations(app_id, value)

    def _edit_profile(self, app_id: str, value: str | None) -> None:
        """The organisation changes its own profile for the group, in the folder and on the phone where ours is not."""
        path = self._home / "profiles" / f"{GROUP}.mobileconfig"
        apps = (
            set(plistlib.loads(path.read_bytes())["PayloadContent"][0]["blockedAppBundleIDs"])
            if path.exists()
            else set()
        )
        apps = apps - {app_id} if value is None else apps | {app_id}
        common = {"PayloadVersion": 1, "PayloadUUID": str(uuid.uuid4()).upper()}
        restrictions = {
            **common,
            "PayloadType": "com.apple.applicationaccess",
            "PayloadIdentifier": "org.lighthouses.harbour.restrictions",
            "allowCamera": False,
            "blockedAppBundleIDs": sorted(apps),
        }
        document = {
            **common,
            "PayloadType": "Configuration",
            "PayloadIdentifier": "org.lighthouses.harbour",
            "PayloadScope": "System",
            "PayloadContent": [restrictions],
        }
        path.write_bytes(plistlib.dumps(document))
        if not self.writes():
            self._command({"RequestType": "InstallProfile", "Payload": path.read_bytes()})
            self.world.check_in()

    def _edit_declarations(self, app_id: str, value: str | None) -> None:
        """Another administrator's declarations, in a set of their own."""
        name = app_id.replace(".", "-")
        pair = (
            {"Type": "com.apple.configuration.app.settings", "Identifier": name}
            | {"Payload": {"Allowed": {"DeniedApps": [app_id]}}},
            {"Type": "com.apple.activation.simple", "Identifier": f"{name}-on"}
            | {"Payload": {"StandardConfigurations": [name]}},
        )
        with httpx.Client(
            base_url=f"{self.world.site.kmfddm}/v1",
            auth=("kmfddm", self.world.site.kmfddm_key),
            params={"nonotify": "1"},
        ) as client:
            for each in pair:
                if value is not None:
                    client.put("/declarations", json=each)
                client.request(
                    "DELETE" if value is None else "PUT",
                    "/set-declarations/lighthouses",
                    params={"declaration": each["Identifier"], "nonotify": "1"},
                )
            client.put(f"/enrollment-sets/{self.phone.id}", params={"set": "lighthouses", "nonotify": "1"})
        self._command({"RequestType": "DeclarativeManagement"})
        self.world.check_in()

    def _command(self, command: dict[str, object]) -> None:
        httpx.put(
            f"{self.world.site.nanomdm}/v1/enqueue/{self.phone.id}?nopush=1",
            content=plistlib.dumps({"CommandUUID": str(uuid.uuid4()).upper(), "Command": command}),
            auth=("nanomdm", self.world.site.api_key),
        ).raise_for_status()

    def trouble(self, trouble: Trouble) -> None:
        self._script.trouble(trouble, on=self.kind.troubled)


def surroundings(made: World, home: Path) -> Surroundings:
    """What an installation would give: the store's own memory."""
    from proscribe.store.repositories import Memory

    return Surroundings(made.clock, home, Memory("nanomdm"), lambda: WATCH)


@pytest.fixture(
    params=[
        pytest.param("filekv", marks=pytest.mark.servers),
        pytest.param("pgsql", marks=[pytest.mark.servers, pytest.mark.postgres]),
        "simulated",
    ]
)
def site(request: pytest.FixtureRequest, authority: CertificateAuthority) -> SiteMaker:
    if request.param == "simulated":
        return simulated_site(authority)
    running: Servers = request.getfixturevalue("real_servers")
    database = request.getfixturevalue("nanomdm_database") if request.param == "pgsql" else None
    return real_site(running, database)


Harnesses = Callable[[Kind], NanomdmHarness]


@pytest.fixture
def harness_of(site: SiteMaker, authority: CertificateAuthority, home: Path) -> Iterator[Harnesses]:
    with ExitStack() as stack:

        def application(made: World) -> AsgiApp:
            config = NanomdmConfig(
                endpoint=made.site.nanomdm,
                api_key=made.site.api_key,
                webhook_key=made.site.hook_key,
                listen=made.listen,
            )
            return NanomdmConnector(config, surroundings(made, home)).receiver()

        def make(kind: Kind) -> NanomdmHarness:
            made = stack.enter_context(world(site, authority, application))
            harness = NanomdmHarness(kind, made, home, stack)
            if kind.scope:
                harness.edit(harness.order(), CASINO, "blocked")
            harness.settle()
            return harness

        yield make


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def harness(request: pytest.FixtureRequest, harness_of: Harnesses) -> NanomdmHarness:
    return harness_of(request.param)


def test_observation(harness_of: Harnesses) -> None:
    conformance.check_observation(harness_of(PROFILE))


def test_preparing_changes_nothing(harness: NanomdmHarness) -> None:
    conformance.check_prepare_changes_nothing(harness, harness.order())


def test_applied_once(harness: NanomdmHarness) -> None:
    conformance.check_applied_once(harness, harness.order())


@pytest.mark.parametrize("kind", GROUPS, ids=lambda kind: kind.name)
def test_undo_restores(harness_of: Harnesses, kind: Kind) -> None:
    harness = harness_of(kind)
    conformance.check_undo(harness, harness.order())
    assert harness.phone.can_launch(WECHAT.id)


@pytest.mark.parametrize("kind", GROUPS, ids=lambda kind: kind.name)
def test_undo_leaves_what_others_did(harness_of: Harnesses, kind: Kind) -> None:
    harness = harness_of(kind)
    conformance.check_undo(harness, harness.order(), [(NEW, "blocked"), (CASINO, None)])


@pytest.mark.parametrize("kind", [REMOVAL, CONVERSION], ids=lambda kind: kind.name)
def test_a_removal_cannot_be_undone_and_says_so(harness_of: Harnesses, kind: Kind) -> None:
    """App data are gone: lifting sends nothing, and leaves the phone as it is."""
    harness = harness_of(kind)
    order, connector = harness.order(), harness.connect()
    prepared = connector.prepare(order)
    connector.send(order, prepared)
    assert harness.entries(order) == {WECHAT.id: "removed"}
    before = harness.writes()
    receipt = harness.connect().retract(order, prepared.prior)
    assert (receipt.key, receipt.status) == (order.key, 0)
    assert harness.writes() == before


@pytest.mark.parametrize("trouble", EXPECTED)
def test_trouble(harness: NanomdmHarness, trouble: Trouble) -> None:
    conformance.check_trouble(harness, harness.order(), trouble)


@pytest.mark.parametrize("trouble", EXPECTED)
def test_trouble_after_the_declarations_are_there(harness_of: Harnesses, trouble: Trouble) -> None:
    """The declarations are on KMFDDM; the command that tells the phone of them goes wrong."""
    harness = harness_of(replace(DECLARATIONS, troubled="/enqueue/"))
    conformance.check_trouble(harness, harness.order(), trouble)


def test_foreign_orders(harness: NanomdmHarness) -> None:
    conformance.check_refuses_foreign_orders(harness, harness.order())


def test_capabilities(harness_of: Harnesses) -> None:
    conformance.check_capabilities(harness_of(PROFILE))


# The suite itself: connectors that break a promise do not pass -----------------------------------------------------


def test_a_connector_that_queues_twice_does_not_pass(harness_of: Harnesses, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its command has another UUID every time, so that a lost answer becomes a second command."""
    harness = harness_of(REMOVAL)
    monkeypatch.setattr(commands, "command_uuid", lambda *parts: str(uuid.uuid4()).upper())
    monkeypatch.setattr(Records, "commands_of", lambda self, uuids: {})
    with pytest.raises(NotConforming, match="and sending again"):
        conformance.check_trouble(harness, harness.order(), Trouble.fail_after)


def test_a_connector_that_takes_a_lost_answer_for_done_does_not_pass(
    harness_of: Harnesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = harness_of(PROFILE)
    prepare = NanomdmConnector.prepare
    hopeful = [False, True]  # before the trouble, and after it
    monkeypatch.setattr(
        NanomdmConnector, "prepare", lambda self, order: replace(prepare(self, order), in_place=hopeful.pop(0))
    )
    with pytest.raises(NotConforming, match="in_place is True"):
        conformance.check_trouble(harness, harness.order(), Trouble.cut_after)

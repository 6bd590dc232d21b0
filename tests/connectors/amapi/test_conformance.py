"""The shared suite, against the simulated Android Management API, for every method and both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proscribe.canonical import digest_bytes
from proscribe.clock import ManualClock
from proscribe.connectors import conformance
from proscribe.connectors.amapi.config import AmapiConfig
from proscribe.connectors.amapi.connector import AmapiConnector
from proscribe.connectors.amapi.system import DISABLE, MODIFY, SIDES
from proscribe.connectors.base import Connector, Order, Prepared, Receipt
from proscribe.connectors.conformance import EXPECTED, Trouble
from proscribe.simulate.amapi import AmapiSimulator, Fault, FaultKind, Fleet
from proscribe.terms import Side

KINDS: dict[Trouble, Fault] = {
    Trouble.throttle: Fault(FaultKind.throttle),
    Trouble.throttle_timed: Fault(FaultKind.throttle, retry_after="7"),
    Trouble.fail_before: Fault(FaultKind.fail_before, status=500),
    Trouble.fail_after: Fault(FaultKind.fail_after, status=502),
    Trouble.cut_before: Fault(FaultKind.drop_before),
    Trouble.cut_after: Fault(FaultKind.drop_after),
    Trouble.silent: Fault(FaultKind.stall_after, seconds=10.0),
    Trouble.refuse: Fault(FaultKind.refuse, status=400),
    Trouble.lock_out: Fault(FaultKind.refuse, status=401),
}


class AmapiHarness:
    """The suite's view of a simulator: an entry is worth its install type, or whether it is disabled."""

    def __init__(self, simulator: AmapiSimulator, connect: Callable[[], Connector], method: str = MODIFY) -> None:
        self._simulator = simulator
        self._connect = connect
        self.method = method

    @property
    def banned(self) -> str:
        return "disabled" if self.method == DISABLE else "BLOCKED"

    def connect(self) -> Connector:
        return self._connect()

    def writes(self) -> int:
        return self._simulator.journal.writes()

    def entries(self, order: Order) -> dict[str, str]:
        listed = _listed(self._simulator.fleet.policy(order.scope), order.side)
        disables = self.method == DISABLE
        return {
            entry["packageName"]: "disabled" if disables and entry.get("disabled") else entry.get("installType", "")
            for entry in listed
        }

    def edit(self, order: Order, app_id: str, value: str | None) -> None:
        now = self._simulator.clock.now()
        listed = [
            entry
            for entry in _listed(self._simulator.fleet.policy(order.scope), order.side)
            if entry["packageName"] != app_id
        ]
        if value is not None:
            listed.append({"packageName": app_id, "installType": value})
        body: dict[str, Any] = {"applications": listed}
        mask = "applications"
        if order.side is Side.personal:
            body, mask = (
                {"personalUsagePolicies": {"personalApplications": listed}},
                "personalUsagePolicies.personalApplications",
            )
        self._simulator.fleet.patch(order.scope, mask, body, now, foreign=True)

    def trouble(self, trouble: Trouble) -> None:
        fault = KINDS[trouble]
        self._simulator.faults.next(
            "write", fault.kind, status=fault.status, retry_after=fault.retry_after, seconds=fault.seconds
        )


def _listed(policy: dict[str, Any], side: Side) -> list[dict[str, Any]]:
    if side is Side.personal:
        return list(policy.get("personalUsagePolicies", {}).get("personalApplications", []))
    return list(policy.get("applications", []))


@pytest.fixture
def harness(
    simulate: Callable[..., AmapiSimulator],
    connect: Callable[..., AmapiConnector],
    make_policy: Callable[..., dict[str, Any]],
    make_device: Callable[..., Any],
) -> AmapiHarness:
    policies = [make_policy("harbour")] + [make_policy(f"pier{number:02d}") for number in range(25)]
    simulator = simulate(policies, [make_device(number) for number in range(23)])
    return AmapiHarness(simulator, lambda: connect(simulator, page_size=7, read_timeout=1.0))


@pytest.fixture(params=["work", "disable", "personal"])
def order(request: pytest.FixtureRequest, harness: AmapiHarness, work_order: Order, personal_order: Order) -> Order:
    if request.param == "disable":
        harness.method = DISABLE
        return replace(work_order, method=DISABLE)
    return work_order if request.param == "work" else personal_order


def test_observation(harness: AmapiHarness) -> None:
    conformance.check_observation(harness)


def test_preparing_changes_nothing(harness: AmapiHarness, order: Order) -> None:
    conformance.check_prepare_changes_nothing(harness, order)


def test_applied_once(harness: AmapiHarness, order: Order) -> None:
    conformance.check_applied_once(harness, order)


def test_undo_restores(harness: AmapiHarness, order: Order) -> None:
    conformance.check_undo(harness, order)


def test_undo_leaves_what_others_did(harness: AmapiHarness, order: Order) -> None:
    edits = [("org.example.new", "AVAILABLE"), ("org.example.casino", None), ("com.tencent.mm", "AVAILABLE")]
    conformance.check_undo(harness, order, edits)


@pytest.mark.parametrize("trouble", EXPECTED)
def test_trouble(harness: AmapiHarness, order: Order, trouble: Trouble) -> None:
    conformance.check_trouble(harness, order, trouble)


def test_foreign_orders(harness: AmapiHarness, order: Order) -> None:
    conformance.check_refuses_foreign_orders(harness, order)


def test_capabilities(harness: AmapiHarness) -> None:
    conformance.check_capabilities(harness)


def _claims_without_doing(self: AmapiConnector, order: Order, prepared: Prepared) -> Receipt:
    return Receipt(order.key, self._writer._clock.now(), 200, 2, digest_bytes(b""), digest_bytes(b""))


def _never_in_place(self: AmapiConnector, order: Order) -> Prepared:
    return replace(self._writer.prepare(order), in_place=False)


def _forgets_the_prior(self: AmapiConnector, order: Order, prior: str) -> Receipt:
    return self._writer.retract(order, "{}")


@pytest.mark.parametrize(
    ("method", "pretence", "check", "what"),
    [
        ("send", _claims_without_doing, conformance.check_applied_once, "the ban is not there"),
        ("prepare", _never_in_place, conformance.check_applied_once, "not found in place"),
        ("retract", _forgets_the_prior, conformance.check_undo, "after lifting"),
        ("send", _claims_without_doing, lambda h, o: conformance.check_trouble(h, o, Trouble.refuse), "went unnoticed"),
    ],
)
def test_the_suite_catches_a_connector_that_only_pretends(
    harness: AmapiHarness,
    order: Order,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    pretence: Any,
    check: Callable[[AmapiHarness, Order], None],
    what: str,
) -> None:
    monkeypatch.setattr(AmapiConnector, method, pretence)
    with pytest.raises(conformance.NotConforming, match=what):
        check(harness, order)


PACKAGES = ("com.tencent.mm", "com.kms.free", "org.example.casino", "org.example.photos", "org.example.maps")
ENTRIES = st.dictionaries(st.sampled_from(PACKAGES), st.sampled_from(["BLOCKED", "AVAILABLE"]), max_size=5)
EDITS = st.lists(st.tuples(st.sampled_from(PACKAGES), st.sampled_from(["BLOCKED", "AVAILABLE", None])), max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=ENTRIES, edits=EDITS, method=st.sampled_from(sorted(SIDES)))
def test_undo_restores_exactly_what_others_had_set(
    clock: ManualClock, entries: dict[str, str], edits: list[tuple[str, str | None]], method: str
) -> None:
    listed = [{"packageName": package, "installType": value} for package, value in entries.items()]
    name = "enterprises/lighthouses/policies/harbour"
    policy = {
        "name": name,
        "playStoreMode": "BLACKLIST",
        "applications": listed,
        "personalUsagePolicies": {"personalApplications": listed},
    }
    order = Order("key", "amapi", name, method, min(SIDES[method]), ("com.tencent.mm", "com.kms.free"))
    if method != DISABLE and all(entries.get(package) == "BLOCKED" for package in order.app_ids):
        return  # in place before us: nothing is sent and nothing is ours
    with AmapiSimulator(Fleet("enterprises/lighthouses", [policy], []), clock) as simulator:
        config = AmapiConfig("enterprises/lighthouses", endpoint=simulator.endpoint)
        connector = AmapiConnector(config, clock=clock, jitter=lambda limit: limit)
        conformance.check_undo(AmapiHarness(simulator, lambda: connector, method), order, edits)
        connector.close()

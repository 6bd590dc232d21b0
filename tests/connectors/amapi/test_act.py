"""Changing a policy among other writers: nothing of theirs is lost that can be kept, and what may be is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from proscribe.clock import ManualClock
from proscribe.connectors.amapi import policy as words
from proscribe.connectors.amapi.config import AmapiConfig
from proscribe.connectors.amapi.connector import AmapiConnector
from proscribe.connectors.amapi.system import DISABLE
from proscribe.connectors.base import Contended, Order, Rejected, UnknownFate
from proscribe.simulate.amapi import AmapiSimulator
from proscribe.terms import Side

APP = "com.tencent.mm"
MASK = "personalUsagePolicies.personalApplications"


@pytest.fixture
def running(
    simulate: Callable[..., AmapiSimulator], connect: Callable[..., AmapiConnector]
) -> tuple[AmapiSimulator, AmapiConnector]:
    simulator = simulate()
    return simulator, connect(simulator)


def personal(simulator: AmapiSimulator, order: Order) -> dict[str, str]:
    listed = simulator.fleet.policy(order.scope)["personalUsagePolicies"].get("personalApplications", [])
    return {entry["packageName"]: entry["installType"] for entry in listed}


def rewrite(simulator: AmapiSimulator, order: Order, entries: dict[str, str]) -> Callable[[], Any]:
    """Another tool that writes the whole personal list, without knowing of us."""
    listed = [{"packageName": package, "installType": kind} for package, kind in entries.items()]
    body = {"personalUsagePolicies": {"personalApplications": listed}}
    return lambda: simulator.fleet.patch(order.scope, MASK, body, simulator.clock.now(), foreign=True)


def test_the_work_side_sends_install_types_and_nothing_else(
    running: tuple[AmapiSimulator, AmapiConnector], work_order: Order, transport: Any
) -> None:
    simulator, connector = running
    before = simulator.fleet.policy(work_order.scope)
    connector.send(work_order, connector.prepare(work_order))
    assert json.loads(transport.requests[-1].content) == {
        "changes": [{"application": {"packageName": APP, "installType": "BLOCKED"}, "updateMask": "installType"}]
    }
    after = simulator.fleet.policy(work_order.scope)
    assert after["applications"][:-1] == before["applications"]
    assert {**after, "applications": 0, "version": 0} == {**before, "applications": 0, "version": 0}


def test_the_personal_side_sends_the_narrowest_mask(
    running: tuple[AmapiSimulator, AmapiConnector], personal_order: Order, transport: Any
) -> None:
    simulator, connector = running
    before = simulator.fleet.policy(personal_order.scope)
    connector.send(personal_order, connector.prepare(personal_order))
    (patch,) = [request for request in transport.requests if request.method == "PATCH"]
    assert dict(patch.url.params) == {"updateMask": MASK}
    assert set(json.loads(patch.content)["personalUsagePolicies"]) == {"personalApplications"}
    after = simulator.fleet.policy(personal_order.scope)
    assert after["personalUsagePolicies"]["cameraDisabled"] is True
    assert after["applications"] == before["applications"]


def test_settings_on_an_entry_survive_ban_and_lifting(
    running: tuple[AmapiSimulator, AmapiConnector], work_order: Order
) -> None:
    simulator, connector = running
    mine = {"packageName": APP, "installType": "AVAILABLE", "minimumVersionCode": 7}
    simulator.fleet.modify(work_order.scope, [{"application": mine}], simulator.clock.now(), foreign=True)
    prepared = connector.prepare(work_order)
    assert json.loads(prepared.prior) == {APP: {"installType": "AVAILABLE"}}
    connector.send(work_order, prepared)
    entries = words.by_package(simulator.fleet.policy(work_order.scope)["applications"])
    assert entries[APP] == {**mine, "installType": "BLOCKED"}
    connector.retract(work_order, prepared.prior)
    assert words.by_package(simulator.fleet.policy(work_order.scope)["applications"])[APP] == mine


def test_an_entry_without_an_install_type_gets_none_back(
    running: tuple[AmapiSimulator, AmapiConnector], work_order: Order
) -> None:
    simulator, connector = running
    bare = {"packageName": APP, "disabled": True}
    simulator.fleet.modify(work_order.scope, [{"application": bare}], simulator.clock.now(), foreign=True)
    prepared = connector.prepare(work_order)
    connector.send(work_order, prepared)
    connector.retract(work_order, prepared.prior)
    assert words.by_package(simulator.fleet.policy(work_order.scope)["applications"])[APP] == bare


def test_settings_that_others_added_to_our_entry_stay(
    running: tuple[AmapiSimulator, AmapiConnector], work_order: Order
) -> None:
    simulator, connector = running
    prepared = connector.prepare(work_order)
    connector.send(work_order, prepared)
    change = {"application": {"packageName": APP, "disabled": True}, "updateMask": "disabled"}
    simulator.fleet.modify(work_order.scope, [change], simulator.clock.now(), foreign=True)
    connector.retract(work_order, prepared.prior)
    assert words.by_package(simulator.fleet.policy(work_order.scope)["applications"])[APP] == {
        "packageName": APP,
        "disabled": True,
    }


def test_lifting_with_both_kinds_of_restoring_gives_one_receipt(
    running: tuple[AmapiSimulator, AmapiConnector], work_order: Order
) -> None:
    simulator, connector = running
    order = replace(work_order, app_ids=(APP, "com.kms.free"))
    mine = {"packageName": "com.kms.free", "installType": "AVAILABLE"}
    simulator.fleet.modify(order.scope, [{"application": mine}], simulator.clock.now(), foreign=True)
    before = simulator.fleet.policy(order.scope)
    prepared = connector.prepare(order)
    connector.send(order, prepared)
    receipt = connector.retract(order, prepared.prior)
    after = simulator.fleet.policy(order.scope)
    assert after["applications"] == before["applications"]
    assert receipt.scope_version == int(after["version"])


def test_only_the_apps_of_the_order_are_taken_back(
    running: tuple[AmapiSimulator, AmapiConnector], work_order: Order
) -> None:
    simulator, connector = running
    both = replace(work_order, app_ids=(APP, "com.kms.free"))
    prepared = connector.prepare(both)
    connector.send(both, prepared)
    connector.retract(work_order, prepared.prior)
    assert words.having(simulator.fleet.policy(both.scope), Side.whole, words.BLOCK) == {
        "com.kms.free",
        "org.example.casino",
    }


def test_disabling_touches_nothing_else_of_an_entry(
    running: tuple[AmapiSimulator, AmapiConnector], work_order: Order
) -> None:
    simulator, connector = running
    order = replace(work_order, method=DISABLE)
    theirs = {"packageName": APP, "installType": "AVAILABLE", "defaultPermissionPolicy": "GRANT"}
    simulator.fleet.modify(order.scope, [{"application": theirs}], simulator.clock.now(), foreign=True)
    prepared = connector.prepare(order)
    connector.send(order, prepared)
    entries = words.by_package(simulator.fleet.policy(order.scope)["applications"])
    assert entries[APP] == {**theirs, "disabled": True}
    connector.retract(order, prepared.prior)
    assert words.by_package(simulator.fleet.policy(order.scope)["applications"])[APP] == theirs


def test_a_disabled_app_that_is_blocked_later_comes_back_to_each_step(
    running: tuple[AmapiSimulator, AmapiConnector], work_order: Order
) -> None:
    simulator, connector = running
    disable = replace(work_order, method=DISABLE)
    before = simulator.fleet.policy(work_order.scope)["applications"]
    first = connector.prepare(disable)
    connector.send(disable, first)
    second = connector.prepare(work_order)
    assert not second.in_place, "a disabled app is still to be removed"
    connector.send(work_order, second)
    assert connector.prepare(disable).in_place, "blocking it undoes nothing"
    connector.retract(work_order, second.prior)
    after = words.by_package(simulator.fleet.policy(work_order.scope)["applications"])
    assert after[APP] == {"packageName": APP, "disabled": True}
    connector.retract(disable, first.prior)
    assert simulator.fleet.policy(work_order.scope)["applications"] == before


def test_an_app_stays_listed_where_taking_its_entry_out_would_remove_it(
    running: tuple[AmapiSimulator, AmapiConnector], work_order: Order
) -> None:
    simulator, connector = running
    order = replace(work_order, method=DISABLE)
    prepared = connector.prepare(order)
    connector.send(order, prepared)
    now = simulator.clock.now()
    simulator.fleet.patch(order.scope, "playStoreMode", {"playStoreMode": "WHITELIST"}, now, foreign=True)
    receipt = connector.retract(order, prepared.prior)
    assert receipt.detail == f"still-listed:{APP}"
    assert words.by_package(simulator.fleet.policy(order.scope)["applications"])[APP] == {"packageName": APP}
    assert connector.retract(order, prepared.prior).status == 0


def test_a_service_that_accepts_and_does_nothing_is_noted(
    running: tuple[AmapiSimulator, AmapiConnector], work_order: Order
) -> None:
    simulator, connector = running
    simulator.faults.next("write", "ignore")
    receipt = connector.send(work_order, connector.prepare(work_order))
    assert receipt.detail == f"accepted-without-effect:{APP}"
    assert connector.prepare(work_order).in_place is False


def test_a_writer_that_undoes_our_merge_is_merged_with_again(
    running: tuple[AmapiSimulator, AmapiConnector], personal_order: Order
) -> None:
    simulator, connector = running
    theirs = {"org.example.casino": "BLOCKED", "org.example.maps": "AVAILABLE"}
    simulator.faults.between("policies.patch", "after", rewrite(simulator, personal_order, theirs))
    receipt = connector.send(personal_order, connector.prepare(personal_order))
    assert personal(simulator, personal_order) == {**theirs, APP: "BLOCKED"}
    assert receipt.scope_version == int(simulator.fleet.policy(personal_order.scope)["version"])
    assert "merged-again" in receipt.detail


def test_a_writer_that_keeps_our_merge_needs_no_second_write(
    running: tuple[AmapiSimulator, AmapiConnector], personal_order: Order
) -> None:
    simulator, connector = running
    theirs = {APP: "BLOCKED", "org.example.maps": "AVAILABLE"}
    simulator.faults.between("policies.patch", "after", rewrite(simulator, personal_order, theirs))
    connector.send(personal_order, connector.prepare(personal_order))
    assert personal(simulator, personal_order) == theirs
    assert simulator.journal.writes() == 1


def test_an_edit_between_our_read_and_our_write_is_told(
    running: tuple[AmapiSimulator, AmapiConnector], personal_order: Order
) -> None:
    """The API has no precondition, so the edit may be lost: the version gives it away and the receipt says so."""
    simulator, connector = running
    theirs = rewrite(simulator, personal_order, {"org.example.maps": "BLOCKED"})
    prepared = connector.prepare(personal_order)
    simulator.faults.between("policies.patch", "before", theirs)
    receipt = connector.send(personal_order, prepared)
    assert receipt.detail == "concurrent-write:1-3"


def test_a_writer_without_end_is_given_up_on(
    running: tuple[AmapiSimulator, AmapiConnector], personal_order: Order
) -> None:
    simulator, connector = running
    for _ in range(4):
        simulator.faults.between("policies.patch", "after", rewrite(simulator, personal_order, {"a.b": "AVAILABLE"}))
    with pytest.raises(Contended) as caught:
        connector.send(personal_order, connector.prepare(personal_order))
    assert isinstance(caught.value, UnknownFate), "the loop treats it as a fate to look into"
    assert personal(simulator, personal_order) == {"a.b": "AVAILABLE"}


def test_a_patch_that_is_accepted_and_ignored_is_given_up_on(
    running: tuple[AmapiSimulator, AmapiConnector], personal_order: Order
) -> None:
    simulator, connector = running
    simulator.faults.next("policies.patch", "ignore", times=4)
    with pytest.raises(Contended):
        connector.send(personal_order, connector.prepare(personal_order))


def test_a_merge_that_another_writer_completes_needs_no_further_write(
    running: tuple[AmapiSimulator, AmapiConnector], personal_order: Order
) -> None:
    simulator, connector = running
    prepared = connector.prepare(personal_order)
    # Our write is undone at once; the read after it sees that, and only then our entry comes back by their hand.
    simulator.faults.between("policies.patch", "after", rewrite(simulator, personal_order, {"a.b": "AVAILABLE"}))
    theirs = rewrite(simulator, personal_order, {"a.b": "AVAILABLE", APP: "BLOCKED"})
    for action in (lambda: None, theirs):  # after the read before our write, after the read behind it
        simulator.faults.between("policies.get", "after", action)
    receipt = connector.send(personal_order, prepared)
    assert personal(simulator, personal_order)[APP] == "BLOCKED"
    assert simulator.journal.writes() == 1
    assert receipt.status == 200


@pytest.mark.parametrize("answer", [{}, {"policy": {"name": "p"}}, {"policy": None}])
def test_an_answer_without_a_version_is_of_unknown_fate(
    clock: ManualClock, work_order: Order, answer: dict[str, Any]
) -> None:
    """Without the version that carries the change, every device would look as if it had applied it."""
    config = AmapiConfig("enterprises/lighthouses", endpoint="http://127.0.0.1:1", read_attempts=1)
    policy = {"name": work_order.scope, "version": "1"}

    def reply(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=policy if request.method == "GET" else answer)

    connector = AmapiConnector(config, clock=clock, transport=httpx.MockTransport(reply))
    with pytest.raises(UnknownFate, match="cannot be read"):
        connector.send(work_order, connector.prepare(work_order))


def test_entries_that_changed_since_they_were_read_are_not_written_over(
    running: tuple[AmapiSimulator, AmapiConnector], personal_order: Order
) -> None:
    simulator, connector = running
    prepared = connector.prepare(personal_order)
    rewrite(simulator, personal_order, {APP: "AVAILABLE"})()
    with pytest.raises(Contended, match="same entries"):
        connector.send(personal_order, prepared)
    assert simulator.journal.writes() == 0
    again = connector.prepare(personal_order)
    assert json.loads(again.prior) == {APP: {"installType": "AVAILABLE"}}
    connector.send(personal_order, again)
    connector.retract(personal_order, again.prior)
    assert personal(simulator, personal_order) == {APP: "AVAILABLE"}


def test_a_policy_without_personal_settings_is_left_without(
    simulate: Callable[..., AmapiSimulator],
    connect: Callable[..., AmapiConnector],
    make_policy: Callable[..., Any],
    personal_order: Order,
) -> None:
    bare = make_policy("harbour")
    del bare["personalUsagePolicies"], bare["applications"]
    simulator = simulate([bare])
    connector = connect(simulator)
    prepared = connector.prepare(personal_order)
    connector.send(personal_order, prepared)
    assert personal(simulator, personal_order) == {APP: "BLOCKED"}
    connector.retract(personal_order, prepared.prior)
    assert personal(simulator, personal_order) == {}


@pytest.mark.parametrize("prior", ["", "not json", "[]", '{"com.tencent.mm": 3}'])
def test_an_unreadable_prior_state_changes_nothing(
    running: tuple[AmapiSimulator, AmapiConnector], work_order: Order, prior: str
) -> None:
    simulator, connector = running
    connector.send(work_order, connector.prepare(work_order))
    if prior == "":
        assert connector.retract(work_order, prior).status == 0
    else:
        with pytest.raises(Rejected, match="prior"):
            connector.retract(work_order, prior)
    assert simulator.journal.writes() == 1


@pytest.mark.parametrize(
    "scope",
    [
        "enterprises/another/policies/harbour",
        "enterprises/lighthouses/devices/d1",
        "enterprises/lighthouses/policies/../../x",
        "enterprises/lighthouses/policies/a?b",
        "",
    ],
)
def test_a_scope_that_is_not_ours_is_refused(
    running: tuple[AmapiSimulator, AmapiConnector], work_order: Order, scope: str
) -> None:
    simulator, connector = running
    with pytest.raises(Rejected):
        connector.prepare(replace(work_order, scope=scope))
    assert simulator.journal.requests == []


@pytest.mark.parametrize(
    "broken",
    [
        {"name": "p"},
        {"name": "p", "version": "-1"},
        {"name": "p", "version": True},
        {"name": "p", "version": "1", "applications": {}},
        {"name": "p", "version": "1", "applications": ["a"]},
        {"name": "p", "version": "1", "applications": [{"installType": "BLOCKED"}]},
        {"name": "p", "version": "1", "personalUsagePolicies": []},
        {"name": "p", "version": "1", "personalUsagePolicies": {"personalApplications": {}}},
        {"version": "1"},
        [],
        None,
    ],
)
def test_what_is_no_policy_is_not_acted_upon(broken: Any) -> None:
    with pytest.raises(words.NotAPolicy):
        words.checked(broken)


def test_versions_are_read_in_both_forms() -> None:
    assert words.version({"version": "9007199254740993"}) == 9007199254740993
    assert words.version({"version": 4}) == 4
    assert words.version({"version": "٤"}) == 0
    assert words.version({}) == 0

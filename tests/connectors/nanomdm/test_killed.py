"""The process ends at any request and any transaction; whoever comes after it brings everything about exactly once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.connectors.nanomdm.acting import WECHAT, Department, Killed

from proscribe.connectors.base import Order
from proscribe.simulate.apple import Phone
from proscribe.simulate.apple.spec import App

Make = Callable[..., Department]


def _send(dept: Department, order: Order) -> None:
    """What the loop does with an order, until it has its receipt."""
    connector = dept.connect()
    prepared = connector.prepare(order)
    if not prepared.in_place:
        connector.send(order, prepared)


def _through(dept: Department, order: Order, steps: int) -> None:
    """Send, then follow up and check in until everything has come about."""
    _send(dept, order)
    for _ in range(steps):
        dept.follow_up(frozen=False)
        dept.clock.advance(minutes=1)
        dept.check_in()
        dept.clock.advance(minutes=1)


def _made(make: Make, os: str, app: App, number: int) -> tuple[Department, Phone]:
    dept = make()
    phones = [dept.phone(os, app) for _ in range(number)]
    dept.settle()
    return dept, phones[0]


def _order(dept: Department, phone: Phone, method: str) -> Order:
    scopes = {
        "RestrictionsProfile": "all/profile",
        "AppSettingsDeclaration": "all/declarations",
        "RemoveApplication": f"nanomdm:{phone.id}",
        "ConvertThenRemove": f"nanomdm:{phone.id}",
    }
    return dept.order(scopes[method], method, key="sha256:" + "a" * 64)


CASES = [
    ("RestrictionsProfile", "18.5", {"InstallProfile": 2}),
    ("AppSettingsDeclaration", "27.0", {"DeclarativeManagement": 2}),
    ("RemoveApplication", "26.1", {"RemoveApplication": 1}),
    ("ConvertThenRemove", "18.5", {"InstallApplication": 1, "RemoveApplication": 1}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("method", "os", "expected"), CASES, ids=[case[0] for case in CASES])
def test_killed_anywhere_and_called_again_everything_went_out_once(
    department: Make, method: str, os: str, expected: dict[str, int]
) -> None:
    """One department after the other, each killed one boundary later, until a run goes through without meeting it."""
    at, boundaries = 0, 1
    while at < boundaries:
        dept, phone = _made(department, os, WECHAT, max(expected.values()))
        order = _order(dept, phone, method)
        before = len(dept.journal.enqueued)
        dept.gate.passed.clear()
        dept.gate.kill_at = at
        try:
            _through(dept, order, 4)
            boundaries = len(dept.gate.passed)
        except Killed:
            boundaries = at + 2
        where = dept.gate.passed[at] if at < len(dept.gate.passed) else "nowhere"
        dept.gate.kill_at = None
        dept.clock.advance(minutes=1)
        _through(dept, order, 4)
        counted = [one.request_type for one in dept.journal.enqueued[before:]]
        for request_type, times in expected.items():
            assert counted.count(request_type) == times, (where, at, counted)
        assert set(dept.journal.times().values()) == {1}, where
        if method in ("RestrictionsProfile", "AppSettingsDeclaration"):
            assert not any(one.can_launch(WECHAT.id) for one in dept.phones), where
            assert [entry.app for entry in dept.group(order.scope).now.entries] == [WECHAT.id], where
        else:
            assert WECHAT.id not in phone.installed(), where
        quiet = len(dept.journal.enqueued)
        dept.follow_up()
        dept.follow_up()
        assert len(dept.journal.enqueued) == quiet, where
        at += 1
    assert at > 20

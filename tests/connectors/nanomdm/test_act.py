"""Orders on groups: one merged profile, one pair of declarations a ban, each change once."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.connectors.nanomdm.acting import CASINO, TIKTOK, WECHAT, Department

from proscribe.connectors.base import NotAuthorised, Rejected, Throttled, UnknownFate
from proscribe.terms import Enrolment, Side

Make = Callable[..., Department]


def test_a_block_reaches_the_phones_of_its_scope_and_no_other(department: Make) -> None:
    dept = department()
    mine, unsupervised = dept.phone("18.5", WECHAT), dept.phone("18.5", WECHAT, enrolment=Enrolment.unsupervised)
    newer = dept.phone("27.0", WECHAT)
    dept.settle()
    _, _, receipt = dept.block()
    assert (receipt.status, receipt.scope_version, receipt.detail) == (200, 1, "queued:1")
    dept.check_in()
    assert not mine.can_launch(WECHAT.id)
    assert unsupervised.can_launch(WECHAT.id)
    assert newer.can_launch(WECHAT.id)

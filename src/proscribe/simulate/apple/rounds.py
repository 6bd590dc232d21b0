"""Many phones at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from proscribe.simulate.apple.endpoint import MdmEndpoint
from proscribe.simulate.apple.phone import Phone

Result = TypeVar("Result")


def enrol(phones: Iterable[Phone], endpoint: MdmEndpoint, *, workers: int = 4) -> None:
    """Enrol them all.

    Raises:
        Refused: the server would not have one of them; the others enrol all the same.
    """

    def one(phone: Phone) -> None:
        phone.enrol(endpoint)

    _each(phones, one, workers)


def check_in(phones: Iterable[Phone], *, workers: int = 4) -> Counter[tuple[str, str]]:
    """One round of all phones, as after a push to each. Counts of (request type, status).

    With ``workers=1`` the phones check in one after the other, in their order: nothing is left to chance.

    Raises:
        Refused: see ``Phone.check_in``; the others check in all the same.
    """
    rounds = _each(phones, Phone.check_in, workers)
    return Counter((item.request_type, item.status) for answered in rounds for item in answered)


def _each(phones: Iterable[Phone], what: Callable[[Phone], Result], workers: int) -> list[Result]:
    with ThreadPoolExecutor(max(1, workers)) as pool:
        done = [pool.submit(what, phone) for phone in phones]
    return [one.result() for one in done]

"""Limits in numbers of devices, never tested by their truth value: zero is a limit, and it refuses everything."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import ClassVar

from proscribe.errors import ProscribeError, Where
from proscribe.plan.model import Devices, Limit, Percent, Ring, Unlimited
from proscribe.text import Text

UNLIMITED = Unlimited()

_NUMBER = re.compile(r"^[0-9]+$")
_SHARE = re.compile(r"^([0-9]+(?:[.,][0-9]+)?)\s*%$")
_NO_LIMIT = frozenset({"unlimited", "illimité", "illimite", "illimitée", "illimitee"})


class LimitError(ProscribeError):
    """A limit or a ring that cannot be read."""

    code: ClassVar[str] = "plan.limit"


def allowed(limit: Limit, fleet: int) -> int | Unlimited:
    """How many devices ``limit`` allows in a fleet of ``fleet`` devices; shares are rounded down."""
    if isinstance(limit, Unlimited):
        return limit
    if isinstance(limit, Devices):
        return limit.n
    # Through decimal text, because 0.07 * 100 in floating point is a little more than 7.
    return math.floor(Fraction(str(limit.p)) * fleet / 100)


def exceeds(count: int, limit: Limit, fleet: int) -> bool:
    """Whether ``count`` devices are more than ``limit`` allows."""
    most = allowed(limit, fleet)
    return not isinstance(most, Unlimited) and count > most


def refuses_everything(limit: Limit) -> bool:
    """Whether the limit was set to nothing at all. A small share that rounds down to none is not that."""
    return (isinstance(limit, Devices) and limit.n == 0) or (isinstance(limit, Percent) and limit.p == 0)


def show(limit: Limit) -> Text:
    """A limit as people write it; ``parse`` reads it back."""
    if isinstance(limit, Unlimited):
        return Text("unlimited", "illimité")
    if isinstance(limit, Devices):
        return Text(str(limit.n), str(limit.n))
    share = f"{limit.p:g}"
    return Text(f"{share}%", f"{share.replace('.', ',')} %")


def parse(words: str, *, field: str = "") -> Limit:
    """Read ``"25"``, ``"10%"`` (``"10 %"``, ``"2,5 %"``) or ``"unlimited"`` (``"illimité"``). Raises LimitError."""
    plain = words.replace("\u00a0", " ").replace("\u202f", " ").strip().lower()
    if plain in _NO_LIMIT:
        return UNLIMITED
    if _NUMBER.match(plain):
        return Devices(int(plain))
    share = _SHARE.match(plain)
    if share and float(share[1].replace(",", ".")) <= 100:
        return Percent(float(share[1].replace(",", ".")))
    raise LimitError(
        Text(f"{words!r} is not a limit", f"{words!r} n'est pas une limite"),
        remedy=Text(
            "Write a number of devices (25), a share of the fleet from 0 to 100% (10%), or 'unlimited'.",
            "Écrivez un nombre d'appareils (25), une part du parc de 0 à 100 % (10 %) ou « illimité ».",
        ),
        where=Where(field=field),
    )


def parse_ring(words: str, *, field: str = "ring") -> Ring:
    """Read ``"<name>=<size>"`` or ``"<name>=<size>@<success rate>%"``, e.g. ``"canary=5%@98%"``. Raises LimitError."""
    name, equals, rest = words.partition("=")
    size, at, rate = rest.partition("@")
    if not equals or not name.strip():
        raise LimitError(
            Text(f"{words!r} is not a ring", f"{words!r} n'est pas un anneau"),
            remedy=Text(
                "Write a name, an equals sign and a size, e.g. canary=5% or canary=5%@98%.",
                "Écrivez un nom, un signe égal et une taille, p. ex. canari=5% ou canari=5%@98%.",
            ),
            where=Where(field=field),
        )
    limit = parse(size, field=field)
    if refuses_everything(limit):
        raise LimitError(
            Text(f"the ring {name.strip()} holds no device", f"l'anneau {name.strip()} ne contient aucun appareil"),
            remedy=Text(
                "Give it a size above zero, or leave it out.", "Donnez-lui une taille non nulle ou retirez-le."
            ),
            where=Where(field=field),
        )
    if not at:
        return Ring(name.strip(), limit)
    share = parse(rate, field=field)
    if not isinstance(share, Percent):
        raise LimitError(
            Text(f"{rate!r} is not a success rate", f"{rate!r} n'est pas un taux de réussite"),
            remedy=Text("Write a share, e.g. 95%.", "Écrivez un pourcentage, p. ex. 95 %."),
            where=Where(field=field),
        )
    return Ring(name.strip(), limit, share.p / 100)


def parse_rings(words: Iterable[str]) -> tuple[Ring, ...]:
    """Read rings in their order. Raises LimitError, also where two have the same name."""
    rings = tuple(parse_ring(word) for word in words)
    names = [ring.name for ring in rings]
    for name in names:
        if names.count(name) > 1:
            raise LimitError(
                Text(f"two rings are called {name}", f"deux anneaux portent le nom {name}"),
                remedy=Text("Give each ring a name of its own.", "Donnez à chaque anneau un nom distinct."),
                where=Where(field="ring"),
            )
    return rings

"""A stranger's bundle, opened within bounds: size, count, depth, one meaning for each name, one content for each id.

The library ``stix2`` is not used here. It refuses a whole bundle for one unknown property, or keeps everything; it
follows the input's depth without a bound, and takes a tenth of a millisecond an object. Tests read our bundles with it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NoReturn

from proscribe.errors import Where
from proscribe.publish.stix.errors import BundleTooBig, NotABundle
from proscribe.text import Text

MAX_BYTES = 16 << 20
MAX_OBJECTS = 50_000
MAX_CONTAINERS = 500_000  # objects and lists at all levels: each takes a hundred times its two bytes once read
MAX_DEPTH = 40
_ID = re.compile(r"([a-z0-9][a-z0-9-]{1,248}[a-z0-9])--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z")
# Control characters, letters that turn or hide the writing around them (Trojan Source, CVE-2021-42574), blanks that
# are none, tags nobody sees, halves of a pair, and letters of private meaning. Line breaks and tabs stay.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028\u2029\u202a-\u202e"
    "\u2060-\u2069\u3164\ud800-\udfff\ue000-\uf8ff\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U0010ffff]"
)
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_OTHERS = 40  # names of a stranger's choosing that are counted each by itself
_NAME = re.compile(r"[a-z0-9_-]{1,60}")


@dataclass
class Tally:
    """What is kept out of a bundle, by name. Names are a stranger's: only plain ones are shown, and not without end."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, what: str, *name: str) -> None:
        """Count one ``what``, by the parts of its name where they can be shown."""
        shown = f"{what}:{'.'.join(name)}" if all(_NAME.fullmatch(part) for part in name) and name else what
        if shown not in self.counts and len(self.counts) >= _OTHERS:
            shown = what
        self.counts[shown] += 1


@dataclass(frozen=True)
class Opened:
    """The objects of a bundle: one a name, the newest version of each; text without hidden letters."""

    bundle_id: str
    objects: dict[str, dict[str, Any]]
    kept_out: Tally
    hidden: int  # letters replaced

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The objects of one type, in the order of their ids."""
        return [one for name, one in sorted(self.objects.items()) if name.startswith(f"{kind}--")]


def open_bundle(data: bytes, *, source: str = "") -> Opened:
    """Open a bundle. Raises NotABundle or BundleTooBig."""
    where = Where(file=source)
    body = _parsed(data, where)
    if not isinstance(body, dict) or body.get("type") != "bundle" or not isinstance(body.get("objects"), list):
        raise _not_a_bundle(Text("not a STIX bundle", "ce n'est pas un lot STIX"), where)
    if len(body["objects"]) > MAX_OBJECTS:
        raise _too_big(Text(f"more than {MAX_OBJECTS:,} objects", f"plus de {MAX_OBJECTS} objets"), where)
    cleaner = _Cleaner(where)
    tally = Tally()
    for name in sorted(set(body) - {"type", "id", "objects", "spec_version"}):
        tally.add("property", "bundle", name)
    objects = _newest([cleaner.clean(item, 0) for item in body["objects"]], tally)
    bundle_id = body.get("id")
    known = isinstance(bundle_id, str) and _ID.fullmatch(bundle_id)
    return Opened(bundle_id if known else "", objects, tally, cleaner.hidden)  # type: ignore[arg-type]


def _parsed(data: bytes, where: Where) -> Any:
    if len(data) > MAX_BYTES:
        raise _too_big(Text(f"more than {MAX_BYTES >> 20} MiB", f"plus de {MAX_BYTES >> 20} Mio"), where)
    if data.count(b"{") + data.count(b"[") > MAX_CONTAINERS:
        raise _too_big(Text("too many objects and lists", "trop d'objets et de listes"), where)
    try:
        return json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_each_name_once,
            parse_constant=_no_number,
            parse_float=_finite,
        )
    except RecursionError as error:
        raise _too_big(Text("it is nested too deeply", "son imbrication est trop profonde"), where) from error
    except ValueError as error:  # not UTF-8, not JSON, a number of endless digits
        why = str(error) if isinstance(error, _Refused) else "JSON"
        raise _not_a_bundle(Text(f"it cannot be read ({why})", f"lecture impossible ({why})"), where) from error


class _Refused(ValueError):
    """JSON that two readers would take for different things."""


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused("duplicate key")
    return found


def _no_number(_value: str) -> NoReturn:
    raise _Refused("NaN")


def _finite(value: str) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise _Refused("Infinity")
    return number


class _Cleaner:
    """Replaces letters that hide or turn text, and refuses depth."""

    def __init__(self, where: Where) -> None:
        self.hidden = 0
        self._where = where

    def clean(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise _too_big(Text("it is nested too deeply", "son imbrication est trop profonde"), self._where)
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self.clean(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {self._text(name): self.clean(item, depth + 1) for name, item in value.items()}
        return value

    def _text(self, value: str) -> str:
        if value.isascii() and value.isprintable():
            return value
        shown, hidden = _HIDDEN.subn(_REPLACED, value.replace("\r\n", "\n"))
        self.hidden += hidden
        return shown


def _newest(items: list[Any], tally: Tally) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    contradicted: set[str] = set()
    for item in items:
        name = _name_of(item)
        if name is None:
            tally.add("malformed")
            continue
        known = found.get(name)
        if known is None or _version(item) > _version(known):
            contradicted.discard(name)  # a later version settles what two earlier ones said differently
            found[name] = item
        elif _version(item) == _version(known) and item != known:
            contradicted.add(name)
        if known is not None:
            tally.add("repeated")
    for name in contradicted:
        tally.add("contradicted")
        del found[name]
    return found


def _name_of(item: Any) -> str | None:
    """The id of a well-formed object. It must begin with the object's type."""
    if not isinstance(item, dict):
        return None
    kind, name = item.get("type"), item.get("id")
    if not isinstance(kind, str) or not isinstance(name, str):
        return None
    match = _ID.fullmatch(name)
    return name if match is not None and match[1] == kind else None


def _version(item: dict[str, Any]) -> str:
    """``modified`` as text that sorts as time does; "" where it is no timestamp."""
    modified = item.get("modified", item.get("created"))
    if not isinstance(modified, str) or not _TIMESTAMP.fullmatch(modified):
        return ""
    seconds, _, fraction = modified[:-1].partition(".")
    return f"{seconds}.{fraction:0<9}"


def _not_a_bundle(what: Text, where: Where) -> NotABundle:
    return NotABundle(
        what,
        remedy=Text(
            "Ask the sender for a STIX 2.1 bundle as JSON in UTF-8.",
            "Demandez à l'expéditeur un lot STIX 2.1 en JSON, encodé en UTF-8.",
        ),
        where=where,
    )


def _too_big(what: Text, where: Where) -> BundleTooBig:
    return BundleTooBig(
        what,
        remedy=Text(
            "Ask the sender for the notice of this ban alone.",
            "Demandez à l'expéditeur l'avis de cette seule interdiction.",
        ),
        where=where,
    )

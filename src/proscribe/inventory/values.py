"""Cells to values. The words are data (``data/words.toml``); what no word says is None, and the caller lists it."""

from __future__ import annotations

import base64
import binascii
import re
import tomllib
import unicodedata
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.resources import files

from proscribe.terms import Enrolment, Held, Platform, Side

_HEX_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_TIME = re.compile(
    r"(?P<date>\d{4}[-/]\d{2}[-/]\d{2})"
    r"(?:(?:[T ]| at | à )(?P<clock>\d{1,2}:\d{2}(?::\d{2})?)(?:[.,]\d+)?(?: ?(?P<half>[AaPp][Mm]))?)?"
    r" ?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)


def folded(text: str) -> str:
    """A word as it is compared: no accents, no case, letters and digits only."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(character for character in plain if character.isalnum()).casefold()


def whole(text: str) -> str:
    """Text that can be written down: half a surrogate pair, which JSON can spell, becomes the replacement character."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@cache
def _words(table: str) -> dict[str, str]:
    text = files("proscribe.inventory").joinpath("data/words.toml").read_text(encoding="utf-8")
    return {folded(word): term for term, words in tomllib.loads(text)[table].items() for word in (term, *words)}


@lru_cache(4096)
def platform(text: str) -> Platform | None:
    """The platform a word names; blank is unknown, an unheard word None."""
    word = _words("platform").get(folded(text), "" if text.strip() else "unknown")
    return Platform(word) if word else None


@lru_cache(4096)
def enrolment(text: str) -> Enrolment | None:
    """The enrolment a word names; blank is unknown, an unheard word None."""
    word = _words("enrolment").get(folded(text), "" if text.strip() else "unknown")
    return Enrolment(word) if word else None


@lru_cache(4096)
def side(text: str) -> Side | None:
    """The side a word names; blank is unknown, an unheard word None."""
    word = _words("side").get(folded(text), "" if text.strip() else "unknown")
    return Side(word) if word else None


@lru_cache(4096)
def held(text: str) -> Held | None:
    """Who put an app there; blank is unknown, an unheard word None."""
    word = _words("held").get(folded(text), "" if text.strip() else "unknown")
    return Held(word) if word else None


@lru_cache(4096)
def removed(text: str) -> bool | None:
    """Whether a row is a tombstone; blank is no, an unheard word None."""
    word = _words("removed").get(folded(text), "" if text.strip() else "false")
    return word == "true" if word else None


@lru_cache(65536)
def moment(text: str) -> datetime | None:
    """A time in UTC, to the second, from the ISO-like forms that exports use; without a zone it is taken as UTC.

    None for anything else. Forms like 03/04/2026 are not read: they name two days.
    """
    if len(text) == 20 and text[10] == "T" and text[19] == "Z":  # what most systems write, read ten times faster
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    clock = match["clock"] or "00:00"
    layout = "%Y-%m-%d " + ("%H:%M:%S" if clock.count(":") == 2 else "%H:%M")
    value = f"{match['date'].replace('/', '-')} {clock}"
    if match["half"]:
        layout, value = layout.replace("%H", "%I") + " %p", f"{value} {match['half']}"
    zone = match["zone"] or "Z"
    try:
        return datetime.strptime(
            f"{value} {'+0000' if zone in ('Z', 'UTC', 'GMT') else zone}", f"{layout} %z"
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@lru_cache(65536)
def certificate(text: str) -> str:
    """A certificate's SHA-256 as 64 lower-case hex digits, from hex (colons allowed) or base64; "" for anything else.

    A SHA-1 fingerprint gives "": it can be matched against nothing in the catalogue, and it is no proof of a signer.
    """
    plain = text.strip().replace(":", "").replace(" ", "")
    if _HEX_SHA256.fullmatch(plain):
        return plain.lower()
    padded = plain.replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return data.hex() if len(data) == 32 else ""

"""Host names in the strings of a dex. A name that stands there is not shown to be contacted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from proscribe.assess.code.dex import Dex
from proscribe.assess.code.strings import decode

_URL = re.compile(rb"://([^\0-\x20/?#\\\"'<>(){}|^`%$,;*]+)")
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*$")
_LONGEST_SCHEME = 24
_BARE = re.compile(rb"\0.(//)?((?:www\.)[a-z0-9.\-]{3,250})[\0/:?]", re.DOTALL)
_LABEL = re.compile(r"[^\W_](?:[\w\-]{0,61}[^\W])?", re.ASCII)
_LABEL_IDN = re.compile(r"\w(?:[\w\-]{0,61}\w)?")
_ON_DEVICE = frozenset({b"content", b"file", b"android.resource", b"jar", b"package"})
"""Schemes whose authority is no host."""
MAX_HOSTS = 20_000
"""Different hosts of one package; the rest is cut and said."""

Found = dict[str, set[str]]


def hosts(dex: Dex) -> Found:
    """Host -> schemes, of every ``scheme://host`` and ``www.`` name in the strings of a dex."""
    found: Found = {}
    for scheme, authority in _authorities(dex):
        host = host_of(authority)
        if host:
            found.setdefault(host, set()).add(scheme)
            if len(found) >= MAX_HOSTS:
                break
    return found


def _authorities(dex: Dex) -> Iterator[tuple[str, str]]:
    if not dex.string_sound.any():
        return
    starts = dex.string_starts[dex.string_sound]
    low = int(starts.min())
    high = min(int((starts + dex.string_lengths[dex.string_sound] * 3).max()) + 2, dex.header.end)
    data = dex.data
    for match in _URL.finditer(data, low, high):
        at = match.start()
        scheme = _SCHEME.search(data[max(low, at - _LONGEST_SCHEME) : at])
        name = scheme.group().lower() if scheme else b""
        if name not in _ON_DEVICE:
            yield name.decode("ascii"), decode(match.group(1)[:512])
    for match in _BARE.finditer(data, max(low - 2, 0), high):
        yield "", decode(match.group(2))


def host_of(authority: str) -> str:
    """The host of an authority: no user, no port, lower case; IDN as it is written; "" for what is no host."""
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        inner = host[1:].partition("]")[0]
        return f"[{inner.lower()}]" if _is_address(inner) else ""
    host = host.partition(":")[0].rstrip(".").lower()
    if _is_address(host):
        return host
    labels = host.split(".")
    if len(labels) < 2 or len(host) > 253 or labels[-1].isdigit():
        return ""
    label = _LABEL if host.isascii() else _LABEL_IDN
    return host if all(label.fullmatch(part) for part in labels) else ""


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

"""All dex files of a package as one program: read one after another, then searched one after another.

A class may extend one of another dex file, so the search begins when the last has been read. Bytes are kept between
the passes up to a limit; beyond it a dex is inflated a second time. While one is read, the next is inflated and
hashed in a thread (zlib and hashlib let go of the interpreter).
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from proscribe.assess.code.dex import Dex
from proscribe.assess.code.family import Edges, Family, descendants
from proscribe.assess.code.header import DexFault, Header, headers, map_oddities
from proscribe.assess.code.hosts import MAX_HOSTS, Found, hosts
from proscribe.assess.code.scan import Budget
from proscribe.assess.code.strings import HASH_BITS, fingerprints_of
from proscribe.assess.code.targets import REFLECTION, Targets
from proscribe.assess.code.volume import Source, Volume
from proscribe.assess.facts import Anomaly, DexFile, Host, Site
from proscribe.assess.intake.container import Container, UnreadableMember

KEPT = 40 << 20
"""Bytes of dex files that are held between the two passes."""
_AHEAD = 2  # dex files that are inflated while one is read
MOST = 768 << 20
"""Bytes of all dex files of a package; those beyond are listed and not read."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dex file lies."""

    container: Container
    name: str

    @property
    def member(self) -> str:
        return self.container.member(self.name)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """Bytes of a dex file with what a thread can find out about them; or why there are none."""

    place: Place
    data: bytes = b""
    sha256: str = ""
    headers: tuple[Header, ...] = ()
    problem: DexFault | None = None
    anomalies: tuple[Anomaly, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """A logical dex between the passes."""

    place: Place
    volume: Volume
    edges: Edges


@dataclass
class Program:
    """What the dex files hold, together. ``faults``: what is wrong with the whole, such as a spent budget."""

    files: list[DexFile] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    hosts: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # (host, member) -> schemes
    packages: Counter[str] = field(default_factory=Counter)
    classes: set[bytes] = field(default_factory=set)
    reflection: int = 0
    anomalies: list[Anomaly] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def host_list(self) -> tuple[Host, ...]:
        return tuple(
            Host(host, member, tuple(sorted(found - {""}))) for (host, member), found in sorted(self.hosts.items())
        )


def read_program(places: Sequence[Place], targets: Targets) -> Program:
    """Read and search dex files. Whatever cannot be read has a problem in its ``DexFile``."""
    program = Program()
    parts = _first_pass(places, targets, program)
    roots = np.zeros(1 << HASH_BITS, dtype=np.bool_)
    owners = {owner for owner, _ in targets.methods | targets.callbacks | REFLECTION}
    roots[fingerprints_of(sorted(owners))] = True
    known = descendants((part.edges for part in parts), roots)
    family = Family()
    for part in parts:
        part.volume.settle(family, known)
    budget = Budget()
    for part, volume in _opened(parts):
        sites, reflection = volume.sites(family, known, budget)
        program.sites += sites
        program.reflection += reflection
        program.packages += volume.packages()
        program.classes.update(volume.names)
        program.files.append(_described(volume, part.place))
        program.anomalies += _oddities(volume)
    program.faults += budget.faults + family.faults
    return program


# ---- first pass ----------------------------------------------------------------------------------------------------


def _first_pass(places: Sequence[Place], targets: Targets, program: Program) -> list[_Part]:
    parts: list[_Part] = []
    kept = 0
    for loaded in _loaded(_affordable(places, program)):
        program.anomalies += loaded.anomalies
        if loaded.problem is not None:
            program.files.append(_unread(loaded))
        kept += len(loaded.data)
        for header in loaded.headers:
            volume = Volume(Source(loaded.place.member, loaded.sha256), Dex(loaded.data, header), targets)
            _add_hosts(program, hosts(volume.dex), loaded.place.member)
            parts.append(_Part(loaded.place, volume, volume.edges()))
            if kept > KEPT:
                volume.let_go()
        if kept > KEPT:
            kept -= len(loaded.data)
    return parts


def _affordable(places: Sequence[Place], program: Program) -> Iterator[Place]:
    left = MOST
    for place in places:
        size = place.container.entries[place.name].size
        if size > left:
            program.files.append(DexFile(place.member, "", size, problem="code.too-much-dex", detail=f"{MOST} bytes"))
            continue
        left -= size
        yield place


def _loaded(places: Iterator[Place]) -> Iterator[_Loaded]:
    """Dex files in order, the next ones under way while one is looked at."""
    with ThreadPoolExecutor(_AHEAD) as pool:
        waiting: deque[Future[_Loaded]] = deque()
        for place in places:
            waiting.append(pool.submit(_load, place))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _load(place: Place) -> _Loaded:
    try:
        data = place.container.read(place.name)
    except UnreadableMember as error:
        return _Loaded(place, problem=DexFault(error.code, error.detail))
    digest = place.container.sha256(place.name, data)
    found: list[Header] = []
    problem = None
    try:
        found.extend(headers(data))
    except DexFault as fault:
        problem = fault
    anomalies = [anomaly for header in found for anomaly in _inspected(data, header, place.member)]
    last = found[-1].base + found[-1].size if found else len(data)
    if problem is None and last < len(data):
        anomalies.append(Anomaly("dex.trailing-data", place.member, f"{len(data) - last} bytes"))
    return _Loaded(place, data, digest, tuple(found), problem, tuple(anomalies))


def _inspected(data: bytes, header: Header, member: str) -> Iterator[Anomaly]:
    """What ART checks over the whole of a dex file and what does not keep us from reading it."""
    view = memoryview(data)[header.base : header.base + header.size]
    if zlib.adler32(view[12:]) != header.checksum:
        yield Anomaly("dex.bad-checksum", member)
    if hashlib.sha1(view[32:], usedforsecurity=False).digest() != header.signature:
        yield Anomaly("dex.bad-signature", member)
    contradiction = map_oddities(data, header)
    if contradiction:
        yield Anomaly("dex.bad-map", member, contradiction)


def _add_hosts(program: Program, found: Found, member: str) -> None:
    for host, schemes in found.items():
        if len(program.hosts) >= MAX_HOSTS:
            program.faults["code.too-many-hosts"] += 1
            return
        program.hosts.setdefault((host, member), set()).update(schemes)


# ---- second pass ---------------------------------------------------------------------------------------------------


def _opened(parts: Sequence[_Part]) -> Iterator[tuple[_Part, Volume]]:
    """Each volume with its bytes there, and gone again afterwards."""
    place, data = None, b""
    for part in parts:
        volume = part.volume
        if not volume.is_open:
            if part.place != place:
                place, data = part.place, part.place.container.read(part.place.name)
            volume.reopen(Dex(data, volume.header))
        yield part, volume
        volume.let_go()


def _described(volume: Volume, place: Place) -> DexFile:
    header, faults = volume.header, volume.faults
    return DexFile(
        place.member,
        volume.source.sha256,
        header.size,
        header.version,
        header.strings.size,
        header.types.size,
        header.methods.size,
        header.classes.size,
        min(faults, default=""),
        ", ".join(f"{code} {count}" for code, count in sorted(faults.items())),
    )


def _unread(loaded: _Loaded) -> DexFile:
    problem = loaded.problem or DexFault("")
    size = loaded.place.container.entries[loaded.place.name].size
    return DexFile(loaded.place.member, loaded.sha256, size, problem=problem.code, detail=problem.detail)


def _oddities(volume: Volume) -> Iterator[Anomaly]:
    for code, count in sorted(volume.oddities.items()):
        name, _, about = code.partition(" ")
        yield Anomaly(name, volume.source.member, f"{about} {count}".strip())

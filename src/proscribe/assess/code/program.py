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
from proscribe.assess.code.evidence import Scope, Search, Source
from proscribe.assess.code.family import Edges, Family, descendants
from proscribe.assess.code.header import MOST_BYTES, DexFault, Header, headers, map_oddities, method_handles
from proscribe.assess.code.hosts import MAX_HOSTS, Found, hosts
from proscribe.assess.code.scan import Budget
from proscribe.assess.code.strings import HASH_BITS, fingerprints_of
from proscribe.assess.code.targets import REFLECTION, Targets
from proscribe.assess.code.volume import Volume
from proscribe.assess.facts import Anomaly, DexFile, Host, Site
from proscribe.assess.intake.container import Container, UnreadableMember

KEPT = 32 << 20
"""Bytes of dex files that are held between the two passes."""
_AHEAD = 2  # dex files that are inflated while one is read
_UNDER_WAY = 32 << 20  # bytes of them; larger ones come one after another
MOST = 320 << 20
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
class _Checked:
    """What takes the whole of a dex file to say."""

    sha256: str
    anomalies: tuple[Anomaly, ...]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """Bytes of a dex file and the headers in it. ``problem``: why there are none, or no more."""

    place: Place
    data: bytes
    headers: tuple[Header, ...]
    problem: DexFault | None
    checked: Future[_Checked] | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """A logical dex between the passes."""

    place: Place
    volume: Volume
    edges: Edges
    checked: Future[_Checked]


@dataclass
class Program:
    """What the dex files hold, together. ``faults``: what is wrong with the whole, such as a spent budget."""

    files: list[DexFile] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    hosts: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # (host, member) -> schemes
    packages: Counter[str] = field(default_factory=Counter)
    classes: set[bytes] = field(default_factory=set)
    reflection: int = 0
    code_units: int = 0
    anomalies: list[Anomaly] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def host_list(self) -> tuple[Host, ...]:
        return tuple(
            Host(host, member, tuple(sorted(found - {""}))) for (host, member), found in sorted(self.hosts.items())
        )


def read_program(places: Sequence[Place], targets: Targets) -> Program:
    """Read and search dex files. Whatever cannot be read has a problem in its ``DexFile``."""
    program = Program()
    with ThreadPoolExecutor(_AHEAD) as pool:
        parts = _first_pass(places, targets, program, pool)
        roots = np.zeros(1 << HASH_BITS, dtype=np.bool_)
        owners = {owner for owner, _ in targets.methods | targets.callbacks | REFLECTION}
        roots[fingerprints_of(sorted(owners))] = True
        known, whole = descendants((part.edges for part in parts), roots)
        family = Family()
        if not whole:
            family.faults["code.deep-hierarchy"] += 1
        for part in parts:
            part.volume.settle(family, known)
        scope = Scope(targets, family, known, Budget())
        for part, volume in _opened(parts):
            source = Source(part.place.member, part.checked.result().sha256)
            search = Search(volume, source, scope)
            program.sites += search.sites()
            program.reflection += search.reflection
            program.code_units += int(search.code.sizes.sum())
            program.packages += volume.packages()
            program.classes.update(volume.names)
            program.files.append(_described(volume, source))
            program.anomalies += _oddities(volume, source.member)
    order = {place.member: at for at, place in enumerate(places)}
    program.files.sort(key=lambda file: order[file.member])
    program.faults += scope.budget.faults + family.faults
    return program


# ---- first pass ----------------------------------------------------------------------------------------------------


def _first_pass(places: Sequence[Place], targets: Targets, program: Program, pool: ThreadPoolExecutor) -> list[_Part]:
    parts: list[_Part] = []
    checks = []
    kept = 0
    for loaded in _loaded(_affordable(places, program), pool):
        if loaded.problem is not None:
            program.files.append(_unread(loaded))
        if loaded.checked is None:
            continue
        checks.append(loaded.checked)
        kept += len(loaded.data)
        for header in loaded.headers:
            volume = Volume(Dex(loaded.data, header), targets)
            _add_hosts(program, hosts(volume.dex), loaded.place.member)
            parts.append(_Part(loaded.place, volume, volume.edges(), loaded.checked))
            if kept > KEPT:
                volume.let_go()
        if kept > KEPT:
            kept -= len(loaded.data)
    for check in checks:
        program.anomalies += check.result().anomalies
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


def _loaded(places: Iterator[Place], pool: ThreadPoolExecutor) -> Iterator[_Loaded]:
    """Dex files in order, the next ones under way while one is looked at."""
    waiting: deque[tuple[int, Future[_Loaded]]] = deque()
    for place in places:
        size = place.container.entries[place.name].size
        while waiting and (len(waiting) > _AHEAD or sum(under_way for under_way, _ in waiting) + size > _UNDER_WAY):
            yield waiting.popleft()[1].result()
        waiting.append((size, pool.submit(_load, place, pool)))
    while waiting:
        yield waiting.popleft()[1].result()


def _load(place: Place, pool: ThreadPoolExecutor) -> _Loaded:
    entry = place.container.entries[place.name]
    if entry.size > MOST_BYTES:
        return _Loaded(place, b"", (), DexFault("dex.too-large", f"{entry.size} > {MOST_BYTES}"))
    try:
        data = place.container.read(place.name)
    except UnreadableMember as error:
        return _Loaded(place, b"", (), DexFault(error.code, error.detail))
    found: list[Header] = []
    problem = None
    try:
        found.extend(headers(data))
    except DexFault as fault:
        problem = fault
    return _Loaded(place, data, tuple(found), problem, pool.submit(_check, place, data, tuple(found), problem))


def _check(place: Place, data: bytes, found: tuple[Header, ...], problem: DexFault | None) -> _Checked:
    anomalies = [anomaly for header in found for anomaly in _inspected(data, header, place.member)]
    last = found[-1].base + found[-1].size if found else len(data)
    if problem is None and last < len(data):
        anomalies.append(Anomaly("dex.trailing-data", place.member, f"{len(data) - last} bytes"))
    return _Checked(place.container.sha256(place.name, data), tuple(anomalies))


def _inspected(data: bytes, header: Header, member: str) -> Iterator[Anomaly]:
    """What ART checks over the whole of a dex file and what does not keep us from reading it."""
    view = memoryview(data)[header.base : header.base + header.size]
    if zlib.adler32(view[12:]) != header.checksum:
        yield Anomaly("dex.bad-checksum", member)
    if hashlib.sha1(view[32:], usedforsecurity=False).digest() != header.signature:
        yield Anomaly("dex.bad-signature", member)
    handles = method_handles(data, header)
    if handles:
        yield Anomaly("code.method-handles", member, str(handles))
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


def _described(volume: Volume, source: Source) -> DexFile:
    header, faults = volume.header, volume.faults
    return DexFile(
        source.member,
        source.sha256,
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
    digest = loaded.checked.result().sha256 if loaded.checked else ""
    return DexFile(loaded.place.member, digest, size, problem=problem.code, detail=problem.detail)


def _oddities(volume: Volume, member: str) -> Iterator[Anomaly]:
    for code, count in sorted(volume.oddities.items()):
        name, _, about = code.partition(" ")
        yield Anomaly(name, member, f"{about} {count}".strip())

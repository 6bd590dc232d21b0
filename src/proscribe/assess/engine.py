"""Assess one package: the use case that the command line calls, in a process of its own (``sandbox``).

``assess_here`` and ``recheck_here`` do the work in this process; the worker, the benchmark and tests call them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from proscribe.assess.model import Assessment, Observations, Recheck, Review
from proscribe.canonical import digest_bytes, digest_file, digest_json
from proscribe.documents import quick_bytes, read

if TYPE_CHECKING:
    from proscribe.assess.packs.library import Packs
    from proscribe.assess.rate.rubric import Rubric
    from proscribe.assess.sandbox import Worker
    from proscribe.catalogue.library import Catalogue


D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Options:
    """What an assessment is made with, apart from the package. Empty: what ships or was installed."""

    rubric: Path | None = None
    review: Path | None = None
    observations: tuple[Path, ...] = ()
    packs: Path | None = None


def assess(path: Path, options: Options | None = None, *, worker: Worker | None = None) -> bytes:
    """The canonical JSON of the Assessment of the package at ``path``, made in a limited worker process.

    Raises NotAPackage, RefusedPackage, UnreadableFile, WrongReview, BrokenPack or WorkerDied.
    """
    from proscribe.assess.sandbox import ask

    return ask("assess", {"path": str(path)}, options or Options(), worker=worker)


def recheck(report: Path, path: Path, options: Options | None = None) -> Recheck:
    """Verify every evidence item of a report against a package, and make the report anew, in a limited worker."""
    from proscribe.assess.sandbox import ask

    return _decoded(ask("recheck", {"path": str(path), "report": str(report)}, options or Options()), Recheck)


def load(data: bytes) -> Assessment:
    """An assessment that this very program has just written. Files from elsewhere go through ``documents.read``."""
    return _decoded(data, Assessment)


_ONE_AT_A_TIME = Lock()
"""msgspec (0.22) learns a dataclass at its first use, and two threads that do so together end the process."""


def _decoded(data: bytes, cls: type[D]) -> D:
    import msgspec

    body = msgspec.json.decode(data)
    del body["kind"], body["schema"]
    with _ONE_AT_A_TIME:
        return msgspec.convert(body, cls)


# ---- in this process -----------------------------------------------------------------------------------------------


def assess_here(path: Path, options: Options | None = None) -> bytes:
    """As ``assess``, in this process and without its limits."""
    from proscribe.assess.gather import gather
    from proscribe.assess.rate.judge import judge

    given = _given(options or Options())
    gathered = gather(path, given.packs.watch)
    found = judge(
        gathered, given.packs, given.rubric,
        review=given.review, observations=given.observations, library=_catalogue(),
    )  # fmt: skip
    return quick_bytes(found)


def recheck_here(report: Path, path: Path, options: Options | None = None) -> bytes:
    """The canonical JSON of the Recheck of a report, in this process."""
    from proscribe.assess.gather import gather
    from proscribe.assess.recheck import recheck as check
    from proscribe.assess.remake import outcome, remade

    given = _given(options or Options())
    stated = read(Assessment, report)
    gathered = gather(path, given.packs.watch)
    found = check(stated, gathered, given.packs, given.rubric, digest=digest_bytes(report.read_bytes()))
    parts = remade(
        stated, gathered, given.packs, given.rubric,
        review=given.review, observations=given.observations, library=_catalogue(),
    )  # fmt: skip
    return quick_bytes(replace(found, remade=outcome(parts), parts=parts))


@dataclass(frozen=True, slots=True)
class _Given:
    """What ``Options`` name, read."""

    packs: Packs
    rubric: Rubric
    review: Review | None
    observations: tuple[Observations, ...]


def _given(options: Options) -> _Given:
    from proscribe.assess.observed import load_observations
    from proscribe.assess.rate.rubric import load_rubric
    from proscribe.assess.review import load_review

    return _Given(
        packs=_packs(options.packs),
        rubric=load_rubric(options.rubric),
        review=load_review(options.review) if options.review else None,
        observations=tuple(map(load_observations, options.observations)),
    )


def context(options: Options) -> str:
    """Sixteen hex digits that name everything an assessment is made with but the package."""
    from proscribe import __version__
    from proscribe.assess.rate.rubric import load_rubric, reference

    files = [file for file in (options.review, *options.observations) if file]
    rubric = load_rubric(options.rubric)
    parts = [__version__, *(f"{one.id} {one.digest}" for one in _packs(options.packs).references)]
    parts += [str(reference(rubric).digest), *(digest_file(file) for file in files)]
    return digest_json(parts).removeprefix("sha256:")[:16]


def warm() -> None:
    """Load once what every assessment with the shipped data needs, for processes that are forked from this one."""
    import apk_info  # noqa: F401

    import proscribe.assess.code.read
    import proscribe.assess.rate.judge  # noqa: F401
    from proscribe.assess.rate.rubric import load_rubric, reference
    from proscribe.catalogue.protected import groups
    from proscribe.catalogue.skeleton import skeleton

    skeleton("é\u4e00")
    reference(load_rubric())
    _packs(None).domain_of("www.example.com")
    groups()
    _catalogue()


@lru_cache(maxsize=2)
def _packs(folder: Path | None) -> Packs:
    from proscribe.assess.packs.load import load_packs

    return load_packs(folder)


@lru_cache(maxsize=1)
def _catalogue() -> Catalogue:
    from proscribe.catalogue.library import load as load_catalogue

    return load_catalogue()

"""Assess one package: the use case that the command line calls, in a process of its own (``sandbox``).

``assess_here`` and ``recheck_here`` do the work in this process; the worker, the benchmark and tests call them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proscribe.assess.model import Assessment, Observations, Recheck
from proscribe.canonical import digest_bytes, digest_file, digest_json
from proscribe.documents import Document, digest, read

if TYPE_CHECKING:
    from proscribe.assess.packs.library import Packs
    from proscribe.assess.sandbox import Worker
    from proscribe.catalogue.library import Catalogue


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
    """Verify every evidence item of a report against a package, in a limited worker process."""
    from proscribe.assess.sandbox import ask

    return _decoded(ask("recheck", {"path": str(path), "report": str(report)}, options or Options()), Recheck)


def load(data: bytes) -> Assessment:
    """An assessment that this very program has just written. Files from elsewhere go through ``documents.read``."""
    return _decoded(data, Assessment)


def to_bytes(document: Document) -> bytes:
    """The canonical bytes of a document, as ``documents.to_bytes`` makes them but in a tenth of the time.

    The documents of this stage hold neither floating-point numbers nor keys beyond ASCII, so that sorted compact JSON
    is RFC 8785 already; a test compares the two.
    """
    import msgspec

    body = {"kind": document.KIND, "schema": document.SCHEMA, **msgspec.to_builtins(document)}
    try:
        return msgspec.json.encode(body, order="sorted")
    except UnicodeEncodeError:
        # A package may name things with half of a surrogate pair, which no UTF-8 can carry.
        return msgspec.json.encode(_encodable(body), order="sorted")


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value


def _decoded(data: bytes, cls: Any) -> Any:
    import msgspec

    body = msgspec.json.decode(data)
    del body["kind"], body["schema"]
    return msgspec.convert(body, cls)


# ---- in this process -----------------------------------------------------------------------------------------------


def assess_here(path: Path, options: Options | None = None) -> bytes:
    """As ``assess``, in this process and without its limits."""
    from proscribe.assess.gather import gather
    from proscribe.assess.rate.judge import judge
    from proscribe.assess.rate.rubric import load_rubric
    from proscribe.assess.review import load_review

    options = options or Options()
    packs = _packs(options.packs)
    rubric = load_rubric(options.rubric)
    review = load_review(options.review) if options.review else None
    observations = tuple(read(Observations, file) for file in options.observations)
    gathered = gather(path, packs.watch)
    found = judge(gathered, packs, rubric, review=review, observations=observations, library=_catalogue())
    return to_bytes(found)


def recheck_here(report: Path, path: Path, options: Options | None = None) -> bytes:
    """The canonical JSON of the Recheck of a report, in this process."""
    from proscribe.assess.gather import gather
    from proscribe.assess.recheck import recheck as check

    packs = _packs((options or Options()).packs)
    stated = read(Assessment, report)
    return to_bytes(check(stated, gather(path, packs.watch), packs, digest=digest_bytes(report.read_bytes())))


def context(options: Options) -> str:
    """Sixteen hex digits that name everything an assessment is made with but the package."""
    from importlib.metadata import version

    from proscribe.assess.rate.rubric import load_rubric

    files = [file for file in (options.review, *options.observations) if file]
    rubric = load_rubric(options.rubric)
    parts = [version("proscribe"), *(f"{one.id} {one.digest}" for one in _packs(options.packs).references)]
    parts += [digest(rubric), *(digest_file(file) for file in files)]
    return digest_json(parts).removeprefix("sha256:")[:16]


def warm() -> None:
    """Load once what every assessment with the shipped data needs."""
    import msgspec  # noqa: F401

    _packs(None)
    _catalogue()


@lru_cache(maxsize=2)
def _packs(folder: Path | None) -> Packs:
    from proscribe.assess.packs.load import load_packs

    return load_packs(folder)


@lru_cache(maxsize=1)
def _catalogue() -> Catalogue:
    from proscribe.catalogue.library import load as load_catalogue

    return load_catalogue()

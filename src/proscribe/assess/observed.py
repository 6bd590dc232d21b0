"""What was seen at run time, as a document that people hand in: checked against the package, and made evidence (E4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from proscribe import documents
from proscribe.assess.errors import WrongReview
from proscribe.assess.model import Observations
from proscribe.assess.profile import Evidence, EvidenceKind, Reference
from proscribe.assess.terms import ActorKind
from proscribe.canonical import Digest
from proscribe.errors import Where
from proscribe.text import Text

Seen = Mapping[tuple[str, str], tuple[Evidence, ...]]
"""(capability, actor as in a finding's id) -> what was observed, in the order it is given."""


def load_observations(path: Path) -> Observations:
    """Read an observations document (YAML or JSON). Raises UnreadableFile, InvalidDocument or WrongDocumentVersion."""
    return documents.read(Observations, path)


@lru_cache(maxsize=64)
def digest_of(document: Observations) -> Digest:
    """The digest by which evidence and assessment name the document."""
    return documents.digest(document)


def reference(document: Observations) -> Reference:
    """What an assessment names the document by: who observed, and which version of the app."""
    return Reference(id=document.source, version=document.version, digest=digest_of(document))


def check(document: Observations, *, app_id: str, digests: Collection[str], versions: Collection[str]) -> None:
    """Whether the document speaks of this package. ``digests``: hex, of the file and its parts. Raises WrongReview."""
    if document.app_id != app_id:
        raise _mismatch("app_id", document.app_id, app_id)
    wanted = document.sha256.removeprefix("sha256:").lower()
    if wanted and wanted not in digests:
        raise _mismatch("sha256", wanted, min(digests, default=""))
    if document.version and document.version not in versions:
        raise _mismatch("version", document.version, ", ".join(sorted(filter(None, versions))))


def seen(given: Sequence[Observations], *, capabilities: Collection[str], sdks: Collection[str]) -> Seen:
    """All observations by what they raise. Raises WrongReview for a capability or SDK that no pack has."""
    found: dict[tuple[str, str], dict[Evidence, None]] = defaultdict(dict)
    for document in given:
        for number, one in enumerate(document.observations):
            if one.capability not in capabilities:
                raise _unknown(f"observations.{number}.capability", one.capability)
            if one.actor not in {"", ActorKind.app.value} and one.actor not in sdks:
                raise _unknown(f"observations.{number}.actor", one.actor)
            actor = one.actor or ActorKind.unattributed.value
            item = Evidence(
                kind=EvidenceKind.observed,
                member=document.source,
                sha256=digest_of(document).removeprefix("sha256:"),
                subject=one.capability,
                detail=f"{one.when} {one.what}",
            )
            found[one.capability, actor][item] = None
    return {key: tuple(items) for key, items in found.items()}


def _mismatch(field: str, given: str, actual: str) -> WrongReview:
    return WrongReview(
        Text(
            f"the observations are of {given!r}, the package is {actual!r}",
            f"les observations portent sur «\u00a0{given}\u00a0», le paquet est «\u00a0{actual}\u00a0»",
        ),
        remedy=Text(
            "Give the observations of this very package, or assess the package they were made of.",
            "Fournissez les observations de ce paquet même, ou évaluez le paquet sur lequel elles portent.",
        ),
        where=Where(field=field),
    )


def _unknown(field: str, value: str) -> WrongReview:
    return WrongReview(
        Text(f"no pack has {value!r}", f"aucun ensemble ne contient «\u00a0{value}\u00a0»"),
        remedy=Text(
            "Name a capability of the pack, and as actor 'app', an SDK id, or nothing.",
            "Nommez une capacité de l'ensemble et, comme acteur, «\u00a0app\u00a0», l'identifiant d'une trousse SDK "
            "ou rien.",
        ),
        where=Where(field=field),
    )

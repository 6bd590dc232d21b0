"""What a proof bundle says, for OSCAL: only from a bundle that holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from proscribe.canonical import digest_bytes
from proscribe.directive.model import Directive
from proscribe.documents import Document, from_json
from proscribe.errors import ProscribeError, Where
from proscribe.prove import members as names
from proscribe.prove.container import Container
from proscribe.prove.model import BundleManifest, Counts, ExemptionList, NotSeen
from proscribe.prove.verify import verify
from proscribe.publish.oscal.parts import Assessed
from proscribe.text import Text

D = TypeVar("D", bound=Document)


class ProofUnsound(ProscribeError):
    """The proof bundle that something is to be made from does not hold."""

    code = "publish.proof-unsound"


def assessed_in(path: Path) -> Assessed:
    """What the proof bundle in ``path`` says. Raises ProofUnsound or UnreadableFile."""
    result = verify(path)
    if not result.ok:
        failed = result.failures[0]
        raise ProofUnsound(
            Text(f"the proof does not hold: {failed.what.en}", f"la preuve n'est pas valable\u00a0: {failed.what.fr}"),
            remedy=Text(
                "See 'proscribe prove verify'; ask for the bundle again.",
                "Voyez «\u00a0proscribe prove verify\u00a0»; demandez de nouveau le dossier.",
            ),
            where=Where(file=str(path), field=failed.member),
        )
    container = Container(path.read_bytes())
    manifest = _document(container, names.MANIFEST, BundleManifest)
    return Assessed(
        organisation=manifest.organisation,
        at=manifest.created_at,
        directive=_document(container, names.DIRECTIVE, Directive),
        directive_digest=manifest.directive_digest,
        targets_digest=manifest.targets_digest,
        counts=_document(container, names.COUNTS, Counts),
        not_seen=_document(container, names.NOT_SEEN, NotSeen),
        exemptions=_document(container, names.EXEMPTIONS, ExemptionList).exemptions,
        proof=digest_bytes(b"".join(container.chunks(names.MANIFEST))),
    )


def _document(container: Container, name: str, cls: type[D]) -> D:
    return from_json(cls, json.loads(b"".join(container.chunks(name))), source=name)

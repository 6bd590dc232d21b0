"""Whether what is decided here was signed as the key list asks, and what is said where nothing was signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proscribe.canonical import Digest
from proscribe.service.installation import Installation

if TYPE_CHECKING:
    from proscribe.trust.model import Verification


def demand(
    installation: Installation, document: Digest, kind: str, *, affected: int | None = None
) -> Verification | None:
    """The signatures of a document, or None where no key list is installed or none of its rules covers the kind.

    Raises NotSigned with the next step where a rule covers it and the signatures are not on file, or count no more.
    """
    try:
        from proscribe.service import trusting
    except ImportError:
        return None
    return trusting.require(installation, document, kind, affected=affected)


def seats(installation: Installation, document: Digest) -> tuple[str, ...]:
    """The seats whose signatures of a document are on file and still count."""
    try:
        from proscribe.service import trusting
    except ImportError:
        return ()
    found = trusting.verification_of(installation, document)
    return () if found is None else found.holders

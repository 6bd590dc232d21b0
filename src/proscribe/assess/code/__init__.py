"""What the code of a package shows: dex files read and searched, native libraries, packing."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from proscribe.assess.facts import CodeFacts, Reading
from proscribe.assess.intake.container import Container
from proscribe.assess.watch import Watch

__all__ = ["read_code"]


def read_code(apks: Sequence[Container], watch: Watch, *, declared: Collection[str] = ()) -> Reading[CodeFacts]:
    """Code evidence of one app: base first, then its splits. Never raises on bad bytes; ``runs`` say what was read.

    ``declared``: class names (with dots) that the manifests declare; where most of them are in no dex, the code that
    they mean comes from elsewhere.
    """
    from proscribe.assess.code.read import read

    return read(apks, watch, declared)

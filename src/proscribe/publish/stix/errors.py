"""What can be wrong with a bundle as a whole, and what must not be shared."""

from __future__ import annotations

from proscribe.errors import ProscribeError


class NotABundle(ProscribeError):
    """The file is not a STIX bundle, or not one that two readers would read alike."""

    code = "publish.stix-not-a-bundle"


class BundleTooBig(ProscribeError):
    """A STIX bundle holds more than any notice of a ban does."""

    code = "publish.stix-too-big"


class NothingProposed(ProscribeError):
    """A STIX bundle names no app, no domain and no course of action."""

    code = "publish.stix-nothing-proposed"


class TlpForbids(ProscribeError):
    """What a partner marked may not be shared that widely."""

    code = "publish.tlp-forbids"

"""What can go wrong in an evaluation. Each refuses where an answer would be a guess."""

from __future__ import annotations

from proscribe.errors import ProscribeError


class MismatchedBan(ProscribeError):
    """A target set of another directive, or of another version of it; or a directive given twice."""

    code = "evaluate.mismatched-ban"


class NotWatched(ProscribeError):
    """The snapshot was taken without looking for these targets, so their absence from it means nothing."""

    code = "evaluate.not-watched"

"""What can go wrong with a package as a whole. Faults inside one are facts (``Run.problem``), not errors."""

from __future__ import annotations

from proscribe.errors import ProscribeError


class NotAPackage(ProscribeError):
    """The file is none of the formats that are assessed."""

    code = "assess.not-a-package"


class RefusedPackage(ProscribeError):
    """The container breaks a limit (size, number of entries, ratio) that protects whoever reads it."""

    code = "assess.refused-package"


class WorkerDied(ProscribeError):
    """The process that read the package hit a limit or crashed. The package is not assessed, and this one goes on."""

    code = "assess.worker-died"


class WrongReview(ProscribeError):
    """A review, an observation or a report that belongs to another app, or names what the assessment does not have."""

    code = "assess.wrong-review"


class BrokenPack(ProscribeError):
    """A data pack or rubric that cannot be used: a row without source, an unknown id, a wrong digest."""

    code = "assess.broken-pack"


class OlderPack(ProscribeError):
    """A data pack that is not newer than the one in use, and nobody insisted."""

    code = "assess.older-pack"

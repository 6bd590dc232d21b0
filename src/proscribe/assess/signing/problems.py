"""Why a signature does not hold. Codes are those of ``apksigner``'s issues in this project's style.

``JAR_SIG_NO_MANIFEST`` there is ``jar-sig.no-manifest`` here; what no issue of that tool names is ``apk.*``.
"""

from __future__ import annotations


class SignatureProblem(Exception):
    """A signature, or what belongs to it, does not hold. ``code`` is stable; ``detail`` is language-neutral."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail

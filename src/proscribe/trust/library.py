"""What is used of securesystemslib, in one place: its package does not say to type checkers what it exports.

Importing it takes 90 ms, so this module is imported where it is used.
"""

from __future__ import annotations

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import (  # type: ignore[attr-defined]
    CryptoSigner,
    Key,
    Signature,
    Signer,
    SSlibKey,
)

__all__ = ["CryptoSigner", "Envelope", "Key", "SSlibKey", "Signature", "Signer", "UnverifiedSignatureError"]

"""Why a signature, a key or a key list is refused. Each reason has a code of its own; docs/guide/signatures.md has the
table of what it protects against.
"""

from __future__ import annotations

from proscribe.errors import ProscribeError, Where
from proscribe.text import Text
from proscribe.trust.model import Verification


class TrustError(ProscribeError):
    """Root of what is wrong with keys, signatures and key lists."""

    code = "trust.error"


class InvalidEnvelope(TrustError):
    """The file is not a DSSE envelope around a statement, or its parts contradict each other."""

    code = "trust.envelope"


class NotCanonical(TrustError):
    """What was signed is not in its one canonical form (RFC 8785): two readers could understand it differently."""

    code = "trust.not-canonical"


class InvalidSeat(TrustError):
    """A seat is named in a way that could be mistaken for another."""

    code = "trust.seat"


class SignatureRefused(TrustError):
    """Root of the reasons for which a signed document does not count. ``verification`` says what each signature is."""

    code = "trust.refused"

    def __init__(
        self, what: Text, *, remedy: Text, where: Where | None = None, verification: Verification | None = None
    ) -> None:
        super().__init__(what, remedy=remedy, where=where)
        self.verification = verification


class NoRule(SignatureRefused):
    """The key list says nothing about who may sign this kind of document."""

    code = "trust.no-rule"


class KeyListExpired(SignatureRefused):
    """The key list has expired: newer revocations may have been withheld."""

    code = "trust.key-list-expired"


class BadSignature(SignatureRefused):
    """A signature of a known key does not fit the bytes: one of the two was changed."""

    code = "trust.bad-signature"


class NotEnoughSignatures(SignatureRefused):
    """Fewer seats signed than the rule asks for."""

    code = "trust.threshold"


class UnknownKey(NotEnoughSignatures):
    """A signature is of a key that is not on the key list, and the others are too few."""

    code = "trust.unknown-key"


class WrongRole(NotEnoughSignatures):
    """A signature is of a key without a role that may sign this kind of document, and the others are too few."""

    code = "trust.wrong-role"


class AuthorApproved(NotEnoughSignatures):
    """Who prepared the document signed it too, and the others are too few."""

    code = "trust.author"


class KeyExpired(NotEnoughSignatures):
    """A signature is of a key past its last day, and the others are too few."""

    code = "trust.key-expired"


class KeyNotYetValid(NotEnoughSignatures):
    """A signature is of a key before its first day, and the others are too few."""

    code = "trust.key-not-yet-valid"


class KeyRevoked(NotEnoughSignatures):
    """A signature is of a key that was revoked, and the others are too few."""

    code = "trust.key-revoked"


class NotQuantumSafe(NotEnoughSignatures):
    """The rule asks every seat for an ML-DSA-65 signature, and too few seats gave one."""

    code = "trust.not-quantum-safe"


class KeyListError(TrustError):
    """Root of what is wrong with a key list."""

    code = "trust.key-list"


class InvalidKeyList(KeyListError):
    """A key list that contradicts itself, or a rule in it that nobody could ever meet."""

    code = "trust.key-list-invalid"


class WrongPin(KeyListError):
    """The first key list is not the one whose digest was given by another way."""

    code = "trust.key-list-pin"


class KeyListReplaced(KeyListError):
    """A new key list that the seats of the present one did not sign: a stranger's."""

    code = "trust.key-list-replaced"


class KeyListRolledBack(KeyListError):
    """A key list older than the present one, or another one of the same number."""

    code = "trust.key-list-rollback"


class KeyListSkipped(KeyListError):
    """A key list whose predecessor is not known here."""

    code = "trust.key-list-skipped"


class RevocationTakenBack(KeyListError):
    """A new key list that forgets a revocation, or moves it to a later moment."""

    code = "trust.revocation-taken-back"


class UnusableKey(TrustError):
    """A key that cannot be read, or of a scheme that is not used here."""

    code = "trust.key"


class KeyExists(TrustError):
    """A key was to be written over a file that is there."""

    code = "trust.key-exists"


class ExposedKey(TrustError):
    """A private key or passphrase in a file that others can read or change."""

    code = "trust.key-exposed"


class WrongPassphrase(TrustError):
    """The passphrase (or PIN) of a private key is wrong, weak or missing."""

    code = "trust.passphrase"


class TokenUnusable(TrustError):
    """A PKCS#11 token, or the key on it, cannot be used."""

    code = "trust.token"

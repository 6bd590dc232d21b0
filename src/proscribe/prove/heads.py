"""Signed tree heads: size and root of a ledger, with a date and the log's signature (Ed25519, RFC 8032).

The signature is over the RFC 8785 bytes of the head without its ``signature``. A head carries the log's public key, so
that anybody can check it, and two heads that do not fit together convict the log without any further evidence.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from proscribe.canonical import canonical_bytes
from proscribe.documents import to_json
from proscribe.errors import ProscribeError
from proscribe.prove.ledger import EMPTY_ROOT
from proscribe.prove.model import SignedTreeHead, TreeHead
from proscribe.text import Text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_HEX_32 = re.compile(r"[0-9a-f]{64}")
_HEX_64 = re.compile(r"[0-9a-f]{128}")


class WrongLogKey(ProscribeError):
    """The file of the log's key does not hold an Ed25519 private key."""

    code = "ledger.log-key"


def new_key() -> bytes:
    """A new key of a log: PKCS#8 in PEM, as ``openssl genpkey -algorithm ed25519`` writes it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_key(pem: bytes) -> Ed25519PrivateKey:
    """The key in a PEM file. Raises WrongLogKey."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise WrongLogKey(
            Text("this is not an Ed25519 private key in PEM", "ce n'est pas une clé privée Ed25519 au format PEM"),
            remedy=Text(
                "Restore the file from a backup. With another key this is another log for all who hold its heads.",
                "Restaurez le fichier à partir d'une sauvegarde. Avec une autre clé, c'est un autre registre pour tous "
                "ceux qui en détiennent des têtes.",
            ),
        )
    return key


def log_of(key: Ed25519PrivateKey) -> str:
    """The name of the log that signs with this key: its public key, 32 bytes in hex."""
    return key.public_key().public_bytes_raw().hex()


def sign_head(head: TreeHead, key: Ed25519PrivateKey, at: datetime) -> SignedTreeHead:
    """The head with date, log and signature."""
    unsigned = SignedTreeHead(log=log_of(key), size=head.size, root=head.root, at=at)
    return replace(unsigned, signature=key.sign(signed_bytes(unsigned)).hex())


def signed_bytes(head: SignedTreeHead) -> bytes:
    """What the signature of a head covers: its RFC 8785 bytes without that field."""
    body = to_json(head)
    del body["signature"]
    return canonical_bytes(body)


def check_head(signed: SignedTreeHead) -> bool:
    """Whether the head is well formed and its log signed it. False for anything malformed; never raises."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not (_HEX_32.fullmatch(signed.log) and _HEX_32.fullmatch(signed.root) and _HEX_64.fullmatch(signed.signature)):
        return False
    if signed.size < 0 or (signed.size == 0 and signed.root != EMPTY_ROOT.hex()):
        return False
    try:
        log = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed.log))
        log.verify(bytes.fromhex(signed.signature), signed_bytes(signed))
    except (InvalidSignature, ValueError):  # ValueError: a size beyond what JSON numbers can carry
        return False
    return True

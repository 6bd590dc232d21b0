"""Key pairs, the files they lie in, and signers.

The public half is PEM (SubjectPublicKeyInfo), the private half PKCS#8 PEM, encrypted unless somebody insists. A private
key is never shown, never logged, and never in a file that others can read.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proscribe.errors import Where
from proscribe.files import unreadable
from proscribe.text import Text
from proscribe.trust.errors import ExposedKey, KeyExists, UnusableKey, WrongPassphrase
from proscribe.trust.model import Scheme, Storage

if TYPE_CHECKING:
    from proscribe.trust.library import Signer, SSlibKey

Passphrase = Callable[[], bytes]
"""Where a passphrase or PIN comes from when it is needed: a prompt, a variable of the environment, a file."""

SHORTEST_PASSPHRASE = 12
"""In bytes. A stolen file can be guessed at leisure."""

_LARGEST_KEY_FILE = 64 * 1024


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key pair in memory."""

    id: str
    scheme: Scheme
    public: str  # PEM
    private: Any = field(repr=False, compare=False)  # of the library ``cryptography``

    def signer(self) -> Signer:
        """Signs with this pair, under its id."""
        from proscribe.trust.library import CryptoSigner

        return CryptoSigner(self.private, verifier(self.public))


def new_pair(scheme: Scheme) -> KeyPair:
    """Make a key pair from the operating system's randomness."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa

    makers: dict[Scheme, Callable[[], Any]] = {
        Scheme.ed25519: ed25519.Ed25519PrivateKey.generate,
        Scheme.ecdsa_p256: lambda: ec.generate_private_key(ec.SECP256R1()),
        Scheme.ml_dsa_65: mldsa.MLDSA65PrivateKey.generate,
    }
    return _pair(makers[scheme]())


def _pair(private: Any) -> KeyPair:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
    return KeyPair(id=key_id(public), scheme=scheme_of(public), public=public, private=private)


# --- the public half


@lru_cache(maxsize=1024)
def _public(pem: str) -> tuple[Any, Scheme, str]:
    """The library's key, its scheme, and its one normal PEM. Raises UnusableKey."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode("utf-8"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable(
            Text("this is not a public key (PEM)", "ce n'est pas une clé publique (PEM)"),
        ) from error
    if isinstance(key, ed25519.Ed25519PublicKey):
        scheme = Scheme.ed25519
    elif isinstance(key, mldsa.MLDSA65PublicKey):
        scheme = Scheme.ml_dsa_65
    elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        scheme = Scheme.ecdsa_p256
    else:
        raise _unusable(
            Text("a key of a scheme that is not used here", "une clé dont l'algorithme n'est pas employé ici"),
        )
    return key, scheme, key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def _unusable(what: Text, source: str = "") -> UnusableKey:
    return UnusableKey(
        what,
        remedy=Text(
            "Make a key of Ed25519, ECDSA P-256 or ML-DSA-65 with 'proscribe key new', or name the right file.",
            "Créez une clé Ed25519, ECDSA P-256 ou ML-DSA-65 avec « proscribe key new », ou désignez le bon fichier.",
        ),
        where=Where(file=source),
    )


def key_id(public_pem: str) -> str:
    """SHA-256 (hex) of the key's DER SubjectPublicKeyInfo, in its one normal form. Raises UnusableKey."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der = _public(public_pem)[0].public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def scheme_of(public_pem: str) -> Scheme:
    """The scheme of a public key. Raises UnusableKey."""
    return _public(public_pem)[1]


def normal_pem(public_pem: str) -> str:
    """The one normal spelling of a public key. Raises UnusableKey."""
    return _public(public_pem)[2]


@lru_cache(maxsize=1024)
def verifier(public_pem: str) -> SSlibKey:
    """What checks signatures of a key. Raises UnusableKey."""
    from proscribe.trust.library import SSlibKey

    return SSlibKey.from_crypto(_public(public_pem)[0], keyid=key_id(public_pem))


def fits(public_pem: str, signature: bytes, data: bytes) -> bool:
    """Whether ``signature`` is this key's over ``data``. Raises UnusableKey."""
    from proscribe.trust.library import Signature, UnverifiedSignatureError

    key = verifier(public_pem)
    try:
        key.verify_signature(Signature(key.keyid, signature.hex()), data)
    except UnverifiedSignatureError:
        return False
    return True


def read_public(path: Path) -> str:
    """The public key of a PEM file, in its normal form. Raises UnreadableFile or UnusableKey."""
    try:
        text = _bytes_of(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unusable(Text("this is not a PEM file", "ce n'est pas un fichier PEM"), str(path)) from error
    try:
        return normal_pem(text)
    except UnusableKey as error:
        raise _unusable(error.what, str(path)) from error


def _bytes_of(path: Path, *, owner_only: bool = False) -> bytes:
    try:
        with path.open("rb") as stream:
            if owner_only:
                _owner_only(path, os.fstat(stream.fileno()).st_mode)
            return stream.read(_LARGEST_KEY_FILE)
    except OSError as error:
        raise unreadable(path, error) from error


# --- the private half


def public_path(path: Path) -> Path:
    """Where the public half of a private key's file lies."""
    return path.with_name(path.name + ".pub")


def write_pair(pair: KeyPair, path: Path, passphrase: bytes | None, *, plain: bool = False) -> None:
    """Write both halves: the private one to ``path``, for its owner alone, the public one beside it (``.pub``).

    Raises KeyExists, and WrongPassphrase where there is none and nobody insisted on ``plain``.
    """
    if plain == (passphrase is not None):
        raise _passphrase(
            Text(
                "a private key is encrypted, or plain on an explicit wish",
                "une clé privée est chiffrée, sauf demande expresse",
            )
        )
    pem = private_pem(pair, passphrase)
    for target, content, mode in ((path, pem, 0o600), (public_path(path), pair.public.encode("ascii"), 0o644)):
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError as error:
            raise KeyExists(
                Text("a file of that name is there", "un fichier de ce nom existe"),
                remedy=Text(
                    "Choose another name; a key that is written over is lost.",
                    "Choisissez un autre nom; une clé écrasée est perdue.",
                ),
                where=Where(file=str(target)),
            ) from error
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())


def private_pem(pair: KeyPair, passphrase: bytes | None) -> bytes:
    """The private half as PKCS#8 PEM; encrypted, unless ``passphrase`` is None. Raises WrongPassphrase."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    if passphrase is None:
        plain: bytes = pair.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return plain
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise _passphrase(
            Text(
                f"the passphrase has fewer than {SHORTEST_PASSPHRASE} bytes",
                f"la phrase de passe compte moins de {SHORTEST_PASSPHRASE} octets",
            )
        )
    from proscribe.trust.pkcs8 import encrypted

    der = encrypted(pair.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), passphrase)
    body = base64.standard_b64encode(der).decode("ascii")
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join(
        ["-----BEGIN ENCRYPTED PRIVATE KEY-----", *lines, "-----END ENCRYPTED PRIVATE KEY-----", ""]
    ).encode("ascii")


def read_pair(path: Path, passphrase: Passphrase | None) -> KeyPair:
    """The pair of a PKCS#8 PEM file. Raises UnreadableFile, ExposedKey, WrongPassphrase or UnusableKey."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem = _bytes_of(path, owner_only=True)
    secret = None
    if b"ENCRYPTED" in pem:
        if passphrase is None:
            raise _passphrase(Text("this key is encrypted", "cette clé est chiffrée"), str(path))
        secret = passphrase()
    try:
        private = load_pem_private_key(pem, secret)
    except (ValueError, TypeError) as error:
        if secret is not None:
            raise _passphrase(
                Text("the passphrase does not open this key", "la phrase de passe n'ouvre pas cette clé"), str(path)
            ) from None  # the cause could carry what was typed
        raise _unusable(Text("this is not a private key", "ce n'est pas une clé privée"), str(path)) from error
    except UnsupportedAlgorithm as error:
        raise _unusable(Text("this is not a private key", "ce n'est pas une clé privée"), str(path)) from error
    return _pair(private)


def _owner_only(path: Path, mode: int) -> None:
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ExposedKey(
            Text("others can read or change this secret", "d'autres peuvent lire ou modifier ce secret"),
            remedy=Text(
                "Run 'chmod 600' on it; if others had access, revoke the key and make a new one.",
                "Appliquez-lui « chmod 600 »; si d'autres y ont eu accès, révoquez la clé et créez-en une autre.",
            ),
            where=Where(file=str(path)),
        )


def _passphrase(what: Text, source: str = "") -> WrongPassphrase:
    return WrongPassphrase(
        what,
        remedy=Text(
            "Give the passphrase when asked, in a variable of the environment or in a file; at least "
            f"{SHORTEST_PASSPHRASE} bytes.",
            "Donnez la phrase de passe à l'invite, dans une variable d'environnement ou dans un fichier; au moins "
            f"{SHORTEST_PASSPHRASE} octets.",
        ),
        where=Where(file=source),
    )


def read_secret(path: Path) -> bytes:
    """The passphrase in a file: its first line. Raises UnreadableFile, ExposedKey or WrongPassphrase."""
    lines = _bytes_of(path, owner_only=True).splitlines()
    if not lines:
        raise _passphrase(Text("the file is empty", "le fichier est vide"), str(path))
    return lines[0]


def secret_missing(variable: str) -> WrongPassphrase:
    """The error for a variable of the environment that was named and is not set."""
    return _passphrase(Text(f"the variable {variable} is not set", f"la variable {variable} n'est pas définie"))


def storage_of(reference: str, passphrase: Passphrase | None = None) -> Storage:
    """Where the private half of a reference lies. Raises as ``open_signer``."""
    if reference.startswith("pkcs11:"):
        from proscribe.trust.pkcs11 import storage_of as token_storage

        return token_storage(reference, passphrase)
    pem = _bytes_of(Path(reference.removeprefix("file:")), owner_only=True)
    return Storage.encrypted_file if b"ENCRYPTED" in pem else Storage.plain_file


def open_signer(reference: str, passphrase: Passphrase | None = None) -> Signer:
    """The signer of ``file:PATH`` (or a bare path) or of a ``pkcs11:`` URI (RFC 7512).

    Raises what ``read_pair`` raises, or TokenUnusable.
    """
    if reference.startswith("pkcs11:"):
        from proscribe.trust.pkcs11 import TokenSigner

        return TokenSigner.open(reference, passphrase)
    return read_pair(Path(reference.removeprefix("file:")), passphrase).signer()


def public_of(signer: Signer) -> str:
    """The public key (PEM) of a signer."""
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = signer.public_key.to_dict()["keyval"]["public"]
    if public.startswith("-----"):
        return normal_pem(public)
    raw = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    return raw.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")

"""Keys on a PKCS#11 token (smart card, HSM), named by an RFC 7512 URI: ``pkcs11:token=...;object=...?module-path=...``.

ECDSA P-256 and Ed25519. The private key stays on the token; the session is closed after every signature.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from proscribe.errors import Where
from proscribe.text import Text
from proscribe.trust.errors import TokenUnusable, WrongPassphrase
from proscribe.trust.keys import Passphrase, fits, key_id, verifier
from proscribe.trust.library import Key, Signature, Signer
from proscribe.trust.model import Scheme, Storage

if TYPE_CHECKING:
    from collections.abc import Callable

MODULE_VARIABLE = "PKCS11_MODULE_PATH"
"""Where the token's library is, when the URI does not say."""

_ED25519_PARAMETERS = bytes.fromhex("06032b6570")  # the object identifier 1.3.101.112, RFC 8410
_P256_PARAMETERS = bytes.fromhex("06082a8648ce3d030107")  # 1.2.840.10045.3.1.7, RFC 5480


@dataclass(frozen=True, slots=True)
class TokenUri:
    """The parts of a ``pkcs11:`` URI that choose a key."""

    token: str
    object: str
    id: bytes
    serial: str
    module: str

    def __str__(self) -> str:
        return f"pkcs11:token={self.token};object={self.object}" + (f";id={self.id.hex()}" if self.id else "")


def parse_uri(reference: str) -> TokenUri:
    """Read a URI. Raises TokenUnusable for an attribute that is not known, and for a PIN in it."""
    path, _, query = reference.removeprefix("pkcs11:").partition("?")
    found: dict[str, bytes] = {}
    for part in (*filter(None, path.split(";")), *filter(None, query.split("&"))):
        name, separator, value = part.partition("=")
        if name in ("pin-value", "pin-source"):
            raise _unusable(
                Text("a PIN does not belong in a URI", "un NIP n'a pas sa place dans un URI"),
                Text(
                    "Leave it out; it is asked for, or read from a variable of the environment or a file.",
                    "Retirez-le; il est demandé, ou lu dans une variable d'environnement ou un fichier.",
                ),
            )
        if not separator or name in found or name not in ("token", "object", "id", "serial", "type", "module-path"):
            raise _unusable(
                Text(f"{name!r} is not understood in this URI", f"« {name} » n'est pas compris dans cet URI"),
                Text(
                    "Give pkcs11:token=LABEL;object=LABEL?module-path=FILE; 'id' and 'serial' may be added.",
                    "Donnez pkcs11:token=NOM;object=NOM?module-path=FICHIER; « id » et « serial » sont permis.",
                ),
            )
        found[name] = unquote_to_bytes(value)

    def text(name: str) -> str:
        return found.get(name, b"").decode("utf-8", "replace")

    return TokenUri(
        token=text("token"),
        object=text("object"),
        id=found.get("id", b""),
        serial=text("serial"),
        module=text("module-path") or os.environ.get(MODULE_VARIABLE, ""),
    )


class TokenSigner(Signer):
    """Signs with a key on a token. The PIN is kept as long as the signer is, and shown nowhere."""

    def __init__(self, uri: TokenUri, public: str, scheme: Scheme, pin: _Pin) -> None:
        self._uri = uri
        self._public = public
        self._scheme = scheme
        self._pin = pin

    @classmethod
    def open(cls, reference: str, passphrase: Passphrase | None) -> TokenSigner:
        """Find the key. Raises TokenUnusable or WrongPassphrase."""
        uri = parse_uri(reference)
        pin = _Pin(passphrase)
        with _session(uri, pin) as session:
            public, scheme = _public_of(_one(session, uri, private=False))
            _one(session, uri, private=True)
        return cls(uri, public, scheme, pin)

    @property
    def public_key(self) -> Key:
        return verifier(self._public)

    @property
    def public(self) -> str:
        """The public key as PEM."""
        return self._public

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: Callable[[str], str] | None = None
    ) -> TokenSigner:
        """The library's way in. Raises TokenUnusable where the key on the token is another than ``public_key``."""
        asked = None if secrets_handler is None else lambda: secrets_handler("PIN").encode("utf-8")
        signer = cls.open(priv_key_uri, asked)
        if signer.public_key.keyval != public_key.keyval:
            raise _unusable(Text("the key on the token is another", "la clé du jeton en est une autre"))
        return signer

    def sign(self, payload: bytes) -> Signature:
        """Sign, and check what the token gave. Raises TokenUnusable or WrongPassphrase."""
        from pkcs11 import Mechanism
        from pkcs11.util.ec import encode_ecdsa_signature

        with _session(self._uri, self._pin) as session:
            key = _one(session, self._uri, private=True)
            if self._scheme is Scheme.ed25519:
                made = key.sign(payload, mechanism=Mechanism.EDDSA)
            else:
                # The token signs the digest: few have a mechanism that does both.
                made = encode_ecdsa_signature(key.sign(hashlib.sha256(payload).digest(), mechanism=Mechanism.ECDSA))
        if not fits(self._public, made, payload):
            raise _unusable(
                Text(
                    "the token's signature does not fit its public key",
                    "la signature du jeton ne correspond pas à sa clé publique",
                )
            )
        return Signature(key_id(self._public), made.hex())


def storage_of(reference: str, passphrase: Passphrase | None) -> Storage:
    """What kind of token it is: in hardware only where the key can never leave it. Raises as ``TokenSigner.open``."""
    _installed()
    from pkcs11 import Attribute

    uri = parse_uri(reference)
    with _session(uri, _Pin(passphrase)) as session:
        kept = bool(_one(session, uri, private=True)[Attribute.NEVER_EXTRACTABLE])
        software = "soft" in f"{session.token.manufacturer_id} {session.token.model}".lower()
    return Storage.hardware if kept and not software else Storage.software_token


def new_on_token(reference: str, scheme: Scheme, passphrase: Passphrase | None) -> TokenSigner:
    """Make a key pair on a token; its private half never leaves. Raises TokenUnusable or WrongPassphrase."""
    _installed()
    from pkcs11 import Attribute, KeyType, Mechanism

    kinds = {
        Scheme.ecdsa_p256: (KeyType.EC, _P256_PARAMETERS, Mechanism.EC_KEY_PAIR_GEN),
        Scheme.ed25519: (KeyType.EC_EDWARDS, _ED25519_PARAMETERS, Mechanism.EC_EDWARDS_KEY_PAIR_GEN),
    }
    uri, pin = parse_uri(reference), _Pin(passphrase)
    if scheme not in kinds or not uri.object:
        raise _unusable(
            Text(
                "a token holds Ed25519 and ECDSA P-256 keys, by name",
                "un jeton contient des clés Ed25519 et ECDSA P-256, désignées par un nom",
            ),
            Text(
                "Choose one of the two schemes and name the key with 'object='; keep ML-DSA-65 keys in files.",
                "Choisissez l'un des deux et nommez la clé avec « object= »; gardez les clés ML-DSA-65 en fichier.",
            ),
        )
    key_type, parameters, mechanism = kinds[scheme]
    with _session(uri, pin, writes=True) as session:
        if next(iter(session.get_objects(_wanted(uri, private=True))), None) is not None:
            raise _unusable(Text("the token has a key of that name", "le jeton contient déjà une clé de ce nom"))
        domain = session.create_domain_parameters(key_type, {Attribute.EC_PARAMS: parameters}, local=True)
        domain.generate_keypair(
            mechanism=mechanism,
            store=True,
            label=uri.object,
            id=uri.id or os.urandom(8),
            private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )
    return TokenSigner.open(reference, pin)


# --- the token


class _Pin:
    """A PIN, asked for once: most tokens lock after three wrong ones."""

    __slots__ = ("_ask", "_known")

    def __init__(self, ask: Passphrase | None) -> None:
        self._ask = ask
        self._known: bytes | None = None

    def __call__(self) -> bytes:
        if self._known is None:
            if self._ask is None:
                raise _wrong_pin(Text("the token asks for a PIN", "le jeton demande un NIP"))
            self._known = self._ask()
        return self._known


@contextmanager
def _session(uri: TokenUri, pin: _Pin, *, writes: bool = False) -> Iterator[Any]:
    """A session on the token, logged in; every fault of the library as an error of ours."""
    pkcs11 = _installed()
    if not uri.module:
        raise _unusable(
            Text("the token's library is not named", "la bibliothèque du jeton n'est pas indiquée"),
            Text(
                f"Add '?module-path=FILE' to the URI, or set {MODULE_VARIABLE}.",
                f"Ajoutez « ?module-path=FICHIER » à l'URI, ou définissez {MODULE_VARIABLE}.",
            ),
        )
    try:
        token = _token(pkcs11.lib(uri.module), uri)
        reader = bool(token.flags & pkcs11.TokenFlag.PROTECTED_AUTHENTICATION_PATH)
        secret = pkcs11.PROTECTED_AUTH if reader else pin().decode("utf-8", "replace")
        with token.open(rw=writes, user_pin=secret) as session:
            yield session
    except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange, pkcs11.PinLocked, pkcs11.PinExpired) as error:
        raise _wrong_pin(
            Text(
                f"the token refused the PIN ({type(error).__name__})",
                f"le jeton a refusé le NIP ({type(error).__name__})",
            )
        ) from None
    except pkcs11.PKCS11Error as error:
        reason = str(error) or type(error).__name__
        raise _unusable(
            Text(f"the token cannot be used: {reason}", f"le jeton est inutilisable\u00a0: {reason}")
        ) from error


def _installed() -> Any:
    """The library of the extra ``hsm``. Raises TokenUnusable where it is not installed."""
    try:
        import pkcs11
    except ImportError as error:
        raise _unusable(
            Text("PKCS#11 support is not installed", "la prise en charge de PKCS#11 n'est pas installée"),
            Text("Install 'proscribe[hsm]'.", "Installez « proscribe[hsm] »."),
        ) from error
    return pkcs11


def _token(library: Any, uri: TokenUri) -> Any:
    from pkcs11 import TokenFlag

    found = [
        token
        for token in library.get_tokens(token_flags=TokenFlag.TOKEN_INITIALIZED)
        if uri.token in ("", token.label) and uri.serial in ("", _plain(token.serial))
    ]
    if len(found) != 1:
        raise _unusable(
            Text(f"{len(found)} tokens fit {uri}", f"{len(found)} jetons correspondent à {uri}"),
            Text(
                "Name one token by its label or serial.", "Désignez un seul jeton par son nom ou son numéro de série."
            ),
        )
    return found[0]


def _plain(value: bytes | str) -> str:
    return value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else value.strip()


def _wanted(uri: TokenUri, *, private: bool) -> dict[Any, Any]:
    from pkcs11 import Attribute, ObjectClass

    wanted: dict[Any, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY if private else ObjectClass.PUBLIC_KEY}
    if uri.object:
        wanted[Attribute.LABEL] = uri.object
    if uri.id:
        wanted[Attribute.ID] = uri.id
    return wanted


def _one(session: Any, uri: TokenUri, *, private: bool) -> Any:
    """The one key that fits. Two of one name could be confused: neither is used."""
    found = list(session.get_objects(_wanted(uri, private=private)))
    if len(found) != 1:
        half = Text("private", "privées") if private else Text("public", "publiques")
        raise _unusable(
            Text(f"{len(found)} {half.en} keys fit {uri}", f"{len(found)} clés {half.fr} correspondent à {uri}"),
            Text(
                "Name one key that the token holds both halves of, by 'object' and 'id'.",
                "Désignez une seule clé dont le jeton contient les deux moitiés, par « object » et « id ».",
            ),
        )
    return found[0]


def _public_of(key: Any) -> tuple[str, Scheme]:
    """The PEM and scheme of a public key on a token."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from pkcs11 import Attribute, KeyType

    if key.key_type not in (KeyType.EC, KeyType.EC_EDWARDS):
        raise _other_scheme()
    point = bytes(key[Attribute.EC_POINT])  # an octet string by the standard; some tokens give its content bare
    try:
        if key.key_type is KeyType.EC_EDWARDS:
            edwards = ed25519.Ed25519PublicKey.from_public_bytes(point[-32:])
            return _pem(edwards), Scheme.ed25519
        if bytes(key[Attribute.EC_PARAMS]) == _P256_PARAMETERS:
            return _pem(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point[-65:])), Scheme.ecdsa_p256
    except ValueError as error:
        raise _unusable(Text("the public key is damaged", "la clé publique est endommagée")) from error
    raise _other_scheme()


def _pem(public: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode("ascii")


def _other_scheme() -> TokenUnusable:
    return _unusable(Text("a key of a scheme that is not used here", "une clé dont l'algorithme n'est pas employé ici"))


def _wrong_pin(what: Text) -> WrongPassphrase:
    return WrongPassphrase(
        what,
        remedy=Text(
            "Give the right PIN when asked, in a variable of the environment or in a file; a token locks after a few.",
            "Donnez le bon NIP à l'invite, dans une variable d'environnement ou un fichier; un jeton se bloque après "
            "quelques essais.",
        ),
    )


def _unusable(what: Text, remedy: Text | None = None) -> TokenUnusable:
    return TokenUnusable(
        what,
        remedy=remedy
        or Text(
            "Check that the token is there, its label, and the name of the key.",
            "Vérifiez la présence du jeton, son nom et celui de la clé.",
        ),
        where=Where(),
    )

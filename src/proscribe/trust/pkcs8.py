"""Encrypting a private key: PKCS#8 with PBES2 (RFC 8018), PBKDF2-HMAC-SHA-256 and AES-256-CBC.

The library encrypts with 2,048 rounds, which is quick to guess against; it reads any number. So the envelope is written
here, as any tool reads it, with the rounds that OWASP recommends (Password Storage Cheat Sheet, 2023).
"""

from __future__ import annotations

import hashlib
import os

ROUNDS = 600_000

_SEQUENCE, _OCTETS, _INTEGER, _NULL = 0x30, 0x04, 0x02, 0x05
_PBES2 = bytes.fromhex("06092a864886f70d01050d")  # 1.2.840.113549.1.5.13
_PBKDF2 = bytes.fromhex("06092a864886f70d01050c")  # 1.2.840.113549.1.5.12
_HMAC_SHA256 = bytes.fromhex("06082a864886f70d0209")  # 1.2.840.113549.2.9
_AES256_CBC = bytes.fromhex("060960864801650304012a")  # 2.16.840.1.101.3.4.1.42


def encrypted(private_key_info: bytes, passphrase: bytes, *, rounds: int = ROUNDS) -> bytes:
    """DER EncryptedPrivateKeyInfo of a DER PrivateKeyInfo."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    salt, vector = os.urandom(16), os.urandom(16)
    key = hashlib.pbkdf2_hmac("sha256", passphrase, salt, rounds, dklen=32)
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    body = encryptor.update(padder.update(private_key_info) + padder.finalize()) + encryptor.finalize()
    derivation = _sequence(
        _PBKDF2,
        _sequence(
            _tagged(_OCTETS, salt),
            _tagged(_INTEGER, rounds.to_bytes(rounds.bit_length() // 8 + 1, "big")),
            _sequence(_HMAC_SHA256, _tagged(_NULL, b"")),
        ),
    )
    cipher = _sequence(_AES256_CBC, _tagged(_OCTETS, vector))
    return _sequence(_sequence(_PBES2, _sequence(derivation, cipher)), _tagged(_OCTETS, body))


def _sequence(*parts: bytes) -> bytes:
    return _tagged(_SEQUENCE, b"".join(parts))


def _tagged(tag: int, content: bytes) -> bytes:
    if len(content) < 128:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content

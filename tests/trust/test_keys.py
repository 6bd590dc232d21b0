"""Key pairs and their files; openssl is the second opinion."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from proscribe.errors import UnreadableFile
from proscribe.trust import errors
from proscribe.trust.keys import (
    fits,
    key_id,
    new_pair,
    normal_pem,
    open_signer,
    private_pem,
    public_of,
    public_path,
    read_pair,
    read_public,
    read_secret,
    scheme_of,
    storage_of,
    write_pair,
)
from proscribe.trust.model import Scheme, Storage
from proscribe.trust.pkcs8 import ROUNDS, encrypted

PASSPHRASE = b"the lamp is lit at dusk"


def written(path: Path, scheme: Scheme = Scheme.ed25519, passphrase: bytes | None = PASSPHRASE):
    pair = new_pair(scheme)
    write_pair(pair, path, passphrase, plain=passphrase is None)
    return pair


class TestPublic:
    @pytest.mark.parametrize("scheme", list(Scheme))
    def test_the_id_is_the_hash_of_the_der(self, scheme, tmp_path):
        pair = new_pair(scheme)
        body = "".join(pair.public.splitlines()[1:-1])
        assert pair.id == hashlib.sha256(base64.standard_b64decode(body)).hexdigest() == key_id(pair.public)
        assert scheme_of(pair.public) is scheme

    def test_openssl_gives_the_same_id(self, tmp_path, openssl):
        pair = new_pair(Scheme.ecdsa_p256)
        (tmp_path / "key.pub").write_text(pair.public)
        der = openssl("pkey", "-pubin", "-in", "key.pub", "-outform", "DER").stdout
        assert hashlib.sha256(der).hexdigest() == pair.id

    def test_another_spelling_of_a_key_is_the_same_key(self, tmp_path, openssl):
        """With a point written in its short form, one key could otherwise hold two seats."""
        pair = new_pair(Scheme.ecdsa_p256)
        (tmp_path / "key.pub").write_text(pair.public)
        short = openssl("ec", "-pubin", "-in", "key.pub", "-conv_form", "compressed").stdout.decode()
        assert short != pair.public
        assert key_id(short) == pair.id
        assert normal_pem(short) == pair.public

    @pytest.mark.parametrize(
        "key",
        [
            rsa.generate_private_key(65537, 2048),
            ec.generate_private_key(ec.SECP384R1()),
            ed448.Ed448PrivateKey.generate(),
            mldsa.MLDSA44PrivateKey.generate(),
        ],
    )
    def test_other_schemes_are_refused(self, key):
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        with pytest.raises(errors.UnusableKey, match="scheme"):
            key_id(pem)

    @pytest.mark.parametrize(
        "content",
        [b"", b"hello", b"\xff\xfe", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"],
    )
    def test_what_is_no_key_is_refused(self, content, tmp_path):
        path = tmp_path / "key.pub"
        path.write_bytes(content)
        with pytest.raises(errors.UnusableKey) as caught:
            read_public(path)
        assert caught.value.where.file == str(path)

    def test_a_file_of_a_public_key(self, tmp_path):
        pair = written(tmp_path / "cio.pem")
        assert read_public(public_path(tmp_path / "cio.pem")) == pair.public
        with pytest.raises(UnreadableFile):
            read_public(tmp_path / "nobody.pub")


class TestPrivate:
    @pytest.mark.parametrize("scheme", list(Scheme))
    def test_a_key_comes_back_from_its_file(self, scheme, tmp_path):
        pair = written(tmp_path / "cio.pem", scheme)
        assert read_pair(tmp_path / "cio.pem", lambda: PASSPHRASE) == pair
        signer = open_signer(f"file:{tmp_path / 'cio.pem'}", lambda: PASSPHRASE)
        made = signer.sign(b"words")
        assert made.keyid == pair.id
        assert public_of(signer) == pair.public
        assert fits(pair.public, bytes.fromhex(made.signature), b"words")
        assert not fits(pair.public, bytes.fromhex(made.signature), b"other words")
        assert not fits(pair.public, b"", b"words")

    @pytest.mark.parametrize("scheme", [Scheme.ed25519, Scheme.ecdsa_p256])
    def test_openssl_opens_the_file(self, scheme, tmp_path, openssl):
        pair = written(tmp_path / "cio.pem", scheme)
        (tmp_path / "pass").write_bytes(PASSPHRASE)
        opened = openssl("pkey", "-in", "cio.pem", "-passin", "file:pass", "-pubout")
        assert opened.stdout.decode() == pair.public

    def test_a_file_of_openssl_is_opened(self, tmp_path, openssl):
        (tmp_path / "pass").write_bytes(PASSPHRASE)
        openssl("genpkey", "-algorithm", "ed25519", "-out", "theirs.pem", "-aes256", "-pass", "file:pass")
        (tmp_path / "theirs.pem").chmod(0o600)
        pair = read_pair(tmp_path / "theirs.pem", lambda: PASSPHRASE)
        assert pair.public == openssl("pkey", "-in", "theirs.pem", "-passin", "file:pass", "-pubout").stdout.decode()

    def test_guessing_costs_many_rounds(self, tmp_path, openssl):
        written(tmp_path / "cio.pem")
        shown = openssl("asn1parse", "-in", "cio.pem").stdout.decode()
        assert "PBES2" in shown
        assert "hmacWithSHA256" in shown
        assert "aes-256-cbc" in shown
        assert f":{ROUNDS:X}".lower() in shown.lower().replace(":0", ":")

    @pytest.mark.parametrize("rounds", [1, 127, 128, 255, 256, 32767, 32768])
    def test_any_number_of_rounds_is_written_right(self, rounds):
        pair = new_pair(Scheme.ed25519)
        plain = pair.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        opened = load_der_private_key(encrypted(plain, PASSPHRASE, rounds=rounds), PASSPHRASE)
        assert isinstance(opened, ed25519.Ed25519PrivateKey)
        assert opened.public_key() == pair.private.public_key()

    def test_two_files_of_one_key_differ(self):
        pair = new_pair(Scheme.ed25519)
        assert private_pem(pair, PASSPHRASE) != private_pem(pair, PASSPHRASE)

    @pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
    def test_the_file_is_its_owners_whatever_the_mask(self, tmp_path):
        before = os.umask(0)
        try:
            written(tmp_path / "cio.pem")
            written(tmp_path / "plain.pem", passphrase=None)
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "cio.pem").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "plain.pem").stat().st_mode) == 0o600

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660])
    def test_a_file_that_others_can_read_is_refused(self, mode, tmp_path):
        written(tmp_path / "cio.pem")
        (tmp_path / "cio.pem").chmod(mode)
        with pytest.raises(errors.ExposedKey) as caught:
            read_pair(tmp_path / "cio.pem", lambda: PASSPHRASE)
        assert caught.value.code == "trust.key-exposed"

    def test_nothing_is_written_over(self, tmp_path):
        first = written(tmp_path / "cio.pem")
        with pytest.raises(errors.KeyExists):
            written(tmp_path / "cio.pem")
        assert read_pair(tmp_path / "cio.pem", lambda: PASSPHRASE) == first

    def test_plain_is_an_explicit_wish(self, tmp_path):
        pair = new_pair(Scheme.ed25519)
        with pytest.raises(errors.WrongPassphrase):
            write_pair(pair, tmp_path / "cio.pem", None)
        with pytest.raises(errors.WrongPassphrase):
            write_pair(pair, tmp_path / "cio.pem", PASSPHRASE, plain=True)
        assert list(tmp_path.iterdir()) == []
        write_pair(pair, tmp_path / "cio.pem", None, plain=True)
        assert read_pair(tmp_path / "cio.pem", None) == pair
        assert storage_of(str(tmp_path / "cio.pem")) is Storage.plain_file

    def test_a_short_passphrase_is_refused(self, tmp_path):
        with pytest.raises(errors.WrongPassphrase, match="fewer than 12"):
            written(tmp_path / "cio.pem", passphrase=b"short")

    def test_an_encrypted_key_needs_its_passphrase(self, tmp_path):
        written(tmp_path / "cio.pem")
        assert storage_of(f"file:{tmp_path / 'cio.pem'}") is Storage.encrypted_file
        for ask in (None, lambda: b"another passphrase", lambda: b""):
            with pytest.raises(errors.WrongPassphrase) as caught:
                read_pair(tmp_path / "cio.pem", ask)
            assert caught.value.__cause__ is None

    def test_what_is_no_private_key_is_refused(self, tmp_path):
        path = tmp_path / "key.pem"
        path.touch(mode=0o600)
        path.write_text(new_pair(Scheme.ed25519).public)
        with pytest.raises(errors.UnusableKey):
            read_pair(path, None)

    def test_a_private_key_of_another_scheme_is_refused(self, tmp_path, openssl):
        openssl("genpkey", "-algorithm", "ed448", "-out", "other.pem")
        (tmp_path / "other.pem").chmod(0o600)
        with pytest.raises(errors.UnusableKey, match="scheme"):
            read_pair(tmp_path / "other.pem", None)

    def test_a_pair_does_not_show_its_private_half(self):
        pair = new_pair(Scheme.ed25519)
        secret = pair.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        for shown in (repr(pair), str(pair), repr(pair.signer()), repr(vars(pair.signer()).get("_public_key"))):
            assert secret.hex() not in shown
            assert "PRIVATE" not in shown.upper().replace("PRIVATEKEY OBJECT", "")


class TestSecretFile:
    def test_the_first_line_counts(self, tmp_path):
        path = tmp_path / "secret"
        path.touch(mode=0o600)
        path.write_bytes(b"the lamp is lit at dusk\nnot this\n")
        assert read_secret(path) == PASSPHRASE

    def test_it_is_its_owners(self, tmp_path):
        path = tmp_path / "secret"
        path.write_bytes(PASSPHRASE)
        path.chmod(0o644)
        with pytest.raises(errors.ExposedKey):
            read_secret(path)

    def test_it_holds_something(self, tmp_path):
        path = tmp_path / "secret"
        path.touch(mode=0o600)
        with pytest.raises(errors.WrongPassphrase, match="empty"):
            read_secret(path)


def test_no_core_dump_of_a_traceback_shows_a_passphrase(tmp_path):
    """What a crash prints names the file and nothing that was typed."""
    written(tmp_path / "cio.pem")
    code = (
        "from proscribe.trust.keys import read_pair; from pathlib import Path; import sys\n"
        "read_pair(Path(sys.argv[1]), lambda: b'typed by mistake')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "cio.pem")], check=False, capture_output=True)
    assert done.returncode != 0
    assert b"WrongPassphrase" in done.stderr
    assert done.stderr.count(b"typed by mistake") <= 1  # the source line of this very test, if at all

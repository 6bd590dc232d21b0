"""Keys on a token: a real SoftHSM, made anew for every test."""

from __future__ import annotations

import sys

import pytest

from proscribe.directive.library import find
from proscribe.trust import errors
from proscribe.trust.envelope import prepare, sign
from proscribe.trust.keys import fits, open_signer, public_of, scheme_of, storage_of
from proscribe.trust.model import Scheme, Storage, Weight
from proscribe.trust.pkcs11 import MODULE_VARIABLE, TokenSigner, new_on_token, parse_uri
from proscribe.trust.verify import verify

DIRECTIVE = find("ca-tbs-2023-wechat-kaspersky")
ON_TOKEN = [Scheme.ed25519, Scheme.ecdsa_p256]


class TestUri:
    def test_its_parts(self, monkeypatch):
        monkeypatch.delenv(MODULE_VARIABLE, raising=False)
        uri = parse_uri("pkcs11:token=Signing%20desk;object=cio;id=%01%ff;serial=0a?module-path=/lib/x.so")
        assert (uri.token, uri.object, uri.id, uri.serial) == ("Signing desk", "cio", b"\x01\xff", "0a")
        assert uri.module == "/lib/x.so"
        assert parse_uri("pkcs11:object=cio").module == ""

    def test_the_module_may_come_from_the_environment(self, monkeypatch):
        monkeypatch.setenv(MODULE_VARIABLE, "/lib/y.so")
        assert parse_uri("pkcs11:object=cio").module == "/lib/y.so"

    @pytest.mark.parametrize("pin", ["pkcs11:object=a?pin-value=1234", "pkcs11:object=a?pin-source=file:/p"])
    def test_a_pin_in_it_is_refused(self, pin):
        with pytest.raises(errors.TokenUnusable, match="PIN does not belong") as caught:
            parse_uri(pin)
        assert "1234" not in str(caught.value)

    @pytest.mark.parametrize("uri", ["pkcs11:slot-id=1", "pkcs11:object", "pkcs11:object=a;object=b"])
    def test_what_is_not_understood_is_refused(self, uri):
        with pytest.raises(errors.TokenUnusable, match="not understood"):
            parse_uri(uri)


class TestSigning:
    @pytest.mark.parametrize("scheme", ON_TOKEN)
    def test_a_key_made_on_the_token_signs(self, token, scheme):
        made = new_on_token(token.uri("cio"), scheme, token.ask)
        signer = open_signer(token.uri("cio"), token.ask)
        assert public_of(signer) == made.public
        assert scheme_of(made.public) is scheme
        signature = signer.sign(b"words")
        assert fits(made.public, bytes.fromhex(signature.signature), b"words")
        assert not fits(made.public, bytes.fromhex(signature.signature), b"other words")

    @pytest.mark.parametrize("scheme", ON_TOKEN)
    def test_openssl_accepts_its_signatures(self, token, scheme, tmp_path, openssl):
        signer = new_on_token(token.uri("cio"), scheme, token.ask)
        (tmp_path / "data").write_bytes(b"words")
        (tmp_path / "sig").write_bytes(bytes.fromhex(signer.sign(b"words").signature))
        (tmp_path / "key.pem").write_text(signer.public)
        digest = [] if scheme is Scheme.ed25519 else ["-digest", "sha256"]
        command = ["pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-sigfile", "sig", "-in", "data", "-rawin"]
        assert openssl(*command, *digest).returncode == 0

    def test_seats_on_tokens_sign_a_directive(self, token, office):
        signers = {
            seat: new_on_token(token.uri(seat), scheme, token.ask)
            for seat, scheme in zip(("cio", "legal"), ON_TOKEN, strict=True)
        }
        keys = office.keys()
        for seat, signer in signers.items():
            keys = office.changed(
                seat,
                keys,
                id=signer.public_key.keyid,
                public=signer.public,
                scheme=scheme_of(signer.public),
                storage=Storage.software_token,
            )
        signed = prepare(DIRECTIVE, by="analyst", at=office.now)
        for signer in signers.values():
            signed = sign(signed, signer)
        found = verify(signed, keys, at=office.now)
        assert found.holders == ("cio", "legal")
        assert {one.storage for one in found.signatures if one.weight is Weight.counted} == {Storage.software_token}

    def test_a_key_that_another_tool_made(self, token):
        import pkcs11
        from pkcs11 import Attribute, KeyType, Mechanism
        from pkcs11.util.ec import encode_named_curve_parameters

        found = pkcs11.lib(str(token.module)).get_token(token_label=token.label)
        with found.open(rw=True, user_pin=token.pin) as session:
            curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
            domain = session.create_domain_parameters(KeyType.EC, curve, local=True)
            domain.generate_keypair(mechanism=Mechanism.EC_KEY_PAIR_GEN, store=True, label="theirs", id=b"\x07")
        signer = TokenSigner.open(token.uri("theirs", ";id=%07"), token.ask)
        assert scheme_of(signer.public) is Scheme.ecdsa_p256
        assert fits(signer.public, bytes.fromhex(signer.sign(b"words").signature), b"words")

    def test_the_private_half_never_leaves(self, token):
        import pkcs11
        from pkcs11 import Attribute, ObjectClass

        new_on_token(token.uri("cio"), Scheme.ecdsa_p256, token.ask)
        with pkcs11.lib(str(token.module)).get_token(token_label=token.label).open(user_pin=token.pin) as session:
            key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label="cio")
            assert key[Attribute.NEVER_EXTRACTABLE]
            assert key[Attribute.SENSITIVE]
            with pytest.raises(pkcs11.PKCS11Error):
                key[Attribute.VALUE]

    def test_a_software_token_is_called_one(self, token):
        new_on_token(token.uri("cio"), Scheme.ed25519, token.ask)
        assert storage_of(token.uri("cio"), token.ask) is Storage.software_token

    def test_the_library_opens_it_by_its_key(self, token):
        signer = new_on_token(token.uri("cio"), Scheme.ed25519, token.ask)
        other = new_on_token(token.uri("legal"), Scheme.ed25519, token.ask)
        again = TokenSigner.from_priv_key_uri(token.uri("cio"), signer.public_key, lambda _name: token.pin)
        assert again.sign(b"words").keyid == signer.public_key.keyid
        with pytest.raises(errors.TokenUnusable, match="another"):
            TokenSigner.from_priv_key_uri(token.uri("cio"), other.public_key, lambda _name: token.pin)

    def test_the_pin_is_asked_for_once(self, token):
        asked = []

        def ask() -> bytes:
            asked.append(1)
            return token.ask()

        signer = new_on_token(token.uri("cio"), Scheme.ed25519, ask)
        signer.sign(b"one")
        signer.sign(b"two")
        assert asked == [1]
        assert token.pin not in repr(signer) + repr(vars(signer))


class TestFaults:
    def test_a_wrong_pin(self, token):
        new_on_token(token.uri("cio"), Scheme.ed25519, token.ask)
        with pytest.raises(errors.WrongPassphrase) as caught:
            open_signer(token.uri("cio"), lambda: b"000000")
        assert caught.value.code == "trust.passphrase"
        assert "000000" not in str(caught.value)
        assert caught.value.__cause__ is None

    def test_no_pin(self, token):
        with pytest.raises(errors.WrongPassphrase):
            open_signer(token.uri("cio"))

    def test_no_such_key(self, token):
        with pytest.raises(errors.TokenUnusable, match="0 public keys"):
            open_signer(token.uri("nobody"), token.ask)

    def test_no_such_token(self, token):
        uri = token.uri("cio").replace("Signing%20desk", "elsewhere")
        with pytest.raises(errors.TokenUnusable, match="0 tokens"):
            open_signer(uri, token.ask)

    def test_a_name_is_used_once(self, token):
        new_on_token(token.uri("cio"), Scheme.ed25519, token.ask)
        with pytest.raises(errors.TokenUnusable, match="a key of that name"):
            new_on_token(token.uri("cio"), Scheme.ed25519, token.ask)

    def test_two_keys_of_one_name_are_not_guessed_between(self, token):
        import pkcs11
        from pkcs11 import Attribute, KeyType, Mechanism

        parameters = {Attribute.EC_PARAMS: bytes.fromhex("06032b6570")}
        with (
            pkcs11.lib(str(token.module))
            .get_token(token_label=token.label)
            .open(rw=True, user_pin=token.pin) as session
        ):
            for number in (1, 2):
                session.create_domain_parameters(KeyType.EC_EDWARDS, parameters, local=True).generate_keypair(
                    mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label="twin", id=bytes([number])
                )
        with pytest.raises(errors.TokenUnusable, match="2 public keys"):
            open_signer(token.uri("twin"), token.ask)
        assert open_signer(token.uri("twin", ";id=%02"), token.ask).sign(b"x").keyid

    @pytest.mark.parametrize("curve", ["secp384r1", "rsa"])
    def test_a_key_of_another_scheme(self, token, curve):
        import pkcs11
        from pkcs11 import Attribute, KeyType, Mechanism
        from pkcs11.util.ec import encode_named_curve_parameters

        with (
            pkcs11.lib(str(token.module))
            .get_token(token_label=token.label)
            .open(rw=True, user_pin=token.pin) as session
        ):
            if curve == "rsa":
                session.generate_keypair(KeyType.RSA, 2048, store=True, label="other")
            else:
                domain = session.create_domain_parameters(
                    KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}, local=True
                )
                domain.generate_keypair(mechanism=Mechanism.EC_KEY_PAIR_GEN, store=True, label="other")
        with pytest.raises(errors.TokenUnusable, match="scheme"):
            open_signer(token.uri("other"), token.ask)

    def test_a_public_half_that_does_not_belong(self, token):
        """Who can write to the token puts a public key of their own in the place of the seat's."""
        import pkcs11
        from pkcs11 import Attribute, ObjectClass

        new_on_token(token.uri("cio"), Scheme.ed25519, token.ask)
        stranger = new_on_token(token.uri("stranger"), Scheme.ed25519, token.ask)
        with (
            pkcs11.lib(str(token.module))
            .get_token(token_label=token.label)
            .open(rw=True, user_pin=token.pin) as session
        ):
            session.get_key(object_class=ObjectClass.PUBLIC_KEY, label="cio").destroy()
            session.get_key(object_class=ObjectClass.PUBLIC_KEY, label="stranger")[Attribute.LABEL] = "cio"
        signer = open_signer(token.uri("cio"), token.ask)
        assert public_of(signer) == stranger.public
        with pytest.raises(errors.TokenUnusable, match="does not fit"):
            signer.sign(b"words")

    def test_ml_dsa_stays_in_files(self, token):
        with pytest.raises(errors.TokenUnusable, match="Ed25519 and ECDSA"):
            new_on_token(token.uri("cio"), Scheme.ml_dsa_65, token.ask)

    def test_no_library(self, monkeypatch):
        monkeypatch.delenv(MODULE_VARIABLE, raising=False)
        with pytest.raises(errors.TokenUnusable, match="not named"):
            open_signer("pkcs11:token=a;object=b", lambda: b"1")
        with pytest.raises(errors.TokenUnusable, match="cannot be used"):
            open_signer("pkcs11:token=a;object=b?module-path=/nowhere.so", lambda: b"1")

    def test_without_the_extra(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "pkcs11", None)
        with pytest.raises(errors.TokenUnusable, match="not installed") as caught:
            open_signer("pkcs11:token=a;object=b?module-path=/nowhere.so", lambda: b"1")
        assert "proscribe[hsm]" in caught.value.remedy.en


@pytest.mark.parametrize("ask", [new_on_token, storage_of, open_signer])
def test_without_the_extra_the_way_to_it_is_named(ask: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    reference = "pkcs11:token=a;object=b?module-path=/nowhere.so"
    given = (reference, Scheme.ed25519, None) if ask is new_on_token else (reference, None)
    with pytest.raises(errors.TokenUnusable) as refused:
        ask(*given)  # type: ignore[operator]
    assert "proscribe[hsm]" in str(refused.value.remedy)

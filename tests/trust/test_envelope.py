"""Envelopes: their bytes against independent computations, and every way of changing one unnoticed."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from proscribe.directive.library import find
from proscribe.directive.model import Directive
from proscribe.documents import Document, digest, to_bytes, to_json
from proscribe.errors import InvalidDocument, UnreadableFile
from proscribe.trust import dsse
from proscribe.trust.envelope import (
    document_of,
    envelope_bytes,
    envelope_of,
    is_envelope,
    merge,
    prepare,
    read_envelope,
    sign,
    statement_of,
)
from proscribe.trust.errors import InvalidEnvelope, InvalidSeat, NotCanonical, SignatureRefused, TrustError
from proscribe.trust.model import PAYLOAD_TYPE, KeyList, Scheme, SignedDocument
from proscribe.trust.verify import verify

DIRECTIVE = find("ca-tbs-2023-wechat-kaspersky")
AT = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Note(Document):
    """A document small enough to flip every byte of its envelope."""

    KIND: ClassVar[str] = "proscribe.directive"

    text: str
    amount: int = 1


def by_hand(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """DSSE's pre-authentication encoding, written from its specification."""
    kind = payload_type.encode()
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])


def raw(signed: SignedDocument) -> dict[str, Any]:
    return json.loads(envelope_bytes(signed))


def with_payload(signed: SignedDocument, payload: bytes) -> bytes:
    body = raw(signed) | {"payload": base64.standard_b64encode(payload).decode()}
    return json.dumps(body).encode()


class TestBytes:
    def test_the_payload_is_the_canonical_statement(self):
        signed = prepare(DIRECTIVE, by="analyst", at=AT)
        payload = base64.standard_b64decode(signed.envelope["payload"])
        # RFC 8785 without the library: no floats and ASCII keys, so sorted compact JSON is it.
        statement = {
            "kind": "proscribe.statement",
            "schema": 1,
            "document": to_json(DIRECTIVE),
            "prepared_by": "analyst",
            "prepared_at": "2026-11-02T13:00:00Z",
        }
        expected = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert payload == expected

    @pytest.mark.parametrize("scheme", list(Scheme))
    def test_signatures_hold_under_the_library_alone(self, office, scheme):
        pair = office.pair_of("bytes", scheme)
        signed = sign(prepare(DIRECTIVE, by="analyst", at=AT), pair.signer())
        data = by_hand(base64.standard_b64decode(signed.envelope["payload"]))
        signature = base64.standard_b64decode(signed.envelope["signatures"][0]["sig"])
        key: Any = load_pem_public_key(pair.public.encode())
        if scheme is Scheme.ecdsa_p256:
            key.verify(signature, data, ECDSA(SHA256()))
        elif scheme is Scheme.ed25519:
            key.verify(signature, data)
        else:  # TUF's TAP 21: "tuf", a version byte, SHA-512 of the data
            key.verify(signature, b"tuf\x01" + hashlib.sha512(data).digest())

    @pytest.mark.parametrize("scheme", [Scheme.ed25519, Scheme.ecdsa_p256])
    def test_openssl_agrees(self, office, scheme, tmp_path, openssl):
        pair = office.pair_of("bytes", scheme)
        signed = sign(prepare(DIRECTIVE, by="analyst", at=AT), pair.signer())
        (tmp_path / "data").write_bytes(by_hand(base64.standard_b64decode(signed.envelope["payload"])))
        (tmp_path / "sig").write_bytes(base64.standard_b64decode(signed.envelope["signatures"][0]["sig"]))
        (tmp_path / "key.pem").write_text(pair.public)
        raw_input = ["-rawin"] if scheme is Scheme.ed25519 else ["-rawin", "-digest", "sha256"]
        command = ["pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-sigfile", "sig", "-in", "data", *raw_input]
        assert openssl(*command).returncode == 0
        (tmp_path / "data").write_bytes(b"something else")
        assert openssl(*command).returncode != 0

    def test_openssl_signs_what_we_accept(self, office, tmp_path, openssl):
        assert openssl("genpkey", "-algorithm", "ed25519", "-out", "private.pem").returncode == 0
        public = openssl("pkey", "-in", "private.pem", "-pubout").stdout.decode()
        prepared = prepare(office.keys(), by="analyst", at=AT)
        (tmp_path / "data").write_bytes(by_hand(base64.standard_b64decode(prepared.envelope["payload"])))
        openssl("pkeyutl", "-sign", "-inkey", "private.pem", "-rawin", "-in", "data", "-out", "sig")
        der = openssl("pkey", "-in", "private.pem", "-pubout", "-outform", "DER").stdout
        signature = base64.standard_b64encode((tmp_path / "sig").read_bytes()).decode()
        envelope = prepared.envelope | {"signatures": [{"keyid": hashlib.sha256(der).hexdigest(), "sig": signature}]}
        ours = replace(office.pair_of("x"), id=hashlib.sha256(der).hexdigest(), public=public)
        keys = office.keys(keys=(*office.keys().keys, office.listed(ours, "outside", "cio")))
        signed = sign(replace(prepared, envelope=envelope), office.pair_of("security").signer())
        assert verify(signed, keys, at=AT).holders == ("outside", "security")

    def test_the_library_reads_what_we_write(self, office):
        from securesystemslib.dsse import Envelope

        signed = office.signed(DIRECTIVE, "cio")
        theirs = Envelope.from_dict(raw(signed))
        assert theirs.payload == base64.standard_b64decode(signed.envelope["payload"])
        assert theirs.pae() == by_hand(theirs.payload)
        assert list(theirs.signatures) == [office.pair_of("cio").id]


class TestRoundTrip:
    def test_a_file_gives_the_document_back(self, office, tmp_path):
        signed = office.signed(DIRECTIVE, "cio", "legal")
        path = tmp_path / "directive.dsse.json"
        path.write_bytes(envelope_bytes(signed))
        assert is_envelope(path)
        assert read_envelope(path) == signed
        assert signed.of == digest(DIRECTIVE)
        assert signed.of_kind == "proscribe.directive"
        assert document_of(read_envelope(path), Directive) == DIRECTIVE
        assert statement_of(signed).prepared_by == "analyst"

    def test_another_kind_is_refused(self, office):
        with pytest.raises(InvalidDocument):
            document_of(office.signed(DIRECTIVE), KeyList)

    def test_a_seat_that_signs_twice_has_one_signature(self, office):
        assert len(office.signed(DIRECTIVE, "cio", "cio").envelope["signatures"]) == 1

    def test_copies_are_merged(self, office):
        both = merge(office.signed(DIRECTIVE, "cio"), office.signed(DIRECTIVE, "legal"))
        assert both == office.signed(DIRECTIVE, "cio", "legal")

    def test_different_documents_are_not_merged(self, office):
        with pytest.raises(InvalidEnvelope, match="different documents"):
            merge(office.signed(DIRECTIVE, "cio"), office.signed(replace(DIRECTIVE, version=99), "legal"))

    @pytest.mark.parametrize("seat", ["CIO", "cio ", "", "сio", "a" * 65, "-cio", "cio\n", "Jane Doe"])
    def test_a_seat_has_one_spelling(self, seat):
        with pytest.raises(InvalidSeat) as caught:
            prepare(DIRECTIVE, by=seat, at=AT)
        assert caught.value.code == "trust.seat"


class TestChanged:
    """An attacker with the file."""

    def test_every_byte_of_an_envelope_counts(self, office):
        document = Note(text="Interdire l'application é")
        content = envelope_bytes(office.signed(document, "cio", "legal"))
        keys = office.keys()
        assert verify(envelope_of(content), keys, at=AT).holders == ("cio", "legal")
        for position in range(len(content)):
            for mask in (0x01, 0x20, 0x80):
                changed = bytearray(content)
                changed[position] ^= mask
                with pytest.raises(TrustError):
                    verify(envelope_of(bytes(changed)), keys, at=AT)

    def test_with_signatures_to_spare_a_flip_never_changes_the_document(self, office):
        content = envelope_bytes(office.signed(Note(text="x"), "cio", "security", "legal"))
        genuine = envelope_of(content)
        refused = 0
        for position in range(len(content)):
            changed = bytearray(content)
            changed[position] ^= 0x01
            try:
                found = envelope_of(bytes(changed))
                verify(found, office.keys(), at=AT)
            except TrustError:
                refused += 1
            else:  # only the name of a key can change, and then that signature no longer counts
                assert found.of == genuine.of
                assert found.envelope["payload"] == genuine.envelope["payload"]
                assert [one["sig"] for one in found.envelope["signatures"]] == [
                    one["sig"] for one in genuine.envelope["signatures"]
                ]
        assert len(content) - refused == 3 * 64  # the characters of three key ids

    def test_a_changed_signature_is_its_own_error_even_with_others_enough(self, office):
        signed = office.signed(DIRECTIVE, "cio", "security", "legal")
        first = signed.envelope["signatures"][0]
        changed = bytearray(base64.standard_b64decode(first["sig"]))
        changed[5] ^= 1
        first["sig"] = base64.standard_b64encode(bytes(changed)).decode()
        with pytest.raises(SignatureRefused) as caught:
            verify(signed, office.keys(), at=AT)
        assert caught.value.code == "trust.bad-signature"

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text.replace('{"payload"', '{"payloadType":"application/x","payload"', 1),
            lambda text: text.replace('{"keyid"', '{"keyid":"00","keyid"', 1),
            lambda text: text.replace('{"payload"', '{"note":"","payload"', 1),
            lambda text: text.replace('{"keyid"', '{"note":"","keyid"', 1),
            lambda text: "[" + text + "]",
            lambda text: text[:-1],
            lambda text: text.replace(":", ":NaN,", 1),
            lambda text: "{}",
            lambda text: "\ufeff" + text,
            lambda text: "[" * 100_000,
            lambda text: text.replace(PAYLOAD_TYPE, "application/vnd.in-toto+json"),
            lambda text: text.replace('"signatures":[', '"signatures":[[],', 1),
            lambda text: text.replace('"signatures":[', '"signatures":[{"keyid":1,"sig":""},', 1),
        ],
    )
    def test_what_has_two_readings_has_none(self, office, change):
        text = envelope_bytes(office.signed(DIRECTIVE, "cio", "legal")).decode()
        changed = change(text)
        assert changed != text
        with pytest.raises(InvalidEnvelope) as caught:
            envelope_of(changed.encode())
        assert caught.value.code == "trust.envelope"

    def test_two_signatures_of_one_key_are_refused(self, office):
        body = raw(office.signed(DIRECTIVE, "cio"))
        body["signatures"] *= 2
        with pytest.raises(InvalidEnvelope, match="two signatures"):
            envelope_of(json.dumps(body).encode())

    def test_bits_left_over_in_base64_are_refused(self, office):
        body = raw(office.signed(Note(text="leftover"), "cio"))
        sig = body["signatures"][0]["sig"]
        assert sig.endswith("==")
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        body["signatures"][0]["sig"] = sig[:-3] + alphabet[alphabet.index(sig[-3]) ^ 1] + "=="
        assert base64.b64decode(body["signatures"][0]["sig"]) == base64.b64decode(sig)
        with pytest.raises(InvalidEnvelope, match="base64"):
            envelope_of(json.dumps(body).encode())

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda payload: payload.replace(b'{"document"', b'{ "document"', 1),
            lambda payload: payload.replace(b'"amount":1', b'"amount":1.0', 1),
            lambda payload: payload.replace(b'"amount":1', b'"amount":1e0', 1),
            lambda payload: payload.replace(b'"amount":1', b'"amount":99999999999999999999', 1),
            lambda payload: payload.replace(b'"text":"x"', b'"text":"\\u0078"', 1),
            lambda payload: payload.replace(b'"text":"x"', b'"text":"\\ud800"', 1),
            lambda payload: payload.replace(b"13:00:00Z", b"13:00:00+00:00", 1),
            lambda payload: payload.replace(b"13:00:00Z", b"13:00:00.000Z", 1),
        ],
    )
    def test_signed_bytes_that_are_not_canonical_are_refused(self, spoil):
        signed = prepare(Note(text="x"), by="analyst", at=AT)
        payload = base64.standard_b64decode(signed.envelope["payload"])
        spoilt = spoil(payload)
        assert spoilt != payload
        with pytest.raises(NotCanonical) as caught:
            envelope_of(with_payload(signed, spoilt))
        assert caught.value.code == "trust.not-canonical"

    def test_a_field_given_twice_in_the_payload_is_refused(self):
        signed = prepare(Note(text="x"), by="analyst", at=AT)
        payload = base64.standard_b64decode(signed.envelope["payload"])
        with pytest.raises(InvalidEnvelope, match="twice"):
            envelope_of(with_payload(signed, payload.replace(b'{"amount":1', b'{"amount":5,"amount":1', 1)))

    def test_a_default_left_out_is_refused(self):
        # Reads as the same Note, and its digest is another: two documents under one signature.
        signed = prepare(Note(text="x"), by="analyst", at=AT)
        payload = base64.standard_b64decode(signed.envelope["payload"])
        loose = envelope_of(with_payload(signed, payload.replace(b'"amount":1,', b"", 1)))
        with pytest.raises(NotCanonical):
            document_of(loose, Note)

    def test_a_prepared_by_that_is_no_seat_is_refused(self):
        signed = prepare(Note(text="x"), by="analyst", at=AT)
        payload = base64.standard_b64decode(signed.envelope["payload"])
        with pytest.raises(InvalidSeat):
            envelope_of(with_payload(signed, payload.replace(b'"analyst"', b'"Analyst"')))

    def test_what_is_said_outside_must_be_what_is_inside(self, office):
        signed = office.signed(DIRECTIVE, "cio", "legal")
        other = digest(replace(DIRECTIVE, version=99))
        for lie in (replace(signed, of=other), replace(signed, of_kind="proscribe.plan")):
            with pytest.raises(InvalidEnvelope, match="another"):
                verify(lie, office.keys(), at=AT)
            with pytest.raises(InvalidEnvelope):
                sign(lie, office.pair_of("security").signer())

    def test_a_document_without_a_kind_is_none(self):
        statement = to_json(statement_of(prepare(Note(text="x"), by="analyst", at=AT)))
        statement["document"] = {"text": "x"}
        payload = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()
        with pytest.raises(InvalidEnvelope, match="no document"):
            envelope_of(json.dumps(dsse.sealed(payload, PAYLOAD_TYPE)).encode())

    def test_a_flood_is_refused(self, office, tmp_path, monkeypatch):
        path = tmp_path / "large.dsse.json"
        path.write_bytes(envelope_bytes(office.signed(DIRECTIVE, "cio")))
        monkeypatch.setattr(dsse, "MOST_BYTES", 100)
        with pytest.raises(InvalidEnvelope, match="larger"):
            read_envelope(path)

    def test_too_many_signatures_are_refused(self):
        many = {f"{number:064x}": b"x" for number in range(dsse.MOST_SIGNATURES + 1)}
        with pytest.raises(InvalidEnvelope):
            dsse.open_envelope(dsse.sealed(b"{}", PAYLOAD_TYPE, many))

    def test_a_missing_file_says_so(self, tmp_path: Path):
        with pytest.raises(UnreadableFile):
            read_envelope(tmp_path / "nothing.dsse.json")
        assert not is_envelope(tmp_path / "nothing.dsse.json")


def test_the_bare_envelope_is_canonical_json(office):
    signed = office.signed(DIRECTIVE, "cio", "legal")
    content = envelope_bytes(signed)
    assert content == json.dumps(raw(signed), sort_keys=True, separators=(",", ":")).encode()
    assert to_bytes(signed) != content  # the store's wrapping is not what leaves

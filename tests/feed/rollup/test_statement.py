"""The attestation as an in-toto Statement: what any tool reads, and what only the strict reader takes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from securesystemslib.dsse import Envelope
from tests.feed.rollup.conftest import START, Department

from proscribe.canonical import canonical_bytes
from proscribe.documents import digest, to_json
from proscribe.errors import InvalidDocument
from proscribe.feed import statement
from proscribe.feed.model import Attestation
from proscribe.trust import dsse
from proscribe.trust.envelope import envelope_bytes, statement_of
from proscribe.trust.errors import InvalidEnvelope, InvalidSeat, NotCanonical
from proscribe.trust.keys import new_pair
from proscribe.trust.model import Scheme, SignedDocument


@pytest.fixture
def attestation(department: Department) -> Attestation:
    return department.attestations[-1]


@pytest.fixture
def signed(attestation: Attestation) -> SignedDocument:
    prepared = statement.prepare(attestation, by="tides/mobility", at=START)
    return statement.sign(prepared, new_pair(Scheme.ecdsa_p256).signer())


def test_it_has_the_shape_that_in_toto_asks_for(attestation: Attestation) -> None:
    """spec/v1/statement.md: four fields, each subject with a name and at least one digest in lower-case hex."""
    body = statement.statement(attestation, by="tides/mobility", at=START)
    assert set(body) == {"_type", "subject", "predicateType", "predicate"}
    assert body["_type"] == "https://in-toto.io/Statement/v1"
    assert body["predicateType"].startswith("https://")
    names = [subject["name"] for subject in body["subject"]]
    assert len(set(names)) == len(names) == 2
    for subject in body["subject"]:
        assert set(subject["digest"]) == {"sha256"}
        assert len(bytes.fromhex(subject["digest"]["sha256"])) == 32
    assert {f"sha256:{subject['digest']['sha256']}" for subject in body["subject"]} == {
        attestation.directive_digest,
        attestation.proof,
    }


def test_a_tool_that_knows_nothing_of_us_verifies_and_reads_it(signed: SignedDocument) -> None:
    pair = new_pair(Scheme.ed25519)
    signed = statement.sign(signed, pair.signer())
    envelope = Envelope.from_dict(json.loads(envelope_bytes(signed)))
    accepted = envelope.verify([pair.signer().public_key], 1)
    assert set(accepted) == {pair.id}
    assert envelope.payload_type == "application/vnd.in-toto+json"
    assert len(envelope.signatures) == 2
    assert json.loads(envelope.payload)["predicate"]["attestation"]["department"] == "tides"


def test_it_comes_back_as_it_was(signed: SignedDocument, attestation: Attestation) -> None:
    again = statement.envelope_of(envelope_bytes(signed))
    assert again == signed
    read, predicate = statement.read(again)
    assert (read, predicate.prepared_by, predicate.prepared_at) == (attestation, "tides/mobility", START)
    assert again.of == digest(attestation)
    assert statement.is_statement(again.envelope)


def test_it_is_not_mistaken_for_a_statement_of_ours(signed: SignedDocument) -> None:
    with pytest.raises(InvalidEnvelope):
        statement_of(signed)


Change = Callable[[dict[str, Any]], None]


def resealed(signed: SignedDocument, change: Change, form: Callable[[Any], bytes] = canonical_bytes) -> bytes:
    body = json.loads(base64.b64decode(signed.envelope["payload"]))
    change(body)
    return canonical_bytes(dsse.sealed(form(body), statement.PAYLOAD_TYPE))


def change_field(name: str, value: object) -> Change:
    return lambda body: body.update({name: value})


def drop_subject(body: dict[str, Any]) -> None:
    body["subject"].pop()


def other_subject(body: dict[str, Any]) -> None:
    body["subject"][1]["digest"]["sha256"] = "0" * 64


def other_attestation(body: dict[str, Any]) -> None:
    body["predicate"]["attestation"]["department"] = "charts"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (change_field("extra", 1), InvalidEnvelope),
        (change_field("_type", "https://in-toto.io/Statement/v0.1"), InvalidEnvelope),
        (change_field("predicateType", "https://slsa.dev/provenance/v1"), InvalidEnvelope),
        (drop_subject, InvalidEnvelope),
        (other_subject, InvalidEnvelope),
        (other_attestation, InvalidEnvelope),
        (lambda body: body["predicate"].update(remark="x"), InvalidDocument),
        (lambda body: body["predicate"]["attestation"].update(remark="x"), InvalidDocument),
        (lambda body: body["predicate"].update(prepared_by="Tides CIO"), InvalidSeat),
        (lambda body: body["predicate"].update(prepared_at="2026-11-02T14:00:00+01:00"), NotCanonical),
        (lambda body: body["predicate"]["attestation"].pop("together"), NotCanonical),
    ],
)
def test_anything_else_in_it_is_refused(signed: SignedDocument, change: Change, error: type[Exception]) -> None:
    with pytest.raises(error):
        statement.envelope_of(resealed(signed, change))


def test_another_form_of_the_same_bytes_is_refused(signed: SignedDocument) -> None:
    assert statement.envelope_of(resealed(signed, lambda _: None)).of == signed.of
    with pytest.raises(NotCanonical):
        statement.envelope_of(resealed(signed, lambda _: None, lambda body: json.dumps(body).encode()))


def test_what_is_said_outside_must_be_what_is_inside(signed: SignedDocument, department: Department) -> None:
    other = digest(department.attestations[0])
    with pytest.raises(InvalidEnvelope):
        statement.sign(SignedDocument(other, signed.of_kind, signed.envelope), new_pair(Scheme.ed25519).signer())


def test_something_else_is_no_statement(attestation: Attestation) -> None:
    for payload, kind in (
        (b"[]", statement.PAYLOAD_TYPE),
        (b"{}", statement.PAYLOAD_TYPE),
        (canonical_bytes(to_json(attestation)), "text/plain"),
    ):
        with pytest.raises(InvalidEnvelope):
            statement.envelope_of(canonical_bytes(dsse.sealed(payload, kind)))

"""Events of NanoMDM's webhook: genuine ones are read, others are told apart."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.connectors.nanomdm.telling import KEY, PHONE, START, TOKEN_UPDATE, event, idle, signed, token_update

from proscribe.connectors.nanomdm.events import BadEvent, Topic, authentic, message_id, read_event, storable
from proscribe.connectors.nanomdm.model import Kind


def _module() -> Path | None:
    """NanoMDM's own source, where Go has it."""
    try:
        found = subprocess.run(["go", "env", "GOMODCACHE"], check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    folder = Path(os.fsdecode(found)) / "github.com/micromdm/nanomdm@v0.9.0/service/webhook"
    return folder if folder.is_dir() else None


SOURCE = _module()
needs_source = pytest.mark.skipif(SOURCE is None, reason="NanoMDM's source is not in Go's module cache")


def _changed(body: bytes, **changes: Any) -> bytes:
    return json.dumps({**json.loads(body), **changes}).encode()


def _part(body: bytes, **changes: Any) -> bytes:
    found = json.loads(body)
    return json.dumps({**found, "acknowledge_event": {**found["acknowledge_event"], **changes}}).encode()


def test_a_signature_is_what_gos_hmac_and_base64_make_of_the_body() -> None:
    # RFC 4231, test case 2.
    digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    header = base64.b64encode(bytes.fromhex(digest))
    assert authentic(b"what do ya want for nothing?", header, b"Jefe")
    assert not authentic(b"what do ya want for nothing!", header, b"Jefe")
    assert not authentic(b"what do ya want for nothing?", header, b"jefe")


@pytest.mark.parametrize(
    "header",
    [b"", b"=", b"\xff\xfe", hmac.digest(KEY, b"body", "sha256").hex().encode(), hmac.digest(KEY, b"body", "sha256")],
)
def test_anything_else_is_no_signature(header: bytes) -> None:
    assert not authentic(b"body", header, KEY)


@given(st.binary(max_size=200), st.integers(min_value=0))
def test_one_changed_bit_spoils_the_signature(body: bytes, place: int) -> None:
    header = signed(body).encode()
    assert authentic(body, header, KEY)
    if body:
        bit = place % (8 * len(body))
        changed = bytearray(body)
        changed[bit // 8] ^= 1 << bit % 8
        assert not authentic(bytes(changed), header, KEY)


@needs_source
@pytest.mark.parametrize(("name", "topic"), [("Authenticate.2", Topic.authenticate), ("DeviceInformation.1", "x")])
def test_nanomdms_own_test_data_is_read(name: str, topic: Topic | str) -> None:
    assert SOURCE is not None
    body = (SOURCE / "testdata" / f"{name}.json").read_bytes()
    found = read_event(body)
    assert found.device == json.loads(body).get("acknowledge_event", json.loads(body).get("checkin_event"))["ids"]["id"]
    assert found.topic is (topic if topic != "x" else Topic.connect)
    assert found.payload.startswith(b"<?xml")


@needs_source
def test_topics_and_kinds_are_those_of_nanomdms_schema() -> None:
    assert SOURCE is not None
    schema = json.loads((SOURCE / "event.json").read_text("utf-8"))
    assert {topic.value for topic in Topic} == set(schema["properties"]["topic"]["enum"])
    assert {kind.value for kind in Kind} == set(schema["$defs"]["IDs"]["properties"]["type"]["enum"])


@needs_source
def test_the_events_of_these_tests_are_of_nanomdms_schema() -> None:
    import jsonschema

    assert SOURCE is not None
    schema = json.loads((SOURCE / "event.json").read_text("utf-8"))
    for body in (idle(START), token_update(START)):
        jsonschema.validate(json.loads(body), schema)


def test_every_field_of_an_answer_is_read() -> None:
    body = event("Connect", START + timedelta(microseconds=7), b"<plist/>", status="NotNow", command_uuid="A-B")
    found = read_event(body)
    assert found.topic is Topic.connect
    assert found.at == START + timedelta(microseconds=7)
    assert (found.device, found.kind, found.udid) == (PHONE, Kind.device, PHONE)
    assert (found.status, found.command, found.payload) == ("NotNow", "A-B", b"<plist/>")


def test_a_time_of_another_zone_is_brought_to_utc() -> None:
    found = read_event(_changed(idle(START), created_at="2026-11-22T07:00:00.123456789-05:00"))
    assert found.at == datetime(2026, 11, 22, 12, 0, 0, 123457, tzinfo=UTC)  # the nearest microsecond


def test_what_the_schema_does_not_name_is_passed_over() -> None:
    assert read_event(_changed(idle(START), more={"of": ["it", 1, None]})).status == "Idle"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe\x00",
        idle(START)[:-2],
        b"[" * 100_000,
        b'{"a":' * 100_000,
        _changed(idle(START), topic="mdm.Sudo"),
        _changed(idle(START), topic=7),
        _changed(idle(START), created_at="yesterday"),
        _changed(idle(START), created_at="2026-11-22T12:00:00"),
        _changed(idle(START), created_at="0001-01-01T00:00:00+12:00"),
        _changed(idle(START), acknowledge_event=None),
        _changed(idle(START), topic="mdm.Authenticate"),
        _part(idle(START), ids=None),
        _part(idle(START), ids={"id": "", "type": "Device"}),
        _part(idle(START), ids={"id": "a\u0000b", "type": "Device"}),
        _part(idle(START), ids={"id": "a" * 129, "type": "Device"}),
        _part(idle(START), ids={"id": "a", "type": "Toaster"}),
        _part(idle(START), raw_payload="no base64!"),
        _part(idle(START), raw_payload=None),
        _part(idle(START), status=["Idle"]),
        _part(idle(START), command_uuid="x\n"),
        _part(idle(START), udid="\ud800"),
    ],
    ids=range(25),
)
def test_anything_else_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(BadEvent) as refused:
        read_event(body)
    assert refused.value.reason == "shape"


@given(st.binary(max_size=300))
def test_no_body_makes_it_fail_in_another_way(body: bytes) -> None:
    with pytest.raises(BadEvent):
        read_event(body)


def test_a_replay_has_the_same_id_and_another_event_of_the_same_words_has_not() -> None:
    body = idle(START)
    assert message_id(body) == hashlib.sha256(body).hexdigest()
    # NanoMDM draws event_id anew for each HTTP request, and stamps nanoseconds.
    assert message_id(body) != message_id(idle(START))


def test_the_keys_of_a_device_are_not_stored() -> None:
    body = token_update(START)
    kept = storable(body, read_event(body))
    sent = base64.b64decode(json.loads(body)["checkin_event"]["raw_payload"])
    assert b"PUSHMAGIC" in sent
    assert base64.b64encode(TOKEN_UPDATE["UnlockToken"]) in sent
    assert b'raw_payload":""' in kept
    assert len(kept) < 300
    again = read_event(kept)
    assert again == replace(read_event(body), payload=b"")


def test_other_events_are_stored_as_they_came() -> None:
    body = idle(START)
    assert storable(body, read_event(body)) is body


def test_topics_with_secrets_that_nobody_needs_are_of_no_use() -> None:
    assert {topic.short for topic in Topic if not topic.of_use} == {
        "UserAuthenticate",
        "SetBootstrapToken",
        "GetBootstrapToken",
        "GetToken",
    }

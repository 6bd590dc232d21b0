"""Enrolment and what comes after it: identities, generations, locked phones, people who leave."""

from __future__ import annotations

import base64
import plistlib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from tests.connectors.nanomdm.servers import _launch
from tests.simulate.apple.conftest import Organisation

from proscribe.simulate.apple import (
    App,
    CertificateAuthority,
    MdmEndpoint,
    Person,
    Phone,
    PhoneSpec,
    Refused,
)
from proscribe.simulate.apple.commands import EVEN_LOCKED
from proscribe.terms import Enrolment

Make = Callable[..., PhoneSpec]

WECHAT = App("com.tencent.xin", "WeChat")
MAIL = App("org.lighthouses.mail", managed=True)


def test_a_signature_holds_for_its_body_alone(authority: CertificateAuthority, tmp_path: Path) -> None:
    identity = authority.issue("a phone")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    (tmp_path / "signature").write_bytes(base64.b64decode(identity.signature(b"what it says")))

    def verified(body: bytes) -> bool:
        (tmp_path / "body").write_bytes(body)
        command = (
            f"openssl cms -verify -inform DER -in {tmp_path}/signature -content {tmp_path}/body -binary "
            f"-CAfile {tmp_path}/ca.pem -purpose sslclient -out {tmp_path}/out"
        )
        return subprocess.run(command.split(), capture_output=True, check=False).returncode == 0

    assert verified(b"what it says")
    assert not verified(b"what it says!")


def test_enrolment_says_what_the_class_allows(mdm: Organisation, spec: Make) -> None:
    company, own = mdm.phone(spec()), mdm.phone(spec("18.5", Enrolment.user_enrolment))
    said = {(message["MessageType"], message.get("UDID")): message for message in mdm.phones.check_ins()}
    assert said["Authenticate", company.spec.udid]["SerialNumber"] == company.spec.serial
    assert said["TokenUpdate", company.spec.udid]["UnlockToken"]
    for kind in ("Authenticate", "TokenUpdate"):
        message = said[kind, None]
        assert message["EnrollmentID"] == own.id
        assert own.spec.udid not in str(message)
        assert own.spec.serial not in str(message)


def test_a_strange_authority_is_refused(mdm: Organisation, spec: Make) -> None:
    with MdmEndpoint(mdm.phones.url, CertificateAuthority.create()) as endpoint:
        with pytest.raises(Refused) as refused:
            Phone(spec()).enrol(endpoint)
        assert refused.value.status == 400


def test_a_phone_needs_somewhere_to_enrol(spec: Make) -> None:
    with pytest.raises(ValueError, match="endpoint"):
        Phone(spec()).enrol()


@pytest.mark.servers
@pytest.mark.parametrize("header", ["", "X-Client-Cert"])
def test_the_real_server_takes_signatures_and_certificates_in_a_header(
    authority: CertificateAuthority, tmp_path: Path, spec: Make, header: str
) -> None:
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    arguments = [f"-ca={tmp_path}/ca.pem", "-storage=inmem", "-storage-dsn=", f"-cert-header={header}"]
    server = _launch("nanomdm", lambda _: arguments, {"NANOMDM_API": "n"}, tmp_path)
    try:
        with MdmEndpoint(f"{server.endpoint}/mdm", authority, cert_header=header) as endpoint:
            phone = Phone(spec())
            phone.enrol(endpoint)
            assert phone.check_in() == ()
            endpoint.cert_header = "" if header else "X-Client-Cert"
            with pytest.raises(Refused):
                Phone(spec()).enrol(endpoint)
    finally:
        server.stop()


def test_a_kept_connection_may_have_been_hung_up(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec())
    for connection in mdm.phones._idle:
        assert connection.sock is not None
        connection.sock.shutdown(2)
    assert mdm.ask(phone, "ProfileList")["Status"] == "Acknowledged"


def test_information_is_told_as_asked(mdm: Organisation, spec: Make) -> None:
    queries = ["UDID", "SerialNumber", "DeviceName", "OSVersion", "ProductName", "Model", "IsSupervised", "EthernetMAC"]
    company = mdm.phone(spec("26.1", product="iPad13,18"))
    told = mdm.ask(company, "DeviceInformation", Queries=queries)["QueryResponses"]
    assert told == {
        "UDID": company.spec.udid,
        "SerialNumber": company.spec.serial,
        "DeviceName": company.spec.name,
        "OSVersion": "26.1",
        "ProductName": "iPad13,18",
        "Model": "MPQ03",
        "IsSupervised": True,
    }
    own = mdm.phone(spec("18.5", Enrolment.user_enrolment))
    told = mdm.ask(own, "DeviceInformation", Queries=queries)["QueryResponses"]
    assert told.keys().isdisjoint({"UDID", "SerialNumber"})
    assert told["IsSupervised"] is False


@pytest.mark.parametrize("enrolment", [Enrolment.supervised, Enrolment.unsupervised, Enrolment.user_enrolment])
def test_everything_there_is_may_be_asked_of_any_class(mdm: Organisation, spec: Make, enrolment: Enrolment) -> None:
    phone = mdm.phone(spec("18.5", enrolment))
    queries = [*Phone(spec()).device.information(), "Price"]
    told = mdm.ask(phone, "DeviceInformation", Queries=queries)["QueryResponses"]
    assert told == phone.device.information()  # and whether the schema lets it be asked is seen at the end


def test_a_locked_phone_says_not_now_and_is_asked_again(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("26.1", Enrolment.supervised, WECHAT, person=Person(locked_for=1)))
    mdm.queue(phone, "InstalledApplicationList")
    removal = mdm.queue(phone, "RemoveApplication", Identifier=WECHAT.id)
    said = [(item.request_type, item.status) for item in phone.check_in()]
    assert said == [("InstalledApplicationList", "Acknowledged"), ("RemoveApplication", "NotNow")]
    assert WECHAT.id in phone.installed()
    again = phone.check_in()
    assert [(item.uuid, item.status) for item in again] == [(removal, "Acknowledged")]
    assert WECHAT.id not in phone.installed()
    assert [item.status for item in phone.answers] == ["Acknowledged", "NotNow", "Acknowledged"]


@pytest.mark.parametrize(
    "kind",
    [
        "InstallProfile", "RemoveProfile", "InstallApplication", "ManagedApplicationList", "RemoveApplication",
        "DeclarativeManagement", "DeviceInformation", "ProfileList", "InstalledApplicationList",
    ],
)  # fmt: skip
def test_what_a_locked_phone_answers(mdm: Organisation, spec: Make, kind: str) -> None:
    phone = mdm.phone(spec())
    phone.lock()
    answered = mdm.ask(phone, kind, Queries=["UDID"])["Status"]
    assert (answered == "NotNow") is (kind not in EVEN_LOCKED)
    phone.unlock()
    phone.check_in()
    assert "NotNow" not in {item.status for item in phone.answers[1:]}


def test_an_unknown_command(mdm: Organisation, spec: Make) -> None:
    answer = mdm.ask(mdm.phone(spec()), "PlayMusic")
    assert (answer["Status"], answer["ErrorChain"][0]["ErrorCode"]) == ("Error", 12021)
    answer = mdm.ask(mdm.phone(spec("14.8")), "DeclarativeManagement")
    assert (answer["Status"], answer["ErrorChain"][0]["ErrorCode"]) == ("Error", 12021)


def profile(identifier: str) -> bytes:
    return plistlib.dumps(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": identifier,
            "PayloadUUID": "0E3A8CC4-2F8A-4E5D-9B5E-4E21B0B6A0D1",
            "PayloadContent": [],
        }
    )


def test_a_wiped_phone_enrols_anew(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("18.5", Enrolment.supervised, WECHAT, MAIL))
    mdm.ask(phone, "InstallProfile", Payload=profile("org.lighthouses.limits"))
    first, before = phone.identity, len(mdm.phones.check_ins())
    mdm.queue(phone, "RemoveApplication", Identifier=MAIL.id)
    phone.wipe(restore=True)
    assert phone.check_in() == ()
    assert len(mdm.phones.check_ins()) == before, "an erased phone says nothing"
    assert {WECHAT.id, MAIL.id} & phone.installed() == {WECHAT.id}
    phone.enrol()
    assert (phone.generation, phone.id) == (2, phone.spec.udid)
    assert phone.identity is not None
    assert first is not None
    assert phone.identity.certificate != first.certificate
    assert phone.check_in() == (), "the server drops what it had queued before"
    told = mdm.ask(phone, "ProfileList")["ProfileList"]
    assert [item["PayloadIdentifier"] for item in told] == ["org.lighthouses.enrolment"]
    phone.wipe()
    assert WECHAT.id not in phone.installed()


def test_user_enrolment_has_another_name_every_time(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("18.5", Enrolment.user_enrolment, MAIL, WECHAT))
    first = phone.id
    phone.check_out()
    assert phone.installed().isdisjoint({MAIL.id})
    assert WECHAT.id in phone.installed()
    phone.enrol()
    mdm.enrolled[phone.id] = phone
    assert phone.id != first
    assert mdm.ask(phone, "ProfileList")["EnrollmentID"] == phone.id


def test_a_phone_that_checked_out_is_gone(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("18.5", Enrolment.supervised, MAIL, person=Person(leaves_at=2)))
    mdm.ask(phone, "InstallProfile", Payload=profile("org.lighthouses.limits"))
    mdm.queue(phone, "ProfileList")
    assert phone.check_in() == ()
    assert mdm.phones.check_ins()[-1]["MessageType"] == "CheckOut"
    assert not phone.enrolled
    assert phone.device.profiles == {}
    assert MAIL.id not in phone.installed()
    assert phone.check_in() == ()


def test_a_phone_is_offline_for_a_time(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec(person=Person(offline_from=1, offline_for=2)))
    mdm.queue(phone, "ProfileList")
    assert [len(phone.check_in()) for _ in range(4)] == [0, 0, 1, 0]
    phone.online = False
    mdm.queue(phone, "ProfileList")
    assert phone.check_in() == ()
    phone.online = True
    assert len(phone.check_in()) == 1


def test_an_app_comes_back_as_often_as_the_person_cares(mdm: Organisation, spec: Make) -> None:
    person = Person(reinstalls_after=2, reinstalls=1)
    phone = mdm.phone(spec("26.1", Enrolment.supervised, WECHAT, person=person))
    mdm.ask(phone, "RemoveApplication", Identifier=WECHAT.id)
    there = []
    for _ in range(4):
        phone.check_in()
        there.append(WECHAT.id in phone.installed())
    assert there == [False, False, True, True]
    mdm.ask(phone, "RemoveApplication", Identifier=WECHAT.id)
    for _ in range(4):
        phone.check_in()
    assert WECHAT.id not in phone.installed()


def test_habits_that_change_the_phone(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("26.1", person=Person(upgrades_at=2, upgrades_to="27.0", wiped_at=3)))
    told = [mdm.ask(phone, "DeviceInformation", Queries=["OSVersion"])["QueryResponses"]["OSVersion"] for _ in range(2)]
    assert told == ["26.1", "27.0"]
    assert phone.os == "27.0"
    mdm.queue(phone, "ProfileList")
    assert phone.check_in() == ()
    assert (phone.generation, phone.enrolled) == (2, True)


def test_a_queue_that_never_ends_does_not_hang_a_rehearsal(spec: Make, authority: CertificateAuthority) -> None:
    class Endless(MdmEndpoint):
        def put(self, body: bytes, content_type: str, identity: object) -> bytes:
            return plistlib.dumps({"CommandUUID": "1", "Command": {"RequestType": "ProfileList"}})

    phone = Phone(replace(spec(), name="Busy"))
    phone.enrol(Endless("http://127.0.0.1:1/mdm", authority))
    with pytest.raises(RuntimeError, match="does not end"):
        phone.check_in()


def test_a_server_that_is_away_is_an_error_of_its_own(spec: Make, authority: CertificateAuthority) -> None:
    with MdmEndpoint("https://127.0.0.1:9/mdm", authority, timeout=2) as endpoint, pytest.raises(OSError, match=r"."):
        Phone(spec()).enrol(endpoint)


def test_the_certificate_in_a_header_is_the_phone_s(authority: CertificateAuthority) -> None:
    identity = authority.issue("a phone")
    header = identity.header()
    assert (header[0], header[-1]) == (":", ":")
    assert base64.b64decode(header[1:-1]) == identity.certificate.public_bytes(Encoding.DER)

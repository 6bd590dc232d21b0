"""The check of what phones say finds what it is there to find."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from tests.simulate.apple.saying import answer_faults, check_in_faults

from proscribe.simulate.apple import Phone, PhoneSpec
from proscribe.terms import Enrolment

Json = dict[str, Any]

SPEC = PhoneSpec("00008110-0000000000000001", "NL1", os="16.7")
OWN = PhoneSpec("00008110-0000000000000002", "NL2", os="16.7", enrolment=Enrolment.user_enrolment)

AUTHENTICATE = {"MessageType": "Authenticate", "Topic": "com.apple.mgmt.x", "UDID": SPEC.udid, "OSVersion": "16.7"}
LIST = {"RequestType": "InstalledApplicationList"}
LISTED: Json = {
    "Status": "Acknowledged",
    "CommandUUID": "1",
    "UDID": SPEC.udid,
    "InstalledApplicationList": [{"Identifier": "a", "IsAppClip": False}],
}
REFUSED: Json = {
    "Status": "Error",
    "CommandUUID": "1",
    "UDID": SPEC.udid,
    "ErrorChain": [{"ErrorCode": 1, "ErrorDomain": "d", "LocalizedDescription": "t", "USEnglishDescription": "t"}],
}


def test_what_is_right_passes() -> None:
    phone = Phone(SPEC)
    assert check_in_faults(AUTHENTICATE, phone) == []
    assert answer_faults(LISTED, LIST, phone) == []
    assert answer_faults(REFUSED, LIST, phone) == []
    assert answer_faults({"Status": "Idle", "UDID": SPEC.udid}, None, phone) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"DeviceName": "Phone"}, "not for iOS"),
        ({"Topic": 7}, "<string>"),
        ({"SecretKey": "x"}, "no such key"),
        ({"EnrollmentID": "E"}, "not known by"),
    ],
)
def test_a_wrong_check_in_is_found(change: Json, found: str) -> None:
    assert found in str(check_in_faults(AUTHENTICATE | change, Phone(SPEC)))


def test_what_user_enrolment_forbids_is_found() -> None:
    assert "forbidden" in str(check_in_faults(AUTHENTICATE | {"SerialNumber": "NL2"}, Phone(OWN)))


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        (("Status",), "Done", "Status"),
        (("InstalledApplicationList", 0, "IsAppClip"), "no", "<boolean>"),
        (("InstalledApplicationList", 0, "Source"), "Declarative Device Management", "only from 17.2"),
        (("InstalledApplicationList", 0, "Price"), 3, "no such key"),
        (("ErrorChain",), [], "ErrorChain"),
    ],
)
def test_a_wrong_answer_is_found(path: tuple[Any, ...], value: object, found: str) -> None:
    answer = copy.deepcopy(LISTED)
    place = answer
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert found in str(answer_faults(answer, LIST, Phone(SPEC)))


def test_what_may_not_be_asked_for_is_not_to_be_told() -> None:
    said = {"Status": "Acknowledged", "CommandUUID": "1", "EnrollmentID": "E", "QueryResponses": {"SerialNumber": "S"}}
    assert answer_faults(said, {"RequestType": "DeviceInformation"}, Phone(OWN))


def test_a_wrong_error_is_found() -> None:
    chain = [{"ErrorCode": "12", "ErrorDomain": "d", "LocalizedDescription": "t", "USEnglishDescription": "t"}]
    assert "ErrorChain" in str(answer_faults(REFUSED | {"ErrorChain": chain}, LIST, Phone(SPEC)))


@pytest.mark.parametrize(
    ("item", "found"),
    [
        ({"valid": "perhaps"}, "none of"),
        ({"active": "yes"}, "<boolean>"),
        ({"reasons": [{"code": "Error.Nothing", "details": {}}]}, "no such reason"),
        ({"reasons": [{"code": "Error.ConfigurationNotSupported", "details": {"Price": 1}}]}, "no such key"),
    ],
)
def test_a_wrong_status_is_found(item: Json, found: str) -> None:
    right = {"identifier": "i", "server-token": "t", "active": True, "valid": "valid"}
    lists = {"activations": [], "assets": [], "management": []}

    def message(told: Json) -> Json:
        report = {"StatusItems": {"management": {"declarations": lists | {"configurations": [told]}}}, "Errors": []}
        data = json.dumps(report).encode()
        return {"MessageType": "DeclarativeManagement", "UDID": SPEC.udid, "Endpoint": "status", "Data": data}

    assert check_in_faults(message(right), Phone(SPEC)) == []
    assert found in str(check_in_faults(message(right | item), Phone(SPEC)))

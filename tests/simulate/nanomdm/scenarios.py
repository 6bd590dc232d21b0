"""What is said to both NanoMDMs and both KMFDDMs. A plain module; each function is one conversation."""

from __future__ import annotations

import base64
import plistlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.simulate.nanomdm.exchanges import (
    CHECK_IN,
    COMMAND,
    TOPIC,
    Device,
    Talk,
    command,
    declaration,
    flipped,
    push_certificate,
    rsa_key,
    two_signers,
)

from proscribe.simulate.apple.identity import CertificateAuthority

Scenario = Callable[[Talk], None]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    """Have this run against both."""
    SCENARIOS[function.__name__] = function
    return function


# NanoMDM: administrators ----------------------------------------------------------------------------------------------


@scenario
def keys_and_paths(talk: Talk) -> None:
    for user, key in (
        ("nanomdm", ""),
        ("nanomdm", "wrong"),
        ("kmfddm", talk.site.api_key),
        ("nanomdm", talk.site.api_key),
    ):
        talk.api("PUT", "/v1/enqueue/K1?nopush=1", command(f"K-{user}-{len(key)}"), user=user, key=key)
        talk.api("GET", "/v1/push/K1", user=user, key=key)
    talk.api("GET", "/version", key="")
    for path in ("/", "/v1", "/v1/commands", "/mdm/", "/version/"):
        talk.api("GET", path)


@scenario
def enqueueing(talk: Talk) -> None:
    device = talk.enrol(talk.device("E1"))
    talk.enqueue("E1", "E-1")
    talk.enqueue("E1", "E-1")
    talk.enqueue("NOBODY", "E-1")
    talk.enqueue("NOBODY", "E-2")
    talk.enqueue("E1,NOBODY", "E-3")
    talk.enqueue("E1", "E-4", query="")
    talk.enqueue("E1", "E-4", query="")
    talk.enqueue("NOBODY", "E-5", query="")
    talk.enqueue("E1,NOBODY", "E-6", query="?nopush=")
    talk.api("POST", "/v1/enqueue/E1?nopush=true", command("E-7"))
    talk.api("PUT", "/v1/enqueue/E1?nopush=1")
    talk.api("PUT", "/v1/enqueue/E1")
    talk.api("PUT", "/v1/enqueue/", command("E-8"))
    for body in (b"no plist", b"<plist", plistlib.dumps([1]), plistlib.dumps({"CommandUUID": "E-9"}), command("", "X")):
        talk.api("PUT", "/v1/enqueue/E1?nopush=1", body)
    binary = plistlib.dumps({"CommandUUID": "E-B", "Command": {"RequestType": "ProfileList"}}, fmt=plistlib.FMT_BINARY)
    talk.api("PUT", "/v1/enqueue/NOBODY?nopush=1", binary)
    waiting = talk.connect(device)
    while waiting:
        waiting = talk.connect(device, "Acknowledged", waiting)
    talk.enqueue("E1", "E-1")
    talk.connect(device)


@scenario
def push_certificates(talk: Talk) -> None:
    topic = "com.apple.mgmt.External.another"  # a device with this one would be pushed by way of Apple
    good, other = push_certificate(topic), push_certificate(topic)
    for body in (
        good,
        good,
        push_certificate(""),
        push_certificate("org.example"),
        good.partition(b"-----BEGIN PRIVATE")[0],
        b"".join(good.partition(b"-----BEGIN PRIVATE")[1:]),
        good.partition(b"-----BEGIN PRIVATE")[0] + b"".join(other.partition(b"-----BEGIN PRIVATE")[1:]),
        b"",
        b"no certificate",
    ):
        talk.api("PUT", "/v1/pushcert", body)
    talk.api("PUT", "/v1/pushcert", good, key="wrong")


@scenario
def pushing(talk: Talk) -> None:
    talk.enrol(talk.device("P1"))
    begun = talk.device("P2")
    talk.authenticate(begun)
    for method in ("GET", "PUT"):
        talk.api(method, "/v1/push/P1")
    talk.api("GET", "/v1/push/P2")
    talk.api("GET", "/v1/push/NOBODY")
    talk.api("GET", "/v1/push/P1,NOBODY")
    talk.api("GET", "/v1/push/NOBODY,NEITHER")
    talk.api("GET", "/v1/push/")


# NanoMDM: devices -----------------------------------------------------------------------------------------------------


@scenario
def enrolling(talk: Talk) -> None:
    device = talk.device("D1")
    talk.mdm(device, {"MessageType": "Authenticate", "Topic": TOPIC}, query="?site=north&site=south&empty=")
    talk.token_update(device)
    talk.token_update(device, UnlockToken=b"secret")
    talk.connect(device)
    talk.connect(device, "Acknowledged", "D-0", QueryResponses={"OSVersion": "26.1"})
    talk.mdm(device, {"MessageType": "CheckOut"})
    talk.connect(device)
    talk.authenticate(device)
    talk.token_update(device)
    talk.events(device, 9)


@scenario
def signatures(talk: Talk) -> None:
    device = talk.enrol(talk.device("S1"))
    other = talk.enrol(talk.device("S2"))
    body = plistlib.dumps({**device.ids, "Status": "Idle"})
    for signature in (
        "",
        "!!!",
        base64.b64encode(b"no signature").decode(),
        device.signature(b"another body"),
        device.signature(body)[:-8],
        flipped(device.signature(body), -3),
        flipped(device.signature(body), 5),
        flipped(device.signature(body), 21),
        two_signers(device, other, body),
        other.signature(body),
        device.signature(body, pkcs7.PKCS7Options.NoAttributes),
        device.signature(body, pkcs7.PKCS7Options.NoCapabilities),
    ):
        talk.mdm(device, body, kind=COMMAND, Mdm_Signature=signature)
    stranger = Talk(talk.site, CertificateAuthority.create("Stranger"))
    talk.authenticate(stranger.device("S3"))
    talk.authenticate(talk.device("S4", expired=True))
    talk.authenticate(talk.device("S5", usage=ExtendedKeyUsageOID.SERVER_AUTH))
    talk.enrol(talk.device("S6", usage=None))
    talk.enrol(talk.device("S7", usage=ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE))
    talk.enrol(talk.device("S8", key=rsa_key()))
    talk.enrol(talk.device("S9", key=ec.generate_private_key(ec.SECP384R1())))


@scenario
def certificates(talk: Talk) -> None:
    first = talk.device("C1")
    talk.token_update(first)
    talk.connect(first)
    talk.enrol(first)
    talk.enrol(Device({"UDID": "C2"}, first.key, first.certificate))
    talk.connect(Device({"UDID": "C2"}, first.key, first.certificate))
    talk.authenticate(first)
    again = talk.enrol(talk.device("C1"))
    talk.connect(first)
    talk.connect(again)
    talk.authenticate(first)
    talk.events(again, 6)


@scenario
def malformed(talk: Talk) -> None:
    device = talk.enrol(talk.device("M1"))
    for kind in (CHECK_IN, COMMAND, ""):
        for body in (
            b"",
            b"no plist",
            plistlib.dumps([1]),
            plistlib.dumps({"UDID": "M1"}),
            plistlib.dumps({"UDID": "M1", "MessageType": "Unheard"}),
            plistlib.dumps({"MessageType": "TokenUpdate", "Status": "Idle"}),
            plistlib.dumps({"UDID": "M1", "Status": "Acknowledged"}),
            plistlib.dumps({"UDID": "M1", "Status": "Acknowledged", "CommandUUID": "NEVER"}),
            plistlib.dumps({"UDID": "M1", "MessageType": "CheckOut", "Status": "Idle"}),
        ):
            talk.mdm(device, body, kind=kind)
    talk.events(device, 2 + 1 + 3 + 3)


@scenario
def other_check_ins(talk: Talk) -> None:
    device = talk.enrol(talk.device("O1"))
    talk.mdm(device, {"MessageType": "GetBootstrapToken"})
    talk.mdm(device, {"MessageType": "SetBootstrapToken", "BootstrapToken": b"secret"})
    talk.mdm(device, {"MessageType": "GetBootstrapToken"})
    talk.mdm(device, {"MessageType": "GetToken", "TokenServiceType": "com.apple.maid"})
    talk.mdm(device, {"MessageType": "UserAuthenticate", "UserID": "U1"})
    talk.authenticate(device)
    talk.mdm(device, {"MessageType": "GetBootstrapToken"})
    talk.events(device, 9)


@scenario
def users(talk: Talk) -> None:
    device = talk.enrol(talk.device("U1"))
    user = Device({"UDID": "U1", "UserID": "ANNE"}, device.key, device.certificate)
    guest = Device(
        {"UDID": "U1", "UserID": "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "UserShortName": "guest"},
        device.key,
        device.certificate,
    )
    for one in (user, guest):
        talk.token_update(one)
        talk.connect(one)
    talk.authenticate(user)
    talk.mdm(user, {"MessageType": "SetBootstrapToken", "BootstrapToken": b"x"})
    talk.mdm(user, {"MessageType": "GetBootstrapToken"})
    talk.enqueue("U1:ANNE", "U-1")
    talk.enqueue("U1", "U-2")
    talk.connect(user)
    talk.connect(device)
    talk.authenticate(device)
    talk.connect(user)
    talk.connect(device)
    talk.events(device, 14)


@scenario
def user_enrolments(talk: Talk) -> None:
    device = talk.enrol(talk.device(ids={"EnrollmentID": "X1"}))
    user = Device({"EnrollmentID": "X1", "EnrollmentUserID": "BEN"}, device.key, device.certificate)
    talk.token_update(user)
    talk.connect(user)
    talk.enqueue("X1", "X-1")
    talk.connect(device)
    talk.connect(device, "Error", "X-1", ErrorChain=[{"ErrorCode": 12029, "ErrorDomain": "MCMDMErrorDomain"}])
    talk.mdm(device, {"MessageType": "CheckOut"})
    talk.events(device, 7)


# NanoMDM: queues ------------------------------------------------------------------------------------------------------


def _queue_of(talk: Talk, name: str, count: int) -> Device:
    device = talk.enrol(talk.device(name))
    for number in range(1, count + 1):
        talk.enqueue(name, f"{name}-{number}")
    return device


@scenario
def first_in_first_out(talk: Talk) -> None:
    device = _queue_of(talk, "Q1", 3)
    talk.connect(device)
    talk.connect(device)
    talk.connect(device, "Acknowledged", "Q1-1")
    talk.connect(device, "Error", "Q1-2")
    talk.connect(device, "CommandFormatError", "Q1-3")
    talk.connect(device)
    talk.events(device, 8)


@scenario
def not_now(talk: Talk) -> None:
    device = _queue_of(talk, "N1", 3)
    talk.connect(device)
    talk.connect(device, "NotNow", "N1-1")  # the connection goes on with the next one
    talk.connect(device, "NotNow", "N1-2")
    talk.connect(device, "NotNow", "N1-3")
    talk.connect(device)  # a new connection begins with the first again
    talk.connect(device, "NotNow", "N1-1")
    talk.connect(device, "Acknowledged", "N1-2")
    talk.enqueue("N1", "N1-4")
    talk.connect(device, "NotNow", "N1-1")
    talk.connect(device)
    talk.connect(device, "Acknowledged", "N1-1")
    talk.connect(device, "Acknowledged", "N1-3")
    talk.connect(device, "Acknowledged", "N1-4")
    talk.connect(device)


@scenario
def the_last_answered_while_the_first_waits(talk: Talk) -> None:
    device = _queue_of(talk, "L1", 2)
    talk.connect(device)
    talk.connect(device, "NotNow", "L1-1")
    talk.connect(device, "Acknowledged", "L1-2")
    talk.connect(device, "NotNow", "L1-1")
    talk.connect(device, "Acknowledged", "L1-2")
    talk.connect(device)


@scenario
def an_answer_twice(talk: Talk) -> None:
    device = _queue_of(talk, "T1", 3)
    talk.connect(device, "Acknowledged", "T1-1")
    talk.connect(device, "Acknowledged", "T1-1")
    talk.connect(device)
    talk.enqueue("T1", "T1-4")
    talk.connect(device)


@scenario
def enrolling_again_clears_the_queue(talk: Talk) -> None:
    device = _queue_of(talk, "R1", 3)
    talk.connect(device, "NotNow", "R1-1")
    talk.authenticate(device)
    talk.connect(device)
    talk.token_update(device)
    talk.connect(device)
    talk.enqueue("R1", "R1-2")
    talk.enqueue("R1", "R1-5")
    talk.connect(device)
    talk.connect(device, "Acknowledged", "R1-2")
    talk.connect(device)
    talk.mdm(device, {"MessageType": "CheckOut"})
    talk.enqueue("R1", "R1-6")
    talk.connect(device)


# KMFDDM ---------------------------------------------------------------------------------------------------------------


@scenario
def declarations(talk: Talk) -> None:
    talk.ddm("GET", "/version", key="")
    for key in ("", "wrong"):
        talk.ddm("GET", "/v1/declarations", key=key)
        talk.ddm("PUT", "/v1/declarations?nonotify=1", declaration("a1"), key=key)
    talk.ddm("GET", "/v1/declarations/a1")
    talk.ddm("GET", "/v1/declarations")
    for _ in range(2):
        talk.ddm("PUT", "/v1/declarations?nonotify=1", declaration("a1"))
        talk.ddm("GET", "/v1/declarations/a1")
    talk.ddm("PUT", "/v1/declarations?nonotify=1", declaration("a1") | {"ServerToken": "mine"})
    talk.ddm("PUT", "/v1/declarations?nonotify=1", declaration("a1", Apps=["x"]))
    talk.ddm("GET", "/v1/declarations/a1")
    spaced = b'{ "Type":"com.apple.configuration.app.settings", "Payload": {"Apps":["x"]} , "Identifier":"a1"}'
    talk.ddm("PUT", "/v1/declarations", spaced)
    talk.ddm("PUT", "/v1/declarations", spaced.replace(b" ,", b"\t,"))
    talk.ddm("GET", "/v1/declarations/a1")
    talk.ddm("PUT", "/v1/declarations", declaration("a1", Apps=["x"]) | {"Type": "com.apple.configuration.other"})
    for body in (
        b"",
        b"no json",
        b"[]",
        b"null",
        b'{"Identifier":"a2"}',
        b'{"Identifier":"a2","Type":"t","Payload":1}',
        b'{"Identifier":"a2","Type":"t","Payload":""}',
        b'{"Identifier":1,"Type":"t","Payload":{}}',
        b'{"identifier":"a3","TYPE":"t","payload":{}}',
        b'{"Identifier":"a4","Type":"t","Payload":{}',
    ):
        talk.ddm("PUT", "/v1/declarations", body)
    talk.ddm("POST", "/v1/declarations", declaration("a5"))
    talk.ddm("PUT", "/v1/declarations/a1", declaration("a5"))
    for path in ("/", "/v1", "/v1/nothing", "/v1/declarations/", "/v1/declarations/a/b", "/v1/declarations/a%2Fb"):
        talk.ddm("GET", path)
    for _ in range(2):
        talk.ddm("DELETE", "/v1/declarations/a1")
    talk.ddm("PUT", "/v1/declarations?nonotify=1", declaration("a1"))
    talk.ddm("GET", "/v1/declarations/a1")


@scenario
def sets(talk: Talk) -> None:
    for name in ("b1", "b2"):
        talk.ddm("PUT", "/v1/declarations?nonotify=1", declaration(name))
    talk.ddm("GET", "/v1/set-declarations/B")
    for _ in range(2):
        talk.ddm("PUT", "/v1/set-declarations/B?declaration=b1&nonotify=1")
    talk.ddm("PUT", "/v1/set-declarations/B?declaration=b2")
    talk.ddm("PUT", "/v1/set-declarations/B?declaration=nowhere&nonotify=1")
    talk.ddm("PUT", "/v1/set-declarations/B?nonotify=1")
    talk.ddm("POST", "/v1/set-declarations/B?declaration=b1")
    talk.ddm("PUT", "/v1/set-declarations/west%2Fpost?declaration=b1&nonotify=1")
    talk.ddm("GET", "/v1/set-declarations/B")
    talk.ddm("DELETE", "/v1/declarations/b1")
    for _ in range(2):
        talk.ddm("DELETE", "/v1/set-declarations/B?declaration=b1&nonotify=1")
    talk.ddm("DELETE", "/v1/set-declarations/B")
    talk.ddm("GET", "/v1/set-declarations/B")
    talk.ddm("DELETE", "/v1/declarations/b1")
    talk.ddm("GET", "/v1/enrollment-sets/B-DEVICE")
    for _ in range(2):
        talk.ddm("PUT", "/v1/enrollment-sets/B-DEVICE?set=B&nonotify=1")
    talk.ddm("PUT", "/v1/enrollment-sets/B-DEVICE?set=other")
    talk.ddm("PUT", "/v1/enrollment-sets/B-DEVICE?nonotify=1")
    talk.ddm("GET", "/v1/enrollment-sets/B-DEVICE")
    for _ in range(2):
        talk.ddm("DELETE", "/v1/enrollment-sets/B-DEVICE?set=B&nonotify=1")
    talk.ddm("DELETE", "/v1/enrollment-sets/B-DEVICE")
    talk.ddm("GET", "/v1/enrollment-sets/B-DEVICE")


@scenario
def names_that_begin_alike(talk: Talk) -> None:
    for name in ("c.x", "c.x.y", "c.z"):
        talk.ddm("PUT", "/v1/declarations?nonotify=1", declaration(name))
    talk.ddm("PUT", "/v1/set-declarations/C?declaration=c.x.y&nonotify=1")
    talk.ddm("PUT", "/v1/set-declarations/C.west?declaration=c.z&nonotify=1")
    talk.ddm("GET", "/v1/set-declarations/C")
    talk.ddm("DELETE", "/v1/declarations/c.x")
    talk.ddm("HEAD", "/v1/set-declarations/C")
    talk.ddm("DELETE", "/v1/declarations/c.x.y")
    talk.ddm("PUT", "/v1/enrollment-sets/C-1?set=C&nonotify=1")
    talk.ddm("PUT", "/v1/enrollment-sets/C-1.B?set=C.west&nonotify=1")
    talk.ddm("GET", "/v1/enrollment-sets/C-1")
    for endpoint in ("tokens", "declaration-items"):
        talk.ddm("GET", f"/{endpoint}", headers={"X-Enrollment-ID": "C-1"})
        talk.ddm("GET", f"/{endpoint}", headers={"X-Enrollment-ID": "C-1.B"})
    for device in ("C-1", "C-1.B"):
        report = _report(configurations=[{"identifier": "c.z", "server-token": "old", "active": True}])
        talk.ddm("PUT", "/status", report, headers={"X-Enrollment-ID": device})
    talk.ddm("GET", "/v1/declaration-status/C-1,C-1.B")


def _report(**declarations: list[dict[str, Any]]) -> dict[str, Any]:
    return {"StatusItems": {"management": {"declarations": declarations}}, "Errors": []}


@scenario
def declarative_management(talk: Talk) -> None:
    device = talk.enrol(talk.device("F1"))
    for endpoint in ("tokens", "declaration-items", "declaration/configuration/f1", "nonsense", ""):
        talk.declarative(device, endpoint)
    talk.ddm("PUT", "/v1/declarations?nonotify=1", declaration("f1"))
    activation = declaration("f1.on", kind="com.apple.activation.simple", StandardConfigurations=["f1"])
    talk.ddm("PUT", "/v1/declarations?nonotify=1", activation)
    talk.ddm("PUT", "/v1/declarations?nonotify=1", declaration("f2"))
    for name in ("f1", "f1.on"):
        talk.ddm("PUT", f"/v1/set-declarations/F?declaration={name}&nonotify=1")
    talk.declarative(device, "declaration-items")
    talk.ddm("PUT", "/v1/enrollment-sets/F1?set=F&nonotify=1")
    talk.declarative(device, "tokens")
    items = talk.declarative(device, "declaration-items").json()["Declarations"]
    token = {item["Identifier"]: item["ServerToken"] for items in items.values() for item in items}
    for endpoint in (
        "declaration/configuration/f1",
        "declaration/activation/f1.on",
        "declaration/activation/f1",
        "declaration/configuration/f2",
        "declaration/configuration/f3",
        "declaration/f1",
    ):
        talk.declarative(device, endpoint)
    talk.ddm("GET", "/v1/declaration-status/F1,NOBODY")
    good = {"identifier": "f1", "active": True, "valid": "valid", "server-token": token["f1"]}
    bad = {"identifier": "f1.on", "active": False, "valid": "invalid", "server-token": "old"}
    reasons = [{"code": "Error.X", "description": "no", "details": {"Identifier": "f1.on"}}]
    talk.declarative(device, "status", _report(configurations=[good], activations=[bad | {"reasons": reasons}]))
    talk.ddm("GET", "/v1/declaration-status/F1,NOBODY")
    talk.declarative(device, "status", {"StatusItems": {"device": {"model": {"family": "iPhone"}}}})
    talk.ddm("GET", "/v1/declaration-status/F1")
    talk.declarative(device, "status", _report(configurations=[{"identifier": "f9"}], activations=[]))
    talk.ddm("GET", "/v1/declaration-status/F1")
    talk.declarative(device, "status", _report(configurations=[good | {"reasons": []}]))
    talk.ddm("PUT", "/v1/declarations?nonotify=1", declaration("f1", Apps=["changed"]))
    talk.ddm("GET", "/v1/declaration-status/F1")
    for broken in (b"no json", _report(configurations=7), {"StatusItems": {"management": {"declarations": []}}}):  # type: ignore[arg-type]
        talk.declarative(device, "status", broken)
    talk.declarative(device, "status")
    talk.ddm("GET", "/v1/declaration-status/F1")
    talk.ddm("POST", "/v1/declaration-status/F1")
    user = Device({"UDID": "F1", "UserID": "ANNE"}, device.key, device.certificate)
    talk.declarative(user, "declaration-items")
    talk.events(device, 2 + 5 + 3 + 6 + 4 + 3 + 1 + 1)


@scenario
def declarations_without_a_device(talk: Talk) -> None:
    for endpoint in ("tokens", "declaration-items", "declaration/configuration/x"):
        talk.ddm("GET", f"/{endpoint}")
        talk.ddm("PUT", f"/{endpoint}", {})
    talk.ddm("PUT", "/status", {})
    talk.ddm("GET", "/status")
    talk.ddm("GET", "/declaration/configuration")
    talk.ddm("GET", "/declaration/configuration/x/y")

"""HTTP exchanges with a NanoMDM and a KMFDDM, written down so that two of them can be compared. A plain module.

Devices here are made by hand: a key, a certificate, and requests that are signed in whatever way a test wants.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import http.client
import json
import plistlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from proscribe.simulate.apple.identity import CertificateAuthority

CHECK_IN = "application/x-apple-aspen-mdm-checkin"
COMMAND = "application/x-apple-aspen-mdm"
TOPIC = "com.apple.mgmt.External.lighthouses"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_TOKEN = re.compile(r"[0-9a-f]{16}")
_OF_LIBRARIES = re.compile(  # what follows is said by Go's or Python's libraries, not by the server
    r"(parse error: |push cert for topic \S+: |^(?=tls: |asn1: |x509: |Unable|Valid PEM|Could not|subsection"
    r"|invalid char|unexpected end|json: |Expecting|Extra data)).*",
    re.DOTALL,
)
_ERRORS = ("command_error", "push_error", "error")
_VOLATILE = ("event_id", "status_id", "DeclarationsToken", "push_result", "version")


class Receiver:
    """Takes in webhook events. ``events``: every one, with whether its signature was good."""

    def __init__(self) -> None:
        self.key = ""
        self.bodies: list[tuple[dict[str, str], bytes]] = []
        self.change = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.change:
                    receiver.bodies.append(({name.lower(): value for name, value in self.headers.items()}, body))
                    receiver.change.notify_all()
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.status = 200
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/events?from=nanomdm"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, device: str, count: int) -> list[dict[str, Any]]:
        """The events of a device and its users, once there are so many."""
        with self.change:
            if not self.change.wait_for(lambda: len(self.of(device)) >= count, 20):
                raise AssertionError(f"{len(self.of(device))} of {count} events came for {device}")
        return self.of(device)

    def settle(self, count: int) -> None:
        """Wait until so many events have come in all, and no more come for a moment."""
        with self.change:
            if not self.change.wait_for(lambda: len(self.bodies) >= count, 20):
                raise AssertionError(f"{len(self.bodies)} of {count} events came")
            while self.change.wait(0.3):
                pass

    def of(self, device: str) -> list[dict[str, Any]]:
        found = []
        for headers, body in self.bodies:
            event = json.loads(body)
            inner = event.get("acknowledge_event") or event.get("checkin_event")
            if inner["ids"]["id"].partition(":")[0] == device:
                good = base64.b64encode(hmac.new(self.key.encode(), body, hashlib.sha256).digest()).decode()
                genuine = headers.get("x-hmac-signature") == good
                found.append({"genuine": genuine, "type": headers["content-type"], **event})
        return found


@dataclass
class Site:
    """One NanoMDM with its KMFDDM and its receiver, real or simulated."""

    name: str
    endpoint: str
    api_key: str
    kmfddm: str
    kmfddm_key: str
    receiver: Receiver


@dataclass
class Device:
    """A device's identity. ``ids`` go into each of its messages."""

    ids: dict[str, str]
    key: Any
    certificate: x509.Certificate

    @property
    def id(self) -> str:
        return self.ids.get("UDID") or self.ids["EnrollmentID"]

    def signature(self, body: bytes, *options: pkcs7.PKCS7Options) -> str:
        signer = pkcs7.PKCS7SignatureBuilder().set_data(body).add_signer(self.certificate, self.key, hashes.SHA256())
        default = (pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary)
        return base64.b64encode(signer.sign(Encoding.DER, [*default, *options])).decode()


@dataclass
class Answer:
    """What a server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Talk:
    """A conversation with a site, written down with what differs from run to run replaced."""

    site: Site
    authority: CertificateAuthority
    lines: list[Any] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    # Administrators -----------------------------------------------------------------------------------------------

    def api(
        self, method: str, path: str, body: bytes = b"", *, user: str = "nanomdm", key: str | None = None
    ) -> Answer:
        given = self.site.api_key if key is None else key
        return self._http(self.site.endpoint, method, path, body, _basic(user, given))

    def ddm(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        given = self.site.kmfddm_key if key is None else key
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self._http(self.site.kmfddm, method, path, data, {**_basic("kmfddm", given), **(headers or {})})

    def enqueue(self, ids: str, uuid: str, *, request_type: str = "ProfileList", query: str = "?nopush=1") -> Answer:
        return self.api("PUT", f"/v1/enqueue/{quote(ids, safe=',:')}{query}", command(uuid, request_type))

    # Devices ------------------------------------------------------------------------------------------------------

    def device(self, udid: str = "", *, ids: dict[str, str] | None = None, **certificate: Any) -> Device:
        key = certificate.pop("key", None) or ec.generate_private_key(ec.SECP256R1())
        return Device(ids or {"UDID": udid}, key, certificate_of(key.public_key(), self.authority, **certificate))

    def mdm(
        self, device: Device, message: dict[str, Any] | bytes, *, kind: str = CHECK_IN, query: str = "", **headers: str
    ) -> Answer:
        body = message if isinstance(message, bytes) else plistlib.dumps({**device.ids, **message})
        signed = {"Mdm-Signature": device.signature(body), "Content-Type": kind}
        signed.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self._http(self.site.endpoint, "PUT", f"/mdm{query}", body, {n: v for n, v in signed.items() if v})

    def authenticate(self, device: Device, **more: Any) -> Answer:
        return self.mdm(device, {"MessageType": "Authenticate", "Topic": TOPIC, "SerialNumber": "S1", **more})

    def token_update(self, device: Device, **more: Any) -> Answer:
        push = {"Topic": TOPIC, "PushMagic": "magic", "Token": device.id.encode()}
        return self.mdm(device, {"MessageType": "TokenUpdate", **push, **more})

    def enrol(self, device: Device) -> Device:
        self.authenticate(device)
        self.token_update(device)
        return device

    def connect(self, device: Device, status: str = "Idle", uuid: str = "", **more: Any) -> str:
        """Report a status and give the UUID of the command that comes for it, or ""."""
        named = {"CommandUUID": uuid} if uuid else {}
        answer = self.mdm(device, {"Status": status, **named, **more}, kind=COMMAND)
        found = answer.body if answer.status == 200 else b""
        return str(plistlib.loads(found)["CommandUUID"]) if found else ""

    def declarative(self, device: Device, endpoint: str, data: Any = None) -> Answer:
        with_data = {} if data is None else {"Data": data if isinstance(data, bytes) else json.dumps(data).encode()}
        return self.mdm(device, {"MessageType": "DeclarativeManagement", "Endpoint": endpoint, **with_data})

    def events(self, device: Device, count: int) -> list[dict[str, Any]]:
        """Write down the webhook events of a device, in an order that does not depend on their arrival."""
        found = self.site.receiver.wait(device.id, count)
        plain = [self._plain(event) for event in found]
        self.lines.extend(
            ("event", event) for event in sorted(plain, key=lambda event: json.dumps(event, default=repr))
        )
        return found

    # Writing down -------------------------------------------------------------------------------------------------

    def _http(self, endpoint: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=30)
        try:
            connection.request(method, path, body, headers)
            said = connection.getresponse()
            answer = Answer(said.status, {n.lower(): v for n, v in said.getheaders()}, said.read())
        finally:
            connection.close()
        kept = {name: answer.headers.get(name) for name in ("content-type", "www-authenticate", "allow")}
        if not answer.body:
            kept["content-type"] = None
        self.lines.append((f"{method} {path}", answer.status, kept, self._body(answer.body)))
        return answer

    def _body(self, body: bytes) -> Any:
        text = body.decode()
        if text.startswith(("{", "[", "null")):
            return self._plain(json.loads(text))
        if text.startswith("<?xml"):
            return {
                name: self._body(value) if name == "Data" else value
                for name, value in sorted(plistlib.loads(body).items())
            }
        first, newline, rest = text.partition("\n")  # NanoMDM's word for the status, then what KMFDDM had said
        return (first, newline, self._body(rest.encode())) if rest else text

    def _plain(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self._plain(value[key], key) for key in sorted(value)}
        if isinstance(value, list):
            return [self._plain(item) for item in sorted(value, key=_place)]
        return self._plain_text(value, name) if isinstance(value, str) else value

    def _plain_text(self, value: str, name: str) -> Any:
        if name == "raw_payload":
            return self._body(base64.b64decode(value))
        if name in _VOLATILE and value:
            return f"<{name}>"
        if name in _ERRORS:
            return _OF_LIBRARIES.sub(r"\1...", value)
        if _TOKEN.fullmatch(value):
            return self.tokens.setdefault(value, f"<token {len(self.tokens) + 1}>")
        return "<time>" if _TIME.fullmatch(value) else value


def command(uuid: str, request_type: str = "ProfileList") -> bytes:
    return plistlib.dumps({"CommandUUID": uuid, "Command": {"RequestType": request_type}})


def certificate_of(
    public: Any,
    authority: CertificateAuthority,
    *,
    usage: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.CLIENT_AUTH,
    expired: bool = False,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "device")]))
        .issuer_name(authority.certificate.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=30))
        .not_valid_after(now + dt.timedelta(days=-1 if expired else 30))
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def push_certificate(topic: str) -> bytes:
    """A certificate as Apple's are for pushing, and its key. Nothing is pushed to Apple with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.USER_ID, topic)] if topic else []
    name = x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, "push")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=365))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _basic(user: str, key: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{key}'.encode()).decode()}"} if key else {}


def _place(item: Any) -> str:
    if isinstance(item, dict):
        return str(item.get("Identifier") or item.get("identifier") or json.dumps(item, sort_keys=True))
    return json.dumps(item)


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


def _flipped(signature: str, place: int) -> str:
    """The signature with one bit turned over."""
    raw = bytearray(base64.b64decode(signature))
    raw[place] ^= 1
    return base64.b64encode(raw).decode()


def _two_signers(one: Device, other: Device, body: bytes) -> str:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(body)
    for device in (one, other):
        builder = builder.add_signer(device.certificate, device.key, hashes.SHA256())
    return base64.b64encode(builder.sign(Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature])).decode()


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
        _flipped(device.signature(body), -3),
        _flipped(device.signature(body), 5),
        _flipped(device.signature(body), 21),
        _two_signers(device, other, body),
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


def declaration(
    identifier: str, *, kind: str = "com.apple.configuration.app.settings", **payload: Any
) -> dict[str, Any]:
    return {"Type": kind, "Identifier": identifier, "Payload": payload or {"Apps": []}}


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

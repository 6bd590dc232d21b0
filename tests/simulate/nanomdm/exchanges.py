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


def declaration(
    identifier: str, *, kind: str = "com.apple.configuration.app.settings", **payload: Any
) -> dict[str, Any]:
    return {"Type": kind, "Identifier": identifier, "Payload": payload or {"Apps": []}}


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


def flipped(signature: str, place: int) -> str:
    """The signature with one bit turned over."""
    raw = bytearray(base64.b64decode(signature))
    raw[place] ^= 1
    return base64.b64encode(raw).decode()


def two_signers(one: Device, other: Device, body: bytes) -> str:
    """A body that two devices have signed."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(body)
    for device in (one, other):
        builder = builder.add_signer(device.certificate, device.key, hashes.SHA256())
    return base64.b64encode(builder.sign(Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature])).decode()


def _basic(user: str, key: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{key}'.encode()).decode()}"} if key else {}


def _place(item: Any) -> str:
    if isinstance(item, dict):
        return str(item.get("Identifier") or item.get("identifier") or json.dumps(item, sort_keys=True))
    return json.dumps(item)

"""The server as a phone sees it: one URL, and who issues the identities it believes."""

from __future__ import annotations

import http.client
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from proscribe.simulate.apple.identity import CertificateAuthority, Identity

CHECK_IN: Final = "application/x-apple-aspen-mdm-checkin"
COMMAND: Final = "application/x-apple-aspen-mdm"


class Refused(RuntimeError):
    """The server did not answer 200. ``status`` is the HTTP status that it gave."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"the server answered {status}: {body[:200]!r}")
        self.status = status


@dataclass(slots=True)
class MdmEndpoint:
    """Where phones check in, and by which authority they are known there.

    ``url`` is all of it, e.g. ``http://127.0.0.1:9000/mdm``. With ``cert_header`` the phones do not sign; their
    certificate goes into that header, as behind a proxy that ends TLS. Connections are kept and shared by all phones;
    any thread may use it. Close it, or use it in a ``with`` statement.
    """

    url: str
    authority: CertificateAuthority
    cert_header: str = ""
    topic: str = "com.apple.mgmt.External.lighthouses"
    timeout: float = 30.0
    _idle: list[http.client.HTTPConnection] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def put(self, body: bytes, content_type: str, identity: Identity) -> bytes:
        """Send one message and return what the server says to it.

        Raises:
            Refused: it said no; NanoMDM does not say why to a phone, its log does.
            OSError: nobody answered.
        """
        headers = {"Content-Type": content_type, "User-Agent": "MDM/1.0"}
        if self.cert_header:
            headers[self.cert_header] = identity.header()
        else:
            headers["Mdm-Signature"] = identity.signature(body)
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            with suppress(ConnectionError):  # hung up on while it was idle, as when the server was started anew
                return self._exchange(kept, body, headers)
        return self._exchange(self._open(), body, headers)

    def _exchange(self, connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str]) -> bytes:
        try:
            connection.request("PUT", urlsplit(self.url).path or "/", body, headers)
            answer = connection.getresponse()
            said = answer.read()
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._idle.append(connection)
        if answer.status != http.client.OK:
            raise Refused(answer.status, said)
        return said

    def _open(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=self.timeout)

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

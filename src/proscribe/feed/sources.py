"""Where a feed is read from: an ``https`` address, a folder, or one packed file. Each gives bytes and trusts nothing.

The web source asks the configured host and no other: it follows no redirect, uses no proxy of the environment and
decodes no compression. A file has so many seconds in all, counted over every read, so that a server that drips a byte
at a time, headers included, holds nobody up.
"""

from __future__ import annotations

import mmap
import os
import ssl
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

from proscribe.connectors.web import is_loopback
from proscribe.errors import Where
from proscribe.feed.errors import FeedAddress, FeedPackage, FeedTooSlow, FeedUnavailable
from proscribe.feed.layout import MAX_TOTAL
from proscribe.text import Text

if TYPE_CHECKING:
    import httpcore

PATIENCE = 60.0
"""Seconds for one file."""
COMMENT = "proscribe feed"
"""What a packed feed says at its end."""
_CHUNK = 64 << 10
_ABSENT = (403, 404, 410)  # object stores answer 403 for what is not there


class Absent(Exception):
    """There is no such file at the source."""


class Source(Protocol):
    """Somewhere a feed's files come from."""

    def chunks(self, path: str) -> Iterator[bytes]:
        """The bytes of one file. Raises Absent, FeedUnavailable or FeedTooSlow."""
        ...


@contextmanager
def open_source(source: str | Path, *, patience: float = PATIENCE) -> Iterator[Source]:
    """The source behind an address or a path, open for the block. Raises FeedAddress, FeedPackage."""
    if isinstance(source, str) and "://" in source:
        with _web(source, patience) as web:
            yield web
        return
    path = Path(source)
    if path.is_dir():
        yield _Folder(path)
    elif path.is_file():
        with open_package(path) as package:
            yield package
    else:
        raise FeedAddress(
            Text("there is no such folder or file", "ce dossier ou ce fichier n'existe pas"),
            remedy=Text(
                "Give an https address, a folder that holds a feed, or a file of 'proscribe feed pack'.",
                "Donnez une adresse https, un dossier qui contient un fil de diffusion, ou un fichier produit par "
                "«\u00a0proscribe feed pack\u00a0».",
            ),
            where=Where(file=str(source)),
        )


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def chunks(self, path: str) -> Iterator[bytes]:
        try:
            # A pipe or a device put in place of a file would be read for ever.
            descriptor = os.open(self._folder / path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise Absent(path) from error
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise Absent(path)
            while chunk := stream.read(_CHUNK):
                yield chunk


class Package:
    """A packed feed, its own bytes found in order."""

    def __init__(self, container: Any) -> None:
        self._container = container

    @property
    def names(self) -> tuple[str, ...]:
        """Every member."""
        return tuple(self._container.entries)

    def chunks(self, path: str) -> Iterator[bytes]:
        """The bytes of one member. Raises Absent or FeedPackage."""
        if path not in self._container.entries:
            raise Absent(path)
        try:
            yield from self._container.chunks(path)
        except ValueError as error:
            raise not_a_package(
                path, Text(f"its content is another: {error}", f"son contenu est différent\u00a0: {error}")
            ) from error


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """A packed feed, open for the block. Raises FeedPackage."""
    from proscribe.prove.container import Container

    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if not 0 < size <= MAX_TOTAL:
            raise not_a_package(str(path), Text(f"it has {size} bytes", f"il compte {size} octets"))
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            container = Container(data)
            if container.faults:
                fault = container.faults[0]
                raise not_a_package(f"{path}: {fault.member}", fault.what)
            if container.comment != COMMENT:
                raise not_a_package(str(path), Text("it is some other file", "c'est un autre type de fichier"))
            if sum(entry.size for entry in container.entries.values()) > MAX_TOTAL:
                raise not_a_package(str(path), Text("it unpacks to too much", "son contenu est trop volumineux"))
            yield Package(container)


def not_a_package(place: str, what: Text) -> FeedPackage:
    """Why a file is not taken for a packed feed."""
    return FeedPackage(
        Text(f"this is no packed feed: {what.en}", f"ce n'est pas un fil empaqueté\u00a0: {what.fr}"),
        remedy=Text(
            "Ask for the file again, as 'proscribe feed pack' wrote it; a folder copied as it is will do too.",
            "Redemandez le fichier tel que «\u00a0proscribe feed pack\u00a0» l'a produit; un dossier copié tel quel "
            "convient aussi.",
        ),
        where=Where(file=place),
    )


class _Deadline:
    """The seconds left for the file that is being read."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._until = 0.0

    def start(self) -> None:
        self._until = time.monotonic() + self._patience

    def left(self) -> float:
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise self.passed()
        return seconds

    def passed(self) -> FeedTooSlow:
        return FeedTooSlow(
            Text(
                f"a file did not arrive within {self._patience:g} seconds",
                f"un fichier n'est pas arrivé en {self._patience:g} secondes",
            ),
            remedy=Text(
                "Try again; where it stays so, ask the authority, or take the feed by file.",
                "Réessayez; si cela persiste, informez-en l'autorité ou recevez le fil par fichier.",
            ),
        )


@contextmanager
def _web(address: str, patience: float) -> Iterator[_Web]:
    import httpcore

    base = _checked(address)
    deadline = _Deadline(patience)
    # The certificates this machine trusts, an organisation's own included; reading them takes 40 ms.
    context = ssl.create_default_context() if base.startswith("https:") else None
    with httpcore.ConnectionPool(
        ssl_context=context, max_connections=1, network_backend=_backend(deadline)
    ) as connections:
        yield _Web(base, connections, deadline)


def _checked(address: str) -> str:
    try:
        parts = urlsplit(address)
        known = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(address))
        plain = bool(parts.hostname) and not (parts.username or parts.password or parts.query or parts.fragment)
        _ = parts.port
    except ValueError:
        known = plain = False
    # A name outside ASCII has more than one spelling; who runs such a server knows its "xn--" form.
    if not (known and plain and address.isascii() and address.isprintable() and " " not in address):
        raise FeedAddress(
            Text("this is no address of a feed", "ce n'est pas l'adresse d'un fil de diffusion"),
            remedy=Text(
                "Give an https address without a user name or question mark; http is for this machine alone.",
                "Donnez une adresse https sans nom d'utilisateur ni point d'interrogation; http ne vaut que pour la "
                "présente machine.",
            ),
            where=Where(field="source"),
        )
    return address.rstrip("/") + "/"


def _backend(deadline: _Deadline) -> httpcore.NetworkBackend:
    """httpcore's own sockets, on which every read has what is left of the file's time and no more."""
    import httpcore

    class Stream(httpcore.NetworkStream):
        def __init__(self, inner: httpcore.NetworkStream) -> None:
            self._inner = inner

        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
            return self._inner.read(max_bytes, deadline.left())

        def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
            self._inner.write(buffer, deadline.left())

        def close(self) -> None:
            self._inner.close()

        def start_tls(
            self,
            ssl_context: ssl.SSLContext,
            server_hostname: str | None = None,
            timeout: float | None = None,  # noqa: ARG002
        ) -> httpcore.NetworkStream:
            return Stream(self._inner.start_tls(ssl_context, server_hostname, deadline.left()))

        def get_extra_info(self, info: str) -> Any:
            return self._inner.get_extra_info(info)

    class Backend(httpcore.SyncBackend):
        def connect_tcp(self, host: str, port: int, *_args: Any, **_more: Any) -> httpcore.NetworkStream:
            return Stream(super().connect_tcp(host, port, timeout=deadline.left()))

    return Backend()


class _Web:
    def __init__(self, base: str, connections: httpcore.ConnectionPool, deadline: _Deadline) -> None:
        self._base = base
        self._connections = connections
        self._deadline = deadline

    def chunks(self, path: str) -> Iterator[bytes]:
        import httpcore

        self._deadline.start()
        headers = [("User-Agent", "proscribe"), ("Accept-Encoding", "identity")]
        try:
            with self._connections.stream("GET", self._base + quote(path), headers=headers) as answer:
                if answer.status in _ABSENT:
                    raise Absent(path)
                if answer.status != 200:
                    raise self._unavailable(
                        Text(f"it answers {answer.status}", f"la réponse est {answer.status}"), path=path
                    )
                yield from answer.iter_stream()
        except httpcore.TimeoutException as error:
            raise self._deadline.passed() from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise self._unavailable(
                Text(f"nobody answers properly: {reason}", f"aucune réponse valable\u00a0: {reason}"), path=path
            ) from error

    def _unavailable(self, what: Text, *, path: str) -> FeedUnavailable:
        return FeedUnavailable(
            what,
            remedy=Text(
                "Try again later; what was accepted before stays in force. The feed can also come by file.",
                "Réessayez plus tard; ce qui a été accepté reste en vigueur. Le fil peut aussi venir par fichier.",
            ),
            where=Where(file=self._base + path),
        )

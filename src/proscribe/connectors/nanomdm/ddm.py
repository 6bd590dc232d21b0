"""The client of KMFDDM: declarations, the sets they are in, the devices that have a set, and what devices report.

Every change says ``nonotify``: KMFDDM would otherwise queue a command of its own, and each command is to be ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from proscribe.clock import Clock, utc
from proscribe.connectors.base import ConnectorFault, InvalidConfiguration
from proscribe.connectors.memory import Json
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.exchange import (
    Account,
    Answer,
    Exchange,
    Request,
    Turns,
    brief,
    message_of,
    segment,
    version_of,
)
from proscribe.connectors.nanomdm.model import Declarations, SeenDeclaration
from proscribe.errors import Where
from proscribe.text import Text

if TYPE_CHECKING:
    import httpx

DEVICES = 100
"""Devices whose reports are asked for with one request: their identifiers stand in its address."""

_QUIET = ("nonotify", "1")
_VALID = ("valid", "invalid", "unknown")
_REFUSED = ("declaration not found", "declaration is referenced by", "a foreign key constraint fails")
"""Errors of 500 after which nothing was changed: a set may only hold declarations that are there, and a declaration
goes only once no set holds it."""


class KmfddmWire:
    """Talks to one KMFDDM. May be used by several threads at once.

    Every method raises a ConnectorFault: NotAuthorised, Throttled, Rejected, or UnknownFate. All changes may be sent
    again. Raises InvalidConfiguration where no KMFDDM is configured.
    """

    def __init__(self, config: NanomdmConfig, *, clock: Clock, transport: httpx.BaseTransport | None = None) -> None:
        if not config.kmfddm_endpoint:
            raise InvalidConfiguration(
                Text("no KMFDDM is configured", "aucun KMFDDM n'est configuré"),
                remedy=Text("Give its address in kmfddm_endpoint.", "Indiquez son adresse dans kmfddm_endpoint."),
                where=Where(field="nanomdm.kmfddm_endpoint"),
            )
        self._turns = Turns()
        account = Account("KMFDDM", config.kmfddm_endpoint, "kmfddm", config.kmfddm_secret)
        self._exchange = Exchange(account, config, clock=clock, transport=transport)

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def version(self) -> str:
        """The version of the server. It asks for no key."""
        return version_of(self._exchange)

    # Declarations ---------------------------------------------------------------------------------------------------

    def put_declaration(self, declaration: Json) -> bool:
        """Store a declaration; whether it differs from what was there. The server makes the ServerToken."""
        # The server compares bytes, so the same declaration is always written the same way.
        body = json.dumps(declaration, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        request = Request("PUT", "/v1/declarations", (_QUIET,), body, "application/json")
        return self._change(request, str(declaration.get("Identifier")))

    def delete_declaration(self, identifier: str) -> bool:
        """Delete a declaration; whether there was one. Rejected as long as a set holds it."""
        return self._change(Request("DELETE", f"/v1/declarations/{self._segment(identifier)}"), identifier)

    def declaration(self, identifier: str) -> Json | None:
        """A declaration with its ServerToken; None where there is none."""
        answer = self._exchange.send(Request("GET", f"/v1/declarations/{self._segment(identifier)}"))
        if answer.status == 404 and "declaration not found" in message_of(answer):
            return None
        body = self._read(answer)
        if not isinstance(body, dict) or body.get("Identifier") != identifier:
            raise self._exchange.not_understood()
        return body

    # Sets -----------------------------------------------------------------------------------------------------------

    def put_in_set(self, name: str, declaration: str) -> bool:
        """Put a declaration into a set; whether it was not there. Rejected where there is no such declaration."""
        return self._associate("PUT", "set-declarations", name, "declaration", declaration)

    def drop_from_set(self, name: str, declaration: str) -> bool:
        """Take a declaration out of a set; whether it was there."""
        return self._associate("DELETE", "set-declarations", name, "declaration", declaration)

    def declarations_of(self, name: str) -> tuple[str, ...]:
        """The declarations in a set, sorted."""
        return self._names("set-declarations", name)

    # Devices --------------------------------------------------------------------------------------------------------

    def join(self, device_id: str, name: str) -> bool:
        """Give a set to a device; whether it did not have it."""
        return self._associate("PUT", "enrollment-sets", device_id, "set", name)

    def leave(self, device_id: str, name: str) -> bool:
        """Take a set from a device; whether it had it."""
        return self._associate("DELETE", "enrollment-sets", device_id, "set", name)

    def sets_of(self, device_id: str) -> tuple[str, ...]:
        """The sets that a device has, sorted."""
        return self._names("enrollment-sets", device_id)

    def status(self, device_ids: Sequence[str]) -> Mapping[str, Declarations]:
        """What devices last reported of their declarations, those that never did left out.

        An item that is not ``current`` says nothing of today: KMFDDM keeps the last report that named declarations, so
        those withdrawn since stay listed.
        """
        found: dict[str, Declarations] = {}
        for begin in range(0, len(device_ids), DEVICES):
            some = device_ids[begin : begin + DEVICES]
            path = "/v1/declaration-status/" + ",".join(map(self._segment, some))
            body = self._read(self._exchange.send(Request("GET", path)))
            if not isinstance(body, dict):
                raise self._exchange.not_understood()
            found |= {each: told for each in some if (told := reported(body.get(each))) is not None}
        return found

    # Requests -------------------------------------------------------------------------------------------------------

    def _associate(self, method: str, kind: str, name: str, key: str, value: str) -> bool:
        self._segment(value)  # it is in a path elsewhere: what could not be asked for later is not stored now
        request = Request(method, f"/v1/{kind}/{self._segment(name)}", ((key, value), _QUIET))
        return self._change(request, f"{kind} {name} {value}")

    def _change(self, request: Request, subject: str) -> bool:
        with self._turns.of(subject):
            answer = self._exchange.send(request)
        if answer.status in (204, 304):
            return answer.status == 204
        raise self._fault(answer)

    def _names(self, kind: str, name: str) -> tuple[str, ...]:
        body = self._read(self._exchange.send(Request("GET", f"/v1/{kind}/{self._segment(name)}")))
        names = [] if body is None else body  # null is Go's empty list
        if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            raise self._exchange.not_understood()
        return tuple(sorted(names))

    def _read(self, answer: Answer) -> Any:
        if answer.status == 204:
            return None
        if answer.status != 200:
            raise self._fault(answer)
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError) as error:
            raise self._exchange.not_understood() from error

    def _fault(self, answer: Answer) -> ConnectorFault:
        said = message_of(answer)
        if answer.status >= 500 and any(words in said.casefold() for words in _REFUSED):
            return self._exchange.rejected(f"HTTP {answer.status}: {said}")
        if answer.status in (200, 202):  # not KMFDDM's answer to a change
            return self._exchange.not_understood()
        return self._exchange.fault(answer)

    def _segment(self, name: str) -> str:
        try:
            return segment(name)
        except ValueError as error:
            raise self._exchange.rejected(str(error)) from error


def reported(told: Any) -> Declarations | None:
    """One device's part of ``/v1/declaration-status``; None where it holds no report that can be dated."""
    entries = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    times = [moment for each in entries if (moment := _moment(each.get("status_received"))) is not None]
    if not times:
        return None
    return Declarations(received_at=max(times), items=tuple(sorted(_seen(entries), key=lambda item: item.identifier)))


def _seen(entries: Iterable[Json]) -> Iterator[SeenDeclaration]:
    for entry in entries:
        identifier = entry.get("identifier")
        if not isinstance(identifier, str) or not identifier:
            continue
        valid, token = entry.get("valid"), entry.get("server-token")
        yield SeenDeclaration(
            identifier=brief(identifier),
            active=entry.get("active") is True,
            valid=valid if valid in _VALID else "unknown",
            current=entry.get("current") is True,
            server_token=brief(token) if isinstance(token, str) else "",
            reason=_reason(entry.get("reasons")),
        )


def _reason(reasons: Any) -> str:
    """The codes and descriptions of a device's reasons, in one line. Their details are left out: they may quote at
    length what stands on the device."""
    said = []
    for each in reasons if isinstance(reasons, list) else []:
        if isinstance(each, dict):
            code, description = each.get("code"), each.get("description")
            parts = [part for part in (code, description) if isinstance(part, str) and part]
            said.append(" - ".join(parts))
    return brief("; ".join(filter(None, said)))


def _moment(text: Any) -> datetime | None:
    """A time as Go writes it; None for its zero time, and for what is no time."""
    try:
        moment = utc(datetime.fromisoformat(text))
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment > datetime(1970, 1, 1, tzinfo=UTC) else None

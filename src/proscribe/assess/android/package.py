"""The APKs of one app, with their binary XML and resource tables, opened when something asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from proscribe.assess.android.arsc import Found, Resources, Table
from proscribe.assess.android.axml import STRING, Document
from proscribe.assess.facts import Anomaly
from proscribe.assess.intake.container import Container, UnreadableMember

MANIFEST: Final = "AndroidManifest.xml"
TABLE: Final = "resources.arsc"
MAX_XML: Final = 4 << 20  # bytes of one manifest; real ones stay under 1 MiB
MAX_RESOURCE_XML: Final = 1 << 20  # of another binary XML; real ones stay under 100 KiB
MAX_ALL_XML: Final = 8 << 20  # of all binary XML of one app
MAX_TABLE: Final = 48 << 20


class Unread(Exception):
    """A member that could not be turned into a document; ``code`` is a stable problem code."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail


class ApkSet:
    """Base first, then splits. ``anomalies`` takes what readers find odd beyond the files' own shape."""

    def __init__(self, apks: Sequence[Container]) -> None:
        self.apks = tuple(apks)
        self.anomalies: list[Anomaly] = []
        self._tables: dict[int, Table | None] = {}
        self._documents: dict[str, Document] = {}
        self._left = MAX_ALL_XML

    def document(self, apk: Container, name: str) -> Document:
        """A member as binary XML, decoded once; its oddities become anomalies. Raises Unread."""
        member = apk.member(name)
        known = self._documents.get(member)
        if known is not None:
            return known
        try:
            most = MAX_XML if name == MANIFEST else MAX_RESOURCE_XML
            data = apk.read(name, min(most, self._left))
        except KeyError:
            raise Unread("zip.no-member", name) from None
        except UnreadableMember as fault:
            raise Unread(fault.code, fault.detail) from fault
        self._left -= len(data)
        document = self._documents[member] = Document(data)
        if document.root is None:
            raise Unread(document.broken, member)
        return document

    def oddities(self) -> tuple[Anomaly, ...]:
        """Everything odd so far. Strings and attributes are decoded late, so ask when all is read."""
        noted = (
            Anomaly(f"axml.{code}", member, f"{count} at {first}")
            for member, document in self._documents.items()
            for code, (count, first) in document.notes.items()
        )
        tables = (
            Anomaly(table.broken, self.apks[position].member(TABLE))
            for position, table in sorted(self._tables.items())
            if table is not None and table.broken
        )
        return tuple(dict.fromkeys((*self.anomalies, *noted, *tables)))

    def resources(self, first: int) -> Resources:
        """The tables in the order a reference of APK ``first`` is looked up: its own, then the others, base first."""
        order = [first, *(position for position in range(len(self.apks)) if position != first)]
        return Resources([partial(self._table, position) for position in order], order)

    def file(self, found: Found) -> str:
        """The member a resolved value names, as evidence writes it; "" where it names no file."""
        if found.value.type != STRING or not found.value.text:
            return ""
        name, own = found.value.text, self.apks[found.apk]
        for apk in (own, *self.apks):
            if name in apk.entries:
                return apk.member(name)
        return own.member(name) if name.startswith("res/") else ""

    def position(self, member: str) -> int:
        """Which APK a member of ``file`` lies in; 0 where none has it."""
        for position, apk in enumerate(self.apks):
            prefix = apk.member("")
            if member.startswith(prefix) and member[len(prefix) :] in apk.entries:
                return position
        return 0

    def open(self, member: str) -> Document:
        """The document of a member that ``file`` gave. Raises Unread."""
        apk = self.apks[self.position(member)]
        return self.document(apk, member.removeprefix(apk.member("")))

    def _table(self, position: int) -> Table | None:
        if position not in self._tables:
            self._tables[position] = self._read_table(self.apks[position])
        return self._tables[position]

    def _read_table(self, apk: Container) -> Table | None:
        member = apk.member(TABLE)
        try:
            return Table(apk.read(TABLE, MAX_TABLE))
        except KeyError:
            return None
        except UnreadableMember as fault:
            self.anomalies.append(Anomaly("arsc.unreadable", member, f"{fault.code} {fault.detail}".strip()))
            return None

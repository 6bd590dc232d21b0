"""The queue of one enrolment, as NanoMDM's filekv back end keeps it: a list of links, kept in a key-value store.

It is FIFO, and a command that was answered ``NotNow`` stays at its place. The links are all it has, and it does not
tidy them all (storage/kv/queue_ll.go, ``unlink``), so two things happen that PostgreSQL does not do, and that are kept:

- An answer to a command that is not in the list is taken for the answer to its only member: the list is empty
  afterwards. A device that repeats an answer because the reply to it was lost does just that.
- The last command, answered while one before it waits (``NotNow``), is handed out once more, and the second answer is
  then of the first kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Queue:
    """Command UUIDs by their links. Not safe for several threads by itself."""

    first: str = ""
    last: str = ""
    after: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)  # the last status that was reported, by command

    def append(self, uuid: str) -> None:
        """Put a command at the end."""
        if self.last:
            self.after[self.last], self.before[uuid] = uuid, self.last
        else:
            self.first = uuid
        self.last = uuid

    def answer(self, uuid: str, status: str) -> None:
        """Take the device's answer; anything but ``NotNow`` takes the command out."""
        self.said[uuid] = status
        if status != "NotNow":
            self._unlink(uuid)

    def next(self, *, skip_not_now: bool) -> str:
        """The command the device gets now, or "". ``skip_not_now``: the device has just answered ``NotNow``."""
        return next((uuid for uuid in self if not (skip_not_now and self.said.get(uuid) == "NotNow")), "")

    def clear(self) -> None:
        """The device enrols anew: nothing is left for it. The last command's link back stays, as in filekv."""
        for uuid in tuple(self)[:-1]:
            self.after.pop(uuid, None)
            self.before.pop(uuid, None)
        self.first = self.last = ""

    def __iter__(self) -> Iterator[str]:
        uuid, seen = self.first, set[str]()
        while uuid and uuid not in seen:
            seen.add(uuid)
            yield uuid
            uuid = self.after.get(uuid, "")

    def _unlink(self, uuid: str) -> None:
        before, after = self.before.pop(uuid, ""), self.after.pop(uuid, "")
        if not before and not after:
            self.first = self.last = ""
        elif not before:
            self.first = after
            self.before.pop(after, None)
        elif not after:
            self.last = before  # its link to the command that goes stays behind
        else:
            self.after[before], self.before[after] = after, before

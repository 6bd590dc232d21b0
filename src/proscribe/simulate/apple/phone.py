"""A simulated iPhone or iPad: it enrols into a server, checks in, does as it is told as far as its kind does."""

from __future__ import annotations

import hashlib
import json
import plistlib
import uuid
from dataclasses import dataclass, replace
from typing import Any

from proscribe.simulate.apple import commands
from proscribe.simulate.apple.answers import IDLE
from proscribe.simulate.apple.device import Device
from proscribe.simulate.apple.endpoint import CHECK_IN, COMMAND, MdmEndpoint, Refused
from proscribe.simulate.apple.identity import Identity
from proscribe.simulate.apple.profiles import Profile
from proscribe.simulate.apple.spec import App, PhoneSpec

Json = dict[str, Any]

_SPACE = uuid.UUID("5d0f6d7e-2f0f-4c53-9a53-0b7a7f3c8c11")
_MOST_COMMANDS = 1000  # a check-in that never ends is a fault of the server, and should not hang a rehearsal


@dataclass(frozen=True, slots=True)
class Answered:
    """A command that came, and what the phone said to it."""

    uuid: str
    request_type: str
    status: str


class Phone:
    """One phone and the person who carries it.

    ``enrol`` it, then ``check_in`` as after a push. What was received decides ``can_launch``. One thread at a time.
    ``generation`` counts enrolments; ``answers`` is everything it ever answered, oldest first.
    """

    def __init__(self, spec: PhoneSpec) -> None:
        self.spec = spec
        self.device = Device(spec, spec.os)
        self.endpoint: MdmEndpoint | None = None
        self.identity: Identity | None = None
        self.generation = 0
        self.enrolled = False
        self.online = True
        self.answers: list[Answered] = []
        self._kept_locked: bool | None = None
        self._sync_due = False
        self._gone_at: dict[str, int] = {}
        self._reinstalled = 0

    def __repr__(self) -> str:
        return f"Phone({self.id!r}, {self.spec.enrolment}, {self.device.os})"

    # Who it is ----------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """How the server knows it: its UDID, or in User Enrolment the EnrollmentID of this enrolment."""
        if not self.device.user_enrolment:
            return self.spec.udid
        return str(uuid.uuid5(_SPACE, f"{self.spec.udid} {max(self.generation, 1)}")).upper()

    @property
    def _who(self) -> Json:
        return {"EnrollmentID" if self.device.user_enrolment else "UDID": self.id}

    @property
    def os(self) -> str:
        """The version of its system."""
        return self.device.os

    # What is true of it -------------------------------------------------------------------------------------------

    def installed(self) -> set[str]:
        """Every app on it, whether anybody is told of it or not."""
        return set(self.device.apps)

    def blocked(self) -> frozenset[str]:
        """Apps that what it received keeps from launching."""
        return self.device.blocked()

    def can_launch(self, bundle_id: str) -> bool:
        """Whether the person can open the app."""
        return self.device.can_launch(bundle_id)

    # Enrolment ----------------------------------------------------------------------------------------------------

    def enrol(self, endpoint: MdmEndpoint | None = None) -> None:
        """Enrol into the server, the first time or anew, with a new identity.

        Raises:
            Refused: the server would not have it.
        """
        self.endpoint = endpoint or self.endpoint
        if self.endpoint is None:
            raise ValueError("a phone that never enrolled needs an endpoint")
        self.generation += 1
        self.identity = self.endpoint.authority.issue(self.id)
        self._tell(self._authenticate())
        self._tell(self._token_update())
        self.enrolled = True

    def check_out(self) -> None:
        """The person removes the management, and the phone says so."""
        self._tell(self._message("CheckOut"))
        self._unmanaged()
        self.device.leave()

    def wipe(self, *, restore: bool = False) -> None:
        """Erase the phone. It says nothing to the server. ``restore``: a person's own apps come back from a copy."""
        self._unmanaged()
        self.device.erase(restore=restore)

    def _unmanaged(self) -> None:
        self.enrolled = False
        self.identity = None
        self._sync_due = False

    def _message(self, kind: str) -> Json:
        assert self.endpoint is not None  # noqa: S101 (only an enrolled phone speaks)
        return {"MessageType": kind, "Topic": self.endpoint.topic} | self._who

    def _authenticate(self) -> Json:
        told = self.device.information()
        names = ("OSVersion", "BuildVersion", "ProductName")  # a phone gives neither its name nor its model here
        message = self._message("Authenticate") | {name: told[name] for name in names}
        if not self.device.user_enrolment:
            message["SerialNumber"] = self.spec.serial
        return message

    def _token_update(self) -> Json:
        seed = f"{self.spec.udid} {self.generation}"
        message = self._message("TokenUpdate") | {
            "Token": hashlib.sha256(f"token {seed}".encode()).digest(),
            "PushMagic": str(uuid.uuid5(_SPACE, f"magic {seed}")).upper(),
        }
        if not self.device.user_enrolment:
            message["UnlockToken"] = hashlib.sha512(f"unlock {seed}".encode()).digest()
            message["AwaitingConfiguration"] = False
        return message

    # What the person does -----------------------------------------------------------------------------------------

    def lock(self) -> None:
        """Lock it until ``unlock``, whatever the person's habits."""
        self._kept_locked = True

    def unlock(self) -> None:
        """Unlock it, for good."""
        self._kept_locked = False

    def upgrade(self, os: str) -> None:
        """Install another system. Nobody is told until somebody asks; declarations are judged anew."""
        self.device.os = os
        self._sync_due = self._sync_due or self.device.declarations.on

    def user_installs(self, app: App) -> bool:
        """The person fetches an app, blocked or not, if no profile closes the store. Whether it worked."""
        if not self.device.lets_fetch(app):
            return False
        if app.id in self.device.prompts:
            self.device.prompts.pop(app.id)
            self.device.passing[app.id] = "UserInstalledApp"
        again = app.id in self.device.deleted_managed
        self.device.install(replace(app, managed=again, declared=False))
        return True

    def user_deletes(self, bundle_id: str) -> bool:
        """The person deletes an app, if nothing forbids it; whether it worked. A managed one is remembered."""
        app = self.device.apps.get(bundle_id)
        if app is None or (app.system and not app.deletable) or self.device.forbids("allowAppRemoval"):
            return False
        self.device.remove(bundle_id)
        if app.managed:
            self.device.deleted_managed.add(bundle_id)
        return True

    def _live(self) -> None:
        """What happens of itself between two check-ins (``Person``)."""
        person, now = self.spec.person, self.device.check_ins
        if self._kept_locked is None:
            self.device.locked = now <= person.locked_for
        else:
            self.device.locked = self._kept_locked
        if person.upgrades_at and now == person.upgrades_at:
            self.upgrade(person.upgrades_to)
        if person.wiped_at and now == person.wiped_at:
            self.wipe(restore=True)
            self.enrol()
        if not self.device.locked:
            self.device.decide(accepts=person.accepts, after=person.decides_after)
        self._reinstall()

    def _reinstall(self) -> None:
        person, now = self.spec.person, self.device.check_ins
        if not person.reinstalls_after:
            return
        for app in self.spec.apps:
            if app.id in self.device.apps:
                self._gone_at.pop(app.id, None)
                continue
            gone_for = now - self._gone_at.setdefault(app.id, now)
            if gone_for >= person.reinstalls_after and self._reinstalled < person.reinstalls:
                self._reinstalled += self.user_installs(app)

    def _away(self) -> bool:
        person, now = self.spec.person, self.device.check_ins
        return not self.online or person.offline_from <= now < person.offline_from + person.offline_for

    # Checking in --------------------------------------------------------------------------------------------------

    def check_in(self) -> tuple[Answered, ...]:
        """One round, as after a push: do what is queued until nothing is left, then follow the declarations.

        A phone that is offline or not enrolled does nothing; a round passes for it all the same. An answer that did not
        reach the server is forgotten: what was done is done, and the server offers the command again.

        Raises:
            Refused: the server answered neither with a command nor with nothing.
        """
        self.device.check_ins += bool(self.generation)
        if not self.enrolled or self._away():
            return ()
        self._live()
        if self.device.check_ins == self.spec.person.leaves_at:
            self.check_out()
            return ()
        answered = self._work_off()
        self.answers += answered
        self._sync()
        return tuple(answered)

    def _work_off(self) -> list[Answered]:
        answered: list[Answered] = []
        said: Json = {"Status": IDLE}
        while command := self._put(self._who | said, COMMAND):
            order = plistlib.loads(command, fmt=plistlib.FMT_XML)
            said = {"CommandUUID": order["CommandUUID"]} | self._do(order["Command"])
            answered.append(Answered(order["CommandUUID"], order["Command"]["RequestType"], said["Status"]))
            if len(answered) > _MOST_COMMANDS:
                raise RuntimeError(f"{self!r}: the queue does not end")
        return answered

    def _do(self, command: Json) -> Json:
        said = commands.answer(self.device, command, self._enrolment_profile())
        if command["RequestType"] == "DeclarativeManagement" and said["Status"] == "Acknowledged":
            self._sync_due = True
        return said

    def _enrolment_profile(self) -> Profile:
        assert self.endpoint is not None  # noqa: S101
        name = "org.lighthouses.enrolment"
        content = {
            "PayloadType": "com.apple.mdm",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"{name}.mdm",
            "PayloadUUID": str(uuid.uuid5(_SPACE, f"{name}.mdm")).upper(),
        }
        document = {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": name,
            "PayloadUUID": str(uuid.uuid5(_SPACE, name)).upper(),
            "PayloadDisplayName": "Lighthouse Enrolment",
            "PayloadContent": [content],
        }
        return Profile(document)

    # Declarations -------------------------------------------------------------------------------------------------

    def _sync(self) -> None:
        """Fetch what is declared, apply it, report. Where the server cannot just now, it is tried next time."""
        if not self._sync_due:
            return
        try:
            self.device.declarations.sync(self._declared)
            self.device.follow_declarations()
            if (report := self.device.declarations.news()) is not None:
                self._declared("status", json.dumps(report).encode())
                self.device.declarations.reported = report
        except Refused:
            return
        self._sync_due = False

    def _declared(self, endpoint: str, data: bytes) -> bytes:
        message: Json = {"MessageType": "DeclarativeManagement", "Endpoint": endpoint} | self._who
        if data:
            message["Data"] = data
        return self._put(message, CHECK_IN)

    def _tell(self, message: Json) -> None:
        self._put(message, CHECK_IN)

    def _put(self, message: Json, content_type: str) -> bytes:
        assert self.endpoint is not None  # noqa: S101
        assert self.identity is not None  # noqa: S101
        return self.endpoint.put(plistlib.dumps(message), content_type, self.identity)

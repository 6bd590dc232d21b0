"""A department: phones of every class on servers, and a real installation of Proscribe over them."""

from __future__ import annotations

import plistlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.connectors.nanomdm.world import SiteMaker, World, world

from proscribe.catalogue.model import TargetSet
from proscribe.connectors.base import AsgiApp
from proscribe.directive.library import find, target_set
from proscribe.enforce.model import DeviceOutcome
from proscribe.plan.model import Plan
from proscribe.service import enforcing, following, inventory, planning
from proscribe.service.installation import Installation, open_installation
from proscribe.service.model import TickSummary
from proscribe.simulate.apple import CertificateAuthority, Phone
from proscribe.terms import Enrolment

TIKTOK = "eu-com-2023-tiktok"
"""Of devices of every enrolment, personal ones included."""
WECHAT = "ca-tbs-2023-wechat-kaspersky"


def group_of(phone: Phone) -> str:
    """The group that the roster puts a phone into."""
    return phone.spec.department.lower()


class Department:
    """Phones in ``made``, watched over by the installation in ``home``."""

    def __init__(self, made: World, home: Path) -> None:
        self.world = made
        self.home = home

    # The organisation -------------------------------------------------------------------------------------------

    def settings(self) -> str:
        """``proscribe.toml`` for these servers."""
        site = self.world.site
        (self.home / "profiles").mkdir(exist_ok=True)
        lines = {
            "connector": "nanomdm",
            "endpoint": site.nanomdm,
            "api_key": site.api_key,
            "push": "false",
            "webhook_key": site.hook_key,
            "listen": self.world.listen,
            "kmfddm_endpoint": site.kmfddm,
            "kmfddm_key": site.kmfddm_key,
            "roster": "roster.csv",
            "profiles": "profiles",
            "default_group": "others",
            "organisation": "Lighthouse Service",
        }
        return "[systems.apple]\n" + "".join(f'{name} = "{value}"\n' for name, value in lines.items())

    def place(self, phones: Iterable[Phone]) -> None:
        """Write the roster: a phone's group and department are those of its spec. A person's own phone is known by its
        enrolment alone."""
        rows = ["enrolment_id,serial,group,department,name"]
        for phone in phones:
            own = phone.spec.enrolment is Enrolment.user_enrolment
            named = (phone.id, "") if own else ("", phone.spec.serial)
            rows.append(",".join((*named, group_of(phone), phone.spec.department, phone.spec.name)))
        (self.home / "roster.csv").write_text("\n".join(rows) + "\n", "utf-8")
        (self.home / "profiles").mkdir(exist_ok=True)

    def hand_over(self, group: str, *blocked: str) -> dict[str, object]:
        """Write the organisation's own profile of a group; gives the document."""
        restrictions = {
            "PayloadType": "com.apple.applicationaccess",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"org.lighthouses.{group}.restrictions",
            "PayloadUUID": "8E5C3B52-8A0B-4C9A-9A0B-0D5F3B7C1A11",
            "allowCamera": False,
            "blockedAppBundleIDs": list(blocked),
        }
        document = {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"org.lighthouses.{group}",
            "PayloadUUID": "5B0B7B3C-0A4E-4E0C-8E6D-2D7C1B9A4F22",
            "PayloadDisplayName": "Lighthouse Restrictions",
            "PayloadScope": "System",
            "PayloadContent": [restrictions],
        }
        folder = self.home / "profiles"
        folder.mkdir(exist_ok=True)
        (folder / f"{group}.mobileconfig").write_bytes(plistlib.dumps(document))
        return document

    # Proscribe --------------------------------------------------------------------------------------------------

    def open(self, actor: str = "tester") -> Installation:
        """The installation, as a process just started would open it."""
        return open_installation(self.home, actor=actor, clock=self.world.clock)

    def ask(self, rounds: int = 4) -> None:
        """Ask devices what must be known of them, until nobody has anything to say; nothing is changed on them."""
        for _ in range(rounds):
            following.follow_up(self.open(), asking_only=True)
            if not self.world.check_in():
                return
            self.world.clock.advance(minutes=5)

    def targets(self, directive: str) -> TargetSet:
        """A directive's target set as a person approved it."""
        found = target_set(find(directive), now=self.world.clock.now())
        return replace(found, reviewed_by="security officer", reviewed_on=self.world.clock.now().date())

    def plan(self, directive: str = TIKTOK, **choices: object) -> Plan:
        """Observe and plan."""
        installation = self.open()
        inventory.observe(installation)
        asked = {"removal_limit": "unlimited", "reach_limit": "unlimited", "rings": ("all=unlimited",), **choices}
        chosen = planning.Choices(targets=self.targets(directive), **asked)  # type: ignore[arg-type]
        return planning.propose(installation, directive, chosen)

    def apply(self, plan: Plan) -> TickSummary:
        """Approve a plan, and every change that the fleet will need under it."""
        return enforcing.apply(self.open("officer"), plan, approved=True, standing=True)

    def tick(self, *, check_in: bool = True, **delta: float) -> TickSummary:
        """Some time later: one round of Proscribe, then one of the phones."""
        self.world.clock.advance(**(delta or {"hours": 1}))
        summary = enforcing.tick(self.open("watch"))
        if check_in:
            self.world.check_in()
        return summary

    def lift(self, directive: str) -> TickSummary:
        """Take a ban back."""
        return enforcing.lift(self.open("officer"), directive, "no longer needed")

    # What came of it --------------------------------------------------------------------------------------------

    def outcomes(self, directive: str = TIKTOK) -> dict[str, DeviceOutcome]:
        """The outcomes as last judged, by NanoMDM's own id of the device."""
        found = self.open().stores.outcomes.latest(directive)
        return {each.device.removeprefix("nanomdm:"): each for each in found}

    def phone(self, enrolment_id: str) -> Phone | None:
        """The phone that has this id now; None for an enrolment that ended."""
        return next((phone for phone in self.world.phones if phone.id == enrolment_id), None)


def tally(outcomes: Iterable[DeviceOutcome]) -> Counter[tuple[str, str]]:
    """How many devices have which outcome, by class."""
    return Counter((each.enrolment.value, each.outcome.value) for each in outcomes)


@contextmanager
def department(make: SiteMaker, authority: CertificateAuthority, home: Path) -> Iterator[Department]:
    """A department without phones, alive for as long as the block runs."""

    def application(made: World) -> AsgiApp:
        (home / "proscribe.toml").write_text(Department(made, home).settings(), "utf-8")
        receiver: AsgiApp = open_installation(home, actor="receiver", clock=made.clock).connectors["nanomdm"].receiver()
        return receiver

    with world(make, authority, application) as made:
        yield Department(made, home)

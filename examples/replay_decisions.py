"""Two Canadian bans of 2023 and BOD 17-01, taken through the whole life of a case.

``python examples/replay_decisions.py [--out FOLDER] [--without DOCUMENT]``

Dates, reasons, force and the vendor's window are those of the public record (precedents.yaml beside this file). What
the life cycle asks for and nobody outside knows is filled in, and says so. The phones are simulated. Before each step
the script leaves out every document of it in turn: the step must be refused, and name what is missing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import replay_documents as papers
from replay_documents import Precedent, moment

from proscribe.clock import ManualClock, use_clock
from proscribe.decide import pages
from proscribe.decide.model import Stage, Track
from proscribe.decide.process import StepRefused
from proscribe.decide.record import record
from proscribe.documents import Document, parse
from proscribe.plan.model import Plan
from proscribe.publish.notices.model import Audience
from proscribe.service import (
    attesting,
    casework,
    enforcing,
    inventory,
    planning,
    publishing,
    standing,
    trusting,
)
from proscribe.service.installation import Installation, open_installation
from proscribe.service.model import Standing
from proscribe.simulate.amapi import AmapiSimulator, FleetSpec, make_fleet
from proscribe.simulate.amapi.fleet import BannedApp
from proscribe.text import Text
from proscribe.trust import envelope
from proscribe.trust.keys import KeyPair, new_pair
from proscribe.trust.model import KeyList, PublicKey, Rule, Scheme, Storage

HERE = Path(__file__).parent
SEATS = {
    "cio": Scheme.ecdsa_p256,
    "security": Scheme.ed25519,
    "legal": Scheme.ml_dsa_65,
    "case-officer": Scheme.ed25519,
}
SIGNED = ("proscribe.directive", "proscribe.target-set", "proscribe.plan")
APPS = {"com.zhiliaoapp.musically": "TikTok", "com.tencent.mm": "WeChat", "com.kms.free": "Kaspersky"}


@dataclass
class Replay:
    """One decision on its way."""

    precedent: Precedent
    home: Path
    clock: ManualClock
    leave_out: str = ""
    keys: dict[str, KeyPair] = field(default_factory=dict)
    known: dict[str, Document] = field(default_factory=dict)
    left_out: int = 0

    @property
    def case(self) -> str:
        """The id of the case."""
        return f"replay-{self.precedent.id}"

    def open(self, role: str) -> Installation:
        """The installation, as that role."""
        return open_installation(self.home, actor=role, clock=self.clock)

    def on(self, day: date, hour: int = 9) -> datetime:
        """Let time pass until then; hours of one day go on as steps are taken."""
        wanted = moment(day, hour)
        self.clock.sleep(max(0.0, (wanted - self.clock.now()).total_seconds()) or 60.0)
        return self.clock.now()

    def take(self, stage: Stage, role: str, documents: dict[str, Any]) -> None:
        """Take one step: first without each of its documents, which must be refused by name, then with all."""
        for name in documents:
            rest = {key: value for key, value in documents.items() if key != name}
            self.left_out += self.refused(stage, role, rest, name)
        kept = {key: value for key, value in documents.items() if key != self.leave_out}
        step = casework.advance(self.open(role), self.case, stage, kept)
        self.known.update(documents)
        print(
            f"  {step.at:%Y-%m-%d %H:%M}  {stage.value:<12} {role:<14} {', '.join(one.name for one in step.documents)}"
        )

    def refused(self, stage: Stage, role: str, documents: dict[str, Any], name: str) -> bool:
        """Whether a step without a document is refused and names it; what may be left out is let pass, and undone."""
        try:
            with _undone(self.open(role)):
                casework.advance(self.open(role), self.case, stage, documents)
        except StepRefused as refusal:
            if refusal.stage is stage and any(one.name == name for one in refusal.missing):
                return True
            raise
        except _Undo:
            if name == "notice.vendor":
                return False  # the vendor was told before, or not at all: a waiver says which
            raise AssertionError(f"{stage}: went on without {name}") from None
        return False


class _Undo(Exception):
    """Takes back what was tried."""


@contextmanager
def _undone(installation: Installation) -> Iterator[None]:
    with installation.atomic():
        yield
        raise _Undo


def prepare(replay: Replay) -> None:
    """Four seats with a key each, and the list that says what they may sign: two of three, and never the author."""
    replay.keys = {seat: new_pair(scheme) for seat, scheme in SEATS.items()}
    now = replay.clock.now()
    keys = KeyList(
        organisation=replay.precedent.directive.authority.body,
        version=1,
        issued=now,
        expires=now + timedelta(days=3650),
        keys=tuple(
            PublicKey(
                id=pair.id,
                scheme=pair.scheme,
                public=pair.public,
                holder=seat,
                roles=(seat,),
                storage=Storage.plain_file,
                valid_from=now,
                valid_until=now + timedelta(days=3650),
            )
            for seat, pair in replay.keys.items()
        ),
        rules=(Rule(kinds=(*SIGNED, "proscribe.key-list"), roles=("cio", "security", "legal"), threshold=2),),
    )
    signed = _signed(replay, keys, "cio", "legal")
    trusting.install(replay.open("case-officer"), signed, pin=signed.of)


def _signed(replay: Replay, document: Document, *seats: str) -> Any:
    sealed = envelope.prepare(document, by="case-officer", at=replay.clock.now())
    for seat in seats:
        sealed = envelope.sign(sealed, replay.keys[seat].signer())
    return sealed


def decide(replay: Replay) -> None:
    """From the concern to a signed decision; on the interim track the vendor is heard after it."""
    day = replay.precedent.announced
    eve = day - timedelta(days=1) if replay.precedent.track is Track.standard else day
    case = papers.head(replay.precedent, replay.on(eve, 8))
    casework.open_case(replay.open("analyst"), case)
    print(f"  {case.opened_at:%Y-%m-%d %H:%M}  intake       analyst        ({case.track.value} track)")
    at = replay.on(eve)
    replay.take(Stage.assess, "analyst", {"evidence": papers.evidence(replay.precedent, case.id, at)})
    replay.on(eve, 10)
    replay.take(
        Stage.targets,
        "security",
        {"directive": replay.precedent.directive, "targets": papers.targets(replay.precedent, eve)},
    )
    if replay.precedent.track is Track.standard:
        hear(replay, eve)
    at = replay.on(day, 12)
    made = papers.decision(replay.precedent, case, at, replay.known, final=replay.precedent.track is Track.standard)
    replay.take(Stage.decide, "cio", {"decision": made})
    replay.on(day, 13)
    installation = replay.open("case-officer")
    for name, seats in (("directive", ("cio", "legal")), ("targets", ("security", "legal"))):
        replay.left_out += replay.refused(Stage.sign, "case-officer", {}, f"signature.{name}")
        if f"signature.{name}" != replay.leave_out:
            trusting.register(installation, _signed(replay, replay.known[name], *seats))
    replay.take(Stage.sign, "case-officer", {})


def hear(replay: Replay, day: date) -> None:
    """Impact, vendor and reviews."""
    replay.take(Stage.impact, "analyst", {"impact": papers.impact(replay.case, replay.on(day, 10))})
    sent = replay.precedent.window[0] if replay.precedent.window else day
    replay.on(sent, 11)
    replay.take(Stage.vendor, "case-officer", {"vendor": papers.vendor(replay.precedent, replay.case, sent)})
    replay.on(sent, 12)
    replay.take(Stage.reviews, "case-officer", papers.opinions(replay.case, sent))


def publish(replay: Replay) -> None:
    """Four notices in both languages, and the department's word that it has them."""
    replay.on(replay.precedent.announced, 14)
    made = publishing.notices(replay.open("case-officer"), replay.case, audiences=tuple(Audience))
    replay.take(Stage.publish, "case-officer", {f"notice.{one.audience.value}": one for one in made})
    if replay.precedent.track is Track.interim:
        hear(replay, replay.precedent.announced)
    installation = replay.open("operator")
    inventory.observe(installation)
    given = attesting.acknowledge(
        installation, replay.precedent.id, owner="operator", byod=Text("Out of scope.", "Non visés.")
    )
    replay.take(Stage.acknowledge, "operator", {"acknowledgement": given})


def act(replay: Replay) -> None:
    """Plan, sign the plan, carry it out on simulated phones, look at them again; then attest."""
    start = replay.precedent.last_interim_day or replay.precedent.directive.effective or replay.precedent.announced
    replay.on(start, 15)
    installation = replay.open("operator")
    inventory.observe(installation)
    plan: Plan = planning.propose(
        installation,
        replay.precedent.id,
        planning.Choices(targets=replay.known["targets"], removal_limit="unlimited", rings=("all=unlimited",)),
    )
    trusting.register(installation, _signed(replay, plan, "security", "cio"))
    enforcing.apply(replay.open("operator"), plan, approved=True)
    order: Standing = standing.order_of(installation, replay.precedent.id)
    if replay.precedent.track is Track.interim:
        confirm(replay, start)
    replay.take(Stage.act, "operator", {"action": order})
    for _ in range(6):
        replay.clock.advance(hours=12)
        enforcing.tick(replay.open("operator"))
    given = attesting.attest(replay.open("operator"), replay.precedent.id, signed_off_by="operator")
    replay.take(Stage.attest, "operator", {"attestation": given})
    counts = standing.status(replay.open("operator"), replay.precedent.id).outcomes
    print("  outcomes: " + ", ".join(f"{key.value} {count}" for key, count in counts.items() if count))


def confirm(replay: Replay, day: date) -> None:
    """The vendor's window is over: the decision stands, or it would have ended by itself."""
    case = papers.head(replay.precedent, replay.clock.now())
    made = papers.decision(replay.precedent, case, replay.on(day, 16), replay.known, final=True)
    replay.take(Stage.confirm, "cio", {"decision": made})


def review(replay: Replay) -> None:
    """A year on."""
    day = replay.clock.now().date() + timedelta(days=365)
    replay.on(day)
    replay.take(Stage.review, "security", {"review": papers.later_review(replay.case, day)})


CHAPTERS: tuple[Callable[[Replay], None], ...] = (prepare, decide, publish, act, review)


def run(precedent: Precedent, out: Path, *, leave_out: str = "", devices: int = 40) -> Replay:
    """Replay one decision into a folder; the case is left there as files. Raises StepRefused where one is left out."""
    home = out / precedent.id
    home.mkdir(parents=True)
    eve = moment(precedent.announced - timedelta(days=2), 8)
    clock = ManualClock(eve)
    banned = tuple(BannedApp(app, name, share=0.1) for app, name in APPS.items())
    fleet = make_fleet(FleetSpec(devices=devices, start=eve, banned=banned, guaranteed=(), behaviours=()))
    with use_clock(clock), AmapiSimulator(fleet, clock, tokens=["replay"]) as simulator:
        (home / "proscribe.toml").write_text(_settings(simulator.endpoint), encoding="utf-8")
        replay = Replay(precedent, home, clock, leave_out=leave_out)
        for chapter in CHAPTERS:
            chapter(replay)
        casework.export(replay.open("case-officer"), replay.case, home / "case")
        file = casework.show(replay.open("case-officer"), replay.case).file
        for language in ("en", "fr"):
            (home / f"record_{language}.html").write_text(pages.html(record(file), language), encoding="utf-8")
    return replay


def _settings(endpoint: str) -> str:
    return (
        'department = "replay"\n'
        f'[systems.android]\nconnector = "amapi"\nenterprise = "enterprises/lighthouses"\n'
        f'endpoint = "{endpoint}"\ntoken = "replay"\n'
        '[notices]\noffice = {en = "Office of the replay", fr = "Bureau de la reconstitution"}\n'
        'email = "office@example.org"\n'
    )


def main() -> int:
    """Replay all three; exit status 1 where a fact disagrees with the directive that ships."""
    parser = argparse.ArgumentParser(description="Replay three real decisions through the whole life of a case.")
    parser.add_argument("--precedents", type=Path, default=HERE / "precedents.yaml", help="file with the facts")
    parser.add_argument("--out", type=Path, help="folder for what is made (default: a temporary one)")
    parser.add_argument("--without", default="", metavar="NAME", help="leave out a document: 'impact', 'review.legal'")
    options = parser.parse_args()
    facts = parse(options.precedents.read_text(encoding="utf-8"))["directives"]
    out = options.out or Path(tempfile.mkdtemp(prefix="replay-"))
    faults = 0
    for one in facts:
        precedent = Precedent(one)
        print(f"\n{precedent.id}: {precedent.directive.title.en}")
        for disagreement in papers.disagreements(precedent):
            faults += 1
            print(f"  the shipped directive and the record disagree on {disagreement}")
        try:
            replay = run(precedent, out, leave_out=options.without)
        except StepRefused as refusal:
            print(f"  REFUSED: {refusal.what.en}")
            faults += not options.without
            continue
        print(f"  documents left out in turn, each refused by name: {replay.left_out}")
    print(f"\nCases as files, records and proofs: {out}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

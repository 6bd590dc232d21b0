"""The rehearsal's story. Every step is the command that an administrator would type, run in this process.

Only the clock is not real: simulated days pass in seconds, for the commands and for the simulated phones alike.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import click

from proscribe.cli.output import progress
from proscribe.cli.rehearsal_apple import ApplePhones
from proscribe.cli.rehearsal_signing import Seats
from proscribe.cli.root import root
from proscribe.clock import ManualClock, use_clock
from proscribe.connectors.base import Listens
from proscribe.documents import read
from proscribe.enforce.model import Outcome
from proscribe.errors import ProscribeError, Where
from proscribe.plan.model import Plan
from proscribe.service import enforcing, standing
from proscribe.service.installation import open_installation
from proscribe.service.model import TickSummary
from proscribe.simulate.amapi import AmapiSimulator, Behaviour, Fleet, FleetSpec, SimDevice, make_fleet
from proscribe.simulate.exports import write_exports
from proscribe.simulate.exports.department import BRANCHES
from proscribe.simulate.nanomdm.stage import Stage
from proscribe.terms import Enrolment
from proscribe.text import Text, devices, language, number, plural

DIRECTIVE = "ca-tbs-2023-wechat-kaspersky"
START = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
ENTERPRISE = "enterprises/northern-lighthouses"
LIVE_SHARE = 0.12  # of all devices, those of the live Android fleet
APPLE_SHARE = 0.012  # and the live Apple phones
TOKEN = "rehearsal"  # noqa: S105 (the simulator's, on this machine only)
_MARK = ".proscribe-rehearsal"

# Minutes between the ticks: close together while the waves go out, then once a day.
_TICKS = (*[60] * 9, 360, 720, 1440, 1440)


class NotOurFolder(ProscribeError):
    """The output folder holds something that no rehearsal made."""

    code = "rehearsal.folder"


class Rehearsal:
    """One run of the story."""

    def __init__(self, out: Path, *, devices: int, seed: int) -> None:
        self._out = out
        self._seed = seed
        self._live = round(devices * LIVE_SHARE)
        apple = max(20, round(devices * APPLE_SHARE))
        self._listed = devices - self._live - apple
        self._apple = ApplePhones(out / "apple", number=apple, seed=seed)
        self._clock = ManualClock(START)
        self._seats = Seats(out / "seats", self._type)
        self._step = 0

    def run(self) -> int:
        """Play it. Returns the exit status: 0 when the proof holds and the outcomes add up."""
        self._make_folder()
        fleet = self._fleet()
        with (
            use_clock(self._clock),
            self._home(),
            AmapiSimulator(fleet, self._clock, tokens=[TOKEN]) as simulator,
            self._apple.running() as stage,
        ):
            self._settings(simulator.endpoint, self._apple.settings(stage))
            connector = open_installation(actor="receiver").connectors["nanomdm"]
            with self._apple.enrolled(stage, cast("Listens", connector)):
                self._see(stage)
                self._decide(fleet)
                self._carry_out()
                return self._prove()

    # -- the chapters ------------------------------------------------------------------------------------------------

    def _see(self, stage: Stage) -> None:
        self._say(
            Text(
                "Three sources: four exports, a live Android fleet, and iPhones that answer when they next call.",
                "Trois sources : quatre exportations, un parc Android en service et des iPhone qui répondent à leur "
                "prochain contact.",
            )
        )
        click.echo(str(_servers(stage)))
        exports = write_exports(
            self._out / "exports", seed=self._seed, devices=self._listed, moment=START, phase="before"
        )
        paths = [str(path) for path in exports.values()]
        self._type("import", *paths)
        self._type("observe", quiet=True)
        self._apple.call()  # the phones are told apart and asked for their apps, and answer
        self._type("observe", quiet=True)
        self._apple.call()
        self._type("observe", quiet=True)
        self._say(Text("Who has a banned app?", "Qui a une application interdite?"))
        self._type("check", *paths, "--directive", DIRECTIVE)

    def _decide(self, fleet: Fleet) -> None:
        self._say(
            Text(
                "Two of three offices sign the directive and its targets. One alone is refused.",
                "Deux sièges sur trois signent la directive et ses cibles. Un seul est refusé.",
            )
        )
        self._seats.appoint()
        self._seats.sign_ban(DIRECTIVE)
        excused = self._excused(fleet)
        self._say(
            Text(
                "One officer needs the app for a stated ground. An exemption names the phone and ends.",
                "Une agente a besoin de l'application pour un motif énoncé. L'exemption nomme l'appareil et prend fin.",
            )
        )
        self._type(
            *("exempt", "add", "outreach-1", "--directive", DIRECTIVE, "--device", f"amapi:{excused.name}"),
            *("--ground", str(Text("contact with mariners abroad", "liaison avec des marins à l'étranger"))),
            *("--requested-by", "outreach-lead", "--approved-by", "chief-security-officer"),
            *("--starts", "2026-11-02", "--expires", "2027-05-01"),
        )
        self._say(
            Text(
                "Plan. What cannot be done stands first; the exempt phone's shared policy is refused.",
                "Planifier. Ce qui est impossible vient en premier; la stratégie partagée de l'appareil exempté est "
                "refusée.",
            )
        )
        plan = self._out / "plan.json"
        self._type("plan", DIRECTIVE, "--out", str(plan))
        self._say(
            Text(
                "So the administrator gives that phone a policy of its own, and plans again.",
                "L'administratrice donne donc à cet appareil sa propre stratégie et planifie de nouveau.",
            )
        )
        excused.policy = f"{ENTERPRISE}/policies/outreach-exempt"
        self._clock.advance(hours=2)
        self._type("observe", quiet=True)
        self._type("plan", DIRECTIVE, "--out", str(plan), quiet=True)
        again = read(Plan, plan)
        reached = sum(wave.devices for wave in again.waves)
        click.echo(
            str(
                Text(
                    f"It reaches {devices(reached).en} now: those in the shared policy are no longer left out.",
                    f"Appareils touchés maintenant\u00a0: {number(reached).fr}; ceux de la stratégie partagée ne sont "
                    "plus laissés de côté.",
                )
            )
        )

    def _carry_out(self) -> None:
        self._say(
            Text(
                "A plan for more than 100 devices is signed, too. Apply: planned again first, then the canary wave "
                "alone.",
                "Un plan visant plus de 100 appareils se signe aussi. Appliquer\u00a0: on planifie encore une fois, "
                "puis la vague canari part seule.",
            )
        )
        self._seats.sign_plan(self._out / "plan.json")
        self._type("apply", str(self._out / "plan.json"), "--approve", "--as", "mobility-administrator")
        self._say(
            Text(
                "Let the loop run for some simulated days. A wave starts when the one before is verified.",
                "Laisser tourner la boucle quelques jours simulés. Une vague part quand la précédente est vérifiée.",
            )
        )
        with progress() as bar:
            task = bar.add_task(str(Text("simulated days", "jours simulés")), total=len(_TICKS))
            lines: list[str] = []
            waits: list[str] = []
            for minutes in _TICKS:
                self._clock.advance(minutes=minutes)
                summary = enforcing.tick(open_installation(actor="proscribe-watch"))
                self._apple.call()
                lines.append(_line(summary))
                waits += [str(text) for text in summary.waits if str(text) not in waits]
                bar.advance(task)
        click.echo("\n".join([*lines, *(f"  - {text}" for text in waits[:3])]))
        self._say(
            Text(
                "The other systems are read from files: new exports show which users removed the app themselves.",
                "Les autres systèmes sont lus à partir de fichiers : de nouvelles exportations montrent quels "
                "utilisateurs ont eux-mêmes retiré l'application.",
            )
        )
        later = write_exports(
            self._out / "exports-later", seed=self._seed, devices=self._listed, moment=self._clock.now(), phase="later"
        )
        self._type("import", *(str(path) for path in later.values()), quiet=True)
        self._type("watch", "--once", quiet=True)
        self._say(
            Text(
                "What is true now, as the phones themselves showed it:",
                "Ce qui est vrai maintenant, tel que les appareils eux-mêmes l'ont montré :",
            )
        )
        self._type("status", DIRECTIVE)

    def _prove(self) -> int:
        self._say(
            Text(
                "Prove it: a report to read, a bundle to verify without us.",
                "Le prouver : un rapport à lire, un dossier à vérifier sans nous.",
            )
        )
        report, proof = self._out / "report.html", self._out / "proof.zip"
        self._type("report", DIRECTIVE, "--out", str(report))
        self._type("prove", "export", DIRECTIVE, "--out", str(proof), quiet=True)
        verified = self._type("prove", "verify", str(proof), "--key-list", self._seats.key_list)
        found = standing.status(open_installation(actor="auditor"), DIRECTIVE)
        whole = sum(found.outcomes.values())
        click.echo(
            str(
                Text(
                    f"\nOutcomes: {number(whole).en}; devices in scope: {number(found.fleet).en}. "
                    f"Look at {report} and {proof}.",
                    f"\nRésultats : {number(whole).fr}; appareils visés : {number(found.fleet).fr}. "
                    f"Voir {report} et {proof}.",
                )
            )
        )
        return 0 if verified == 0 and whole == found.fleet and report.exists() else 1

    # -- the stage ---------------------------------------------------------------------------------------------------

    def _fleet(self) -> Fleet:
        """The live fleet, with one policy that cannot remove anything and one kept ready for an exempt phone."""
        locked = "ice-watch-fully_managed"
        fleet = make_fleet(
            FleetSpec(
                devices=self._live,
                enterprise=ENTERPRISE,
                departments=BRANCHES,
                seed=self._seed,
                start=START,
                policy_settings=((locked, json.dumps({"uninstallAppsDisabled": True})),),
            )
        )
        for device in fleet.devices.values():
            if device.behaviour is Behaviour.reinstaller:  # syncs seldom, so that a tick meets the app put back
                device.period, device.reinstall_after = 3 * 3600.0, 3600.0
        like = next(one for one in fleet.policies() if one["name"].endswith("fully_managed"))
        own = {**like, "name": f"{ENTERPRISE}/policies/outreach-exempt", "version": "1"}
        return Fleet(ENTERPRISE, [*fleet.policies(), own], list(fleet.devices.values()))

    @staticmethod
    def _excused(fleet: Fleet) -> SimDevice:
        """A phone with the app, fully managed, under a policy that many share."""
        return next(
            device
            for device in fleet.devices.values()
            if device.enrolment is Enrolment.fully_managed
            and device.behaviour is Behaviour.normal
            and "com.tencent.mm" in device.apps
            and "ice-watch" not in device.policy
        )

    def _settings(self, endpoint: str, apple: str) -> None:
        (self._out / "home" / "proscribe.toml").write_text(
            "[organisation]\n"
            'en = "Department of Northern Lighthouses (fictional)"\n'
            'fr = "Ministère des Phares du Nord (fictif)"\n\n'
            "[systems.android]\n"
            'connector = "amapi"\n'
            f'enterprise = "{ENTERPRISE}"\n'
            f'endpoint = "{endpoint}"\n'
            f'token = "{TOKEN}"\n' + apple,
            encoding="utf-8",
        )

    def _make_folder(self) -> None:
        """Make the output folder anew, and never delete what is not ours."""
        if self._out.exists() and any(self._out.iterdir()):
            if not (self._out / _MARK).exists():
                raise NotOurFolder(
                    Text("this folder holds other things", "ce dossier contient autre chose"),
                    remedy=Text(
                        "Name a new or empty folder with --out.", "Désignez avec --out un dossier nouveau ou vide."
                    ),
                    where=Where(file=str(self._out)),
                )
            shutil.rmtree(self._out)
        (self._out / "home").mkdir(parents=True)
        (self._out / _MARK).touch()

    @contextmanager
    def _home(self) -> Iterator[None]:
        before = os.environ.get("PROSCRIBE_HOME")
        os.environ["PROSCRIBE_HOME"] = str((self._out / "home").absolute())
        try:
            yield
        finally:
            if before is None:
                del os.environ["PROSCRIBE_HOME"]
            else:
                os.environ["PROSCRIBE_HOME"] = before

    def _say(self, text: Text) -> None:
        self._step += 1
        click.secho(f"\n{self._step}. {text}", bold=True)

    def _type(self, *words: str, quiet: bool = False) -> int:
        """Show the command and run it, as if it had been typed."""
        shown = " ".join(f'"{word}"' if " " in word else word for word in words)
        click.secho(f"\n$ proscribe {shown}", dim=True)
        arguments = ["--lang", language(), *words]
        if quiet:
            with open(os.devnull, "w", encoding="utf-8") as nowhere, _stdout(nowhere):  # noqa: PTH123
                status = root.main(arguments, prog_name="proscribe", standalone_mode=False)
        else:
            status = root.main(arguments, prog_name="proscribe", standalone_mode=False)
        return status if isinstance(status, int) else 0


@contextmanager
def _stdout(stream: object) -> Iterator[None]:
    from contextlib import redirect_stdout

    with redirect_stdout(stream):  # type: ignore[type-var]
        yield


def _servers(stage: Stage) -> Text:
    """Which Apple servers the rehearsal speaks to."""
    if stage.programs:
        named = " + ".join(stage.programs)
        return Text(
            f"(The iPhones are simulated; the servers they enrol into are real: {named}.)",
            f"(Les iPhone sont simulés; les serveurs auxquels ils s'inscrivent sont réels : {named}.)",
        )
    return Text(
        "(The iPhones and their server are simulated. 'make servers' builds the real NanoMDM and KMFDDM.)",
        "(Les iPhone et leur serveur sont simulés. « make servers » construit les véritables NanoMDM et KMFDDM.)",
    )


def _line(summary: TickSummary) -> str:
    """One tick in one line."""
    report = summary.statuses[0]
    pending = report.outcomes.get(Outcome.pending_sync, 0)
    blind = report.outcomes.get(Outcome.enforced_blind, 0)
    failed = report.outcomes.get(Outcome.failed, 0)
    drift = summary.drift[0] if summary.drift else None
    marks = []
    if summary.counts.get("sent"):
        one, many = Text("order sent", "ordre envoyé"), Text("orders sent", "ordres envoyés")
        marks.append(str(plural(summary.counts["sent"], one, many)))
    if drift and drift.reinstalled:
        one, many = Text("REINSTALLED", "RÉINSTALLÉE"), Text("REINSTALLED", "RÉINSTALLÉES")
        marks.append(str(plural(drift.reinstalled, one, many)))
    done = report.compliant
    text = Text(
        f"  {summary.at:%b %d %H:%M}  verified {done:>4}  blind {blind:>3}  waiting {pending:>4}  failed {failed:>2}",
        f"  {summary.at:%m-%d %H:%M}  vérifiés {done:>4}  sans visibilité {blind:>3}  en attente {pending:>4}  "
        f"échecs {failed:>3}",
    )
    return f"{text}  {'; '.join(marks)}".rstrip()

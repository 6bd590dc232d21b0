"""``proscribe case``: a decision from the concern to its review, with everything it rests on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proscribe.cli import case_files, case_papers
from proscribe.cli.options import CommandGroup, installation_options, open_installation
from proscribe.cli.output import json_option, print_json, print_table
from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.decide.model import Stage
    from proscribe.documents import Document
    from proscribe.service.installation import Installation

STAGES = (
    *("intake", "assess", "targets", "impact", "vendor", "reviews", "decide", "sign", "publish", "acknowledge", "act"),
    *("attest", "confirm", "review", "amend", "supersede", "revoke"),
)
ORIGINS = ("concern", "referral", "partner", "feed", "assessment")
_BOTH = str(Text("EN FR", "EN FR"))


@click.group(
    cls=CommandGroup,
    help=str(
        Text(
            "Cases: from a concern to a decision, and what becomes of it. Each step needs its documents; what is "
            "missing is named.",
            "Dossiers de décision\u00a0: de la préoccupation à la décision et à ses suites. Chaque étape exige "
            "ses documents; ce qui manque est nommé.",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


@command.command(
    "open",
    help=str(
        Text("Open a case. Its intake is its first step.", "Ouvrir un dossier. Sa réception en est la première étape.")
    ),
)
@click.argument("case_id", metavar="ID")
@click.option(
    "--title", nargs=2, metavar=_BOTH, required=True, help=str(Text("In both languages.", "Dans les deux langues."))
)
@click.option(
    "--concern",
    nargs=2,
    metavar=_BOTH,
    required=True,
    help=str(Text("What opens the case, in both languages.", "Ce qui ouvre le dossier, dans les deux langues.")),
)
@click.option(
    "--origin",
    type=click.Choice(ORIGINS),
    default="concern",
    show_default=True,
    help=str(Text("Where it comes from.", "Sa provenance.")),
)
@click.option(
    "--directive",
    default="",
    help=str(
        Text("Id of the directive it is to make, or received.", "Identifiant de la directive à produire ou reçue.")
    ),
)
@click.option(
    "--urgency",
    nargs=2,
    metavar=_BOTH,
    help=str(
        Text(
            "Why it cannot wait: opens it on the interim track.",
            "Pourquoi cela ne peut attendre\u00a0: ouvre le dossier sur la voie provisoire.",
        )
    ),
)
@click.option(
    "--interim-until",
    type=click.DateTime(["%Y-%m-%d"]),
    help=str(Text("Last day of an interim decision.", "Dernier jour d'une décision provisoire.")),
)
@click.option(
    "--received",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=str(Text("The document that came in (partner, feed).", "Le document reçu (partner, feed).")),
)
@installation_options
def open_(
    case_id: str,
    title: tuple[str, str],
    concern: tuple[str, str],
    home: Path | None,
    actor: str,
    received: Path | None,
    **more: object,
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.decide.model import Origin, Track
    from proscribe.documents import digest
    from proscribe.service import casework
    from proscribe.service.kinds import read_any

    installation = open_installation(home, actor)
    document = read_any(received) if received else None
    urgency, until = more["urgency"], more["interim_until"]
    case = casework.new_case(
        installation,
        case_id,
        Text(*title),
        Text(*concern),
        origin=Origin(str(more["origin"])),
        directive=more["directive"],
        track=Track.interim if urgency or until else Track.standard,
        urgency=Text(*urgency) if isinstance(urgency, tuple) else None,
        interim_until=until.date() if isinstance(until, datetime) else None,
        received=digest(document) if document else None,
    )
    casework.open_case(installation, case, {"received": document} if document else None)
    click.echo(str(Text(f"Case {case_id} opened.", f"Dossier {case_id} ouvert.")))


@command.command(
    "list", help=str(Text("List cases, or what is due in them.", "Énumérer les dossiers, ou les échéances."))
)
@click.option(
    "--due",
    "only_due",
    is_flag=True,
    help=str(
        Text(
            "What is due: replies, reviews, interim decisions that end, cases that lie still.",
            "Les échéances\u00a0: réponses, réexamens, fin de décisions provisoires, dossiers immobiles.",
        )
    ),
)
@installation_options
@json_option
def list_(home: Path | None, actor: str, only_due: bool, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    installation = open_installation(home, actor)
    if only_due:
        _due(installation, as_json=as_json)
    else:
        _cases(installation, as_json=as_json)


def _due(installation: Installation, *, as_json: bool) -> None:
    from proscribe.service import casework

    found = casework.due(installation, installation.clock.now())
    if as_json:
        print_json(
            [
                {
                    "case": one.case,
                    "what": {"en": one.what.en, "fr": one.what.fr},
                    "on": str(one.on),
                    "overdue": one.overdue,
                }
                for one in found
            ]
        )
        return
    late = Text("overdue", "en retard")
    print_table(
        str(Text("Due", "Échéances")),
        [str(Text("Case", "Dossier")), str(Text("What", "Quoi")), str(Text("Day", "Jour")), ""],
        [(one.case, one.what, one.on, late if one.overdue else "") for one in found],
    )


def _cases(installation: Installation, *, as_json: bool) -> None:
    from proscribe.decide.process import stage_of
    from proscribe.decide.words import STAGES as WORDS
    from proscribe.decide.words import TRACKS
    from proscribe.documents import to_json
    from proscribe.service import casework

    files = casework.listed(installation)
    if as_json:
        print_json(
            [{**to_json(file.case), "stage": stage_of(file.steps), "head": casework.head_of(file)} for file in files]
        )
        return
    rows = []
    for file in files:
        stage = stage_of(file.steps)
        last = file.steps[-1].at if file.steps else file.case.opened_at
        rows.append(
            (file.case.id, file.case.title, TRACKS[file.case.track], WORDS[stage] if stage else "-", last.date())
        )
    print_table(
        str(Text("Cases", "Dossiers")),
        [
            "ID",
            str(Text("Title", "Titre")),
            str(Text("Track", "Voie")),
            str(Text("Stage", "Étape")),
            str(Text("Since", "Depuis")),
        ],
        rows,
    )


@command.command(
    help=str(
        Text(
            "Where a case stands, and what the next stages lack.",
            "L'état d'un dossier, et ce qui manque aux étapes suivantes.",
        )
    )
)
@click.argument("case_id", metavar="ID")
@installation_options
@json_option
def show(case_id: str, home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import to_json
    from proscribe.service import casework

    view = casework.show(open_installation(home, actor), case_id)
    if as_json:
        print_json(
            {
                "case": to_json(view.file.case),
                "steps": [to_json(step) for step in view.file.steps],
                "head": view.head,
                "expired": view.expired,
                "ready": [to_json(one) for one in view.desk],
                "next": {stage: [to_json(one) for one in lacks] for stage, lacks in view.lacks.items()},
            }
        )
        return
    from proscribe.cli.case_view import drawing

    click.echo(drawing(view))


@command.command(
    help=str(
        Text(
            "Take a case to a stage, on what lies ready for it. Exit status 2 where something is missing.",
            "Faire franchir une étape à un dossier, d'après ce qui est prêt. Code de sortie 2 s'il manque "
            "quelque chose.",
        )
    )
)
@click.argument("case_id", metavar="ID")
@click.argument("stage", type=click.Choice(STAGES), metavar=str(Text("STAGE", "ÉTAPE")))
@click.option(
    "--note", nargs=2, metavar=_BOTH, help=str(Text("A note, in both languages.", "Une note, dans les deux langues."))
)
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]),
    help=str(
        Text("When it happened (UTC), if recorded later.", "Quand cela s'est fait (UTC), si consigné après coup.")
    ),
)
@click.option(
    "--compose",
    is_flag=True,
    help=str(Text("publish: compose the notices that are not there.", "publish\u00a0: composer les avis manquants.")),
)
@installation_options
def advance(
    case_id: str,
    stage: str,
    note: tuple[str, str] | None,
    at: datetime | None,
    compose: bool,
    home: Path | None,
    actor: str,
) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.case_view import coming
    from proscribe.cli.root import show_error
    from proscribe.decide.model import Stage
    from proscribe.decide.process import StepRefused
    from proscribe.decide.words import STAGES as WORDS
    from proscribe.service import casework

    installation = open_installation(home, actor)
    wanted = Stage(stage)
    composed = _composed(installation, case_id, wanted) if compose else {}
    moment = at.replace(tzinfo=UTC) if at else None
    try:
        step = casework.advance(installation, case_id, wanted, composed, note=Text(*note) if note else None, at=moment)
    except StepRefused as refusal:
        show_error(refusal)
        return 2
    name = WORDS[wanted]
    click.echo(str(Text(f"Step {step.number}: {name.en}.", f"Étape {step.number}\u00a0: {name.fr}.")))
    for line in coming(casework.show(installation, case_id)):
        click.echo(line)
    return 0


def _composed(installation: Installation, case_id: str, stage: Stage) -> dict[str, Document]:
    """The notices that the stage asks for and nobody has laid ready."""
    from proscribe.decide.needs import needed
    from proscribe.publish.notices.model import Audience
    from proscribe.service import casework, publishing

    view = casework.show(installation, case_id)
    ready = {one.name for one in view.desk}
    wanted = [
        Audience(need.name.removeprefix("notice."))
        for need in needed(view.file.case, stage)
        if need.name.startswith("notice.") and need.name not in ready and not need.optional
    ]
    if not wanted:
        return {}
    made = publishing.notices(installation, case_id, audiences=tuple(wanted))
    return {f"notice.{one.audience}": one for one in made}


for _one in (case_papers.add, case_papers.get, case_papers.draft, case_papers.evidence, case_papers.vendor):
    command.add_command(_one)
for _one in (case_files.record, case_files.export, case_files.import_):
    command.add_command(_one)

"""``proscribe case add|get|draft|evidence|vendor``: the documents of a case."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.text import COLON, Text

if TYPE_CHECKING:
    from proscribe.decide.model import VendorRecord
    from proscribe.documents import Document

D = TypeVar("D", bound="Document")

_BOTH = "EN FR"


@click.command(
    help=str(
        Text(
            "Lay a document ready under a name: evidence, directive, targets, impact, vendor, review.privacy, "
            "decision, notice.staff, ... FILE may be the id of a shipped directive.",
            "Préparer un document sous un nom\u00a0: evidence, directive, targets, impact, vendor, "
            "review.privacy, decision, notice.staff, ... FICHIER peut être l'identifiant d'une directive fournie.",
        )
    )
)
@click.argument("case_id", metavar="ID")
@click.argument("name", metavar=str(Text("NAME", "NOM")))
@click.argument("file", metavar=str(Text("[FILE]", "[FICHIER]")), required=False)
@click.option(
    "--reviewed-by",
    help=str(
        Text(
            "targets: resolve the directive's targets, approved by this role.",
            "targets\u00a0: résoudre les cibles de la directive, approuvées par ce rôle.",
        )
    ),
)
@click.option(
    "--withdraw",
    is_flag=True,
    help=str(Text("Take away what lies ready under the name.", "Retirer ce qui est prêt sous ce nom.")),
)
@installation_options
def add(
    case_id: str,
    name: str,
    file: str | None,
    reviewed_by: str | None,
    withdraw: bool,
    home: Path | None,
    actor: str,
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.directive import library
    from proscribe.service import casedraft, casework
    from proscribe.service.kinds import read_any

    installation = open_installation(home, actor)
    if withdraw:
        gone = casework.withdraw(installation, case_id, name)
        said = (
            Text(f"{name} withdrawn.", f"{name} retiré.") if gone else Text("Nothing lay ready.", "Rien n'était prêt.")
        )
        click.echo(str(said))
        return
    document: Document
    if name == "targets" and reviewed_by:
        document = casedraft.reviewed_targets(installation, case_id, reviewed_by)
    elif file is None:
        raise click.UsageError(str(Text("Give a file.", "Fournissez un fichier.")))
    elif name in ("directive", "successor"):
        document = library.find(file)
    else:
        document = read_any(Path(file))
    casework.attach(installation, case_id, name, document)
    click.echo(str(Text(f"{name} lies ready.", f"{name} est prêt.")))


@click.command(
    help=str(
        Text(
            "Write a document of a case as it is: to read it, or to have it signed. NAME as 'case add' takes it.",
            "Produire un document du dossier tel quel, pour le lire ou le faire signer. NOM comme pour «\u00a0case "
            "add\u00a0».",
        )
    )
)
@click.argument("case_id", metavar="ID")
@click.argument("name", metavar=str(Text("NAME", "NOM")))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(
        Text("Save to this file (never over another).", "Enregistrer dans ce fichier (jamais par-dessus un autre).")
    ),
)
@installation_options
def get(case_id: str, name: str, out: Path | None, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.output import print_json
    from proscribe.directive.library import save_new
    from proscribe.documents import Document, digest, to_bytes, to_json

    document = _at_hand(home, actor, case_id, name, Document)
    if out is None:
        print_json(to_json(document))
        return
    save_new(out, to_bytes(document).decode())
    click.echo(digest(document))
    click.echo(str(Text(f"Saved {out}.", f"{out} enregistré.")))


@click.command(
    help=str(
        Text(
            "Write a document to start from: what the case knows is filled in, the rest stands in [brackets]. "
            "evidence, impact, vendor, decision, review, review.privacy and the like.",
            "Produire une ébauche de document\u00a0: ce que le dossier sait est rempli, le reste est entre "
            "[crochets]. Noms\u00a0: evidence, impact, vendor, decision, review, review.privacy et autres.",
        )
    )
)
@click.argument("case_id", metavar="ID")
@click.argument("name", metavar=str(Text("NAME", "NOM")))
@click.option(
    "--decided-by",
    nargs=2,
    metavar=_BOTH,
    help=str(Text("decision: the office.", "decision\u00a0: la fonction qui décide.")),
)
@click.option(
    "--legal-basis",
    nargs=2,
    multiple=True,
    metavar=_BOTH,
    help=str(Text("decision: its basis; may be repeated.", "decision\u00a0: son fondement; à répéter au besoin.")),
)
@click.option(
    "--answer",
    "answers",
    nargs=2,
    multiple=True,
    metavar=_BOTH,
    help=str(
        Text(
            "decision: answer to a review's conditions; may be repeated.",
            "decision\u00a0: réponse aux conditions d'un examen; à répéter au besoin.",
        )
    ),
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(
        Text("Save to this file (never over another).", "Enregistrer dans ce fichier (jamais par-dessus un autre).")
    ),
)
@installation_options
def draft(case_id: str, name: str, out: Path | None, home: Path | None, actor: str, **words: object) -> None:
    """Made bilingual by ``help`` above."""
    import yaml

    from proscribe.directive.library import save_new
    from proscribe.documents import to_json
    from proscribe.service import casedraft

    office = words["decided_by"]
    given = casedraft.Words(
        decided_by=Text(*office) if isinstance(office, tuple) else None,
        legal_basis=_texts(words["legal_basis"]),
        answers=_texts(words["answers"]),
    )
    document = casedraft.draft(open_installation(home, actor), case_id, name, given)
    text = yaml.safe_dump(to_json(document), allow_unicode=True, sort_keys=False, width=110)
    if out is None:
        click.echo(text, nl=False)
        return
    save_new(out, text)
    click.echo(str(Text(f"Saved {out}.", f"{out} enregistré.")))


def _texts(pairs: object) -> tuple[Text, ...]:
    return tuple(Text(*pair) for pair in pairs) if isinstance(pairs, tuple) else ()


@click.command(
    help=str(
        Text(
            "The evidence register at hand: claims with both sides, and items with what they do not show.",
            "Le registre des éléments de preuve en cours\u00a0: affirmations, avec la position des deux parties, et "
            "éléments, avec ce qu'ils ne montrent pas.",
        )
    )
)
@click.argument("case_id", metavar="ID")
@installation_options
def evidence(case_id: str, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.catalogue import paragraph
    from proscribe.decide.model import EvidenceRegister
    from proscribe.decide.words import CLAIMS

    register = _at_hand(home, actor, case_id, "evidence", EvidenceRegister)
    click.echo(
        str(
            Text(
                f"Evidence register, version {register.version}",
                f"Registre des éléments de preuve, version {register.version}",
            )
        )
    )
    for claim in register.claims:
        click.echo(f"\n{claim.id} ({CLAIMS[claim.status]})")
        click.echo(paragraph(claim.text, indent="  "))
        for label, text in (
            (Text("The other side", "L'autre partie"), claim.reply),
            (Text("How it was weighed", "Comment elle a été examinée"), claim.weighed),
        ):
            if text is not None:
                click.echo(paragraph(label + COLON + Text(" ", " ") + text, indent="    "))
        for item in (one for one in register.items if claim.id in one.supports):
            click.echo(
                paragraph(
                    Text(
                        f"- {item.id}: {item.title.en} ({item.marking})",
                        f"- {item.id}\u00a0: {item.title.fr} ({item.marking})",
                    ),
                    indent="    ",
                )
            )
            limit = Text("Does not show: ", "Ne montre pas\u00a0: ")
            click.echo(paragraph(limit + item.does_not_show, indent="      "))


@click.command(
    help=str(
        Text(
            "The vendor record at hand; with options, write it: notice, reply, or why the vendor is not asked.",
            "La fiche du fournisseur; avec des options, la remplir\u00a0: avis, réponse, ou motif de ne pas le "
            "consulter.",
        )
    )
)
@click.argument("case_id", metavar="ID")
@click.option("--name", nargs=2, metavar=_BOTH, help=str(Text("Name of the vendor.", "Nom du fournisseur.")))
@click.option("--sent", type=click.DateTime(["%Y-%m-%d"]), help=str(Text("Day of the notice.", "Jour de l'avis.")))
@click.option(
    "--letter",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=str(Text("The text that was sent; its digest is kept.", "Le texte envoyé; son empreinte est conservée.")),
)
@click.option(
    "--due", type=click.DateTime(["%Y-%m-%d"]), help=str(Text("Last day to reply.", "Date limite pour répondre."))
)
@click.option(
    "--replied", type=click.DateTime(["%Y-%m-%d"]), help=str(Text("Day of the reply.", "Jour de la réponse."))
)
@click.option(
    "--reply",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=str(Text("The reply; its digest is kept.", "La réponse; son empreinte est conservée.")),
)
@click.option(
    "--answer",
    "answers",
    nargs=5,
    multiple=True,
    metavar=str(Text("CLAIM SAYS_EN SAYS_FR ANSWER_EN ANSWER_FR", "AFFIRMATION DIT_EN DIT_FR RÉPONSE_EN RÉPONSE_FR")),
    help=str(
        Text("Our answer on one claim; may be repeated.", "Notre réponse à une affirmation; à répéter au besoin.")
    ),
)
@click.option(
    "--waive",
    nargs=2,
    metavar=_BOTH,
    help=str(Text("Why the vendor is not asked.", "Pourquoi le fournisseur n'est pas consulté.")),
)
@installation_options
def vendor(case_id: str, home: Path | None, actor: str, **given: object) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.output import print_json
    from proscribe.decide.model import VendorRecord
    from proscribe.documents import to_json
    from proscribe.service import casedraft, casework

    if not any(given.values()):
        print_json(to_json(_at_hand(home, actor, case_id, "vendor", VendorRecord)))
        return
    installation = open_installation(home, actor)
    before = casedraft.draft(installation, case_id, "vendor")
    assert isinstance(before, VendorRecord)  # noqa: S101 (of that name)
    casework.attach(installation, case_id, "vendor", _filled(before, given, actor, installation.clock.now()))
    click.echo(str(Text("vendor lies ready.", "vendor est prêt.")))


def _filled(record: VendorRecord, given: dict[str, object], actor: str, now: datetime) -> VendorRecord:
    from proscribe.canonical import digest_file
    from proscribe.decide.model import ClaimResponse, Waiver

    changes: dict[str, object] = {}
    for option, field in (("sent", "notice_sent"), ("due", "reply_due"), ("replied", "reply_received")):
        day = given[option]
        if isinstance(day, datetime):
            changes[field] = day.date()
    for option, field in (("letter", "notice"), ("reply", "reply")):
        path = given[option]
        if isinstance(path, Path):
            changes[field] = digest_file(path)
    name, reason, answers = given["name"], given["waive"], given["answers"]
    if isinstance(name, tuple):
        changes["vendor"] = Text(*name)
    if isinstance(reason, tuple):
        changes["waiver"] = Waiver(Text(*reason), actor, now.date())
    if isinstance(answers, tuple) and answers:
        mine = tuple(
            ClaimResponse(claim, Text(says_en, says_fr), Text(answer_en, answer_fr), changed=False)
            for claim, says_en, says_fr, answer_en, answer_fr in answers
        )
        kept = tuple(one for one in record.responses if one.claim not in {new.claim for new in mine})
        changes["responses"] = (*kept, *mine)
    return replace(record, **changes)  # type: ignore[arg-type]


def _at_hand(home: Path | None, actor: str, case_id: str, name: str, cls: type[D]) -> D:
    """What lies ready under a name, else what a step took."""
    from proscribe.service import casestore

    installation = open_installation(home, actor)
    file = casestore.load(installation, case_id)
    ready = {one.name: one for one in casestore.desk_of(installation, case_id)}
    document = casestore.fetch(installation, ready[name]) if name in ready else file.current(name)
    if not isinstance(document, cls):
        raise click.UsageError(
            str(Text(f"The case has no '{name}' yet.", f"Le dossier n'a pas encore de document «\u00a0{name}\u00a0»."))
        )
    return document

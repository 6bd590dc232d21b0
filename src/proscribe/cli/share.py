"""``proscribe share``: a ban out to partners, a partner's ban in as a case, the outcomes for those who keep OSCAL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proscribe.cli.options import CommandGroup, installation_options, open_installation
from proscribe.cli.output import json_option, print_json, print_table
from proscribe.errors import ProscribeError, Where
from proscribe.files import reason
from proscribe.text import COLON, Text, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proscribe.publish.stix.model import Proposed
    from proscribe.service.sharing import Incoming

_FILE = click.Path(dir_okay=False, path_type=Path)
_SHOWN = 3  # identifiers shown for each concern


class NotWritten(ProscribeError):
    """A file to be shared is there already, or cannot be written."""

    code = "share.not-written"


@click.group(
    cls=CommandGroup,
    help=str(
        Text(
            "Share with partners: STIX 2.1 out and in, OSCAL out. What comes in opens a case and enforces nothing.",
            "Échanger avec des partenaires\u00a0: STIX 2.1 dans les deux sens, OSCAL en sortie. Ce qui arrive ouvre un "
            "dossier et n'applique rien.",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


@command.command(
    short_help=str(Text("Write a directive as a STIX bundle.", "Produire une directive sous forme de lot STIX.")),
    help=str(
        Text(
            "Write a directive as a STIX 2.1 bundle. DIRECTIVE is one in force here, a shipped one, or a file.",
            "Produire une directive sous forme de lot STIX 2.1. DIRECTIVE est une directive en vigueur ici, une "
            "directive fournie, ou un fichier.",
        )
    ),
)
@click.argument("directive", metavar="DIRECTIVE")
@click.option("--out", type=_FILE, required=True, help=str(Text("Where to write it.", "Où l'écrire.")))
@click.option(
    "--tlp",
    type=click.Choice(["clear", "green", "amber", "amber+strict", "red"]),
    required=True,
    help=str(Text("Traffic Light Protocol 2.0 marking.", "Marquage du Traffic Light Protocol 2.0.")),
)
@click.option(
    "--with-context",
    is_flag=True,
    help=str(
        Text(
            "Send what analysts added too, and the signed form that holds it.",
            "Envoyer aussi les ajouts des analystes, et la forme signée qui les contient.",
        )
    ),
)
@installation_options
def stix(directive: str, out: Path, tlp: str, with_context: bool, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.publish.stix.model import Tlp
    from proscribe.service import sharing

    made = sharing.stix(open_installation(home, actor), directive, tlp=Tlp(tlp), with_context=with_context)
    _write(out, made.data)
    for warning in made.warnings:
        click.echo(f"! {warning}", err=True)
    signed = (
        Text("The signed form is attached.", "La forme signée y est jointe.")
        if made.signed
        else Text("No signed form is attached.", "Aucune forme signée n'y est jointe.")
    )
    click.echo(
        str(
            Text(
                f"{made.directive} written to {out}, {made.tlp.label}. ",
                f"{made.directive}\u00a0: {out}, {made.tlp.label}. ",
            )
            + signed
        )
    )


@command.command(
    short_help=str(Text("Read a partner's STIX bundle.", "Lire le lot STIX d'un partenaire.")),
    help=str(
        Text(
            "Read a partner's STIX bundle and open a case for each ban in it. Nothing is adopted or enforced.",
            "Lire le lot STIX d'un partenaire et ouvrir un dossier par interdiction. Rien n'est adopté ni appliqué.",
        )
    ),
)
@click.argument("file", metavar=str(Text("FILE", "FICHIER")), type=click.Path(path_type=Path))
@click.option(
    "--draft-to",
    type=click.Path(file_okay=False, path_type=Path),
    help=str(
        Text(
            "Write a draft directive, and the signed form if there is one, into this folder.",
            "Écrire une ébauche de directive, et la forme signée s'il y en a une, dans ce dossier.",
        )
    ),
)
@installation_options
@json_option
def receive(file: Path, draft_to: Path | None, home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import to_json
    from proscribe.service import sharing

    found = sharing.receive(open_installation(home, actor), file)
    if draft_to is not None:
        for one in found:
            _drafted(one, draft_to)
    if as_json:
        print_json([{"case": one.case, "new": one.new, "received": to_json(one.received)} for one in found])
        return
    for one in found:
        _show(one)


@command.command(
    "list", help=str(Text("List what partners have proposed.", "Énumérer les propositions des partenaires."))
)
@installation_options
@json_option
def list_(home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import to_json
    from proscribe.publish.stix.known import one_line
    from proscribe.service import sharing

    rows = sharing.received(open_installation(home, actor))
    if as_json:
        print_json([{"case": one.case, "received": to_json(one.received)} for one in rows])
        return
    print_table(
        str(Text("Proposed by partners", "Proposé par des partenaires")),
        [
            str(Text("Case", "Dossier")),
            "TLP",
            str(Text("Sender", "Expéditeur")),
            str(Text("Ban", "Interdiction")),
            str(Text("Ids", "Ident.")),
        ],
        [
            (
                one.case,
                one.received.tlp.label,
                one.received.producer,
                one_line(str(one.received.directive.title)),
                len(one.received.proposed),
            )
            for one in rows
        ],
        numeric=1,
    )


@command.command(
    short_help=str(Text("Write the outcomes as OSCAL.", "Produire les résultats en OSCAL.")),
    help=str(
        Text(
            "Write OSCAL assessment results, and a plan of action for what is not compliant. Give a proof bundle "
            "(--proof), or a directive enforced here.",
            "Produire les résultats d'évaluation OSCAL, et un plan d'action pour ce qui n'est pas conforme. Donner un "
            "dossier de preuve (--proof), ou une directive appliquée ici.",
        )
    ),
)
@click.argument("directive", metavar="[DIRECTIVE]", required=False)
@click.option("--proof", type=_FILE, help=str(Text("A proof bundle.", "Un dossier de preuve.")))
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help=str(Text("Folder to write to.", "Dossier de destination.")),
)
@installation_options
def oscal(directive: str | None, proof: Path | None, folder: Path, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.service import sharing
    from proscribe.text import language

    if (directive is None) == (proof is None):
        raise click.UsageError(
            str(Text("Give a directive or --proof, not both.", "Donnez une directive ou --proof, non les deux."))
        )
    if proof is not None:
        made = sharing.oscal(proof, language=language())
    else:
        made = sharing.oscal(
            sharing.assessed(open_installation(home, actor), str(directive)),
            language=language(),
        )
    for name, data in made.items():
        _write(folder / name, data)
        click.echo(str(Text(f"Written: {folder / name}", f"Enregistré\u00a0: {folder / name}")))
    if sharing.PLAN not in made:
        click.echo(
            str(
                Text(
                    "All was seen and is compliant: there is no plan of action to write.",
                    "Tout a été vu et est conforme\u00a0: il n'y a pas de plan d'action à produire.",
                )
            )
        )


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as stream:
            stream.write(data)
    except OSError as error:
        raise NotWritten(
            Text(f"cannot be written: {error.strerror}", f"écriture impossible\u00a0: {reason(error).fr}"),
            remedy=Text("Name another file; none is replaced.", "Nommez un autre fichier; aucun n'est remplacé."),
            where=Where(file=str(path)),
        ) from error


def _drafted(one: Incoming, folder: Path) -> None:
    from proscribe.documents import to_json
    from proscribe.publish.stix.read import draft
    from proscribe.trust.envelope import envelope_bytes

    body = json.dumps(to_json(draft(one.received)), ensure_ascii=False, indent=2).encode() + b"\n"
    _write(folder / f"{one.case}.json", body)
    if one.received.envelope is not None:
        _write(folder / f"{one.case}.dsse.json", envelope_bytes(one.received.envelope.signed))


def _show(one: Incoming) -> None:
    from proscribe.publish.stix.known import one_line

    received = one.received
    state = Text("opened", "ouvert") if one.new else Text("was open already", "était déjà ouvert")
    rows: Sequence[tuple[Text, object]] = (
        (Text("Sender, as it calls itself", "Expéditeur, selon lui"), received.producer or "-"),
        (Text("Ban", "Interdiction"), one_line(str(received.directive.title))),
        (Text("Marking", "Marquage"), received.tlp.label),
        (Text("Signed form", "Forme signée"), _signed(one)),
        (Text("Identifiers named", "Identifiants nommés"), len(received.proposed)),
    )
    click.echo(str(Text(f"Case {one.case} {state.en}.", f"Dossier {one.case} {state.fr}.")))
    for label, value in rows:
        click.echo(f"  {label}{COLON} {value}")
    for remark in received.remarks:
        click.echo(f"  ! {remark}")
    for concern, values in _concerns(received.proposed).items():
        some = ", ".join(map(one_line, values[:_SHOWN])) + (", …" if len(values) > _SHOWN else "")
        click.echo(f"  ! {concern} ({len(values)}){COLON} {some}")
    for kept in received.kept_out:
        click.echo(str(Text(f"  Left aside: {kept.what}, {kept.count}", f"  Écarté\u00a0: {kept.what}, {kept.count}")))
    click.echo(str(Text("  Nothing was adopted or enforced.", "  Rien n'a été adopté ni appliqué.")))


def _concerns(proposed: Sequence[Proposed]) -> dict[Text, list[str]]:
    """The values of the identifiers with a concern, by concern."""
    found: dict[Text, list[str]] = {}
    for one in proposed:
        if one.concern is not None:
            found.setdefault(one.concern, []).append(one.target.value)
    return found


def _signed(one: Incoming) -> Text:
    envelope = one.received.envelope
    if envelope is None:
        return Text("none", "aucune")
    count = plural(envelope.signatures, Text("signature", "signature"), Text("signatures", "signatures"))
    if not envelope.fits:
        return Text("of another document than this ban, ", "d'un autre document que cette interdiction, ") + count
    return count + Text(", not checked: see 'proscribe verify'", ", à vérifier avec «\u00a0proscribe verify\u00a0»")

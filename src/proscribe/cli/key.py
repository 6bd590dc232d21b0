"""``proscribe key``: make keys, list who may sign what, accept a key list, revoke a key."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proscribe.cli.options import CommandGroup, installation_options, open_installation
from proscribe.cli.output import json_option, print_json, print_table
from proscribe.cli.passphrase import passphrase, passphrase_options
from proscribe.text import COLON, Text

if TYPE_CHECKING:
    from proscribe.trust.model import KeyList

_FILE = str(Text("FILE", "FICHIER"))


@click.group(
    cls=CommandGroup,
    help=str(
        Text(
            "Keys of seats (offices, never persons), and the key list that says who may sign what.",
            "Clés des sièges (des fonctions, jamais des personnes) et liste de clés disant qui peut signer quoi.",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


@command.command(
    help=str(
        Text(
            "Make a key pair: in an encrypted file (its public half beside it, .pub), or on a PKCS#11 token when FILE "
            "is a pkcs11: URI.",
            "Créer une paire de clés\u00a0: dans un fichier chiffré (moitié publique à côté, .pub), ou sur un jeton "
            "PKCS#11 si FICHIER est un URI pkcs11:.",
        )
    )
)
@click.argument("file", metavar=_FILE)
@click.option(
    "--scheme",
    type=click.Choice(["ed25519", "ecdsa-p256", "ml-dsa-65"]),
    default="ed25519",
    show_default=True,
    help=str(Text("Signature scheme.", "Algorithme de signature.")),
)
@click.option(
    "--public",
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(Text("For a token: file for the public half.", "Pour un jeton\u00a0: fichier de la moitié publique.")),
)
@click.option(
    "--plain",
    is_flag=True,
    help=str(
        Text(
            "No encryption: whoever copies the file can sign.",
            "Sans chiffrement\u00a0: qui copie le fichier peut signer.",
        )
    ),
)
@passphrase_options
def new(
    file: str, scheme: str, public: Path | None, plain: bool, variable: str | None, secret_file: Path | None
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.trust import keys
    from proscribe.trust.model import Scheme

    if file.startswith("pkcs11:"):
        from proscribe.trust.pkcs11 import new_on_token

        made = new_on_token(file, Scheme(scheme), passphrase(variable, secret_file)).public
        if public is not None:
            public.write_text(made, encoding="ascii")
        _print_key(made)
        return
    pair = keys.new_pair(Scheme(scheme))
    secret = None if plain else passphrase(variable, secret_file, twice=True)()
    path = Path(file.removeprefix("file:"))
    keys.write_pair(pair, path, secret, plain=plain)
    click.echo(f"{scheme} {keys.key_id(pair.public)}")
    click.echo(
        str(
            Text(
                f"Keep {path}; give {path}.pub to whoever draws up the key list.",
                f"Gardez {path}; remettez {path}.pub à qui dresse la liste de clés.",
            )
        )
    )


def _print_key(public: str) -> None:
    from proscribe.trust.keys import key_id, scheme_of

    click.echo(f"{scheme_of(public)} {key_id(public)}")
    click.echo(public, nl=False)


@command.command(
    help=str(
        Text(
            "Show a public key (.pub), or the public half of a private one: id, scheme, PEM, and where it is kept.",
            "Afficher une clé publique (.pub), ou la moitié publique d'une clé privée\u00a0: identifiant, "
            "algorithme, PEM et support.",
        )
    )
)
@click.argument("key", metavar=str(Text("KEY", "CLÉ")))
@passphrase_options
def show(key: str, variable: str | None, secret_file: Path | None) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.trust import keys
    from proscribe.trust.words import STORAGES

    if key.endswith(".pub"):
        _print_key(keys.read_public(Path(key.removeprefix("file:"))))
        return
    secret = passphrase(variable, secret_file)
    _print_key(keys.public_of(keys.open_signer(key, secret)))
    click.echo(f"{Text('Kept in', 'Support')}{COLON} {STORAGES[keys.storage_of(key, secret)]}")


@command.command(
    "list",
    help=str(
        Text(
            "List the keys and rules of the installed key list, or of one in a file.",
            "Énumérer les clés et les règles de la liste installée, ou d'un fichier.",
        )
    ),
)
@click.argument("file", metavar=f"[{_FILE}]", required=False, type=click.Path(exists=True, path_type=Path))
@installation_options
@json_option
def list_(file: Path | None, home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.envelopes import read_keys, summary
    from proscribe.clock import current_clock
    from proscribe.documents import digest, to_json
    from proscribe.service import trusting

    keys = read_keys(file) if file is not None else trusting.key_list(open_installation(home, actor))
    if keys is None:
        click.echo(
            str(
                Text(
                    "No key list is installed; nothing has to be signed here.",
                    "Aucune liste de clés n'est installée; rien n'a à être signé ici.",
                )
            )
        )
        return
    if as_json:
        print_json(to_json(keys))
        return
    click.echo(str(summary(keys)))
    click.echo(digest(keys))
    _print_list(keys, current_clock().now())


def _print_list(keys: KeyList, now: datetime) -> None:
    from proscribe.trust.verify import standing
    from proscribe.trust.words import STORAGES, WEIGHTS

    print_table(
        "",
        [
            str(Text("Seat", "Siège")),
            str(Text("Key", "Clé")),
            str(Text("Kept in", "Support")),
            str(Text("State", "État")),
        ],
        [
            (
                f"{key.holder}: {', '.join(key.roles)}",
                f"{key.scheme} {key.id[:16]}",
                STORAGES[key.storage],
                WEIGHTS[weight] if (weight := standing(key, now)) else Text("valid", "valide"),
            )
            for key in keys.keys
        ],
    )
    for rule in keys.rules:
        above = (
            Text("", "") if rule.above is None else Text(f" (> {rule.above} devices)", f" (> {rule.above} appareils)")
        )
        safe = Text(", each with ML-DSA-65", ", chacun avec ML-DSA-65") if rule.quantum_safe else Text("", "")
        seats = ", ".join(rule.roles)
        said = Text(
            f"{rule.threshold} of {seats}{safe.en}",
            f"{rule.threshold} parmi {seats}{safe.fr}",
        )
        click.echo(f"{', '.join(rule.kinds)}{above}{COLON} {said}")


@command.command(
    "make-list",
    help=str(
        Text(
            "Make a key list from a draft (YAML): seats, roles, public key files, rules. Then have it signed.",
            "Produire une liste de clés à partir d'une ébauche (YAML)\u00a0: sièges, rôles, fichiers de clés "
            "publiques, règles. Faites-la ensuite signer.",
        )
    ),
)
@click.argument("draft", metavar=_FILE, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(Text("File to write.", "Fichier à produire.")),
)
def make_list(draft: Path, out: Path) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.clock import current_clock
    from proscribe.trust.draft import read_draft

    _write_list(read_draft(draft, issued=current_clock().now()), out)


def _write_list(keys: KeyList, out: Path) -> None:
    from proscribe.cli.envelopes import summary
    from proscribe.documents import digest, to_bytes

    out.write_bytes(to_bytes(keys))
    click.echo(str(summary(keys)))
    click.echo(
        str(
            Text(
                f"Written to {out}. Have its seats sign it ('proscribe sign'), then accept it ('proscribe key trust').",
                f"Enregistrée dans {out}. Faites-la signer par ses sièges («\u00a0proscribe sign\u00a0»), puis "
                "acceptez-la («\u00a0proscribe key trust\u00a0»).",
            )
        )
    )
    click.echo(digest(keys))


@command.command(
    help=str(
        Text(
            "Accept a signed key list: the first by the digest you have by another way (--pin), later ones because the "
            "seats of the present list signed them.",
            "Accepter une liste de clés signée\u00a0: la première par l'empreinte obtenue par une autre voie (--pin), "
            "les suivantes parce que les sièges de la liste en vigueur les ont signées.",
        )
    )
)
@click.argument("file", metavar=_FILE, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--pin",
    metavar=str(Text("DIGEST", "EMPREINTE")),
    help=str(
        Text(
            "Digest of the list (sha256:...). For a later list: a new beginning, without the seats of the present one.",
            "Empreinte de la liste (sha256:...). Pour une liste ultérieure\u00a0: un nouveau départ, sans les sièges "
            "de celle en vigueur.",
        )
    ),
)
@installation_options
def trust(file: Path, pin: str | None, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.canonical import Digest
    from proscribe.cli.envelopes import summary
    from proscribe.service import trusting
    from proscribe.trust.envelope import read_envelope

    installation = open_installation(home, actor)
    keys = trusting.install(installation, read_envelope(file), pin=Digest(pin) if pin is not None else None)
    click.echo(str(summary(keys)))


@command.command(
    help=str(
        Text(
            "Write the next key list, with a key revoked. It counts once the seats have signed it ('proscribe sign') "
            "and it is accepted ('proscribe key trust').",
            "Produire la liste de clés suivante, où une clé est révoquée. Elle vaut une fois signée par les sièges "
            "(«\u00a0proscribe sign\u00a0») et acceptée («\u00a0proscribe key trust\u00a0»).",
        )
    )
)
@click.argument("key", metavar=str(Text("KEY", "CLÉ")))
@click.option(
    "--because",
    nargs=2,
    required=True,
    metavar="EN FR",
    help=str(Text("Why, in English and in French.", "Pourquoi, en anglais et en français.")),
)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help=str(
        Text(
            "From when on nothing it signed counts (UTC); now by default. Name the moment it may have been stolen.",
            "Moment à partir duquel rien de ce qu'elle a signé ne vaut (UTC); par défaut, maintenant. Indiquez celui "
            "du vol possible.",
        )
    ),
)
@click.option(
    "--list",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=str(
        Text(
            "The present key list; by default the installed one.",
            "Liste en vigueur; par défaut, celle qui est installée.",
        )
    ),
)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(Text("File to write.", "Fichier à produire.")),
)
@installation_options
def revoke(
    key: str,
    because: tuple[str, str],
    since: datetime | None,
    file: Path | None,
    out: Path,
    home: Path | None,
    actor: str,
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.envelopes import read_keys
    from proscribe.clock import current_clock
    from proscribe.service import trusting
    from proscribe.trust.draft import revoked

    present = read_keys(file) if file is not None else trusting.needed(open_installation(home, actor))
    now = current_clock().now()
    moment = now if since is None else since.replace(tzinfo=UTC)
    _write_list(revoked(present, key, since=moment, because=Text(*because), issued=now), out)

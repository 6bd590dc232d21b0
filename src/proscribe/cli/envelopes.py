"""What the commands about signatures share: reading any document, showing an envelope and what it is worth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from proscribe.errors import InvalidDocument, UnreadableFile, Where
from proscribe.files import write_whole
from proscribe.text import Text, plural

if TYPE_CHECKING:
    from proscribe.documents import Document
    from proscribe.trust.model import KeyList, SignedDocument, Verification


def read_any(path: Path) -> Document:
    """A document of whichever kind its file says. Raises UnreadableFile or InvalidDocument."""
    from proscribe.documents import from_json, parse
    from proscribe.service.kinds import kinds

    try:
        raw = path.read_text(encoding="utf-8-sig")
        body = parse(raw, source=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(
            Text(f"cannot be read: {error}", f"lecture impossible\u00a0: {error}"),
            remedy=Text("Check the path and the permissions.", "Vérifiez le chemin et les droits d'accès."),
            where=Where(file=str(path)),
        ) from error
    if given_twice(raw):
        raise InvalidDocument(
            Text("a field is given twice", "un champ y figure deux fois"),
            remedy=Text(
                "Keep one of the two: whoever reads the file must see what is signed.",
                "Conservez l'un des deux\u00a0: qui lit le fichier doit voir ce qui est signé.",
            ),
            where=Where(file=str(path)),
        )
    kind = body.get("kind") if isinstance(body, dict) else None
    cls = kinds().get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise InvalidDocument(
            Text(f"{kind!r} is no kind of document", f"« {kind} » n'est pas un type de document"),
            remedy=Text("Run 'proscribe schema' for the list.", "« proscribe schema » en donne la liste."),
            where=Where(file=str(path), field="kind"),
        )
    return from_json(cls, body, source=str(path))


def given_twice(raw: str) -> bool:
    """Whether JSON or YAML text gives a field twice: a reader may see the first, and the program takes the last."""
    twice = False

    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal twice
        twice = twice or len(dict(found)) != len(found)
        return dict(found)

    if raw.lstrip()[:1] in ("{", "["):
        json.loads(raw, object_pairs_hook=pairs)
        return twice
    import yaml

    waiting = [yaml.compose(raw, Loader=yaml.SafeLoader)]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            names = [str(key.value) for key, _ in node.value]
            if len(set(names)) != len(names):
                return True
            waiting.extend(value for _, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
    return False


def read_keys(path: Path) -> KeyList:
    """A key list from a file: signed (whatever its signatures are worth: you chose it) or bare."""
    from proscribe.documents import read
    from proscribe.trust.envelope import document_of, is_envelope, read_envelope
    from proscribe.trust.model import KeyList

    return document_of(read_envelope(path), KeyList) if is_envelope(path) else read(KeyList, path)


def described(signed: SignedDocument) -> Text:
    """What is signed, in one line: kind, name, digest, who prepared it and when."""
    from proscribe.trust.envelope import statement_of

    statement = statement_of(signed)
    named = statement.document.get("id") or statement.document.get("directive") or ""
    version = statement.document.get("version")
    label = " ".join(str(part) for part in (signed.of_kind, named, version) if part not in (None, ""))
    day = statement.prepared_at.date().isoformat()
    return Text(
        f"{label}, prepared by {statement.prepared_by} on {day}\n{signed.of}",
        f"{label}, préparé par {statement.prepared_by} le {day}\n{signed.of}",
    )


def write(signed: SignedDocument, path: Path) -> None:
    """Write the bare envelope, whole or not at all."""
    from proscribe.trust.envelope import envelope_bytes

    write_whole(path, envelope_bytes(signed))


def show(verification: Verification) -> None:
    """A table of the signatures and what each is worth, and the count of seats below it."""
    from proscribe.cli.output import console, print_table
    from proscribe.trust.verify import seats
    from proscribe.trust.words import STORAGES, WEIGHTS

    print_table(
        "",
        [
            str(Text("Seat", "Siège")),
            str(Text("Key", "Clé")),
            str(Text("Scheme", "Algorithme")),
            str(Text("Kept in", "Support")),
            str(Text("Worth", "Valeur")),
        ],
        [
            (
                one.holder or "-",
                one.key[:16],
                one.scheme or "-",
                STORAGES[one.storage] if one.storage else "-",
                WEIGHTS[one.weight],
            )
            for one in verification.signatures
        ],
    )
    console().print(str(seats(verification)))


def summary(keys: KeyList) -> Text:
    """A key list in one line."""
    count = plural(len(keys.keys), Text("key", "clé"), Text("keys", "clés"))
    day = keys.expires.date().isoformat()
    return Text(
        f"{keys.organisation.en}: key list {keys.version}, {count.en}, expires on {day}",
        f"{keys.organisation.fr}\u00a0: liste de clés {keys.version}, {count.fr}, expire le {day}",
    )

"""What the commands about signatures share: reading a key list, writing an envelope, showing what it is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from proscribe.files import write_whole
from proscribe.text import Text, plural

if TYPE_CHECKING:
    from proscribe.trust.model import KeyList, SignedDocument, Verification


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

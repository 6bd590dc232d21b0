"""The key lists that this installation accepted, its own and those of the feeds it follows.

Which ones were accepted stands in a file of the home folder, by digest, and not in the database: who can write to the
database alone can bring back no old list, slip in none of their own, and take none away unnoticed.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from datetime import datetime

from proscribe.canonical import Digest
from proscribe.documents import digest
from proscribe.errors import ProscribeError, Where
from proscribe.prove.model import EntryKind
from proscribe.service.installation import Installation
from proscribe.store.errors import NotStored
from proscribe.text import Text
from proscribe.trust import keylist
from proscribe.trust.errors import KeyListRolledBack
from proscribe.trust.model import KeyList, SignedDocument

OWN = "own"
"""The organisation's own key list; a feed may have another, under its name."""

FILE = "key-lists.json"


class NoKeyList(ProscribeError):
    """Something signed was to be checked, and no key list is installed."""

    code = "trust.no-key-list"


class KeyListUnpinned(ProscribeError):
    """The database holds a key list that this home folder never accepted, or lacks one that it did."""

    code = "trust.key-list-unpinned"


def key_list(installation: Installation, *, issuer: str = OWN) -> KeyList | None:
    """The key list in force; None where none was ever installed. Raises KeyListUnpinned."""
    accepted = accepted_from(installation, issuer)
    if accepted:
        return _list(installation, accepted[-1])
    if installation.stores.documents.digests(KeyList, subject=_subject(issuer)):
        raise _unpinned(installation)
    return None


def key_lists(installation: Installation, *, issuer: str = OWN) -> tuple[KeyList, ...]:
    """Every key list accepted, oldest first."""
    return tuple(_list(installation, one) for one in accepted_from(installation, issuer))


def issuers(installation: Installation) -> tuple[str, ...]:
    """Whose key lists were accepted here: the organisation's own, and feeds'."""
    return tuple(sorted(_all_accepted(installation)))


def install(
    installation: Installation, signed: SignedDocument, *, pin: Digest | None = None, issuer: str = OWN
) -> KeyList:
    """Accept a key list: the first by its digest (``pin``), a later one because the one before it names it.

    With a ``pin`` a later list is accepted by it alone: a new beginning, where the succession was missed or lost. It
    is recorded as such, and never leads to an older list. Raises as ``keylist.first`` and ``keylist.successor``.
    """
    now = installation.clock.now()
    current = key_list(installation, issuer=issuer) if pin is None else _last(installation, issuer)
    keys = _accept(current, signed, pin, now)
    found = digest(keys)
    accepted = accepted_from(installation, issuer)
    if pin is not None:  # a new beginning may forget keys, and not what became of them
        keylist.refuse_revived(_present(installation, accepted), keys)
    if found in accepted and found in installation.stores.documents.digests(KeyList, subject=_subject(issuer)):
        return keys
    with installation.atomic():
        installation.stores.documents.put(keys, subject=_subject(issuer), at=now)
        installation.stores.documents.put(signed, subject=found, at=now)
        installation.record(
            EntryKind.key_list,
            issuer,
            digest=found,
            version=keys.version,
            by="succession" if pin is None else "pin",
            revoked=sorted(key.id for key in keys.keys if key.revoked_at is not None),
        )
        # Within the transaction, so that two processes do not write the file at once. Should it not come to an end, the
        # list is named and not there: nothing passes until it is accepted again.
        _note(installation, issuer, found)
    return keys


def _last(installation: Installation, issuer: str) -> KeyList | None:
    """The newest list that is there: one that was lost is no reason to refuse the list that is to replace it."""
    return next(_present(installation, reversed(accepted_from(installation, issuer))), None)


def _present(installation: Installation, accepted: Iterable[Digest]) -> Iterator[KeyList]:
    for found in accepted:
        with contextlib.suppress(KeyListUnpinned):
            yield _list(installation, found)


def _accept(current: KeyList | None, signed: SignedDocument, pin: Digest | None, now: datetime) -> KeyList:
    if current is not None and digest(current) == signed.of:
        return current
    if pin is not None:
        keys = keylist.first(signed, pin=pin, at=now)
        if current is not None and keys.version <= current.version:
            raise KeyListRolledBack(
                Text(
                    f"key list {keys.version} does not come after {current.version}, which is in force",
                    f"la liste de clés {keys.version} ne suit pas la {current.version}, en vigueur",
                ),
                remedy=Text("Keep the present one.", "Conservez celle en vigueur."),
            )
        return keys
    if current is None:
        raise NoKeyList(
            Text(
                "there is no key list yet that could name this one",
                "il n'y a pas encore de liste de clés qui puisse désigner celle-ci",
            ),
            remedy=Text(
                "Give the digest of the first key list, which you have by another way: 'proscribe key trust FILE --pin "
                "DIGEST'.",
                "Donnez l'empreinte de la première liste, obtenue par une autre voie\u00a0: « proscribe key trust "
                "FICHIER --pin EMPREINTE ».",
            ),
        )
    return keylist.successor(current, signed, at=now)


def _list(installation: Installation, found: Digest) -> KeyList:
    try:
        return installation.stores.documents.get(KeyList, found)
    except NotStored as error:
        raise _unpinned(installation) from error


def _subject(issuer: str) -> str:
    return f"key-list:{issuer}"


def _unpinned(installation: Installation) -> KeyListUnpinned:
    return KeyListUnpinned(
        Text(
            "the key lists in the database are not those this home folder accepted",
            "les listes de clés de la base de données ne sont pas celles que ce dossier a acceptées",
        ),
        remedy=Text(
            "Restore both from one backup, or accept the list by its digest: 'proscribe key trust FILE --pin DIGEST'.",
            "Restaurez les deux à partir d'une même sauvegarde, ou acceptez la liste par son empreinte\u00a0: "
            "« proscribe key trust FICHIER --pin EMPREINTE ».",
        ),
        where=Where(file=str(installation.home / FILE)),
    )


def _all_accepted(installation: Installation) -> dict[str, list[Digest]]:
    path = installation.home / FILE
    try:
        found: dict[str, list[Digest]] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _unpinned(installation) from error
    return found


def accepted_from(installation: Installation, issuer: str) -> tuple[Digest, ...]:
    """Digests of the key lists accepted from an issuer, oldest first."""
    return tuple(_all_accepted(installation).get(issuer, ()))


def _note(installation: Installation, issuer: str, found: Digest) -> None:
    """Write down what was accepted, whole or not at all, for the owner alone."""
    path = installation.home / FILE
    known = _all_accepted(installation)
    body = {**known, issuer: [*(one for one in known.get(issuer, ()) if one != found), found]}
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(body, stream, indent=2)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)


def needed(installation: Installation, *, issuer: str = OWN) -> KeyList:
    """The key list in force. Raises NoKeyList where none was ever installed."""
    keys = key_list(installation, issuer=issuer)
    if keys is None:
        raise NoKeyList(
            Text("no key list is installed", "aucune liste de clés n'est installée"),
            remedy=Text(
                "Install one: 'proscribe key trust FILE --pin DIGEST'.",
                "Installez-en une\u00a0: « proscribe key trust FICHIER --pin EMPREINTE ».",
            ),
        )
    return keys

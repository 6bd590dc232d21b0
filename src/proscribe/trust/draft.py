"""From a draft that people write to a key list that seats sign, and from one key list to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from proscribe.clock import utc
from proscribe.documents import Value, from_json, parse
from proscribe.files import read_text
from proscribe.text import Text
from proscribe.trust.errors import UnusableKey
from proscribe.trust.keylist import check_list
from proscribe.trust.keys import key_id, read_public, scheme_of
from proscribe.trust.model import KeyList, PublicKey, Rule, Storage


@dataclass(frozen=True, slots=True)
class KeyDraft(Value):
    """One key as people write it: the file of its public half instead of the key."""

    holder: str
    roles: tuple[str, ...]
    file: str  # public key (PEM), relative to the draft
    storage: Storage
    valid_from: datetime | None = None  # None: from the day of issue
    valid_until: datetime | None = None  # None: as long as the list


@dataclass(frozen=True, slots=True)
class KeyListDraft(Value):
    """A key list as people write it, in YAML or JSON."""

    organisation: Text
    version: int
    expires: datetime
    keys: tuple[KeyDraft, ...]
    rules: tuple[Rule, ...]


def read_draft(path: Path, *, issued: datetime) -> KeyList:
    """The key list of a draft. Raises UnreadableFile, InvalidDocument, UnusableKey, InvalidSeat or InvalidKeyList."""
    raw = read_text(path)
    draft = from_json(KeyListDraft, parse(raw, source=str(path)), source=str(path))
    keys = KeyList(
        organisation=draft.organisation,
        version=draft.version,
        issued=utc(issued),
        expires=utc(draft.expires),
        keys=tuple(_key(one, draft, path.parent, issued) for one in draft.keys),
        rules=draft.rules,
    )
    check_list(keys)
    return keys


def _key(one: KeyDraft, draft: KeyListDraft, folder: Path, issued: datetime) -> PublicKey:
    public = read_public(folder / one.file)
    return PublicKey(
        id=key_id(public),
        scheme=scheme_of(public),
        public=public,
        holder=one.holder,
        roles=one.roles,
        storage=one.storage,
        valid_from=utc(one.valid_from or issued),
        valid_until=utc(one.valid_until or draft.expires),
    )


def revoked(keys: KeyList, key: str, *, since: datetime, because: Text, issued: datetime) -> KeyList:
    """The next key list, in which one key (its id, or the beginning of it) is revoked as of ``since``.

    Raises UnusableKey where no key, or more than one, has that id. What the rules still ask for is for the seats to
    see to: a list that nobody can meet is refused when it is signed into force.
    """
    named = [one for one in keys.keys if one.id.startswith(key)]
    if len(named) != 1 or not key:
        raise UnusableKey(
            Text(
                f"{len(named)} keys of the list begin with {key!r}",
                f"{len(named)} clés de la liste débutent par «\u00a0{key}\u00a0»",
            ),
            remedy=Text(
                "Give more of the id; 'proscribe key list' shows them.",
                "Donnez une plus longue partie de l'identifiant; «\u00a0proscribe key list\u00a0» les affiche.",
            ),
        )
    changed = tuple(
        replace(one, revoked_at=utc(since), revoked_because=because) if one is named[0] else one for one in keys.keys
    )
    return replace(keys, version=keys.version + 1, issued=utc(issued), keys=changed)

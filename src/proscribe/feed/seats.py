"""Who may sign for which role of a feed, how many must, and for how long their word holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from proscribe.errors import Where
from proscribe.feed.errors import FeedKey, FeedThreshold
from proscribe.text import Text
from proscribe.trust.keys import verifier

if TYPE_CHECKING:
    from tuf.api._payload import Root

    from proscribe.trust.library import Key, Signer

ROLES = ("root", "targets", "snapshot", "timestamp")


@dataclass(frozen=True, slots=True)
class Seats:
    """Who may sign for a role, and how many must."""

    keys: tuple[Key, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class Terms:
    """How long each role's word holds, in days. The timestamp's is how long a freeze can go unnoticed at most."""

    root: int = 365
    targets: int = 180
    snapshot: int = 30
    timestamp: int = 7

    def until(self, role: str, now: datetime) -> datetime:
        """When what is signed for ``role`` at ``now`` lapses."""
        return (now.astimezone(UTC) + timedelta(days=getattr(self, role))).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class DraftRole:
    """A role with unpublished changes: how many of its seats have signed."""

    role: str
    version: int
    signed: int
    threshold: int


def public_key(pem: str) -> Key:
    """A PEM public key as the root names it, under the id that ``trust.keys`` gives it. Raises UnusableKey."""
    return verifier(pem)


def seat(root: Root, seats: Mapping[str, Seats]) -> None:
    """Give the roles named their keys and thresholds in place of those they had. Raises FeedKey."""
    for role, given in seats.items():
        ids = {key.keyid for key in given.keys}
        if role not in ROLES or not 0 < given.threshold <= len(ids):
            raise FeedKey(
                Text(
                    f"{role}: {given.threshold} signatures of {len(ids)} keys cannot be",
                    f"{role}\u00a0: {given.threshold} signatures pour {len(ids)} clés, c'est impossible",
                ),
                remedy=Text(
                    "Name as many different keys as must sign, or more; two of three is usual.",
                    "Nommez au moins autant de clés différentes que de signatures exigées; deux sur trois est l'usage.",
                ),
                where=Where(field=role),
            )
        for known in list(root.roles[role].keyids):
            root.revoke_key(known, role)
        for key in given.keys:
            root.add_key(key, role)
        root.roles[role].threshold = given.threshold
    missing = [role for role in ROLES if not root.roles[role].keyids]
    if missing:
        raise FeedKey(
            Text(f"no key for {', '.join(missing)}", f"aucune clé pour {', '.join(missing)}"),
            remedy=Text("Name the keys of every role.", "Nommez les clés de chaque rôle."),
            where=Where(field=missing[0]),
        )


def signers_of(root: Root, role: str, signers: Sequence[Signer]) -> list[Signer]:
    """Those of the signers whose keys a role asks for. Raises FeedKey where they are too few."""
    asked = root.roles[role]
    fit = [signer for signer in signers if signer.public_key.keyid in asked.keyids]
    if len({signer.public_key.keyid for signer in fit}) < asked.threshold:
        raise FeedKey(
            Text(
                f"{role}: {len(fit)} of {asked.threshold} keys given",
                f"{role} (clés fournies\u00a0: {len(fit)} sur {asked.threshold})",
            ),
            remedy=Text("Give this role's key too.", "Donnez aussi la clé de ce rôle."),
            where=Where(field=role),
        )
    return fit


def too_few(role: DraftRole) -> FeedThreshold:
    """Why a draft is not released yet."""
    return FeedThreshold(
        Text(
            f"{role.role}: {role.signed} of {role.threshold} seats signed",
            f"{role.role} (sièges signataires\u00a0: {role.signed} sur {role.threshold})",
        ),
        remedy=Text(
            "Have another officer run 'proscribe feed sign' on this folder.",
            "Demandez à un autre responsable d'exécuter «\u00a0proscribe feed sign\u00a0» sur ce dossier.",
        ),
        where=Where(field=role.role),
    )

"""What a refusal of python-tuf means: which attack, in words for those who run a department, with its own code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from proscribe.errors import Where
from proscribe.feed.errors import (
    FeedChanged,
    FeedError,
    FeedExpired,
    FeedFrozen,
    FeedIncomplete,
    FeedMixed,
    FeedRolledBack,
    FeedThreshold,
    FeedTooLarge,
    FeedUnavailable,
    FeedWrongRoot,
)
from proscribe.text import Text

if TYPE_CHECKING:
    from tuf.ngclient.updater import Updater

_KEPT = Text(
    "What was accepted before stays as it was, and nothing was adopted. Tell the authority, by telephone; do not "
    "answer to an address of the feed.",
    "Ce qui a été accepté reste tel quel et rien n'a été adopté. Informez-en l'autorité par téléphone, sans passer par "
    "une adresse du fil.",
)
_LATER = Text(
    "What was accepted before stays as it was. Try again; where it stays so, tell the authority, or take the feed by "
    "file.",
    "Ce qui a été accepté reste tel quel. Réessayez; si cela persiste, informez-en l'autorité ou recevez le fil par "
    "fichier.",
)
_PIN = Text(
    "Compare the root's fingerprint with the authority, by telephone, and correct the setting 'root' of this feed.",
    "Comparez l'empreinte de la racine avec l'autorité, par téléphone, et corrigez le paramètre "
    "«\u00a0root\u00a0» de ce fil.",
)


class Reading(Protocol):
    """The file that was read last."""

    name: str
    data: bytes


def too_large(name: str, limit: int) -> FeedTooLarge:
    """A file that goes on beyond what it may have."""
    return FeedTooLarge(
        Text(f"it has more than {limit} bytes; reading stopped", f"il dépasse {limit} octets; la lecture a cessé"),
        remedy=_KEPT,
        where=Where(file=name),
    )


def no_feed_here(name: str) -> FeedUnavailable:
    """The first file of all is not there."""
    return FeedUnavailable(
        Text("there is no feed at this place", "il n'y a pas de fil de diffusion à cet endroit"),
        remedy=Text(
            "Check the setting 'source' of this feed: it names the folder that holds 'metadata' and 'targets'.",
            "Vérifiez le paramètre «\u00a0source\u00a0» de ce fil\u00a0: il désigne le dossier qui "
            "contient «\u00a0metadata\u00a0» et "
            "«\u00a0targets\u00a0».",
        ),
        where=Where(file=name),
    )


@contextmanager
def told_of_root(state: Path, pinned: bytes) -> Iterator[None]:
    """Refuse a pinned root that cannot be one, or is not the one that this state was built on."""
    from tuf.api.exceptions import RepositoryError
    from tuf.api.metadata import Metadata

    try:
        version = Metadata.from_bytes(pinned).signed.version
        history = state / "metadata" / "root_history" / f"{version}.root.json"
        if history.exists() and history.read_bytes() != pinned:
            raise FeedWrongRoot(
                Text(
                    f"the pinned root is not the root {version} that this feed was accepted with",
                    f"la racine épinglée n'est pas la racine {version} avec laquelle ce fil a été accepté",
                ),
                remedy=_PIN,
            )
        yield
    except RepositoryError as error:
        raise FeedWrongRoot(
            Text(
                f"the pinned root is no root of a feed: {error}", f"la racine épinglée n'en est pas une\u00a0: {error}"
            ),
            remedy=_PIN,
        ) from error


@contextmanager
def told(updater: Updater, reading: Reading, now: datetime) -> Iterator[None]:
    """Turn what python-tuf raises into the FeedError that says which attack it withstood."""
    from tuf.api import exceptions as tuf

    try:
        yield
    except tuf.DownloadLengthMismatchError as error:
        raise FeedTooLarge(
            Text("it is larger than was signed; reading stopped", "il dépasse la taille signée; la lecture a cessé"),
            remedy=_KEPT,
            where=Where(file=reading.name),
        ) from error
    except tuf.DownloadHTTPError as error:
        raise _incomplete(reading) from error
    except tuf.ExpiredMetadataError as error:
        raise _lapsed(updater, now) from error
    except tuf.UnsignedMetadataError as error:
        raise _unsigned(updater, reading) from error
    except tuf.BadVersionNumberError as error:
        raise _version(updater, reading) from error
    except tuf.LengthOrHashMismatchError as error:
        raise _mismatch(updater, reading) from error
    except tuf.RepositoryError as error:
        raise _changed(
            reading,
            Text(f"it is not what the feed announces: {error}", f"ce n'est pas ce que le fil annonce\u00a0: {error}"),
        ) from error


def _incomplete(reading: Reading) -> FeedIncomplete:
    return FeedIncomplete(
        Text("the feed promises this file, and it is not there", "le fil annonce ce fichier, qui n'y est pas"),
        remedy=_LATER,
        where=Where(file=reading.name),
    )


def _changed(reading: Reading, what: Text) -> FeedChanged:
    return FeedChanged(what, remedy=_KEPT, where=Where(file=reading.name))


def _lapsed(updater: Updater, now: datetime) -> FeedError:
    """The first of the four that lapsed by our clock, in the order in which they are read."""
    held = updater._trusted_set
    role = next(role for role in ("root", "timestamp", "snapshot", "targets") if _is_over(held, role, now))
    when = f"{held[role].expires:%Y-%m-%d %H:%M}" if role in held else "?"
    kind = FeedFrozen if role in ("timestamp", "snapshot") else FeedExpired
    return kind(
        Text(
            f"the feed's {role} lapsed on {when} UTC: its news may be held back, or the authority stopped",
            f"l'élément «\u00a0{role}\u00a0» du fil est échu depuis le {when} UTC\u00a0: ses nouvelles sont "
            "peut-être retenues, ou l'autorité a cessé de signer",
        ),
        remedy=_LATER,
        where=Where(file=f"{role}.json"),
    )


def _is_over(held: Any, role: str, now: datetime) -> bool:
    # Lapsed targets are refused before they are kept, so what is not there is what was just refused.
    return role not in held or bool(held[role].is_expired(now))


def _role(reading: Reading) -> str:
    return reading.name.rpartition("/")[2].removesuffix(".json").rpartition(".")[2]


def _seats(updater: Updater, reading: Reading) -> tuple[int, int, bool]:
    """How many of the keys asked for signed the file just read, how many must, and whether any claims to have."""
    from tuf.api.exceptions import RepositoryError
    from tuf.api.metadata import Metadata

    root = updater._trusted_set.root
    try:
        metadata: Metadata[Any] = Metadata.from_bytes(reading.data)
    except RepositoryError:
        return 0, 1, True
    role = _role(reading)
    result = root.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    signed, needed = len(result.signed), result.threshold
    if role == "root" and result.verified:
        own = metadata.signed.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
        signed, needed = len(own.signed), own.threshold
    return signed, needed, bool(set(metadata.signatures) & set(root.roles[role].keyids))


def _unsigned(updater: Updater, reading: Reading) -> FeedError:
    signed, needed, claimed = _seats(updater, reading)
    where = Where(file=reading.name)
    if signed:
        return FeedThreshold(
            Text(
                f"{signed} of {needed} keys signed: one key, stolen or not, is not enough",
                f"clés ayant signé\u00a0: {signed} sur {needed}; une seule clé, volée ou non, ne suffit pas",
            ),
            remedy=_KEPT,
            where=where,
        )
    if claimed:
        return _changed(
            reading, Text("its signatures do not fit its bytes", "ses signatures ne correspondent pas à ses octets")
        )
    return FeedWrongRoot(
        Text("none of the keys we trust signed it", "aucune des clés reconnues ne l'a signé"), remedy=_PIN, where=where
    )


def _version(updater: Updater, reading: Reading) -> FeedError:
    """A version that does not follow: behind what was seen, or not the one that another file calls for."""
    from tuf.api.metadata import Metadata

    metadata: Metadata[Any] = Metadata.from_bytes(reading.data)
    held, role, version = updater._trusted_set, _role(reading), metadata.signed.version
    newest = held[role].version if role in held else 0
    if role == "targets" or (role == "root" and version > newest) or (role == "snapshot" and version == newest):
        return _mixed(reading)
    return FeedRolledBack(
        Text(
            f"an older state of the feed was served than the one seen before ({role}: {version}, before: {newest})",
            f"un état du fil antérieur à celui déjà vu a été servi ({role}\u00a0: {version}, avant\u00a0: {newest})",
        ),
        remedy=_KEPT,
        where=Where(file=reading.name),
    )


def _mismatch(updater: Updater, reading: Reading) -> FeedError:
    """Other bytes than announced: properly signed ones are from another moment, others were changed."""
    if reading.name.startswith("metadata/"):
        signed, needed, _ = _seats(updater, reading)
        if signed >= needed:
            return _mixed(reading)
    return _changed(
        reading, Text("its bytes are not those that were signed", "ses octets ne sont pas ceux qui ont été signés")
    )


def _mixed(reading: Reading) -> FeedMixed:
    return FeedMixed(
        Text(
            "it was signed once, but does not belong to the rest of what is served",
            "il a été signé un jour, mais ne va pas avec le reste de ce qui est servi",
        ),
        remedy=_KEPT,
        where=Where(file=reading.name),
    )

"""A department pulls its authority's feed: verified, recorded, a case opened, and adopted as far as its policy goes.

Nothing is ever sent to a device from here. What a feed brings is a proposal until somebody adopts it, and what was
adopted still has to be planned and approved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from proscribe.canonical import Digest, digest_json
from proscribe.catalogue.library import did_you_mean
from proscribe.documents import digest
from proscribe.errors import ProscribeError, UnreadableFile, Where
from proscribe.feed import client
from proscribe.feed.client import Pulled
from proscribe.feed.errors import FeedBusy, UnknownFeed
from proscribe.feed.model import Adoption, FeedHealth, FeedItemRecord, FeedState, FeedStatus, PullReport
from proscribe.files import reason
from proscribe.prove.model import EntryKind
from proscribe.service import adopting, trusting
from proscribe.service.config import FILE, FeedSettings, InvalidSettings
from proscribe.service.feeditems import Intake, issuer_of, state_folder
from proscribe.service.installation import Installation
from proscribe.text import Text
from proscribe.trust.model import KeyList

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_TAKEN = ("own", "here")  # what key lists and standing orders call what is our own


def settings_of(installation: Installation, name: str) -> FeedSettings:
    """The settings of a feed. Raises UnknownFeed, or InvalidSettings where its name could be mistaken."""
    found = next((one for one in installation.settings.feeds if one.name == name), None)
    if found is None:
        raise UnknownFeed(
            Text(f"no feed {name!r} is configured", f"aucun fil «\u00a0{name}\u00a0» n'est configuré"),
            remedy=did_you_mean(
                name,
                tuple(one.name for one in installation.settings.feeds),
                otherwise=Text(
                    f"Add a table [feeds.{name}] to {FILE}; docs/guide/feed.md shows one.",
                    f"Ajoutez une table [feeds.{name}] à {FILE}; docs/guide/feed.md en montre une.",
                ),
            ),
            where=Where(field="feed"),
        )
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise InvalidSettings(
            Text(f"a feed cannot be called {name!r}", f"un fil ne peut s'appeler «\u00a0{name}\u00a0»"),
            remedy=Text(
                "Use small letters, digits and single hyphens; 'own' and 'here' mean this organisation itself.",
                "Employez des minuscules, des chiffres et des traits d'union simples; "
                "«\u00a0own\u00a0» et «\u00a0here\u00a0» désignent "
                "l'organisation elle-même.",
            ),
            where=Where(file=str(installation.home / FILE), field=f"feeds.{name}"),
        )
    return found


def pull(installation: Installation, name: str, *, source: str | Path | None = None) -> PullReport:
    """Pull a feed (from ``source`` where the usual one is out of reach) and work through what is new.

    Raises a FeedError where the feed is refused; then nothing was taken, adopted or forgotten. An item that is refused
    by itself does not stop the others: the report says which and why.
    """
    settings = settings_of(installation, name)
    with _alone(name):
        try:
            pulled = client.pull(
                source or _source(installation, settings),
                state_folder(installation, name),
                _root(installation, settings),
                now=installation.clock.now(),
                patience=settings.patience_seconds,
            )
        except ProscribeError as error:
            _refused(installation, name, error)
            raise
        return _work(installation, settings, pulled)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    from proscribe.store.locks import try_lock

    with try_lock(f"feed:{name}") as got:
        if not got:
            raise FeedBusy(
                Text("another process pulls this feed", "un autre processus lit ce fil"),
                remedy=Text("Wait until it is done.", "Attendez qu'il ait terminé."),
                where=Where(field=name),
            )
        yield


def _source(installation: Installation, settings: FeedSettings) -> str | Path:
    return settings.source if "://" in settings.source else installation.home / settings.source


def _root(installation: Installation, settings: FeedSettings) -> bytes:
    path = installation.home / settings.root
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(
            Text(
                f"the first root of the feed cannot be read: {error.strerror}",
                f"la première racine du fil est illisible\u00a0: {reason(error).fr}",
            ),
            remedy=Text(
                f"Ask the authority for its file '1.root.json', by another way than the feed, and name it in "
                f"[feeds.{settings.name}], 'root'.",
                "Demandez à l'autorité son fichier «\u00a01.root.json\u00a0», par une autre voie que le fil, et "
                f"indiquez-le dans [feeds.{settings.name}], à «\u00a0root\u00a0».",
            ),
            where=Where(file=str(path)),
        ) from error


def _last(installation: Installation, name: str) -> PullReport | None:
    return installation.stores.documents.latest(PullReport, subject=name)


def _refused(installation: Installation, name: str, error: ProscribeError) -> None:
    """Record a refusal, once for as long as it stays the same one."""
    before = _last(installation, name)
    if before is not None and before.error == error.code:
        return
    report = PullReport(feed=name, at=installation.clock.now(), error=error.code, why=error.what)
    installation.keep(report, EntryKind.feed, subject=name, event="refused", code=error.code)


def _work(installation: Installation, settings: FeedSettings, pulled: Pulled) -> PullReport:
    now, before = installation.clock.now(), _last(installation, settings.name)
    intake = Intake(installation, settings, pulled)
    if before is None or before.basis != _basis(installation, settings, pulled.state):
        # The keys come first, for the basis is what the rest is judged by.
        intake.run()
    adopted = adopting.under_orders(installation, settings)
    report = PullReport(
        feed=settings.name,
        at=now,
        basis=_basis(installation, settings, pulled.state),
        fresh=pulled.fresh,
        taken=tuple(intake.taken),
        refused=tuple(intake.refused),
        gone=pulled.gone,
        cases=tuple(intake.cases),
        adopted=tuple(one.directive for one in adopted),
        proposals=(*intake.proposals, *adopting.proposals(installation, settings, pulled.gone)),
        requests=pulled.requests,
        received=pulled.received,
    )
    if before is None or before.basis != report.basis or report.adopted:
        installation.keep(
            report,
            EntryKind.feed,
            subject=settings.name,
            event="pulled",
            versions=pulled.state.versions,
            taken=len(report.taken),
            refused=[one.path for one in report.refused],
            gone=list(report.gone),
            adopted=list(report.adopted),
        )
    return report


def _basis(installation: Installation, settings: FeedSettings, state: FeedState) -> Digest:
    keys = _keys(installation, settings)
    return digest_json([state.timestamp, None if keys is None else digest(keys)])


def _keys(installation: Installation, settings: FeedSettings) -> KeyList | None:
    return trusting.key_list(installation, issuer=issuer_of(settings))


def status(installation: Installation) -> tuple[FeedStatus, ...]:
    """Every configured feed as it stands by our clock; nothing is asked of anybody."""
    return tuple(_status(installation, settings_of(installation, one.name)) for one in installation.settings.feeds)


def _status(installation: Installation, settings: FeedSettings) -> FeedStatus:
    now = installation.clock.now()
    state = client.last_state(state_folder(installation, settings.name))
    last, keys = _last(installation, settings.name), _keys(installation, settings)
    health, why = _health(settings, state, last, now)
    return FeedStatus(
        feed=settings.name,
        source=settings.source,
        adopt=settings.adopt,
        at=now,
        health=health,
        why=why,
        state=state,
        last=last,
        key_list=None if keys is None else keys.version,
        adopted=adopting.adopted_of(installation, settings.name),
    )


def _health(
    settings: FeedSettings, state: FeedState | None, last: PullReport | None, now: datetime
) -> tuple[FeedHealth, Text]:
    if last is not None and last.error and (state is None or last.at > state.checked_at):
        why = last.why or Text(last.error, last.error)
        return FeedHealth.refused, Text(f"[{last.error}] {why.en}", f"[{last.error}] {why.fr}")
    if state is None:
        return FeedHealth.never, Text("never pulled", "jamais lu")
    if now >= state.until:
        return FeedHealth.lapsed, Text(
            f"what was accepted lapsed on {_minute(state.until)}: news may be held back",
            f"ce qui a été accepté est échu depuis le {_minute(state.until)}\u00a0: des nouvelles sont peut-être "
            "retenues",
        )
    if now - state.accepted_at > timedelta(hours=settings.stale_hours):
        return FeedHealth.stale, Text(
            f"no new sign of life since {_minute(state.accepted_at)}; it lapses on {_minute(state.until)}",
            f"aucun nouveau signe de vie depuis le {_minute(state.accepted_at)}; échéance le {_minute(state.until)}",
        )
    return FeedHealth.good, Text(f"holds until {_minute(state.until)}", f"vaut jusqu'au {_minute(state.until)}")


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def items(installation: Installation, name: str) -> tuple[FeedItemRecord, ...]:
    """What was met of a feed, by path; of each path the newest record."""
    settings_of(installation, name)
    newest: dict[str, FeedItemRecord] = {}
    for record in installation.stores.documents.all(FeedItemRecord):
        if record.feed == name:
            newest.setdefault(record.path, record)
    return tuple(newest[path] for path in sorted(newest))


def adopt(installation: Installation, name: str, directive: str) -> Adoption:
    """Adopt a directive of a feed in the role that is acting. Raises NotAdopted."""
    return adopting.approve(installation, settings_of(installation, name), directive)

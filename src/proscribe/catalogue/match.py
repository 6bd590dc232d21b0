"""Identities of apps against target sets: dictionaries for exact values, prefixes for globs, keys for names.

Built once for all target sets, then asked once per distinct identity (about 50,000 on a million devices), so cost does
not grow with targets times identities (perf.md section 2).

For each directive an identity gives at most one match, the most telling one:

1. ``exact_id``, ``signer``, ``glob``, ``name_only`` (the banned app itself), in this order, except that a confirmed
   signer goes before an identifier that is in doubt. A glob never goes before a doubtful identifier: doubt wins.
2. otherwise ``lookalike_signer``, ``lookalike_homoglyph``, ``lookalike_name`` (something to look into), in this order.

Rules on case: Android package names differ by case, so ``com.Example`` is not ``com.example``. Bundle identifiers are
compared without case, as Apple's shop does not give out two that differ by case alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from proscribe.canonical import Digest, digest_json
from proscribe.catalogue.identifiers import APP_IDS, APPLE, GLOBS
from proscribe.catalogue.model import AppIdentity, Confidence, IdentifierType, Match, MatchKind, Target, TargetSet
from proscribe.catalogue.protected import is_protected
from proscribe.catalogue.skeleton import plain, skeleton
from proscribe.terms import Platform

_ORDER = {Confidence.low: 0, Confidence.medium: 1, Confidence.high: 2}
# Shorter names are words ("Lark"), and one edit away from a word there is mostly another word.
_NEAR_LENGTH = 6


@dataclass(frozen=True, slots=True)
class _Entry:
    """One target of one set, with what is asked of it often."""

    set: int
    target: Target
    platforms: tuple[Platform, ...]  # empty: any
    looks: str = ""  # the skeleton of a name


_Index = dict[str, list[_Entry]]
_Best = dict[int, tuple[tuple[int, int, int, int, int, str], Match]]  # number of the set -> rank, match
_NONE: _Index = {}
_PLATFORMS = tuple(APP_IDS.values())


class Matcher:
    """Finds which targets an app identity meets. Immutable once built; safe to share between threads."""

    def __init__(self, target_sets: Sequence[TargetSet]) -> None:
        self._sets = tuple(target_sets)
        self._exact: dict[Platform, _Index] = {platform: {} for platform in APP_IDS.values()}
        self._store: _Index = {}
        self._signer: _Index = {}
        by_length: dict[Platform, dict[int, _Index]] = {platform: {} for platform in GLOBS.values()}
        self._plain: _Index = {}
        self._skeleton: _Index = {}
        self._starts: _Index = {}
        self._ends: _Index = {}
        self._siblings: tuple[frozenset[tuple[Platform, str]], ...] = tuple(map(_sibling_keys, self._sets))
        self._publishers = tuple(
            {publisher: tuple(plain(name) for name in names) for publisher, names in one.publisher_names.items()}
            for one in self._sets
        )
        for number, target_set in enumerate(self._sets):
            for target in target_set.targets:
                self._add(number, target, by_length)
        self._globs = {platform: tuple(lengths.items()) for platform, lengths in by_length.items()}

    def _add(self, number: int, target: Target, globs: dict[Platform, dict[int, _Index]]) -> None:
        kind, value = target.type, target.value
        looks = skeleton(value) if kind is IdentifierType.app_name else ""
        entry = _Entry(number, target, _platforms(target), looks)
        if kind in APP_IDS:
            _put(self._exact[target.platform], _key(target.platform, value), entry)
        elif kind is IdentifierType.app_store_id:
            _put(self._store, value, entry)
        elif kind in GLOBS:
            prefix = _key(target.platform, value.removesuffix("*"))
            _put(globs[target.platform].setdefault(len(prefix), {}), prefix, entry)
        elif kind is IdentifierType.android_cert_sha256 or kind is IdentifierType.apple_team_id:
            _put(self._signer, value, entry)
        elif kind is IdentifierType.app_name:
            _put(self._plain, plain(value), entry)
            _put(self._skeleton, looks, entry)
            if len(looks) >= _NEAR_LENGTH:
                # One edit leaves the first three or the last three characters as they were.
                _put(self._starts, looks[:3], entry)
                _put(self._ends, looks[-3:], entry)

    def match(self, identity: AppIdentity) -> tuple[Match, ...]:
        """The matches of an identity, at most one a directive, in the order of the target sets."""
        met: list[tuple[_Entry, MatchKind]] = []
        if identity.app_id:
            self._by_id(identity, met)
        if identity.store_id:
            found = self._store.get(identity.store_id, ())
            met += [(entry, MatchKind.exact_id) for entry in found if _fits(entry, identity.platform)]
        if identity.signer:
            signed = self._signer.get(identity.signer, ())
            met += [(e, MatchKind.signer) for e in signed if not e.target.lead and _fits(e, identity.platform)]
        if identity.name and not (identity.app_id or identity.signer or identity.store_id):
            named = self._plain.get(plain(identity.name), ())
            met += [(entry, MatchKind.name_only) for entry in named if _fits(entry, identity.platform)]
        best: _Best = {}
        for entry, kind in met:
            _keep(best, entry, self._match(entry, kind, identity))
        if len(best) < len(self._sets):
            looks = skeleton(identity.name) if identity.name else ""
            # Nearly every app there is ends here, so this line decides what matching costs.
            if looks in self._skeleton or looks[:3] in self._starts or looks[-3:] in self._ends or identity.signer:
                self._add_look_alikes(identity, looks, best)
        return tuple(best[number][1] for number in sorted(best)) if best else ()

    # ---- the banned app itself --------------------------------------------------------------------------------------

    def _by_id(self, identity: AppIdentity, met: list[tuple[_Entry, MatchKind]]) -> None:
        platform = identity.platform
        for one in _PLATFORMS if platform is Platform.unknown else (platform,):
            key = _key(one, identity.app_id)
            exact = self._exact.get(one, _NONE).get(key)
            if exact:
                met += [(entry, MatchKind.exact_id) for entry in exact]
            for length, prefixes in self._globs.get(one, ()):
                globbed = prefixes.get(key[:length])
                if globbed:
                    met += [(entry, MatchKind.glob) for entry in globbed]

    def _match(self, entry: _Entry, kind: MatchKind, identity: AppIdentity) -> Match:
        target = entry.target
        confidence = target.confidence
        if kind is MatchKind.name_only:
            confidence = _at_most(confidence, self._name_confidence(entry, identity.publisher))
        elif identity.platform is Platform.unknown:
            confidence = _at_most(confidence, Confidence.medium)  # one string can be two apps on two platforms
        actionable = target.actionable and kind is not MatchKind.name_only
        # Only the widest targets can reach a protected app at all; it is never acted on, whatever they say.
        if actionable and is_protected(identity.platform, identity.app_id) is not None:
            actionable = False
        return Match(self._sets[entry.set].directive, target.id, target.product, kind, confidence, actionable)

    def _name_confidence(self, entry: _Entry, publisher: str) -> Confidence:
        """Medium where the source names the target's publisher or none; low where it names somebody else."""
        written = plain(publisher)
        if not written:
            return Confidence.medium
        known = self._publishers[entry.set].get(entry.target.publisher, ())
        agrees = any(name in written or written in name for name in known if name)
        return Confidence.medium if agrees else Confidence.low

    # ---- what looks like it -----------------------------------------------------------------------------------------

    def _add_look_alikes(self, identity: AppIdentity, looks: str, best: _Best) -> None:
        """Look-alikes for the directives that the identity does not break. ``looks``: the skeleton of its name."""
        done = frozenset(best)
        for entry, kind, confidence in (
            *self._same_signer(identity),
            *self._same_look(identity, looks),
            *self._near_look(identity, looks),
        ):
            if entry.set not in done:
                directive = self._sets[entry.set].directive
                target = entry.target
                _keep(best, entry, Match(directive, target.id, target.product, kind, confidence, actionable=False))

    def _same_signer(self, identity: AppIdentity) -> Iterator[tuple[_Entry, MatchKind, Confidence]]:
        for entry in self._signer.get(identity.signer, ()):
            if self._may_look_alike(entry, identity):
                yield entry, MatchKind.lookalike_signer, _at_most(entry.target.confidence, Confidence.medium)

    def _same_look(self, identity: AppIdentity, looks: str) -> Iterator[tuple[_Entry, MatchKind, Confidence]]:
        name = plain(identity.name)
        for entry in self._skeleton.get(looks, ()) if looks else ():
            if self._may_look_alike(entry, identity):
                if plain(entry.target.value) == name:
                    yield entry, MatchKind.lookalike_name, self._name_confidence(entry, identity.publisher)
                else:
                    yield entry, MatchKind.lookalike_homoglyph, Confidence.medium

    def _near_look(self, identity: AppIdentity, looks: str) -> Iterator[tuple[_Entry, MatchKind, Confidence]]:
        for entry in (*self._starts.get(looks[:3], ()), *self._ends.get(looks[-3:], ())):
            if _near_miss(looks, entry.looks) and self._may_look_alike(entry, identity):
                yield entry, MatchKind.lookalike_name, Confidence.low

    def _may_look_alike(self, entry: _Entry, identity: AppIdentity) -> bool:
        return (
            _fits(entry, identity.platform)
            and not self._is_known(entry.set, identity)
            and (not identity.app_id or is_protected(identity.platform, identity.app_id) is None)
        )

    def _is_known(self, number: int, identity: AppIdentity) -> bool:
        """Whether it is another product of a targeted publisher: a neighbour of the ban, not an imitation of it."""
        siblings = self._siblings[number]
        return bool(identity.app_id or identity.store_id) and (
            (identity.platform, _key(identity.platform, identity.app_id)) in siblings
            or (identity.platform, identity.store_id) in siblings
        )


_KINDS = {
    MatchKind.exact_id: 0,
    MatchKind.signer: 1,
    MatchKind.glob: 2,
    MatchKind.name_only: 3,
    MatchKind.lookalike_signer: 4,
    MatchKind.lookalike_homoglyph: 5,
    MatchKind.lookalike_name: 6,
}


def _rank(match: Match) -> tuple[int, int, int, int, int]:
    """Smaller is more telling. Among identifiers and signers, one that may be acted on goes first."""
    by_proof = match.kind in (MatchKind.exact_id, MatchKind.signer)
    doubt = int(by_proof and not match.actionable)
    return (0 if by_proof else 1, doubt, _KINDS[match.kind], -int(match.actionable), -_ORDER[match.confidence])


def _keep(best: _Best, entry: _Entry, match: Match) -> None:
    rank = (*_rank(match), match.target)
    held = best.get(entry.set)
    if held is None or rank < held[0]:
        best[entry.set] = (rank, match)


def _platforms(target: Target) -> tuple[Platform, ...]:
    if target.type is IdentifierType.apple_team_id:
        return APPLE  # a team is one and the same on all of Apple's platforms
    return () if target.platform is Platform.unknown else (target.platform,)


def _fits(entry: _Entry, platform: Platform) -> bool:
    return platform is Platform.unknown or not entry.platforms or platform in entry.platforms


def _key(platform: Platform, app_id: str) -> str:
    return app_id if platform is Platform.android else app_id.lower()


def _put(index: _Index, key: str, entry: _Entry) -> None:
    index.setdefault(key, []).append(entry)


def _at_most(confidence: Confidence, bound: Confidence) -> Confidence:
    return min(confidence, bound, key=_ORDER.__getitem__)


def _sibling_keys(target_set: TargetSet) -> frozenset[tuple[Platform, str]]:
    keys = set()
    for sibling in target_set.siblings:
        _, platform, value = sibling.split(":", 2)
        keys.add((Platform(platform), _key(Platform(platform), value)))
    return frozenset(keys)


def _near_miss(looks: str, wanted: str) -> bool:
    """Whether two skeletons of some length differ by one edit strictly inside.

    Imitations keep both ends of a name ("TikTak", "Telegrram"); words that merely resemble it ("mechat", "Telegrams")
    differ at an end, and so do numbered editions. That keeps false alarms low.
    """
    if abs(len(looks) - len(wanted)) > 1 or looks == wanted or looks[0] != wanted[0] or looks[-1] != wanted[-1]:
        return False
    if len(looks) == len(wanted):
        return sum(a != b for a, b in zip(looks, wanted, strict=True)) == 1
    short, long = sorted((looks, wanted), key=len)
    place = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[place:] == long[place + 1 :]


def sought(target_set: TargetSet) -> Digest:
    """The digest of what a target set looks for: two sets that differ only in who reviewed them look for the same."""
    return digest_json(
        {
            "targets": sorted([target.id, target.lead] for target in target_set.targets),
            "siblings": sorted(target_set.siblings),
            "publisher_names": {key: list(names) for key, names in target_set.publisher_names.items()},
        }
    )

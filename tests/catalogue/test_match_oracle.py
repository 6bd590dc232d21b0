"""The matcher against a brute-force reading of its rules: every target is looked at for every identity."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from proscribe.canonical import Digest
from proscribe.catalogue.match import Matcher
from proscribe.catalogue.model import (
    AppIdentity,
    Confidence,
    IdentifierType,
    Match,
    MatchKind,
    Target,
    TargetSet,
)
from proscribe.catalogue.protected import is_protected
from proscribe.catalogue.skeleton import plain, skeleton
from proscribe.terms import Platform

IDS = {
    IdentifierType.android_package: Platform.android,
    IdentifierType.ios_bundle_id: Platform.ios,
    IdentifierType.macos_bundle_id: Platform.macos,
}
GLOBS = {IdentifierType.android_package_glob: Platform.android, IdentifierType.ios_bundle_glob: Platform.ios}
SIGNERS = (IdentifierType.android_cert_sha256, IdentifierType.apple_team_id)
CERTIFICATES = ["a" * 64, "b" * 64]
TEAMS = ["AAAAAAAAAA", "BBBBBBBBBB"]
STRENGTH = [Confidence.low, Confidence.medium, Confidence.high]

# Small alphabets, so that identities and targets meet often.
app_ids = st.sampled_from(["ca.a.x", "ca.a.y", "ca.A.x", "ca.ab.x", "ca.b", "com.android.settings", "com.apple.notes"])
names = st.sampled_from(
    [
        "WeChat",
        "We Chat",
        "WеChat",
        "TikTok",
        "TlkTok",
        "TikTak",
        "Tiktoks",
        "Kaspersky",
        "Kasperrsky",
        "QQ",
        "Q",
        "微信",
        "!",
    ]
)
publishers = st.sampled_from(["", "Acme", "ACME Ltd.", "Other"])
platforms = st.sampled_from([Platform.android, Platform.ios, Platform.macos, Platform.windows, Platform.unknown])


@st.composite
def targets(draw):
    kind = draw(
        st.sampled_from(
            [*IDS, *GLOBS, *SIGNERS, IdentifierType.app_store_id, IdentifierType.app_name, IdentifierType.domain]
        )
    )
    platform = IDS.get(kind) or GLOBS.get(kind) or Platform.unknown
    if kind in IDS:
        value = draw(app_ids)
    elif kind in GLOBS:
        value = draw(st.sampled_from(["ca.a.*", "ca.a*", "ca.A.*", "com.android.*", "ca.ab.x*"]))
    elif kind is IdentifierType.android_cert_sha256:
        value, platform = draw(st.sampled_from(CERTIFICATES)), Platform.android
    elif kind is IdentifierType.apple_team_id:
        value, platform = draw(st.sampled_from(TEAMS)), Platform.ios
    elif kind is IdentifierType.app_store_id:
        value, platform = draw(st.sampled_from(["111111", "222222"])), Platform.ios
    elif kind is IdentifierType.app_name:
        value = draw(names.filter(lambda name: plain(name) != ""))
    else:
        value = "example.ca"
    lead = kind in SIGNERS and draw(st.booleans())
    actionable = not lead and kind is not IdentifierType.app_name and draw(st.booleans())
    return Target(
        id=f"{kind}:{platform}:{value}",
        type=kind,
        value=value,
        platform=platform,
        confidence=draw(st.sampled_from(STRENGTH)),
        publisher="acme",
        product="acme/p",
        label="P",
        why=(),
        sources=(),
        actionable=actionable,
        lead=lead,
    )


@st.composite
def target_sets(draw):
    found = {one.id: one for one in draw(st.lists(targets(), max_size=8))}
    siblings = draw(
        st.lists(
            st.sampled_from(["android_package:android:ca.b", "ios_bundle_id:ios:ca.ab.x", "app_store_id:ios:222222"])
        )
    )
    return TargetSet(
        directive=f"d{draw(st.integers(0, 3))}",
        directive_version=1,
        catalogue=Digest(""),
        resolved_at=datetime(2026, 11, 1, tzinfo=UTC),
        selectors=(),
        targets=tuple(found.values()),
        siblings=tuple(one for one in siblings if one not in found),
        publisher_names={"acme": ("Acme",)},
    )


identities = st.builds(
    AppIdentity,
    platform=platforms,
    app_id=st.one_of(st.just(""), app_ids),
    name=st.one_of(st.just(""), names),
    signer=st.one_of(st.just(""), st.sampled_from(CERTIFICATES + TEAMS)),
    store_id=st.sampled_from(["", "", "111111", "222222"]),
    publisher=publishers,
)


def oracle(target_sets, identity):
    """The matches by the rules of ``match.py``, read one by one."""
    found = []
    for target_set in target_sets:
        met = [one for target in target_set.targets for one in banned(target_set, target, identity)]
        if not met:
            met = [one for target in target_set.targets for one in alike(target_set, target, identity)]
        if met:
            found.append(min(met, key=telling))
    return tuple(found)


def telling(match):
    order = [
        lambda m: m.kind is MatchKind.exact_id and m.actionable,
        lambda m: m.kind is MatchKind.signer and m.actionable,
        lambda m: m.kind is MatchKind.exact_id,
        lambda m: m.kind is MatchKind.signer,
        lambda m: m.kind is MatchKind.glob,
        lambda m: m.kind is MatchKind.name_only,
        lambda m: m.kind is MatchKind.lookalike_signer,
        lambda m: m.kind is MatchKind.lookalike_homoglyph,
        lambda m: m.kind is MatchKind.lookalike_name,
    ]
    place = next(i for i, test in enumerate(order) if test(match))
    return place, not match.actionable, -STRENGTH.index(match.confidence), match.target


def fits(target, platform):
    if target.type is IdentifierType.apple_team_id:
        return platform in (Platform.ios, Platform.macos, Platform.unknown)
    return Platform.unknown in (platform, target.platform) or platform is target.platform


def same_id(platform, one, other):
    return one == other if platform is Platform.android else one.lower() == other.lower()


def kind_of(target, identity):
    bare = not (identity.app_id or identity.signer or identity.store_id)
    prefix = target.value[:-1]
    rules = {
        MatchKind.exact_id: (
            (target.type in IDS and identity.app_id and same_id(target.platform, target.value, identity.app_id))
            or (target.type is IdentifierType.app_store_id and identity.store_id == target.value)
        ),
        MatchKind.glob: target.type in GLOBS
        and identity.app_id
        and same_id(target.platform, identity.app_id[: len(prefix)], prefix),
        MatchKind.signer: target.type in SIGNERS and identity.signer == target.value and not target.lead,
        MatchKind.name_only: target.type is IdentifierType.app_name
        and bare
        and identity.name
        and plain(identity.name) == plain(target.value),
    }
    return next((kind for kind, holds in rules.items() if holds), None)


def banned(target_set, target, identity):
    kind = kind_of(target, identity) if fits(target, identity.platform) else None
    if kind is None:
        return
    bound = Confidence.high
    if kind is MatchKind.name_only:
        bound = by_publisher(identity)
    elif identity.platform is Platform.unknown:
        bound = Confidence.medium
    safe = is_protected(identity.platform, identity.app_id) is None
    yield Match(
        target_set.directive,
        target.id,
        target.product,
        kind,
        STRENGTH[min(STRENGTH.index(target.confidence), STRENGTH.index(bound))],
        target.actionable and safe and kind is not MatchKind.name_only,
    )


def by_publisher(identity):
    return Confidence.low if identity.publisher == "Other" else Confidence.medium


def alike(target_set, target, identity):
    if not fits(target, identity.platform) or is_sibling(target_set, identity):
        return
    if identity.app_id and is_protected(identity.platform, identity.app_id) is not None:
        return

    def match(kind, confidence):
        return Match(target_set.directive, target.id, target.product, kind, confidence, actionable=False)

    if target.type in SIGNERS:
        if identity.signer == target.value:
            strength = min(STRENGTH.index(target.confidence), 1)
            yield match(MatchKind.lookalike_signer, STRENGTH[strength])
    elif target.type is IdentifierType.app_name and skeleton(identity.name):
        looks, wanted = skeleton(identity.name), skeleton(target.value)
        if plain(identity.name) == plain(target.value):
            yield match(MatchKind.lookalike_name, by_publisher(identity))
        elif looks == wanted:
            yield match(MatchKind.lookalike_homoglyph, Confidence.medium)
        elif len(wanted) >= 6 and looks[0] == wanted[0] and looks[-1] == wanted[-1] and distance(looks, wanted) == 1:
            yield match(MatchKind.lookalike_name, Confidence.low)


def is_sibling(target_set, identity):
    for sibling in target_set.siblings:
        kind, platform, value = sibling.split(":")
        if platform != identity.platform:
            continue
        if kind == "app_store_id":
            if identity.store_id == value:
                return True
        elif identity.app_id and same_id(identity.platform, identity.app_id, value):
            return True
    return False


def distance(one, other):
    """Levenshtein's, by the book."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        previous, row = row, [i]
        for j, b in enumerate(other, start=1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (a != b)))
    return row[-1]


@settings(max_examples=400, deadline=None)
@given(st.lists(target_sets(), max_size=3), st.lists(identities, min_size=1, max_size=6))
def test_the_matcher_agrees_with_its_rules(sets, apps):
    matcher = Matcher(sets)
    for app in apps:
        assert matcher.match(app) == oracle(sets, app)


@settings(max_examples=200, deadline=None)
@given(target_sets(), identities)
def test_what_every_match_keeps(target_set, app):
    for match in Matcher([target_set]).match(app):
        (target,) = [one for one in target_set.targets if one.id == match.target]
        assert not match.actionable or target.actionable
        assert not match.actionable or match.kind.is_violation
        assert STRENGTH.index(match.confidence) <= 2
        assert not (match.kind is MatchKind.name_only and (app.app_id or app.signer))

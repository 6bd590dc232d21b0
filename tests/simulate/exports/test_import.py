"""Import and evaluation of the fictional exports give exactly their truth."""

from __future__ import annotations

import duckdb
import pytest

from proscribe.catalogue.model import MatchKind
from proscribe.clock import ManualClock
from proscribe.directive import library
from proscribe.evaluate.engine import evaluate
from proscribe.evaluate.model import Presence
from proscribe.inventory.ingest import ingest
from proscribe.simulate.exports import Source

DIRECTIVES = {
    "bytedance/tiktok": "ca-tbs-2023-tiktok",
    "tencent/wechat": "ca-tbs-2023-wechat-kaspersky",
    "kaspersky/password-manager": "ca-tbs-2023-wechat-kaspersky",
}


@pytest.fixture(scope="module")
def bans(moment):
    directives = [library.find(name) for name in sorted(set(DIRECTIVES.values()))]
    return [(directive, library.target_set(directive, now=moment)) for directive in directives]


@pytest.fixture(scope="module")
def snapshot(written, bans, moment, tmp_path_factory):
    out = tmp_path_factory.mktemp("snapshots") / "all"
    return ingest(list(written.values()), out, target_sets=[targets for _, targets in bans], clock=ManualClock(moment))


@pytest.fixture(scope="module")
def labels(snapshot):
    """Device key -> the label on the phone."""
    rows = duckdb.sql(f"select key, name from read_parquet('{snapshot.devices}')").fetchall()
    also = duckdb.sql(f"select unnest(also), name from read_parquet('{snapshot.devices}')").fetchall()
    # The spreadsheet has no column for a name: there the label is the id.
    return {key: name or key.partition(":")[2] for key, name in [*rows, *also]}


def summary(snapshot, written):
    names = {path.name: Source(source) for source, path in written.items()}
    return {names[source.name]: source for source in snapshot.manifest.sources}


def test_every_source_gives_its_phones_apps_and_bad_rows(snapshot, written, truth):
    sources = summary(snapshot, written)
    assert {source: entry.devices for source, entry in sources.items()} == truth.listed
    assert {source: entry.installs for source, entry in sources.items()} == truth.installs
    assert {source: entry.bad_rows for source, entry in sources.items()} == truth.bad_rows


def test_a_phone_in_two_systems_counts_once(snapshot, truth):
    assert snapshot.manifest.devices == truth.devices
    assert snapshot.manifest.duplicate_devices == len(truth.twice)


def test_findings_are_the_holders(snapshot, bans, moment, truth, written, labels):
    """By name alone nobody can tell the clone from the app, so where a source gives names only it is found too."""
    names_only = {labels[key] for key in labels if key.startswith("intune:")}
    clones = truth.lookalikes.get("same_name", frozenset())
    with evaluate(snapshot, bans, now=moment) as result:
        for product, directive in DIRECTIVES.items():
            found = {
                labels[finding.device]
                for finding in result.findings(directive)
                if finding.product == product and finding.match.is_violation
            }
            expected = set(truth.holders.get(product, ()))
            assert found == expected | (clones & names_only if product == "bytedance/tiktok" else set()), product


def test_lookalikes_are_found_and_kept_apart(snapshot, bans, moment, truth, labels):
    with evaluate(snapshot, bans, now=moment) as result:
        found: dict[MatchKind, set[str]] = {}
        for finding in result.findings():
            found.setdefault(finding.match, set()).add(labels[finding.device])
    assert found[MatchKind.lookalike_homoglyph] == truth.lookalikes["homoglyph"]
    with_ids = {labels[key] for key in labels if not key.startswith("intune:")}
    assert found.get(MatchKind.lookalike_name, set()) == truth.lookalikes.get("same_name", frozenset()) & with_ids


def test_a_phone_that_nobody_can_look_into_is_never_called_clean(snapshot, bans, moment, truth, labels):
    with evaluate(snapshot, bans, now=moment) as result:
        for directive, _ in bans:
            for status in result.statuses(directive.id):
                if labels[status.device] in truth.half_seen | truth.stale:
                    assert status.presence is not Presence.absent, status

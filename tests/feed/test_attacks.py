"""Everything that a feed is attacked with, over a real web server and from a folder: refused, each by its own name."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, MetaFile, TargetFile

from proscribe.feed import errors, repository
from proscribe.feed.client import last_state, pull
from proscribe.feed.seats import Seats
from proscribe.text import set_language

DAY = timedelta(days=1)
ITEM = "directives/ca-example/1.dsse.json"
SECOND = "directives/ca-example/2.dsse.json"


def refused(department, now, kind, source=None):
    """The pull is refused as ``kind``, says so in both languages, and what was accepted stands."""
    before = department.accepted()
    with pytest.raises(errors.FeedError) as caught:
        department.pull(now, source)
    assert type(caught.value) is kind, caught.value
    error = caught.value
    assert error.what.en
    assert error.what.fr != error.what.en
    assert error.remedy.fr != error.remedy.en
    assert department.accepted() == before
    return error


def test_a_pull_gives_what_was_published(authority, department):
    pulled = department.pull(authority.now)
    assert pulled.fresh
    assert pulled.added == (ITEM,)
    assert pulled.files[ITEM].read_bytes() == b'{"first": true}'
    authority.publish({SECOND: b"{}"}, days=1)
    pulled = department.pull(authority.now)
    assert (pulled.added, pulled.changed, pulled.gone) == ((SECOND,), (), ())


def test_with_nothing_new_one_small_file_is_asked_for(authority, department, request):
    department.pull(authority.now)
    pulled = department.pull(authority.now + DAY)
    assert not pulled.fresh
    assert pulled.requests == 1
    assert pulled.received < 1000
    assert pulled.files[ITEM].exists()
    if "web" in request.node.callspec.id:
        asked = request.getfixturevalue("web").lies.asked
        assert asked[-1] == "/metadata/timestamp.json"


def test_older_timestamp_is_a_rollback(authority, department, tmp_path):
    old = authority.copy(tmp_path / "old")
    authority.publish({SECOND: b"{}"}, days=1)
    department.pull(authority.now)
    refused(department, authority.now, errors.FeedRolledBack, old)


def test_older_snapshot_and_targets_under_new_names_are_refused(authority, department, tmp_path):
    department.pull(authority.now)
    authority.publish({SECOND: b"{}"}, days=1)
    fake = authority.copy(tmp_path / "fake")
    shutil.copy(fake / "metadata" / "1.snapshot.json", fake / "metadata" / "2.snapshot.json")
    refused(department, authority.now, errors.FeedMixed, fake)
    fake = authority.copy(tmp_path / "fake2")
    shutil.copy(fake / "metadata" / "1.targets.json", fake / "metadata" / "2.targets.json")
    refused(department, authority.now, errors.FeedMixed, fake)
    assert department.pull(authority.now).added == (SECOND,)


def test_the_same_files_after_their_time_are_a_freeze(authority, department):
    department.pull(authority.now)
    department.pull(authority.now + 6 * DAY)
    refused(department, authority.now + 7 * DAY, errors.FeedFrozen)
    authority.publish(days=7)
    department.pull(authority.now)


def test_setting_our_clock_back_does_not_make_a_lapsed_feed_fresh(authority, department, tmp_path):
    old = authority.copy(tmp_path / "old")
    authority.publish(days=8)
    department.pull(authority.now)
    fresh = type(department)(tmp_path / "other", department.source, department.root)
    fresh.pull(authority.now - 8 * DAY, old)
    fresh.pull(authority.now)
    refused(fresh, authority.now - 8 * DAY, errors.FeedRolledBack, old)
    note = last_state(fresh.state)
    assert note.accepted_at == authority.now


def test_the_clock_is_ours_and_not_the_machines(authority, department):
    """The feed lives in 2026 by the tests' clock; far in the future of it the very same bytes have lapsed."""
    department.pull(authority.now)
    refused(department, authority.now + 5000 * DAY, errors.FeedExpired)


def test_lapsed_officers_signatures_are_told_apart_from_a_freeze(authority, department):
    department.pull(authority.now)
    authority.now += 200 * DAY
    authority.repository.release(authority.signers, now=authority.now)  # the machine goes on, no officer does
    refused(department, authority.now, errors.FeedExpired)


def forge(authority, role, change, signers, *, version=None):
    """An attacker with some keys: a new version of a role's metadata on the server."""
    newest = max((authority.public / "metadata").glob(f"*.{role}.json"), key=lambda path: int(path.name.split(".")[0]))
    metadata = Metadata.from_bytes(newest.read_bytes())
    metadata.signed.version += 1
    change(metadata.signed)
    metadata.signatures.clear()
    for signer in signers:
        metadata.sign(signer, append=True)
    name = f"{metadata.signed.version}.{role}.json"
    (authority.public / "metadata" / name).write_bytes(repository._bytes(metadata))
    return metadata


def announce(authority, targets, *, snapshot_keys, timestamp_keys):
    """A snapshot and a timestamp for forged targets."""

    def point(snapshot):
        snapshot.meta["targets.json"] = MetaFile.from_data(
            targets.signed.version, repository._bytes(targets), ["sha256"]
        )

    snapshot = forge(authority, "snapshot", point, snapshot_keys)
    stamp_as(authority, snapshot, timestamp_keys)


def stamp_as(authority, snapshot, keys, *, ahead=1, days=0):
    path = authority.public / "metadata" / "timestamp.json"
    timestamp = Metadata.from_bytes(path.read_bytes())
    timestamp.signed.version += ahead
    timestamp.signed.expires += days * DAY
    timestamp.signed.snapshot_meta = MetaFile.from_data(
        snapshot.signed.version, repository._bytes(snapshot), ["sha256"]
    )
    timestamp.signatures.clear()
    for key in keys:
        timestamp.sign(key, append=True)
    path.write_bytes(repository._bytes(timestamp))


def add_file(signed):
    signed.targets["directives/evil/1.dsse.json"] = TargetFile.from_data("directives/evil/1.dsse.json", b"{}")


@pytest.mark.parametrize("repeated", [False, True], ids=["once", "twice-by-one-key"])
def test_one_stolen_officers_key_publishes_nothing(authority, department, repeated):
    """Even with both of the machine's keys."""
    department.pull(authority.now)
    keys = [authority.officers[0]] * (2 if repeated else 1)
    targets = forge(authority, "targets", add_file, keys)
    announce(authority, targets, snapshot_keys=[authority.snapshot], timestamp_keys=[authority.timestamp])
    error = refused(department, authority.now, errors.FeedThreshold)
    assert "1 of 2" in error.what.en


def test_one_stolen_officers_key_makes_no_root(authority, department):
    department.pull(authority.now)
    thief = authority.officers[0].public_key

    def take_over(root):
        root.roles["targets"].keyids = [thief.keyid]
        root.roles["targets"].threshold = 1

    forge(authority, "root", take_over, [authority.officers[0]])
    authority.publish()
    error = refused(department, authority.now, errors.FeedThreshold)
    assert "1 of 2" in error.what.en


def test_a_root_that_does_not_meet_its_own_threshold_is_refused(authority, department):
    """The next root is signed by two of the old officers, but by one of three of its own."""
    department.pull(authority.now)

    def ask_three(root):
        root.roles["root"].threshold = 3

    forge(authority, "root", ask_three, authority.officers[:2])
    authority.publish()
    error = refused(department, authority.now, errors.FeedThreshold)
    assert "2 of 3" in error.what.en


def test_a_stolen_timestamp_key_alone_invents_nothing(authority, department):
    """It can repeat what was published, and say so for longer; it can neither add nor take away."""
    authority.publish({SECOND: b"{}"})
    department.pull(authority.now)
    good = department.pull(authority.now)
    snapshot = Metadata.from_bytes((authority.public / "metadata" / "2.snapshot.json").read_bytes())
    stamp_as(authority, snapshot, [authority.timestamp], days=1000)
    pulled = department.pull(authority.now + 20 * DAY)  # a freeze beyond the timestamp's seven days ...
    assert pulled.files.keys() == good.files.keys()
    refused(department, authority.now + 30 * DAY, errors.FeedFrozen)  # ... ends where the snapshot lapses

    forged = forge(authority, "snapshot", lambda signed: None, [authority.timestamp])
    stamp_as(authority, forged, [authority.timestamp])
    refused(department, authority.now, errors.FeedWrongRoot)


def test_a_stolen_timestamp_key_cannot_roll_back(authority, department):
    first = Metadata.from_bytes((authority.public / "metadata" / "1.snapshot.json").read_bytes())
    authority.publish({SECOND: b"{}"})
    department.pull(authority.now)
    stamp_as(authority, first, [authority.timestamp])
    refused(department, authority.now, errors.FeedRolledBack)


def test_stolen_machine_keys_cannot_roll_back_targets(authority, department):
    old = Metadata.from_bytes((authority.public / "metadata" / "1.targets.json").read_bytes())
    authority.publish({SECOND: b"{}"})
    department.pull(authority.now)
    announce(authority, old, snapshot_keys=[authority.snapshot], timestamp_keys=[authority.timestamp])
    refused(department, authority.now, errors.FeedRolledBack)


def test_fast_forward_ends_with_new_machine_keys(authority, department, tmp_path, new_signer):
    """A thief of both machine keys counts far ahead; the officers change the keys, and the feed goes on."""
    kept = tmp_path / "kept"
    shutil.copytree(authority.folder, kept)
    department.pull(authority.now)

    def far(signed):
        signed.version += 1_000_000

    ahead = forge(authority, "snapshot", far, [authority.snapshot])
    stamp_as(authority, ahead, [authority.timestamp], ahead=1_000_000)
    department.pull(authority.now)

    shutil.rmtree(authority.folder)
    shutil.copytree(kept, authority.folder)
    authority.publish({SECOND: b"{}"})
    refused(department, authority.now, errors.FeedRolledBack)
    authority.snapshot, authority.timestamp = new_signer(), new_signer()
    machine = {
        "snapshot": Seats((authority.snapshot.public_key,), 1),
        "timestamp": Seats((authority.timestamp.public_key,), 1),
    }
    authority.repository.rotate(machine, now=authority.now)
    authority.publish()
    assert department.pull(authority.now).added == (SECOND,)


def test_every_flipped_byte_of_every_file_is_found(authority, department, tmp_path):
    """One byte in turn in each file that a pull reads: of every file many places, of small ones all kinds."""
    department.pull(authority.now)
    authority.publish({SECOND: b'{"second": 2}'})
    authority.repository.rotate({}, now=authority.now)
    authority.publish()
    known = {
        errors.FeedChanged, errors.FeedMixed, errors.FeedThreshold, errors.FeedWrongRoot, errors.FeedIncomplete,
        errors.FeedRolledBack, errors.FeedTooLarge, errors.FeedFrozen,
    }  # fmt: skip
    before = department.accepted()
    read = [
        "metadata/2.root.json", "metadata/timestamp.json", "metadata/3.snapshot.json", "metadata/3.targets.json",
        *(path.relative_to(authority.public).as_posix() for path in authority.public.rglob("*.2.dsse.json")),
    ]  # fmt: skip
    assert len(read) == 5
    found = set()
    for name in read:
        data = (authority.public / name).read_bytes()
        for position in range(0, len(data), max(1, len(data) // 12)):
            fake = tmp_path / "fake"
            shutil.rmtree(fake, ignore_errors=True)
            authority.copy(fake)
            (fake / name).write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
            state = tmp_path / "trial"
            shutil.rmtree(state, ignore_errors=True)
            shutil.copytree(department.state, state, symlinks=True)
            trial = type(department)(state, fake, department.root)
            with pytest.raises(errors.FeedError) as caught:
                trial.pull(authority.now)
            found.add(type(caught.value))
            assert trial.accepted() == before
    assert {errors.FeedChanged, errors.FeedThreshold} <= found <= known


def test_an_endless_file_is_read_no_further_than_it_may_be(authority, web, tmp_path, department):
    for name, count in (("timestamp.json", 0), ("2.snapshot.json", 1), ("2.targets.json", 1)):
        if department.source != web.url:
            break
        if not (department.state / "state.json").exists():
            department.pull(authority.now)
        if count and not (authority.public / "metadata" / "2.snapshot.json").exists():
            authority.publish({SECOND: b"{}"})
        web.lies.endless = name
        refused(department, authority.now, errors.FeedTooLarge)
    else:
        web.lies.endless = ""
        department.pull(authority.now)


def test_an_oversized_file_in_a_folder_is_refused(authority, department):
    department.pull(authority.now)
    authority.publish({SECOND: b"{}"})
    place = next(authority.public.rglob("*.2.dsse.json"))
    good = place.read_bytes()
    place.write_bytes(good + b" " * 100)
    refused(department, authority.now, errors.FeedTooLarge)
    place.write_bytes(good)
    assert department.pull(authority.now).added == (SECOND,)


def test_a_feed_larger_than_any_feed_is_refused_before_it_is_read(authority, department):
    department.pull(authority.now)
    huge = "directives/huge/1.dsse.json"

    def boast(signed):
        signed.targets[huge] = TargetFile(9 << 20, {"sha256": "0" * 64}, huge)

    targets = forge(authority, "targets", boast, authority.officers[:2])
    announce(authority, targets, snapshot_keys=[authority.snapshot], timestamp_keys=[authority.timestamp])
    refused(department, authority.now, errors.FeedTooLarge)


def test_a_slow_server_holds_nobody_up(authority, web, tmp_path, new_department):
    department = new_department(tmp_path / "state", web.url, authority.first_root)
    department.pull(authority.now)
    authority.publish({SECOND: b" " * 5000})
    department.patience = 0.4
    for lie in ("dripping", "header_drip"):
        for name in ("timestamp.json", "2.dsse.json"):
            setattr(web.lies, lie, name)
            refused(department, authority.now, errors.FeedTooSlow)
        setattr(web.lies, lie, "")
    department.patience = 30
    department.pull(authority.now)


def test_a_server_that_is_away_changes_nothing(authority, web, tmp_path, new_department):
    department = new_department(tmp_path / "state", web.url, authority.first_root)
    department.pull(authority.now)
    for status in (500, 301, 404):
        web.lies.status = {"timestamp.json": status}
        error = refused(department, authority.now, errors.FeedUnavailable)
        assert error.transient
    web.lies.status = {}
    web.stop()
    refused(department, authority.now, errors.FeedUnavailable)


def test_no_redirect_is_followed_and_nothing_else_is_asked(authority, web, tmp_path, monkeypatch, new_department):
    """A proxy of the environment is not used either: one host, and that is the configured one."""
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:9")
    monkeypatch.setenv("all_proxy", "http://192.0.2.1:9")
    department = new_department(tmp_path / "state", web.url, authority.first_root)
    department.pull(authority.now)
    assert all(one["Host"] == web.url.removeprefix("http://") for one in web.lies.headers)
    assert not any("Cookie" in one or "Authorization" in one for one in web.lies.headers)


def test_a_missing_file_is_named(authority, department):
    department.pull(authority.now)
    authority.publish({SECOND: b"{}"})
    place = next(authority.public.rglob("*.2.dsse.json"))
    good = place.read_bytes()
    place.unlink()
    error = refused(department, authority.now, errors.FeedIncomplete)
    assert "2.dsse.json" in error.where.file
    place.write_bytes(good)
    assert department.pull(authority.now).added == (SECOND,)


def test_another_authoritys_feed_is_not_ours(authority, department, tmp_path, new_authority):
    other = new_authority(tmp_path / "other")
    repository.init(other.folder, other.seats(), now=other.now)
    other.publish({ITEM: b"{}"})
    department.pull(authority.now)
    other.publish(days=1)
    refused(department, authority.now, errors.FeedWrongRoot, other.public)
    department.root = other.first_root
    refused(department, authority.now, errors.FeedWrongRoot, other.public)  # this state was built on another root
    department.root = b"{}"
    refused(department, authority.now, errors.FeedWrongRoot, other.public)


def test_roots_change_one_after_the_other(authority, department, tmp_path, new_signer):
    """Officers leave and come over several versions; a department that slept through all of them follows the chain."""
    department.pull(authority.now)
    for turn in range(4):
        leaving = authority.officers.pop(0)
        authority.officers.append(new_signer())
        people = tuple(one.public_key for one in authority.officers)
        authority.repository.rotate({"root": Seats(people, 2), "targets": Seats(people, 2)}, now=authority.now)
        authority.repository.sign(leaving)
        authority.publish({f"directives/turn/{turn + 1}.dsse.json": b"{}"}, days=1)
    pulled = department.pull(authority.now)
    assert pulled.state.versions["root"] == 5
    assert len(pulled.added) == 4
    gap = authority.copy(tmp_path / "gap")
    shutil.copy(gap / "metadata" / "5.root.json", gap / "metadata" / "3.root.json")
    newcomer = type(department)(tmp_path / "new", gap, department.root)
    with pytest.raises(errors.FeedError) as caught:
        newcomer.pull(authority.now)
    assert type(caught.value) in (errors.FeedThreshold, errors.FeedMixed, errors.FeedWrongRoot)
    again = authority.copy(tmp_path / "again")
    shutil.copy(again / "metadata" / "1.root.json", again / "metadata" / "2.root.json")
    with pytest.raises(errors.FeedRolledBack):
        type(department)(tmp_path / "new2", again, department.root).pull(authority.now)


def test_a_key_that_left_the_root_signs_no_more(authority, department, new_signer):
    department.pull(authority.now)
    gone = authority.officers[0]
    authority.officers = [authority.officers[1], authority.officers[2], new_signer()]
    people = tuple(one.public_key for one in authority.officers)
    authority.repository.rotate({"root": Seats(people, 2), "targets": Seats(people, 2)}, now=authority.now)
    authority.publish()
    department.pull(authority.now)
    targets = forge(authority, "targets", add_file, [gone, authority.officers[0]])
    announce(authority, targets, snapshot_keys=[authority.snapshot], timestamp_keys=[authority.timestamp])
    refused(department, authority.now, errors.FeedThreshold)


def test_unknown_paths_are_counted_and_not_fetched(authority, department):
    def strange(signed):
        for path in ("../../outside", "directives/x/y/1.dsse.json", "later/x"):
            signed.targets[path] = TargetFile(1, {"sha256": "0" * 64}, path)
        signed.targets["notices/x/a.md"] = TargetFile(1, {"sha256": "../../../evil"}, "notices/x/a.md")

    department.pull(authority.now)
    targets = forge(authority, "targets", strange, authority.officers[:2])
    announce(authority, targets, snapshot_keys=[authority.snapshot], timestamp_keys=[authority.timestamp])
    pulled = department.pull(authority.now)
    assert len(pulled.state.not_understood) == 4
    assert pulled.added == ()


def test_a_damaged_note_or_file_of_ours_is_made_anew(authority, department):
    first = department.pull(authority.now)
    first.files[ITEM].write_bytes(b"spoilt")
    (department.state / "state.json").write_text("{")
    assert last_state(department.state) is None
    assert department.pull(authority.now).files[ITEM].read_bytes() == b'{"first": true}'
    (department.state / "metadata" / "timestamp.json").write_text("{")
    (department.state / "state.json").unlink()
    assert department.pull(authority.now).files[ITEM].exists()


@pytest.mark.parametrize(
    "address",
    [
        "http://feed.example.org/",
        "ftp://feed.example.org/",
        "https://user:word@feed.example.org/",
        "https://feed.example.org/?version=1",
        "https://",
        "https://a:b/",
        "https://a b/",
        "https://[::1/",
        "https://ex\u00e4mple.org/",
    ],
)
def test_addresses_that_are_none(address, tmp_path, authority):
    with pytest.raises(errors.FeedAddress):
        pull(address, tmp_path / "state", authority.first_root, now=authority.now)


def test_a_folder_that_is_not_there(tmp_path, authority):
    with pytest.raises(errors.FeedAddress):
        pull(tmp_path / "nowhere", tmp_path / "state", authority.first_root, now=authority.now)
    with pytest.raises(errors.FeedUnavailable):
        pull(tmp_path, tmp_path / "state", authority.first_root, now=authority.now)


def test_links_and_pipes_in_a_folder_are_not_followed(authority, tmp_path):
    import os

    fake = authority.copy(tmp_path / "fake")
    (fake / "metadata" / "timestamp.json").unlink()
    (fake / "metadata" / "timestamp.json").symlink_to(authority.public / "metadata" / "timestamp.json")
    with pytest.raises(errors.FeedUnavailable):
        pull(fake, tmp_path / "state", authority.first_root, now=authority.now)
    (fake / "metadata" / "timestamp.json").unlink()
    os.mkfifo(fake / "metadata" / "timestamp.json")
    with pytest.raises(errors.FeedUnavailable):
        pull(fake, tmp_path / "state", authority.first_root, now=authority.now)


def test_french_says_it_too(authority, department):
    department.pull(authority.now)
    set_language("fr")
    error = refused(department, authority.now + 8 * DAY, errors.FeedFrozen)
    assert "échu" in str(error)
    assert json.dumps(error.what.fr)
    assert Path(error.where.file).name == "timestamp.json"

"""Where an authority's documents go, what a draft keeps, and what a release writes in which order."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from proscribe.directive.library import find, target_set
from proscribe.documents import digest, to_bytes
from proscribe.errors import ProscribeError, UnreadableFile
from proscribe.feed import errors, repository
from proscribe.feed.layout import HEADS_PATH, MAX_FILE, Place, in_order, path_of, read_path
from proscribe.feed.model import DepartmentHeads, Revocation
from proscribe.feed.placing import place_of, read_item
from proscribe.feed.seats import Seats
from proscribe.prove.model import EntryKind
from proscribe.service import authority as service
from proscribe.text import Text

SHIPPED = "ca-tbs-2023-wechat-kaspersky"


@pytest.fixture
def documents(officials):
    """One signed document of each kind that has a place."""
    one = find(SHIPPED)
    taken_back = Revocation(
        directive=one.id,
        directive_digest=digest(one),
        version=one.version,
        revoked_on=date(2026, 11, 5),
        reason=Text("Over.", "Fini."),
    )
    return {
        f"directives/{one.id}/{one.version}.dsse.json": officials.file(one),
        f"target-sets/{one.id}/1.dsse.json": officials.file(target_set(one, now=officials.now)),
        f"revocations/{one.id}/1.dsse.json": officials.file(taken_back),
        "keys/key-list/1.dsse.json": officials.file(officials.keys()),
    }


def test_each_document_finds_its_place_and_is_read_back_there(documents):
    for path, data in documents.items():
        assert place_of(data, ()) == path
        content = read_item(read_path(path), data)
        assert content.document is not None
        assert content.signed is not None


def test_precedents_have_a_place_of_their_own(documents):
    data = next(iter(documents.values()))
    assert place_of(data, (), precedent=True) == f"precedents/{SHIPPED}/1.dsse.json"


def test_serial_numbers_go_on_where_the_feed_stands(documents):
    paths = list(documents)
    assert place_of(documents[paths[1]], paths) == f"target-sets/{SHIPPED}/2.dsse.json"
    assert place_of(documents[paths[2]], [*paths, f"revocations/{SHIPPED}/7.dsse.json"]).endswith("/8.dsse.json")


def test_what_has_no_place(officials):
    for data in (b"[]", b"{", b'{"kind": "proscribe.directive"}', officials.file(officials.sealed(officials.keys()))):
        with pytest.raises(ProscribeError):
            place_of(data, ())


@pytest.mark.parametrize(
    "path",
    [
        "", "directives", "directives/", "directives/a/0.dsse.json", "directives/a/01.dsse.json",
        "directives/A/1.dsse.json", "directives/a-/1.dsse.json", "directives/a--b/1.dsse.json",
        "directives/" + "a" * 101 + "/1.dsse.json", "directives/../1.dsse.json", "directives/a/1.dsse.json/",
        "/directives/a/1.dsse.json", "directives/a/1.dsse.json\n", "notices/a/../../x.md", "notices/a/.hidden.md",
        "notices/a/x.exe", "heads/others.json", "keys/other/1.dsse.json", "directives/é/1.dsse.json",
    ],
)  # fmt: skip
def test_paths_that_no_feed_has(path):
    assert read_path(path) is None


def test_an_id_that_could_be_no_file(documents):
    with pytest.raises(errors.FeedItem):
        path_of(Place.directives, "../up", 1)


def test_keys_come_first_and_versions_in_order():
    paths = [
        "directives/a/10.dsse.json", "directives/a/9.dsse.json", HEADS_PATH, "keys/key-list/2.dsse.json",
        "revocations/a/1.dsse.json", "target-sets/a/1.dsse.json", "keys/key-list/1.dsse.json",
    ]  # fmt: skip
    assert [one.path for one in in_order(map(read_path, paths))] == [
        "keys/key-list/1.dsse.json", "keys/key-list/2.dsse.json", "directives/a/9.dsse.json",
        "directives/a/10.dsse.json", "target-sets/a/1.dsse.json", "revocations/a/1.dsse.json", HEADS_PATH,
    ]  # fmt: skip


def test_files_are_added_and_the_release_is_in_the_ledger(authority, branch, documents, tmp_path):
    installation = branch.open()
    files = []
    for number, data in enumerate(documents.values()):
        files.append(tmp_path / f"{number}.dsse.json")
        files[-1].write_bytes(data)
    assert set(service.add(installation, authority.folder, files)) == set(documents)
    assert set(service.add(installation, authority.folder, files)) == set(documents)  # again: the same places
    (tmp_path / "heads.json").write_bytes(to_bytes(DepartmentHeads(authority.now, {})))
    assert service.add(installation, authority.folder, [tmp_path / "heads.json"]) == (HEADS_PATH,)
    before = installation.stores.ledger.head().size
    standing = service.release(installation, authority.folder, authority.signers)
    assert set(documents) < set(standing.files)
    assert authority.repository.read(HEADS_PATH) == to_bytes(DepartmentHeads(authority.now, {}))
    entry = list(installation.stores.ledger.entries())[-1]
    assert (entry.entry, entry.body["event"]) == (EntryKind.feed, "published")
    service.release(installation, authority.folder, authority.signers)  # a sign of life is no decision
    assert installation.stores.ledger.head().size == before + 1
    with pytest.raises(UnreadableFile):
        service.add(installation, authority.folder, [tmp_path / "nothing"])
    with pytest.raises(errors.FeedItem):
        authority.repository.read("directives/none/1.dsse.json")


def test_heads_in_a_file_find_their_place(authority):
    data = to_bytes(DepartmentHeads(authority.now, {}))
    assert place_of(data, ()) == HEADS_PATH
    with pytest.raises(errors.FeedItem):
        authority.repository.stage({HEADS_PATH: b" " * (MAX_FILE + 1)}, now=authority.now)


def test_a_changed_draft_loses_its_signatures(authority):
    made = authority.repository
    made.stage({"directives/a/1.dsse.json": b"{}"}, now=authority.now)
    made.sign(authority.officers[0])
    made.sign(authority.officers[1])
    assert made.standing().draft[0].signed == 2
    made.stage({"directives/b/1.dsse.json": b"{}"}, now=authority.now)
    assert made.standing().draft[0].signed == 0
    made.sign(authority.officers[0])
    made.sign(authority.officers[0])
    assert made.standing().draft[0].signed == 1  # twice is once
    with pytest.raises(errors.FeedThreshold):
        made.release(authority.signers, now=authority.now)
    assert "directives/a/1.dsse.json" not in made.files()


def test_a_draft_that_somebody_changed_by_hand_is_not_released(authority):
    made = authority.repository
    made.stage({"directives/a/1.dsse.json": b"{}"}, now=authority.now)
    made.sign(authority.officers[0])
    made.sign(authority.officers[1])
    path = authority.folder / "draft" / "targets.json"
    body = json.loads(path.read_bytes())
    body["signed"]["targets"]["directives/b/1.dsse.json"] = next(iter(body["signed"]["targets"].values()))
    path.write_text(json.dumps(body))
    with pytest.raises(errors.FeedThreshold):
        made.release(authority.signers, now=authority.now)


def test_a_role_takes_as_many_keys_as_it_asks_for(authority, tmp_path):
    for seats in (
        {**authority.seats(), "root": Seats((authority.officers[0].public_key,), 2)},
        {**authority.seats(), "root": Seats((authority.officers[0].public_key,) * 2, 2)},
        {**authority.seats(), "mirror": Seats((authority.officers[0].public_key,), 1)},
    ):
        with pytest.raises(errors.FeedKey):
            repository.init(tmp_path / "new", seats, now=authority.now)


def test_the_timestamp_is_written_last(authority, monkeypatch):
    """Whoever pulls while a release is being written sees the old state whole."""
    written = []
    real = repository._write
    monkeypatch.setattr(repository, "_write", lambda path, data: (written.append(path), real(path, data)))
    authority.repository.rotate({}, now=authority.now)
    authority.publish({"directives/a/1.dsse.json": b"{}"})
    public = [path.name for path in written if authority.public in path.parents]
    assert public[-1] == "timestamp.json"
    assert public.index("2.targets.json") < public.index("2.snapshot.json")
    assert public[0].endswith(".1.dsse.json")


def test_a_replaced_document_is_another_version(authority):
    with pytest.raises(errors.FeedItem):
        authority.repository.stage({"directives/ca-example/1.dsse.json": b"other"}, now=authority.now)
    authority.repository.stage({"directives/ca-example/1.dsse.json": b'{"first": true}'}, now=authority.now)
    with pytest.raises(errors.ItemUnreadable):
        read_item(read_path("directives/ca-example/1.dsse.json"), b'{"first": true}')


def test_a_revocation_of_another_directive_is_misplaced(documents):
    data = documents[f"revocations/{SHIPPED}/1.dsse.json"]
    with pytest.raises(errors.ItemMisplaced):
        read_item(read_path("revocations/other/1.dsse.json"), data)
    with pytest.raises(errors.ItemMisplaced):
        read_item(read_path("keys/key-list/2.dsse.json"), documents["keys/key-list/1.dsse.json"])
    assert replace(read_path(HEADS_PATH)).numbered is False

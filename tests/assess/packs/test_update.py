"""Updates from a file: nothing changes before all of it is checked, and one step back is always there."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from proscribe.assess.errors import BrokenPack, OlderPack
from proscribe.assess.packs import installed, update
from proscribe.assess.packs.documents import Origin, PackState
from proscribe.assess.packs.installed import STATE, data_home, in_use, read_state
from proscribe.assess.packs.load import load_packs
from proscribe.assess.packs.model import PACKS
from proscribe.assess.packs.seal import sealed
from proscribe.assess.packs.update import install, listing, verify


@pytest.fixture
def release(packs_in, tmp_path, monkeypatch):
    """A release with the small packs, and an empty folder for updates."""
    folder = packs_in("release")
    monkeypatch.setattr(installed, "SHIPPED", folder)
    monkeypatch.setattr(update, "DIGESTS", folder / "digests.json")
    monkeypatch.setenv("PROSCRIBE_DATA", str(tmp_path / "updates"))
    (folder / "digests.json").write_bytes(sealed())
    return folder


@pytest.fixture
def newer(packs_in):
    """A newer pack of SDKs: ``newer("2026.12.1", edit)`` gives its file."""
    made = []

    def make(version="2026.12.1", edit=lambda rows: None):
        def change(header, rows):
            header["version"] = version
            edit(rows)

        made.append(version)
        return packs_in(f"newer{len(made)}", sdks=change) / "sdks.jsonl"

    return make


def rename(rows):
    rows[0]["name"] = "Renamed"


def swap(rows):
    rows[1].update(id="zeta")


def versions():
    return {one.pack: (one.version, one.origin) for one in listing().packs}


def test_a_release_alone_is_intact(release):
    assert not data_home().exists()
    assert set(versions().values()) == {("2026.11.1", Origin.shipped)}
    result = verify()
    assert result.ok
    assert {one.state for one in result.packs} == {PackState.intact}
    entry = listing().packs[0]
    assert (entry.rows, entry.licence, [(one.id, one.rows) for one in entry.sources]) == (1, "Apache-2.0", [("s", 1)])


def test_a_newer_pack_is_put_in_use_and_the_difference_told(release, newer):
    result = install(newer(edit=swap))
    assert (result.added, result.changed, result.removed) == (("zeta",), (), ("acme-other",))
    assert (result.version_before, result.version_after, result.origin) == ("2026.11.1", "2026.12.1", Origin.updated)
    assert versions()["sdks"] == ("2026.12.1", Origin.updated)
    assert versions()["hosts"] == ("2026.11.1", Origin.shipped)
    packs = load_packs()
    assert "zeta" in packs.sdks
    assert {one.id: one.version for one in packs.references}["sdks"] == "2026.12.1"
    check = {one.pack: one for one in verify().packs}["sdks"]
    assert (check.state, check.added, check.removed) == (PackState.updated, ("zeta",), ("acme-other",))
    assert verify().ok


def test_changed_rows_are_told_apart_from_added_ones(release, newer):
    assert install(newer(edit=rename)).changed == ("acme-maps",)


def test_an_older_or_equal_version_needs_insistence(release, newer):
    install(newer("2026.12.1"))
    old = newer("2026.10.1", rename)
    for file in (old, newer("2026.12.1", rename)):
        with pytest.raises(OlderPack) as caught:
            install(file)
        assert "--allow-older" in caught.value.remedy.en
    assert versions()["sdks"] == ("2026.12.1", Origin.updated)
    result = install(old, allow_older=True)
    assert result.version_after == "2026.10.1"
    assert versions()["sdks"] == ("2026.10.1", Origin.updated), "an older pack that was insisted on stays in use"


def test_the_previous_pack_is_kept_and_brings_back(release, newer):
    first = install(newer("2026.12.1"))
    second = install(newer("2026.12.2", rename))
    assert second.kept.endswith(".jsonl")
    assert first.kept == str(release / "sdks.jsonl")
    back = install(data_home() / second.kept, allow_older=True)
    assert back.version_after == "2026.12.1"
    install(newer("2027.01.1", swap))
    assert len(list(data_home().glob("sdks-*.jsonl"))) == 2, "the one in use and the one before, no more"


def test_the_release_s_own_file_takes_an_update_away(release, newer):
    install(newer())
    result = install(release / "sdks.jsonl", allow_older=True)
    assert result.origin is Origin.shipped
    assert versions()["sdks"] == ("2026.11.1", Origin.shipped)
    assert read_state().previous["sdks"].version == "2026.12.1"


def test_the_same_pack_again_changes_nothing(release, newer):
    file = newer()
    install(file)
    before = (data_home() / STATE).read_bytes()
    result = install(file)
    assert result.digest_before == result.digest_after
    assert (data_home() / STATE).read_bytes() == before
    shipped = install(release / "hosts.jsonl")
    assert shipped.digest_before == shipped.digest_after
    assert (data_home() / STATE).read_bytes() == before


def test_a_release_that_overtakes_an_update_wins(release, newer):
    install(newer("2026.12.1"))
    newest = newer("2027.01.1", rename)
    (release / "sdks.jsonl").write_bytes(newest.read_bytes())
    assert versions()["sdks"] == ("2027.01.1", Origin.shipped)


@pytest.mark.parametrize(
    "edit",
    [
        lambda rows: rows[0].pop("source"),
        lambda rows: rows[0].update(operator="nobody"),
        lambda rows: rows.reverse(),
        lambda rows: rows[1].update(prefixes=["com.acme.maps"]),
    ],
)
def test_a_pack_that_does_not_load_with_the_others_is_refused_and_nothing_changes(release, newer, edit):
    with pytest.raises(BrokenPack):
        install(newer(edit=edit))
    assert not data_home().exists()


def test_a_crash_before_the_last_step_leaves_the_old_state(release, newer, monkeypatch):
    install(newer("2026.12.1"))

    def no_power(state):
        raise OSError("no power")

    monkeypatch.setattr(update, "write_state", no_power)
    with pytest.raises(OSError, match="no power"):
        install(newer("2026.12.2", rename))
    assert versions()["sdks"] == ("2026.12.1", Origin.updated)
    assert verify().ok


def test_a_write_that_fails_leaves_no_draft(release, newer, monkeypatch):
    def full(descriptor):
        raise OSError("no room")

    monkeypatch.setattr(installed.os, "fsync", full)
    with pytest.raises(OSError, match="no room"):
        install(newer())
    assert list(data_home().iterdir()) == []


def test_a_file_that_changes_while_it_is_read(release, newer, monkeypatch):
    file = newer()
    real = update.read_pack

    def read_then_change(path, expected=""):
        pack = real(path, expected)
        path.write_bytes(path.read_bytes() + b"{}\n")
        return pack

    monkeypatch.setattr(update, "read_pack", read_then_change)
    with pytest.raises(BrokenPack, match="changed while"):
        install(file)
    assert not data_home().exists()


def test_an_installed_file_that_was_edited_is_refused_and_cured(release, newer):
    file = newer()
    install(file)
    (kept,) = data_home().glob("sdks-*.jsonl")
    kept.write_bytes(kept.read_bytes().replace(b"Acme-Maps", b"Ac-Me-Map"))
    with pytest.raises(BrokenPack, match="changed since"):
        load_packs()
    check = {one.pack: one for one in verify().packs}["sdks"]
    assert check.state is PackState.altered
    assert not verify().ok
    cured = install(newer("2026.12.2", rename))
    assert (cured.version_before, cured.digest_before) == ("2026.12.1", "")
    assert verify().ok


def test_a_shipped_pack_that_was_edited_is_found(release):
    path = release / "hosts.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"maps"', b'"mops"'))
    result = verify()
    states = {one.pack: one.state for one in result.packs}
    assert not result.ok
    assert states.pop("hosts") is PackState.altered
    assert set(states.values()) == {PackState.intact}


def test_a_broken_pack_is_told_with_its_row(release):
    path = release / "hosts.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"purpose":"maps"', b'"colour":"maps"'))
    check = {one.pack: one for one in verify().packs}["hosts"]
    assert check.state is PackState.broken
    assert "row 3" in check.problem.en
    assert "ligne 3" in check.problem.fr
    path.unlink()
    check = {one.pack: one for one in verify().packs}["hosts"]
    assert (check.state, check.digest, check.version) == (PackState.broken, "", "0")


def test_packs_that_no_longer_fit_each_other_are_told(release):
    path = release / "hosts.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"operator":"acme-maps"', b'"operator":"acme-nope"'))
    result = verify()
    assert "hosts.jsonl, row 3" in result.together.en
    assert "hosts.jsonl, ligne 3" in result.together.fr


def test_digests_that_are_not_there(release):
    (release / "digests.json").unlink()
    with pytest.raises(BrokenPack, match="digests"):
        verify()


@pytest.mark.parametrize(
    "state",
    [
        "not json",
        "[]",
        "{}",
        '{"installed": {"sdks": {"file": "../../etc/passwd", "version": "2027.01.1", "digest": ""}}, "previous": {}}',
        '{"installed": {"sdks": {"file": "a.jsonl", "version": "new", "digest": ""}}, "previous": {}}',
        '{"installed": {"nope": {"file": "a.jsonl", "version": "2027.01.1", "digest": ""}}, "previous": {}}',
        '{"installed": {"sdks": {"path": "a.jsonl"}}, "previous": {}}',
        '{"installed": [], "previous": {}}',
    ],
)
def test_a_record_that_cannot_be_read_says_what_to_do(release, state):
    data_home().mkdir()
    (data_home() / STATE).write_text(state, encoding="utf-8")
    with pytest.raises(BrokenPack) as caught:
        in_use()
    assert caught.value.where.file == str(data_home() / STATE)
    assert "Delete that file" in caught.value.remedy.en


def test_a_record_that_is_a_folder(release):
    (data_home() / STATE).mkdir(parents=True)
    with pytest.raises(BrokenPack):
        read_state()


@pytest.mark.parametrize("config", ["", "/somewhere/else"])
def test_the_folder_of_updates_without_a_setting_is_where_click_puts_it(monkeypatch, config):
    monkeypatch.delenv("PROSCRIBE_DATA", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", config)
    if not config:
        monkeypatch.delenv("XDG_CONFIG_HOME")
    assert data_home() == Path(click.get_app_dir("proscribe")) / "packs"


@pytest.mark.parametrize(
    ("platform", "tail"),
    [("win32", "Roaming/proscribe/packs"), ("darwin", "Library/Application Support/proscribe/packs")],
)
def test_the_folder_of_updates_elsewhere(monkeypatch, platform, tail):
    monkeypatch.delenv("PROSCRIBE_DATA", raising=False)
    monkeypatch.setenv("APPDATA", "/Users/someone/AppData/Roaming")
    monkeypatch.setattr(installed.sys, "platform", platform)
    assert data_home().as_posix().endswith(tail)


def test_the_record_holds_no_path(release, newer):
    install(newer())
    value = json.loads((data_home() / STATE).read_text("utf-8"))
    assert "/" not in json.dumps(value)
    assert set(value) == {"installed", "previous"}


def test_every_pack_has_a_digest_recorded():
    assert set(update.shipped_digests()) == set(PACKS)
    assert update.DIGESTS.read_bytes() == sealed(), "a pack changed: python -m proscribe.assess.packs.seal"

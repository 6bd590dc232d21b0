"""The whole way on the command line, with keys of three schemes: begun, signed, published, packed, pulled, adopted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from proscribe.cli.root import root
from proscribe.directive.library import find
from proscribe.documents import digest, to_bytes
from proscribe.errors import ProscribeError
from proscribe.feed.errors import FeedAddress, FeedFolder, FeedItem, FeedKey, FeedThreshold
from proscribe.text import set_language
from proscribe.trust.keys import new_pair, write_pair
from proscribe.trust.model import Scheme

NAME = "ca-example"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("PROSCRIBE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def do(*arguments, language="en"):
        set_language(language)
        result = CliRunner().invoke(root, [str(one) for one in arguments])
        set_language(None)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return do


@pytest.fixture
def keys(tmp_path):
    """Private keys in files, the public halves beside them."""
    schemes = {
        "cio": Scheme.ed25519,
        "security": Scheme.ecdsa_p256,
        "legal": Scheme.ml_dsa_65,
        "snapshot": Scheme.ed25519,
        "timestamp": Scheme.ecdsa_p256,
    }
    for name, scheme in schemes.items():
        write_pair(new_pair(scheme), tmp_path / f"{name}.key", None, plain=True)
    return tmp_path


def public(folder: Path, name: str) -> Path:
    from proscribe.trust.keys import public_path

    return public_path(folder / f"{name}.key")


@pytest.fixture
def begun(run, keys):
    run(
        "feed", "init", "central",
        *(part for one in ("cio", "security", "legal") for part in ("--officer", public(keys, one))),
        "--snapshot", public(keys, "snapshot"), "--timestamp", public(keys, "timestamp"),
    )  # fmt: skip
    return keys


def test_from_first_key_to_adoption(run, begun, officials, tmp_path):
    """The clock here is the machine's: this is what an operator does."""
    from proscribe.clock import SystemClock

    officials.now = SystemClock().now()
    own = officials.keys()
    one = replace(find("ca-tbs-2023-wechat-kaspersky"), id=NAME, version=1)
    for name, document in (("keys", own), ("directive", one)):
        (tmp_path / f"{name}.dsse.json").write_bytes(officials.file(document))
    notice = tmp_path / "public.en.md"
    notice.write_text("# Notice")
    assert f"+ directives/{NAME}/1.dsse.json" in run("feed", "add", "central", "directive.dsse.json", "keys.dsse.json")
    assert "+ notices/" in run("feed", "add", "central", "--notice", NAME, notice)
    said = run("feed", "draft", "central")
    assert "Draft of targets 1: 0 of 2 officers signed.\nNext: each officer runs 'proscribe feed sign central" in said
    assert f"+ directives/{NAME}/1.dsse.json" in said
    machine = ("--key", "file:snapshot.key", "--key", "file:timestamp.key")
    run("feed", "sign", "central", "--key", "file:security.key")
    with pytest.raises(FeedThreshold) as caught:
        run("feed", "publish", "central", *machine)
    assert "1 of 2" in caught.value.what.en
    assert "Ready" in run("feed", "sign", "central", "--key", "file:legal.key")
    assert "Published: 3 files" in run("feed", "publish", "central", *machine)
    assert "Sign of life 2" in run("feed", "publish", "central", *machine)

    run("feed", "pack", "central", "--out", "feed.zip")
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    (home / "1.root.json").write_bytes((tmp_path / "central/public/metadata/1.root.json").read_bytes())
    (home / "proscribe.toml").write_text(
        f'[feeds.central]\nsource = "{tmp_path}/central/public"\nroot = "1.root.json"\nadopt = "approved"\n'
        f'key_list = "{digest(own)}"\n',
        encoding="utf-8",
    )
    assert "not pulled" in run("feed", "status")
    said = run("feed", "pull", "central", "--from", "feed.zip")
    assert f"Case opened: feed-central-{NAME}-1" in said
    assert "feed adopt central" in said
    assert "Decide on" in run("feed", "pull", "central")
    assert "adopted by cio" in run("feed", "adopt", "central", NAME, "--as", "cio")
    assert run("feed", "pull", "central") == "central: nothing new.\n"
    said = run("feed", "status")
    assert "central: good" in said
    assert f"Adopted: {NAME}, version 1, by cio" in said
    assert json.loads(run("feed", "status", "--json"))[0]["health"] == "good"
    assert json.loads(run("feed", "pull", "central", "--json"))["requests"] == 1
    french = run("feed", "status", language="fr")
    assert "central\u00a0: en règle" in french
    assert "Adoptée" in french

    run("feed", "unpack", "feed.zip", "--to", "copied")
    assert run("feed", "pull", "central", "--from", "copied")
    run("feed", "remove", "central", f"directives/{NAME}/1.dsse.json")
    assert f"- directives/{NAME}/1.dsse.json" in run("feed", "draft", "central")
    run("feed", "sign", "central", "--key", "file:cio.key", "--key", "file:legal.key")
    run("feed", "publish", "central", *machine)
    said = run("feed", "pull", "central")
    assert f"- directives/{NAME}/1.dsse.json" in said
    assert "takes nothing back" in said


def test_officers_change_on_the_command_line(run, begun):
    run("feed", "sign", "central", "--key", "file:cio.key", "--key", "file:security.key")
    run("feed", "publish", "central", "--key", "file:snapshot.key", "--key", "file:timestamp.key")
    write_pair(new_pair(Scheme.ed25519), begun / "new.key", None, plain=True)
    said = run(
        "feed", "keys", "central", "--officer", public(begun, "new"), "--officer", public(begun, "security"),
    )  # fmt: skip
    assert "Draft of root 2: 0 of 2" in said
    run("feed", "sign", "central", "--key", "file:new.key", "--key", "file:security.key")
    assert "Draft of root 2: 1 of 2" in run("feed", "draft", "central")  # of the old officers, one
    standing = json.loads(run("feed", "draft", "central", "--json"))
    assert standing["public"]["root"]["version"] == 1
    assert {"role": "root", "version": 2, "signed": 1, "threshold": 2} in standing["waiting"]
    run("feed", "sign", "central", "--key", "file:cio.key")
    run("feed", "publish", "central", "--key", "file:snapshot.key", "--key", "file:timestamp.key")
    assert "root 2, until" in run("feed", "draft", "central")


def test_what_a_feed_refuses_to_take_in(run, begun, officials, tmp_path):
    one = replace(find("ca-tbs-2023-wechat-kaspersky"), id=NAME, version=1)
    (tmp_path / "one.dsse.json").write_bytes(officials.file(one))
    (tmp_path / "other.dsse.json").write_bytes(officials.file(replace(one, title=one.instrument)))
    (tmp_path / "plain.json").write_bytes(to_bytes(one))
    (tmp_path / "bad.txt").write_text("notice")
    (tmp_path / "strange.dsse.json").write_bytes(officials.file(replace(one, id="Ca_Strange")))
    for name in ("plain.json", "bad.txt", "strange.dsse.json"):
        with pytest.raises(ProscribeError):
            run("feed", "add", "central", name)
    with pytest.raises(FeedItem):
        run("feed", "add", "central", "--notice", NAME, "bad.txt")
    with pytest.raises(FeedItem):
        run("feed", "remove", "central", "directives/none/1.dsse.json")
    run("feed", "add", "central", "one.dsse.json")
    run("feed", "sign", "central", "--key", "file:cio.key", "--key", "file:security.key")
    with pytest.raises(FeedKey):
        run("feed", "sign", "central", "--key", "file:snapshot.key")
    with pytest.raises(FeedKey):
        run("feed", "publish", "central", "--key", "file:snapshot.key")
    run("feed", "publish", "central", "--key", "file:snapshot.key", "--key", "file:timestamp.key")
    with pytest.raises(FeedItem) as caught:
        run("feed", "add", "central", "other.dsse.json")
    assert "next version" in caught.value.remedy.en
    with pytest.raises(FeedKey):
        run("feed", "sign", "central", "--key", "file:cio.key")  # nothing is drafted


def test_folders_that_are_no_feed(run, begun, tmp_path):
    with pytest.raises(FeedFolder):
        run("feed", "init", "central", "--officer", public(begun, "cio"), "--threshold", "1")
    with pytest.raises(FeedFolder):
        run("feed", "draft", "nowhere")
    with pytest.raises(FeedFolder):
        run("feed", "pack", "central", "--out", "feed.zip")
    with pytest.raises(FeedKey):
        run("feed", "init", "other", "--officer", public(begun, "cio"))
    with pytest.raises(FeedKey):
        run("feed", "init", "another", "--officer", public(begun, "cio"), "--threshold", "1")
    (tmp_path / "central" / "draft" / "root.json").write_text("{")
    with pytest.raises(FeedFolder):
        run("feed", "draft", "central")


def test_no_feed_configured(run):
    assert "No feed" in run("feed", "status")


def test_a_source_that_is_not_there(run, begun, tmp_path):
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    (home / "1.root.json").write_text("{}")
    (home / "proscribe.toml").write_text('[feeds.a]\nsource = "nothing"\nroot = "1.root.json"\n', encoding="utf-8")
    with pytest.raises(FeedAddress):
        run("feed", "pull", "a")

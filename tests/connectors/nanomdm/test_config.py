"""Settings that cannot work, or would be unsafe, are refused with the field that is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from proscribe.connectors.base import InvalidConfiguration
from proscribe.connectors.nanomdm.config import NanomdmConfig, from_settings
from proscribe.connectors.web import is_loopback

LOCAL = {"endpoint": "http://127.0.0.1:9000", "api_key": "secret"}
AWAY = {"endpoint": "https://mdm.lighthouses.example", "api_key_file": Path("/keys/nanomdm")}


@pytest.mark.parametrize(
    ("base", "changed", "field"),
    [
        (LOCAL, {"endpoint": ""}, "endpoint"),
        (LOCAL, {"endpoint": "127.0.0.1:9000"}, "endpoint"),
        (LOCAL, {"endpoint": "ftp://127.0.0.1"}, "endpoint"),
        (LOCAL, {"endpoint": "http://127.0.0.1:99999"}, "endpoint"),
        (LOCAL, {"endpoint": "http://[::1"}, "endpoint"),
        (LOCAL, {"endpoint": "https://nanomdm:key@mdm.lighthouses.example"}, "endpoint"),
        (LOCAL, {"endpoint": "https://mdm.lighthouses.example/?key=1"}, "endpoint"),
        (AWAY, {"endpoint": "http://mdm.lighthouses.example"}, "endpoint"),
        (AWAY, {"endpoint": "http://127.0.0.1.lighthouses.example"}, "endpoint"),
        (LOCAL, {"api_key": ""}, "api_key_file"),
        (LOCAL, {"api_key_file": Path("/keys/nanomdm")}, "api_key"),
        (AWAY, {"api_key": "secret", "api_key_file": None}, "api_key"),
        (LOCAL, {"kmfddm_endpoint": "http://127.0.0.1:9002"}, "kmfddm_key_file"),
        (LOCAL, {"kmfddm_endpoint": "http://ddm.lighthouses.example", "kmfddm_key": "k"}, "kmfddm_endpoint"),
        (LOCAL, {"kmfddm_endpoint": "https://ddm.lighthouses.example", "kmfddm_key": "k"}, "kmfddm_key"),
        (LOCAL, {"listen": "127.0.0.1:9005"}, "webhook_key_file"),
        (LOCAL, {"listen": "0.0.0.0:9005", "webhook_key": "k"}, "webhook_key"),
        (AWAY, {"listen": "127.0.0.1:9005", "webhook_key": "k"}, "webhook_key"),
        (LOCAL, {"listen": "9005", "webhook_key": "k"}, "listen"),
        (LOCAL, {"listen": "127.0.0.1:0", "webhook_key": "k"}, "listen"),
        (LOCAL, {"listen": "127.0.0.1:http", "webhook_key": "k"}, "listen"),
        (LOCAL, {"listen": "127.0.0.1:9005/hook", "webhook_key": "k"}, "listen"),
        (LOCAL, {"signing_certificate": Path("/keys/a.pem")}, "signing_key"),
        (LOCAL, {"signing_key": Path("/keys/a.pem")}, "signing_certificate"),
        (LOCAL, {"default_group": " "}, "default_group"),
        (LOCAL, {"default_group": "a/b"}, "default_group"),
        (LOCAL, {"list_every_hours": 0.0}, "list_every_hours"),
        (LOCAL, {"fresh_hours": -1.0}, "fresh_hours"),
        (LOCAL, {"lost_after_hours": float("nan")}, "lost_after_hours"),
        (LOCAL, {"retry_hours": float("inf")}, "retry_hours"),
        (LOCAL, {"refused_days": 0.0}, "refused_days"),
        (LOCAL, {"connect_timeout": 0.0}, "connect_timeout"),
        (LOCAL, {"read_timeout": 0.0}, "read_timeout"),
        (LOCAL, {"concurrency": 0}, "concurrency"),
        (LOCAL, {"response_limit": 0}, "response_limit"),
    ],
)
def test_what_cannot_work_is_refused(base: dict[str, Any], changed: dict[str, Any], field: str) -> None:
    NanomdmConfig(**base)
    with pytest.raises(InvalidConfiguration) as caught:
        NanomdmConfig(**{**base, **changed})
    assert caught.value.where.field == f"nanomdm.{field}"
    assert caught.value.remedy.en
    assert caught.value.remedy.fr


@pytest.mark.parametrize("listen", ["127.0.0.1:9005", "[::1]:9005", "localhost:9005"])
def test_a_key_may_stand_in_the_settings_where_all_is_on_this_machine(listen: str) -> None:
    config = NanomdmConfig(
        endpoint="http://[::1]:9000",
        api_key="a",
        kmfddm_endpoint="http://localhost:9002",
        kmfddm_key="b",
        listen=listen,
        webhook_key="clé",
    )
    assert (config.api_secret(), config.kmfddm_secret(), config.webhook_secret()) == ("a", "b", "clé".encode())


def test_no_key_is_shown() -> None:
    config = NanomdmConfig(
        endpoint="http://127.0.0.1:9000", api_key="ebbtide", kmfddm_key="ebbtide", webhook_key="ebbtide"
    )
    assert "ebbtide" not in repr(config)


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://127.0.0.1:1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:1", True),
        ("http://localhost", True),
        ("http://127.0.0.1.lighthouses.example", False),
        ("http://localhost.lighthouses.example", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_this_machine(address: str, here: bool) -> None:
    assert is_loopback(address) is here


# Key files --------------------------------------------------------------------------------------------------------


def held(path: Path, content: bytes, mode: int = 0o600) -> NanomdmConfig:
    path.write_bytes(content)
    path.chmod(mode)
    return NanomdmConfig(endpoint="https://mdm.lighthouses.example", api_key_file=path)


def test_a_key_file_is_read_when_the_key_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "key"
    config = held(path, b"  ebb tide\r\n")
    assert config.api_secret() == "ebb tide"
    path.write_bytes(b"flood\n")
    assert config.api_secret() == "flood", "a key that was replaced needs no restart"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_file_of_everybody_is_refused(tmp_path: Path, mode: int) -> None:
    config = held(tmp_path / "key", b"ebbtide\n", mode)
    with pytest.raises(InvalidConfiguration) as caught:
        config.api_secret()
    assert caught.value.where.field == "nanomdm.api_key_file"
    assert f"{mode:04o}" in caught.value.what.en
    assert f"chmod 600 {tmp_path / 'key'}" in caught.value.remedy.fr
    assert "ebbtide" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b" \n", b"one\ntwo\n", b"\xff\xfe", b"a\x00b", b"k" * 5_000])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    config = held(tmp_path / "key", content)
    with pytest.raises(InvalidConfiguration) as caught:
        config.api_secret()
    assert caught.value.where.field == "nanomdm.api_key_file"
    assert str(tmp_path / "key") in caught.value.what.en


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    config = NanomdmConfig(
        endpoint="http://127.0.0.1:9000",
        api_key="a",
        listen="127.0.0.1:9005",
        webhook_key_file=tmp_path / name,
        kmfddm_endpoint="http://127.0.0.1:9002",
        kmfddm_key_file=tmp_path / name,
    )
    for read, field in ((config.webhook_secret, "webhook_key_file"), (config.kmfddm_secret, "kmfddm_key_file")):
        with pytest.raises(InvalidConfiguration) as caught:
            read()
        assert caught.value.where.field == f"nanomdm.{field}"


# Settings ---------------------------------------------------------------------------------------------------------


def test_settings_are_read_from_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    config = from_settings(
        {
            "endpoint": "https://mdm.lighthouses.example",
            "api_key_file": "keys/nanomdm",
            "push": "False",
            "listen": "0.0.0.0:9005",
            "webhook_key_file": "/etc/proscribe/webhook",
            "kmfddm_endpoint": "https://ddm.lighthouses.example",
            "kmfddm_key_file": "~/kmfddm",
            "roster": "roster.csv",
            "profiles": "",
            "default_group": "ships",
            "fresh_hours": "6.5",
            "concurrency": "4",
            "organisation": "Department of Lighthouses",
        },
        tmp_path,
    )
    assert config == NanomdmConfig(
        endpoint="https://mdm.lighthouses.example",
        api_key_file=tmp_path / "keys/nanomdm",
        push=False,
        listen="0.0.0.0:9005",
        webhook_key_file=Path("/etc/proscribe/webhook"),
        kmfddm_endpoint="https://ddm.lighthouses.example",
        kmfddm_key_file=tmp_path / "person/kmfddm",
        roster=tmp_path / "roster.csv",
        profiles=None,
        default_group="ships",
        fresh_hours=6.5,
        concurrency=4,
        organisation="Department of Lighthouses",
    )


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({}, "endpoint"),
        ({"api_key": "a"}, "endpoint"),
        ({**LOCAL, "api-key": "a"}, "api-key"),
        ({**LOCAL, "concurrency": "many"}, "concurrency"),
        ({**LOCAL, "concurrency": "1.5"}, "concurrency"),
        ({**LOCAL, "fresh_hours": "a day"}, "fresh_hours"),
        ({**LOCAL, "push": "perhaps"}, "push"),
    ],
)
def test_settings_that_cannot_be_read(settings: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        from_settings(settings, Path(os.sep))
    assert caught.value.where.field == f"nanomdm.{field}"


@pytest.mark.parametrize(
    ("word", "meant"), [("true", True), ("Yes", True), ("on", True), ("1", True), ("no", False), ("OFF", False)]
)
def test_switches_in_every_form(word: str, meant: bool) -> None:
    assert from_settings({**LOCAL, "push": word}, Path(os.sep)).push is meant

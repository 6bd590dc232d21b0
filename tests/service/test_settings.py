"""``proscribe.toml``: what is wrong in it is said with its place, and nothing in it is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from proscribe.errors import ProscribeError
from proscribe.service.config import InvalidSettings, Settings, load
from proscribe.service.installation import open_installation

AMAPI = """
[systems.{name}]
connector = "amapi"
enterprise = "enterprises/{name}"
endpoint = "http://127.0.0.1:1"
"""


def _write(folder: Path, text: str) -> Path:
    (folder / "proscribe.toml").write_text(text, encoding="utf-8")
    return folder


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load(tmp_path) == Settings()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("systems = 3", "systems"),
        ("[systems]\nandroid = 'amapi'", "systems"),
        ("[policy]\nremoval_limt = '10%'", "removal_limt"),
        ("organisation = 'Lighthouses'", "organisation"),
        ("[systems.android]\nconnector = 'nothing-like-it'", "connector"),
        ("[systems.android]\nconnector = 'amapi'\nenterprise = 'enterprises/x'\ncolour = 'red'", "colour"),
        ("[policy", ""),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(ProscribeError) as error:
        open_installation(_write(tmp_path, text), actor="tester")
    assert place in str(error.value)
    assert error.value.remedy.fr


def test_two_systems_behind_one_connector_are_refused_and_not_one_of_them_forgotten(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="two systems"):
        open_installation(_write(tmp_path, AMAPI.format(name="north") + AMAPI.format(name="south")), actor="tester")
    assert set(open_installation(_write(tmp_path, AMAPI.format(name="north")), actor="tester").connectors) == {"amapi"}

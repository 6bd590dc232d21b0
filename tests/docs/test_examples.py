"""The files in ``examples/`` are what they say."""

import csv
import re
import tomllib

import pytest

from proscribe.service.config import load


def test_the_example_settings_load(root, tmp_path):
    (tmp_path / "proscribe.toml").write_bytes((root / "examples" / "proscribe.toml").read_bytes())
    settings = load(tmp_path)
    assert settings.organisation.fr == "Ministère des Phares du Nord"
    assert [system.connector for system in settings.systems] == ["amapi", "nanomdm"]
    assert settings.policy.rings is not None
    assert len(settings.policy.rings) == 3


def test_the_settings_in_the_guide_load(root, tmp_path):
    page = (root / "docs" / "guide" / "settings.md").read_text("utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    assert blocks
    for block in blocks:
        (tmp_path / "proscribe.toml").write_text(block, encoding="utf-8")
        assert load(tmp_path).systems
        assert tomllib.loads(block) == tomllib.loads((root / "examples" / "proscribe.toml").read_text("utf-8"))


@pytest.mark.parametrize(("name", "delimiter", "phones"), [("phones.csv", ",", 4), ("telephones.csv", ";", 2)])
def test_the_example_exports_are_whole(root, name, delimiter, phones):
    with (root / "examples" / name).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream, delimiter=delimiter))
    assert len({len(row) for row in rows}) == 1
    assert len({row[0] for row in rows[1:]}) == phones

"""``proscribe data``: both languages, 80 columns, documents that fit their schema, exit statuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from proscribe.assess.errors import BrokenPack, OlderPack
from proscribe.assess.packs import installed, update
from proscribe.assess.packs.model import PACKS
from proscribe.assess.packs.seal import sealed
from proscribe.cli import data, schema
from proscribe.documents import json_schema
from proscribe.text import set_language


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A copy of the release with its digests, a folder for updates, a narrow terminal."""
    release = tmp_path / "release"
    release.mkdir()
    for name in PACKS:
        (release / f"{name}.jsonl").write_bytes(installed.shipped(name).read_bytes())
    monkeypatch.setattr(installed, "SHIPPED", release)
    monkeypatch.setattr(update, "DIGESTS", release / "digests.json")
    (release / "digests.json").write_bytes(sealed())
    monkeypatch.setenv("PROSCRIBE_DATA", str(tmp_path / "updates"))
    monkeypatch.setenv("COLUMNS", "80")
    yield release
    set_language(None)


@pytest.fixture
def newer(tmp_path, place):
    """The pack of operators, newer by a version, with a row taken away and one changed."""
    lines = (place / "operators.jsonl").read_text("utf-8").splitlines()
    header = json.loads(lines[0]) | {"version": "2027.01.1"}
    rows = [json.loads(line) for line in lines[1:]]
    rows = [row for row in rows if row["id"] != "tenjin" or row.get("parent")]
    changed = next(row for row in rows if row["id"] == "zego")
    changed["name"] = "Zego, renamed"
    rows.append({"id": "zz-new", "name": "New", "country": "CA", "source": "company"})
    path = tmp_path / "operators.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in (header, *rows)), "utf-8")
    return path


def keep_tenjin(newer: Path, place: Path) -> None:
    """Put the row back that others refer to."""
    row = next(line for line in (place / "operators.jsonl").read_text("utf-8").splitlines() if '"tenjin"' in line)
    lines = newer.read_text("utf-8").splitlines()
    head, rows = lines[0], [*lines[1:], row]
    rows.sort(key=lambda line: json.loads(line)["id"])
    newer.write_text("\n".join([head, *rows]) + "\n", "utf-8")


def run(*arguments, language="en"):
    set_language(language)
    return CliRunner().invoke(data.command, list(arguments))


def fits(result, kind):
    body = json.loads(result.stdout)
    Draft202012Validator(json_schema(schema.kinds()[kind])).validate(body)
    assert body["kind"] == kind
    return body


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("arguments", [("list",), ("list", "sdks"), ("list", "jurisdictions"), ("verify",)])
def test_tables_fit_eighty_columns(language, arguments):
    result = run(*arguments, language=language)
    assert result.exit_code == 0, result.output
    free = {"Digest", "Empreinte", "File", "Fichier"}  # one value a line, that must not be broken
    wide = [line for line in result.stdout.splitlines() if len(line) > 80 and line.split(":")[0].strip() not in free]
    assert wide == []


def test_list_says_where_each_pack_comes_from(place):
    result = run("list")
    assert all(name in result.stdout for name in PACKS)
    assert result.stdout.count("shipped") == len(PACKS)
    body = fits(run("list", "--json"), "proscribe.data-list")
    assert [one["pack"] for one in body["packs"]] == list(PACKS)
    for one in body["packs"]:
        assert one["licence"]
        assert (
            one["rows"]
            == len(Path(one["file"]).read_bytes().splitlines()) - 1
            == sum(s["rows"] for s in one["sources"])
        )


def test_list_of_one_pack_gives_its_sources():
    result = run("list", "hosts", language="fr")
    assert "third-party-web" in result.stdout
    assert "Empreinte\N{NO-BREAK SPACE}: sha256:" in result.stdout
    assert len(fits(run("list", "hosts", "--json"), "proscribe.data-list")["packs"]) == 1


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_pack_that_does_not_exist(language):
    result = run("list", "nothing", language=language)
    assert isinstance(result.exception, data.UnknownPack)
    assert "sdks" in str(result.exception.remedy)


def test_update_shows_the_difference_and_keeps_the_one_before(newer, place):
    with_missing = run("update", str(newer))
    assert isinstance(with_missing.exception, BrokenPack), "SDKs still name the row that is gone"
    keep_tenjin(newer, place)
    result = run("update", str(newer))
    assert result.exit_code == 0, result.output
    assert "operators: version 2027.01.1" in result.stdout
    assert "Added (1): zz-new" in result.stdout
    assert "Changed (1): zego" in result.stdout
    assert str(place / "operators.jsonl") in result.stdout.replace("\n", "")
    assert "updated" in run("list").stdout
    again = run("update", str(newer), language="fr")
    assert "rien n'a changé" in again.stdout
    checked = run("verify")
    assert checked.exit_code == 0
    assert "as installed" in checked.stdout
    assert "Added (1): zz-new" in checked.stdout


def test_update_as_a_document(newer, place):
    keep_tenjin(newer, place)
    body = fits(run("update", str(newer), "--json"), "proscribe.data-update")
    assert (body["added"], body["changed"], body["removed"]) == (["zz-new"], ["zego"], [])
    assert body["kept"] == str(place / "operators.jsonl")


def test_going_back_needs_to_be_said(newer, place):
    keep_tenjin(newer, place)
    run("update", str(newer))
    old = str(place / "operators.jsonl")
    refused = run("update", old)
    assert isinstance(refused.exception, OlderPack)
    back = run("update", old, "--allow-older", language="fr")
    assert back.exit_code == 0
    assert "Retirées (1)\N{NO-BREAK SPACE}: zz-new" in back.stdout
    assert run("list").stdout.count("shipped") == len(PACKS)


def test_many_rows_are_counted_not_poured_out(newer, place):
    keep_tenjin(newer, place)
    lines = newer.read_text("utf-8").splitlines()
    extra = [
        json.dumps({"id": f"zzz-{n:03}", "name": f"N{n}", "country": "CA", "source": "company"}) for n in range(50)
    ]
    newer.write_text("\n".join([*lines, *extra]) + "\n", "utf-8")
    result = run("update", str(newer))
    assert "Added (51):" in result.stdout
    assert "+39" in result.stdout


@pytest.mark.parametrize("language", ["en", "fr"])
def test_verify_finds_what_was_changed_by_hand(place, language):
    path = place / "hosts.jsonl"
    path.write_text(path.read_text("utf-8").replace('"purpose":"maps"', '"purpose":"cdn"', 1), "utf-8")
    (place / "sdks.jsonl").write_text("nothing\n", "utf-8")
    result = run("verify", language=language)
    assert result.exit_code == 1
    assert {"en": "altered", "fr": "altéré"}[language] in result.stdout
    assert {"en": "row 1: not a line of JSON", "fr": "ligne 1\N{NO-BREAK SPACE}: pas une ligne"}[language] in " ".join(
        result.stdout.split(" ")
    ).replace("\n", " ")
    body = fits(run("verify", "--json"), "proscribe.data-verification")
    assert not body["ok"]
    assert {one["pack"]: one["state"] for one in body["packs"]}["sdks"] == "broken"


def test_verify_says_where_packs_do_not_fit_each_other(place):
    path = place / "operators.jsonl"
    lines = [line for line in path.read_text("utf-8").splitlines() if '"id":"tenjin"' not in line]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    (place / "digests.json").write_bytes(sealed())
    result = run("verify")
    assert result.exit_code == 1
    assert "do not fit each other" in result.stdout


def test_every_document_has_a_description():
    assert {"proscribe.data-list", "proscribe.data-update", "proscribe.data-verification"} <= schema.DESCRIPTIONS.keys()


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from click.testing import CliRunner; from proscribe.cli import data; "
        "assert CliRunner().invoke(data.command, ['update', '--help']).exit_code == 0; "
        "print([m for m in ('pydantic', 'numpy', 'lief', 'django', 'yaml', 'publicsuffixlist', 'rich') "
        "if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_loading_the_packs_needs_neither_pydantic_nor_yaml():
    code = (
        "import sys; from proscribe.assess.packs.load import load_packs; load_packs(); "
        "print([m for m in ('pydantic', 'numpy', 'lief', 'django', 'yaml', 'publicsuffixlist', 'msgspec') "
        "if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"

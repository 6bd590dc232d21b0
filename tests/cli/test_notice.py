"""``proscribe notice`` as somebody in communications types it."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner
from tests.service.conftest import START

from proscribe.cli.root import root
from proscribe.clock import ManualClock, use_clock
from proscribe.errors import ProscribeError
from proscribe.publish.notices.model import NoticeIncomplete, PdfUnavailable

SHIPPED = "ca-tbs-2023-tiktok"
OFFICE = """
[notices]
office = { en = "Mobile device team", fr = "Équipe des appareils mobiles" }
telephone = "613-555-0100"
"""


@pytest.fixture
def type_(tmp_path):
    """Type a command; its result, whose error is one of ours."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "proscribe.toml").write_text(OFFICE, encoding="utf-8")

    def run(*words: str, language: str = "en"):
        with use_clock(ManualClock(START)):
            result = CliRunner().invoke(
                root,
                ["--lang", language, "notice", *words, "--home", str(tmp_path / "home")],
                standalone_mode=False,
                env={"COLUMNS": "80"},
            )
        if result.exception is not None and not isinstance(result.exception, ProscribeError):
            raise result.exception
        return result

    return run


def test_all_notices_of_a_directive_in_both_languages(type_, tmp_path):
    result = type_(SHIPPED, "--to", str(tmp_path / "out"))
    assert result.output == f"28 files written to {tmp_path / 'out'}.\n"
    assert len(list((tmp_path / "out").iterdir())) == 28
    page = (tmp_path / "out" / "public.fr.html").read_text(encoding="utf-8")
    assert '<html lang="fr-CA">' in page
    assert 'href="public.en.html"' in page


def test_one_audience_one_format_and_named_days(type_, tmp_path):
    out = tmp_path / "out"
    type_(SHIPPED, "--to", str(out), "--audience", "vendor", "--format", "md", "--reply-by", "2027-01-02")
    assert sorted(path.name for path in out.iterdir()) == ["vendor.en.md", "vendor.fr.md", "vendor.json"]
    assert "au plus tard le 2\u00a0janvier\u00a02027" in (out / "vendor.fr.md").read_text(encoding="utf-8")


def test_what_is_missing_is_said_by_field(type_, tmp_path):
    (tmp_path / "home" / "proscribe.toml").write_text(OFFICE.replace("telephone", "# telephone"), encoding="utf-8")
    result = type_(SHIPPED, "--to", str(tmp_path / "out"))
    assert isinstance(result.exception, NoticeIncomplete)
    assert "contact.email" in result.exception.what.en
    assert not (tmp_path / "out").exists()


def test_without_the_extra_the_pdf_is_left_out_unless_it_is_asked_for(type_, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "typst" else object())
    result = type_(SHIPPED, "--to", str(tmp_path / "out"), language="fr")
    assert "installez proscribe[pdf]" in result.stderr
    assert not list((tmp_path / "out").glob("*.pdf"))
    assert len(list((tmp_path / "out").iterdir())) == 20
    asked = type_(SHIPPED, "--to", str(tmp_path / "more"), "--format", "pdf")
    assert isinstance(asked.exception, PdfUnavailable)
    assert "proscribe[pdf]" in asked.exception.remedy.en

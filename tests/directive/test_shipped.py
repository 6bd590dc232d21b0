"""The directives that ship: complete, bilingual, sourced, and saying no more than the texts do."""

from __future__ import annotations

import re
from datetime import date

import jsonschema
import pytest

from proscribe import documents
from proscribe.catalogue.model import Confidence, IdentifierType, TargetSet
from proscribe.directive import library
from proscribe.directive.companion import REVIEWER, same_meaning, write_companions
from proscribe.directive.model import ActionVerb, Breadth, Compromise, Directive, Force, Stance
from proscribe.directive.targets import resolve_directive
from proscribe.directive.validate import texts, validate

REQUIRED = {
    "ca-tbs-2023-tiktok",
    "ca-tbs-2023-wechat-kaspersky",
    "us-omb-m-23-13",
    "au-pspf-001-2023-tiktok",
    "au-pspf-001-2025-deepseek",
    "au-pspf-002-2025-kaspersky",
}
every = pytest.mark.parametrize("directive_id", library.shipped_ids())


def values(target_set, **wanted):
    return {one.value for one in target_set.targets if all(getattr(one, key) == is_ for key, is_ in wanted.items())}


def test_the_required_ones_ship():
    assert set(library.shipped_ids()) >= REQUIRED
    assert [one.id for one in library.shipped()] == list(library.shipped_ids())


@every
def test_valid(directive_id, catalogue, now):
    assert validate(library.find(directive_id), catalogue, now=now) == ()


@every
def test_fits_the_published_schema(directive_id):
    data = documents.parse((library.DATA / f"{directive_id}.yaml").read_text(encoding="utf-8"))
    schema = documents.json_schema(Directive)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(data)


@every
def test_both_languages(directive_id):
    found = dict(texts(library.find(directive_id)))
    assert len(found) > 10
    for field, text in found.items():
        assert text.en.strip(), field
        assert text.fr.strip(), field
        if len(text.en.split()) > 3:
            assert text.en != text.fr, field
        # A sentence that is much shorter than its counterpart has lost something.
        assert 0.5 < len(text.fr) / len(text.en) < 2.5 or len(text.en) < 40, field
        assert not re.search(r"\b(the|and|of)\b", text.fr.replace("Director of", "")) or is_name(text.fr), (
            field,
            text.fr,
        )


def is_name(french):
    """Names of bodies and laws that have no French are left in English."""
    return any(
        name in french for name in ("Office of", "Department of", "No TikTok on", "Protective Security", "Chief")
    )


@every
def test_sources_and_claims(directive_id):
    directive = library.find(directive_id)
    assert all(source.url.startswith(("https://", "http://")) for source in directive.sources)
    assert directive.stated_reasons
    assert not set(directive.stated_reasons) & set(directive.analyst_context)
    if directive.confidence is Confidence.high:
        assert any(source.kind in ("primary", "copy") for source in directive.sources) or len(directive.sources) > 1


@every
def test_the_companion_is_what_the_catalogue_says_today(directive_id, catalogue, now):
    directive = library.find(directive_id)
    companion = documents.read(TargetSet, library.companion_path(directive_id))
    fresh = resolve_directive(directive, catalogue, now=now)
    assert companion.targets == fresh.targets
    assert same_meaning(companion, fresh), "run: python -m proscribe.directive.companion"
    assert companion.reviewed_by == REVIEWER
    assert companion.reviewed_on is not None
    assert companion.directive == directive_id
    assert companion.directive_version == directive.version
    assert not companion.unresolved
    assert any(one.actionable for one in companion.targets)


@every
def test_the_schema_knows_the_companion(directive_id):
    data = documents.to_json(documents.read(TargetSet, library.companion_path(directive_id)))
    jsonschema.Draft202012Validator(documents.json_schema(TargetSet)).validate(data)


def test_no_companion_without_directive():
    assert {path.stem for path in library.TARGETS.glob("*.json")} == set(library.shipped_ids())


def test_writing_companions_again_changes_nothing(now, tmp_path):
    assert write_companions(tmp_path, now=now) == list(library.shipped_ids())
    (tmp_path / "gone.json").write_text("{}")
    assert write_companions(tmp_path, now=now) == []
    assert not (tmp_path / "gone.json").exists()
    (tmp_path / "ca-tbs-2023-tiktok.json").unlink()
    assert write_companions(tmp_path, now=now) == ["ca-tbs-2023-tiktok"]


# ---- what is often misquoted (governance facts) ----------------------------------------------------------------------


def test_the_memorandum_has_no_duty_at_60_days():
    memorandum = library.find("us-omb-m-23-13")
    assert {(one.days, one.by) for one in memorandum.actions} == {
        (30, date(2023, 3, 29)),
        (90, date(2023, 5, 28)),
        (120, date(2023, 6, 27)),
    }
    assert memorandum.exceptions.stated
    assert not memorandum.exceptions.blanket_allowed
    assert memorandum.items[0].web_access is Stance.included


def test_the_30_60_90_pattern_is_that_of_bod_17_01():
    bod = library.find("us-dhs-bod-17-01")
    assert [(one.verb, one.days) for one in bod.actions] == [
        (ActionVerb.identify, 30),
        (ActionVerb.report, 60),
        (ActionVerb.remove, 90),
    ]
    assert bod.compromise_found is Compromise.none_stated


def test_the_australian_numbers():
    deepseek, kaspersky = library.find("au-pspf-001-2025-deepseek"), library.find("au-pspf-002-2025-kaspersky")
    assert (deepseek.announced, deepseek.effective) == (date(2025, 2, 4), date(2025, 2, 5))
    assert kaspersky.announced == date(2025, 2, 21)
    assert {one.by for one in kaspersky.actions if one.by} == {date(2025, 4, 1)}


def test_what_was_no_plain_ban_is_not_recorded_as_one():
    assert library.find("no-jd-2023-tiktok-telegram").force is Force.recommended
    assert library.find("ca-tbs-2025-deepseek").force is Force.mixed
    assert library.find("ua-nccc-2024-telegram").force is Force.mixed


def test_only_ukraine_alleges_a_compromise():
    alleged = {one.id for one in library.shipped() if one.compromise_found is Compromise.alleged}
    assert alleged == {"ua-nccc-2024-telegram"}


# ---- the Canadian decisions ------------------------------------------------------------------------------------------


def test_canada_2023(wechat, now):
    assert (wechat.announced, wechat.effective) == (date(2023, 10, 30), date(2023, 10, 30))
    tiktok = library.find("ca-tbs-2023-tiktok")
    assert (tiktok.announced, tiktok.effective) == (date(2023, 2, 27), date(2023, 2, 28))
    assert wechat.compromise_found is Compromise.none_stated
    assert [one.breadth for one in wechat.items] == [Breadth.product, Breadth.suite]
    assert not wechat.exceptions.stated
    found = library.target_set(wechat, now=now)
    assert {"com.tencent.mm", "com.tencent.xin", "com.kms.free", "com.kaspersky.*"} <= values(found, actionable=True)
    assert "com.tencent.wework" not in values(found)


def test_the_press_reasons_are_not_the_authoritys(wechat):
    stated = " ".join(reason.en for reason in wechat.stated_reasons).lower()
    for word in ("russia", "china", "foreign state", "intelligence"):
        assert word not in stated


def test_the_ambiguities_are_visible(wechat):
    questions = " ".join(one.question.en for one in wechat.ambiguities)
    assert "suite" in questions
    assert "French" in questions
    tiktok = library.find("au-pspf-001-2023-tiktok")
    assert any("browser" in one.question.en for one in tiktok.ambiguities)


def test_hosts_are_acted_upon_only_where_the_text_covers_the_web(now):
    for directive in library.shipped():
        covered = {item.publisher for item in directive.items if item.web_access is Stance.included}
        for target in library.target_set(directive, now=now).targets:
            if target.type is IdentifierType.domain and target.actionable:
                assert target.publisher in covered
    memorandum = library.target_set(library.find("us-omb-m-23-13"), now=now)
    assert "tiktok.com" in values(memorandum, actionable=True)
    canada = library.target_set(library.find("ca-tbs-2023-tiktok"), now=now)
    (host,) = [one for one in canada.targets if one.value == "tiktok.com"]
    assert "does not speak of web access" in host.not_actionable_because.en


def test_no_doubtful_identifier_drives_a_removal(now):
    for directive in library.shipped():
        for target in library.target_set(directive, now=now).targets:
            assert not (target.actionable and target.confidence is Confidence.low)
            assert target.why
            assert target.sources

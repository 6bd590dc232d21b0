"""Reviews: what is set aside stays in sight and counts again after its day; what does not fit is refused by name."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from proscribe import documents
from proscribe.assess.errors import WrongReview
from proscribe.assess.model import ReleaseEntry, Review, SuppressionEntry
from proscribe.assess.review import load_review, reference
from proscribe.assess.terms import Area, Rating
from proscribe.errors import InvalidDocument

DAY = date(2026, 11, 22)


def review(*entries, releases=(), as_of=DAY, app_id="com.example.shop.lite"):
    return Review(app_id=app_id, as_of=as_of, suppressions=tuple(entries), releases=tuple(releases))


def aside(finding, expires=DAY, reason="checked by hand", author="duty officer"):
    return SuppressionEntry(finding, reason, author, expires)


def test_a_suppressed_finding_is_seen_and_does_not_count(world, make):
    gathered = make.app(make.call(make.LOCATE), permissions=("ACCESS_FINE_LOCATION",))
    assessment = world.judge(gathered, review=review(aside("PSB-A-LOCATION-01@app")))
    found = make.finding(assessment, "PSB-A-LOCATION-01@app")
    assert (found.suppressed.author, found.suppressed.expires) == ("duty officer", DAY)
    row = make.area(assessment, Area.location)
    assert (row.counts, row.findings) == (False, ("PSB-A-LOCATION-01@app",))
    assert "set aside by a review" in row.summary.en


@pytest.mark.parametrize(
    ("days", "rating"), [(-1, Rating.pervasive), (0, Rating.considerable), (1, Rating.considerable)]
)
def test_a_suppression_lasts_through_its_last_day(world, make, days, rating):
    entry = aside("PSB-A-CODE-01@adkit", expires=DAY + timedelta(days=days))
    assessment = world.judge(make.strong(), review=review(entry))
    assert (assessment.rating.rating, assessment.rating.without_suppressions) == (rating, Rating.pervasive)
    counter = make.finding(assessment, "PSB-A-CODE-01@adkit").counter
    assert any("counts again" in one.en for one in counter) is (days < 0)


def test_a_capability_is_set_aside_for_every_actor(world, make):
    assessment = world.judge(make.strong(), review=review(aside("PSB-A-LOCATION-01")))
    assert all(one.suppressed for one in assessment.findings if one.capability == "PSB-A-LOCATION-01")
    assert sum(one.suppressed is not None for one in assessment.findings) == 2


def test_of_two_suppressions_the_longer_holds(world, make):
    entries = aside("PSB-A-CODE-01", DAY - timedelta(days=9)), aside("PSB-A-CODE-01@adkit", DAY + timedelta(days=9))
    assessment = world.judge(make.strong(), review=review(*entries))
    assert make.finding(assessment, "PSB-A-CODE-01@adkit").suppressed.expires == DAY + timedelta(days=9)


def test_a_release_marks_a_finding_and_changes_no_rating(world, make):
    entry = ReleaseEntry("PSB-A-CODE-01@adkit", "press office", "public already")
    assessment = world.judge(make.strong(), review=review(releases=(entry,)))
    assert make.finding(assessment, "PSB-A-CODE-01@adkit").released.author == "press office"
    assert assessment.rating == world.judge(make.strong()).rating


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        (review(aside("PSB-A-NOTHING-01@app")), "suppressions.0.finding", "PSB-A-NOTHING-01@app"),
        (review(aside("PSB-A-CODE-01"), aside("PSB-A-SCREEN-01")), "suppressions.1.finding", "PSB-A-SCREEN-01"),
        (review(releases=(ReleaseEntry("PSB-A-X@app", "a", "b"),)), "releases.0.finding", "PSB-A-X@app"),
        (review(app_id="com.other"), "app_id", "com.other"),
        (review(aside("PSB-A-CODE-01", reason=" ")), "suppressions.0.reason", "reason"),
        (review(aside("PSB-A-CODE-01", author="")), "suppressions.0.author", "author"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(world, make, given, field, words):
    with pytest.raises(WrongReview) as caught:
        world.judge(make.strong(), review=given)
    assert caught.value.where.field == field
    assert words in caught.value.what.en
    assert caught.value.remedy.fr


def test_the_assessment_names_the_review(world, make):
    given = review(aside("PSB-A-CODE-01"))
    assert world.judge(make.strong(), review=given).review == reference(given)
    assert reference(given).digest == documents.digest(given)


YAML = """kind: proscribe.review
schema: 1
app_id: com.example.shop.lite
as_of: 2026-11-22
suppressions:
- finding: PSB-A-CODE-01@adkit
  reason: {reason}
  author: duty officer
  expires: 2026-12-31
"""


def test_a_review_is_a_file_that_people_write(tmp_path):
    path = tmp_path / "review.yaml"
    path.write_text(YAML.format(reason="looked at"), "utf-8")
    assert load_review(path) == review(
        SuppressionEntry("PSB-A-CODE-01@adkit", "looked at", "duty officer", date(2026, 12, 31))
    )


def test_a_file_without_reason_or_expiry_is_refused(tmp_path):
    path = tmp_path / "review.yaml"
    path.write_text(YAML.format(reason='""'), "utf-8")
    with pytest.raises(WrongReview) as caught:
        load_review(path)
    assert caught.value.where.file == str(path)
    path.write_text(YAML.format(reason="x").replace("  expires: 2026-12-31\n", ""), "utf-8")
    with pytest.raises(InvalidDocument) as caught:
        load_review(path)
    assert caught.value.where.field.endswith("expires")

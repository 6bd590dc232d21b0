"""OSCAL from a proof bundle: valid to compliance-trestle, the same bytes each time, and honest about what is unseen."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.prove.conftest import make_inputs
from trestle.core.validator_factory import validator_factory
from trestle.oscal.assessment_results import Model as ResultsModel
from trestle.oscal.poam import Model as PlanModel

from proscribe.canonical import digest_file
from proscribe.documents import to_bytes
from proscribe.enforce.model import Outcome
from proscribe.errors import UnreadableFile
from proscribe.prove.bundle import BundleInputs, export
from proscribe.prove.container import Container
from proscribe.prove.model import Counts, ExemptionSummary, NotSeen, Tally
from proscribe.publish.oscal.bundle import ProofUnsound, assessed_in
from proscribe.publish.oscal.parts import ORDER, Assessed
from proscribe.publish.oscal.plan import plan_of_action
from proscribe.publish.oscal.results import assessment_results
from proscribe.text import Language, Text

Json = dict[str, Any]
LANGUAGES: tuple[Language, ...] = ("en", "fr")


@pytest.fixture(scope="module")
def inputs() -> BundleInputs:
    return make_inputs()


@pytest.fixture(scope="module")
def bundle(inputs: BundleInputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("proof") / "proof.zip"
    export(inputs, path)
    return path


@pytest.fixture(scope="module")
def assessed(bundle: Path) -> Assessed:
    return assessed_in(bundle)


def results(assessed: Assessed, language: Language = "en") -> Json:
    found: Json = json.loads(assessment_results(assessed, language))["assessment-results"]
    return found


def plan(assessed: Assessed, language: Language = "en") -> Json:
    data = plan_of_action(assessed, language)
    assert data is not None
    found: Json = json.loads(data)["plan-of-action-and-milestones"]
    return found


def counted(assessed: Assessed, by_outcome: dict[Outcome, int], unseen: tuple[Text, ...] = ()) -> Assessed:
    """The same, with other counts and without exemptions."""
    number = sum(by_outcome.values())
    tally = Tally("android/cope", number, by_outcome)
    return replace(
        assessed,
        counts=Counts(assessed.directive.id, number, by_outcome, (tally,), (tally,) if number else ()),
        not_seen=NotSeen((), {}, unseen),
        exemptions=(),
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_documents_are_valid_to_trestle_and_come_back_alike(assessed: Assessed, language: Language) -> None:
    data = assessment_results(assessed, language)
    model = ResultsModel.model_validate(json.loads(data))
    checker = validator_factory.get(Namespace(mode="all"))  # duplicate identifiers, references, links
    assert checker.model_is_valid(model.assessment_results, quiet=True), checker.error_msg()
    again = json.loads(model.model_dump_json(by_alias=True, exclude_none=True))
    assert _times(again) == _times(json.loads(data))
    data = plan_of_action(assessed, language) or b""
    plan = PlanModel.model_validate(json.loads(data))
    assert checker.model_is_valid(plan.plan_of_action_and_milestones, quiet=True), checker.error_msg()


def _times(value: Any) -> Any:
    """A document without the fractions of its seconds, which trestle writes in its own way."""
    if isinstance(value, dict):
        return {name: _times(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_times(item) for item in value]
    return re.sub(r"(T\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)$", r"\1", value) if isinstance(value, str) else value


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_bundle_gives_the_same_bytes(bundle: Path, assessed: Assessed, language: Language) -> None:
    assert assessment_results(assessed_in(bundle), language) == assessment_results(assessed, language)
    assert plan_of_action(assessed_in(bundle), language) == plan_of_action(assessed, language)


def test_identifiers_differ_between_languages_and_counts(assessed: Assessed) -> None:
    other = counted(assessed, {Outcome.failed: 1})
    made = [results(assessed), results(assessed, "fr"), results(other), plan(assessed), plan(assessed, "fr")]
    assert len({one["uuid"] for one in made}) == len(made)


def test_every_identifier_is_used_once_and_every_reference_leads_somewhere(assessed: Assessed) -> None:
    for document in (results(assessed), plan(assessed)):
        named = [item["uuid"] for item in _dicts(document) if "uuid" in item]
        assert len(named) == len(set(named))
        referred = {
            value
            for item in _dicts(document)
            for name, value in item.items()
            if name in ("observation-uuid", "risk-uuid", "finding-uuid")
        }
        referred |= {item["href"][1:] for item in _dicts(document) if str(item.get("href", "")).startswith("#")}
        assert referred
        assert referred <= set(named)


def _dicts(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _dicts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _dicts(item)


def _prop(item: Json, name: str) -> str:
    return next((str(one["value"]) for one in item.get("props", []) if one["name"] == name), "")


def test_the_counts_are_those_of_the_bundle(assessed: Assessed) -> None:
    (result,) = results(assessed)["results"]
    shown = {
        _prop(one, "outcome"): int(_prop(one, "devices")) for one in result["observations"] if _prop(one, "outcome")
    }
    assert shown == {outcome.value: number for outcome, number in assessed.counts.by_outcome.items()}
    assert sum(shown.values()) == assessed.counts.fleet
    assert len(shown) == len(Outcome) - 1  # this fleet has all but one


def test_what_was_not_seen_comes_first(assessed: Assessed) -> None:
    statements = [text.en for text in assessed.not_seen.statements]
    assert statements
    (result,) = results(assessed)["results"]
    for rows in (result["observations"], result["risks"], plan(assessed)["poam-items"]):
        assert [one["description"] for one in rows[: len(statements)]] == statements
    order = [_prop(one, "outcome") for one in result["observations"][len(statements) :]]
    assert order == [outcome.value for outcome in ORDER if outcome in assessed.counts.by_outcome]
    compliant = [Outcome(name).compliant for name in order]
    assert compliant == sorted(compliant)
    assert set(ORDER) == set(Outcome)


def test_every_outcome_that_is_not_compliant_is_an_item_of_the_plan(assessed: Assessed) -> None:
    items = plan(assessed)["poam-items"]
    present = assessed.counts.by_outcome
    wanted = {outcome.value for outcome in present if not outcome.compliant and outcome is not Outcome.exempt}
    assert {_prop(one, "outcome") for one in items} - {""} == wanted
    exempt = [one for one in items if one["title"].startswith("Exemption")]
    assert [one["title"] for one in exempt] == ["Exemption ex-1"]  # the one of another directive is none of this
    assert _prop(exempt[0], "expires") == "2027-05-01"
    assert "museum" in exempt[0]["description"]


def test_an_exemption_is_an_approved_deviation_until_its_last_day(assessed: Assessed) -> None:
    def exempt(one: Assessed) -> Json:
        (result,) = results(one)["results"]
        (risk,) = (risk for risk in result["risks"] if risk["title"].startswith("Exemption"))
        assert isinstance(risk, dict)
        return risk

    risk = exempt(assessed)
    assert (risk["status"], risk["deadline"]) == ("deviation-approved", "2027-05-01T23:59:59Z")
    assert [one["description"] for one in risk["mitigating-factors"]] == ["separate device, no work data"]
    over = exempt(replace(assessed, at=assessed.at + timedelta(days=365)))
    assert over["status"] == "open"
    bare = ExemptionSummary("ex-9", "ground", assessed.exemptions[0].starts, assessed.exemptions[0].expires, 1)
    alone = replace(counted(assessed, {Outcome.absent_verified: 1}), exemptions=(bare,))
    assert "related-observations" not in exempt(alone)
    assert "mitigating-factors" not in exempt(alone)


@pytest.mark.parametrize(
    ("by_outcome", "state", "reason"),
    [
        ({Outcome.absent_verified: 3, Outcome.contained: 1}, "satisfied", "pass"),
        ({Outcome.absent_verified: 3, Outcome.exempt: 1}, "not-satisfied", "other"),
        ({Outcome.absent_verified: 3, Outcome.invisible: 1}, "not-satisfied", "fail"),
        ({Outcome.enforced_blind: 5}, "not-satisfied", "fail"),
        ({}, "not-satisfied", "other"),
    ],
)
def test_only_what_was_seen_satisfies(
    assessed: Assessed, by_outcome: dict[Outcome, int], state: str, reason: str
) -> None:
    document = results(counted(assessed, by_outcome))
    ResultsModel.model_validate({"assessment-results": document})
    for finding in document["results"][0]["findings"]:
        assert finding["target"]["status"] == {"state": state, "reason": reason}


def test_nothing_left_to_do_is_no_plan(assessed: Assessed) -> None:
    assert plan_of_action(counted(assessed, {Outcome.absent_verified: 3}), "en") is None
    blind = counted(assessed, {Outcome.absent_verified: 3}, (Text("The personal side.", "Le côté personnel."),))
    document = plan(blind)
    PlanModel.model_validate({"plan-of-action-and-milestones": document})
    assert [one["description"] for one in document["poam-items"]] == ["The personal side."]
    over = replace(counted(assessed, {}), exemptions=assessed.exemptions)
    PlanModel.model_validate({"plan-of-action-and-milestones": plan(over)})


def test_no_device_department_or_person_is_in_it(inputs: BundleInputs, assessed: Assessed) -> None:
    for language in LANGUAGES:
        text = (assessment_results(assessed, language) + (plan_of_action(assessed, language) or b"")).decode()
        assert not any(one.device in text or one.device.partition(":")[2] in text for one in inputs.outcomes)
        assert not any(one.department in text for one in inputs.outcomes)
        assert "communications lead" not in text


def test_the_back_matter_names_what_it_rests_on(
    inputs: BundleInputs, bundle: Path, assessed: Assessed, tmp_path: Path
) -> None:
    container = Container(bundle.read_bytes())
    for document in (results(assessed), plan(assessed)):
        for resource in document["back-matter"]["resources"]:
            (link,) = resource["rlinks"]
            member = tmp_path / "member"
            member.write_bytes(b"".join(container.chunks(link["href"])))
            assert digest_file(member) == f"sha256:{link['hashes'][0]['value']}"
    assert to_bytes(inputs.directive) == b"".join(container.chunks("directive.json"))


def test_french_is_french(assessed: Assessed) -> None:
    text = assessment_results(assessed, "fr").decode()
    assert "Résultats d'évaluation\u00a0:" in text
    assert assessed.organisation.fr in text
    assert assessed.directive.title.fr in text
    assert assessed.directive.title.en not in text


def test_texts_with_line_breaks_or_nothing_at_all_stay_valid(assessed: Assessed) -> None:
    odd = replace(
        assessed,
        organisation=Text(" ", " "),
        directive=replace(assessed.directive, id="2026-chat", title=Text("Two\nlines\t ", "")),
        exemptions=(replace(assessed.exemptions[0], id="a\nb", ground="", mitigations=("",)),),
    )
    for language in LANGUAGES:
        ResultsModel.model_validate(json.loads(assessment_results(odd, language)))
        PlanModel.model_validate(json.loads(plan_of_action(odd, language) or b""))


def test_a_proof_that_does_not_hold_gives_nothing(bundle: Path, tmp_path: Path) -> None:
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    broken = tmp_path / "broken.zip"
    broken.write_bytes(data)
    with pytest.raises(ProofUnsound):
        assessed_in(broken)
    with pytest.raises(UnreadableFile):
        assessed_in(tmp_path / "none.zip")


def test_without_a_proof_that_is_said(assessed: Assessed) -> None:
    document = results(replace(assessed, proof=None))
    assert "without a proof bundle" in document["results"][0]["description"]
    assert not any("relevant-evidence" in one for one in document["results"][0]["observations"])

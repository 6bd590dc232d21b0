"""The codec: strict on the way in, canonical on the way out, and the same thing back again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import ClassVar

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe import documents
from proscribe.documents import Document, Value
from proscribe.errors import InvalidDocument, UnreadableFile, WrongDocumentVersion
from proscribe.text import Text, set_language


class Lamp(StrEnum):
    oil = "oil"
    led = "led"


@dataclass(frozen=True, slots=True)
class Keeper(Value):
    badge: int
    on_duty: bool = True


@dataclass(frozen=True)
class Log(Document):
    KIND: ClassVar[str] = "proscribe.test-log"
    SCHEMA: ClassVar[int] = 3

    place: str
    lit_at: datetime
    day: date
    lamp: Lamp
    keepers: tuple[Keeper, ...] = ()
    heights: dict[str, float] | None = None
    notice: Text | None = None


LOG = Log(
    place="Pointe-aux-Brumes",
    lit_at=datetime(2026, 2, 28, 23, 5, 9, tzinfo=UTC),
    day=date(2026, 2, 28),
    lamp=Lamp.led,
    keepers=(Keeper(7), Keeper(9, on_duty=False)),
    heights={"tower": 31.5},
    notice=Text("Lit.", "Allumé."),
)


@pytest.fixture(autouse=True)
def _english():
    set_language("en")
    yield
    set_language(None)


def body(**changes):
    return {**documents.to_json(LOG), **changes}


def test_json_carries_kind_and_schema_first():
    data = documents.to_json(LOG)
    assert list(data)[:2] == ["kind", "schema"]
    assert data["kind"] == "proscribe.test-log"
    assert data["schema"] == 3
    assert data["lit_at"] == "2026-02-28T23:05:09Z"
    assert data["keepers"] == [{"badge": 7, "on_duty": True}, {"badge": 9, "on_duty": False}]


def test_a_value_has_no_envelope():
    assert documents.to_json(Keeper(7)) == {"badge": 7, "on_duty": True}
    assert documents.from_json(Keeper, {"badge": 7}) == Keeper(7)


texts = st.text(st.characters(exclude_categories=("Cs",)))
logs = st.builds(
    Log,
    place=texts,
    lit_at=st.datetimes(timezones=st.just(UTC)),
    day=st.dates(),
    lamp=st.sampled_from(Lamp),
    keepers=st.lists(st.builds(Keeper, badge=st.integers(-(2**53) + 1, 2**53 - 1), on_duty=st.booleans())).map(tuple),
    heights=st.none() | st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False)),
    notice=st.none() | st.builds(Text, texts, texts),
)


@given(logs)
def test_what_is_written_is_read_back(log):
    raw = documents.to_bytes(log)
    again = documents.from_json(Log, documents.parse(raw.decode()))
    assert again == log
    assert documents.to_bytes(again) == raw
    assert documents.digest(again) == documents.digest(log)


@given(logs, logs)
def test_equal_digests_mean_equal_bytes(one, other):
    same = documents.to_bytes(one) == documents.to_bytes(other)
    assert (documents.digest(one) == documents.digest(other)) is same


@pytest.mark.parametrize(
    "field", [field.name for field in fields(Log) if field.name in ("place", "lit_at", "day", "lamp")]
)
def test_a_missing_field_is_named(field):
    data = body()
    del data[field]
    with pytest.raises(InvalidDocument) as caught:
        documents.from_json(Log, data, source="log.yaml")
    assert caught.value.where.field == field
    assert caught.value.where.file == "log.yaml"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"exemptoins": []}, "exemptoins"),
        ({"keepers": [{"badge": 1, "bagde": 2}]}, "keepers.0.bagde"),
        ({"keepers": [{"badge": "1"}]}, "keepers.0.badge"),
        ({"keepers": [{"badge": 1, "on_duty": 1}]}, "keepers.0.on_duty"),
        ({"keepers": [{"badge": 1, "on_duty": "yes"}]}, "keepers.0.on_duty"),
        ({"lamp": "candle"}, "lamp"),
        ({"day": "28/02/2026"}, "day"),
        ({"lit_at": "yesterday"}, "lit_at"),
        ({"place": None}, "place"),
        ({"place": 4}, "place"),
    ],
)
def test_strictness_names_the_wrong_field(changes, field):
    with pytest.raises(InvalidDocument) as caught:
        documents.from_json(Log, body(**changes))
    assert caught.value.where.field == field


def test_a_text_without_its_french_is_refused():
    with pytest.raises(InvalidDocument):
        documents.from_json(Log, body(notice={"en": "Lit."}))


def test_more_faults_are_counted_and_said_in_both_languages():
    data = body(place=1, lamp="candle")
    with pytest.raises(InvalidDocument, match=r"\(1 more\)"):
        documents.from_json(Log, data)
    set_language("fr")
    with pytest.raises(InvalidDocument) as caught:
        documents.from_json(Log, data)
    assert "(1 autres)" in str(caught.value) or "(1 autre)" in str(caught.value)


@pytest.mark.parametrize("data", [[], "text", None, 3])
def test_a_document_is_a_mapping(data):
    with pytest.raises(InvalidDocument):
        documents.from_json(Log, data)


@pytest.mark.parametrize("kind", ["proscribe.plan", None, 3])
def test_another_kind_is_refused(kind):
    with pytest.raises(InvalidDocument) as caught:
        documents.from_json(Log, body(kind=kind))
    assert caught.value.where.field == "kind"


@pytest.mark.parametrize("schema", [2, 4, "3", None])
def test_another_schema_version_is_an_error_of_its_own(schema):
    with pytest.raises(WrongDocumentVersion) as caught:
        documents.from_json(Log, body(schema=schema))
    assert caught.value.where.field == "schema"
    assert "3" in str(caught.value)


YAML = """\
kind: proscribe.test-log
schema: 3
place: no
lit_at: 2026-02-28T23:05:09Z
day: 2026-02-28
lamp: led
notice: {en: On, fr: "Non"}
"""


def test_yaml_keeps_norway_and_reads_dates_by_one_rule(tmp_path):
    path = tmp_path / "log.yaml"
    path.write_text(YAML, encoding="utf-8")
    log = documents.read(Log, path)
    assert log.place == "no"
    assert log.notice == Text("On", "Non")
    assert log.day == date(2026, 2, 28)
    assert log.lit_at == LOG.lit_at


def test_yaml_still_has_true_and_numbers():
    assert documents.parse("a: true\nb: 3\nc: 1.5\n") == {"a": True, "b": 3, "c": 1.5}


def test_yaml_nothing_is_nothing():
    assert documents.parse("a: null\nb: ~\nc:\n") == {"a": None, "b": None, "c": None}


def test_yaml_cannot_make_objects():
    with pytest.raises(InvalidDocument):
        documents.parse("a: !!python/object/apply:os.getcwd []")


@pytest.mark.parametrize(("raw", "row"), [('{"a": 1,\n "b": }', 2), ("a: 1\nb: [1,\n", 3), ("a: 'x\n", 2)])
def test_broken_text_names_its_row(raw, row):
    with pytest.raises(InvalidDocument) as caught:
        documents.parse(raw, source="broken")
    assert caught.value.where.row == row
    assert caught.value.where.file == "broken"


def test_json_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "log.json"
    path.write_bytes(b"\xef\xbb\xbf" + documents.to_bytes(LOG))
    assert documents.read(Log, path) == LOG


def test_unreadable_files(tmp_path):
    with pytest.raises(UnreadableFile):
        documents.read(Log, tmp_path / "absent.yaml")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("place: Île".encode("latin-1"))
    with pytest.raises(UnreadableFile) as caught:
        documents.read(Log, latin)
    assert caught.value.where.file == str(latin)


def test_the_published_schema_says_what_the_codec_does():
    schema = documents.json_schema(Log)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(documents.to_json(LOG))
    assert not validator.is_valid(body(exemptoins=[]))
    assert not validator.is_valid(body(schema=2))
    assert not validator.is_valid(body(kind="proscribe.plan"))
    assert not validator.is_valid({key: value for key, value in body().items() if key != "kind"})
    assert json.loads(json.dumps(schema)) == schema


def test_a_text_in_a_third_language_is_refused():
    with pytest.raises(InvalidDocument, match="de"):
        documents.from_json(Text, {"en": "a", "fr": "b", "de": "c"})


@pytest.mark.parametrize(
    "raw",
    [
        '{"kind": ' + "[" * 100_000,
        "[" * 100_000,
        "kind: " + "[" * 5_000 + "]" * 5_000,
        "kind: proscribe.test-log\nschema: 3\nlamps: &a [*a]\n",
    ],
)
def test_a_document_that_is_nested_without_end_is_an_error(tmp_path, raw):
    path = tmp_path / "deep.yaml"
    path.write_text(raw)
    with pytest.raises(InvalidDocument, match="nested too deeply"):
        documents.read(Log, path)


@dataclass(frozen=True, slots=True)
class Oil(Value):
    LATER: ClassVar[frozenset[str]] = frozenset({"origin"})

    litres: int
    origin: str = ""


@dataclass(frozen=True)
class Stock(Document):
    KIND: ClassVar[str] = "proscribe.test-stock"

    first: Oil
    rest: tuple[Oil, ...] = ()
    by_cellar: dict[str, Oil | None] = field(default_factory=dict)


def test_a_later_field_of_a_value_is_left_out_where_empty_however_deep_it_lies() -> None:
    stock = Stock(Oil(0), (Oil(1), Oil(2, "north")), {"a": Oil(3), "b": None, "c": Oil(4, "south")})
    body = documents.to_json(stock)
    assert body["first"] == {"litres": 0}
    assert body["rest"] == [{"litres": 1}, {"litres": 2, "origin": "north"}]
    assert body["by_cellar"] == {"a": {"litres": 3}, "b": None, "c": {"litres": 4, "origin": "south"}}
    assert documents.from_json(Stock, body) == stock
    assert documents.to_json(Oil(0)) == {"litres": 0}

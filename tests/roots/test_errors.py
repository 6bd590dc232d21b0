"""What a person meets when something goes wrong."""

import pytest

from proscribe.errors import DiskFull, InvalidDocument, ProscribeError, UnreadableFile, Where
from proscribe.text import Text, set_language

WHAT, REMEDY = Text("it broke", "c'est brisé"), Text("mend it", "réparez")


@pytest.fixture(autouse=True)
def _english():
    set_language("en")
    yield
    set_language(None)


@pytest.mark.parametrize(
    ("where", "en", "fr"),
    [
        (Where(), "", ""),
        (Where(file="a.csv"), "a.csv", "a.csv"),
        (Where(file="a.csv", row=0), "a.csv, row 0", "a.csv, ligne 0"),
        (Where(row=3, field="serial"), "row 3, field serial", "ligne 3, champ serial"),
        (Where("a.csv", 3, "serial"), "a.csv, row 3, field serial", "a.csv, ligne 3, champ serial"),
    ],
)
def test_a_place_reads_in_both_languages(where, en, fr):
    assert str(where) == en
    set_language("fr")
    assert str(where) == fr


def test_an_error_says_where_and_what_in_the_language_of_the_reader():
    error = InvalidDocument(WHAT, remedy=REMEDY, where=Where(file="plan.json", field="steps"))
    assert str(error) == "plan.json, field steps: it broke"
    set_language("fr")
    assert str(error) == "plan.json, champ steps\N{NO-BREAK SPACE}: c'est brisé"


def test_an_error_without_a_place_is_its_sentence():
    assert str(UnreadableFile(WHAT, remedy=REMEDY)) == "it broke"


def test_codes_and_transience():
    assert issubclass(DiskFull, ProscribeError)
    assert DiskFull.code == "file.disk-full"
    assert DiskFull.transient is True
    assert InvalidDocument.transient is False


def test_a_remedy_cannot_be_left_out():
    with pytest.raises(TypeError):
        ProscribeError(WHAT)  # type: ignore[call-arg]

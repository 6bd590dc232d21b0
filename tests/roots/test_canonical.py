"""Canonical bytes against the examples of RFC 8785 and the SHA-256 test values of FIPS 180."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.canonical import canonical_bytes, digest_bytes, digest_chunks, digest_file, digest_json

# RFC 8785, appendix B: the number forms (IEEE 754 bits, expected text).
NUMBERS = [
    (0.0, b"0"),
    (-0.0, b"0"),
    (5e-324, b"5e-324"),
    (1.7976931348623157e308, b"1.7976931348623157e+308"),
    (9007199254740992.0, b"9007199254740992"),
    (295147905179352830000.0, b"295147905179352830000"),
    (9.999999999999997e22, b"9.999999999999997e+22"),
    (1e23, b"1e+23"),
    (0.000001, b"0.000001"),
    (1e-7, b"1e-7"),
    (333333333.3333333, b"333333333.3333333"),
    (1424953923781206.2, b"1424953923781206.2"),
]


@pytest.mark.parametrize(("value", "expected"), NUMBERS)
def test_numbers_as_the_rfc_writes_them(value, expected):
    assert canonical_bytes(value) == expected


def test_the_sorting_example_of_the_rfc():
    """Section 3.2.3: names are sorted by UTF-16 code units, so the emoji comes before the Hebrew presentation form."""
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    expected = (
        '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis",'
        '"\u20ac":"Euro Sign","\U0001f600":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}'
    )
    assert canonical_bytes(value) == expected.encode()


def test_strings_are_escaped_as_little_as_json_allows():
    assert canonical_bytes('\u20ac$\u000f\nA\'B"\\"/') == b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\"/"'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: "a"}, {"a": object()}, 2**60])
def test_what_json_cannot_say_is_refused(value):
    with pytest.raises(Exception, match=r".+"):
        canonical_bytes(value)


def test_known_digests():
    assert digest_bytes(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest_bytes(b"abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_json({"b": 1, "a": [True, None]}) == digest_bytes(b'{"a":[true,null],"b":1}')


@given(st.lists(st.binary(max_size=40)))
def test_chunks_do_not_matter(chunks):
    assert digest_chunks(chunks) == "sha256:" + hashlib.sha256(b"".join(chunks)).hexdigest()


def test_a_file_larger_than_a_chunk(tmp_path):
    path = tmp_path / "large"
    path.write_bytes(b"lighthouse" * 250_000)
    assert digest_file(path) == digest_bytes(path.read_bytes())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_the_order_of_fields_does_not_matter(value):
    assert canonical_bytes(value) == canonical_bytes(dict(reversed(value.items())))

"""What exports look like in the field: encodings, delimiters, quotes, French headers, rows that are wrong."""

from __future__ import annotations

import codecs

import pytest

from proscribe.errors import ProscribeError
from proscribe.inventory import csvblocks
from proscribe.inventory.csvblocks import layout
from proscribe.inventory.encoding import decode, unicode_name
from proscribe.inventory.values import certificate, moment, platform

HEADER = "device,platform,enrolment,department,app_id,app_name\n"
ROWS = "é1,android,cope,Phares du Nord,com.tencent.mm,WeChat\né2,ios,supervised,Côte,com.tencent.xin,Ça va?\n"
PAIRS = {("generic:é1", "com.tencent.mm"), ("generic:é2", "com.tencent.xin")}


@pytest.mark.parametrize(
    "data",
    [
        (HEADER + ROWS).encode("utf-8"),
        (HEADER + ROWS).encode("utf-8-sig"),
        codecs.BOM_UTF16_LE + (HEADER + ROWS).encode("utf-16-le"),
        codecs.BOM_UTF16_BE + (HEADER + ROWS).encode("utf-16-be"),
        (HEADER + ROWS).encode("utf-16-le"),
        (HEADER + ROWS).encode("utf-16-be"),
        (HEADER + ROWS).replace("\n", "\r\n").encode(),
        (HEADER + ROWS).replace(",", ";").encode(),
        (HEADER + ROWS).replace(",", "\t").encode(),
        (HEADER + ROWS).replace(",", "|").encode(),
        ("sep=;\r\n" + (HEADER + ROWS).replace(",", ";")).encode(),
        ("\r\n\r\n" + HEADER + ROWS).encode(),
        (HEADER + ROWS).rstrip("\n").encode(),
        (HEADER.replace("device", '"Device"') + ROWS.replace("WeChat", '"We ""Chat"""')).encode(),
    ],
    ids=str,
)
def test_encodings_and_delimiters(data, read):
    found = read(data)
    assert found.pairs() == PAIRS
    assert found.devices["generic:é2"]["department"] == "Côte"
    assert [row for row, _ in found.problems if row] == []


def test_windows_1252_is_read_and_said_once(read):
    found = read((HEADER + ROWS).encode("cp1252"))
    assert found.pairs() == PAIRS
    assert found.whats().count("Windows-1252") == 1
    assert {row["name"] for row in found.apps} == {"WeChat", "Ça va?"}


def test_bytes_of_no_meaning_do_not_stop_the_file(read):
    found = read(HEADER.encode() + b"a,android,cope,x\x81y,b.c,n\xff\n" + ROWS.encode())
    assert found.pairs() >= PAIRS | {("generic:a", "b.c")}
    assert decode(b"\xc3\xa9 \x81") == ("é \ufffd", True)


def test_quoted_newlines_count_as_one_row(read):
    found = read(HEADER + 'a,android,cope,"two\nlines",x.y,"A\r\nB"\n,ios,supervised,,q.r,lost\n' + ROWS)
    assert found.pairs() == PAIRS | {("generic:a", "x.y")}
    assert found.devices["generic:a"]["department"] == "two\nlines"
    assert [problem for problem in found.problems if problem[0]] == [(3, "device")]


def test_rows_of_the_wrong_length_are_listed_and_the_others_kept(read):
    found = read(
        HEADER + "short,android\n" + ROWS + "long,android,cope,d,a.b,n,extra\ntrailing,android,cope,d,a.b,n,,\n\n"
    )
    assert found.pairs() == PAIRS | {("generic:trailing", "a.b")}
    assert [problem for problem in found.problems if problem[0]] == [(2, ""), (5, "")]
    source = found.snapshot.manifest.sources[0]
    assert (source.rows, source.bad_rows) == (5, 2)
    problem = found.snapshot.manifest.problems[0]
    assert (problem.file, problem.what.fr) == ("export0.bin", "2 cellules, l'en-tête en compte 6")
    assert problem.remedy.en
    assert problem.remedy.fr


def test_a_quotation_mark_that_is_never_closed_costs_its_row_alone(read):
    rows = "".join(f"d{n},android,cope,x,a.b{n},n\n" for n in range(500))
    found = read(HEADER + 'bad,android,cope,"open,x.y,n\n' + rows + 'worse,ios,cope,"open,x.y,n\n' + ROWS)
    assert found.pairs() == PAIRS | {(f"generic:d{n}", f"a.b{n}") for n in range(500)}
    assert [problem for problem in found.problems if problem[0]] == [(2, ""), (503, "")]
    assert "never closed" in found.whats()


def test_stray_quotation_marks_within_text_are_text(read):
    found = read(HEADER + 'a,android,cope,7" phone,x.y,Fog "Horn"\n' + ROWS)
    assert found.pairs() == PAIRS | {("generic:a", "x.y")}
    assert found.devices["generic:a"]["department"] == '7" phone'


@pytest.mark.parametrize("size", [64, 200, 1000])
def test_block_boundaries_do_not_matter(size, read, monkeypatch):
    text = HEADER + "".join(
        f'd{n},android,cope,"line\none, ""two""",a.b{n},n\n' if n % 7 == 0 else f"d{n},ios,supervised,é,a.b{n},n\n"
        for n in range(120)
    )
    whole = read(text)
    monkeypatch.setattr(csvblocks, "BLOCK", size)
    pieces = read(text)
    assert pieces.installs == whole.installs
    assert pieces.devices == whole.devices
    assert len(pieces.installs) == 120


def test_unknown_and_repeated_columns(read):
    found = read("device,app_id,colour,colour,Device,platform\nd,a.b,red,blue,other,ios\n")
    assert found.pairs() == {("generic:d", "a.b")}
    assert found.snapshot.manifest.sources[0].unknown_fields == ("colour",)


def test_separators_of_keys_within_cells_do_not_mix_devices(read):
    found = read("device,name,app_id\na\x1fb,c,x.y\na,b\x1fc,x.y\n")
    assert set(found.devices) == {"generic:a b", "generic:a"}


def test_space_around_cells_is_no_difference(read):
    found = read("device,app_id,platform\n d , a.b , ios \nd,a.b,ios\n")
    assert found.pairs() == {("generic:d", "a.b")}
    assert len(found.installs) == 1
    assert found.snapshot.manifest.installs_seen == 2


def test_one_device_on_many_rows_is_one_device_with_its_attributes_together(read):
    found = read(
        "device,platform,serial,observed_at,app_id\nd,ios,,2026-11-01T00:00:00Z,a.b\nd,,NLX12345,2026-11-03,c.d\n"
    )
    device = found.devices["generic:d"]
    assert (device["platform"], device["serial"], device["observed_at"].day) == ("ios", "NLX12345", 3)
    assert found.pairs() == {("generic:d", "a.b"), ("generic:d", "c.d")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-14T08:30:00Z", "2026-11-14T08:30:00+00:00"),
        ("2026-11-14T08:30:00.1234567Z", "2026-11-14T08:30:00+00:00"),
        ("2026-11-14 08:30", "2026-11-14T08:30:00+00:00"),
        ("2026-11-14", "2026-11-14T00:00:00+00:00"),
        ("2026/11/14 08:30:05", "2026-11-14T08:30:05+00:00"),
        ("2026-11-14T08:30:00-05:00", "2026-11-14T13:30:00+00:00"),
        ("2026-11-14T08:30:00+0100", "2026-11-14T07:30:00+00:00"),
        ("2026-11-14 at 8:30 PM", "2026-11-14T20:30:00+00:00"),
        ("2026-11-14 à 08:30", "2026-11-14T08:30:00+00:00"),
        ("03/04/2026", None),
        ("2026-13-01T00:00:00Z", None),
        ("2026-02-30", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times(text, expected):
    found = moment(text)
    assert (found.isoformat() if found else None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("AB:" * 31 + "ab", "ab" * 32), ("qqqq", ""), ("é" * 64, ""), ("-" * 43, "fbefbe" * 10 + "fbef"), ("", "")],
)
def test_certificates(text, expected):
    assert certificate(text) == expected


@pytest.mark.parametrize(
    ("word", "name"), [("iPadOS", "ios"), ("Android (fully managed)", "android"), ("", "unknown"), ("Amiga", None)]
)
def test_platform_words(word, name):
    found = platform(word)
    assert (str(found) if found else None) == name


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"abc", "utf-8"),
        (bytes(range(256)), "binary"),
        (b"a\0b\0" * 9, "utf-16-le"),
    ],
)
def test_encoding_by_first_bytes(head, name):
    assert unicode_name(head) == name


def test_layouts():
    assert layout(b"one\ntwo\n") is None
    assert layout(b"\n\n") is None
    assert layout(b'"a;b",c\n').columns == ("a;b", "c")
    assert layout(b'"a\nb",c\nx,y\n').columns == ("a\nb", "c")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "inventory.empty"),
        (b"\xef\xbb\xbf \r\n", "inventory.empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "inventory.encoding"),
        (b"just some words\nand more\n", "inventory.unknown-format"),
        (b"<html><body>Sign in</body></html>", "inventory.unknown-format"),
        (b'{"error": {"code": 401}}', "inventory.unknown-format"),
        (b"a,b,c\n1,2,3\n", "inventory.unknown-format"),
        (b"PAR1 and then nothing", "inventory.damaged"),
        (b"PK\x03\x04 and then nothing", "inventory.damaged"),
        (b"\x1f\x8b\x08\x00broken", "inventory.truncated"),
        (b"\x1f\x8b\x08\x00\0\0\0\0\0\xff\x07\xff\xff\xff\xff\xff", "inventory.damaged"),
        (b"[", "inventory.unknown-format"),
    ],
    ids=str,
)
def test_files_that_are_nothing(data, code, read):
    with pytest.raises(ProscribeError) as error:
        read(data)
    assert error.value.code == code
    assert error.value.remedy.en
    assert error.value.remedy.fr
    assert error.value.what.fr
    assert error.value.where.file == "export0.bin"

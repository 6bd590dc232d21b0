"""The roster as spreadsheets write it; a bad row is named and hides no good one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.connectors.nanomdm.remembered import device

from proscribe.connectors.base import InvalidConfiguration
from proscribe.connectors.nanomdm.roster import NOWHERE, Place, Roster, read_roster
from proscribe.errors import UnreadableFile

HEADER = "serial,group,department,name\n"


def read(folder: Path, content: str | bytes) -> Roster:
    path = folder / "roster.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_roster(path)


def faults(roster: Roster) -> list[tuple[int, str]]:
    return [(problem.row, problem.field) for problem in roster.problems]


def test_no_path_is_an_empty_roster() -> None:
    assert read_roster(None) == Roster()
    assert read_roster(None).place(device()) is NOWHERE


@pytest.mark.parametrize(
    ("column", "value"), [("udid", "D1"), ("enrolment_id", "d1"), ("enrollment_id", "D1"), ("serial", "snd1 ")]
)
def test_a_device_is_named_by_any_of_three(tmp_path: Path, column: str, value: str) -> None:
    roster = read(tmp_path, f"{column},group,department,name\n{value},Vessels,Coast guard,Buoy 7\n")
    assert roster.problems == ()
    assert roster.place(device("d1")) == Place("Vessels", "Coast guard", "Buoy 7", 2)
    assert roster.place(device("d2")) is NOWHERE


def test_a_user_enrolment_is_found_by_its_enrolment_id_alone(tmp_path: Path) -> None:
    roster = read(tmp_path, "enrolment_id,group\nE-1,Vessels\n")
    assert roster.place(device("e-1", udid="", serial="")).group == "Vessels"


@pytest.mark.parametrize(
    "content",
    [
        HEADER.encode() + b"SND1,Vessels,C\xc3\xb4te,x\n",
        b"\xef\xbb\xbf" + HEADER.encode() + b"SND1,Vessels,C\xc3\xb4te,x\n",
        HEADER.encode() + b"SND1,Vessels,C\xf4te,x\n",  # Windows-1252
        (HEADER + "SND1,Vessels,Côte,x\n").encode("utf-16"),
        ("\ufeff" + HEADER + "SND1,Vessels,Côte,x\n").encode("utf-16-be"),
        (HEADER + "SND1,Vessels,Côte,x\n").replace(",", ";").encode(),
        (HEADER + "SND1,Vessels,Côte,x\n").replace(",", "\t").replace("\n", "\r\n").encode(),
        ("sep=;\n" + (HEADER + "SND1,Vessels,Côte,x\n").replace(",", ";")).encode(),
        ("No de série;Groupe;Ministère;Nom\nSND1;Vessels;Côte;x\n").encode(),
        ("Numéro de série;Groupe;Direction;Nom de l'appareil\nSND1;Vessels;Côte;x\n").encode(),
        ('Serial Number,GROUP,Department,Device name\n\n"SND1","Vessels","Côte",x,,\n').encode(),
    ],
)
def test_however_a_spreadsheet_writes_it(tmp_path: Path, content: bytes) -> None:
    roster = read(tmp_path, content)
    assert roster.problems == ()
    found = roster.place(device("d1"))
    assert (found.group, found.department, found.name) == ("Vessels", "Côte", "x")
    assert roster.rows == {found.row}


def test_a_bad_row_is_named_and_hides_no_good_one(tmp_path: Path) -> None:
    rows = (
        'SND1,Vessels,Coast,"one',  # 2: a quotation mark that is not closed
        "SND2,Vessels,Coast",  # 3: too short
        "SND3,Vessels,Coast,x,y",  # 4: too long
        ",Vessels,Coast,x",  # 5: nobody
        "SND5,north/south,Coast,x",  # 6: a group that cannot be one
        "SND6,..,Coast,x",  # 7
        "UNKNOWN,Vessels,Coast,x",  # 8: no serial number
        "SND8,Vessels,Coast,x",
        "snd8,Elsewhere,Coast,x",  # 10: twice
        ",,,",  # 11: blank
        "SND9,,,",
    )
    roster = read(tmp_path, HEADER + "\n".join(rows))
    assert faults(roster) == [
        (2, ""),
        (3, ""),
        (4, ""),
        (5, ""),
        (6, "group"),
        (7, "group"),
        (8, "serial"),
        (10, "serial"),
    ]
    assert all(problem.file == "roster.csv" and problem.remedy.fr for problem in roster.problems)
    assert roster.by_serial == {"SND8": Place("Vessels", "Coast", "x", 9), "SND9": Place("", "", "", 12)}
    assert roster.rows == {9, 12}


def test_a_row_may_name_its_device_in_several_ways(tmp_path: Path) -> None:
    roster = read(tmp_path, "udid,serial,group\nU-1,SND1,Vessels\n,SND2,Charts\nU-3,,Charts\n")
    assert roster.place(device("x", udid="u-1")).row == 2
    assert roster.place(device("d1")).row == 2
    assert roster.place(device("d2")).group == "Charts"
    assert roster.rows == {2, 3, 4}


def test_other_columns_are_told_and_used_for_nothing(tmp_path: Path) -> None:
    roster = read(tmp_path, "serial,group,Owner,Phone\nSND1,Vessels,a,b\n")
    assert roster.unknown == ("Owner", "Phone")
    assert roster.place(device("d1")).group == "Vessels"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "nanomdm.roster"),
        (b"serial\nSND1\n", "nanomdm.roster"),
        (b"group,department\nVessels,Coast\n", "udid"),
        (b"serial,Serial Number,group\na,b,c\n", "serial"),
        (b"\x00\x01\x02\x03" * 40, "nanomdm.roster"),
    ],
)
def test_what_is_no_roster_is_refused_with_its_place(tmp_path: Path, content: bytes, field: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        read(tmp_path, content)
    assert caught.value.where.field == field
    assert caught.value.where.file.endswith("roster.csv")
    assert "serial" in caught.value.remedy.en


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="cannot be read"):
        read_roster(tmp_path / "none.csv")


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    with path.open("wb") as stream:
        stream.write(HEADER.encode())
        os.truncate(stream.fileno(), 65 << 20)
    with pytest.raises(InvalidConfiguration, match="64 MiB"):
        read_roster(path)

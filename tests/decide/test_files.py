"""A case kept in git: what is written is read back to the byte, and what a hand changed is refused with its place."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.decide.conftest import ALL_OWN, Story, a_case, interim, road_stages

from proscribe.decide.file import CaseFile
from proscribe.decide.files import SUMS, FolderInUse, case_files, read_case, write_case
from proscribe.decide.process import CaseAltered
from proscribe.errors import InvalidDocument, UnreadableFile
from proscribe.service.kinds import kinds


@pytest.fixture
def folder(tmp_path: Path, story: Callable[..., Story]) -> Path:
    """A whole case as files."""
    write_case(tmp_path / "case", story().until(*ALL_OWN).file)
    return tmp_path / "case"


def resum(folder: Path) -> None:
    """What somebody does who knows of SHA256SUMS."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.json"))
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def place(folder: Path) -> str:
    """The file that is named when the case is read."""
    with pytest.raises((CaseAltered, InvalidDocument)) as caught:
        read_case(folder, kinds())
    return caught.value.where.file


@pytest.mark.parametrize("case", [a_case(), interim()], ids=["standard", "interim"])
def test_the_round_trip_is_byte_equal(case: object, tmp_path: Path, story: Callable[..., Story]) -> None:
    one = story(case).until(*road_stages(case))  # type: ignore[arg-type]
    write_case(tmp_path / "a", one.file)
    found = read_case(tmp_path / "a", kinds())
    assert (found.case, found.steps) == (one.file.case, one.file.steps)
    write_case(tmp_path / "b", found)
    assert {name: (tmp_path / "b" / name).read_bytes() for name in case_files(one.file)} == case_files(one.file)


def test_anybody_can_check_the_files(folder: Path) -> None:
    run = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=folder, capture_output=True, check=False)
    assert run.returncode == 0
    first = json.loads((folder / "steps/001-intake.json").read_text("utf-8"))
    assert first["kind"] == "proscribe.case-step"


def test_it_lives_in_git_beside_other_files(folder: Path, story: Callable[..., Story]) -> None:
    (folder / ".git").mkdir()
    (folder / "README.md").write_text("notes", encoding="utf-8")
    write_case(folder, read_case(folder, kinds()))
    assert len(read_case(folder, kinds()).steps) == len(ALL_OWN)
    assert (folder / "README.md").exists()
    with pytest.raises(FolderInUse):
        write_case(folder, CaseFile(a_case(id="c-2")))


def test_one_flipped_bit_anywhere_is_refused_with_its_file(folder: Path) -> None:
    dice = random.Random(5)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        for _ in range(3):
            spoilt = bytearray(whole)
            spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
            path.write_bytes(spoilt)
            named = place(folder)
            if path.name != SUMS:
                assert named == path.relative_to(folder).as_posix()
        path.write_bytes(whole)
    read_case(folder, kinds())


def test_a_step_taken_out_is_refused_even_with_new_sums(folder: Path) -> None:
    (folder / "steps/006-reviews.json").unlink()
    assert place(folder) == "steps/006-reviews.json"
    resum(folder)
    assert place(folder) == "steps/007-decide.json"


def test_steps_put_in_another_order_are_refused(folder: Path) -> None:
    steps = folder / "steps"
    (steps / "004-impact.json").rename(steps / "x.json")
    (steps / "005-vendor.json").rename(steps / "004-vendor.json")
    (steps / "x.json").rename(steps / "005-impact.json")
    resum(folder)
    assert place(folder) == "steps/004-vendor.json"


def test_a_word_changed_with_new_sums_breaks_the_chain(folder: Path) -> None:
    path = folder / "steps/003-targets.json"
    path.write_text(path.read_text("utf-8").replace('"by": "cio"', '"by": "ceo"'), encoding="utf-8")
    resum(folder)
    assert place(folder) == "steps/004-impact.json"
    evidence = next((folder / "documents").glob("evidence-*.json"))
    shutil.copy(evidence, folder / "copy")
    evidence.write_text(evidence.read_text("utf-8").replace("address book", "camera"), encoding="utf-8")
    resum(folder)
    assert place(folder) == evidence.relative_to(folder).as_posix()


def test_files_that_do_not_belong_are_refused(folder: Path) -> None:
    extra = folder / "documents" / "evidence-0000000000000000.json"
    shutil.copy(next((folder / "documents").glob("evidence-*.json")), extra)
    assert place(folder) == "documents/evidence-0000000000000000.json"
    resum(folder)
    assert place(folder) == "documents/evidence-0000000000000000.json"
    extra.unlink()
    resum(folder)
    next((folder / "documents").glob("impact-*.json")).unlink()
    resum(folder)
    assert place(folder) == "steps/004-impact.json"


@pytest.mark.parametrize(
    ("name", "body"),
    [("case.json", b"{"), ("case.json", b"[" * 100_000), ("case.json", b"{}"), ("steps/001-intake.json", b"[]\n")],
)
def test_what_is_no_document_is_refused(name: str, body: bytes, folder: Path) -> None:
    (folder / name).write_bytes(body)
    resum(folder)
    assert place(folder) == name


def test_another_layout_of_the_same_document_is_refused(folder: Path) -> None:
    path = folder / "case.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8"))), encoding="utf-8")
    resum(folder)
    assert place(folder) == "case.json"


@pytest.mark.parametrize("line", ["nonsense", "0" * 64 + "  ../../etc/passwd", "0" * 64 + "  steps/1-x.json"])
def test_a_list_of_digests_that_names_something_else_is_refused(line: str, folder: Path) -> None:
    with (folder / SUMS).open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
    assert place(folder) == SUMS


def test_a_list_that_is_gone_or_in_another_order_is_refused(folder: Path) -> None:
    path = folder / SUMS
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(reversed(lines)), encoding="utf-8")
    assert place(folder) == SUMS
    path.unlink()
    assert place(folder) == SUMS
    (folder / "case.json").unlink()
    resum(folder)
    assert place(folder) == "case.json"


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes((folder / "case.json").read_bytes())
    (folder / "case.json").unlink()
    (folder / "case.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnreadableFile):
        read_case(folder, kinds())


def test_a_step_of_another_name_and_an_unknown_kind_are_refused(folder: Path) -> None:
    steps = folder / "steps"
    (steps / "012-attest.json").rename(steps / "012-attested.json")
    resum(folder)
    assert place(folder) == "steps/012-attested.json"
    fewer = {name: cls for name, cls in kinds().items() if name != "proscribe.impact"}
    with pytest.raises(CaseAltered, match=r"unknown kind proscribe\.impact"):
        read_case(folder, fewer)

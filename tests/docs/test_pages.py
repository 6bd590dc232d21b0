"""The pages themselves: links lead somewhere, examples run, the README's output is the demo's."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proscribe.simulate.exports import write_exports

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
PROGRAM = [sys.executable, "-c", "from proscribe.cli import main; main()"]


def ident(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=ident)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path = target.partition("#")[0]
        if path and "://" not in path and not path.startswith("mailto:") and not (page.parent / path).exists():
            broken.append(target)
    assert not broken


def test_every_decision_is_in_the_index():
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text("utf-8")
    pages = [page for page in folder.glob("[0-9]*.md") if not page.name.startswith("0000")]
    assert len({page.name[:4] for page in pages}) == len(pages)
    for page in pages:
        text = page.read_text("utf-8")
        title = re.match(r"# \d{4}\. (.+)\n", text)
        status = re.search(r"^- Status: (.+)$", text, flags=re.MULTILINE)
        assert title, page.name
        assert status, page.name
        assert f"| [{page.name[:4]}]({page.name}) | {title[1]} | {status[1]} |" in index
        for part in ("## Context", "## Options", "## Decision", "## Consequences"):
            assert part in text, (page.name, part)


def examples(page: Path) -> list[str]:
    """The ``$ proscribe`` lines of a page's console blocks.

    ``<!-- not run: why -->`` before a block sets it aside; a line with a placeholder (capitals, or an ellipsis) is a
    form and not an example.
    """
    found = []
    for before, block in re.findall(
        r"((?:<!--[^>]*-->\n)?)```console\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL
    ):
        if before.startswith("<!-- not run:"):
            continue
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            command = line.removeprefix("$ ")
            words = command.partition("#")[0]
            if (
                line.startswith("$ proscribe ")
                and "..." not in words
                and not re.search(r"(?<![\w-])[A-Z]{3,}(?![\w.])", words)
            ):
                found.append(command)
    return found


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    # As a reader would have them: taken today, and of a department large enough for every finding to occur.
    write_exports(folder, seed=1, devices=600, moment=datetime.now(UTC), phase="before")
    return folder


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """Two versions of a small app, and the shipped rubric, as the guide's reader would have them."""
    folder = tmp_path_factory.mktemp("packages")
    spec = importlib.util.spec_from_file_location("assess_builders_bases", ROOT / "tests/assess/hostile/bases.py")
    bases = sys.modules.setdefault("assess_builders_bases", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(bases)
    kit = bases.kit()
    axml = kit.axml
    more = axml.manifest(axml.Node("uses-permission", {"android:name": "android.permission.READ_SMS"}))
    (folder / "app.apk").write_bytes(kit.package())
    (folder / "app-2.apk").write_bytes(kit.package(manifest={"data": bytes(axml.build(more).data)}))
    shipped = ROOT / "src" / "proscribe" / "assess" / "data" / "rubric.yaml"
    (folder / "rubric.yaml").write_bytes(shipped.read_bytes())
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)], ids=ident)
def test_examples_run(page, tmp_path, exports, packages):
    """In an empty installation beside the four exports of the fictional department, in the page's own order.

    Two versions of a small app lie there, too, alone and in a folder.

    An example ends well (0, or 2 for findings and refusals) unless the line says ``# exit N``.
    """
    (tmp_path / "exports").symlink_to(exports)
    (tmp_path / "packages").symlink_to(packages)
    for file in packages.iterdir():
        (tmp_path / file.name).symlink_to(file)
    for name in ("examples", "demo-output"):
        if (ROOT / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    environment = {**os.environ, "PROSCRIBE_HOME": str(tmp_path / "home"), "PROSCRIBE_LANG": "en", "NO_COLOR": "1"}
    environment.pop("DATABASE_URL", None)
    for command in examples(page):
        words, _, remark = command.partition("#")
        if "demo-output/" in words and not (tmp_path / "demo-output").exists():
            continue  # made by `make demo`; CI runs that first
        expected = {int(remark.split()[1])} if remark.strip().startswith("exit") else {0, 2}
        run = subprocess.run(
            [*PROGRAM, *shlex.split(words)[1:]],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert run.returncode in expected, f"{command}\n{run.stdout}\n{run.stderr}"


def test_the_front_page_shows_what_the_demo_prints():
    """The block between the markers is there and not empty; the rehearsal's own test compares it with a real run."""
    text = (ROOT / "README.md").read_text("utf-8")
    block = re.search(r"<!-- output: demo -->\n```text\n(.*?)```\n<!-- /output: demo -->", text, flags=re.DOTALL)
    assert block
    assert len(block[1].splitlines()) > 5

"""Every command, error, document, refusal, outcome, capability and setting is documented, or this fails."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from dataclasses import fields

import pytest

import proscribe
from proscribe.documents import Document, json_schema
from proscribe.errors import ProscribeError


@pytest.fixture(scope="module", autouse=True)
def every_module(tmp_path_factory):
    """Import all of Proscribe, so that every subclass is known."""
    from proscribe import store

    store.setup(tmp_path_factory.mktemp("home"))
    for module in pkgutil.walk_packages(proscribe.__path__, "proscribe."):
        if module.name.rpartition(".")[2] != "__main__":
            importlib.import_module(module.name)


def descendants(cls: type) -> set[type]:
    under = {sub for sub in cls.__subclasses__() if sub.__module__.startswith("proscribe.")}
    return under.union(*(descendants(sub) for sub in under))


def test_the_generated_pages_are_up_to_date(root):
    run = subprocess.run(
        [sys.executable, root / "tools" / "make_docs.py", "--check"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, f"run make docs\n{run.stderr}"


def test_every_command_and_option_is_documented(reference):
    import click

    from proscribe.cli.root import COMMANDS, root

    page = reference("commands")
    missing = []

    def look(command: click.Command, path: str) -> None:
        section = page.partition(f"`{path}`\n")[2].partition("\n#")[0]
        if not section:
            missing.append(path)
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                missing.extend(
                    f"{path} {name}" for name in parameter.opts if name.startswith("--") and name not in section
                )
        if isinstance(command, click.Group) and command is not root:
            context = click.Context(command)
            for name in command.list_commands(context):
                look(command.get_command(context, name), f"{path} {name}")

    for name in COMMANDS:
        look(root.get_command(click.Context(root), name), f"proscribe {name}")
    assert not missing


def test_every_error_is_documented_under_a_code_of_its_own(reference, rows):
    errors = descendants(ProscribeError)
    documented = rows(reference("errors"))
    assert {cls.code for cls in errors} <= documented
    assert len({cls.__name__ for cls in errors}) == len(errors)  # the page is made by name
    undocumented = [cls.__name__ for cls in errors if not re.search(rf"\| {cls.__name__} \|", reference("errors"))]
    assert not undocumented
    silent = [cls.__name__ for cls in errors if not (cls.__doc__ or "").strip()]
    assert not silent


def test_error_codes_are_stable_names_and_not_shared():
    errors = descendants(ProscribeError)
    malformed = [cls.code for cls in errors if not re.fullmatch(r"[a-z]+(\.[a-z]+)*\.[a-z]+(-[a-z]+)*", cls.code)]
    assert not malformed
    own: dict[str, list[str]] = {}
    for cls in errors:
        if "code" in vars(cls):
            own.setdefault(cls.code, []).append(f"{cls.__module__}.{cls.__name__}")
    assert {code: names for code, names in own.items() if len(names) > 1} == {}


def test_every_document_kind_has_its_schema(root):
    import json

    kinds = {cls.KIND: cls for cls in descendants(Document)}
    folder = root / "docs" / "schemas"
    assert {path.stem for path in folder.glob("*.json")} == set(kinds)
    for kind, cls in kinds.items():
        assert json.loads((folder / f"{kind}.json").read_text("utf-8")) == json_schema(cls), "run make docs"


def test_refusals_are_documented(reference, rows):
    from proscribe.plan.model import RefusalReason

    assert {reason.value for reason in RefusalReason} <= rows(reference("refusals"))


def test_presences_outcomes_drift_and_match_kinds_are_documented(reference, rows):
    from proscribe.catalogue.model import MatchKind
    from proscribe.enforce.model import Outcome
    from proscribe.evaluate.model import Drift, Presence

    documented = rows(reference("outcomes"))
    for terms in (Presence, Outcome, Drift, MatchKind):
        assert {term.value for term in terms} <= documented


def test_the_documented_compliance_is_the_real_one(reference):
    from proscribe.catalogue.model import MatchKind
    from proscribe.enforce.model import Outcome

    page = reference("outcomes")
    for outcome in Outcome:
        said = re.search(rf"^\| `{outcome}` \| (yes|no) \|", page, flags=re.MULTILINE)
        assert said, outcome
        assert (said[1] == "yes") is outcome.compliant, outcome
    for kind in MatchKind:
        said = re.search(rf"^\| `{kind}` \| (yes|no) \|", page, flags=re.MULTILINE)
        assert said, kind
        assert (said[1] == "yes") is kind.is_violation, kind


def test_capabilities_are_documented(reference, root):
    """Every row by its name, in the section of its system."""
    from proscribe.plan.capability import all_rows, load_rows

    page = reference("capabilities")
    driven = [row for file in (root / "src/proscribe/connectors").rglob("capabilities.toml") for row in load_rows(file)]
    rows = all_rows(driven)
    assert len(rows) > 50
    assert {
        row.id for row in rows if f"`{row.id}`" not in page and f"`{row.id.partition('/')[2]}`" not in page
    } == set()


def test_coverage_rows_are_documented(reference, root):
    page = reference("coverage")
    rows = tomllib.loads((root / "src/proscribe/inventory/data/coverage.toml").read_text("utf-8"))["row"]
    assert rows
    for row in rows:
        assert row["blind_to_fr"].replace("|", "\\|") in page, (row["system"], row["enrolment"])


def test_settings_are_documented(root):
    from proscribe.service.config import PolicySettings, Settings, SystemSettings

    page = (root / "docs" / "guide" / "settings.md").read_text("utf-8")
    names = {field.name for cls in (PolicySettings, Settings) for field in fields(cls)} | {"connector"}
    assert {field.name for field in fields(SystemSettings)} == {"connector", "settings"}
    assert {name for name in names if name not in page} == set()


def test_environment_variables_are_documented(root):
    page = (root / "docs" / "guide" / "settings.md").read_text("utf-8")
    used = set()
    for file in (root / "src" / "proscribe").rglob("*.py"):
        used |= set(re.findall(r"\"(PROSCRIBE_[A-Z_]+|DATABASE_URL)\"", file.read_text("utf-8")))
    assert {name for name in used if f"`{name}`" not in page} == set()

"""Habits that tools do not check: one job a module, no vendor in the core, nothing of anybody's machine."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

MAX_LINES = 500

# Systems that are managed or imported from. The core speaks of verbs, platforms and enrolments, never of these.
VENDORS = (
    "intune", "jamf", "amapi", "androidmanagement", "nanomdm", "kmfddm", "micromdm", "fleetdm", "zentral", "headwind",
    "manageengine", "workspace_one", "workspaceone", "airwatch", "knox", "mobileiron", "ivanti", "meraki", "maas360",
)  # fmt: skip
# Where a vendor may be named: connectors, importers, simulators, data. ``terms`` explains the field's words.
VENDOR_PLACES = ("connectors/", "inventory/importers/", "simulate/")

# Hosts of package registries, and folders of the machines this was written on. Written in two halves, for this file
# is tracked too.
FORBIDDEN = [
    first + second
    for first, second in (
        ("pypi", ".org"), ("pythonhosted", ".org"), ("registry.npmjs", ".org"), ("proxy.golang", ".org"),
        ("deb.debian", ".org"), ("/work/", "main"), ("/work/", "shared"), ("/work/", "."), ("/home/", "user"),
        ("/farm", "/"), ("--index", "-url"), ("--extra-index", "-url"), ("/root/", "."),
    )
]  # fmt: skip
ALLOWED = {"--index" + "-url": ("Makefile",)}  # the recipe that keeps the index out of the locks has to name it


def python_files(root: Path) -> list[Path]:
    return sorted((root / "src" / "proscribe").rglob("*.py"))


def test_no_module_is_over_the_limit(root):
    files = [*python_files(root), *(root / "tools").rglob("*.py"), *(root / "benchmarks").rglob("*.py")]
    long = {str(f.relative_to(root)): n for f in files if (n := len(f.read_text("utf-8").splitlines())) > MAX_LINES}
    assert not long


def code_words(source: str) -> str:
    """A module's names and texts without its comments and docstrings, where a vendor may serve as an example."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body[0] = ast.Pass()
    return ast.unparse(tree).lower()


def test_no_vendor_in_the_core(root):
    core = root / "src" / "proscribe"
    pattern = re.compile("|".join(VENDORS))
    named = {}
    for file in python_files(root):
        place = file.relative_to(core).as_posix()
        if place.startswith(VENDOR_PLACES):
            continue
        found = pattern.findall(code_words(file.read_text("utf-8")))
        if found:
            named[place] = sorted(set(found))
    # The composition root has to say which connectors there are, once.
    allowed = {"service/wiring.py", "service/config.py", "cli/rehearse.py", "service/rehearsal.py"}
    assert {place: words for place, words in named.items() if place not in allowed and "rehears" not in place} == {}


def test_no_branch_on_a_system_by_name(root):
    """DESIGN rule 3: capabilities are data, so no code compares a system's name with a constant."""
    guilty = []
    for file in python_files(root):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and any(
                isinstance(side, ast.Constant) for side in (node.left, *node.comparators)
            ):
                sides = (node.left, *node.comparators)
                names = {side.id if isinstance(side, ast.Name) else getattr(side, "attr", "") for side in sides}
                texts = {side.value for side in sides if isinstance(side, ast.Constant) and isinstance(side.value, str)}
                if "system" in names and texts - {"", "*"}:
                    guilty.append(f"{file.relative_to(root)}:{node.lineno}")
    assert not guilty


def test_nothing_of_a_registry_or_a_machine_is_tracked(root, tracked):
    guilty = []
    for file in tracked:
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        guilty += [
            f"{file.relative_to(root)}: {word}"
            for word in FORBIDDEN
            if word in text and file.name not in ALLOWED.get(word, ())
        ]
    assert not guilty


def test_nothing_is_left_for_later(root):
    unfinished = re.compile(r"\b(TODO|FIXME|XXX|raise NotImplementedError)\b")
    guilty = [
        f"{file.relative_to(root)}:{number}"
        for file in python_files(root)
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1)
        if unfinished.search(line)
    ]
    assert not guilty


@pytest.mark.parametrize(
    "stage", ["catalogue", "directive", "inventory", "evaluate", "plan", "connectors", "enforce", "prove"]
)
def test_domain_stages_do_not_read_the_clock_by_themselves(root, stage):
    """Time is handed in (``clock.Clock`` or ``now``), so that a proof can be made again.

    A function that takes ``now`` may fall back on the present; a maintenance script (``__main__``) may too.
    """
    guilty = []
    for file in (root / "src" / "proscribe" / stage).rglob("*.py"):
        free = [
            node
            for node in ast.walk(ast.parse(file.read_text("utf-8")))
            if (
                isinstance(node, ast.FunctionDef)
                and "now" in {arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)}
            )
            or (isinstance(node, ast.If) and "__name__" in ast.unparse(node.test))
        ]
        allowed = {line for node in free for line in range(node.lineno, node.end_lineno + 1)}
        guilty += [
            f"{file.relative_to(root)}:{node.lineno}"
            for node in ast.walk(ast.parse(file.read_text("utf-8")))
            if isinstance(node, ast.Call)
            and ast.unparse(node.func) in ("datetime.now", "datetime.utcnow", "date.today", "time.time")
            and node.lineno not in allowed
        ]
    assert not guilty


def bilingual_help(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether a decorator gives the help of a command, in both languages; a docstring would be a third wording."""
    return any(
        "help=" in ast.unparse(decorator) and "Text(" in ast.unparse(decorator) for decorator in node.decorator_list
    )


def test_public_functions_say_what_they_do(root):
    silent = []
    for file in python_files(root):
        tree = ast.parse(file.read_text("utf-8"))
        if file.name != "__init__.py" and not ast.get_docstring(tree):
            silent.append(str(file.relative_to(root)))
        silent += [
            f"{file.relative_to(root)}:{node.lineno} {node.name}"
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
            and not bilingual_help(node)
        ]
    assert not [entry for entry in silent if "migrations/" not in entry]

"""Write the reference pages and JSON Schemas that are made from the code, so that the two cannot differ.

Usage: python tools/make_docs.py [--check]. With --check nothing is written; exit status 1 names each stale file.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "proscribe"
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Made by `make docs` from the code; edit the code. -->\n"


# --- commands --------------------------------------------------------------------------------------------------------


def describe_command(command: Any, path: list[str]) -> list[dict[str, Any]]:
    """A click command and everything under it, as plain values in the current language."""
    import click

    context = click.Context(command, info_name=" ".join(path))
    parameters = []
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            parameters.append({"name": parameter.make_metavar(context), "help": ""})
        elif isinstance(parameter, click.Option) and not parameter.hidden:
            record = parameter.get_help_record(context)
            if record is not None:
                parameters.append({"name": record[0], "help": record[1]})
    here = {"path": " ".join(path), "help": (command.help or "").strip(), "parameters": parameters}
    under = []
    if isinstance(command, click.Group) and len(path) > 1:
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                under += describe_command(child, [*path, name])
    return [here, *under]


def dump_commands() -> list[dict[str, Any]]:
    """Every command that exists, in the language of ``PROSCRIBE_LANG``."""
    from proscribe.cli import translate_click

    translate_click()
    from proscribe.cli.root import COMMANDS, root

    found = describe_command(root, ["proscribe"])
    for name, (module, _) in COMMANDS.items():
        if (SOURCE / "cli" / f"{module}.py").exists() or (SOURCE / "cli" / module).is_dir():
            command = import_module(f"proscribe.cli.{module}").command
            found += describe_command(command, ["proscribe", name])
    return found


def commands_in(language: str) -> list[dict[str, Any]]:
    """Help texts are made when a module is imported, so each language needs a process of its own."""
    environment = {**os.environ, "PROSCRIBE_LANG": language, "COLUMNS": "10000"}
    run = subprocess.run(
        [sys.executable, __file__, "--dump-commands"], env=environment, capture_output=True, text=True, check=True
    )
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


def cell(text: str) -> str:
    """Text that can stand in a Markdown table."""
    # French keeps its no-break spaces, which split() alone would take for any other space.
    return re.sub(r"[ \n\t]+", " ", text.strip(" \n\t")).replace("|", "\\|").replace("<", "&lt;")


def commands_page() -> str:
    """Every command and option, in both languages side by side."""
    lines = [
        "# Commands / Commandes\n",
        NOTE,
        "Exit status: 0 fine, 1 error, 2 findings or refusals.",
        "*Code de sortie : 0 tout va bien, 1 erreur, 2 constats ou refus.*\n",
    ]
    for english, french in zip(commands_in("en"), commands_in("fr"), strict=True):
        depth = "##" if english["path"].count(" ") < 2 else "###"
        lines += [f"{depth} `{english['path']}`\n", english["help"] + "\n", f"*{cell(french['help'])}*\n"]
        if english["parameters"]:
            lines += ["| Argument, option | English | Français |", "|---|---|---|"]
            for one, other in zip(english["parameters"], french["parameters"], strict=True):
                lines.append(f"| `{cell(one['name'])}` | {cell(one['help'])} | {cell(other['help'])} |")
            lines.append("")
    return "\n".join(lines)


# --- errors ----------------------------------------------------------------------------------------------------------


@dataclass
class ErrorClass:
    """What the source says of one error class."""

    name: str
    bases: list[str]
    code: str
    meaning: str
    transient: bool
    remedies: list[tuple[str, str]] = field(default_factory=list)


def text_of(node: ast.expr) -> str:
    """The words of a string or f-string; what is filled in at run time becomes an ellipsis."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)  # type: ignore[misc]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left) + text_of(node.right)
    return ""


def class_value(node: ast.ClassDef, name: str) -> Any:
    """The constant that a class body assigns to ``name``, or None."""
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            targets: list[ast.expr] = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return statement.value.value if isinstance(statement.value, ast.Constant) else None
    return None


def read_class(node: ast.ClassDef) -> ErrorClass:
    """What the source says of one class."""
    return ErrorClass(
        name=node.name,
        bases=[ast.unparse(base).split(".")[-1].split("[")[0] for base in node.bases],
        code=class_value(node, "code") or "",
        meaning=(ast.get_docstring(node) or "").split("\n\n")[0],
        transient=bool(class_value(node, "transient")),
    )


def remedy_of(call: ast.Call) -> tuple[str, str] | None:
    """The two sentences of a call's ``remedy=Text(en, fr)``, if it has one."""
    for keyword in call.keywords:
        if keyword.arg == "remedy" and isinstance(keyword.value, ast.Call):
            words = [text_of(argument) for argument in keyword.value.args]
            if len(words) == 2 and all(words):
                return words[0], words[1]
    return None


def error_classes() -> list[ErrorClass]:
    """Every subclass of ProscribeError in the source, with the remedies of the places that raise it."""
    files = sorted(SOURCE.rglob("*.py"))
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    classes = [read_class(node) for node in nodes if isinstance(node, ast.ClassDef)]
    found = {entry.name: entry for entry in classes if entry.name == "ProscribeError"}
    while fresh := [entry for entry in classes if entry.name not in found and found.keys() & set(entry.bases)]:
        for entry in fresh:
            inherited = next(found[base] for base in entry.bases if base in found)
            entry.code = entry.code or inherited.code
            entry.transient = entry.transient or inherited.transient
            found[entry.name] = entry
    for node in nodes:
        if isinstance(node, ast.Call) and (raised := found.get(ast.unparse(node.func).split(".")[-1])):
            remedy = remedy_of(node)
            if remedy and remedy not in raised.remedies:
                raised.remedies.append(remedy)
    return sorted(found.values(), key=lambda entry: (entry.code, entry.name))


def errors_page() -> str:
    """Every error: its code, what it means, and what to do next."""
    lines = [
        "# Errors\n",
        NOTE,
        "Every error has a stable code, says where it happened, and says what to do next, in both languages.",
        "A transient error may go away when the same thing is tried again unchanged.\n",
        "An ellipsis stands for what is known only when it happens.\n",
        "| Code | Error | Meaning | What to do | Que faire | Transient |",
        "|---|---|---|---|---|---|",
    ]
    for entry in error_classes():
        english = "<br>".join(cell(words) for words, _ in entry.remedies) or "It is said with the error."
        french = "<br>".join(cell(words) for _, words in entry.remedies) or "L'erreur elle-même l'indique."
        transient = "yes" if entry.transient else "no"
        lines.append(f"| `{entry.code}` | {entry.name} | {cell(entry.meaning)} | {english} | {french} | {transient} |")
    return "\n".join(lines) + "\n"


# --- coverage --------------------------------------------------------------------------------------------------------


def coverage_page() -> str:
    """What each source can see of each class of device, with where that is stated."""
    rows = tomllib.loads((SOURCE / "inventory" / "data" / "coverage.toml").read_text(encoding="utf-8"))["row"]
    lines = [
        "# Coverage / Couverture\n",
        NOTE,
        "What a source can see of a class of device at best, and what it is blind to. A class that is not listed is",
        "`unknown`: a clean list from it proves nothing, and every report says so.\n",
        "| System | Platform | Enrolment | Sees | Ids | Signer | Stale after | Blind to | Ne voit pas | Source |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        says = [f"`{row['system']}`", row["platform"], ", ".join(f"`{name}`" for name in row["enrolment"])]
        says += [f"`{row['sees']}`", *("yes" if row[name] else "no" for name in ("gives_ids", "gives_signer"))]
        says += [f"{row['stale_after_days']} days", row["blind_to_en"], row["blind_to_fr"], row["source"]]
        lines.append("| " + " | ".join(cell(word) for word in says) + " |")
    return "\n".join(lines) + "\n"


# --- documents -------------------------------------------------------------------------------------------------------


def document_classes() -> list[Any]:
    """Every document kind in the source, by name."""
    from proscribe.documents import Document

    for file in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.ClassDef) and "Document" in map(ast.unparse, node.bases) for node in tree.body):
            import_module(file.relative_to(SOURCE.parent).with_suffix("").as_posix().replace("/", "."))
    ours = [cls for cls in Document.__subclasses__() if cls.__module__.startswith("proscribe.")]
    return sorted(ours, key=lambda cls: cls.KIND)


def schema_files() -> dict[Path, str]:
    """The JSON Schema file of each kind, and a page that lists them."""
    from proscribe.documents import json_schema

    files, lines = {}, ["# JSON Schemas\n", NOTE, "| Kind | Schema version | File | What it is |", "|---|---|---|---|"]
    for cls in document_classes():
        name = f"{cls.KIND}.json"
        text = json.dumps(json_schema(cls), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        files[ROOT / "docs" / "schemas" / name] = text
        meaning = cell((cls.__doc__ or "").split("\n\n")[0])
        lines.append(f"| `{cls.KIND}` | {cls.SCHEMA} | [{name}]({name}) | {meaning} |")
    files[ROOT / "docs" / "schemas" / "README.md"] = "\n".join(lines) + "\n"
    return files


# --- everything ------------------------------------------------------------------------------------------------------


def pages() -> dict[Path, str]:
    """Path -> content of every file that is made from the code."""
    return {
        REFERENCE / "commands.md": commands_page(),
        REFERENCE / "coverage.md": coverage_page(),
        REFERENCE / "errors.md": errors_page(),
        **schema_files(),
    }


def main() -> int:
    """Write what is stale, or with ``--check`` say what is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--dump-commands", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.dump_commands:
        json.dump(dump_commands(), sys.stdout)
        return 0
    made = pages()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    stale += [path for path in (ROOT / "docs" / "schemas").glob("*") if path not in made]
    if wanted.check:
        for path in stale:
            print(f"stale: {path.relative_to(ROOT)} (run make docs)", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        if path in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path], encoding="utf-8")
        else:
            path.unlink()
        print(f"{'wrote' if path in made else 'removed'} {path.relative_to(ROOT)}")
    print(f"{len(made)} files made from the code, {len(stale)} changed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

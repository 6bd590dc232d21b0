"""Distil from Apple's device management schema the facts that the tests hold commands, profiles and phones against.

    python tools/make_apple_facts.py [--schema FOLDER] [FACTS]

The schema is a checkout of https://github.com/apple/device-management, found by ``--schema``, else by
``PROSCRIBE_APPLE_SCHEMA``, else beside this repository. What is taken over: names, types, presence, lists of values,
bounds, forms, and from which iOS and on which devices something holds. Titles and descriptions stay where they are.
The same schema gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
FACTS = ROOT / "tests" / "connectors" / "nanomdm" / "apple_schema_facts.json"
REPOSITORY = "https://github.com/apple/device-management"
PLATFORM = "iOS"

# What is sent to phones, what they say and what they answer, and the profiles that can be in what is sent.
DOCUMENTS = (
    "declarative/declarations/activations/simple.yaml",
    "declarative/declarations/configurations/app.managed.yaml",
    "declarative/declarations/configurations/app.settings.yaml",
    "declarative/declarations/declarationbase.yaml",
    "declarative/status/management.declarations.yaml",
    "mdm/checkin/authenticate.yaml",
    "mdm/checkin/checkout.yaml",
    "mdm/checkin/declarativemanagement.yaml",
    "mdm/checkin/tokenupdate.yaml",
    "mdm/commands/application.install.yaml",
    "mdm/commands/application.installed.list.yaml",
    "mdm/commands/application.managed.list.yaml",
    "mdm/commands/application.remove.yaml",
    "mdm/commands/declarativemanagement.yaml",
    "mdm/commands/information.device.yaml",
    "mdm/commands/profile.install.yaml",
    "mdm/commands/profile.list.yaml",
    "mdm/commands/profile.remove.yaml",
    "mdm/profiles/CommonPayloadKeys.yaml",
    "mdm/profiles/TopLevel.yaml",
    "mdm/profiles/com.apple.applicationaccess.yaml",
)
GRAMMAR = "docs/schema.yaml"

NAMES = ("requesttype", "payloadtype", "declarationtype", "statusitemtype")
LIMITS = (
    "introduced", "deprecated", "removed", "supervised", "userenrollment", "allowed-enrollments", "allowed-scopes",
    "devicechannel", "multiple",
)  # fmt: skip
OF_A_KEY = ("key", "type", "presence", "rangelist", "range", "format", "repetition", "subtype")

Json = dict[str, Any]


def main() -> None:
    """Write the facts; exit 1 where the schema is not all there."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    arguments.add_argument("facts", nargs="?", type=Path, default=FACTS, help=f"default: {FACTS.name}")
    arguments.add_argument("--schema", type=Path, default=schema(), help="a checkout of apple/device-management")
    chosen = arguments.parse_args()
    missing = [name for name in (*DOCUMENTS, GRAMMAR) if not (chosen.schema / name).is_file()]
    if missing:
        sys.exit(f"{chosen.schema} lacks {', '.join(missing)}: give a checkout of {REPOSITORY} with --schema")
    chosen.facts.write_text(written(distilled(chosen.schema)), "utf-8")


def schema() -> Path:
    """Where the schema is, or would be."""
    named = os.environ.get("PROSCRIBE_APPLE_SCHEMA")
    return Path(named) if named else ROOT.parent / "shared" / "schemas" / "apple-device-management"


def distilled(folder: Path) -> Json:
    """The facts of all documents, with the words that a document may say them in."""
    grammar = _read(folder / GRAMMAR)["properties"]
    read_at = commits(folder)
    return {
        "source": REPOSITORY,
        "words": {
            "limits": sorted(grammar["payload"]["properties"]["supportedOS"]["properties"][PLATFORM]["properties"]),
            "of_a_key": sorted(grammar["payloadkeys"]["items"]["properties"]),
        },
        "documents": {
            name: {"commit": read_at.get(name, read_at[""]), **document(_read(folder / name))} for name in DOCUMENTS
        },
    }


def commits(folder: Path) -> dict[str, str]:
    """The commit that the schema was read at under ``""``, and those of single files that are of another.

    Of a checkout git knows it. A copy tells it in its README, and says so where a file is newer than the others.
    """
    if (folder / ".git").exists():
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S607
        return {"": head.stdout.strip()}
    readme = folder / "README.md"
    told = readme.read_text("utf-8") if readme.is_file() else ""
    whole = re.search(r"commit\s+([0-9a-f]{40})\b", told)
    newer = re.findall(r"`([\w./]+\.yaml)`\s+\(commit\s+([0-9a-f]{8,40})\b", told)
    return {"": whole[1] if whole else "", **dict(newer)}


def document(told: Mapping[str, Any]) -> Json:
    """The facts of one document: what it is called, where it holds, its keys, and for declarations the reasons."""
    facts: Json = {name: told["payload"][name] for name in NAMES if name in told["payload"]}
    # A document that is silent on a platform is not for it.
    facts["supportedOS"] = limits(told["payload"]["supportedOS"].get(PLATFORM, {"introduced": "n/a"}))
    facts |= {name: keys(told[name]) for name in ("payloadkeys", "responsekeys") if name in told}
    if "reasons" in told:
        facts["reasons"] = [
            {"value": reason["value"], "details": keys(reason.get("details", []))} for reason in told["reasons"]
        ]
    return facts


def keys(told: list[Json]) -> list[Json]:
    """The facts of keys and of the keys below them."""
    found = []
    for one in told:
        facts: Json = {word: one[word] for word in OF_A_KEY if word in one}
        # A key that is silent on a platform takes after what it is in.
        if supported := limits(one.get("supportedOS", {}).get(PLATFORM, {})):
            facts["supportedOS"] = supported
        if "subkeys" in one:
            facts["subkeys"] = keys(one["subkeys"])
        found.append(facts)
    return found


def limits(told: Mapping[str, Any]) -> Json:
    """Where something holds on iOS; of User Enrolment only whether it is allowed there."""
    facts = {word: told[word] for word in LIMITS if word in told}
    if "userenrollment" in facts:
        facts["userenrollment"] = told["userenrollment"].get("mode", "allowed")
    return facts


def written(facts: Json) -> str:
    """As JSON, a line for every value that fits on one."""
    return _lines(facts, "") + "\n"


def _lines(value: object, indent: str) -> str:
    short = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(indent) + len(short) <= 118:
        return short
    inner = indent + " "
    if isinstance(value, dict):
        parts = [f"{json.dumps(name)}: {_lines(one, inner)}" for name, one in value.items()]
    else:
        parts = [_lines(one, inner) for one in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{closing}"


def _read(path: Path) -> Any:
    return yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


if __name__ == "__main__":
    main()

"""Registrable domains, by the Public Suffix List inside the package ``publicsuffixlist``. Never goes online.

The list is read here and not by that package, which takes 90 ms to import and to index it; this takes 5. The package is
the oracle of the tests. The algorithm: publicsuffix.org/list, private suffixes included.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def _rules() -> frozenset[str]:
    """The list's rules as written, in Unicode; comments among them match no name."""
    package = find_spec("publicsuffixlist")  # found without being imported
    if package is None or not package.origin:
        raise ModuleNotFoundError("publicsuffixlist", name="publicsuffixlist")
    text = Path(package.origin).with_name("public_suffix_list.dat").read_text(encoding="utf-8")
    return frozenset(text.split("\n"))


def registrable(host: str) -> str:
    """``a.b.example.co.uk`` gives ``example.co.uk``; "" for an address, a public suffix or a bare label."""
    name = host.lower().rstrip(".")
    labels = name.split(".")
    if len(labels) < 2 or ":" in name or labels[-1].isdigit() or not all(labels):
        return ""
    suffix = _suffix([_unicode(label) for label in labels])
    return ".".join(labels[-suffix - 1 :]) if suffix < len(labels) else ""


def _suffix(labels: list[str]) -> int:
    """How many labels the public suffix has: the longest rule that fits, or the last label where none does."""
    rules = _rules()
    for start in range(len(labels)):
        rest = ".".join(labels[start:])
        if f"!{rest}" in rules:  # an exception: the suffix is a label shorter than the rule
            return len(labels) - start - 1
        if rest in rules or f"*.{rest.partition('.')[2]}" in rules:
            return len(labels) - start
    return 1


def _unicode(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label.encode("ascii").decode("idna")
    except UnicodeError:
        return label

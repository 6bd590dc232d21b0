"""What androguard sees in one package, as JSON on standard output. A program of its own: it takes gigabytes.

Usage: androguard_child.py PACKAGE WATCH; WATCH is a JSON file of ``names`` (methods), ``uris`` and ``fields``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

READS = {*range(0x52, 0x59), *range(0x60, 0x67)}
SMALL = 120_000  # calls; on a larger package the walk over every instruction takes minutes


def descriptor(method: Any) -> str:
    owner, name, proto = method.get_class_name(), method.get_name(), method.get_descriptor()
    return f"{owner}->{name}{str(proto).replace(' ', '')}"


def fields(analysis: Any, wanted: set[str]) -> list[tuple[str, str, int]]:
    """Reads of watched fields, instruction by instruction: androguard's own table leaves out external classes."""
    found = []
    for method in analysis.get_methods():
        if method.is_external() or method.get_method().get_code() is None:
            continue
        offset = 0
        for instruction in method.get_method().get_instructions():
            if instruction.get_op_value() in READS:
                words = instruction.cm.get_field(instruction.get_ref_kind())
                if f"{words[0]}->{words[2]}" in wanted:
                    found.append((f"{words[0]}->{words[2]}:{words[1]}", descriptor(method.get_method()), offset // 2))
            offset += instruction.get_length()
    return found


def main(package: str, watch: dict[str, list[str]]) -> dict[str, object]:
    from androguard.misc import AnalyzeAPK
    from loguru import logger

    logger.remove()
    _, files, analysis = AnalyzeAPK(package)
    names, uris = set(watch["names"]), tuple(watch["uris"])
    calls, total = [], 0
    for method in analysis.get_methods():
        sites = method.get_xref_from()
        total += len(sites)
        if method.get_method().get_name() in names:
            callee = descriptor(method.get_method())
            calls += [(callee, descriptor(caller.get_method()), offset // 2) for _, caller, offset in sites]
    strings = [
        (text.get_value(), descriptor(method.get_method()), offset // 2)
        for text in analysis.get_strings()
        if text.get_value().startswith(uris)
        for _, method, offset in text.get_xref_from(with_offset=True)
    ]
    classes = {
        item.get_name(): [
            item.get_superclassname(),
            list(item.get_interfaces()),
            [f"{method.get_name()}{str(method.get_descriptor()).replace(' ', '')}" for method in item.get_methods()],
        ]
        for file in reversed(files)
        for item in file.get_classes()
    }
    heads = [file.header for file in files]
    return {
        "calls": calls,
        "strings": strings,
        "classes": classes,
        "fields": fields(analysis, set(watch["fields"])) if total < SMALL else None,
        "counts": [
            (head.string_ids_size, head.type_ids_size, head.method_ids_size, head.class_defs_size) for head in heads
        ],
    }


if __name__ == "__main__":
    result = main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()))
    sys.stdout.write(json.dumps(result))

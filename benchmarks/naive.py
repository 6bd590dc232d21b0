"""What one would write first: the baselines of ``run.py``. ``python benchmarks/naive.py duckdb|reader EXPORT``."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

# Enough of the homoglyphs that a naive query folds; the product knows them all.
FOLD_FROM, FOLD_TO = "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u04510135", "aeopcxyieoles"


def duckdb_join(export: Path) -> int:
    """One join with OR over the raw text rows: exact, glob, certificate, and the look of the name. Returns the hits."""
    from datetime import UTC, datetime

    import duckdb

    from proscribe.catalogue.model import IdentifierType
    from proscribe.directive import library

    exact = (IdentifierType.android_package, IdentifierType.ios_bundle_id)
    globs = (IdentifierType.android_package_glob, IdentifierType.ios_bundle_glob)
    rows = [
        (
            directive.id,
            target.value if target.type in exact else None,
            target.value.replace("_", "\\_").replace("*", "%") if target.type in globs else None,
            target.value if target.type is IdentifierType.android_cert_sha256 else None,
            "".join(filter(str.isalnum, target.value.lower())) if target.type is IdentifierType.app_name else None,
        )
        for directive in library.shipped()
        for target in library.target_set(directive, now=datetime.now(UTC)).targets
    ]
    with duckdb.connect() as database:
        database.execute("CREATE TABLE target (directive TEXT, id TEXT, pattern TEXT, signer TEXT, looks TEXT)")
        database.executemany("INSERT INTO target VALUES (?, ?, ?, ?, ?)", rows)
        found = database.execute(
            f"""
            SELECT count(*) FROM (
                SELECT DISTINCT r.device, t.directive, r.app_id
                FROM (SELECT *, regexp_replace(translate(lower(app_name), '{FOLD_FROM}', '{FOLD_TO}'), '[^a-z0-9]', '',
                    'g') AS looks FROM read_parquet('{export}')) AS r
                JOIN target AS t ON r.app_id = t.id OR r.app_id LIKE t.pattern ESCAPE '\\' OR r.signer = t.signer
                    OR r.looks = t.looks
            )
            """
        ).fetchone()
    return int(found[0])


def reader(export: Path) -> int:
    """Read every row of a CSV into a dictionary and do nothing with it. Returns the rows."""
    with export.open(encoding="utf-8", newline="") as stream:
        return sum(1 for _ in csv.DictReader(stream))


if __name__ == "__main__":
    print({"duckdb": duckdb_join, "reader": reader}[sys.argv[1]](Path(sys.argv[2])))

"""Bundles: what is in them, what is not, and that no changed byte and no consistent lie passes verification."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proscribe.canonical import canonical_bytes, digest_bytes
from proscribe.documents import digest
from proscribe.enforce.model import DeviceOutcome, Outcome
from proscribe.errors import DiskFull, UnreadableFile
from proscribe.prove import ledger
from proscribe.prove import members as names
from proscribe.prove import verify as checking
from proscribe.prove.bundle import BundleInputs, BundleUnsound, export, verify
from proscribe.prove.container import Container, Writer
from proscribe.prove.model import BundleManifest, CheckState, EntryKind, TreeHead, VerifyResult
from proscribe.prove.pseudonym import WeakPseudonymKey
from proscribe.terms import Enrolment
from proscribe.text import Text

Members = dict[str, bytes]


@pytest.fixture(scope="module")
def proof(inputs: BundleInputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("proof") / "proof.zip"
    export(inputs, path)
    return path


def unpack(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repack(members: Members, path: Path, change: Callable[[dict[str, Any]], None] | None = None) -> Path:
    """A bundle as a forger would write it: every digest that he can make again is made again."""
    manifest = json.loads(members[names.MANIFEST])
    parts = {name: data for name, data in members.items() if name not in (names.MANIFEST, names.CHECKSUMS)}
    manifest["members"] = [
        {"name": name, "digest": digest_bytes(data), "bytes": len(data)} for name, data in sorted(parts.items())
    ]
    if change is not None:
        change(manifest)
    data = canonical_bytes(manifest)
    with path.open("w+b") as stream:
        writer = Writer(stream)
        for name in sorted(parts):
            writer.add(name, [parts[name]])
        writer.add(names.MANIFEST, [data])
        every = [*parts.items(), (names.MANIFEST, data)]
        writer.add(names.CHECKSUMS, [names.checksums((name, digest_bytes(part)) for name, part in every)])
        writer.finish(names.seal(digest_bytes(data)))
    return path


def edit(members: Members, name: str, change: Callable[[dict[str, Any]], None]) -> Members:
    body = json.loads(members[name])
    change(body)
    return {**members, name: canonical_bytes(body)}


def edit_lines(members: Members, name: str, change: Callable[[list[dict[str, Any]]], None]) -> Members:
    lines = [json.loads(line) for line in members[name].splitlines()]
    change(lines)
    return {**members, name: b"".join(canonical_bytes(line) + b"\n" for line in lines)}


def failed(result: VerifyResult) -> set[tuple[str, str]]:
    assert all(check.what.en and check.what.fr for check in result.checks)
    return {(check.name, check.member) for check in result.failures}


def test_a_sound_bundle_holds_and_says_what_it_could_not_check(proof: Path) -> None:
    result = verify(proof)
    assert result.ok
    assert {check.name for check in result.checks if check.state is CheckState.limited} == {"plans", "signatures"}
    assert result.tree_head is not None


def test_the_same_inputs_give_the_same_bytes(inputs: BundleInputs, proof: Path, tmp_path: Path) -> None:
    export(inputs, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == proof.read_bytes()
    assert list(tmp_path.iterdir()) == [tmp_path / "again.zip"]


def test_the_manifest_counts_the_fleet(inputs: BundleInputs, proof: Path) -> None:
    manifest = json.loads(unpack(proof)[names.MANIFEST])
    assert manifest["fleet"] == len(inputs.outcomes) == sum(manifest["outcomes"].values())
    assert set(manifest["outcomes"]) == {outcome.value for outcome in {one.outcome for one in inputs.outcomes}}
    assert any("personal side" in text["en"] for text in manifest["not_seen"])


def test_no_device_and_no_person_is_in_a_pseudonymised_bundle(inputs: BundleInputs, proof: Path) -> None:
    keys = [one.device for one in inputs.outcomes] + ["unit-0", "museum communications lead"]
    for name, data in unpack(proof).items():
        assert [key for key in keys if key.encode() in data] == [], name


def test_other_matters_of_the_ledger_do_not_leak(inputs: BundleInputs, proof: Path) -> None:
    members = unpack(proof)
    assert not any(b"another-directive" in data for data in members.values())
    proofs = json.loads(members[names.PROOFS])
    assert proofs["withheld"] == {"names_devices": 1, "other_matter": 2}
    assert len(members[names.LEAVES].splitlines()) == inputs.ledger.size()


def test_analyst_context_stays_out_of_the_reports(proof: Path) -> None:
    members = unpack(proof)
    for name in (names.REPORT_EN, names.REPORT_FR):
        assert b"SECRET" not in members[name]


def test_devices_are_disclosed_only_on_request(inputs: BundleInputs, tmp_path: Path) -> None:
    path = tmp_path / "named.zip"
    export(replace(inputs, disclose_devices=True), path)
    members = unpack(path)
    assert inputs.outcomes[0].device.encode() in members[names.OUTCOMES]
    result = verify(path)
    assert {check.name for check in result.checks if check.state is not CheckState.passed} == {"signatures"}
    changed = edit(members, names.PLAN.format(1), lambda plan: plan["steps"][0].update(scope_version=99))
    assert ("plans", names.PLAN.format(1)) in failed(verify(repack(changed, tmp_path / "changed.zip")))


def test_a_pseudonymised_plan_on_record_is_checked_in_full(inputs: BundleInputs, tmp_path: Path) -> None:
    from proscribe.prove.pseudonym import Pseudonyms

    copy = digest(Pseudonyms(inputs.pseudonym_key).plan(inputs.plans[0]))
    book = type(inputs.ledger)()
    for entry in inputs.ledger.entries():
        book.append(entry.entry, entry.subject, entry.actor, entry.body, entry.at)
    last = list(book.entries())[-1]
    body = {"directive": inputs.directive.id, "pseudonymised": copy}
    book.append(EntryKind.approval, inputs.directive.id, "operator", body, last.at)
    path = tmp_path / "proof.zip"
    export(replace(inputs, ledger=book), path)
    assert {check.name for check in verify(path).checks if check.state is not CheckState.passed} == {"signatures"}


def test_the_readme_commands_work(proof: Path, tmp_path: Path) -> None:
    members = unpack(proof)
    for name, data in members.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    readme = members[names.README].decode()
    script = [line[4:] for line in readme.splitlines() if line.startswith("    ")]
    half = len(script) // 2
    assert script[:half] == script[half:]
    (tmp_path / "root.py").write_text("\n".join(script[:half]) + "\n", encoding="utf-8")
    said = subprocess.run([sys.executable, "root.py"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    head = json.loads(members[names.MANIFEST])["tree_head"]
    assert said.split() == [str(head["size"]), head["root"]]
    if shutil.which("sha256sum"):
        subprocess.run(
            ["sha256sum", "--check", "--strict", names.CHECKSUMS], cwd=tmp_path, check=True, capture_output=True
        )


def test_a_changed_byte_anywhere_fails_and_names_its_member(proof: Path) -> None:
    data = proof.read_bytes()
    entries = Container(data).entries
    inside = {at: entry.name for entry in entries.values() for at in range(entry.data_at, entry.data_at + entry.packed)}
    outside = [at for at in range(len(data)) if at not in inside]
    # Every byte of the container itself, and inside the members a prime stride that meets every one of them.
    for at in (*outside, *list(inside)[::17]):
        changed = bytearray(data)
        changed[at] ^= 0x10
        result = checking._verify("proof.zip", bytes(changed), None)
        assert not result.ok, at
        assert result.failures[0].member
        if at in inside:
            assert result.failures[0].member == inside[at]
    assert set(inside.values()) == set(entries)


@pytest.mark.slow
def test_every_single_byte(proof: Path, tmp_path: Path) -> None:
    data = proof.read_bytes()
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x01
        result = checking._verify("proof.zip", bytes(changed), None)
        assert not result.ok, at
        assert result.failures[0].member


@pytest.mark.parametrize("tail", [b"\x00", b"PK\x05\x06" + bytes(18)])
def test_bytes_before_or_behind_the_file(proof: Path, tmp_path: Path, tail: bytes) -> None:
    data = proof.read_bytes()
    for number, changed in enumerate((data + tail, tail + data)):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(changed)
        assert [check.member for check in verify(path).failures] == ["container"]


def test_what_is_no_file_or_no_proof(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        verify(tmp_path / "missing.zip")
    with pytest.raises(UnreadableFile):
        verify(tmp_path)
    (tmp_path / "empty.zip").write_bytes(b"")
    assert not verify(tmp_path / "empty.zip").ok
    with (tmp_path / "other.zip").open("w+b") as stream:
        writer = Writer(stream)
        writer.add("hello.txt", [b"hello"])
        writer.finish("")
    assert failed(verify(tmp_path / "other.zip")) == {("documents", names.MANIFEST)}


def test_a_forgery_without_changes_holds(proof: Path, tmp_path: Path) -> None:
    """The forger's tool below is honest: what fails in the next tests fails for the change alone."""
    path = repack(unpack(proof), tmp_path / "same.zip")
    assert path.read_bytes() == proof.read_bytes()


def _drop(*unwanted: str) -> Callable[[Members], Members]:
    return lambda members: {name: data for name, data in members.items() if name not in unwanted}


def _first(lines: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    return next(line for line in lines if all(line[key] == value for key, value in wanted.items()))


FORGERIES: dict[str, tuple[Callable[[Members], Members], tuple[str, str]]] = {
    "another directive": (
        lambda m: edit(m, names.DIRECTIVE, lambda d: d.update(force="recommended")),
        ("chain", names.DIRECTIVE),
    ),
    "another target set": (
        lambda m: edit(m, names.TARGETS, lambda d: d.update(reviewed_by="nobody")),
        ("chain", names.TARGETS),
    ),
    "a target set of another version": (
        lambda m: edit(m, names.TARGETS, lambda d: d.update(directive_version=2)),
        ("chain", names.TARGETS),
    ),
    "another snapshot": (
        lambda m: edit(m, names.SNAPSHOT.format(2), lambda d: d.update(devices=1)),
        ("chain", names.SNAPSHOT.format(2)),
    ),
    "a plan of another directive": (
        lambda m: edit(m, names.PLAN.format(1), lambda d: d.update(directive="x")),
        ("plans", names.PLAN.format(1)),
    ),
    "a plan from other targets": (
        lambda m: edit(m, names.PLAN.format(1), lambda d: d.update(targets_digest="sha256:" + "0" * 64)),
        ("plans", names.PLAN.format(1)),
    ),
    "plan counts that do not add up": (
        lambda m: edit(m, names.PLAN.format(1), lambda d: d["counts"].update(to_remove=1000)),
        ("plans", names.PLAN.format(1)),
    ),
    "a removed leaf": (
        lambda m: {**m, names.LEAVES: b"".join(m[names.LEAVES].splitlines(keepends=True)[:-1])},
        ("ledger-root", names.LEAVES),
    ),
    "another tree head in the proofs": (
        lambda m: edit(m, names.PROOFS, lambda d: d["tree_head"].update(size=3)),
        ("ledger-root", names.PROOFS),
    ),
    "a rewritten entry": (
        lambda m: edit_lines(m, names.ENTRIES, lambda lines: lines[0].update(actor="somebody else")),
        ("ledger-entries", names.ENTRIES),
    ),
    "entries out of order": (
        lambda m: edit_lines(m, names.ENTRIES, lambda lines: lines.reverse()),
        ("ledger-entries", names.ENTRIES),
    ),
    "an entry beyond the ledger": (
        lambda m: edit_lines(m, names.ENTRIES, lambda lines: lines[-1].update(index=999)),
        ("ledger-entries", names.ENTRIES),
    ),
    "a proof that leads nowhere": (
        lambda m: edit(m, names.PROOFS, lambda d: d["entries"][0]["path"].reverse()),
        ("ledger-entries", names.PROOFS),
    ),
    "a proof that is not hexadecimal": (
        lambda m: edit(m, names.PROOFS, lambda d: d["entries"][0]["path"].insert(0, "zz")),
        ("ledger-entries", names.PROOFS),
    ),
    "a proof too few": (
        lambda m: edit(m, names.PROOFS, lambda d: d["entries"].pop()),
        ("ledger-entries", names.PROOFS),
    ),
    "an entry kept back in silence": (
        lambda m: edit(m, names.PROOFS, lambda d: d["withheld"].update(other_matter=1)),
        ("ledger-entries", names.PROOFS),
    ),
    "a receipt left out": (
        lambda m: edit_lines(m, names.RECEIPTS, lambda lines: lines.pop()),
        ("receipts", names.RECEIPTS),
    ),
    "a better outcome": (
        lambda m: edit_lines(m, names.OUTCOMES, lambda lines: _first(lines, outcome="failed").update(outcome="stale")),
        ("outcomes", names.OUTCOMES),
    ),
    "a device counted twice": (
        lambda m: edit_lines(m, names.OUTCOMES, lambda lines: lines[0].update(device=lines[1]["device"])),
        ("outcomes", names.OUTCOMES),
    ),
    "an outcome under another directive": (
        lambda m: edit_lines(m, names.OUTCOMES, lambda lines: lines[0].update(directive="x")),
        ("outcomes", names.OUTCOMES),
    ),
    "other counts": (
        lambda m: edit(m, names.COUNTS, lambda d: d["departments"][0].update(name="Elsewhere")),
        ("outcomes", names.COUNTS),
    ),
    "a personal device reported as clean": (
        lambda m: edit_lines(
            m, names.OUTCOMES, lambda lines: _first(lines, enrolment="byod").update(outcome="absent_verified")
        ),
        ("ceilings", names.OUTCOMES),
    ),
    "a COPE personal side reported as verified": (
        lambda m: edit_lines(
            m, names.OUTCOMES, lambda lines: _first(lines, enrolment="cope").update(outcome="removed_verified")
        ),
        ("ceilings", names.OUTCOMES),
    ),
    "compliance that nobody observed": (
        lambda m: edit_lines(
            m, names.OUTCOMES, lambda lines: _first(lines, outcome="removed_verified").update(observed_at=None)
        ),
        ("ceilings", names.OUTCOMES),
    ),
    "a blind spot left out": (
        lambda m: edit(m, names.NOT_SEEN, lambda d: d["coverage"].pop()),
        ("not-seen", names.NOT_SEEN),
    ),
    "an open outcome left out": (
        lambda m: edit(m, names.NOT_SEEN, lambda d: d["not_verified"].pop("failed")),
        ("not-seen", names.NOT_SEEN),
    ),
    "a statement left out": (
        lambda m: edit(m, names.NOT_SEEN, lambda d: d["statements"].pop()),
        ("not-seen", names.NOT_SEEN),
    ),
    "an unknown field": (
        lambda m: edit(m, names.COUNTS, lambda d: d.update(extra=1)),
        ("documents", names.COUNTS),
    ),
    "an unknown outcome": (
        lambda m: edit(m, names.COUNTS, lambda d: d["by_outcome"].update(perfect=1)),
        ("documents", names.COUNTS),
    ),
    "no canonical form": (
        lambda m: {**m, names.COUNTS: m[names.COUNTS].replace(b",", b", ", 1)},
        ("documents", names.COUNTS),
    ),
    "a line in no canonical form": (
        lambda m: {**m, names.OUTCOMES: m[names.OUTCOMES].replace(b",", b", ", 1)},
        ("documents", names.OUTCOMES),
    ),
    "no JSON": (lambda m: {**m, names.EXEMPTIONS: b"\xff{"}, ("documents", names.EXEMPTIONS)),
    "deep JSON": (lambda m: {**m, names.EXEMPTIONS: b"[" * 200_000}, ("documents", names.EXEMPTIONS)),
    "a line cut off": (lambda m: {**m, names.OUTCOMES: m[names.OUTCOMES][:-1]}, ("documents", names.OUTCOMES)),
    "a leaf that is no hash": (
        lambda m: {**m, names.LEAVES: m[names.LEAVES].upper() + b"xy\n"},
        ("documents", names.LEAVES),
    ),
    "a leaf that is not hexadecimal": (
        lambda m: {**m, names.LEAVES: m[names.LEAVES] + b"zz\n"},
        ("documents", names.LEAVES),
    ),
    "a missing member": (_drop(names.RECEIPTS), ("members", names.RECEIPTS)),
    "a member too many": (lambda m: {**m, "extra.txt": b"hello"}, ("members", "extra.txt")),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_consistent_forgery_is_found(proof: Path, tmp_path: Path, name: str) -> None:
    forge, wanted = FORGERIES[name]
    result = verify(repack(forge(unpack(proof)), tmp_path / "forged.zip"))
    assert wanted in failed(result)


def test_documents_the_ledger_does_not_know(inputs: BundleInputs, proof: Path, tmp_path: Path) -> None:
    members = edit(unpack(proof), names.DIRECTIVE, lambda d: d.update(force="recommended"))
    changed = digest_bytes(members[names.DIRECTIVE])
    members = edit(members, names.PLAN.format(1), lambda d: d.update(directive_digest=changed))
    path = repack(members, tmp_path / "forged.zip", lambda manifest: manifest.update(directive_digest=changed))
    assert failed(verify(path)) == {("recorded", names.DIRECTIVE)}


def test_a_manifest_that_lists_what_is_not_so(proof: Path, tmp_path: Path) -> None:
    def twice(manifest: dict[str, Any]) -> None:
        manifest["members"].append(manifest["members"][0])

    def other_digest(manifest: dict[str, Any]) -> None:
        manifest["members"][0]["digest"] = "sha256:" + "0" * 64

    first = repack(unpack(proof), tmp_path / "1.zip", twice)
    assert ("members", names.MANIFEST) in failed(verify(first))
    second = repack(unpack(proof), tmp_path / "2.zip", other_digest)
    assert len(failed(verify(second))) == 1


def test_checksums_and_comment_are_checked(proof: Path, tmp_path: Path) -> None:
    members = unpack(proof)
    seal = names.seal(digest_bytes(members[names.MANIFEST]))
    variants = {
        "comment": (members, "another comment", names.MANIFEST),
        "sums": ({**members, names.CHECKSUMS: b"x"}, seal, names.CHECKSUMS),
        "no sums": ({k: v for k, v in members.items() if k != names.CHECKSUMS}, seal, names.CHECKSUMS),
    }
    for kind, (parts, comment, member) in variants.items():
        path = tmp_path / f"{kind}.zip"
        with path.open("w+b") as stream:
            writer = Writer(stream)
            for name, data in parts.items():
                writer.add(name, [data])
            writer.finish(comment)
        assert failed(verify(path)) == {("members", member)}


def test_the_ledger_goes_on_from_an_earlier_head(inputs: BundleInputs, proof: Path) -> None:
    leaves = [row.leaf for row in inputs.ledger.rows()]
    earlier = TreeHead(9, ledger.root_hash(leaves[:9]).hex())
    assert verify(proof, earlier=earlier).ok
    rewritten = replace(earlier, root=hashlib.sha256(b"").hexdigest())
    assert failed(verify(proof, earlier=rewritten)) == {("earlier-head", names.LEAVES)}
    longer = TreeHead(len(leaves) + 1, earlier.root)
    assert failed(verify(proof, earlier=longer)) == {("earlier-head", names.LEAVES)}


def _book(inputs: BundleInputs, keep: Callable[[Any], bool]) -> Any:
    book = type(inputs.ledger)()
    for entry in inputs.ledger.entries():
        if keep(entry):
            book.append(entry.entry, entry.subject, entry.actor, entry.body, entry.at)
    return book


def test_a_receipt_without_its_intent_is_not_exported(inputs: BundleInputs, tmp_path: Path) -> None:
    book = _book(inputs, lambda entry: entry.entry is not EntryKind.intent)
    with pytest.raises(BundleUnsound) as caught:
        export(replace(inputs, ledger=book), tmp_path / "proof.zip")
    assert names.ENTRIES in caught.value.what.en
    assert list(tmp_path.iterdir()) == []


def test_counts_that_are_not_the_ledgers_are_not_exported(inputs: BundleInputs, tmp_path: Path) -> None:
    with pytest.raises(BundleUnsound, match=names.COUNTS):
        export(replace(inputs, outcomes=list(inputs.outcomes)[1:]), tmp_path / "proof.zip")


def test_a_ledger_without_counts_limits_the_check(inputs: BundleInputs, tmp_path: Path) -> None:
    book = _book(inputs, lambda entry: entry.entry is not EntryKind.outcomes)
    export(replace(inputs, ledger=book), tmp_path / "proof.zip")
    limited = {check.name for check in verify(tmp_path / "proof.zip").checks if check.state is CheckState.limited}
    assert "recorded-outcomes" in limited


@pytest.mark.parametrize(
    ("enrolment", "outcome"),
    [
        (Enrolment.byod, Outcome.absent_verified),
        (Enrolment.user_enrolment, Outcome.removed_verified),
        (Enrolment.cope, Outcome.absent_verified),
        (Enrolment.cope, Outcome.contained),
        (Enrolment.unsupervised, Outcome.contained),
    ],
)
def test_nothing_better_than_anyone_can_know_is_exported(
    inputs: BundleInputs,
    with_outcomes: Callable[[BundleInputs, list[DeviceOutcome]], BundleInputs],
    tmp_path: Path,
    enrolment: Enrolment,
    outcome: Outcome,
) -> None:
    first, *rest = inputs.outcomes
    better = [replace(first, enrolment=enrolment, outcome=outcome), *rest]
    with pytest.raises(BundleUnsound, match="nobody can know"):
        export(with_outcomes(inputs, better), tmp_path / "proof.zip")


def test_before_there_is_a_plan_or_a_device(inputs: BundleInputs, tmp_path: Path) -> None:
    book = _book(inputs, lambda entry: entry.entry in (EntryKind.directive, EntryKind.target_set))
    bare = replace(inputs, plans=(), snapshots=(), outcomes=(), ledger=book)
    manifest = export(bare, tmp_path / "proof.zip")
    assert manifest.fleet == 0
    assert verify(tmp_path / "proof.zip").ok


def test_small_departments_are_put_together(inputs: BundleInputs, tmp_path: Path) -> None:
    export(replace(inputs, small_cell_floor=5), tmp_path / "proof.zip")
    counts = json.loads(unpack(tmp_path / "proof.zip")[names.COUNTS])
    assert all(row["devices"] >= 5 for row in counts["departments"])
    assert "(small departments)" in [row["name"] for row in counts["departments"]]
    assert verify(tmp_path / "proof.zip").ok


def test_a_weak_secret_is_refused(inputs: BundleInputs, tmp_path: Path) -> None:
    with pytest.raises(WeakPseudonymKey):
        export(replace(inputs, pseudonym_key=b"short"), tmp_path / "proof.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(
    inputs: BundleInputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_writer: Writer, _comment: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Writer, "finish", full)
    with pytest.raises(DiskFull):
        export(inputs, tmp_path / "proof.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to(
    inputs: BundleInputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**_options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", denied)
    with pytest.raises(UnreadableFile) as caught:
        export(inputs, tmp_path / "proof.zip")
    assert caught.value.remedy == Text(
        "Check the folder and its permissions.", "Vérifiez le dossier et les droits d'accès."
    )


def test_an_earlier_proof_survives_a_failed_export(inputs: BundleInputs, tmp_path: Path) -> None:
    path = tmp_path / "proof.zip"
    manifest: BundleManifest = export(inputs, path)
    before = path.read_bytes()
    with pytest.raises(BundleUnsound):
        export(replace(inputs, outcomes=()), path)
    assert path.read_bytes() == before
    assert manifest.pseudonymised


def test_a_plan_from_an_older_snapshot_limits_the_check(inputs: BundleInputs, tmp_path: Path) -> None:
    export(replace(inputs, snapshots=inputs.snapshots[1:]), tmp_path / "proof.zip")
    said = {check.what.en for check in verify(tmp_path / "proof.zip").checks if check.state is CheckState.limited}
    assert "the snapshot it was made from is not in this bundle" in said


def test_digests_in_lists_of_an_entry_count_as_recorded(inputs: BundleInputs, tmp_path: Path) -> None:
    kept = _book(inputs, lambda entry: entry.entry is not EntryKind.snapshot)
    listed = {"directive": inputs.directive.id, "snapshots": [digest(one) for one in inputs.snapshots]}
    kept.append(EntryKind.observation, inputs.directive.id, "operator", listed, inputs.created_at)
    export(replace(inputs, ledger=kept), tmp_path / "proof.zip")
    assert verify(tmp_path / "proof.zip").ok


def test_a_member_whose_stream_lies_about_its_size(proof: Path, tmp_path: Path) -> None:
    """All digests of the container agree; only unpacking shows that the header's size is false."""
    entries = Container(proof.read_bytes()).entries
    data = proof.read_bytes()
    wrong = {name: replace(entry, size=entry.size + 1) for name, entry in entries.items() if name == names.COUNTS}
    changed = data
    for name, entry in wrong.items():
        changed = changed.replace(entries[name].local(), entry.local()).replace(
            entries[name].central(), entry.central()
        )
    (tmp_path / "lie.zip").write_bytes(changed)
    assert failed(verify(tmp_path / "lie.zip")) == {("documents", names.COUNTS)}


@pytest.mark.parametrize("limit", ["MAX_DOCUMENT", "MAX_LINE"])
def test_documents_and_lines_have_a_limit(proof: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(checking, limit, 10)
    assert [check.name for check in verify(proof).failures] == ["documents"]

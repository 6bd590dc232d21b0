"""``proscribe key``, ``sign`` and ``verify``: from making keys to a directive that counts, as people type it."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proscribe.cli.root import root
from proscribe.clock import ManualClock, use_clock
from proscribe.directive.library import find
from proscribe.documents import digest, to_bytes
from proscribe.errors import ProscribeError
from proscribe.text import set_language

NOW = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
PASSPHRASE = "the lamp is lit at dusk"
DIRECTIVE = find("ca-tbs-2023-wechat-kaspersky")

DRAFT = """
organisation: {en: Department of Lighthouses, fr: Ministère des Phares}
version: 1
expires: 2027-11-02T00:00:00Z
keys:
  - {holder: cio, roles: [approver], file: cio.pem.pub, storage: encrypted_file}
  - {holder: security, roles: [approver], file: security.pem.pub, storage: encrypted_file}
  - {holder: legal, roles: [approver], file: legal.pem.pub, storage: plain_file}
rules:
  - {kinds: [proscribe.key-list, proscribe.directive], roles: [approver], threshold: 2}
  - {kinds: [proscribe.plan], roles: [approver], threshold: 2, above: 100}
"""


class Office:
    """A folder in which people type commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def call(self, *words: str, env: dict[str, str] | None = None, text: str | None = None) -> Result:
        environment = {"PROSCRIBE_HOME": self.path("home"), "COLUMNS": "200", **(env or {})}
        return CliRunner().invoke(root, list(words), prog_name="proscribe", env=environment, input=text)

    def does(self, *words: str, **more: object) -> str:
        result = self.call(*words, **({"env": {"PROSCRIBE_PASSPHRASE": PASSPHRASE}} | more))  # type: ignore[arg-type]
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    def fails(self, *words: str, **more: object) -> ProscribeError:
        result = self.call(*words, **({"env": {"PROSCRIBE_PASSPHRASE": PASSPHRASE}} | more))  # type: ignore[arg-type]
        assert isinstance(result.exception, ProscribeError), result.output
        return result.exception

    def key(self, seat: str) -> str:
        return f"file:{self.path(seat + '.pem')}"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Three seats with key files, a draft of a key list, and a directive to sign."""
    (tmp_path / "home").mkdir()
    (tmp_path / "draft.yaml").write_text(DRAFT, encoding="utf-8")
    (tmp_path / "directive.json").write_bytes(to_bytes(DIRECTIVE))
    place = Office(tmp_path)
    with use_clock(ManualClock(NOW)):
        for seat, scheme in (("cio", "ed25519"), ("security", "ecdsa-p256"), ("legal", "ml-dsa-65")):
            place.does("key", "new", place.path(f"{seat}.pem"), "--scheme", scheme)
        yield place
    set_language(None)


@pytest.fixture
def trusted(office: Office) -> Office:
    """With the key list in force."""
    lines = office.does("key", "make-list", office.path("draft.yaml"), "--out", office.path("keys.json"))
    pin = lines.strip().splitlines()[-1]
    office.does("sign", office.path("keys.json"), "--by", "clerk", "--key", office.key("cio"))
    office.does("sign", office.path("keys.dsse.json"), "--key", office.key("legal"))
    office.does("key", "trust", office.path("keys.dsse.json"), "--pin", pin)
    return office


def test_a_directive_from_keys_to_record(trusted: Office) -> None:
    office = trusted
    shown = office.does("sign", office.path("directive.json"), "--by", "analyst", "--key", office.key("cio"))
    assert f"proscribe.directive {DIRECTIVE.id} 1, prepared by analyst on 2026-11-02" in shown
    assert digest(DIRECTIVE) in shown
    signed = office.path("directive.dsse.json")
    refused = office.fails("verify", signed)
    assert refused.code == "trust.threshold"
    assert "1 of 2 seats" in str(refused)
    assert "signatures in it: 2." in office.does("sign", signed, "--key", office.key("security"))
    output = office.does("verify", signed, "--record")
    assert "2 of 2 seats" in output
    assert "encrypted file (weaker: can be copied)" in output
    assert "counts" in output
    found = json.loads(office.does("verify", signed, "--json"))
    assert (found["kind"], found["of"], found["threshold"]) == (
        "proscribe.signature-verification",
        digest(DIRECTIVE),
        2,
    )


def test_the_table_shows_what_each_signature_is_worth(trusted: Office) -> None:
    office = trusted
    office.does("key", "new", office.path("stranger.pem"), "--plain", env={})
    words = ["--key", office.key("cio"), "--key", office.key("stranger"), "--key", office.key("security")]
    office.does("sign", office.path("directive.json"), "--by", "security", *words)
    result = office.call("verify", office.path("directive.dsse.json"))
    assert isinstance(result.exception, ProscribeError)
    assert result.exception.code == "trust.author"
    for words_shown in ("the key is not on the key list", "prepared the document", "counts", "1 of 2 seats"):
        assert words_shown in result.output
    printed = json.loads(office.call("verify", office.path("directive.dsse.json"), "--json").output)
    assert {one["weight"] for one in printed["signatures"]} == {"counted", "author", "unknown_key"}


def test_against_a_list_in_a_file_no_installation_is_needed(trusted: Office) -> None:
    office = trusted
    both = ["--key", office.key("cio"), "--key", office.key("legal")]
    office.does("sign", office.path("directive.json"), "--by", "analyst", *both, "--out", office.path("out.dsse.json"))
    for keys in ("keys.json", "keys.dsse.json"):
        output = office.does(
            "verify", office.path("out.dsse.json"), "--keys", office.path(keys), env={"PROSCRIBE_HOME": "/nowhere"}
        )
        assert "2 of 2 seats" in output
        assert "weakest: whoever copies it signs" in output


def test_the_key_list_is_shown(trusted: Office) -> None:
    output = trusted.does("key", "list")
    assert "Department of Lighthouses: key list 1, 3 keys, expires on 2027-11-02" in output
    assert "ml-dsa-65" in output
    assert "proscribe.plan (> 100 devices): 2 of approver" in output
    assert json.loads(trusted.does("key", "list", "--json"))["kind"] == "proscribe.key-list"
    assert trusted.does("key", "list", trusted.path("keys.json")) == output
    set_language("fr")
    assert "liste de clés 1, 3 clés, expire le 2027-11-02" in trusted.does("--lang", "fr", "key", "list")


def test_without_a_key_list(office: Office) -> None:
    assert "nothing has to be signed here" in office.does("key", "list")
    office.does("sign", office.path("directive.json"), "--by", "analyst")
    assert office.fails("verify", office.path("directive.dsse.json")).code == "trust.no-key-list"


def test_a_key_is_revoked_by_the_next_list(trusted: Office) -> None:
    office = trusted
    key = json.loads(office.does("key", "list", "--json"))["keys"][1]["id"]
    because = ["--because", "Laptop stolen", "Portable volé", "--since", "2026-11-01"]
    office.does("key", "revoke", key[:12], *because, "--out", office.path("keys2.json"))
    both = ["--key", office.key("cio"), "--key", office.key("legal")]
    office.does("sign", office.path("keys2.json"), "--by", "clerk", *both)
    office.does("key", "trust", office.path("keys2.dsse.json"))
    output = office.does("key", "list")
    assert "key list 2" in output
    assert "the key was revoked" in output
    office.does("sign", office.path("directive.json"), "--by", "analyst", "--key", office.key("cio"))
    office.does("sign", office.path("directive.dsse.json"), "--key", office.key("security"))
    assert office.fails("verify", office.path("directive.dsse.json"), "--record").code == "trust.key-revoked"
    assert office.fails("key", "trust", office.path("keys.dsse.json")).code == "trust.key-list-rollback"


def test_a_strangers_list(trusted: Office) -> None:
    office = trusted
    for seat in ("cio", "security", "legal"):
        for name in (f"{seat}.pem", f"{seat}.pem.pub"):
            Path(office.path(name)).rename(office.path(f"ours-{name}"))
        office.does("key", "new", office.path(f"{seat}.pem"))
    draft = DRAFT.replace("version: 1", "version: 2")
    Path(office.path("draft.yaml")).write_text(draft, encoding="utf-8")
    office.does("key", "make-list", office.path("draft.yaml"), "--out", office.path("theirs.json"))
    all_seats = [word for seat in ("cio", "security", "legal") for word in ("--key", office.key(seat))]
    office.does("sign", office.path("theirs.json"), "--by", "clerk", *all_seats)
    refused = office.fails("key", "trust", office.path("theirs.dsse.json"))
    assert refused.code == "trust.key-list-replaced"
    assert "0 of 2 seats" in str(refused)


class TestPassphrases:
    def test_typed_twice_for_a_new_key_and_once_to_sign(self, office: Office) -> None:
        typed = office.call("key", "new", office.path("new.pem"), text=f"{PASSPHRASE}\n{PASSPHRASE}\n")
        assert typed.exit_code == 0, typed.output
        assert PASSPHRASE not in typed.output
        words = ["sign", office.path("directive.json"), "--by", "analyst", "--key", office.key("new")]
        signed = office.call(*words, text=f"{PASSPHRASE}\n")
        assert signed.exit_code == 0, signed.output
        assert PASSPHRASE not in signed.output

    def test_from_a_file_and_from_a_named_variable(self, office: Office) -> None:
        secret = Path(office.path("secret"))
        secret.touch(mode=0o600)
        secret.write_text(PASSPHRASE + "\n", encoding="utf-8")
        words = ["sign", office.path("directive.json"), "--by", "analyst", "--key", office.key("cio")]
        office.does(*words, "--passphrase-file", str(secret), env={})
        office.does(*words, "--passphrase-env", "MINE", env={"MINE": PASSPHRASE})
        assert office.fails(*words, "--passphrase-env", "NOT_SET", env={}).code == "trust.passphrase"
        secret.chmod(0o644)
        assert office.fails(*words, "--passphrase-file", str(secret), env={}).code == "trust.key-exposed"

    def test_none_is_taken_as_an_argument(self) -> None:
        for command in ("new", "show"):
            options = {option for one in root.get_command(None, "key").commands[command].params for option in one.opts}  # type: ignore[arg-type,union-attr]
            assert "--passphrase" not in options
            assert "--pin" not in options

    def test_a_wrong_one(self, office: Office) -> None:
        words = ["sign", office.path("directive.json"), "--by", "analyst", "--key", office.key("cio")]
        refused = office.fails(*words, env={"PROSCRIBE_PASSPHRASE": "another passphrase"})
        assert refused.code == "trust.passphrase"
        assert "another passphrase" not in str(refused)
        assert not Path(office.path("directive.dsse.json")).exists()


class TestKeys:
    def test_a_key_is_shown_by_its_public_half(self, office: Office) -> None:
        public = office.does("key", "show", office.path("cio.pem.pub"))
        private = office.does("key", "show", office.path("cio.pem"))
        assert private.startswith(public)
        assert "BEGIN PUBLIC KEY" in public
        assert "PRIVATE" not in private
        assert "Kept in: encrypted file (weaker: can be copied)" in private

    def test_a_new_key_says_what_to_keep_and_what_to_give(self, office: Office) -> None:
        said = office.does("key", "new", office.path("new.pem"))
        assert f"Keep {office.path('new.pem')}; give {office.path('new.pem.pub')} to" in said

    def test_files_are_their_owners(self, office: Office) -> None:
        assert stat.S_IMODE(Path(office.path("cio.pem")).stat().st_mode) == 0o600
        assert b"ENCRYPTED" in Path(office.path("cio.pem")).read_bytes()

    def test_no_key_is_written_over(self, office: Office) -> None:
        assert office.fails("key", "new", office.path("cio.pem")).code == "trust.key-exists"

    def test_on_a_token(self, office: Office, token) -> None:
        public = office.path("token.pub")
        env = {"PROSCRIBE_PASSPHRASE": token.pin}
        office.does("key", "new", token.uri("cio"), "--scheme", "ecdsa-p256", "--public", public, env=env)
        assert "ecdsa-p256" in office.does("key", "show", public)
        assert "software token (weaker: can be copied)" in office.does("key", "show", token.uri("cio"), env=env)
        office.does("sign", office.path("directive.json"), "--by", "analyst", "--key", token.uri("cio"), env=env)


class TestSigning:
    def test_who_prepared_it_is_said_the_first_time_only(self, office: Office) -> None:
        first = office.call("sign", office.path("directive.json"))
        assert first.exit_code == 2
        assert "--by" in first.output
        office.does("sign", office.path("directive.json"), "--by", "analyst")
        again = office.call("sign", office.path("directive.dsse.json"), "--by", "mallory")
        assert again.exit_code == 2

    def test_what_is_no_document_is_not_signed(self, office: Office) -> None:
        Path(office.path("note.json")).write_text('{"kind": "proscribe.nothing"}', encoding="utf-8")
        assert office.fails("sign", office.path("note.json"), "--by", "analyst").code == "document.unknown-kind"
        Path(office.path("note.json")).write_bytes(b"\xff")
        assert office.fails("sign", office.path("note.json"), "--by", "analyst").code == "file.unreadable"

    @pytest.mark.parametrize("name", ["twice.json", "twice.yaml"])
    def test_a_document_that_shows_one_thing_and_means_another_is_not_signed(self, office: Office, name: str) -> None:
        text = to_bytes(DIRECTIVE).decode()
        if name.endswith(".json"):
            text = text.replace('"force":"binding"', '"force":"recommended","force":"binding"', 1)
        else:
            text = "\n".join(f"{key}: {json.dumps(value)}" for key, value in json.loads(text).items())
            text = "force: recommended\n" + text
        Path(office.path(name)).write_text(text, encoding="utf-8")
        refused = office.fails("sign", office.path(name), "--by", "analyst", "--key", office.key("cio"))
        assert refused.code == "document.invalid"
        assert "twice" in str(refused)

    def test_a_document_in_yaml(self, office: Office) -> None:
        lines = [f"{key}: {json.dumps(value)}" for key, value in json.loads(to_bytes(DIRECTIVE)).items()]
        Path(office.path("same.yaml")).write_text("\n".join(lines), encoding="utf-8")
        shown = office.does("sign", office.path("same.yaml"), "--by", "analyst", "--key", office.key("cio"))
        assert digest(DIRECTIVE) in shown

    def test_record_and_keys_exclude_each_other(self, trusted: Office) -> None:
        result = trusted.call("verify", trusted.path("keys.dsse.json"), "--record", "--keys", trusted.path("keys.json"))
        assert result.exit_code == 2

    def test_a_flipped_byte(self, trusted: Office) -> None:
        path = Path(trusted.path("keys.dsse.json"))
        content = path.read_bytes()
        path.write_bytes(content.replace(b'"sig":"', b'"sig":"A', 1))
        assert trusted.fails("verify", str(path)).code == "trust.envelope"
        position = content.index(b'"sig":"') + 20
        changed = b"A" if content[position : position + 1] != b"A" else b"B"
        path.write_bytes(content[:position] + changed + content[position + 1 :])
        assert trusted.fails("verify", str(path)).code == "trust.bad-signature"

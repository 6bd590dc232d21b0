"""The simulation says and does what the real servers say and do: the same exchanges with both, compared."""

from __future__ import annotations

import base64
import json
import os
import plistlib
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.simulate.nanomdm.exchanges import Device, Site, Talk, declaration, rsa_key
from tests.simulate.nanomdm.scenarios import SCENARIOS

from proscribe.simulate.apple.identity import CertificateAuthority

pytestmark = pytest.mark.servers


def readable(lines: list[Any]) -> list[str]:
    """A line each, for a difference that can be read."""
    return [json.dumps(line, default=repr, sort_keys=True) for line in lines]


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_say_the_same(name: str, real: Site, simulated: Site, authority: CertificateAuthority) -> None:
    said = []
    for site in (real, simulated):
        talk = Talk(site, authority)
        SCENARIOS[name](talk)
        said.append(readable(talk.lines))
    assert said[1] == said[0]


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-md", "sha1"),
        ("-md", "sha384"),
        ("-md", "sha512"),
        ("-noattr",),
        ("-noattr", "-md", "sha512"),
        ("-nocerts",),
        ("-stream",),
        ("-nodetach",),
        ("-nosmimecap", "-stream", "-noattr"),
    ],
)
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_signatures_that_openssl_makes(
    kind: str, options: tuple[str, ...], tmp_path: Path, real: Site, simulated: Site, authority: CertificateAuthority
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing")
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa_key()
    said = []
    for site in (real, simulated):
        talk = Talk(site, authority)
        device = talk.device(f"OPENSSL-{kind}-{'-'.join(options)}", key=key)
        body = plistlib.dumps({**device.ids, "MessageType": "Authenticate", "Topic": "t"})
        talk.mdm(device, body, Mdm_Signature=openssl_signature(device, body, tmp_path, options))
        said.append(readable(talk.lines))
    assert said[1] == said[0]


def openssl_signature(device: Device, body: bytes, folder: Path, options: tuple[str, ...]) -> str:
    """What ``openssl cms`` makes of a body, in base64."""
    signer, key, data = folder / "signer.pem", folder / "key.pem", folder / "body"
    signer.write_bytes(device.certificate.public_bytes(Encoding.PEM))
    key.write_bytes(device.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    data.write_bytes(body)
    files = ["-signer", signer, "-inkey", key, "-in", data]
    made = subprocess.run(
        ["openssl", "cms", "-sign", "-binary", "-outform", "DER", *options, *files], capture_output=True, check=True
    )
    return base64.b64encode(made.stdout).decode()


class Life:
    """A device whose server and whose answers are left to chance; the same chance for every site."""

    def __init__(self, talk: Talk, seed: int) -> None:
        self.talk = talk
        self.chance = random.Random(seed)
        self.device = talk.enrol(talk.device(f"LIFE-{seed}"))
        self.known: list[str] = []
        self.handed = ""

    def step(self) -> None:
        draw = self.chance.random()
        if draw < 0.3:
            uuid = f"{self.device.id}-{len(self.known)}"
            self.known.append(uuid)
            self.talk.enqueue(self.device.id, uuid)
        elif draw < 0.45:
            self.handed = self.talk.connect(self.device)
        elif draw < 0.85 and self.handed:
            status = self.chance.choice(("Acknowledged", "Acknowledged", "Error", "NotNow", "NotNow"))
            self.handed = self.talk.connect(self.device, status, self.handed)
        elif draw < 0.95 and self.known:  # a late or repeated answer
            status = self.chance.choice(("Acknowledged", "NotNow"))
            self.handed = self.talk.connect(self.device, status, self.chance.choice(self.known))
        elif draw > 0.98:
            self.talk.enrol(self.device)


@pytest.mark.parametrize("seed", range(12))
def test_queues_of_any_history(seed: int, real: Site, simulated: Site, authority: CertificateAuthority) -> None:
    said = []
    for site in (real, simulated):
        life = Life(Talk(site, authority), seed)
        for _ in range(60):
            life.step()
        said.append(readable(life.talk.lines))
    assert said[1] == said[0]


def _change(talk: Talk, chance: random.Random) -> None:
    """One change of declarations, sets and memberships, with names that begin alike and parts that are missing."""
    name = chance.choice(("r", "r.a", "r.a.b", "s"))
    group = chance.choice(("G", "G.h", "H"))
    device = chance.choice(("RND-1", "RND-1.2"))
    method = chance.choice(("PUT", "PUT", "DELETE"))
    match chance.randrange(5):
        case 0:
            talk.ddm("PUT", "/v1/declarations?nonotify=1", declaration(name, Apps=[chance.choice("xyz")]))
        case 1:
            talk.ddm("DELETE", f"/v1/declarations/{name}")
        case 2:
            talk.ddm(method, f"/v1/set-declarations/{group}?declaration={name}&nonotify=1")
        case 3:
            talk.ddm(method, f"/v1/enrollment-sets/{device}?set={group}&nonotify=1")
        case _:
            talk.ddm("GET", f"/v1/set-declarations/{group}")
            talk.ddm("GET", f"/v1/enrollment-sets/{device}")
            talk.ddm("GET", f"/v1/declarations/{name}")
            talk.ddm("GET", "/declaration-items", headers={"X-Enrollment-ID": device})
            talk.ddm("GET", f"/declaration/configuration/{name}", headers={"X-Enrollment-ID": device})


def test_declarations_of_any_history(real: Site, simulated: Site, authority: CertificateAuthority) -> None:
    said = []
    for site in (real, simulated):
        talk, chance = Talk(site, authority), random.Random(4)
        for _ in range(400):
            _change(talk, chance)
        said.append(readable(talk.lines))
    assert said[1] == said[0]


def _schema() -> dict[str, Any]:
    """NanoMDM's own description of its events, where its module is at hand."""
    cache = os.environ.get("GOMODCACHE", "")
    if not cache and (go := shutil.which("go")):
        cache = subprocess.run([go, "env", "GOMODCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    folder = Path(cache or Path.home() / "go" / "pkg" / "mod")
    path = folder / "github.com" / "micromdm" / "nanomdm@v0.9.0" / "service" / "webhook" / "event.json"
    if not path.is_file():
        pytest.skip(f"NanoMDM's service/webhook/event.json is missing: {path}")
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return schema


def test_events_are_as_nanomdm_describes_them(simulated: Site, authority: CertificateAuthority) -> None:
    talk = Talk(simulated, authority)
    device = talk.enrol(talk.device(ids={"EnrollmentID": "V1"}))
    user = Device({"EnrollmentID": "V1", "EnrollmentUserID": "ANNE"}, device.key, device.certificate)
    talk.token_update(user)
    talk.enqueue("V1", "V-1")
    talk.connect(device, "Acknowledged", talk.connect(device))
    talk.declarative(device, "tokens")
    talk.mdm(device, {"MessageType": "CheckOut"}, query="?site=north")
    validator = jsonschema.Draft202012Validator(_schema(), format_checker=jsonschema.FormatChecker())
    simulated.receiver.wait("V1", 7)
    bodies = [json.loads(body) for _, body in simulated.receiver.bodies]
    assert {body["topic"] for body in bodies} >= {
        "mdm.Authenticate",
        "mdm.TokenUpdate",
        "mdm.Connect",
        "mdm.DeclarativeManagement",
        "mdm.CheckOut",
    }
    for body in bodies:
        validator.validate(body)

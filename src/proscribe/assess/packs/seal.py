"""Record the digests of the shipped packs, after a change to one: ``python -m proscribe.assess.packs.seal``."""

from __future__ import annotations

import json

from proscribe.assess.packs.installed import replace_file, shipped
from proscribe.assess.packs.model import PACKS
from proscribe.assess.packs.update import DIGESTS
from proscribe.canonical import digest_file


def sealed() -> bytes:
    """What ``digests.json`` has to hold."""
    digests = {name: digest_file(shipped(name)) for name in sorted(PACKS)}
    return (json.dumps(digests, indent=2) + "\n").encode()


if __name__ == "__main__":
    replace_file(DIGESTS, sealed())

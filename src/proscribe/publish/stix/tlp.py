"""TLP 2.0 in STIX 2.1: the five marking definitions that everybody shares, and how a bundle's markings are read.

The identifiers are those of the OASIS "TLP 2.0" extension (extension-definition--60a3c5c5-...); the four of TLP 1.0
stand in section 7.2.1.4 of the STIX 2.1 specification.
"""

from __future__ import annotations

from typing import Any

from proscribe.publish.stix.model import Tlp

EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_CREATED = "2022-10-01T00:00:00.000Z"

MARKINGS: dict[Tlp, str] = {
    Tlp.clear: "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    Tlp.green: "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Tlp.amber: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Tlp.amber_strict: "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    Tlp.red: "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}

KNOWN: dict[str, Tlp] = {
    **{marking: tlp for tlp, marking in MARKINGS.items()},
    # TLP 1.0: white became clear; its amber did not let a text leave the organisation's own circle.
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": Tlp.clear,
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": Tlp.green,
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": Tlp.amber,
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Tlp.red,
}

UNKNOWN = Tlp.amber_strict
"""For what carries no marking, or one that we cannot read: it stays inside until somebody asks."""


def definition(tlp: Tlp) -> dict[str, Any]:
    """The marking definition, as OASIS publishes it."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": MARKINGS[tlp],
        "created": _CREATED,
        "name": tlp.label,
        "extensions": {EXTENSION: {"extension_type": "property-extension", "tlp_2_0": tlp.value}},
    }

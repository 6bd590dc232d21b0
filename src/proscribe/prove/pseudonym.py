"""Device keys out, pseudonyms in: a bundle proves what became of each device without saying whose it is.

The pseudonym of a device is the first 128 bits of HMAC-SHA-256 over its key, under a secret that stays with the
organisation. With the secret the organisation can answer "which device is this?" for an auditor who may ask; without
it nobody can, not even by trying every possible key.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from proscribe.errors import ProscribeError
from proscribe.plan.model import Plan, Reach, Refusal, Step
from proscribe.text import Text

PREFIX = "device:"
KEY_BYTES = 32


class WeakPseudonymKey(ProscribeError):
    """The secret behind the pseudonyms is too short to keep them secret."""

    code = "prove.weak-pseudonym-key"


class Pseudonyms:
    """Turns device keys into pseudonyms under one secret of at least 32 bytes. Raises WeakPseudonymKey."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES:
            raise WeakPseudonymKey(
                Text(
                    f"the pseudonym key has {len(key)} bytes; {KEY_BYTES} are needed",
                    f"la clé de pseudonymisation compte {len(key)} octets; il en faut {KEY_BYTES}",
                ),
                remedy=Text(
                    "Make one with a random generator, and keep it with the organisation's other secrets.",
                    "Générez-en une de façon aléatoire et conservez-la avec les autres secrets de l'organisation.",
                ),
            )
        self._key = key

    def of(self, device: str) -> str:
        """The pseudonym of a device key."""
        mac = hmac.new(self._key, b"proscribe device\x00" + device.encode(), hashlib.sha256)
        return PREFIX + mac.hexdigest()[:32]

    def plan(self, plan: Plan) -> Plan:
        """The plan with every device key replaced. Its digest is not the plan's: the ledger holds the plan's own."""
        return replace(
            plan,
            steps=tuple(self._step(step) for step in plan.steps),
            refusals=tuple(self._refusal(refusal) for refusal in plan.refusals),
        )

    def _step(self, step: Step) -> Step:
        scope = self.of(step.scope) if step.reach is Reach.device else step.scope
        return replace(step, scope=scope, holders=self._all(step.holders))

    def _refusal(self, refusal: Refusal) -> Refusal:
        scope = self.of(refusal.scope) if refusal.scope in refusal.devices else refusal.scope
        return replace(refusal, scope=scope, devices=self._all(refusal.devices))

    def _all(self, devices: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(self.of(device) for device in devices))


def names_a_device(value: Any, devices: Collection[str]) -> bool:
    """Whether a device key occurs as a text or a field name anywhere in a JSON value."""
    if isinstance(value, str):
        return value in devices
    if isinstance(value, dict):
        return any(names_a_device(part, devices) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return any(names_a_device(part, devices) for part in value)
    return False

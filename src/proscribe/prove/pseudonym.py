"""Device keys out, pseudonyms in: a bundle proves what became of each device without saying whose it is.

The pseudonym of a device is the first 128 bits of HMAC-SHA-256 over its key, under a secret that stays with the
organisation. With the secret the organisation can answer "which device is this?" for an auditor who may ask; without
it nobody can, not even by trying every possible key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from proscribe.errors import ProscribeError
from proscribe.plan.model import Plan, Reach, Refusal, Step
from proscribe.text import Text

PREFIX = "device:"
KEY_BYTES = 32
_WORD = re.compile(r"[^\s,;()\[\]«»\"']+")
"""What may be a device key in a sentence; the stops behind it are taken off."""
_TELLING = 12
"""Characters from which on a key tells a device without its system's name; "12" is a number like any other."""


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
        named = frozenset(refusal.devices)
        return replace(
            refusal,
            scope=self.of(refusal.scope) if refusal.scope in named else refusal.scope,
            what=veiled(refusal.what, named, self.of),
            remedy=veiled(refusal.remedy, named, self.of),
            devices=self._all(refusal.devices),
        )

    def _all(self, devices: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(self.of(device) for device in devices))


def veiled(text: Text, devices: Collection[str], name: Callable[[str], str]) -> Text:
    """The text with ``name(key)`` in the place of every device key in it: sentences about one device name it.

    A device is also known by what its management system calls it: the key without the system.
    """
    keys = {spelling: device for device in devices for spelling in spellings(device)}

    def shown(word: re.Match[str]) -> str:
        whole = word.group()
        key = whole.rstrip(".:")
        return name(keys[key]) + whole[len(key) :] if key in keys else whole

    return Text(_WORD.sub(shown, text.en), _WORD.sub(shown, text.fr)) if keys else text


def spellings(device: str) -> tuple[str, ...]:
    """The ways in which a sentence may name a device."""
    bare = device.partition(":")[2]
    return (device, bare) if len(bare) >= _TELLING else (device,)


def names_a_device(value: Any, devices: Collection[str]) -> bool:
    """Whether a device key is a text, a field name or a word of either, anywhere in a JSON value."""
    if isinstance(value, str):
        return value in devices or any(word.rstrip(".:") in devices for word in _WORD.findall(value))
    if isinstance(value, dict):
        return any(names_a_device(part, devices) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return any(names_a_device(part, devices) for part in value)
    return False

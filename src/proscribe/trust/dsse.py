"""DSSE envelopes (github.com/secure-systems-lab/dsse), read strictly: what has two readings has none.

The library computes the bytes that are signed and the signatures. Reading is done here, because a reader that forgives
(a field given twice, base64 with bits left over, a field nobody knows) lets somebody change a file unnoticed.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proscribe.errors import Where
from proscribe.text import Text
from proscribe.trust.errors import InvalidEnvelope

if TYPE_CHECKING:
    from proscribe.trust.library import Signer

MOST_BYTES = 64 * 1024 * 1024
"""No envelope is larger; a plan for a million devices is not."""

MOST_SIGNATURES = 256

_FIELDS = {"payload", "payloadType", "signatures"}
_SIGNATURE_FIELDS = {"keyid", "sig"}


@dataclass(frozen=True, slots=True)
class Sealed:
    """An envelope, taken apart: the bytes, what they are, and the signature of each key (id -> bytes)."""

    payload: bytes
    payload_type: str
    signatures: Mapping[str, bytes]

    def signed_bytes(self) -> bytes:
        """What the signatures are over (DSSE's pre-authentication encoding)."""
        from proscribe.trust.library import Envelope

        return Envelope(self.payload, self.payload_type, {}).pae()


def sealed(payload: bytes, payload_type: str, signatures: Mapping[str, bytes] | None = None) -> dict[str, Any]:
    """The envelope of some bytes, as JSON; signatures in the order of their keys."""
    return {
        "payload": base64.standard_b64encode(payload).decode("ascii"),
        "payloadType": payload_type,
        "signatures": [
            {"keyid": key, "sig": base64.standard_b64encode(signature).decode("ascii")}
            for key, signature in sorted((signatures or {}).items())
        ],
    }


def signed_by(envelope: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """The envelope with one signature more; an earlier one of the same key gives way to it."""
    opened = open_envelope(envelope)
    made = signer.sign(opened.signed_bytes())
    signatures = {**opened.signatures, made.keyid: bytes.fromhex(made.signature)}
    return sealed(opened.payload, opened.payload_type, signatures)


def merged(envelopes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One envelope with the signatures of all, which are over the same bytes. Raises InvalidEnvelope if not."""
    opened = [open_envelope(one) for one in envelopes]
    if len({(one.payload, one.payload_type) for one in opened}) != 1:
        raise unfit(
            Text("these envelopes hold different documents", "ces enveloppes contiennent des documents différents")
        )
    signatures: dict[str, bytes] = {}
    for one in opened:
        signatures.update(one.signatures)
    return sealed(opened[0].payload, opened[0].payload_type, signatures)


def open_envelope(envelope: Mapping[str, Any], *, source: str = "") -> Sealed:
    """Take an envelope apart. Raises InvalidEnvelope where anything in it is missing, unknown, doubled or loose."""
    if not isinstance(envelope, Mapping) or set(envelope) != _FIELDS:
        raise unfit(
            Text(
                "a DSSE envelope has the fields payload, payloadType and signatures, and no others",
                "une enveloppe DSSE comporte les champs payload, payloadType et signatures, et aucun autre",
            ),
            source,
        )
    payload_type, signatures = envelope["payloadType"], envelope["signatures"]
    if not isinstance(payload_type, str) or not isinstance(signatures, list) or len(signatures) > MOST_SIGNATURES:
        raise unfit(Text("its fields are not of the right form", "ses champs n'ont pas la bonne forme"), source)
    found: dict[str, bytes] = {}
    for one in signatures:
        if not isinstance(one, Mapping) or set(one) != _SIGNATURE_FIELDS or not isinstance(one["keyid"], str):
            raise unfit(
                Text(
                    "a signature has the fields keyid and sig, and no others",
                    "une signature comporte les champs keyid et sig, et aucun autre",
                ),
                source,
            )
        if one["keyid"] in found:
            raise unfit(
                Text(
                    f"two signatures are said to be of the key {one['keyid'][:16]}",
                    f"deux signatures sont attribuées à la clé {one['keyid'][:16]}",
                ),
                source,
            )
        found[one["keyid"]] = _decoded(one["sig"], source)
    return Sealed(_decoded(envelope["payload"], source), payload_type, found)


def _decoded(text: object, source: str) -> bytes:
    """The bytes of base64 in its one normal form: bits left over at the end could be changed without changing them."""
    if isinstance(text, str):
        try:
            decoded = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            decoded = b""
        if base64.standard_b64encode(decoded).decode("ascii") == text:
            return decoded
    raise unfit(Text("part of it is not base64", "une partie n'est pas en base64"), source)


def strict_json(raw: bytes, *, source: str = "") -> Any:
    """JSON as UTF-8, in which no field is given twice and every number is one. Raises InvalidEnvelope."""
    if len(raw) > MOST_BYTES:
        raise unfit(Text("it is larger than any envelope", "il est trop volumineux pour une enveloppe"), source)
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = Text(
            "a field is given twice" if isinstance(error, _TwiceError) else "it is not JSON",
            "un champ y figure deux fois" if isinstance(error, _TwiceError) else "ce n'est pas du JSON",
        )
        raise unfit(reason, source) from error


class _TwiceError(ValueError):
    """A field that is given twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def unfit(reason: Text, source: str = "") -> InvalidEnvelope:
    """The error for an envelope that cannot be read in one way only."""
    return InvalidEnvelope(
        Text(f"not a signed document: {reason.en}", f"ce n'est pas un document signé\u00a0: {reason.fr}"),
        remedy=Text(
            "Get the file again from whoever signed it; trust no part of this one.",
            "Obtenez de nouveau le fichier auprès des signataires; ne vous fiez à aucune partie de celui-ci.",
        ),
        where=Where(file=source),
    )

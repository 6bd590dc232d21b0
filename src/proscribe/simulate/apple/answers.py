"""Answers of a phone: the statuses of the protocol and the errors that Apple documents for them.

Codes are those of Apple's Mobile Device Management Protocol Reference, section "Error Codes".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

ACKNOWLEDGED: Final = "Acknowledged"
ERROR: Final = "Error"
FORMAT_ERROR: Final = "CommandFormatError"
NOT_NOW: Final = "NotNow"
IDLE: Final = "Idle"

MDM: Final = "MCMDMErrorDomain"
PROFILE: Final = "MCProfileErrorDomain"
PAYLOAD: Final = "MCPayloadErrorDomain"
INSTALLATION: Final = "MCInstallationErrorDomain"

MALFORMED_PROFILE: Final = 1000
BAD_SIGNATURE: Final = 1004
MISSING_FIELD: Final = 2002
UNSUPPORTED_VALUE: Final = 2004
INSTALLATION_FAILURE: Final = 4001
INVALID_REQUEST_TYPE: Final = 12021
STORE_ID_NOT_VALID: Final = 12023
ALREADY_INSTALLED: Final = 12025
APP_NOT_MANAGED: Final = 12029
CANNOT_REMOVE_NOW: Final = 12036
LICENCE_NOT_FOUND: Final = 12064
SYSTEM_APP: Final = 12065
PROFILE_NOT_INSTALLED: Final = 12075


@dataclass(frozen=True, slots=True)
class Fault:
    """One link of an ErrorChain."""

    domain: str
    code: int
    text: str

    def as_item(self) -> Json:
        """The link as the protocol writes it."""
        return {
            "ErrorDomain": self.domain,
            "ErrorCode": self.code,
            "LocalizedDescription": self.text,
            "USEnglishDescription": self.text,
        }


class CannotDo(Exception):
    """A command ends with ``Error``. The first fault is the one on top; ``keys`` go into the answer besides."""

    def __init__(self, *chain: Fault, keys: Json | None = None) -> None:
        super().__init__(chain[0].text)
        self.chain = chain
        self.keys = keys or {}


class Malformed(Exception):
    """A command ends with ``CommandFormatError``: a key that it needs is missing or of the wrong type."""


def wanted(command: Json, key: str, kind: type) -> Any:
    """A key that a command cannot do without.

    Raises:
        Malformed: it is missing, or of another type.
    """
    value = command.get(key)
    if not isinstance(value, kind):
        raise Malformed(key)
    return value


def strings(command: Json, key: str) -> list[str] | None:
    """A list of strings that a command may name; None where it names none.

    Raises:
        Malformed: it is something else.
    """
    value = command.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Malformed(key)
    return value

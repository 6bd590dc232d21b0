"""Holds what a phone says against Apple's schema: check-in messages, answers to commands, status reports."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.connectors.nanomdm import apple_schema as schema

from proscribe.simulate.apple import Phone

Json = dict[str, Any]

_CLASSES = {"supervised": "supervised", "unsupervised": "device", "user_enrolment": "user"}
_EVERY_ANSWER = {"Status", "CommandUUID", "UDID", "EnrollmentID", "ErrorChain"}
_STATUSES = {"Acknowledged", "Error", "CommandFormatError", "Idle", "NotNow"}

# The schema calls it required; its text says that it comes once, and only for an app that was bought twice.
_UNLESS_BOUGHT = "UnusedRedemptionCode: required"


def kind_of(phone: Phone) -> schema.Phone:
    """The phone in the schema's words."""
    return schema.Phone(phone.os, _CLASSES[phone.spec.enrolment])


def check_in_faults(message: Json, phone: Phone) -> list[str]:
    """What is wrong with a check-in message."""
    document = schema.check_ins()[message["MessageType"]]
    faults = schema.check_keys(message, document["payloadkeys"], kind_of(phone), document["supportedOS"])
    if message.get("Endpoint") == "status":
        faults += status_faults(json.loads(message["Data"]), phone)
    return faults + _who_faults(message, phone)


def answer_faults(answer: Json, request: Json | None, phone: Phone) -> list[str]:
    """What is wrong with an answer to a command; ``request`` is its ``Command``, None for an idle phone."""
    faults = _who_faults(answer, phone)
    if answer["Status"] not in _STATUSES:
        faults.append(f"Status: {answer['Status']}")
    rest = {key: value for key, value in answer.items() if key not in _EVERY_ANSWER}
    if request is None:
        return faults + [f"{key}: not of an idle phone" for key in {*rest, "CommandUUID"} & set(answer)]
    faults += _chain_faults(answer)
    document = schema.commands().get(request["RequestType"])
    if document is None or (answer["Status"] != "Acknowledged" and not rest):
        return faults + [f"{key}: of no known command" for key in rest]
    keys = _named(document.get("responsekeys", []))
    found = schema.check_keys(rest, keys, kind_of(phone), document["supportedOS"])
    faults += [fault for fault in found if not fault.endswith(_UNLESS_BOUGHT)]
    if request["RequestType"] == "DeviceInformation":
        faults += _query_faults(rest["QueryResponses"], document, phone)
    return faults


def status_faults(report: Json, phone: Phone) -> list[str]:
    """What is wrong with a status report: the declarations in it, their reasons."""
    document = schema.status_items()["management.declarations"]
    told = {"management.declarations": report["StatusItems"]["management"]["declarations"]}
    faults = schema.check_keys(told, document["payloadkeys"], kind_of(phone), document["supportedOS"])
    known = {reason["value"]: reason for reason in schema.declarations()["any"]["reasons"]}
    for items in told["management.declarations"].values():
        for reason in (reason for item in items for reason in item.get("reasons", ())):
            if reason["code"] not in known:
                faults.append(f"{reason['code']}: no such reason")
            else:
                details = known[reason["code"]].get("details", [])
                faults += schema.check_keys(reason["details"], details, kind_of(phone), {}, at=reason["code"])
    return faults


def _who_faults(message: Mapping[str, Any], phone: Phone) -> Iterator[str] | list[str]:
    named = {"EnrollmentID"} if kind_of(phone).enrolment == "user" else {"UDID"}
    return [] if {"UDID", "EnrollmentID"} & set(message) == named else [f"not known by {named}"]


def _chain_faults(answer: Json) -> list[str]:
    chain = answer.get("ErrorChain")
    if (chain is None) != (answer["Status"] != "Error"):
        return ["ErrorChain: with an error and only then"]
    parts = {"ErrorCode": int, "ErrorDomain": str, "LocalizedDescription": str, "USEnglishDescription": str}
    return [f"ErrorChain: {item}" for item in chain or () if {key: type(item[key]) for key in item} != parts]


def _query_faults(told: Json, document: Json, phone: Phone) -> list[str]:
    """Only what may be asked of this phone may be told."""
    queries = next(key for key in document["payloadkeys"] if key["key"] == "Queries")["subkeys"][0]["subkeys"]
    allowed = {query["key"]: query for query in queries}
    unknown = [f"{name}: nobody may ask for it" for name in told if name not in allowed]
    supported = document["supportedOS"]
    kind = kind_of(phone)
    asked = [{**allowed[name], "type": "<any>"} for name in told if name in allowed]
    return unknown + schema.check_keys({key["key"]: told[key["key"]] for key in asked}, asked, kind, supported)


def _named(keys: list[Json]) -> list[Json]:
    """The schema writes ``ANY app identifier`` where any key may stand."""
    keys = copy.deepcopy(keys)
    for key in keys:
        if key["key"].startswith("ANY "):
            key["key"] = "ANY"
        key["subkeys"] = _named(key.get("subkeys", []))
    return keys

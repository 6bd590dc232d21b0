"""The vendor's word as a checker: requests and answers held against the bundled discovery document.

Stricter than JSON Schema made from the document would be: unknown fields and parameters are refused, enumerations and
formats are checked, the HTTP method and the path must be those of a method of the API.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import googleapiclient

DOCUMENT = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / "androidmanagement.v1.json"
_FIELD_PATH = re.compile(r"^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)*$")
_INTEGERS = {"int32": 31, "int64": 63}


class Discovery:
    def __init__(self) -> None:
        self.document: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
        self.schemas: dict[str, Any] = self.document["schemas"]
        self.methods = list(self._methods(self.document))

    def _methods(self, node: dict[str, Any]):
        for resource in node.get("resources", {}).values():
            yield from resource.get("methods", {}).values()
            yield from self._methods(resource)

    def method(self, http_method: str, path: str) -> dict[str, Any] | None:
        for method in self.methods:
            pattern = re.sub(r"\{[^}]+\}", "[^/:]+", method["flatPath"])
            if method["httpMethod"] == http_method and re.fullmatch(f"/{pattern}", path):
                return method
        return None

    def request(self, http_method: str, path: str, query: dict[str, str], body: Any) -> list[str]:
        method = self.method(http_method, path)
        if method is None:
            return [f"{http_method} {path}: no such method"]
        faults = []
        known = {**self.document["parameters"], **method["parameters"]}
        for name, value in query.items():
            if name not in known or known[name].get("location") != "query":
                faults.append(f"{path}: no query parameter {name}")
            else:
                faults += self._parameter(known[name], value, name)
        reference = method.get("request", {}).get("$ref")
        if reference is None and body is not None:
            faults.append(f"{path}: takes no body")
        if reference is not None:
            faults += self.value({"$ref": reference}, body, reference, sent=True)
        return faults

    def response(self, http_method: str, path: str, status: int, body: Any) -> list[str]:
        if status != 200:
            return self._error(status, body)
        method = self.method(http_method, path)
        if method is None:
            return [f"{http_method} {path}: answered, yet no such method"]
        reference = method["response"]["$ref"]
        return self.value({"$ref": reference}, body, reference)

    def value(self, schema: dict[str, Any], value: Any, at: str, *, sent: bool = False) -> list[str]:
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"]]
        check = getattr(self, f"_{schema.get('type', 'any')}")
        return check(schema, value, at, sent)

    def _any(self, schema: dict[str, Any], value: Any, at: str, sent: bool) -> list[str]:
        return []

    def _object(self, schema: dict[str, Any], value: Any, at: str, sent: bool) -> list[str]:
        if not isinstance(value, dict):
            return [f"{at}: not an object"]
        faults = []
        properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
        for name, part in value.items():
            if name in properties:
                if sent and properties[name].get("readOnly"):
                    faults.append(f"{at}.{name}: read-only, yet sent")
                faults += self.value(properties[name], part, f"{at}.{name}", sent=sent)
            elif extra is not None:
                faults += self.value(extra, part, f"{at}.{name}", sent=sent)
            else:
                faults.append(f"{at}.{name}: unknown field")
        return faults

    def _array(self, schema: dict[str, Any], value: Any, at: str, sent: bool) -> list[str]:
        if not isinstance(value, list):
            return [f"{at}: not a list"]
        return [
            fault
            for index, item in enumerate(value)
            for fault in self.value(schema["items"], item, f"{at}[{index}]", sent=sent)
        ]

    def _boolean(self, schema: dict[str, Any], value: Any, at: str, sent: bool) -> list[str]:
        return [] if isinstance(value, bool) else [f"{at}: not a boolean"]

    def _number(self, schema: dict[str, Any], value: Any, at: str, sent: bool) -> list[str]:
        return [] if isinstance(value, int | float) and not isinstance(value, bool) else [f"{at}: not a number"]

    def _integer(self, schema: dict[str, Any], value: Any, at: str, sent: bool) -> list[str]:
        if not isinstance(value, int) or isinstance(value, bool):
            return [f"{at}: not an integer"]
        return [] if abs(value) < 1 << _INTEGERS[schema["format"]] else [f"{at}: out of range"]

    def _string(self, schema: dict[str, Any], value: Any, at: str, sent: bool) -> list[str]:
        if not isinstance(value, str):
            return [f"{at}: not text"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{at}: {value!r} is not in the enumeration"]
        return [] if _format(schema.get("format", ""), value) else [f"{at}: {value!r} is no {schema['format']}"]

    def _parameter(self, schema: dict[str, Any], value: str, name: str) -> list[str]:
        if schema["type"] == "integer":
            return [] if re.fullmatch(r"-?\d+", value) else [f"query {name}: not an integer"]
        return self.value(schema, value, f"query {name}")

    def _error(self, status: int, body: Any) -> list[str]:
        """Google's error format (google.rpc.Status in JSON)."""
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return ["error: not in Google's format"]
        faults = [f"error.{name}: missing" for name in ("code", "message", "status") if name not in error]
        if error.get("code") != status:
            faults.append("error.code: differs from the HTTP status")
        faults += [f"error.details: {item}" for item in error.get("details", []) if "@type" not in item]
        return faults


def _format(name: str, value: str) -> bool:
    check = _FORMATS.get(name)
    try:
        return check is None or bool(check(value))
    except (ValueError, binascii.Error):
        return False


_FORMATS = {
    "int64": lambda value: re.fullmatch(r"-?\d+", value),
    "google-datetime": lambda value: value.endswith("Z") and datetime.fromisoformat(value),
    "google-fieldmask": lambda value: all(_FIELD_PATH.match(path) for path in value.split(",")),
    "byte": lambda value: base64.b64decode(value, validate=True),
}

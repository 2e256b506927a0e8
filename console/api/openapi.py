"""OpenAPI 3.1 of the REST API, made from its table."""

from __future__ import annotations

import re
from typing import Any

from console.api.table import CALLS, Call, Field

__all__ = ["described"]

KINDS: dict[type, dict[str, Any]] = {
    str: {"type": "string", "maxLength": 512},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    list: {"type": "array", "items": {"type": "string"}},
    dict: {"type": "object"},
}
PROBLEM = {"$ref": "#/components/responses/Problem"}


def described(version: str) -> dict[str, Any]:
    """The description; every answer that is no success is a problem (RFC 9457)."""
    paths: dict[str, dict[str, Any]] = {}
    for call in CALLS:
        paths.setdefault("/api/v1" + call.path, {})[call.method.lower()] = _operation(call)
    words = ("type", "title", "detail", "code", "cure")
    problem = {
        "type": "object",
        "properties": {**{word: {"type": "string"} for word in words}, "status": {"type": "integer"}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "pidone console", "version": version, "description": "The fleet, over HTTP."},
        "paths": paths,
        "security": [{"token": []}],
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "an API token of the console"}
            },
            "responses": {
                "Problem": {"description": "why not", "content": {"application/problem+json": {"schema": problem}}}
            },
        },
    }


def _operation(call: Call) -> dict[str, Any]:
    where = set(re.findall(r"\{(\w+)\}", call.path))
    inside = [field for field in call.fields if call.method == "POST" and field.name not in where]
    outside = [field for field in call.fields if field not in inside]
    found: dict[str, Any] = {
        "operationId": f"{call.method.lower()}{re.sub(r'[^a-z]+', '_', call.path)}",
        "summary": call.doc,
        "parameters": [_parameter(field, field.name in where) for field in outside],
        "responses": {
            _success(call): {"description": "done", "content": {"application/json": {"schema": _answer(call)}}},
            "4XX": PROBLEM,
            "5XX": PROBLEM,
        },
    }
    if call.method == "POST":
        shape = {
            "type": "object",
            "additionalProperties": False,
            "properties": {field.name: _schema(field) for field in inside},
        }
        needed = [field.name for field in inside if field.required]
        found["requestBody"] = {
            "required": bool(needed),
            "content": {"application/json": {"schema": shape | {"required": needed}}},
        }
    return found


def _success(call: Call) -> str:
    return "202" if call.method == "POST" and call.op in ("command", "roll") else "200"


def _answer(call: Call) -> dict[str, Any]:
    if call.one:
        return {}
    rows = {"type": "array", "items": {"type": "object"}}
    return {"type": "object", "required": ["rows", "next"], "properties": {"rows": rows, "next": {}}}


def _parameter(field: Field, path: bool) -> dict[str, Any]:
    where = "path" if path else "query"
    return {
        "name": field.name,
        "in": where,
        "required": path or field.required,
        "description": field.doc,
        "schema": _schema(field),
    }


def _schema(field: Field) -> dict[str, Any]:
    return {**KINDS[field.kind], "description": field.doc}

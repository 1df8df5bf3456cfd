# SPDX-License-Identifier: GPL-3.0-or-later
"""Validates request parameters by botocore's model of KMS; botocore and moto check only a part."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape

from .errors import KmsError, not_valid

Check = Callable[[str, Any], Iterator[str]]
"""Takes path and value of a parameter; yields the messages of KMS for what is invalid."""


def read(action: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """The valid parameters of a request; ValidationException lists all that are invalid.

    Parameters that are not in the model are dropped, as AWS does.
    """
    check, known = _request(action)
    params = {name: value for name, value in members.items() if name in known and value is not None}
    wrong = list(check("", params))
    if wrong:
        errors = "error" if len(wrong) == 1 else "errors"
        raise not_valid(f"{len(wrong)} validation {errors} detected: {'; '.join(wrong)}")
    return params


@cache
def _request(action: str) -> tuple[Check, frozenset[str]]:
    model = botocore.session.get_session().get_service_model("kms")
    shape = model.operation_model(action).input_shape
    assert isinstance(shape, StructureShape)
    return _check(shape), frozenset(shape.members)


def _check(shape: Shape) -> Check:
    if isinstance(shape, StructureShape):
        return _structure_check(shape)
    if isinstance(shape, ListShape):
        return _list_check(shape)
    return _map_check if isinstance(shape, MapShape) else _scalar_check(shape)


def _structure_check(shape: StructureShape) -> Check:
    checks = {name: _check(member) for name, member in shape.members.items()}
    required = tuple(shape.required_members)

    def check(path: str, value: Any) -> Iterator[str]:
        if not isinstance(value, dict):
            raise _not_readable(path)
        for name in required:
            if name not in value:
                where = _lower(path, name)
                yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
        for name, member in value.items():
            if name in checks:
                yield from checks[name](_lower(path, name), member)

    return check


def _list_check(shape: ListShape) -> Check:
    check_member = _check(shape.member)
    most = shape.metadata.get("max")

    def check(path: str, value: Any) -> Iterator[str]:
        if not isinstance(value, list):
            raise _not_readable(path)
        if most is not None and len(value) > most:
            yield _failed(path, value, f"have length less than or equal to {most}")
        for number, member in enumerate(value, start=1):
            yield from check_member(f"{path}.{number}.member", member)

    return check


def _map_check(path: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise _not_readable(path)
    yield from ()


def _scalar_check(shape: Shape) -> Check:
    kind: type = {"boolean": bool, "integer": int}.get(shape.type_name, str)
    least, most, enum = (shape.metadata.get(name) for name in ("min", "max", "enum"))
    pattern = shape.metadata.get("pattern")
    regex = re.compile(pattern) if pattern else None
    length = "length" if kind is str else "value"

    def check(path: str, value: Any) -> Iterator[str]:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise _not_readable(path)
        size = len(value) if isinstance(value, str) else value
        if least is not None and size < least:
            yield _failed(path, value, f"have {length} greater than or equal to {least}")
        if most is not None and size > most:
            yield _failed(path, value, f"have {length} less than or equal to {most}")
        if regex is not None and not regex.fullmatch(value):
            yield _failed(path, value, f"satisfy regular expression pattern: {pattern}")
        if enum and value not in enum:
            yield _failed(path, value, f"satisfy enum value set: [{', '.join(enum)}]")

    return check


def _failed(path: str, value: Any, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {constraint}"


def _not_readable(path: str) -> KmsError:
    return KmsError("SerializationException", f"The value of {path or 'the body'} is of the wrong type")


def _lower(path: str, name: str) -> str:
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name

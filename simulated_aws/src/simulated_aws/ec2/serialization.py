# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's query protocol by botocore's service model: parses flat parameters, and writes XML.

moto's parser searches all parameters again for each list item, which takes seconds for the 10,000 accounts of
one ModifyImageAttribute, and responds to an invalid number with HTTP 500. moto's templates take a millisecond
for a hundred launch permissions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

from .errors import Ec2Error, invalid_value, missing_parameter

Reader = Callable[[str, Any], Any]
Writer = Callable[[Any, list[str]], None]


def read(action: str, flat: Mapping[str, str]) -> dict[str, Any]:
    """Parse parameters to boto3's names and types; Ec2Error for missing or malformed ones."""
    reader, required = _request(action)
    params: dict[str, Any] = reader("", _tree(flat))
    for name, wire_name in required:
        if name not in params:
            raise missing_parameter(wire_name)
    return params


def write(action: str, result: Mapping[str, Any], request_id: str) -> bytes:
    """Write the XML document of a result with boto3's names; KeyError for a name that AWS doesn't have."""
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<{action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">',
        f"<requestId>{request_id}</requestId>",
    ]
    members = _answer(action)
    for name, value in result.items():
        if value is not None:
            members[name](value, out)
    out.append(f"</{action}Response>")
    return "".join(out).encode()


def write_error(error: Ec2Error, request_id: str) -> bytes:
    """EC2's error document."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>'
        f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        f"</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    ).encode()


@cache
def service_model() -> ServiceModel:
    """botocore's model of EC2."""
    return botocore.session.get_session().get_service_model("ec2")


def timestamp(moment: datetime) -> str:
    """A time in EC2's format: UTC, milliseconds."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _tree(flat: Mapping[str, str]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for key, value in flat.items():
        *path, leaf = key.split(".")
        node = root
        for step in path:
            node = node.setdefault(step, {})
            if not isinstance(node, dict):
                raise Ec2Error(
                    "MalformedQueryString", f"The parameter {key} conflicts with another parameter"
                )
        node[leaf] = value
    return root


def _wire_name(shape: Shape, member_name: str) -> str:
    # The ec2 protocol capitalizes a locationName on the way in.
    # https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html#query-key-resolution
    serialization = shape.serialization
    if "queryName" in serialization:
        return str(serialization["queryName"])
    name = str(serialization.get("name", member_name))
    return name[0].upper() + name[1:]


@cache
def _request(action: str) -> tuple[Reader, tuple[tuple[str, str], ...]]:
    shape = service_model().operation_model(action).input_shape
    if not isinstance(shape, StructureShape):
        return (lambda *_: {}), ()
    required = tuple((name, _wire_name(shape.members[name], name)) for name in shape.required_members)
    return _reader(shape), required


@cache
def _answer(action: str) -> dict[str, Writer]:
    shape = service_model().operation_model(action).output_shape
    return _member_writers(shape) if isinstance(shape, StructureShape) else {}


def _reader(shape: Shape) -> Reader:
    if isinstance(shape, StructureShape):
        return _structure_reader(shape)
    if isinstance(shape, ListShape):
        return _list_reader(shape)
    return _SCALARS.get(shape.type_name, _read_string)


def _structure_reader(shape: StructureShape) -> Reader:
    members = {_wire_name(member, name): (name, _reader(member)) for name, member in shape.members.items()}

    def read_structure(wire_name: str, node: Any) -> dict[str, Any]:
        if not isinstance(node, dict):
            raise invalid_value(wire_name, node)
        return {members[key][0]: members[key][1](key, value) for key, value in node.items() if key in members}

    return read_structure


def _list_reader(shape: ListShape) -> Reader:
    reader = _reader(shape.member)

    def read_list(wire_name: str, node: Any) -> list[Any]:
        if not isinstance(node, dict) or not all(key.isdigit() for key in node):
            raise invalid_value(wire_name, node)
        return [reader(wire_name, node[key]) for key in sorted(node, key=int)]

    return read_list


def _read_string(wire_name: str, node: Any) -> str:
    if not isinstance(node, str):
        raise invalid_value(wire_name, node)
    return node


def _read_boolean(wire_name: str, node: Any) -> bool:
    if node not in ("true", "false"):
        raise invalid_value(wire_name, node, "Expected true or false.")
    return bool(node == "true")


def _read_integer(wire_name: str, node: Any) -> int:
    try:
        return int(node)
    except (TypeError, ValueError):
        raise invalid_value(wire_name, node, "Expected a number.") from None


def _read_timestamp(wire_name: str, node: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(node)
    except (TypeError, ValueError):
        raise invalid_value(wire_name, node, "Expected a date and time in ISO 8601.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_SCALARS: dict[str, Reader] = {
    "boolean": _read_boolean,
    "integer": _read_integer,
    "long": _read_integer,
    "timestamp": _read_timestamp,
}


def _member_writers(shape: StructureShape) -> dict[str, Writer]:
    return {
        name: _writer(member, str(member.serialization.get("name", name)))
        for name, member in shape.members.items()
    }


def _writer(shape: Shape, tag: str) -> Writer:
    begin, end = f"<{tag}>", f"</{tag}>"
    if isinstance(shape, StructureShape):
        members = _member_writers(shape)

        def write_structure(value: Mapping[str, Any], out: list[str]) -> None:
            out.append(begin)
            for name, member in value.items():
                if member is not None:
                    members[name](member, out)
            out.append(end)

        return write_structure
    if isinstance(shape, ListShape):
        item = _writer(shape.member, str(shape.member.serialization.get("name", "item")))

        def write_list(value: list[Any], out: list[str]) -> None:
            out.append(begin)
            for one in value:
                item(one, out)
            out.append(end)

        return write_list
    text = _TEXTS.get(shape.type_name, str)

    def write_scalar(value: Any, out: list[str]) -> None:
        out.append(f"{begin}{text(value)}{end}")

    return write_scalar


def _escaped(value: str) -> str:
    # Most values need no escaping, and this test is cheaper than three replacements.
    return escape(value) if "&" in value or "<" in value or ">" in value else value


_TEXTS: dict[str, Callable[[Any], str]] = {
    "string": _escaped,
    "boolean": lambda value: "true" if value else "false",
    "timestamp": timestamp,
}

# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations by which ``aws cloudformation deploy`` and ``create-stack`` create a stack.

A change set is created, and executed, at once. Stacks are created with all permissions, whoever calls.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import yaml

from ..ec2 import state
from ..exceptions import NotSimulated
from ..http.fast_path import FastPathRequest
from ..http.protocols import ApiError, Protocol
from . import resources, templates
from .resources import NAMED_IAM, Place
from .templates import Resources, TemplateError

_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
_KNOWN = re.compile(
    r"Action|Version|DisableRollback|StackName|TemplateBody|ChangeSetName|ChangeSetType|Description|IncludeNestedStacks"
    r"|Parameters\.member\.\d+\.Parameter(Key|Value)|Capabilities\.member\.\d+|Capabilities|NotificationARNs|Parameters|Tags"
)


@dataclass
class Stack:
    """A stack; ``planned`` are the resources of its change set until that is executed."""

    name: str
    arn: str
    change_set: str
    planned: Resources
    status: str = "REVIEW_IN_PROGRESS"
    reason: str = ""


class _Refused(Exception):
    """The error of an operation."""

    def __init__(self, message: str, code: str = "ValidationError") -> None:
        super().__init__(message)
        self.error = ApiError(code, message, 400)


_STACKS: dict[tuple[str, str], dict[str, Stack]] = {}
"""The stacks of an account and Region, by name."""


def reset() -> None:
    """Forget all stacks."""
    _STACKS.clear()


def _stacks(request: FastPathRequest) -> dict[str, Stack]:
    return _STACKS.setdefault((request.account_id, request.region), {})


def _planned(request: FastPathRequest) -> Stack:
    """Return the stack that a request asks for.

    Raises:
        _Refused: CloudFormation rejects it.
        NotSimulated: an update, or a template that is not simulated.
    """
    name = request.params["StackName"]
    if name in _stacks(request):
        raise NotSimulated("updates of stacks")
    place = Place(request.account_id, request.region)
    # Also JSON, which is YAML.
    template = yaml.safe_load(request.params["TemplateBody"])
    try:
        found = templates.resolve(template, dict(_parameters(request.params)), place.pseudo(name))
    except TemplateError as error:
        raise _Refused(str(error)) from error
    if resources.needs_capability(found) and NAMED_IAM not in request.params.values():
        message = f"Requires capabilities : [{NAMED_IAM}]"
        raise _Refused(message, "InsufficientCapabilitiesException")
    prefix = f"arn:{place.partition}:cloudformation:{request.region}:{request.account_id}"
    made = uuid.uuid4()
    change_set = request.params.get("ChangeSetName", name)
    return Stack(name, f"{prefix}:stack/{name}/{made}", f"{prefix}:changeSet/{change_set}/{made}", found)


def _parameters(params: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        if found := re.fullmatch(r"Parameters\.member\.(\d+)\.ParameterKey", name):
            yield value, params[f"Parameters.member.{found[1]}.ParameterValue"]


def _execute(request: FastPathRequest, stack: Stack) -> None:
    place = Place(request.account_id, request.region)
    stack.reason = resources.why_not(place, stack.planned)
    if not stack.reason:
        resources.create(place, stack.name, stack.planned)
    stack.status = "ROLLBACK_COMPLETE" if stack.reason else "CREATE_COMPLETE"


def _create_stack(request: FastPathRequest) -> dict[str, Any]:
    stack = _planned(request)
    _execute(request, stack)
    _stacks(request)[stack.name] = stack
    return {"StackId": stack.arn}


def _create_change_set(request: FastPathRequest) -> dict[str, Any]:
    stack = _planned(request)
    _stacks(request)[stack.name] = stack
    return {"Id": stack.change_set, "StackId": stack.arn}


def _found(request: FastPathRequest) -> Stack:
    """Return the stack of a change set, or the one that is named."""
    named = {request.params.get("StackName"), request.params.get("ChangeSetName")}
    for stack in _stacks(request).values():
        if named & {stack.name, stack.arn, stack.change_set}:
            return stack
    raise _Refused(f"Stack with id {request.params.get('StackName')} does not exist")


def _describe_change_set(request: FastPathRequest) -> dict[str, Any]:
    stack = _found(request)
    return {"StackName": stack.name, "ChangeSetId": stack.change_set, "Status": "CREATE_COMPLETE"}


def _execute_change_set(request: FastPathRequest) -> dict[str, Any]:
    _execute(request, _found(request))
    return {}


def _describe_stacks(request: FastPathRequest) -> dict[str, Any]:
    stack = _found(request)
    described = {
        "StackName": stack.name,
        "StackId": stack.arn,
        "CreationTime": state.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
    }
    return {"Stacks": [described]}


def _answer(request: FastPathRequest) -> tuple[int, bytes]:
    action = request.params["Action"]
    for name in request.params:
        if not _KNOWN.fullmatch(name):
            raise NotSimulated(f"parameter {name}")
    if request.params.get("DisableRollback", "false") != "false":
        raise NotSimulated("stacks that are not rolled back")
    try:
        result = _OPERATIONS[action](request)
    except _Refused as refused:
        return refused.error.status, refused.error.response(Protocol.QUERY, request.request_id).body
    return 200, (
        f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result>{_xml(result)}</{action}Result>'
        f"<ResponseMetadata><RequestId>{request.request_id}</RequestId></ResponseMetadata>"
        f"</{action}Response>"
    ).encode()


def _xml(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{name}>{_xml(item)}</{name}>" for name, item in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(item)}</member>" for item in value)
    return escape(value)


_OPERATIONS: dict[str, Callable[[FastPathRequest], dict[str, Any]]] = {
    "CreateChangeSet": _create_change_set,
    "CreateStack": _create_stack,
    "DescribeChangeSet": _describe_change_set,
    "DescribeStacks": _describe_stacks,
    "ExecuteChangeSet": _execute_change_set,
}
HANDLERS = {("cloudformation", name): _answer for name in _OPERATIONS}

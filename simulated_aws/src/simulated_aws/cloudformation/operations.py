# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations by which ``aws cloudformation deploy`` creates and updates a stack, and what they show.

A change set is created, and executed, at once. Stacks are created with all permissions, whoever calls.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
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
    r"|Parameters\.member\.\d+\.(ParameterKey|ParameterValue|UsePreviousValue)|Capabilities\.member\.\d+|Capabilities"
    r"|NotificationARNs|Parameters|Tags|StackSetName|CallAs|Filters\.member\.\d+\.(Name|Values)"
)


@dataclass
class Stack:
    """A stack; ``planned`` are the resources and parameters of its change set until that is executed."""

    name: str
    arn: str
    change_set: str
    planned: tuple[Resources, dict[str, str]]
    status: str = "REVIEW_IN_PROGRESS"
    reason: str = ""
    resources: Resources = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def is_unchanged(self) -> bool:
        """Whether the change set changes nothing of a stack that exists."""
        return self.status != "REVIEW_IN_PROGRESS" and self.planned[0] == self.resources


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
    resources.STACK_SETS.clear()


def _stacks(request: FastPathRequest) -> dict[str, Stack]:
    return _STACKS.setdefault((request.account_id, request.region), {})


def _planned(request: FastPathRequest) -> Stack:
    """Return the stack that a request asks for, with what it plans.

    Raises:
        _Refused: CloudFormation rejects it.
        NotSimulated: a template that is not simulated.
    """
    name = request.params["StackName"]
    existing = _stacks(request).get(name)
    if existing and existing.status == "ROLLBACK_COMPLETE":
        raise _Refused(f"Stack:{existing.arn} is in ROLLBACK_COMPLETE state and can not be updated.")
    place = Place(request.account_id, request.region)
    # Also JSON, which is YAML.
    template = yaml.safe_load(request.params["TemplateBody"])
    given = dict(_parameters(request.params, existing.parameters if existing else {}))
    try:
        found = templates.resolve(template, given, place.pseudo(name))
    except TemplateError as error:
        raise _Refused(str(error)) from error
    if resources.needs_capability(found) and NAMED_IAM not in request.params.values():
        message = f"Requires capabilities : [{NAMED_IAM}]"
        raise _Refused(message, "InsufficientCapabilitiesException")
    prefix = f"arn:{place.partition}:cloudformation:{request.region}:{request.account_id}"
    made = uuid.uuid4()
    change_set = f"{prefix}:changeSet/{request.params.get('ChangeSetName', name)}/{made}"
    stack = existing or Stack(name, f"{prefix}:stack/{name}/{made}", change_set, (found, given))
    stack.change_set, stack.planned = change_set, (found, given)
    return stack


def _parameters(params: Mapping[str, str], previous: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        if found := re.fullmatch(r"Parameters\.member\.(\d+)\.ParameterKey", name):
            one = f"Parameters.member.{found[1]}"
            if params.get(f"{one}.UsePreviousValue") != "true":
                yield value, params[f"{one}.ParameterValue"]
            elif value in previous:
                yield value, previous[value]


def _execute(request: FastPathRequest, stack: Stack) -> None:
    place = Place(request.account_id, request.region)
    found, given = stack.planned
    if stack.status == "REVIEW_IN_PROGRESS":
        stack.reason = resources.why_not(place, found)
        stack.ids = {} if stack.reason else resources.create(place, stack.name, found)
        stack.status = "ROLLBACK_COMPLETE" if stack.reason else "CREATE_COMPLETE"
    else:
        resources.update(place, stack.name, stack.resources, found, stack.ids)
        stack.status = "UPDATE_COMPLETE"
    stack.resources, stack.parameters = found, given


def _create_stack(request: FastPathRequest) -> dict[str, Any]:
    if request.params["StackName"] in _stacks(request):
        raise _Refused(f"Stack [{request.params['StackName']}] already exists", "AlreadyExistsException")
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
    described = {"StackName": stack.name, "ChangeSetId": stack.change_set, "Status": "CREATE_COMPLETE"}
    if not stack.is_unchanged:
        return described
    # CloudFormation User Guide, "Create change sets": one without changes fails.
    reason = "The submitted information didn't contain changes."
    return {**described, "Status": "FAILED", "StatusReason": reason}


def _execute_change_set(request: FastPathRequest) -> dict[str, Any]:
    _execute(request, _found(request))
    return {}


def _describe_stacks(request: FastPathRequest) -> dict[str, Any]:
    named = "StackName" in request.params
    described = [
        {
            "StackName": stack.name,
            "StackId": stack.arn,
            "CreationTime": state.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "StackStatus": stack.status,
            "StackStatusReason": stack.reason,
        }
        for stack in ([_found(request)] if named else _stacks(request).values())
    ]
    return {"Stacks": described}


def _describe_stack_events(request: FastPathRequest) -> dict[str, Any]:
    """The last event of a stack, with the reason of a failure (botocore shape StackEvent)."""
    stack = _found(request)
    event = {
        "StackId": stack.arn,
        "EventId": stack.change_set,
        "StackName": stack.name,
        "LogicalResourceId": stack.name,
        "ResourceType": "AWS::CloudFormation::Stack",
        "Timestamp": state.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "ResourceStatus": stack.status,
        "ResourceStatusReason": stack.reason,
    }
    return {"StackEvents": [event]}


def _delete_stack(request: FastPathRequest) -> dict[str, Any]:
    """Delete a stack whose creation failed, so that another one can have its name."""
    stack = _found(request)
    if stack.status != "ROLLBACK_COMPLETE":
        raise NotSimulated("deletion of stacks that have resources")
    del _stacks(request)[stack.name]
    return {}


def _get_template_summary(request: FastPathRequest) -> dict[str, Any]:
    """The parameters that a stack was given (botocore shape GetTemplateSummaryOutput)."""
    return {"Parameters": [{"ParameterKey": name} for name in _found(request).parameters]}


def _list_stack_instances(request: FastPathRequest) -> dict[str, Any]:
    """The stacks of a StackSet (botocore shapes StackInstanceSummary, StackInstanceFilter)."""
    name = request.params["StackSetName"]
    found = resources.STACK_SETS.get((request.account_id, request.region), {}).get(name)
    if found is None:
        raise _Refused(f"StackSet {name} not found", "StackSetNotFoundException")
    if request.params.get("Filters.member.1.Name", "DETAILED_STATUS") != "DETAILED_STATUS":
        raise NotSimulated("filters other than DETAILED_STATUS")
    wanted = request.params.get("Filters.member.1.Values")
    statuses = [(one, "FAILED" if one.reason else "SUCCEEDED") for one in found]
    summaries = [
        {
            "StackSetId": name,
            "Account": one.account_id,
            "Region": one.region,
            "OrganizationalUnitId": one.unit,
            "Status": "OUTDATED" if one.reason else "CURRENT",
            "StatusReason": one.reason,
            "StackInstanceStatus": {"DetailedStatus": status},
        }
        for one, status in statuses
        if wanted in (None, status)
    ]
    return {"Summaries": summaries}


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
    "DeleteStack": _delete_stack,
    "DescribeChangeSet": _describe_change_set,
    "DescribeStackEvents": _describe_stack_events,
    "DescribeStacks": _describe_stacks,
    "ExecuteChangeSet": _execute_change_set,
    "GetTemplateSummary": _get_template_summary,
    "ListStackInstances": _list_stack_instances,
}
HANDLERS = {("cloudformation", name): _answer for name in _OPERATIONS}

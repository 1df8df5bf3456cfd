# SPDX-License-Identifier: GPL-3.0-or-later
"""The condition keys of AWS RAM.

RAM User Guide, "Example IAM policies for AWS RAM": "AWS RAM authorizes each principal and resource
independently", so the keys of a resource are absent where a principal is authorized, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..ec2.access import Caller
from ..http.api_calls import Call
from ..iam.condition_keys import RequestContext, Value
from . import state

_OF_ALL = ("ram:allowsexternalprincipals", "ram:resourcesharename", "ram:requestedallowsexternalprincipals")
_OF_ONE = ("ram:principal", "ram:requestedresourcetype", "ram:resourcearn")


def contexts(call: Call, caller: Caller) -> Iterator[RequestContext]:
    """The keys of a call, once for each principal and resource that it names, or once if it names none."""
    params = call.params
    share = state.SHARES.get(str(params.get("resourceShareArn")))
    common: dict[str, Value] = dict.fromkeys((*_OF_ALL, *_OF_ONE))
    if share is not None and share.owner == caller:
        common["ram:resourcesharename"] = share.name
        common["ram:allowsexternalprincipals"] = _truth(share.allows_external)
    if call.action == "POST /createresourceshare":
        common["ram:requestedallowsexternalprincipals"] = _truth(params.get("allowExternalPrincipals", True))
    named: list[dict[str, Value]] = [{"ram:principal": one} for one in params.get("principals") or ()]
    named += [
        {"ram:resourcearn": one, "ram:requestedresourcetype": "ssm:Parameter"}
        for one in params.get("resourceArns") or ()
    ]
    for keys in named or [{}]:
        yield {key: partial(_same, value) for key, value in {**common, **keys}.items()}


def _same(value: Value) -> Value:
    return value


def _truth(value: object) -> str:
    return str(bool(value)).lower()

# SPDX-License-Identifier: GPL-3.0-or-later

"""An AWS that answers by operation, whichever code of the collection calls it, and in whatever order."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Self

from botocore import xform_name
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from tests.unit.examples import OWNER
from tests.unit.wire import Wire

_REGION = "eu-west-1"
_ALWAYS: dict[str, Any] = {
    "describe_regions": {"Regions": [{"RegionName": _REGION, "OptInStatus": "opt-in-not-required"}]},
    "get_caller_identity": {"UserId": "u", "Account": OWNER, "Arn": f"arn:aws:iam::{OWNER}:user/build"},
}


class Answers:
    """The clients of every region and service.

    An answer is given by the method of the client, or by its service as well: ``emr:list_clusters``. A list
    has one answer for each call; the last one is also that of further calls. A text is an error code; an
    exception is raised. A function returns the answer to a request. A method without an answer has one with
    empty lists. botocore validates each request with its model. ``calls`` are the methods that were called,
    each with its request. The answers are those of the account of the credentials, the owner. ``accounts``
    answer as those whose role can be assumed; ``not_assumed`` are those whose role was tried in vain.
    ``lacking`` are the services that no region has by botocore's data.
    """

    default_region = _REGION
    is_region_set = True

    def __init__(self, lacking: tuple[str, ...] = (), **answers: Any) -> None:
        self.lacking = lacking
        self.answers: dict[str, Any] = {**_ALWAYS, **answers}
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self._called: Counter[tuple[str, str]] = Counter()
        self.accounts: dict[str, Answers] = {}
        self.not_assumed: list[str] = []
        self._given = self.credentials()
        self.partition = "aws"

    def open(self, service: str, regions: Any) -> None:
        """Do nothing: each client exists."""

    def rate_limited(self, _operation: str) -> Answers:
        return self

    def close_connections(self) -> None:
        """Do nothing: there are none."""

    def of_fork(self) -> Self:
        return self

    def credentials(self) -> Credentials:
        return Credentials(OWNER, "not-a-secret")

    def role_credentials(self, role_arn: str, _external_id: str | None, _region: str) -> Credentials:
        return Credentials(role_arn.split(":")[4], "not-a-secret")

    def with_credentials(self, credentials: Credentials) -> Self:
        found = copy.copy(self)
        found._given = credentials
        return found

    def _account(self, _region: str) -> Answers:
        """The account of the credentials at this moment. As with botocore, a call assumes its role."""
        account_id = self._given.get_frozen_credentials().access_key
        if account_id == OWNER:
            return self
        if account_id not in self.accounts:
            self.not_assumed.append(account_id)
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "AssumeRole")
        return self.accounts[account_id]

    def lacks(self, service: str, _region: str) -> bool:
        return service in self.lacking

    def partition_of(self, _region: str) -> str:
        return self.partition

    def ec2(self, region: str) -> Any:
        return self.client("ec2", region)

    def kms(self, region: str) -> Any:
        return self.client("kms", region)

    def ssm(self, region: str) -> Any:
        return self.client("ssm", region)

    def sts(self, region: str) -> Any:
        return self.client("sts", region)

    def client(self, service: str, region: str) -> Any:
        made = _client(service)
        # copy.copy would ask the unfinished copy for attributes, which botocore looks up in the client.
        client: Any = object.__new__(type(made))
        vars(client).update(vars(made))
        client._make_api_call = lambda operation, request: self._account(region)._answer(
            client, operation, request
        )
        return client

    def _answer(self, client: Any, operation: str, request: Mapping[str, Any]) -> Any:
        method, model = xform_name(operation), client.meta.service_model.operation_model(operation)
        if model.input_shape:
            validate_parameters(dict(request), model.input_shape)
        self.calls.append((method, request))
        service = client.meta.service_model.service_name
        earlier = self._called[service, method]
        self._called[service, method] += 1
        answer = self.answers.get(f"{service}:{method}", self.answers.get(method))
        if isinstance(answer, Sequence) and not isinstance(answer, str):
            answer = answer[min(earlier, len(answer) - 1)]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            raise ClientError({"Error": {"Code": answer, "Message": "No."}}, operation)
        if answer is not None:
            return answer
        members = model.output_shape.members if model.output_shape else {}
        return {name: [] for name, shape in members.items() if shape.type_name == "list"}


@lru_cache
def _client(service: str) -> Any:
    """A client, which takes much longer to make than to copy."""
    return Wire(service).client

# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module in this process, with its real argument spec, runner and flow, and no AWS behind botocore."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

from ansible.module_utils.common import warnings as ansible_warnings
from ansible.module_utils.testing import patch_module_args
from ansible_collections.golden.images.plugins.module_utils import _runner as runner
from ansible_collections.golden.images.plugins.module_utils._aws import clients as aws_clients
from ansible_collections.golden.images.plugins.module_utils._aws import read
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify import wait
from ansible_collections.golden.images.plugins.plugin_utils._runs_here import read_attachments
from botocore.awsrequest import AWSResponse

from tests.unit.examples import OWNER

_MODULES = "ansible_collections.golden.images.plugins.modules"
_READS = ("AssumeRole", "BatchGet", "Describe", "Get", "Head", "List", "Simulate")
_REGIONS = ("eu-west-1", "us-east-1")
CREDENTIALS = {
    "AccessKeyId": "AKIAEXAMPLE",
    "SecretAccessKey": "not-a-secret",
    "SessionToken": "not-a-token",
    "Expiration": "2099-01-01T00:00:00Z",
}


@dataclass
class FakeAWS:
    """An AWS account without resources. If it ``denies``, it refuses every call but GetCallerIdentity.

    botocore has validated each request with its model before it arrives here. ``changes`` are the calls that
    change something, apart from dry runs.
    """

    denies: bool = False
    changes: list[str] = field(default_factory=list)

    def answer(self, model: Any, params: Mapping[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        """The handler of botocore's event ``before-call``: what it returns is not sent."""
        operation = model.name
        if not operation.startswith(_READS) and "DryRun" not in str(params.get("body")):
            self.changes.append(operation)
        if operation == "GetCallerIdentity":
            return _response(200), {
                "Account": OWNER,
                "Arn": f"arn:aws:iam::{OWNER}:user/test",
                "UserId": "AIDAEXAMPLE",
            }
        if self.denies:
            return _response(403), {"Error": {"Code": "UnauthorizedOperation", "Message": "Denied."}}
        if operation == "AssumeRole":
            return _response(200), {"Credentials": CREDENTIALS}
        if operation == "DescribeRegions":
            found = [{"RegionName": name, "OptInStatus": "opt-in-not-required"} for name in _REGIONS]
            return _response(200), {"Regions": found}
        return _response(200), _empty(model)


def _response(status: int) -> AWSResponse:
    return AWSResponse("https://aws.invalid", status, {}, None)


def _empty(model: Any) -> dict[str, Any]:
    """An answer whose lists are empty."""
    members = model.output_shape.members if model.output_shape else {}
    return {name: [] for name, shape in members.items() if shape.type_name == "list"}


def returned(
    module: Any, options: Mapping[str, Any], state: object = None, check_mode: bool = False
) -> dict[str, Any]:
    """What a file of ``plugins/modules`` returns: it needs no AWS, or has read this ``state`` from AWS."""
    flow = module.FLOW
    if state is not None:
        flow = replace(flow, read=lambda _clients, _wanted: state, needs_aws=False)
    given = {**options, **read_attachments(flow.attaches), "_ansible_check_mode": check_mode}
    return runner.run_here(flow, given)


@dataclass(frozen=True)
class Ran:
    """What a module printed, and the calls to AWS that would have changed something."""

    result: dict[str, Any]
    changes: tuple[str, ...]

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))


class Modules:
    """Runs modules. AWS clients are made once for all runs, which would otherwise take most of the time."""

    def __init__(self) -> None:
        self._aws = FakeAWS()
        self._clients: dict[str, Any] = {}

    def run(self, name: str, args: Mapping[str, Any], check_mode: bool = False, denies: bool = False) -> Ran:
        """Run a module with these options as Ansible runs it; raises what it does not catch itself."""
        module = importlib.import_module(f"{_MODULES}.{name}")
        self._aws = FakeAWS(denies)
        printed = io.StringIO()
        given = {**args, **read_attachments(module.FLOW.attaches), "_ansible_check_mode": check_mode}
        with (
            self._patched(),
            patch_module_args(given),
            contextlib.redirect_stdout(printed),
            contextlib.suppress(SystemExit),
        ):
            module.main()
        ansible_warnings._global_warnings.clear()
        return Ran(json.loads(printed.getvalue()), tuple(self._aws.changes))

    def _answer(self, **call: Any) -> tuple[AWSResponse, dict[str, Any]]:
        return self._aws.answer(**call)

    @contextlib.contextmanager
    def _patched(self) -> Iterator[None]:
        real = aws_clients.Clients.__init__

        def listening(clients: Any, *args: Any, **kwargs: Any) -> None:
            real(clients, *args, **kwargs)
            clients._session.events.register("before-call", self._answer, unique_id="scripted")

        with (
            mock.patch.object(aws_clients.Clients, "__init__", listening),
            mock.patch.object(runner, "_connect", self._shared_clients),
            mock.patch.object(aws_clients.Clients, "with_credentials", lambda clients, _credentials: clients),
            mock.patch.object(read, "SETTLING_TIMEOUT", 0.0),
            mock.patch.object(read, "_PROBABLY_GONE_TIMEOUT", 0.0),
            mock.patch.object(wait, "SETTLING_TIMEOUT", 0.0),
        ):
            yield

    def _shared_clients(self, module: Any) -> Any:
        region = module.params.get("region") or "eu-west-1"
        if region not in self._clients:
            connection = aws_clients.Connection(
                credentials={
                    "aws_access_key_id": CREDENTIALS["AccessKeyId"],
                    "aws_secret_access_key": CREDENTIALS["SecretAccessKey"],
                },
                region=region,
            )
            self._clients[region] = aws_clients.Clients(connection)
        return self._clients[region]

# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module that changes something must do: what check mode reports, once, and then nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall

from . import in_process
from .fixture import OWNER
from .playbook import Change, prediction_error

# Also of the services whose calls are recorded by their paths. A role is assumed in check mode, too.
_READS = (
    "AssumeRole",
    "Describe",
    "Get",
    "List",
    "Select",
    "GET ",
    "HEAD ",
    "POST /List",
    "POST /getresourceshare",
    "POST /list-",
    "POST /v1/describe",
)
_RESULT = ("msg", "failures", "warnings", "actions")


def changing_calls(aws: SimulatedAws) -> list[RecordedCall]:
    """The recorded calls that changed something, or would have if AWS had not refused them."""
    return [
        call
        for call in aws.calls()
        if not call.action.startswith(_READS) and str(call.parameters.get("DryRun", "")).lower() != "true"
    ]


def planned(aws: SimulatedAws, module: str, options: Mapping[str, Any], account: str = OWNER) -> Any:
    """The result of a run in check mode, which changes nothing."""
    aws.clear_calls()
    result = in_process.run(aws, account, module, options, check=True)
    _assert_unchanged(aws)
    return result


def performed(
    aws: SimulatedAws, module: str, options: Mapping[str, Any], account: str = OWNER
) -> dict[str, Any]:
    """The result of a run that does exactly what check mode reports.

    A task that check mode refuses is refused alike, before anything is changed.
    """
    expected = planned(aws, module, options, account)
    aws.clear_calls()
    result = in_process.run(aws, account, module, options)
    if expected.get("failed"):
        assert result.get("failed"), result
        assert _codes(result) == _codes(expected), (_codes(result), _codes(expected))
        _assert_unchanged(aws)
        return result
    assert not result.get("failed"), {key: result.get(key) for key in _RESULT}
    error = prediction_error(_actions(expected), _actions(result))
    assert error == "", error
    assert result["changed"] is expected["changed"] is bool(result["actions"])
    done = sorted((one.action, one.region) for one in _actions(result))
    called = sorted((call.action, call.region) for call in changing_calls(aws))
    assert done == called, (done, called)
    return result


def converged(
    aws: SimulatedAws, module: str, options: Mapping[str, Any], account: str = OWNER
) -> dict[str, Any]:
    """The result of ``performed``; after it, the same task changes nothing."""
    result = performed(aws, module, options, account)
    if not result.get("failed"):
        aws.clear_calls()
        again = in_process.run(aws, account, module, options)
        assert not again.get("failed"), {key: again.get(key) for key in _RESULT}
        assert (again["changed"], again["actions"]) == (False, []), again["actions"]
        _assert_unchanged(aws)
    return result


def _assert_unchanged(aws: SimulatedAws) -> None:
    calls = [(call.action, call.region, dict(call.parameters)) for call in changing_calls(aws)]
    assert calls == [], calls


def _actions(result: Mapping[str, Any]) -> list[Change]:
    return [
        Change(one["action"], one["region"], one["resource"])
        for one in result["actions"]
        for _number in range(one.get("count", 1))
    ]


def _codes(result: Mapping[str, Any]) -> list[tuple[str | None, str, str]]:
    return sorted((one["region"], one["action"], one["error_code"]) for one in result.get("failures", ()))

# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module: read everything, plan everything, refuse or apply, and return all that became of it.

The only place that knows check mode, diff, and how a module ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from ansible.module_utils.common.warnings import warn

from .failures import Failure, Refused, summary
from .model import Target
from .progress import Report, reporter

_RERUN = "Run again to do what is left."

Wanted = TypeVar("Wanted")
Seen = TypeVar("Seen")


class ActionLike(Protocol):
    """Something that changes something."""

    def as_result(self) -> dict[str, str | None]:
        """The action as modules list it in ``actions``."""


class PlanLike(Protocol):
    """What the runner asks of a plan; ``plan.Plan`` is the one for AWS."""

    @property
    def actions(self) -> tuple[ActionLike, ...]:
        """All that is to be done."""

    @property
    def refusals(self) -> tuple[Failure, ...]:
        """Every reason not to do any of it."""

    @property
    def tolerated(self) -> tuple[Failure, ...]:
        """Every reason why a part is left out."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know."""

    @property
    def before(self) -> Mapping[str, Any]:
        """How things are."""

    @property
    def after(self) -> Mapping[str, Any]:
        """How they will be."""


@dataclass(frozen=True)
class Outcome:
    """What became of a plan.

    ``failures`` fail the task; ``tolerated`` ones, of best-effort targets, are reported only. ``state`` is
    what the flow's own ``result`` needs to know, by target.
    """

    performed: tuple[ActionLike, ...] = ()
    failures: tuple[Failure, ...] = ()
    tolerated: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    state: Mapping[Target, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Flow(Generic[Wanted, Seen]):
    """A module's own part: which options it takes, which reads feed which planner, what it returns.

    ``wanted`` raises ``Refused`` for options that cannot be used, ``read`` for a state that cannot be
    planned for. ``result`` gets an empty ``Outcome`` in check mode. A flow that does not need AWS is given
    no clients. One that only reads is applied in check mode too, so that what it could not read fails there
    as well.
    """

    wanted: Callable[[Mapping[str, Any], bool], Wanted]
    read: Callable[[Any, Wanted], Seen]
    plan: Callable[[Wanted, Seen], PlanLike]
    apply: Callable[[Any, Wanted, Seen, Any, Report], Outcome]
    result: Callable[[Wanted, Seen, Any, Outcome], dict[str, Any]]
    needs_aws: bool = True
    only_reads: bool = False


def run(flow: Flow[Any, Any], argument_spec: Mapping[str, Any], **rules: Any) -> None:
    """Run the module; ``rules`` are AnsibleModule's (``mutually_exclusive`` and the like)."""
    module = _module_class(flow)(argument_spec=dict(argument_spec), supports_check_mode=True, **rules)
    try:
        wanted = flow.wanted(module.params, module.check_mode)
        clients = _clients(module) if flow.needs_aws else None
        seen = flow.read(clients, wanted)
        plan = flow.plan(wanted, seen)
        if plan.refusals:
            raise Refused(plan.refusals)
    except Refused as refused:
        module.fail_json(
            msg="\n".join([str(refused), "Nothing was changed."]),
            changed=False,
            failures=[failure.as_result() for failure in refused.failures],
        )
    if module.check_mode and not flow.only_reads:
        outcome = Outcome()
    else:
        outcome = flow.apply(clients, wanted, seen, plan, reporter(module.params.get("progress_path"), warn))
    for warning in (*plan.warnings, *outcome.warnings):
        warn(warning)
    tolerated = (*plan.tolerated, *outcome.tolerated)
    if tolerated:
        warn(f"Best-effort regions that are not done: {summary(tolerated)}")
    actions = plan.actions if module.check_mode else outcome.performed
    result: dict[str, Any] = {
        **flow.result(wanted, seen, plan, outcome),
        "actions": [action.as_result() for action in actions],
        "changed": bool(actions),
        "failures": [failure.as_result() for failure in (*outcome.failures, *tolerated)],
    }
    if module._diff:
        result["diff"] = {"before": plan.before, "after": plan.after}
    if outcome.failures:
        module.fail_json(
            msg="\n".join([summary(outcome.failures), *([] if flow.only_reads else [_RERUN])]), **result
        )
    module.exit_json(**result)


def _module_class(flow: Flow[Any, Any]) -> Any:
    # Imported where needed: boto3 takes longer to import than a module without AWS takes to run.
    if flow.needs_aws:
        from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

        return AnsibleAWSModule
    from ansible.module_utils.basic import AnsibleModule

    return AnsibleModule


def _clients(module: Any) -> Any:
    from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info

    from .aws.clients import Clients, Connection

    region, endpoint_url, parameters = get_aws_connection_info(module)
    keys = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return Clients(
        Connection(
            credentials={key: parameters[key] for key in keys if parameters.get(key)},
            profile_name=parameters.get("profile_name"),
            region=region,
            endpoint_url=endpoint_url,
            verify=parameters.get("verify"),
            config=parameters.get("aws_config"),
        )
    )

# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publish in one target: call by call, with a wait until AWS has validated each new value."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._aws import errors
from .._aws.answers import require_member
from .._aws.attempts import attempts, repeat_until
from .._aws.parameters import THROTTLED, CurrentParameter, current
from .._aws.unknown_outcome import is_unknown
from .._aws.write import perform
from .._failures import Failure
from .._plan import KNOWN_AFTER_APPLY, Action, Performed
from .state import TargetState
from .write_resource_share import REMOVALS, share_parameter, takes_from_organization, unshare_parameter

# Seconds between attempts: AWS validates within seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 3.0
# Error codes while another value of the parameter is being validated. AWS documents none, and these have
# other causes as well: after this many seconds, the error counts.
_BUSY = ("TooManyUpdates", "ValidationException")
_BUSY_FOR = 30.0
# Systems Manager API Reference, errors of PutParameter: without Overwrite, and another client was first.
_EXISTS = "ParameterAlreadyExists"
_REPEATED = THROTTLED.union(_BUSY, [_EXISTS])
# Nothing that follows depends on these: launch templates take the new image although they fail, unless the
# reason is that another client has changed the parameter.
_INDEPENDENT = frozenset({"AddTagsToResource", "DeleteResourceShare", "LabelParameterVersion"})
_CONFLICT = "concurrent_change"


@dataclass
class PublishRun:
    """The progress in one target; ``version`` is of the parameter, ``made`` and ``defaults`` of templates.

    ``further`` are actions that turned out to be needed after the value was put.
    """

    performed: list[Action] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    version: int | None = None
    further: list[Action] = field(default_factory=list)
    made: dict[str | None, int] = field(default_factory=dict)
    defaults: dict[str | None, int] = field(default_factory=dict)

    def note(self, action: Action, done: Performed) -> list[Failure]:
        """Add the outcome of an action, and return its failures."""
        self.performed += done.actions
        failures = list(done.failures)
        for answer in done.answers:
            if action.operation == "CreateLaunchTemplateVersion":
                made = require_member(answer, "LaunchTemplateVersion", action.operation)
                self.made[action.resource] = require_member(made, "VersionNumber", action.operation)
                for error in answer.get("Warning", {}).get("Errors", ()):
                    self.warnings.append(
                        f"{action.target.region}: AWS warning for the new version of {action.resource}: "
                        f"{error.get('Message', error.get('Code'))}"
                    )
            if action.operation == "ModifyLaunchTemplate":
                self.defaults[action.resource] = int(action.parameters["DefaultVersion"])
            if action.operation == "LabelParameterVersion" and answer.get("InvalidLabels"):
                failures.append(
                    _failure(
                        action,
                        "invalid_label",
                        f"AWS rejects the label {', '.join(answer['InvalidLabels'])} as not valid.",
                        "Without the label, no rollback to this version is possible. All else is published.",
                    )
                )
        return failures


def perform_target(
    services: Mapping[str, Any],
    actions: tuple[Action, ...],
    state: TargetState,
    wait_timeout: float,
    parameter_arn: str,
) -> PublishRun:
    """Perform the actions of a target in their order and stop at the first that fails.

    If nothing can be published, others still lose the parameter: removals go on. An organization keeps it if
    consumers could not be added: they may be accounts of it.
    A label, a tag, or the deletion of an empty resource share that fails does not stop the others, unless
    another client has changed the parameter.
    ``services`` are the target's clients; ``ssm_once`` repeats no call. ``state`` is the target as it was
    planned for, ``parameter_arn`` the ARN of its parameter. A new value is waited for until AWS has validated
    it, for at most ``wait_timeout`` seconds.
    """
    run = PublishRun()
    before = state.parameter.latest.version if state.parameter else 0
    pending = deque(actions)
    failed: Action | None = None
    while pending:
        if failed and not _goes_on(pending[0], failed):
            break
        action = _fill_in_versions(pending.popleft(), run)
        try:
            if action.operation == "PutParameter":
                failures = _put_value(services, action, wait_timeout, run, before)
                pending.extendleft(run.further)
            elif action.operation in REMOVALS:
                failures = run.note(action, unshare_parameter(services["ram"], action, wait_timeout))
            elif action.service == "ram":
                failures = _share(services["ram"], action, parameter_arn, wait_timeout, run)
            elif action.operation == "LabelParameterVersion":
                failures = _put_label(services["ssm"], action, state.image_id, wait_timeout, run)
            else:
                failures = run.note(action, perform(services[action.service], action))
        except errors.AWS_ERRORS as exception:
            failures = [errors.failure(exception, action.target, "GetParameter")]
        run.failures += failures
        is_conflict = any(failure.error_code == _CONFLICT for failure in failures)
        if failures and (is_conflict or action.operation not in _INDEPENDENT):
            if action.operation == "PutParameter":
                _restore_labels(services, run)
            failed = failed or action
    return run


def _goes_on(action: Action, failed: Action) -> bool:
    """Whether an action is performed although another one has failed before."""
    is_addition = failed.service == "ram" and failed.operation not in REMOVALS
    return action.operation in REMOVALS and not (is_addition and takes_from_organization(action))


def _share(ram: Any, action: Action, arn: str, wait_timeout: float, run: PublishRun) -> list[Failure]:
    """Share the parameter, note who has no access yet, and return the failures."""
    done, warnings = share_parameter(ram, action, arn, wait_timeout)
    run.warnings += [f"{action.target.region}: {warning}" for warning in warnings]
    return run.note(action, done)


def _restore_labels(services: Mapping[str, Any], run: PublishRun) -> None:
    """Restore labels that were removed for a new version that AWS refused: they allow a rollback."""
    for action in [item for item in run.performed if item.operation == "UnlabelParameterVersion"]:
        label = replace(action, operation="LabelParameterVersion")
        done = perform(services[label.service], label)
        run.performed += done.actions
        run.warnings += [
            f"{label.target.region}: {label.resource} lost the label "
            f"{', '.join(label.parameters['Labels'])} of version {label.parameters['ParameterVersion']}: "
            f"{failure.message}"
            for failure in done.failures
        ]


def _fill_in_versions(action: Action, run: PublishRun) -> Action:
    """Return the action with the versions that actions before it have made."""
    known: dict[str, Any] = {}
    if action.parameters.get("ParameterVersion") == KNOWN_AFTER_APPLY:
        known["ParameterVersion"] = run.version
    if action.parameters.get("DefaultVersion") == KNOWN_AFTER_APPLY:
        known["DefaultVersion"] = str(run.made[action.resource])
    return replace(action, parameters={**action.parameters, **known}) if known else action


def _put_value(
    services: Mapping[str, Any], action: Action, wait_timeout: float, run: PublishRun, before: int
) -> list[Failure]:
    """Put a value, wait until it is the parameter's, and return the failures.

    Each call adds a version, even with the same value (Systems Manager API Reference, PutParameter): if an
    answer is lost, the parameter is read before the call is repeated. A value that is being validated may be
    the same value, from a run that was stopped, and then need not be put again. A parameter that was created
    with another value since it was read is not changed.
    """
    ssm, failures, is_lost = services["ssm"], list[Failure](), False
    for number in attempts(min(_BUSY_FOR, wait_timeout), _FIRST_PAUSE, _LONGEST_PAUSE):
        if number > 1:
            known = _check_current_value(ssm, action, run, before, failures, is_lost)
            if known is not None:
                return known
        failures = run.note(action, done := perform(services["ssm_once"], action))
        if done.answers:
            run.version = require_member(done.answers[0], "Version", "PutParameter")
            return _wait_until_validated(ssm, action, wait_timeout, run)
        lost = any(is_unknown(failure) for failure in failures)
        if not lost and not any(failure.error_code in _REPEATED for failure in failures):
            return failures
        is_lost |= lost
    known = _check_current_value(ssm, action, run, before, failures, is_lost)
    return failures if known is None else known


def _check_current_value(
    ssm: Any, action: Action, run: PublishRun, before: int, failures: list[Failure], is_lost: bool
) -> list[Failure] | None:
    """Return the failures of a value that could not be put; None if another attempt can put it.

    There are none if a version after ``before`` has the value: the run then notes the version, and its own
    call whose answer is lost. Another client may have put the value without the tags.
    """
    now = current(ssm, action.parameters["Name"])
    if now is None or now.version <= before:
        return None
    if now.value == action.parameters["Value"]:
        run.version = now.version
        if is_lost:
            run.performed.append(action)
        run.further += _tag_actions(action)
        return []
    exists = any(failure.error_code == _EXISTS for failure in failures)
    return [_other_image(action, action.parameters["Value"], now)] if exists else None


def _tag_actions(put: Action) -> Iterator[Action]:
    """Yield the call that adds the tags of a parameter that another client has created since it was read."""
    if tags := put.parameters.get("Tags"):
        parameters = {"ResourceType": "Parameter", "ResourceId": put.resource, "Tags": tags}
        yield replace(put, operation="AddTagsToResource", parameters=parameters)


def _wait_until_validated(ssm: Any, action: Action, wait_timeout: float, run: PublishRun) -> list[Failure]:
    value, version = action.parameters["Value"], run.version or 0
    now = _read_from(ssm, action.parameters["Name"], version, wait_timeout)
    if now is None:
        return [
            _failure(
                action,
                "parameter_not_validated",
                f"AWS accepted {value} as version {version} of {action.resource}, but did not validate it "
                f"within {wait_timeout:g} seconds.",
                "Rerun, in case AWS is still validating it. If validation failed, Parameter Store has sent "
                "an event to EventBridge: the image must be available to the account, and the credentials "
                "must allow ec2:DescribeImages and ssm:GetParameters.",
            )
        ]
    if now.value != value:
        return [_other_image(action, value, now)]
    run.version = now.version
    return []


def _put_label(
    ssm: Any, action: Action, image_id: str | None, wait_timeout: float, run: PublishRun
) -> list[Failure]:
    """Label the version, and then each newer one that has the same image, and return the failures.

    Two runs at once may put a version each, and one version at a time has the label (Systems Manager API
    Reference, LabelParameterVersion). Each run labels after AWS has validated its own version, so the run
    that labels last reads the newest one.
    """
    while not (failures := run.note(action, perform(ssm, action))):
        version = action.parameters["ParameterVersion"]
        now = _read_from(ssm, action.parameters["Name"], version, min(_BUSY_FOR, wait_timeout))
        if now is None:
            return [
                _failure(
                    action,
                    _CONFLICT,
                    f"{action.resource} was deleted, or deleted and created again, by another client at the "
                    f"same time: version {version} is gone.",
                    "Look for the other client, and rerun.",
                )
            ]
        if now.value != image_id:
            return [_other_image(action, image_id, now)]
        if now.version == version:
            break
        run.version = now.version
        action = replace(action, parameters={**action.parameters, "ParameterVersion": now.version})
    return failures


def _read_from(ssm: Any, name: str, version: int, wait_timeout: float) -> CurrentParameter | None:
    """Return the parameter as soon as it has this version or a newer one; None if it has neither in time."""

    def is_enough(now: CurrentParameter | None) -> bool:
        return now is not None and now.version >= version

    now = repeat_until(lambda: current(ssm, name), is_enough, wait_timeout, _FIRST_PAUSE, _LONGEST_PAUSE)
    return now if is_enough(now) else None


def _other_image(action: Action, image_id: str | None, now: CurrentParameter) -> Failure:
    return _failure(
        action,
        _CONFLICT,
        f"{action.resource} was changed to {now.value} in version {now.version} by another client at the "
        "same time.",
        f"Look for the other client. Rerun only if {image_id} is to replace {now.value}.",
    )


def _failure(action: Action, code: str, message: str, remedy: str) -> Failure:
    return Failure.at(action.target, action.operation, code, message, remedy)

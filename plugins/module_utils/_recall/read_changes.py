# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what is to move again right before the first change of a target: a fix may be published by then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._aws.parameters import current
from .._failures import Failure
from .._model import Target
from .._plan import Action
from .._publish.read_launch_templates import read_launch_templates
from .._publish.state import LaunchTemplate, TargetState

_REMEDY = "Rerun, in case it names the release. If it names a fix, nothing is left to do."
_COMMANDS = {
    "PutParameter": "aws ssm get-parameter --name {}:{}",
    "ModifyLaunchTemplate": (
        "aws ec2 describe-launch-template-versions --launch-template-id {} --versions {}"
    ),
}


def find_changed(
    services: Mapping[str, Any], target: Target, state: TargetState, actions: tuple[Action, ...]
) -> dict[str, Failure]:
    """Return a failure for each parameter and template to move, by name or ID, that has changed since.

    ``state`` is what was read. ``services`` are the target's clients. Errors are botocore's.
    """
    failures: dict[str, Failure] = {}
    moved = {action.resource or "" for action in actions}
    templates = {item.template_id: item for item in state.templates.values() if item.template_id in moved}
    if state.parameter and any(action.service == "ssm" for action in actions):
        name = next(action.resource or "" for action in actions if action.service == "ssm")
        now = current(services["ssm"], name)
        if now is None or now.version != state.parameter.latest.version:
            text = f"names {now.value} in version {now.version}" if now else "does not exist any more"
            failures[name] = _report(target, "PutParameter", name, text)
    found = read_launch_templates(services["ec2"], templates, target)
    for template_id, template in templates.items():
        if _numbers(found.get(template_id)) != _numbers(template):
            text = _describe(found.get(template_id))
            failures[template_id] = _report(target, "CreateLaunchTemplateVersion", template_id, text)
    return failures


def report_replaced(target: Target, operation: str, name: str, first: int, version: int) -> list[Failure]:
    """Return a failure if the version that this task has made is not the ``first`` that was free.

    Another client has then made a version between the reading and the call, and may have made that of a
    template the default one. No condition of the calls can prevent it (botocore shapes
    ``PutParameterRequest``, ``ModifyLaunchTemplateRequest``).
    """
    if version <= first:
        return []
    which = f"version {first}" if version == first + 1 else f"versions {first} to {version - 1}"
    return [
        Failure.at(
            target,
            operation,
            "concurrent_change",
            f"{name} got {which} from another client at the same time, and version {version} of this task "
            "has replaced that.",
            f"Look at {which} ({_COMMANDS[operation].format(name, first)}). If it names a fix, publish that "
            "again.",
        )
    ]


def _numbers(template: LaunchTemplate | None) -> tuple[int, int] | None:
    return (template.default.number, template.latest.number) if template else None


def _describe(template: LaunchTemplate | None) -> str:
    if template is None:
        return "does not exist any more"
    default, latest = template.default, template.latest
    return (
        f"launches {default.image_id or 'no image'} by default in version {default.number}, and "
        f"{latest.image_id or 'no image'} in its latest version, {latest.number}"
    )


def _report(target: Target, operation: str, name: str, text: str) -> Failure:
    message = f"{name} was changed since it was read, and stays as it is: it {text}."
    return Failure.at(target, operation, "concurrent_change", message, _REMEDY)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Validates values of data type `aws:ec2:image`, which become a version of a parameter only afterwards.

botocore shape PutParameterRequest, DataType: PutParameter responds before the validation is complete, and if
it fails the parameter is neither created nor updated. Systems Manager User Guide, "Native parameter support
for Amazon Machine Image IDs": the image must be available in the account, and the caller must have the
permissions ec2:DescribeImages and ssm:GetParameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from moto.ssm.models import SimpleSystemManagerBackend, ssm_backends

from ..ec2 import state
from ..ec2.access import Caller, visible_image
from ..ec2.authorization import refusal, request
from ..ec2.errors import Ec2Error
from ..iam.current_principal import current_principal
from ..resource_arns import ALL, Scope
from ..settings import SETTINGS

LOCK = state.LOCK
"""Every action on parameters holds it: that of images, because each of both reads the other's state."""


@dataclass(frozen=True)
class Validation:
    """A value that is being validated since `started`, and moto's arguments to store it."""

    value: str
    started: datetime
    stored: dict[str, Any]
    is_permitted: bool = True

    def is_over(self) -> bool:
        """Whether the validation has ended."""
        return state.now() >= self.started + timedelta(seconds=SETTINGS.parameter_validation_seconds)


_running: dict[tuple[Caller, str], Validation] = {}


def is_running(caller: Caller, name: str) -> bool:
    """Whether a value of this parameter is being validated."""
    return (caller, name) in _running


def begin(caller: Caller, name: str, value: str, stored: dict[str, Any]) -> None:
    """Start the validation of a value."""
    _running[caller, name] = Validation(value, state.now(), stored, _may_validate(caller, name))
    settle(caller)


def settle(caller: Caller) -> None:
    """Store the values of an account and Region that are valid, and drop those that are not."""
    with LOCK:
        for (whose, name), validation in list(_running.items()):
            if whose == caller and validation.is_over():
                del _running[whose, name]
                if validation.is_permitted and _is_available(caller, validation.value):
                    backend(caller).put_parameter(**validation.stored)


def reset() -> None:
    """Delete all validations."""
    with LOCK:
        _running.clear()


def backend(caller: Caller) -> SimpleSystemManagerBackend:
    """moto's backend of an account in a Region."""
    return ssm_backends[caller.account_id][caller.region]


def _may_validate(caller: Caller, name: str) -> bool:
    partition = current_principal(caller.account_id).partition
    parameter = Scope(partition, caller.region, caller.account_id).arn(
        "ssm", f"parameter/{name.removeprefix('/')}"
    )
    needed = {"ec2:DescribeImages": ALL, "ssm:GetParameters": parameter}
    return not any(refusal(request(caller, action, arn)) for action, arn in needed.items())


def _is_available(caller: Caller, image_id: str) -> bool:
    try:
        return visible_image(caller, image_id).state == "available"
    except Ec2Error:
        return False

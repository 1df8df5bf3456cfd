# SPDX-License-Identifier: GPL-3.0-or-later
"""What Parameter Store answers when it refuses."""

from __future__ import annotations

from moto.ssm.exceptions import SSMException, ValidationException


def not_valid(message: str) -> SSMException:
    """A parameter outside what its documentation allows."""
    return ValidationException(message)


def ssm_error(code: str, message: str) -> SSMException:
    """A refusal with one of the codes that botocore's model lists for the operation."""
    return SSMException(code, message)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of Parameter Store."""

from __future__ import annotations

from moto.ssm.exceptions import SSMException, ValidationException


def not_valid(message: str) -> SSMException:
    """A parameter value that is not valid by its documentation."""
    return ValidationException(message)


def ssm_error(code: str, message: str) -> SSMException:
    """An error with one of the codes of the operation in botocore's model."""
    return SSMException(code, message)

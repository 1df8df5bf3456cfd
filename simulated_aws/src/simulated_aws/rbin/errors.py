# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the Recycle Bin, by the error shapes of botocore's service model `rbin`."""

from __future__ import annotations

from ..exceptions import AwsError


class RbinError(AwsError):
    """An error of the Recycle Bin."""


def not_valid(message: str) -> RbinError:
    """A parameter value that is not valid by its documentation."""
    return RbinError("ValidationException", message)


def not_found(identifier: str) -> RbinError:
    """The caller has no rule with this ID in the Region."""
    return RbinError("ResourceNotFoundException", f"The rule {identifier} does not exist", 404)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of AWS RAM, by the error shapes of botocore's service model `ram`."""

from __future__ import annotations

from ..exceptions import AwsError


class RamError(AwsError):
    """An error of AWS RAM."""


def not_valid(message: str) -> RamError:
    """A parameter value that is not valid by its documentation."""
    return RamError("InvalidParameterException", message)


def unknown(message: str) -> RamError:
    """A resource that does not exist, or is not the caller's."""
    return RamError("UnknownResourceException", message)


def not_permitted(message: str) -> RamError:
    """An operation that is not permitted."""
    return RamError("OperationNotPermittedException", message)

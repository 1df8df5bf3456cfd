# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the Recycle Bin, by the error shapes of botocore's service model `rbin`."""

from __future__ import annotations


class RbinError(Exception):
    """An error of the Recycle Bin: code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def not_valid(message: str) -> RbinError:
    """A parameter value that is not valid by its documentation."""
    return RbinError("ValidationException", message)


def not_found(identifier: str) -> RbinError:
    """The caller has no rule with this id in the Region."""
    return RbinError("ResourceNotFoundException", f"The rule {identifier} does not exist", 404)

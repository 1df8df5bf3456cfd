# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals by the error shapes of botocore's service model `rbin`."""

from __future__ import annotations


class RbinError(Exception):
    """A request that the Recycle Bin refuses: code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def not_valid(message: str) -> RbinError:
    """A parameter outside what its documentation allows."""
    return RbinError("ValidationException", message)


def not_found(identifier: str) -> RbinError:
    """No such rule of the caller in the Region."""
    return RbinError("ResourceNotFoundException", f"The rule {identifier} does not exist", 404)

# SPDX-License-Identifier: GPL-3.0-or-later
"""NotSimulated: raised for what AWS can do and this simulation cannot, so that no test relies on a guess.

AwsError: what services that moto lacks respond instead of a result.
"""

from __future__ import annotations


class AwsError(Exception):
    """An error of a service: code and message of its error document, and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class NotSimulated(NotImplementedError):
    """A valid request that is not simulated; the message names the feature.

    The HTTP server responds as for an unknown operation, and includes the message.
    """

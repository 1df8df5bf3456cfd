# SPDX-License-Identifier: GPL-3.0-or-later
"""NotSimulated: raised for what AWS can do and this simulation cannot, so that no test relies on a guess."""

from __future__ import annotations


class NotSimulated(NotImplementedError):
    """A valid request that is not simulated; the message names the feature.

    The HTTP server responds as for an unknown operation, and includes the message.
    """

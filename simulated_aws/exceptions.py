# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS does and this simulation doesn't: said aloud, so that no test rests on a guess."""

from __future__ import annotations


class NotSimulated(NotImplementedError):
    """Something valid that isn't simulated; the message names it.

    The front answers it as an operation that isn't there, with the message.
    """

# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m checks.returns: put the return values that several modules document alike into the modules."""

from __future__ import annotations

from checks.returns import write

write()

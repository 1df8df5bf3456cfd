# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m checks.codes: write docs/codes.md."""

from __future__ import annotations

from checks.codes import write

write()

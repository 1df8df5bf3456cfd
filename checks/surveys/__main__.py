# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m checks.surveys: write the AWX surveys from the options of the roles."""

from __future__ import annotations

from checks.surveys import write

write()

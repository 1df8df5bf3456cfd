# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m checks.variables: write the files of the roles that follow from ``meta/variables.yml``."""

from __future__ import annotations

from checks.variables import write

write()

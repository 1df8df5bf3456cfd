# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the documentation with the cause and the remedy of each code."""

from __future__ import annotations

import re

PAGE = ""
"""The address of docs/codes.md, which a release writes; empty before the first one."""

# The page has a heading for each code of the collection. Codes of AWS and botocore are not in snake_case.
_OWN = re.compile(r"[a-z]+(?:_[a-z]+)*")


def build_address(code: str) -> str:
    """Return the address of a code's heading; empty for codes of AWS and botocore, and without a page."""
    return f"{PAGE}#{code}" if PAGE and _OWN.fullmatch(code) else ""

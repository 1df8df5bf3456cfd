# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of a report as CSV (RFC 4180) without formulas."""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from typing import Any

from .document import Table
from .values import is_number, text_of

# The characters that start a formula in spreadsheets: OWASP, "CSV Injection", and ASVS 1.2.10 for the null
# character. East Asian locales accept the full-width forms too.
_FORMULA = tuple("=+-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20")
# Spreadsheets of some locales separate cells at semicolons or tabs, ignore quotes after a comma, and so start
# a cell within a text.
_WITHIN = re.compile('([;\t\r\n])(?=[\\s"]*[=+\\-@\uff1d\uff0b\uff0d\uff20])')
# As OWASP recommends: a spreadsheet shows the rest of the cell as text.
_TEXT = "'"


class _Lines(list[str]):
    """A file object for the ``csv`` module."""

    write = list.append


def csv_text(records: Table) -> str:
    """One line for the titles and one for each row; texts are quoted, numbers are not."""
    lines = _Lines()
    writer = csv.writer(lines, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([_cell(column.title) for column in records.columns])
    writer.writerows([_cell(row.get(column.key)) for column in records.columns] for row in records.rows)
    return "".join(lines)


def _cell(value: Any) -> Any:
    # First, because nearly all of the millions of cells of a large report are text.
    if isinstance(value, str):
        return _harmless(value)
    if is_number(value):
        return value
    return _harmless(text_of(value, yes="true", no="false"))


@lru_cache(maxsize=65_536)
def _harmless(text: str) -> str:
    """The text without the start of a formula. Cached, because names and IDs repeat in a large report."""
    text = _WITHIN.sub(rf"\1{_TEXT}", text)
    # A spreadsheet may strip leading spaces first.
    dangerous = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return f"{_TEXT}{text}" if dangerous else text

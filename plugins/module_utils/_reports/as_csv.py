# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of a report as CSV (RFC 4180) without formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from .document import Each, Table
from .values import is_number, render_text

# The characters that start a formula in spreadsheets: OWASP, "CSV Injection", and ASVS 1.2.10 for the null
# character. East Asian locales accept the full-width forms too.
_FORMULA = tuple("=+-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20")
# Spreadsheets of some locales separate cells at semicolons or tabs, ignore quotes after a comma, and so start
# a cell within a text.
_WITHIN = re.compile('([;\t\r\n])(?=[\\s"]*[=+\\-@\uff1d\uff0b\uff0d\uff20])')
# As OWASP recommends: a spreadsheet shows the rest of the cell as text.
_TEXT = "'"
_END = "\r\n"


def render_csv(records: Table) -> str:
    """Return the table as CSV: a line of titles, then the rows; texts are quoted, numbers are not."""
    titles = ",".join(_render_cell(column.title) for column in records.columns)
    return "".join((f"{titles}{_END}", *_render_rows(records)))


def _render_rows(records: Table) -> Iterator[str]:
    """Yield the lines of each row, joined."""
    for row in records.rows:
        cells = [row.get(column.key) for column in records.columns]
        each = next((value for value in cells if isinstance(value, Each)), None)
        if each is None:
            yield ",".join(map(_render_cell, cells)) + _END
            continue
        # Only one cell differs between the rows, of which a large report has hundreds of thousands.
        place = cells.index(each)
        before = "".join(f"{_render_cell(value)}," for value in cells[:place])
        after = "".join(f",{_render_cell(value)}" for value in cells[place + 1 :]) + _END
        yield "".join(f"{before}{_render_cell(value)}{after}" for value in each.values)


def _render_cell(value: Any) -> str:
    if is_number(value):
        return str(value)
    return _quote(render_text(value, yes="true", no="false"))


@lru_cache(maxsize=65_536)
def _quote(text: str) -> str:
    """Return the text as a cell without the start of a formula; cached, since accounts and regions repeat."""
    text = _WITHIN.sub(rf"\1{_TEXT}", text)
    # A spreadsheet may strip leading spaces first.
    dangerous = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    harmless = f"{_TEXT}{text}" if dangerous else text
    return '"' + harmless.replace('"', '""') + '"'

# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as one self-contained HTML page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import groupby
from typing import Any

from ..._wording import escape_invisible
from ..codes_page import address_of
from ..document import Column, Document, Mark, Matrix
from ..values import text_of, with_account_names, wrapping
from .paper import Paper
from .view import (
    MAX_OPEN_CHANGES,
    MAX_OPEN_ROWS,
    PAPER_COLUMNS,
    SEVERITY_SYMBOLS,
    SYMBOLS,
    MatrixView,
    page_view,
)

try:
    import jinja2
    from markupsafe import Markup
except ImportError:
    MISSING = "Jinja2"
    """The package that is missing for HTML; empty if none is."""
else:
    MISSING = ""


_TEMPLATE, _STYLE, _SCRIPT = "page.html.j2", "page.css", "page.js"
# The rules below depend on the page; all others are in page.css. Everything is printed after "Open all".
_FIRST_ONLY = """@supports selector(:nth-child(1 of p)) { @media print {
  FURTHER { display: none; }
  body:not(.all) .more { display: block; }
} }
"""


def html_text(document: Document, written_at: str, files: Mapping[str, str]) -> str:
    """Return the page. Names and tags are text in it, and cannot load or run anything.

    Two independent measures ensure that: every value is escaped, and the page's Content-Security-Policy
    allows only its own style and script. ``files`` are those of ``plugin_utils/_page``, the texts by name.
    """
    page = page_view(document, written_at)
    style = f"{files[_STYLE]}{_printed(page.paper)}{_width(page.matrix)}"
    head, labels = _row_titles(document.matrix)
    text: str = _template(files[_TEMPLATE]).render(
        address_of=address_of,
        head=head,
        labels=labels,
        max_open_changes=MAX_OPEN_CHANGES,
        max_open_rows=MAX_OPEN_ROWS,
        account_names=document.account_names,
        page=page,
        paper_columns=PAPER_COLUMNS,
        policy=_policy(style, files[_SCRIPT]),
        script=files[_SCRIPT],
        severity_symbols=SEVERITY_SYMBOLS,
        since=_time(document.changes.since) if document.changes else "",
        style=style,
        symbols=SYMBOLS,
        worst=next(iter(page.counts), "good" if document.complete else ""),
        written=_time(written_at),
    )
    return text


@cache
def _template(text: str) -> Any:
    environment = jinja2.Environment(
        autoescape=True,
        finalize=jinja2.pass_context(_shown),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["marked"] = _marked
    environment.filters["wrapping"] = wrapping
    return environment.from_string(text)


def _marked(marks: Iterable[Mark | None], legend: Mapping[Mark, str]) -> Markup:
    """Return the cells of a matrix row. The template would escape each of 100,000 cells again.

    One cell spans all empty ones in a row: most accounts have access to few of the images, and a page of
    100,000 elements is slow.
    """
    cells = _mark_cells(tuple(legend.items()))
    runs = ((mark, len([*alike])) for mark, alike in groupby(marks))
    return Markup("").join(_empty(number) if mark is None else cells[mark] * number for mark, number in runs)


def _empty(number: int) -> Markup:
    return Markup('<td colspan="{}"></td>').format(number) if number > 1 else Markup("<td></td>")


@cache
def _mark_cells(legend: tuple[tuple[Mark, str], ...]) -> dict[Mark, Markup]:
    cell = Markup('<td class="{}" title="{}"><b>{}</b></td>')
    meanings = dict(legend)
    return {mark: cell.format(mark, meanings.get(mark, mark), SYMBOLS[mark]) for mark in Mark}


def _shown(context: Any, value: Any) -> Any:
    """Return a value as the page shows it, with the names of accounts; markup is unchanged."""
    if hasattr(value, "__html__"):
        return value
    return with_account_names(escape_invisible(text_of(value)), context["account_names"])


def _printed(paper: Paper) -> str:
    """Return the rules that print the first elements of each list, of those that no filter hides.

    A browser that cannot count these prints all.
    """
    numbers = {
        ".groups > .group": paper.groups,
        ".changes li": paper.changes,
        ".matrix tbody tr": paper.matrix_rows,
    }
    further = ", ".join(
        f"body:not(.all) {selector}:nth-child(n+{number + 1} of {selector.split()[-1]}:not([hidden]))"
        for selector, number in numbers.items()
    )
    return _FIRST_ONLY.replace("FURTHER", further)


def _width(matrix: MatrixView | None) -> str:
    """Return the rule for the width of the matrix.

    A fixed one halves the layout time of a large matrix, because the browser need not measure each cell.
    """
    columns = len(matrix.columns) if matrix else 0
    return f".matrix {{ width: calc(var(--first) + {columns} * 1.7rem); }}\n"


def _row_titles(matrix: Matrix | None) -> tuple[Column, tuple[Column, ...]]:
    """Return the label that is the title of a matrix row (the name, if there is one), and the others."""
    labels = matrix.labels if matrix is not None and matrix.labels else (Column("", ""),)
    head = next((label for label in labels if label.key == "name"), labels[0])
    return head, tuple(label for label in labels if label is not head)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    """Return the source expression of a text (W3C, Content Security Policy Level 3, 2.3.1)."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _time(time: str) -> str:
    """Return an ISO 8601 time in UTC for display."""
    return time.replace("T", " ").replace("+00:00", " UTC")

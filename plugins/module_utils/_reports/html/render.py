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

from ..._arns import account_of
from ..._wording import escape_invisible
from ..codes_page import build_address
from ..document import COLLECTION_VERSION, Column, Document, Mark, Matrix
from ..values import add_account_names, choose_wrapping, render_text
from .paper import Paper
from .view import (
    MAX_OPEN_CHANGES,
    MAX_OPEN_ROWS,
    PAPER_COLUMNS,
    SEVERITY_SYMBOLS,
    SYMBOLS,
    MatrixView,
    build_page_view,
)

try:
    import jinja2
    from markupsafe import Markup
except ImportError:
    MISSING = "Jinja2"
    """The package that is missing for HTML; empty if none is."""
else:
    MISSING = ""


_VERSIONS = (("ansible_core", "ansible-core"), ("botocore", "botocore"))
_TEMPLATE, _STYLE, _SCRIPT = "page.html.j2", "page.css", "page.js"
# The rules below depend on the page; all others are in page.css. Everything is printed after "Open all".
_FIRST_ONLY = """@supports selector(:nth-child(1 of p)) { @media print {
  FURTHER { display: none; }
  body:not(.all) .more { display: block; }
} }
"""


def render_html(document: Document, written_at: str, files: Mapping[str, str]) -> str:
    """Return the page, in which names and tags are text that cannot load or run anything.

    Two independent measures ensure that: every value is escaped, and the page's Content-Security-Policy
    allows only its own style and script. ``files`` are those of ``plugin_utils/_page``, the texts by name.
    """
    page = build_page_view(document, written_at)
    style = f"{files[_STYLE]}{_print_rules(page.paper)}{_width_rule(page.matrix)}"
    head, labels = _row_titles(document.matrix)
    text: str = _template(files[_TEMPLATE]).render(
        address_of=build_address,
        head=head,
        labels=labels,
        max_open_changes=MAX_OPEN_CHANGES,
        max_open_rows=MAX_OPEN_ROWS,
        account=account_of(document.written_by.get("caller", "")),
        account_names=document.account_names,
        versions=_list_versions(document.written_by),
        page=page,
        paper_columns=PAPER_COLUMNS,
        policy=_policy(style, files[_SCRIPT]),
        script=files[_SCRIPT],
        severity_symbols=SEVERITY_SYMBOLS,
        since=_render_time(document.changes.since) if document.changes else "",
        style=style,
        symbols=SYMBOLS,
        worst=next(iter(page.counts), "good" if document.complete and not document.empty else ""),
        written=_render_time(written_at),
    )
    return text


@cache
def _template(text: str) -> Any:
    environment = jinja2.Environment(
        autoescape=True,
        finalize=jinja2.pass_context(_render_value),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["marked"] = _render_marks
    environment.filters["wrapping"] = choose_wrapping
    return environment.from_string(text)


def _render_marks(marks: Iterable[Mark | None], legend: Mapping[Mark, str]) -> Markup:
    """Return the cells of a matrix row; adjacent empty ones are one cell.

    The template would escape each of 100,000 cells again, and a page of 100,000 elements is slow: most
    accounts have access to few of the images.
    """
    cells = _mark_cells(tuple(legend.items()))
    runs = ((mark, len([*alike])) for mark, alike in groupby(marks))
    return Markup("").join(
        _empty_cells(number) if mark is None else cells[mark] * number for mark, number in runs
    )


def _empty_cells(number: int) -> Markup:
    return Markup('<td colspan="{}"></td>').format(number) if number > 1 else Markup("<td></td>")


@cache
def _mark_cells(legend: tuple[tuple[Mark, str], ...]) -> dict[Mark, Markup]:
    cell = Markup('<td class="{}" title="{}"><b>{}</b></td>')
    meanings = dict(legend)
    return {mark: cell.format(mark, meanings.get(mark, mark), SYMBOLS[mark]) for mark in Mark}


def _render_value(context: Any, value: Any) -> Any:
    """Return a value as the page shows it, with the names of accounts; markup is unchanged."""
    if hasattr(value, "__html__"):
        return value
    return add_account_names(escape_invisible(render_text(value)), context["account_names"])


def _print_rules(paper: Paper) -> str:
    """Return the rules that limit how many elements of each list are printed; hidden ones do not count.

    A browser without ``:nth-child(… of …)`` prints all of them.
    """
    numbers = {
        ".groups > .group": paper.groups,
        ".changes li": paper.changes,
        ".matrix tbody tr": paper.matrix_rows,
    }
    selectors = ", ".join(
        f"body:not(.all) {selector}:nth-child(n+{number + 1} of {selector.split()[-1]}:not([hidden]))"
        for selector, number in numbers.items()
    )
    return _FIRST_ONLY.replace("FURTHER", selectors)


def _width_rule(matrix: MatrixView | None) -> str:
    """Return the rule for the width of the matrix.

    A fixed width halves the layout time of a large matrix: the browser need not measure each cell.
    """
    columns = len(matrix.columns) if matrix else 0
    return f".matrix {{ width: calc(var(--first) + {columns} * 1.7rem); }}\n"


def _list_versions(written_by: Mapping[str, str]) -> str:
    """Return the versions that wrote the report: ``golden.images 1.0.0, ansible-core 2.19.1``."""
    versions = (
        f"{name} {written_by[key]}"
        for key, name in ((COLLECTION_VERSION, "golden.images"), *_VERSIONS)
        if key in written_by
    )
    return ", ".join(versions) or "golden.images"


def _row_titles(matrix: Matrix | None) -> tuple[Column, tuple[Column, ...]]:
    """Return the label that is the title of a matrix row (the name, if there is one), and the others."""
    labels = matrix.labels if matrix is not None and matrix.labels else (Column("", ""),)
    head = next((label for label in labels if label.key == "name"), labels[0])
    return head, tuple(label for label in labels if label is not head)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_hash_source(style)}; script-src {_hash_source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash_source(text: str) -> str:
    """Return the source expression of a text (W3C, Content Security Policy Level 3, 2.3.1)."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _render_time(time: str) -> str:
    """Return an ISO 8601 time in UTC for display."""
    return time.replace("T", " ").replace("+00:00", " UTC")

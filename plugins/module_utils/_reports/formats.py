# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The formats of a report, each as the text of a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .document import Document

NAMES = ("report.json", "report.csv", "report.sarif", "report.html")
"""The files of a report."""
JSON = NAMES[0]
_STEM = "report"
LATEST = "latest"
"""The name of the latest report's files, without extension, in a directory of dated reports."""
_NOT_IN_NAMES = re.compile(r"[^0-9T]")
_json = json.JSONEncoder(sort_keys=True).encode


def replace_stem(stem: str, name: str) -> str:
    """Return the name of a file in NAMES with another stem: ``latest.csv``."""
    return f"{stem}{name.removeprefix(_STEM)}"


def make_dated_stem(written_at: str, failed: bool = False) -> str:
    """Return the stem of the files of a report, from its time (ISO 8601, UTC): ``report-20261124T120000Z``.

    It has no colons, which file systems and stores of artifacts refuse.
    """
    time = _NOT_IN_NAMES.sub("", written_at.partition("+")[0])
    return f"{_STEM}-{time}Z{'.failed' if failed else ''}"


def render_json(content: Mapping[str, Any]) -> str:
    """Return the content of a report as JSON, with a line for each item of a list and entry of a mapping.

    ``grep`` and ``diff`` then find an image as a whole. Python's encoder takes ten times as long to indent.
    """
    entries = ((f"  {_json(key)}: ", *_render_value(content[key])) for key in sorted(content))
    # All parts are joined at once: a text of tens of megabytes is copied only once.
    return "".join((*_render_block("{}", entries, ""), "\n"))


def _render_value(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _render_block(
            "{}", ((f"    {_json(key)}: {_json(value[key])}",) for key in sorted(value)), "  "
        )
    elif isinstance(value, list):
        yield from _render_block("[]", ((f"    {_json(item)}",) for item in value), "  ")
    else:
        yield _json(value)


def _render_block(brackets: str, entries: Iterable[Iterable[str]], indent: str) -> Iterator[str]:
    """Yield the parts of a text with an entry on each line, or on none."""
    before = f"{brackets[0]}\n"
    for entry in entries:
        yield before
        yield from entry
        before = ",\n"
    yield f"\n{indent}{brackets[1]}" if before == ",\n" else brackets


def render_all(document: Document, written_at: str, page: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of the files in all formats but JSON, which has more than the document.

    Each can have tens of megabytes, so only one is kept in memory. ``page`` has the files of the page.
    """
    # Most tasks write no report, or none in these formats.
    from .as_csv import render_csv
    from .as_sarif import render_sarif
    from .html.render import render_html

    _json_name, csv_name, sarif_name, html_name = NAMES
    yield csv_name, _escape_surrogates(render_csv(document.records))
    yield sarif_name, _escape_surrogates(render_sarif(document, written_at))
    yield html_name, _escape_surrogates(render_html(document, written_at, page))


def _escape_surrogates(text: str) -> str:
    """Return the text with lone surrogates, which UTF-8 cannot encode, as escape sequences."""
    # Most tables are ASCII, and can have tens of megabytes.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")

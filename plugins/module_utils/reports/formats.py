# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms that a report takes, each as the text of a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .as_csv import csv_text
from .as_sarif import sarif_text
from .document import Document
from .html.render import html_text

JSON = "report.json"
NAMES = (JSON, "report.csv", "report.sarif", "report.html")
"""The files that make up a report."""


def json_text(content: Mapping[str, Any]) -> str:
    """What a report says as JSON."""
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def render_all(document: Document, written_at: str) -> dict[str, str]:
    """Every form but the JSON, which holds more than the document does."""
    texts = (csv_text(document.records), sarif_text(document, written_at), html_text(document, written_at))
    return {name: _encodable(text) for name, text in zip(NAMES[1:], texts, strict=True)}


def _encodable(text: str) -> str:
    """The text with halves of characters, which UTF-8 cannot hold, written as their code points."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")

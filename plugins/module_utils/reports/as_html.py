# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as one HTML page."""

from __future__ import annotations

from .document import Document

try:
    import jinja2
except ImportError:
    MISSING = "Jinja2"
else:
    MISSING = ""


def html_text(document: Document, written_at: str) -> str:
    """The page."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string("<!doctype html><title>{{ document.title }}</title>{{ written_at }}")
    return template.render(document=document, written_at=written_at)

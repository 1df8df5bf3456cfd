# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that are web pages, from a proxy, a gateway or a login page between this machine and AWS."""

from __future__ import annotations

from typing import Any

from .errors import WebPage

_BEGINNINGS = (b"<!doctype html", b"<html")


def refuse_web_page(response_dict: dict[str, Any], operation_model: Any, **_event: Any) -> None:
    """Botocore's event ``before-parse``: refuse an answer that is a web page.

    Botocore would read a well-formed page as an empty answer, and with the HTTP status 200 as success:
    nothing found, or a change made. Of pages with a status of a server error it recognizes those that begin
    with <html> (botocore.parsers, ``_is_generic_error_response``): such a call fails with the status as its
    code, and is repeated like other server errors.

    Raises:
        WebPage: the page has another status.
    """
    body = response_dict.get("body")
    if not isinstance(body, bytes) or not body.lstrip()[:14].lower().startswith(_BEGINNINGS):
        return
    status = response_dict["status_code"]
    if status < 500:
        raise WebPage(operation=operation_model.name, status=status)
    response_dict["body"] = b"<html>"

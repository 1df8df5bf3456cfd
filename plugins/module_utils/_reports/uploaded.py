# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The place that a report was uploaded to, at the end of the text that a role displays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .screen import (
    OUTPUT,
    Line,
    Screen,
    Tone,
    break_path,
    format_failure_message,
    format_failures,
    join_messages,
    wrap_text,
)

_NOT_WRITTEN = "The report was not written."
_NOT_UPLOADED = "The report was not uploaded."


def add_report(screen: Screen, result: Mapping[str, Any], is_plan: bool) -> Screen:
    """Return the screen with the outcome of the report that the module of ``result`` made."""
    report_failures = result["report_failures"]
    if report_failures:
        head = _NOT_UPLOADED if result["report_s3_uri"] else _NOT_WRITTEN
        return _add_failures(screen, head, report_failures)
    return add_report_place(screen, result, is_plan)


def _add_failures(screen: Screen, head: str, report_failures: Sequence[Mapping[str, Any]]) -> Screen:
    message = format_failure_message(head, report_failures, OUTPUT)
    return replace(
        screen,
        lines=(*screen.lines, *wrap_text(head, Tone.BAD), *format_failures(report_failures, OUTPUT)),
        artifacts=_artifacts(screen, None, None),
        failure=join_messages((screen.failure, message)),
    )


def add_report_place(screen: Screen, result: Mapping[str, Any], is_plan: bool) -> Screen:
    """Return the screen with the place of a report; ``result`` is empty without an upload."""
    uri, url = result.get("report_s3_uri"), result.get("report_url")
    if uri is None or is_plan:
        return replace(
            screen, lines=(*screen.lines, *_planned_line(uri)), artifacts=_artifacts(screen, None, None)
        )
    lines = (*screen.lines, *break_path("Uploaded: ", uri), *break_path("Console: ", str(url)))
    return replace(screen, lines=lines, artifacts=_artifacts(screen, uri, url))


def find_common_folder(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the parent folder in S3 of several reports; ``results`` are by the name of a report's folder.

    It is empty if none was uploaded. The results of reports without an upload are empty.
    """
    for name, result in results.items():
        if result.get("report_s3_uri"):
            # The names are letters, digits, dots, hyphens and underscores: they are the same in a URL.
            url = result["report_url"].removesuffix(f"{name}/").removesuffix("?prefix=")
            return {"report_s3_uri": result["report_s3_uri"].removesuffix(f"{name}/"), "report_url": url}
    return {}


def _planned_line(uri: str | None) -> Iterator[Line]:
    if uri is not None:
        yield from break_path("Upload (not in check mode): ", uri)


def _artifacts(screen: Screen, uri: str | None, url: str | None) -> Mapping[str, Any]:
    return {**screen.artifacts, "report_s3_uri": uri, "report_url": url}

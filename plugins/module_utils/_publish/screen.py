# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text that the roles ``publish`` and ``rollback`` display, and the artifacts for the next job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._listing import count, join_texts
from .._reports.document import Column
from .._reports.screen import (
    Line,
    Row,
    Screen,
    Tone,
    collapse_rows,
    format_failures,
    format_table,
    has_no_change,
    limit_artifacts,
    list_failed_regions,
    list_failed_rows,
    name_outcome,
    name_status,
    read_module_message,
    wrap_text,
)

_COLUMNS = (
    Column("region", "region"),
    Column("account", "account"),
    Column("image", "image"),
    Column("version", "version", numeric=True),
    Column("templates", "templates"),
    Column("outcome", "outcome"),
)

Result = Mapping[str, Any]


def screen(result: Mapping[str, Any], context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the screen: parameter and launch templates by region and account, failures first.

    ``result`` is the result of ``ami_publish``. ``context`` has the ``role``, the ``parameter`` and
    ``check_mode``.
    """
    done = "rolled_back" if context["role"] == "rollback" else "published"
    status = name_status(result, done, context["check_mode"])
    problems = result.get("failures") or ()
    rest = report_path or f"the fact {context['role']}_failures"
    message = read_module_message(result, rest)
    published = result.get("results") or ()
    rows = [_row(item, context["check_mode"]) for item in published]
    lines = (
        *_headline(published, status, context),
        *format_table(_COLUMNS, tuple(collapse_rows(list_failed_rows(problems), rows))),
        *_name_labels(published),
        *_count_shared_with(published, context["check_mode"]),
        *format_failures(problems, rest, message),
    )
    artifacts = {
        "failed_regions": list_failed_regions(problems),
        "images": _list_images(published),
        "parameter": context["parameter"],
        "report_path": report_path,
        "status": status,
    }
    return Screen(lines, limit_artifacts(artifacts), message)


def _headline(published: Sequence[Result], status: str, context: Mapping[str, Any]) -> Iterator[Line]:
    regions = count(len({item["region"] for item in published}), "region")
    word = "rolled back" if context["role"] == "rollback" else "published"
    if status in ("planned", "published", "rolled_back") and has_no_change(published):
        text, tone = f"Nothing to change: {context['parameter']} is {word} in {regions} already.", Tone.GOOD
    elif status == "planned":
        text, tone = f"Check mode: {context['parameter']} would be {word} in {regions}.", Tone.GOOD
    elif status in ("published", "rolled_back"):
        text, tone = f"{word.capitalize()} {context['parameter']} in {regions}.", Tone.GOOD
    else:
        text, tone = f"{status.capitalize()}: {context['parameter']} {word} in {regions}.", Tone.BAD
    yield from wrap_text(text, tone)


def _row(target: Result, is_plan: bool) -> Row:
    version, templates = target["parameter_version"], target["launch_templates"] or {}
    cells = {
        "region": target["region"],
        "account": target["account_id"],
        "image": target["image_id"] or "(new)",
        "version": version,
        "templates": ", ".join(
            name if number is None else f"{name}:{number}" for name, number in templates.items()
        ),
        "outcome": name_outcome(target["changed"], is_plan),
    }
    return Row(cells)


def _name_labels(published: Sequence[Result]) -> Iterator[Line]:
    labels = dict.fromkeys(str(item["label"]) for item in published)
    if labels:
        noun = "Label" if len(labels) == 1 else "Labels"
        yield from wrap_text(f"{noun}: {join_texts([*labels])}.")


def _count_shared_with(published: Sequence[Result], is_plan: bool) -> Iterator[Line]:
    """Yield with how many the parameter is shared, which can differ by region."""
    consumers = {consumer for item in published for consumer in item.get("shared_with", ())}
    if consumers:
        would_be = is_plan and not has_no_change(published)
        text = "It would be shared" if would_be else "Shared"
        yield from wrap_text(f"{text} through AWS RAM with {count(len(consumers), 'consumer')}.")


def _list_images(published: Sequence[Result]) -> dict[str, str]:
    """Return the image of each region in which all accounts have the same one."""
    by_region: dict[str, set[str]] = {}
    for item in published:
        if item["image_id"]:
            by_region.setdefault(item["region"], set()).add(item["image_id"])
    return {region: images.pop() for region, images in by_region.items() if len(images) == 1}

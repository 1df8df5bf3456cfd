# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The screen of the role ``cleanup``, and what it passes to the next job."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .._listing import count, join_texts, ordinal
from .._reports.document import Column
from .._reports.screen import (
    MOST_FAILURES,
    MOST_ROWS,
    Line,
    Row,
    Screen,
    Tone,
    format_failure_message,
    format_failures,
    format_further,
    format_report_path,
    format_table,
    limit_artifacts,
    wrap_text,
)
from .._reports.values import render_date
from .decisions import KEEP, WAIT
from .report.outcome import DECISIONS, DONE, NOT_DONE, STAGES
from .report.wording import PAST, render_lost_images, render_money
from .stages import DEREGISTER
from .state import UNPROVEN, UNREADABLE, name_unread

_MOST_REASONS = 8
_IMAGE_COLUMNS = (
    Column("image_id", "image"),
    Column("region", "region"),
    Column("name", "name"),
    Column("newest", "newest", numeric=True),
    Column("created", "created"),
    Column("outcome", "outcome"),
)
# What differs between images with the same reason: IDs, dates and times.
_SPECIFIC = re.compile(
    r"\b(?:ami|snap|i|vol|lt)-[0-9a-z]+\b|\b[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:]+\S*)?|\b[0-9]{12}\b"
)


def screen(report: Mapping[str, Any], context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the stages, what cannot be restored, what is kept and why, and what failed.

    ``report`` is that of ``ami_cleanup``. ``context`` has ``failures``, those of the cleanup.
    """
    problems = [*report.get("failures", ()), *report.get("unreadable", ())]
    full_list = report_path or "the fact cleanup_report"
    failure = _render_failure(report, context, problems, full_list)
    lines = (
        *_render_headline(report),
        *_warn_of_lost_images(report),
        *format_table(_list_columns(report), tuple(_list_rows(report))),
        *_list_images(report, full_list),
        *_count_reasons(report.get("images", ())),
        *_count_waiting(report.get("images", ())),
        *format_failures(problems, full_list, failure),
        *_list_warnings(report, full_list),
        *format_report_path(report_path),
    )
    return Screen(lines, limit_artifacts(_list_artifacts(report, report_path)), failure)


def _render_headline(report: Mapping[str, Any]) -> Iterator[Line]:
    if not report:
        yield from wrap_text("It is not known what was changed.", Tone.BAD)
        return
    deregisters = bool(report["totals"]["by_decision"][DEREGISTER]["images"])
    planned = Tone.WARNING if deregisters else Tone.GOOD
    tone = {"done": Tone.GOOD, "planned": planned, "incomplete": Tone.WARNING}
    text = report["summary"]
    # The lines below have the failures.
    if report["status"] == "refused":
        text = "Nothing was changed."
    elif report["status"] == "failed":
        text = "It is not known what was changed."
    elif report["check_mode"]:
        text = text.replace("This is a plan, nothing was changed: ", "Check mode: ")
    yield from wrap_text(text, tone.get(report["status"], Tone.BAD))


def _warn_of_lost_images(report: Mapping[str, Any]) -> Iterator[Line]:
    if text := render_lost_images(report):
        yield from wrap_text(text, Tone.WARNING)


def _list_columns(report: Mapping[str, Any]) -> tuple[Column, ...]:
    currency = report.get("currency")
    # The images' own, which only a deregistration frees.
    when = "now" if report.get("check_mode") else "before"
    return (
        Column("decision", "decision"),
        Column("images", "images", numeric=True),
        Column("done", "done", numeric=True),
        Column("gib", f"GiB {when}", numeric=True),
        Column("cost", f"{currency} a month {when}", numeric=True),
    )


def _list_rows(report: Mapping[str, Any]) -> Iterator[Row]:
    """Yield a row for each decision on images, the most destructive first."""
    if not report or report["status"] in ("refused", "failed"):
        return
    for decision in DECISIONS:
        sums = report["totals"]["by_decision"][decision]
        if sums["images"]:
            acts = decision in STAGES and not report["check_mode"]
            cells = {
                "decision": decision,
                "images": f"{sums['images']:,}",
                "done": f"{sums['done']:,}" if acts else "",
                "gib": f"{sums['size_gib']:,}",
                "cost": render_money(sums["monthly_cost"], None),
            }
            yield Row(cells, Tone.BAD if acts and sums["not_done"] else Tone.PLAIN)


def _list_images(report: Mapping[str, Any], full_list: str) -> Iterator[Line]:
    """Yield each image that a stage is applied to, the most destructive stage first, and why."""
    for stage in STAGES:
        images = [image for image in report.get("images", ()) if image["decision"] == stage]
        if not images:
            continue
        images.sort(key=lambda image: image["outcome"] != NOT_DONE)
        if report["check_mode"]:
            what = f"To be {PAST[stage]}"
        elif images[-1]["outcome"] == NOT_DONE:
            what = f"Not {PAST[stage]}, although they could be"
        else:
            what = PAST[stage].capitalize()
        yield from wrap_text(f"{what}, since no rule keeps them, and no use was found:")
        yield from format_table(_IMAGE_COLUMNS, [_make_image_row(image) for image in images[:MOST_ROWS]])
        yield from format_further(len(images) - MOST_ROWS, full_list, Tone.PLAIN)


def _make_image_row(image: Mapping[str, Any]) -> Row:
    undone = image["outcome"] == NOT_DONE
    cells = {
        "image_id": image["image_id"],
        "region": image["region"],
        "name": image["name"],
        "newest": ordinal(image["rank"]) if image["rank"] else "",
        "created": render_date(image["creation_date"]),
        "outcome": "not done" if undone else "",
    }
    return Row(cells, Tone.BAD if undone else Tone.PLAIN)


def _count_reasons(images: Collection[Mapping[str, Any]]) -> Iterator[Line]:
    """Yield the reasons that keep or block images, each with the number of images.

    Each image counts once, for the first of its reasons.
    """
    for decision, title in ((KEEP, "kept"), (WAIT, "blocked")):
        reasons = (_find_first_reason(image) for image in images if image["decision"] == decision)
        counts = Counter(reason for reason in reasons if reason)
        ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        first, further = ranked[:_MOST_REASONS], ranked[_MOST_REASONS:]
        columns = (Column("number", title, numeric=True), Column("reason", "first reason of each"))
        yield from format_table(
            columns, [Row({"number": f"{number:,}", "reason": text}) for text, number in first]
        )
        if further:
            number = sum(number for _text, number in further)
            yield from wrap_text(f"and {count(number, 'image')} for {count(len(further), 'other reason')}")


def _count_waiting(images: Collection[Mapping[str, Any]]) -> Iterator[Line]:
    """Yield what images wait for whose next stage is not blocked, each with the number of images."""
    by_stage: dict[str, list[str]] = {}
    for image in images:
        if image["decision"] == WAIT and not image["reasons"]:
            dates = by_stage.setdefault(image["next_stage"] or "", [])
            dates.append(render_date(image["next_stage_at"]))
    columns = (Column("number", "waiting", numeric=True), Column("stage", "for"))
    yield from format_table(
        columns,
        [
            Row({"number": f"{len(dates):,}", "stage": _describe_next_stage(stage, dates)})
            for stage, dates in sorted(by_stage.items(), reverse=True)
        ],
    )


def _describe_next_stage(stage: str, dates: Collection[str]) -> str:
    if not stage:
        return "nothing: the last stage of the policy is reached"
    first, last = min(dates), max(dates)
    when = f"on {first}" if first == last else f"between {first} and {last}"
    return f"to be {PAST[stage]} {when}"


def _find_first_reason(image: Mapping[str, Any]) -> str:
    """Return a rule or a block, else a use, else what is not known; empty if nothing keeps the image."""
    if image["reasons"]:
        # One line counts images of all regions.
        reason = image["reasons"][0]
        return _SPECIFIC.sub("\u2026", str(reason)).replace("in this region", "in its region")
    subjects: dict[str, set[str]] = {}
    for item in image["evidence"]:
        subjects.setdefault(str(item["kind"]), set()).add(_SPECIFIC.sub("\u2026", str(item["subject"])))
    if uses := sorted(subjects.keys() - {UNREADABLE, UNPROVEN}):
        return f"It is in use: {', '.join(use.replace('_', ' ') for use in uses)}."
    if UNREADABLE in subjects:
        unread = [name_unread(subject) for subject in sorted(subjects[UNREADABLE])]
        return f"Its use could not be read: {join_texts(unread)}."
    return "AWS does not show whether it is in use." if subjects else ""


def _list_warnings(report: Mapping[str, Any], full_list: str) -> Iterator[Line]:
    warnings = report.get("warnings", ())
    for text in warnings[:MOST_FAILURES]:
        yield from wrap_text(f"- {text}", Tone.WARNING)
    if len(warnings) > MOST_FAILURES:
        number = count(len(warnings) - MOST_FAILURES, "more warning")
        yield from wrap_text(f"  {number} in {full_list}.", Tone.WARNING)


def _render_failure(
    report: Mapping[str, Any], context: Mapping[str, Any], problems: list[Any], full_list: str
) -> str:
    if not report or report["status"] in ("refused", "failed"):
        head = "Nothing was changed." if report and report["status"] == "refused" else ""
        return format_failure_message(head or "It is not known what was changed.", problems, full_list)
    if context.get("failures"):
        return format_failure_message("", problems, full_list)
    return ""


def _list_artifacts(report: Mapping[str, Any], report_path: str | None) -> dict[str, Any]:
    deregistered: dict[str, list[str]] = {}
    for image in report.get("images", ()):
        if image["decision"] == DEREGISTER and image["outcome"] == DONE:
            deregistered.setdefault(image["region"], []).append(image["image_id"])
    totals = report.get("totals", {})
    problems = [*report.get("failures", ()), *report.get("unreadable", ())]
    return {
        "counts": {name: sums["images"] for name, sums in totals.get("by_decision", {}).items()},
        "deregistered": deregistered,
        "failed_regions": sorted({problem["region"] for problem in problems if problem["region"]}),
        "freed_gib": totals.get("freed_gib"),
        "report_path": report_path,
        "status": report.get("status", "failed"),
    }

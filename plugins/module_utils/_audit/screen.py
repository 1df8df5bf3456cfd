# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Summarize an audit: what the role ``audit`` displays and passes to the next job."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._listing import count
from .._reports.command import fits_screen
from .._reports.document import Column, Item
from .._reports.groups import group_by_cause, rank_kinds
from .._reports.screen import (
    Line,
    Row,
    Screen,
    Tone,
    format_changes,
    format_failure_message,
    format_failures,
    format_report_path,
    format_table,
    limit_artifacts,
    name_principal,
    name_resource,
    wrap_text,
)
from .causes import NOT_ALLOWED, SAME_IMAGES, UNREADABLE, urgency
from .report.commands import Commands
from .report.content import NO_IMAGES
from .report.groups import same_resources

_MOST = 5
_COLUMNS = (
    Column("severity", "severity"),
    Column("code", "finding"),
    Column("number", "count", numeric=True),
    Column("principal", "principal"),
    Column("region", "region"),
    Column("resource", "resource"),
)
_NO_FAILURE = "These findings do not fail the run; audit_fail_on sets which do."
_TONES = {"high": Tone.BAD, "medium": Tone.WARNING, "low": Tone.PLAIN}

Group = tuple[Mapping[str, Any], list[Mapping[str, Any]]]


def screen(report: Mapping[str, Any], context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the findings by severity, their five worst kinds, remedies, changes, and what was not read.

    ``report`` and the ``changes`` in ``context`` are those of ``ami_share_audit``. Its ``failures`` are
    those of the audit, including findings that fail the role.
    """
    rest = report_path or "the fact audit_report"
    failure = _failure(report, context, rest)
    if _is_unread(report):
        lines = (
            *wrap_text(_describe_nothing(report), Tone.BAD),
            *format_failures(report["failures"], rest, failure),
            *format_report_path(report_path),
        )
        return Screen(lines, limit_artifacts(_artifacts(report, report_path)), failure)
    lines = (
        *_headline(report),
        *format_table(_COLUMNS, [_row(group) for group in _groups(report["findings"])[:_MOST]]),
        *_count_rest(report),
        *_list_remedies(report),
        *(wrap_text(_NO_FAILURE) if report["findings"] and not failure else ()),
        *_format_command(report, report_path),
        *_name_page(report, report_path),
        *(line for what in report["not_checked"] for line in wrap_text(f"Access to {what} was not checked.")),
        *format_failures(report["failures"], rest, failure),
        *format_changes(context.get("changes"), report_path),
        *format_report_path(report_path),
    )
    return Screen(lines, limit_artifacts(_artifacts(report, report_path)), failure)


def _is_unread(report: Mapping[str, Any]) -> bool:
    """Whether no region was read, so that there is nothing to count."""
    return bool(report["failures"]) and not any(region["read"] for region in report["regions"].values())


def _describe_nothing(report: Mapping[str, Any]) -> str:
    account = f" in account {report['account_id']}" if report["account_id"] else ""
    return f"Nothing was audited{account}."


def _headline(report: Mapping[str, Any]) -> Iterator[Line]:
    account = f" of account {report['account_id']}" if report["account_id"] else ""
    number = sum(region["images"] or 0 for region in report["regions"].values() if region["read"])
    shared = sum(region["shared_images"] or 0 for region in report["regions"].values() if region["read"])
    read = sum(region["read"] for region in report["regions"].values())
    tone = {"clean": Tone.GOOD, "empty": Tone.WARNING}.get(report["status"], Tone.BAD)
    incomplete = "Incomplete audit" if report["status"] == "incomplete" else "Audit"
    yield from wrap_text(f"{incomplete}{account}: {_counts(report)}.", tone)
    unread = len(report["regions"]) - read
    regions = f"{f'{read:,} of ' if unread else ''}{count(read + unread, 'region')}"
    text = f"{count(number, 'image')} in {regions}, {shared:,} of them shared."
    yield from wrap_text(text)
    if report["status"] == "empty":
        yield from wrap_text(NO_IMAGES, Tone.WARNING)


def _format_command(report: Mapping[str, Any], report_path: str | None) -> Iterator[Line]:
    """Yield the command that shows what can be removed; if it is long, only the playbook."""
    items = [Item.of(finding) for finding in report["findings"] if finding["code"] in NOT_ALLOWED]
    if not items:
        return
    command = Commands({"images": (), **report}).remediate(items)
    if not fits_screen(command):
        where = ": the report's page has the command for each finding" if report_path else ""
        yield from wrap_text(
            f"golden.images.remediate_ami_sharing with this allowlist removes the access{where}."
        )
        return
    yield from wrap_text("To see what removes this access (without --check, it is removed):")
    yield from (Line(text) for text in command.splitlines())


def _name_page(report: Mapping[str, Any], report_path: str | None) -> Iterator[Line]:
    """Yield where the commands are for findings that the displayed one is not about, if there are any."""
    others = [finding for finding in report["findings"] if finding["code"] not in NOT_ALLOWED]
    if not others:
        return
    commands = Commands({"images": (), **report})
    if any(commands.fix([Item.of(first)]) for first, _group in _groups(others)):
        page = "The report's page has" if report_path else "With audit_report_dir, a page has"
        further = "further commands" if len(others) < len(report["findings"]) else "the commands"
        yield from wrap_text(f"{page} {further} to paste.")


def _counts(report: Mapping[str, Any]) -> str:
    if report["status"] == "empty":
        return "no images"
    counts = [f"{number:,} {severity}" for severity, number in report["counts"].items() if number]
    if not counts:
        return "no findings"
    return f"{', '.join(counts)} {'finding' if sum(report['counts'].values()) == 1 else 'findings'}"


def _groups(
    findings: Sequence[Mapping[str, Any]],
    cause: Callable[[Mapping[str, Any]], Hashable] = lambda _finding: None,
) -> list[Group]:
    """Return the findings of each kind and ``cause``, as in ``group_by_cause``, the worst kind first."""
    groups = group_by_cause(findings, lambda finding: (finding["severity"], finding["code"]), cause)
    ranks = rank_kinds(((finding["severity"], finding["code"]) for finding in findings), urgency)
    ranked = sorted(
        groups,
        key=lambda group: (
            ranks[group[0]["severity"], group[0]["code"]],
            -len(group),
            str(group[0]["principal"]),
        ),
    )
    return [(group[0], group) for group in ranked]


def _row(group: Group) -> Row:
    first, findings = group
    resources = {finding["resource"] for finding in findings}
    cells = {
        "severity": first["severity"],
        "code": first["code"],
        "number": len(findings),
        "principal": name_principal(_one_or_number(findings, "principal")),
        "region": _one_or_number(findings, "region"),
        "resource": name_resource(first["resource"] or "") if len(resources) == 1 else "",
    }
    return Row(cells, _TONES[first["severity"]])


def _one_or_number(findings: Iterable[Mapping[str, Any]], key: str) -> str:
    different = {str(finding[key]) for finding in findings if finding[key]}
    return count(len(different), key) if len(different) > 1 else "".join(different)


def _count_rest(report: Mapping[str, Any]) -> Iterator[Line]:
    left = _groups(report["findings"])[_MOST:]
    if left:
        number = sum(len(group) for _first, group in left)
        yield from wrap_text(f"and {count(number, 'more finding')} of {count(len(left), 'kind')}")


def _list_remedies(report: Mapping[str, Any]) -> Iterator[Line]:
    """Yield what to do about each kind in the table that the command does not remove.

    The failures have the remedies of what could not be read.
    """
    for finding, _group in _groups(report["findings"])[:_MOST]:
        if finding["code"] not in NOT_ALLOWED and finding["code"] not in UNREADABLE:
            yield from wrap_text(f"{finding['code']}: {finding['remedy']}")


def _failure(report: Mapping[str, Any], context: Mapping[str, Any], rest: str) -> str:
    failed = context.get("failures") or ()
    if report["status"] == "incomplete":
        head = f"The audit is incomplete: {_counts(report)}."
        if _is_unread(report):
            return format_failure_message(_describe_nothing(report), report["failures"], rest)
        return format_failure_message(head, [*report["failures"], *_list_unread(report)], rest)
    if failed:
        return format_failure_message(
            f"The audit found {_counts(report)}.", _first_of_each(report, failed), rest
        )
    return ""


def _first_of_each(report: Mapping[str, Any], failed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the first finding of each cause among those that the role fails on, without its remedy.

    As on the report's page, principals with the same images are one cause.
    """
    messages = {failure["message"] for failure in failed}
    usable = same_resources(
        (_holder(finding), (finding["region"], finding["image_id"] or finding["resource"]))
        for finding in report["findings"]
        if finding["code"] in SAME_IMAGES
    )
    return [
        {"message": f"{first['message']}{_count_others(group)}", "region": first["region"]}
        for first, group in _groups(report["findings"], lambda finding: usable.get(_holder(finding)))
        if first["message"] in messages
    ]


def _holder(finding: Mapping[str, Any]) -> Hashable:
    return finding["code"], finding["remedy"], finding["principal"]


def _count_others(group: Sequence[Any]) -> str:
    return f" And {len(group) - 1:,} more of this kind." if len(group) > 1 else ""


def _list_unread(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the findings about what could not be read, without those that a failure reports."""
    known = {failure["message"] for failure in report["failures"]}
    return [
        finding
        for finding in report["findings"]
        if finding["code"] in UNREADABLE and finding["message"] not in known
    ]


def _artifacts(report: Mapping[str, Any], report_path: str | None) -> dict[str, Any]:
    return {
        "counts": dict(report["counts"]),
        "failed_regions": [name for name, region in report["regions"].items() if not region["read"]],
        "finding_codes": sorted({finding["code"] for finding in report["findings"]}),
        "report_path": report_path,
        "status": report["status"],
    }

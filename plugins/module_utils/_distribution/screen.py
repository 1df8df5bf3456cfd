# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text that the role ``distribute`` displays, and the artifacts for the next job."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._listing import count, join_texts
from .._reports.document import Column
from .._reports.screen import (
    MOST_FAILURES,
    MOST_ROWS,
    OUTPUT,
    Line,
    Row,
    Screen,
    Tone,
    format_duration,
    format_failures,
    format_further,
    format_omitted,
    format_report_path,
    format_table,
    join_counts,
    limit_artifacts,
    wrap_text,
)
from .._reports.uploaded import add_report_place, find_common_folder
from .._share.permissions import permissions_in
from .._verification import key_use
from .._verification.report import explain_level, format_level
from .document import OF_KEYS
from .screen_sources import Reports, build_sources_screen
from .unfinished import describe_earlier, describe_started

_COLUMNS = (
    Column("region", "region"),
    Column("image", "image"),
    Column("copy", "copy"),
    Column("key", "key"),
    Column("shared", "shared"),
    Column("verified", "verified"),
    Column("published", "published"),
)
_UNVERIFIED = (
    Column("account", "not verified"),
    Column("region", "region"),
    Column("level", "level"),
    Column("findings", "findings"),
)
_UNCERTAIN = "uncertain"
_ORIGINS = {"adopted": "adopted", "copied": "copied", "found": "reused", "source": "source"}
_KINDS = (("account_ids", "account"), ("org_arns", "organization"), ("org_unit_arns", "organizational unit"))


@dataclass(frozen=True)
class _Run:
    """The report of a distribution, and facts of its run that the report leaves out.

    ``planned_keys`` and ``planned_shares`` are the regions in which key access and launch permissions would
    change.
    """

    report: Mapping[str, Any]
    origins: Mapping[str, str | None]
    seconds: Mapping[str, int | None]
    consumers: Mapping[str, Sequence[str]]
    is_published: bool
    is_plan: bool
    planned_keys: frozenset[str] = frozenset()
    planned_shares: frozenset[str] = frozenset()


def screen(report: Mapping[str, Any], context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the screen: the regions, those with a problem first, and the failures.

    ``report`` is that of ``distribution_report``, or has the results of several sources as ``sources``.
    ``context`` has ``check_mode``, the ``copy_result`` of ``ami_copy_regions``, the ``start_result`` if the
    copies were started before, the ``wait_result`` if it had to wait for copies, ``grant_results`` and
    ``share_result``, the consumers ``account_ids``, ``org_arns`` and ``org_unit_arns`` to share the image
    with, the ``parameter`` to publish it in, and the results of tasks that failed as ``failed_tasks``; of
    several sources the ``check_mode``, and by source the parameters to publish in as ``parameters``.
    """
    if "sources" in report:
        return _sources(report["sources"], context, report_path)
    run = _Run(
        report,
        {copy["region"]: copy.get("origin") for copy in _find_start_result(context).get("results", ())},
        {
            copy["region"]: copy.get("copy_seconds")
            for copy in context.get("wait_result", {}).get("results", ())
        },
        {kind: context.get(kind) or () for kind, _noun in _KINDS},
        bool(context.get("parameter")),
        context["check_mode"],
        frozenset(_list_planned_keys(context)),
        frozenset(_list_planned_shares(context)),
    )
    rest = report_path or OUTPUT
    artifacts = limit_artifacts(_artifacts(run, report_path))
    messages = "\n".join(result.get("msg", "") for result in context.get("failed_tasks", ()))
    lines = (
        *_headline(run),
        *format_table(_COLUMNS, tuple(_rows(run))),
        *_captions(run),
        *_format_unfinished(run),
        *_format_unverified(run, rest),
        # What failed tasks have displayed is not displayed again.
        *format_failures(report["failures"], rest, messages),
        *format_failures(_list_doubts(run), rest, tone=Tone.WARNING),
        *format_report_path(report_path),
        *format_omitted(artifacts),
    )
    return Screen(lines, artifacts)


def _find_start_result(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the result of the task that has started the copies, which later tasks find."""
    copy_result: Mapping[str, Any] = context["copy_result"]
    return copy_result if copy_result.get("changed") else context.get("start_result") or copy_result


def _list_planned_keys(context: Mapping[str, Any]) -> Iterator[str]:
    """Yield the regions in which key access would change: check mode only plans it."""
    for result in context.get("grant_results", ()) if context["check_mode"] else ():
        yield from (region["region"] for region in result.get("results", ()) if region["changed"])


def _list_planned_shares(context: Mapping[str, Any]) -> Iterator[str]:
    """Yield the regions in which launch permissions would change: check mode only plans it."""
    for action in context.get("share_result", {}).get("actions", ()) if context["check_mode"] else ():
        if action["action"] == "ModifyImageAttribute":
            yield action["region"]


def _sources(
    results: Mapping[str, Mapping[str, Any]], context: Mapping[str, Any], report_path: str | None
) -> Screen:
    """Return the screen of the results by source; that of a source that was refused before is empty."""
    parameters, is_plan = context.get("parameters", {}), context["check_mode"]
    reports: Reports = {name: result.get("report") or {} for name, result in results.items()}
    failed = {
        name: _failed_regions(_Run(report, {}, {}, {}, bool(parameters.get(name)), is_plan))
        for name, report in reports.items()
        if report
    }
    sources = build_sources_screen(reports, failed, is_plan, report_path)
    uploads = {name: result for name, result in results.items() if not result.get("report_failures")}
    return add_report_place(sources, find_common_folder(uploads), is_plan)


def _headline(run: _Run) -> Iterator[Line]:
    report = run.report
    image = report["source_image_id"] or "the image"
    good = [region for region in report["regions"] if not _has_problem(run, region)]
    number = len(report["regions"])
    all_regions = count(number + len(_regions_without_row(report)), "region")
    if run.is_plan and number:
        target = f"{len(good)} of {all_regions}" if report["failures"] else all_regions
        text = f"Check mode: {image} would be distributed to {target}."
        yield from wrap_text(text, Tone.WARNING if report["failures"] else Tone.GOOD)
    elif report["status"] == "distributed":
        yield from wrap_text(f"Distributed {image} to {count(number, 'region')}.", Tone.GOOD)
    elif not number:
        yield from wrap_text("Failed: no region was completed.", Tone.BAD)
    elif report["status"] == "failed":
        yield from wrap_text(f"Failed: {image} is shared in no region.", Tone.BAD)
    else:
        text = f"Partial: {len(good)} of {all_regions} done with {image}."
        yield from wrap_text(text, Tone.BAD)


def _rows(run: _Run) -> Iterator[Row]:
    """Yield the regions with a problem, then the others, which are one row if there are many."""
    regions = run.report["regions"]
    bad = [region for region in regions if _has_problem(run, region)]
    # Regions with a failure first: the others may only not have been shared because of it.
    bad.sort(key=lambda region: not _has_failed(run, region))
    good = [region for region in regions if not _has_problem(run, region)]
    yield from (Row(_cells(run, region), Tone.BAD) for region in bad[:MOST_ROWS])
    if len(bad) > MOST_ROWS:
        yield Row({"region": f"{len(bad) - MOST_ROWS} more", "image": "with a problem"}, Tone.BAD)
    if len(regions) <= MOST_ROWS:
        yield from (Row(_cells(run, region)) for region in good)
    elif good:
        yield Row(_combine_regions(run, good))


def _combine_regions(run: _Run, regions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return one row for regions without a problem: equal values, and counts of the others."""
    cells = [_cells(run, region) for region in regions]
    row = {"region": count(len(regions), "region"), "image": "all well"}
    for key in ("copy", "key", "shared", "verified", "published"):
        values = {cell[key] for cell in cells}
        row[key] = values.pop() if len(values) == 1 else "planned" if "planned" in values else "ok"
    # "ok" would be wrong for regions that were not verified, or whose verification is uncertain.
    verified = [row_of_account for region in regions for row_of_account in _verifications(run, region)]
    if not all(cell["verified"] for cell in cells):
        row["verified"] = ""
    elif any(row_of_account.get("uncertain") for row_of_account in verified):
        row["verified"] = key_use.format_counts(verified)
    return row


def _cells(run: _Run, region: Mapping[str, Any]) -> dict[str, str]:
    return {
        "region": region["region"],
        "image": region["image_id"] or ("-" if not run.is_plan else "(new)"),
        "copy": _copy_cell(run, region),
        "key": _key_cell(run, region),
        "shared": _shared_cell(run, region),
        "verified": _verified_cell(run, region),
        "published": _published_cell(run, region),
    }


def _copy_cell(run: _Run, region: Mapping[str, Any]) -> str:
    if region["state"] != "available" and not run.is_plan:
        return str(region["state"] or "none")
    origin = run.origins.get(region["region"])
    if run.is_plan and region["image_id"] is None:
        return "planned"
    seconds = run.seconds.get(region["region"]) if origin == "copied" else None
    return f"copied {format_duration(seconds)}" if seconds else _ORIGINS.get(str(origin), "available")


def _key_cell(run: _Run, region: Mapping[str, Any]) -> str:
    if not region["kms_key_arn"]:
        return ""
    if _has_failed(run, region, OF_KEYS):
        return "failed"
    return "planned" if region["region"] in run.planned_keys else "ok"


def _shared_cell(run: _Run, region: Mapping[str, Any]) -> str:
    """Return the number of consumers with a launch permission; ``planned`` if these are only planned.

    The image's owner needs none.
    """
    permissions = permissions_in(region["region"], run.report["launch_permissions"])
    expected = permitted = 0
    for kind, _noun in _KINDS:
        consumers = {str(consumer) for consumer in run.consumers[kind]} - {region["account_id"]}
        expected += len(consumers)
        permitted += len(consumers & {str(principal) for principal in permissions[kind]})
    if not expected:
        return ""
    is_planned = region["image_id"] is None or region["region"] in run.planned_shares
    return "planned" if run.is_plan and region["shared"] and is_planned else f"{permitted}/{expected}"


def _verifications(run: _Run, region: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in run.report.get("verified", ()) if row["region"] == region["region"]]


def _verified_cell(run: _Run, region: Mapping[str, Any]) -> str:
    rows = _verifications(run, region)
    # In check mode, an account cannot yet see what would be shared with it.
    if not rows or (run.is_plan and not all(row["reached"] for row in rows)):
        return ""
    return key_use.format_counts(rows)


def _list_doubts(run: _Run) -> list[dict[str, Any]]:
    """Return why key use is uncertain; nothing in check mode, where it may not be granted yet."""
    return [] if run.is_plan else key_use.list_doubts(run.report.get("verified", ()))


def _published_cell(run: _Run, region: Mapping[str, Any]) -> str:
    """Return whether all accounts, including the owner, have the image published, or the number."""
    if not run.is_published:
        return ""
    accounts = {
        publication["account_id"]
        for publication in run.report.get("published", ())
        if publication["region"] == region["region"]
    }
    others = run.report.get("desired", {}).get("published_in", ())
    expected = {*others, region["account_id"]} - {None} if others else accounts
    if accounts and not expected <= accounts:
        return f"{len(expected & accounts)}/{len(expected)}"
    if run.is_plan:
        return "planned" if accounts else ""
    return "yes" if accounts else "no"


def _has_failed(run: _Run, region: Mapping[str, Any], actions: Collection[str] | None = None) -> bool:
    return any(
        failure["region"] == region["region"] and (actions is None or failure["action"] in actions)
        for failure in run.report["failures"]
    )


def _has_problem(run: _Run, region: Mapping[str, Any]) -> bool:
    """Whether a step of this run is missing or failed in the region."""
    if run.is_plan:
        return _has_failed(run, region)
    return (
        not region["shared"]
        or _has_failed(run, region)
        or any(map(key_use.is_failed, _verifications(run, region)))
        or _published_cell(run, region) not in ("", "yes")
    )


def _regions_without_row(report: Mapping[str, Any]) -> set[str]:
    """Return the regions with a failure before their image was known."""
    return {failure["region"] for failure in report["failures"] if failure["region"]} - {
        region["region"] for region in report["regions"]
    }


def _failed_regions(run: _Run) -> set[str]:
    """Return the regions that are not complete."""
    return _regions_without_row(run.report) | {
        region["region"] for region in run.report["regions"] if _has_problem(run, region)
    }


def _captions(run: _Run) -> Iterator[Line]:
    consumers = join_counts((len(run.consumers[kind]), noun) for kind, noun in _KINDS)
    if consumers and run.report["regions"]:
        # Accounts that own copies may have lost the permission because they need none.
        counts = [
            _shared_cell(run, region).split("/")
            for region in run.report["regions"]
            if _has_problem(run, region)
        ]
        is_done = all(parts[0] == parts[-1] for parts in counts)
        verb = "Would be shared" if run.is_plan else "Shared" if is_done else "To be shared"
        yield from wrap_text(f"{verb} with {consumers}.")
    level = run.report.get("verification_level")
    if level and any(_verified_cell(run, region) for region in run.report["regions"]):
        yield from wrap_text(explain_level(level))
    for text in () if run.is_plan else key_use.describe_key_use_of_distribution(run.report):
        yield from wrap_text(text)
    owned = run.report.get("consumer_images", ())
    if owned:
        ready = sum(copy["state"] == "available" for copy in owned)
        text = f"{ready} of {len(owned)} copies in consumer accounts are available."
        yield from wrap_text(text, Tone.PLAIN if ready == len(owned) or run.is_plan else Tone.BAD)
    published = run.report.get("published", ())
    if published:
        names = dict.fromkeys(
            f"{publication['parameter']}, label {publication['label']}" for publication in published
        )
        verb = "Would be published" if run.is_plan else "Published"
        yield from wrap_text(f"{verb} in {_name_accounts(run)} as {'; '.join(names)}.")


def _format_unfinished(run: _Run) -> Iterator[Line]:
    """Yield the copies that a rerun continues with, and the earlier images of regions without one."""
    if not run.is_plan:
        yield from wrap_text(describe_started(run.report), Tone.BAD)
        yield from wrap_text(describe_earlier(run.report), Tone.WARNING)


def _name_accounts(run: _Run) -> str:
    """Return the accounts that the image is published in: the owner's, and the number of others."""
    accounts = {publication["account_id"] for publication in run.report["published"]}
    others = accounts - {region["account_id"] for region in run.report["regions"]}
    if not others:
        return "the owner's account"
    owners = " and the owner's" if len(others) < len(accounts) else ""
    return count(len(others), "account") + owners


def _format_unverified(run: _Run, rest: str) -> Iterator[Line]:
    """Yield the accounts that have not reached the level: a row for each cause, at most five.

    In check mode, accounts cannot yet see what would be shared with them.
    """
    places: dict[tuple[str, str, str], list[str]] = {}
    for row in () if run.is_plan else run.report.get("verified", ()):
        if not row["reached"]:
            codes = ", ".join(dict.fromkeys(finding["code"] for finding in row["findings"]))
            cause = str(row["account_id"]), format_level(row), codes
            places.setdefault(cause, []).append(row["region"])
    # Accounts that have certainly not reached the level first.
    places = dict(sorted(places.items(), key=lambda item: item[0][1] == _UNCERTAIN))
    rows = [
        Row(
            {
                "account": account,
                "region": join_texts(regions, 2 if len(regions) == 2 else 1),
                "level": level,
                "findings": codes or "-",
            },
            Tone.WARNING if level == _UNCERTAIN else Tone.BAD,
        )
        for (account, level, codes), regions in places.items()
    ]
    yield from format_table(_UNVERIFIED, rows[:MOST_FAILURES])
    yield from format_further(len(rows) - MOST_FAILURES, rest, Tone.BAD)


def _artifacts(run: _Run, report_path: str | None) -> dict[str, Any]:
    """Return the artifacts for the next job of a workflow.

    Account IDs are only in JSON text: ansible-core 2.19 and later read a text of an artifact, as AWX writes
    it, as a number if it looks like one, and 012345671234 as an octal number.
    """
    report = run.report
    owned = [
        {key: copy[key] for key in ("account_id", "image_id", "region")}
        for copy in report.get("consumer_images", ())
    ]
    return {
        "copies": json.dumps(owned),
        "failed_regions": sorted(_failed_regions(run)),
        "images": {region["region"]: region["image_id"] for region in report["regions"] if region["shared"]},
        "report_path": report_path,
        "source_image_id": report["source_image_id"],
        "source_region": report["source_region"],
        "status": report["status"],
    }

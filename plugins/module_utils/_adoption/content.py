# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Content of a report on adoption: what each account uses of which release, and what was not read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._failures import Failure, summary
from .._listing import count
from .._reports import steps
from .._reports.document import SEVERITIES, WRITTEN_AT
from .causes import UNREADABLE
from .state import USAGE_REPORTS, name_no_use

# They change with time: the same state of the accounts results in the same report.
_OF_TIME = ("days_behind",)
INCOMPLETE = "incomplete"
"""The status of a report that lacks something that could not be read."""
CURVE = "curve"
"""The key with the earlier counts of current and other uses, the oldest first."""
# A year of weekly reports.
_MOST_POINTS = 52


def build_content(
    returned: Mapping[str, Any], all_accounts: bool = False, deny_images: Collection[str] = ()
) -> dict[str, Any]:
    """Return the report on the result of ``ami_adoption``, successful or failed.

    ``all_accounts`` is whether the task looked for all accounts, not for some that it names.
    ``status`` is ``incomplete`` if something could not be read, otherwise ``behind`` if an account uses
    another release than the current one, else ``unknown`` if it cannot be told, else ``current``, or
    ``unused`` if nothing uses an image, ``unreported`` if usage reports show nothing.
    """
    failures, depth = _failures(returned), returned.get("depth")
    findings = [
        {**finding, "message": steps.strip_request(finding["message"])}
        for finding in returned.get("findings", ())
    ]
    if "findings" not in returned:
        findings = [_nothing_read(failure) for failure in failures]
    accounts = [
        {**account, "worst": account["worst"] and _without_time(account["worst"])}
        for account in returned.get("accounts", ())
    ]
    totals = {
        name: sum(account[name] for account in accounts) for name in ("behind", "current", "other", "unknown")
    }
    counts = dict.fromkeys(SEVERITIES, 0)
    for finding in findings:
        counts[finding["severity"]] += 1
    return {
        "account_id": returned.get("account_id"),
        "accounts": accounts,
        "all_accounts": all_accounts,
        "counts": counts,
        CURVE: [],
        "deny_images": sorted(deny_images),
        "depth": depth,
        "failures": failures,
        "findings": findings,
        "not_looked_at": list(returned.get("not_looked_at", ())),
        "regions": list(returned.get("regions", ())),
        "releases": list(returned.get("releases", ())),
        "status": _status(totals, failures, depth),
        "summary": _summary(totals, returned, failures, all_accounts),
        "totals": totals,
        "uses": [_without_time(use) for use in returned.get("uses", ())],
    }


def add_curve(previous: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content with the counts of the earlier reports in the folder.

    An unchanged report adds no point, nor does an incomplete one: what it could not read would look like
    progress. Counts of another owner or depth do not compare, nor those that had more families or denied
    more images.
    """
    if is_about_another(previous, content) or not _counts_as_much(previous, content):
        return dict(content)
    curve: list[Mapping[str, Any]] = list(previous[CURVE])
    has_gone = previous["totals"] != content["totals"] or content["status"] == INCOMPLETE
    if previous["status"] != INCOMPLETE and has_gone:
        accounts = len(previous["accounts"])
        curve.append({**previous["totals"], "accounts": accounts, "since": previous[WRITTEN_AT]})
    return {**content, CURVE: curve[-_MOST_POINTS:]}


def is_about_another(previous: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """Whether an earlier report is about another owner or depth; a refused task has neither."""
    pairs = [(previous[key], content[key]) for key in ("account_id", "depth")]
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)


def denies_as_much(previous: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """Whether each image that was denied for an earlier report still is."""
    return {*previous["deny_images"]} <= {*content["deny_images"]}


def _counts_as_much(previous: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """Whether all uses that an earlier report counts would be counted; a refused task has no family."""
    before, after = ({release["family"] for release in report["releases"]} for report in (previous, content))
    return denies_as_much(previous, content) and (before <= after or not after)


def _without_time(use: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in use.items() if name not in _OF_TIME}


def _failures(returned: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what could not be read, without the findings that ``fail_on`` turned into failures."""
    failures = [failure for failure in steps.collect_failures([returned]) if failure["action"] != "fail_on"]
    if "findings" not in returned and not failures:
        message = returned.get("msg") or "Nothing was read."
        failures = steps.collect_failures([{"failed": True, "msg": message}])
    return failures


def _nothing_read(failure: Mapping[str, Any]) -> dict[str, Any]:
    """Return the failure as a finding: SARIF and CSV hold findings only, and would look clean without it."""
    return {
        "account_id": failure["account_id"],
        "code": UNREADABLE.code,
        "image_id": None,
        "message": failure["message"],
        "principal": None,
        "region": failure["region"],
        "remedy": failure["remedy"] or "",
        "resource": failure["action"],
        "severity": UNREADABLE.severity.label,
    }


def _status(totals: Mapping[str, int], failures: Sequence[Any], depth: str | None) -> str:
    if failures:
        return INCOMPLETE
    return next((name for name in ("behind", "unknown", "current") if totals[name]), name_no_use(depth))


def describe_uses(totals: Mapping[str, int], depth: str | None, is_complete: bool) -> str:
    """Return the share of the current release; without any use, how far that is known."""
    if depth is None:
        return "nothing was read"
    counted = totals["current"] + totals["behind"] + totals["unknown"]
    is_reported = depth == USAGE_REPORTS
    if counted:
        uses = count(counted, "reported use" if is_reported else "use")
        return f"{totals['current']:,} of {uses} of the current release"
    none = "AWS's usage reports show no use" if is_reported else "no use was found"
    return none if is_complete else f"{none} in what could be read"


def _summary(
    totals: Mapping[str, int],
    returned: Mapping[str, Any],
    failures: Iterable[Mapping[str, Any]],
    all_accounts: bool,
) -> str:
    """Return the result in sentences, with what could not be read and why."""
    unread = list(map(Failure.from_result, failures))
    found = returned.get("accounts", ())
    unreadable = sum(bool(account["unread_regions"]) for account in found)
    used = describe_uses(totals, returned.get("depth"), not unread)
    laggards = count(sum(bool(account["behind"]) for account in found), "account")
    behind = f", {totals['behind']:,} behind in {laggards}"
    lines = [f"{used[0].upper()}{used[1:]}{behind if totals['behind'] else ''}."]
    if "accounts" in returned:
        accounts, regions = count(len(found), "account"), count(len(returned["regions"]), "region")
        where = f"{accounts} in {regions} looked at"
        if all_accounts:
            where = f"Usage reports of {regions} name {accounts}"
        lines.append(f"{where}, {unreadable:,} of them not wholly readable.")
    if totals["unknown"]:
        lines.append(f"Of {count(totals['unknown'], 'use')} the release is not known.")
    if unread:
        lines.append(f"Not everything could be read: {summary(unread, 'the report')}")
    return "\n".join(lines)

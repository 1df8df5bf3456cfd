# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of one verification of the accounts of many inventory hosts, divided among the hosts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .._reports.screen import OUTPUT, format_failure_message
from .._reports.uploaded import add_report
from .report import report_rows
from .screen import screen


def divide(
    result: Mapping[str, Any], hosts: Mapping[str, Collection[str]], check_mode: bool
) -> dict[str, dict[str, Any]]:
    """Return what each host has of the result of ``ami_verify``: the facts of its accounts, and its failure.

    ``hosts`` are the accounts of each host. The failure is the message of a verification of these accounts
    alone, empty if the host does not fail. What failed in no account, or in one of no host, fails each host.
    """
    report = result["report"]
    regions = sorted({row["region"] for row in report["results"]})
    rows = defaultdict(list)
    for row in report["results"]:
        rows[row["account_id"]].append(row)
    known = {account_id for account_ids in hosts.values() for account_id in account_ids}
    failures = _group_by_account(result["failures"], known)
    step_failures = _group_by_account(report["failures"], known)
    parts = {}
    for host, account_ids in hosts.items():
        part = report_rows(
            report["level"],
            regions,
            [row for account_id in account_ids for row in rows[account_id]],
            _take(step_failures, account_ids),
        )
        own_failures = _take(failures, account_ids)
        parts[host] = {
            "results": part["results"],
            "failed_regions": part["failed_regions"],
            "uncertain_regions": part["uncertain_regions"],
            "failure": _describe(result, part, own_failures, check_mode) if own_failures else "",
        }
    return parts


def _group_by_account(
    failures: Iterable[dict[str, Any]], known: Collection[str]
) -> dict[str | None, list[dict[str, Any]]]:
    """Return the failures by account, under None those of none of the known accounts."""
    groups: dict[str | None, list[dict[str, Any]]] = {}
    for failure in failures:
        account_id = failure["account_id"] if failure["account_id"] in known else None
        groups.setdefault(account_id, []).append(failure)
    return groups


def _take(
    groups: Mapping[str | None, list[dict[str, Any]]], account_ids: Iterable[str]
) -> list[dict[str, Any]]:
    return [failure for account_id in (*account_ids, None) for failure in groups.get(account_id, ())]


def _describe(
    result: Mapping[str, Any],
    part: Mapping[str, Any],
    failures: list[dict[str, Any]],
    check_mode: bool,
) -> str:
    """Return the message of a host that fails."""
    path = None if check_mode else result["report_dir"] or result["report_path"]
    shown = screen(part, {"check_mode": check_mode}, path)
    failure = add_report(shown, result, check_mode).failure
    return failure or format_failure_message("", failures, OUTPUT)

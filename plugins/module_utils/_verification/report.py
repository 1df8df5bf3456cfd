# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a verification: the level that each account reached with each image, and the findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._failures import Failure, summary
from .._finding import BlocksLaunch, Severity
from .._reports import steps
from .._wording import with_full_stop
from . import key_use
from .levels import LEVELS, PROOFS

LEVEL_NOT_REACHED = "level_not_reached"
_TERMINATE = "TerminateInstances"
# The finding of ami_share_diagnose about an account that could not be read.
_UNREADABLE = "consumer_unreadable"


def build_report(
    level: str,
    regions: Sequence[str],
    account_ids: Sequence[Any],
    results: Iterable[Mapping[str, Any]],
    publish_uncertain: bool | Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return the report of results of a diagnosis and of launches.

    Every account of ``account_ids``, or if there are none of the results, is verified in every region; an
    account without a result has not reached the level. ``status`` is ``verified`` if all accounts have
    reached it and no instance may be left running, ``uncertain`` if only the key use of the others is
    uncertain, ``failed`` if none has reached it, else ``incomplete``. ``summary`` lists the problems.

    ``publish_uncertain`` is None if the image is not to be published; ``kept_back`` has the regions that
    uncertain accounts keep from being published.
    """
    results_list = list(results)
    failed = steps.collect_failures(results_list)
    rows = _rows(level, results_list)
    known = {(row["account_id"], row["region"]) for row in rows}
    accounts = dict.fromkeys(text for item in account_ids if (text := str(item).strip()))
    accounts = accounts or dict.fromkeys(row["account_id"] for row in rows)
    rows += [
        _row(level, (account_id, region, None), _Best())
        for account_id in accounts
        for region in regions
        if (account_id, region) not in known
    ]
    for row in rows:
        if key_use.is_failed(row) and not row["findings"]:
            row["findings"] = _findings_of_failures(failed, row["account_id"], row["region"])
    rows.sort(key=lambda row: (row["account_id"], row["region"], str(row["image_id"])))
    return report_rows(level, regions, rows, failed, publish_uncertain)


def report_rows(
    level: str,
    regions: Iterable[str],
    rows: list[dict[str, Any]],
    failed: list[dict[str, Any]],
    publish_uncertain: bool | Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return the report of these rows and failures of the steps, see ``build_report``."""
    complete = {row["region"] for row in rows} - {row["region"] for row in rows if key_use.is_failed(row)}
    failed_regions = sorted({*regions, *(row["region"] for row in rows)} - complete)
    uncertain = {row["region"] for row in rows if row["uncertain"]}
    status = "failed" if all(map(key_use.is_failed, rows)) else "incomplete"
    left_running = [failure for failure in failed if failure["action"] == _TERMINATE]
    if rows and not failed_regions and not left_running:
        status = "uncertain" if uncertain else "verified"
    held_back = publish_uncertain is not None and key_use.keep_back(rows, publish_uncertain)
    return {
        "failed_regions": failed_regions,
        "failures": failed,
        **({"kept_back": held_back} if held_back else {}),
        "level": level,
        "results": rows,
        "status": status,
        "summary": _summary(level, rows, failed),
        "uncertain_regions": sorted(uncertain.difference(failed_regions)),
    }


def list_other_failures(
    rows: Iterable[Mapping[str, Any]], failed: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return the failures that are not findings of an account below the level.

    A failure about an option has no account; an instance that was left running may be in an account that has
    reached the level.
    """
    reported = {row["account_id"] for row in rows if key_use.is_failed(row)}
    return [item for item in failed if item["account_id"] not in reported or item["action"] == _TERMINATE]


# The findings of the diagnosis from a dry run of a launch, which have the error that AWS returned.
_OF_DRY_RUN = frozenset(
    {"dry_run_inconclusive", "launch_denied", "launch_refused", "missing_launch_permission"}
)


@dataclass
class _Best:
    """The highest level that results prove of an image in an account, and all their findings."""

    rank: int = -1
    key_use: str | None = None
    principal: str | None = None
    parameter_read: bool | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)

    def add(self, item: Mapping[str, Any]) -> None:
        """Add a result of the diagnosis, which alone has ``key_use``, or of a launch."""
        self.rank = max(self.rank, _rank(item.get("level")))
        self.key_use = item.get("key_use") or self.key_use
        self.principal = item.get("principal") or self.principal
        if item.get("parameter_read") is not None:
            self.parameter_read = item["parameter_read"]
        new = [finding for finding in _list_findings(item) if finding not in self.findings]
        # A launch says for certain what its dry run has said before.
        errors = {finding["error_code"] for finding in new}
        self.findings = [
            finding
            for finding in self.findings
            if finding["code"] not in _OF_DRY_RUN or finding["error_code"] not in errors
        ] + new


def _list_findings(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "code": finding["code"],
            "error_code": finding["error_code"],
            "message": steps.explain(finding["message"], finding["error_code"]),
            "remedy": finding["remedy"],
            "severity": finding["severity"],
        }
        for finding in item["findings"]
        if finding["blocks_launch"] != BlocksLaunch.HARMLESS.value
    ]


def _rows(level: str, results: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each account and image, with the highest level that any result proves."""
    best: dict[tuple[str, str, str | None], _Best] = {}
    for item in (item for result in results for item in result.get("results", ())):
        best.setdefault((item["account_id"], item["region"], item["image_id"]), _Best()).add(item)
    return [_row(level, image, proven) for image, proven in best.items()]


def _row(required: str, image: tuple[str, str, str | None], best: _Best) -> dict[str, Any]:
    account_id, region, image_id = image
    # A launch by its ID proves none by the parameter.
    rank = min(best.rank, 0) if best.parameter_read is False else best.rank
    best_level = LEVELS[rank] if rank >= 0 else None
    level = key_use.lower_level(best_level, best.key_use)
    return {
        "account_id": account_id,
        # A running instance disproves every finding that something blocks a launch.
        "findings": [] if level == LEVELS[-1] else best.findings,
        "image_id": image_id,
        "key_use": key_use.judge_key_use(required, level, best.key_use),
        "level": level,
        "principal": best.principal,
        "reached": _rank(level) >= _rank(required),
        "region": region,
        "uncertain": key_use.is_uncertain(required, best_level, best.key_use),
    }


def _rank(level: str | None) -> int:
    return LEVELS.index(level) if level in LEVELS else -1


def _findings_of_failures(
    failed: Iterable[Mapping[str, Any]], account_id: str, region: str
) -> list[dict[str, Any]]:
    """Return the failures in this account and region as findings, except failed terminations."""
    return [
        {**steps.to_finding(failure), "severity": Severity.HIGH.label}
        for failure in failed
        if failure["account_id"] == account_id
        and failure["region"] in (region, None)
        and failure["action"] != _TERMINATE
    ]


def format_level(row: Mapping[str, Any]) -> str:
    """Return the level that an account reached with an image, ``uncertain`` if the use of its keys is.

    It is ``unknown`` if no role acted in the account, or the account could not be read.
    """
    if row.get("uncertain"):
        return "uncertain"
    codes = {finding["code"] for finding in row["findings"]}
    is_invisible = bool(row["image_id"] and codes) and _UNREADABLE not in codes
    return str(row["level"] or ("not visible" if is_invisible else "unknown"))


def explain_level(level: str) -> str:
    """Return a sentence with the meaning of a level."""
    return f"Level {level} means: {PROOFS[level]}."


def _shortfall(row: Mapping[str, Any], required: str) -> str:
    image, level = row["image_id"] or "the image", format_level(row)
    if level == "unknown":
        # The findings say why the account could not be read. Without an image, a failure says it.
        is_explained = row["findings"] or not row["image_id"]
        why = "" if is_explained else ", because no role in the account is named"
        return f"{row['account_id']}: whether {image} is visible is not known{why}."
    shortfall = "" if level == f"not {required}" else f", not {required}"
    return f"{row['account_id']}: {image} is {level}{shortfall}."


def _finding_text(finding: Mapping[str, Any]) -> str:
    return f"{with_full_stop(finding['message'])} {finding['remedy']}".strip()


def _describe_row(row: Mapping[str, Any], required: str) -> str:
    return " ".join([_shortfall(row, required), *map(_finding_text, row["findings"])])


def list_problems(
    required: str, rows: Iterable[Mapping[str, Any]], failed: Iterable[Mapping[str, Any]]
) -> list[Failure]:
    """Return a failure for each account and image below the level, and the other failures."""
    below = [row for row in rows if key_use.is_failed(row)]
    failures = [
        Failure(
            message=_describe_row(row, required),
            remedy="",
            error_code=LEVEL_NOT_REACHED,
            action="verify",
            region=row["region"],
            account_id=row["account_id"],
        )
        for row in below
    ]
    return [*failures, *map(Failure.from_result, list_other_failures(below, failed))]


def _summary(required: str, rows: Iterable[Mapping[str, Any]], failed: Iterable[Mapping[str, Any]]) -> str:
    failures = list_problems(required, rows, failed)
    return summary(failures, "the results of the verification, which -vvv shows") if failures else ""

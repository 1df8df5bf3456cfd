# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a verification: the level that each account reached with each image, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._failures import Failure, summary
from .._finding import BlocksLaunch, Severity
from .._reports import steps
from .._wording import with_full_stop
from . import key_use

LEVEL_NOT_REACHED = "level_not_reached"
# What each level proves, which is more than the one before.
PROOFS = {
    "visible": "the account sees the image",
    "authorized": "a dry run succeeds, and the role can use the keys",
    "launched": "an instance runs",
}
LEVELS = tuple(PROOFS)
_TERMINATE = "TerminateInstances"
# The finding of ami_share_diagnose about an account that could not be read.
_UNREADABLE = "consumer_unreadable"


def verification(
    level: str,
    regions: Sequence[str],
    account_ids: Sequence[Any],
    results: Iterable[Mapping[str, Any]],
    publish_uncertain: bool | Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return the report of results of a diagnosis and of launches.

    Every given account, or without any every account in the results, is verified in every region; one without
    a result has not reached the level. ``status`` is ``verified`` if all have and no instance may be left
    running, ``uncertain`` if all others are only uncertain to use the keys, ``failed`` if none has reached
    it, else ``incomplete``. ``summary`` explains what is missing.

    ``publish_uncertain`` is given if the image is to be published: ``kept_back`` has the regions that
    uncertain accounts keep from that.
    """
    given = list(results)
    failed = steps.collect_failures(given)
    rows = _rows(level, given)
    known = {(row["account_id"], row["region"]) for row in rows}
    named = dict.fromkeys(text for item in account_ids if (text := str(item).strip()))
    # Without given accounts, those in the results.
    named = named or dict.fromkeys(row["account_id"] for row in rows)
    rows += [
        _row(level, (account_id, region, None), _Best())
        for account_id in named
        for region in regions
        if (account_id, region) not in known
    ]
    for row in rows:
        if key_use.is_failed(row) and not row["findings"]:
            row["findings"] = _findings_of(failed, row["account_id"], row["region"])
    rows.sort(key=lambda row: (row["account_id"], row["region"], str(row["image_id"])))
    good = {row["region"] for row in rows} - {row["region"] for row in rows if key_use.is_failed(row)}
    failed_regions = sorted({*regions, *(row["region"] for row in rows)} - good)
    uncertain = {row["region"] for row in rows if row["uncertain"]}
    status = "failed" if all(map(key_use.is_failed, rows)) else "incomplete"
    left_running = [failure for failure in failed if failure["action"] == _TERMINATE]
    if rows and not failed_regions and not left_running:
        status = "uncertain" if uncertain else "verified"
    kept = publish_uncertain is not None and key_use.kept_back(rows, publish_uncertain)
    return {
        "failed_regions": failed_regions,
        "failures": failed,
        **({"kept_back": kept} if kept else {}),
        "level": level,
        "results": rows,
        "status": status,
        "summary": _summary(level, rows, failed),
        "uncertain_regions": sorted(uncertain.difference(failed_regions)),
    }


def other_failures(
    rows: Iterable[Mapping[str, Any]], failed: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return the failures that are not findings of an account that has not reached the level.

    A failure about an option has no account; an instance that was left running may be in an account that has
    reached the level.
    """
    reported = {row["account_id"] for row in rows if key_use.is_failed(row)}
    return [item for item in failed if item["account_id"] not in reported or item["action"] == _TERMINATE]


@dataclass
class _Best:
    """The best that the results prove of an image in an account, and all that they found."""

    rank: int = -1
    key_use: str | None = None
    principal: str | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)

    def add(self, item: Mapping[str, Any]) -> None:
        """Add a result of the diagnosis, which alone has ``key_use``, or of a launch."""
        self.rank = max(self.rank, _rank(item.get("level")))
        self.key_use = item.get("key_use") or self.key_use
        self.principal = item.get("principal") or self.principal
        self.findings += [finding for finding in _findings(item) if finding not in self.findings]


def _findings(item: Mapping[str, Any]) -> list[dict[str, Any]]:
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
    """Return a row for each account and image, with the best level that any of the results proves."""
    best: dict[tuple[str, str, str | None], _Best] = {}
    for item in (item for result in results for item in result.get("results", ())):
        best.setdefault((item["account_id"], item["region"], item["image_id"]), _Best()).add(item)
    return [_row(level, image, proved) for image, proved in best.items()]


def _row(wanted: str, image: tuple[str, str, str | None], best: _Best) -> dict[str, Any]:
    account_id, region, image_id = image
    tried = LEVELS[best.rank] if best.rank >= 0 else None
    level = key_use.lowered(tried, best.key_use)
    return {
        "account_id": account_id,
        # A running instance disproves every finding that something blocks a launch.
        "findings": [] if level == LEVELS[-1] else best.findings,
        "image_id": image_id,
        "key_use": key_use.of_row(wanted, level, best.key_use),
        "level": level,
        "principal": best.principal,
        "reached": _rank(level) >= _rank(wanted),
        "region": region,
        "uncertain": key_use.is_uncertain(wanted, tried, best.key_use),
    }


def _rank(level: str | None) -> int:
    return LEVELS.index(level) if level in LEVELS else -1


def _findings_of(failed: Iterable[Mapping[str, Any]], account_id: str, region: str) -> list[dict[str, Any]]:
    """Return the failures in this account and region, except for instances that were left running."""
    return [
        {**steps.to_finding(failure), "severity": Severity.HIGH.label}
        for failure in failed
        if failure["account_id"] == account_id
        and failure["region"] in (region, None)
        and failure["action"] != _TERMINATE
    ]


def level_text(row: Mapping[str, Any]) -> str:
    """Return the level that an account reached with an image, ``uncertain`` if the use of its keys is.

    ``unknown`` if no role acted in the account, or it could not be read.
    """
    if row.get("uncertain"):
        return "uncertain"
    codes = {finding["code"] for finding in row["findings"]}
    is_invisible = bool(row["image_id"] and codes) and _UNREADABLE not in codes
    return str(row["level"] or ("not visible" if is_invisible else "unknown"))


def level_sentence(level: str) -> str:
    """Return the level of a verification, and what it proves."""
    return f"Level {level} means: {PROOFS[level]}."


def _shortfall(row: Mapping[str, Any], wanted: str) -> str:
    image, level = row["image_id"] or "the image", level_text(row)
    if level == "unknown":
        # The findings say why the account could not be read. Without an image, a failure says it.
        is_explained = row["findings"] or not row["image_id"]
        why = "" if is_explained else ", because no role in the account is named"
        return f"{row['account_id']}: whether {image} is visible is not known{why}."
    short = "" if level == f"not {wanted}" else f", not {wanted}"
    return f"{row['account_id']}: {image} is {level}{short}."


def _finding_text(finding: Mapping[str, Any]) -> str:
    return f"{with_full_stop(finding['message'])} {finding['remedy']}".strip()


def _sentences(row: Mapping[str, Any], wanted: str) -> list[str]:
    return [_shortfall(row, wanted), *map(_finding_text, row["findings"])]


def _general(sentence: str, image_id: str | None) -> str:
    """Return the sentence without the ID of the image, which is another one in each region."""
    if not image_id:
        return sentence
    general = sentence.replace(image_id, "the image")
    return general[:1].upper() + general[1:] if sentence.startswith(image_id) else general


def _texts(short: Sequence[Mapping[str, Any]], wanted: str) -> list[str]:
    """Return the text of each row. What an account lacks in several regions alike names no image."""
    texts = [_sentences(row, wanted) for row in short]
    general = [
        " ".join(_general(sentence, row["image_id"]) for sentence in sentences)
        for sentences, row in zip(texts, short, strict=True)
    ]
    causes = [text.replace(row["region"], "") for text, row in zip(general, short, strict=True)]
    regions: dict[str, list[str]] = {}
    for cause, row in zip(causes, short, strict=True):
        regions.setdefault(cause, []).append(row["region"])
    return [
        # Two images of an account in one region keep their IDs.
        text if 1 < len(regions[cause]) == len(set(regions[cause])) else " ".join(sentences)
        for text, cause, sentences in zip(general, causes, texts, strict=True)
    ]


def problems(
    wanted: str, rows: Iterable[Mapping[str, Any]], failed: Iterable[Mapping[str, Any]]
) -> list[Failure]:
    """Return the accounts that have not reached the level and why, and other failures."""
    short = [row for row in rows if key_use.is_failed(row)]
    below = [
        Failure(
            message=text,
            remedy="",
            error_code=LEVEL_NOT_REACHED,
            action="verify",
            region=row["region"],
        )
        for text, row in zip(_texts(short, wanted), short, strict=True)
    ]
    return [*below, *map(Failure.from_result, other_failures(short, failed))]


def _summary(wanted: str, rows: Iterable[Mapping[str, Any]], failed: Iterable[Mapping[str, Any]]) -> str:
    failures = problems(wanted, rows, failed)
    return summary(failures, "the results of the verification, which -vvv shows") if failures else ""

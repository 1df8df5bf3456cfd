# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a verification as a document: the level that each account reached with each image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from .._diagnose.checks import MEANINGS as MEANINGS_OF_DIAGNOSIS
from .._diagnose.commands import NOTE, render_fixes
from .._finding import Severity
from .._launch_probe.causes import MEANINGS as MEANINGS_OF_PROBE
from .._listing import count
from .._reports import steps
from .._reports.document import (
    Changes,
    Column,
    Document,
    Item,
    Mark,
    Matrix,
    MatrixRow,
    Table,
    compare_sentences,
)
from .._reports.groups import group_items
from . import key_use
from .key_use import KEY_USE_UNCERTAIN
from .levels import LEVELS, PROOFS
from .report import LEVEL_NOT_REACHED, list_other_failures

MEANINGS = {
    **MEANINGS_OF_DIAGNOSIS,
    **MEANINGS_OF_PROBE,
    **steps.MEANINGS,
    LEVEL_NOT_REACHED: "The account has not reached the level, and no finding explains why.",
    KEY_USE_UNCERTAIN: (
        "The image was not published in a region, because it is not certain that the role in an account can "
        "use its keys."
    ),
}
"""The meaning of every code in the report of a verification, and in that of a distribution."""
_MOST_CAUSES = 3
_MARKS = {"authorized": Mark.PARTIAL, "visible": Mark.SLIGHT, None: Mark.BROKEN}
_UNCERTAIN = "AWS would accept a launch; whether the role can use the keys is uncertain."
_BELOW = {
    Mark.PARTIAL: "AWS would accept a launch, but no instance was launched.",
    Mark.SLIGHT: "The account can see the image, and no more is proved.",
    Mark.BROKEN: "The account cannot see the image, or was not checked.",
}


def build_document(content: Mapping[str, Any]) -> Document:
    """Return the document for a report of ``verification``."""
    rows = content["results"]
    below = [row for row in rows if not row["reached"]]
    level = content["level"]
    items = (
        *_items(below),
        *(
            steps.to_item(failure, Severity.HIGH.label)
            for failure in list_other_failures(rows, content["failures"])
        ),
    )
    return Document(
        kind="verification",
        title="Who can launch the images",
        status=content["status"],
        complete=not content["failures"],
        empty=not rows,
        headline=_headline(level, rows, below),
        facts=(
            ("Level", f"{level}: {PROOFS[level]}"),
            *(("Keys", text) for text in key_use.describe_key_use(rows)),
            ("Accounts", str(len({row["account_id"] for row in rows}))),
            ("Images", str(len(_list_images(rows)))),
        ),
        items=items,
        groups=group_items(items, MEANINGS, command=_find_command, command_note=lambda _items: NOTE),
        matrix=_matrix(level, rows),
        records=_records(rows),
        explanations=MEANINGS,
    )


def _find_command(items: Sequence[Item]) -> str:
    """Return the command that gives the accounts what they lack; empty if it takes several, or none does."""
    commands = render_fixes(map(asdict, items))
    return commands[0] if len(commands) == 1 else ""


def _headline(level: str, rows: Sequence[Mapping[str, Any]], below: Sequence[Mapping[str, Any]]) -> str:
    """Return the number of verifications below the level and their causes, the most frequent one first."""
    if not rows:
        return "Nothing was verified."
    if not below:
        return f"All {len(rows)} verifications reached the level {level}."
    if not any(map(key_use.is_failed, below)):
        return f"Verified {key_use.format_counts(rows)} at the level {level}. {_list_causes(below)}"
    uncertain = sum(bool(row["uncertain"]) for row in below)
    uncertain_text = (
        f" {uncertain} of them {'is' if uncertain == 1 else 'are'} uncertain." if uncertain else ""
    )
    return (
        f"{len(below)} of {count(len(rows), 'verification')} did not reach the level {level}."
        f"{uncertain_text} {_list_causes(below)}"
    )


def _list_causes(below: Iterable[Mapping[str, Any]]) -> str:
    """Return a sentence for each of the most frequent causes."""
    causes = Counter(
        code
        for row in below
        for code in {finding["code"] for finding in row["findings"]} or {LEVEL_NOT_REACHED}
    )
    ranked = sorted(causes.items(), key=_rank_cause)
    texts = [
        f"{number:,} of them: {MEANINGS.get(code) or code.replace('_', ' ')}"
        for code, number in ranked[:_MOST_CAUSES]
    ]
    left = len(ranked) - _MOST_CAUSES
    return " ".join([*texts, f"And {count(left, 'other cause')}."] if left > 0 else texts)


def _rank_cause(cause: tuple[str, int]) -> tuple[int, str]:
    code, number = cause
    return -number, code


def _list_images(rows: Iterable[Mapping[str, Any]]) -> set[tuple[str, str | None]]:
    """Return the images; a row without an image ID has the image of another row in the region."""
    known = {(row["region"], row["image_id"]) for row in rows if row["image_id"]}
    regions = {region for region, _image_id in known}
    return known | {(row["region"], None) for row in rows if row["region"] not in regions}


def compare_reports(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Return the changes since an earlier report: of the levels that accounts reached."""
    return compare_sentences(before["written_at"], _sentences(before), _sentences(after))


def _sentences(content: Mapping[str, Any]) -> list[str]:
    return [f"{row['region']}: {_describe_row(row, content['level'])}." for row in content["results"]]


def _describe_row(row: Mapping[str, Any], required: str) -> str:
    if row.get("uncertain"):
        image = row["image_id"] or "the image"
        return f"{row['account_id']} sees {image}, and whether it can use its keys is uncertain"
    shortfall = "" if row["reached"] else f", not {required}"
    return f"{row['account_id']} {_reached_text(row)} with {row['image_id'] or 'the image'}{shortfall}"


def _reached_text(row: Mapping[str, Any]) -> str:
    return f"reached {row['level']}" if row["level"] else "reached no level"


def _items(below: Iterable[Mapping[str, Any]]) -> Iterator[Item]:
    for row in below:
        image = row["image_id"] or "the image"
        yield from list_items(
            row, f"{row['account_id']} {_reached_text(row)} with {image}, and no finding explains why."
        )


def list_items(row: Mapping[str, Any], unexplained: str) -> Iterator[Item]:
    """Yield the reasons why an account has not reached the level; ``unexplained`` without a finding."""
    reason = {
        "code": LEVEL_NOT_REACHED,
        "message": unexplained,
        "remedy": "Diagnose it with ami_share_diagnose.",
        "severity": Severity.HIGH.label,
    }
    account, image = row["account_id"], row["image_id"]
    place = {"account_id": account, "region": row["region"], "resource": image, "image_id": image}
    for finding in row["findings"] or [reason]:
        yield Item.of(finding, **place, principal=account)


def _matrix(required: str, rows: Iterable[Mapping[str, Any]]) -> Matrix:
    """Return images by accounts; an account with the required level or a higher one is marked as full."""
    cells: dict[tuple[str, str | None], dict[str, Mark]] = {}
    for row in rows:
        mark = Mark.PARTIAL if row["uncertain"] else Mark.FULL if row["reached"] else _MARKS[row["level"]]
        cells.setdefault((row["region"], row["image_id"]), {})[row["account_id"]] = mark
    full = (
        "An instance was running."
        if required == LEVELS[-1]
        else f"The level {required} or a higher one is proved."
    )
    lower_levels = (*reversed(LEVELS[: LEVELS.index(required)]), None)
    used = {mark for marks in cells.values() for mark in marks.values()}
    return Matrix(
        title="Level that each account reached with each image",
        legend={
            mark: meaning
            for mark, meaning in {
                Mark.FULL: full,
                # If a launch is required, this mark means the level below, and is replaced.
                Mark.PARTIAL: _UNCERTAIN,
                **{_MARKS[level]: _BELOW[_MARKS[level]] for level in lower_levels},
            }.items()
            if mark in used
        },
        labels=(Column("region", "Region"), Column("image_id", "Image")),
        columns=tuple(sorted({account for marks in cells.values() for account in marks})),
        rows=tuple(
            MatrixRow({"region": region, "image_id": image_id or ""}, marks)
            for (region, image_id), marks in sorted(
                cells.items(), key=lambda item: (item[0][0], item[0][1] or "")
            )
        ),
    )


def _records(rows: Iterable[Mapping[str, Any]]) -> Table:
    return Table(
        title="Verifications",
        columns=(
            Column("region", "Region"),
            Column("image_id", "Image"),
            Column("account_id", "Account"),
            Column("level", "Level"),
            Column("reached", "Reached"),
            Column("codes", "Findings"),
            Column("key_use", "Key use"),
            Column("principal", "Checked as"),
        ),
        rows=tuple({**row, "codes": [finding["code"] for finding in row["findings"]]} for row in rows),
        note="One for each account and image. Without a level, nothing is proved.",
    )

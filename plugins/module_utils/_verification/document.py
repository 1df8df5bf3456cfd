# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a verification as a document: which account has reached which level with which image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._diagnose.checks import MEANINGS as MEANINGS_OF_DIAGNOSIS
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
from . import key_use
from .key_use import KEY_USE_UNCERTAIN
from .report import LEVEL_NOT_REACHED, LEVELS, PROOFS, other_failures

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
_MARKS = {"authorized": Mark.PARTIAL, "visible": Mark.SLIGHT, None: Mark.BROKEN}
_UNCERTAIN = "AWS would accept a launch; whether the role can use the keys is uncertain."
_SHORT = {
    Mark.PARTIAL: "AWS would accept a launch, but no instance was launched.",
    Mark.SLIGHT: "The account can see the image, and no more is proved.",
    Mark.BROKEN: "The account cannot see the image, or was not checked.",
}


def document(content: Mapping[str, Any]) -> Document:
    """Return the document for a report of ``verification``."""
    rows = content["results"]
    short = [row for row in rows if not row["reached"]]
    level = content["level"]
    return Document(
        kind="verification",
        title="Who can launch the images",
        status=content["status"],
        complete=not content["failures"],
        headline=_headline(level, rows, short),
        facts=(
            ("Level", f"{level}: {PROOFS[level]}"),
            *(("Keys", text) for text in key_use.sentences(rows)),
            ("Accounts", str(len({row["account_id"] for row in rows}))),
            ("Images", str(len(_images(rows)))),
        ),
        items=(
            *_items(short),
            *(steps.to_item(one, Severity.HIGH.label) for one in other_failures(rows, content["failures"])),
        ),
        matrix=_matrix(level, rows),
        records=_records(rows),
        explanations=MEANINGS,
    )


def _headline(level: str, rows: Sequence[Mapping[str, Any]], short: Sequence[Mapping[str, Any]]) -> str:
    """Say how many verifications did not reach the level and why, the most frequent cause first."""
    if not rows:
        return "Nothing was verified."
    if not short:
        return f"All {len(rows)} verifications reached the level {level}."
    if not any(map(key_use.is_failed, short)):
        return f"Verified {key_use.counts(rows)} at the level {level}: {_causes(short)}."
    uncertain = sum(bool(row["uncertain"]) for row in short)
    too = f" {uncertain} of them {'is' if uncertain == 1 else 'are'} uncertain." if uncertain else ""
    return (
        f"{len(short)} of {count(len(rows), 'verification')} did not reach the level {level}: "
        f"{_causes(short)}.{too}"
    )


def _causes(short: Iterable[Mapping[str, Any]]) -> str:
    causes = Counter(
        code
        for row in short
        for code in {finding["code"] for finding in row["findings"]} or {LEVEL_NOT_REACHED}
    )
    return ", ".join(f"{code} ({number})" for code, number in sorted(causes.items(), key=_most_frequent))


def _most_frequent(cause: tuple[str, int]) -> tuple[int, str]:
    code, number = cause
    return -number, code


def _images(rows: Iterable[Mapping[str, Any]]) -> set[tuple[str, str | None]]:
    """Return the images. An account without an image ID has that of another account in the region."""
    named = {(row["region"], row["image_id"]) for row in rows if row["image_id"]}
    regions = {region for region, _image_id in named}
    return named | {(row["region"], None) for row in rows if row["region"] not in regions}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Return what changed since an earlier report: the levels that accounts reached."""
    return compare_sentences(before["written_at"], _sentences(before), _sentences(after))


def _sentences(content: Mapping[str, Any]) -> list[str]:
    return [f"{row['region']}: {_sentence(row, content['level'])}." for row in content["results"]]


def _sentence(row: Mapping[str, Any], wanted: str) -> str:
    if row.get("uncertain"):
        image = row["image_id"] or "the image"
        return f"{row['account_id']} sees {image}, and whether it can use its keys is uncertain"
    short = "" if row["reached"] else f", not {wanted}"
    return f"{row['account_id']} {_got(row)} with {row['image_id'] or 'the image'}{short}"


def _got(row: Mapping[str, Any]) -> str:
    return f"reached {row['level']}" if row["level"] else "reached no level"


def _items(short: Iterable[Mapping[str, Any]]) -> Iterator[Item]:
    for row in short:
        image = row["image_id"] or "the image"
        yield from items_of(
            row, f"{row['account_id']} {_got(row)} with {image}, and no finding explains why."
        )


def items_of(row: Mapping[str, Any], unexplained: str) -> Iterator[Item]:
    """Yield why an account has not reached the level; ``unexplained`` is said if no finding is the reason."""
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


def _matrix(wanted: str, rows: Iterable[Mapping[str, Any]]) -> Matrix:
    """Return images by accounts. One that has reached the level or a higher one is marked as full."""
    cells: dict[tuple[str, str | None], dict[str, Mark]] = {}
    for row in rows:
        mark = Mark.PARTIAL if row["uncertain"] else Mark.FULL if row["reached"] else _MARKS[row["level"]]
        cells.setdefault((row["region"], row["image_id"]), {})[row["account_id"]] = mark
    full = (
        "An instance was running."
        if wanted == LEVELS[-1]
        else f"The level {wanted} or a higher one is proved."
    )
    below = (*reversed(LEVELS[: LEVELS.index(wanted)]), None)
    used = {mark for marks in cells.values() for mark in marks.values()}
    return Matrix(
        title="Level that each account reached with each image",
        legend={
            mark: meaning
            for mark, meaning in {
                Mark.FULL: full,
                # Of a required launch, it means a level below that.
                Mark.PARTIAL: _UNCERTAIN,
                **{_MARKS[level]: _SHORT[_MARKS[level]] for level in below},
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

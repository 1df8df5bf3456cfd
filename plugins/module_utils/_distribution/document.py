# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a distribution as a document: the image by regions, and by accounts that have it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._finding import Severity
from .._listing import count
from .._reports import steps
from .._reports.document import (
    Cell,
    Changes,
    Column,
    Document,
    Grid,
    Item,
    Mark,
    Matrix,
    MatrixRow,
    Table,
    compare_sentences,
)
from .._reports.screen import format_duration, name_principal
from .._share.permissions import CONSUMERS, permissions_in
from .._verification import key_use
from .._verification.levels import PROOFS
from .unfinished import describe_earlier, describe_started

_STEPS = ("copied", "key", "shared", "verified", "published")
_STEP_MARKS = {
    Mark.FULL: "Done.",
    Mark.PARTIAL: "Done for a part.",
    Mark.BROKEN: "Not done.",
}
_ACCESS = {
    Mark.FULL: "Has the image, and reached the level of the verification.",
    Mark.PARTIAL: "Has the image, which was not verified.",
    Mark.SLIGHT: "Has the image, and whether it can use its keys is uncertain.",
    Mark.BROKEN: "Has the image, and has not reached the level of the verification.",
}
_WORST = (Mark.FULL, Mark.SLIGHT, Mark.BROKEN)
_SHARED_WITH, _PUBLISHED_IN = ("shared with", "consumer"), ("published in", "account")
# The actions of the steps that grant access to a key.
OF_KEYS = frozenset({"CreateGrant", "DescribeKey", "GetKeyPolicy", "ListGrants", "PutKeyPolicy"})


@dataclass(frozen=True)
class _Reach:
    """The consumers or accounts that a step reached, by region, and the expected ones, if known.

    ``note`` explains the expected number.
    """

    reached: Mapping[str, frozenset[str]]
    expected: frozenset[str]
    note: str = ""

    def of(self, region: str) -> frozenset[str]:
        """Return the ones that the step reached in a region."""
        reached = self.reached.get(region, frozenset())
        return reached & self.expected if self.expected else reached

    def regions(self) -> list[str]:
        """Return the regions in which the step reached some."""
        return [region for region in self.reached if self.of(region)]

    def describe(self, words: tuple[str, str]) -> str:
        """Return the number reached and of regions: ``shared with 2 consumers in 1 of 2 regions``."""
        verb, noun = words
        if not self.expected:
            number_reached = len(frozenset().union(*self.reached.values()))
            return f"{verb} {count(number_reached, noun)} in {count(len(self.regions()), 'region')}"
        done = sum(self.of(region) == self.expected for region in self.reached)
        where = f"{done} of {count(len(self.reached), 'region')}"
        number = f"{'all ' if len(self.expected) > 1 else ''}{count(len(self.expected), noun)}{self.note}"
        return f"{verb} {number} in {where}"


def build_document(content: Mapping[str, Any]) -> Document:
    """Return the document of the content that ``report.build_report`` returned."""
    # The checks of a diagnosis, whose import takes longer than all else in a report that is in no directory.
    from .._verification.document import MEANINGS

    regions: Sequence[Mapping[str, Any]] = content["regions"]
    by_region = tuple(
        (region["region"], tuple(_step_cell(content, region, step) for step in _STEPS)) for region in regions
    )
    used = [
        place
        for place, _step in enumerate(_STEPS)
        if any(cells[place] is not None for _region, cells in by_region)
    ]
    marks = {cell.mark for _region, cells in by_region for cell in cells if cell is not None}
    return Document(
        kind="distribution",
        title=f"Distribution of {_name(content)}",
        status=content["status"],
        complete=content["status"] == "distributed",
        headline=_headline(content),
        facts=tuple(_facts(content)),
        items=tuple(_items(content)),
        pictures=(
            Grid(
                title="Steps by region",
                columns=tuple(_STEPS[place] for place in used),
                rows=tuple((region, tuple(cells[place] for place in used)) for region, cells in by_region),
                legend={mark: meaning for mark, meaning in _STEP_MARKS.items() if mark in marks},
            ),
        )
        if regions
        else (),
        matrix=_matrix(content),
        tables=tuple(table for table in (_copy_table(content), _publication_table(content)) if table.rows),
        records=_records(content),
        explanations=MEANINGS,
    )


def _name(content: Mapping[str, Any]) -> str:
    """Return the name of the source image, else of the first copy.

    If all copies have one other name, that follows.
    """
    regions = sorted(content["regions"], key=lambda region: region["region"] != content["source_region"])
    names = [str(region["name"]) for region in regions if region["name"]]
    if not names:
        return content["source_image_id"] or "an image"
    own, *others = names
    has_source = regions[0]["image_id"] == content["source_image_id"]
    is_renamed = has_source and len({*others}) == 1 and others[0] != own
    return f"{own} as {others[0]}" if is_renamed else own


def compare_reports(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Return the changes since an earlier report: of images, and of the principals that have them."""
    return compare_sentences(before["written_at"], _sentences(before), _sentences(after))


def _sentences(content: Mapping[str, Any]) -> Iterator[str]:
    for region in content["regions"]:
        image = region["image_id"] or "no image"
        yield f"{region['region']}: {image} is {region['state'] or 'not there'}."
        for principal in _list_principals(content, region):
            yield f"{region['region']}: {image} is shared with {principal}."
    for publication in content.get("published", ()):
        place = f"{publication['parameter']} of {publication['account_id']}"
        yield f"{publication['region']}: {publication['image_id']} is published in {place}."


def _headline(content: Mapping[str, Any]) -> str:
    """Return a sentence such as ``The image is available in 8 of 8 regions and shared in 8, ….``"""
    return " ".join(filter(None, (_summarize(content), describe_started(content))))


def _summarize(content: Mapping[str, Any]) -> str:
    regions = content["regions"]
    if not regions:
        return "No region was completed."
    ready = sum(region["state"] == "available" for region in regions)
    consumers, publications = _consumers(content), _publications(content)
    parts = [f"The image is available in {ready} of {count(len(regions), 'region')}"]
    if consumers.expected or consumers.regions():
        parts.append(consumers.describe(_SHARED_WITH))
    verified = content.get("verified", ())
    if verified:
        parts.append(f"verified for {_count_reached(verified, 'account-region pair')}")
    if publications.expected or publications.regions():
        parts.append(publications.describe(_PUBLISHED_IN))
    *others, last = parts
    text = f"{', '.join(others)} and {last}." if others else f"{last}."
    failures = content["failures"]
    return f"{text} {count(len(failures), 'step')} failed." if failures else text


def _count_reached(rows: Sequence[Mapping[str, Any]], noun: str) -> str:
    """Return how many of the rows reached the level, and the number of uncertain ones."""
    done, uncertain = (sum(bool(row.get(key)) for row in rows) for key in ("reached", "uncertain"))
    text = f"{done} of {count(len(rows), noun)}"
    return f"{text} ({uncertain} uncertain)" if uncertain else text


def _facts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    desired = content.get("desired", {})
    if source := content["source_image_id"] or desired.get("source"):
        yield "Source", f"{source} in {content['source_region']}" if content["source_region"] else source
    # The tables below have what was reached.
    if not content["regions"] and "regions" in desired:
        yield "Regions", ", ".join(desired["regions"])
    if not content["regions"] and "shared_with" in desired:
        yield "Share with", count(len(desired["shared_with"]), "consumer")
    level = content.get("verification_level")
    if level:
        yield "Verification", f"{level}: {PROOFS[level]}"
    yield from (("Keys", text) for text in key_use.describe_key_use_of_distribution(content))
    earlier = describe_earlier(content)
    if earlier:
        yield "Not completed", earlier


def _items(content: Mapping[str, Any]) -> Iterator[Item]:
    """Yield the failures, and the findings that keep accounts from the level of the verification."""
    from .._verification.document import list_items

    optional = {region["region"] for region in content["regions"] if region["best_effort"]}
    not_reached = [row for row in content.get("verified", ()) if not row["reached"]]
    for failure in content["failures"]:
        # This failure sums up the findings of the verification, which follow.
        if failure["action"] == "verify" and not_reached:
            continue
        severity = Severity.MEDIUM if failure["region"] in optional else Severity.HIGH
        yield steps.to_item(failure, severity.label, principal=failure["account_id"])
    for row in not_reached:
        image = row["image_id"] or "the image"
        yield from list_items(row, f"{row['account_id']} has not reached the level with {image}.")


def _step_cell(content: Mapping[str, Any], region: Mapping[str, Any], step: str) -> Cell | None:
    """Return the cell of a step in a region; None if it did not run or is not needed."""
    region_name = region["region"]
    if step == "copied":
        done = region["state"] == "available"
        took = _format_duration(region)
        title = f"{region['image_id'] or 'no image'} is {region['state'] or 'not there'}."
        is_source = done and region["image_id"] == content["source_image_id"]
        return Cell(
            "source" if is_source else str(region["state"] or "none"),
            Mark.FULL if done else Mark.BROKEN,
            f"{title} The copy took {took}." if took else title,
            f"in {took}" if took else "",
        )
    if step == "key":
        return _key_cell(content, region)
    if step == "shared":
        return _reach_cell(_consumers(content), region_name, _SHARED_WITH)
    if step == "published":
        return _reach_cell(_publications(content), region_name, _PUBLISHED_IN)
    rows = [row for row in content.get("verified", ()) if row["region"] == region_name]
    if not rows:
        return None
    done = sum(bool(row["reached"]) for row in rows)
    cell = _part_cell(done, len(rows), f"{_count_reached(rows, 'account')} reached the level.")
    uncertain = sum(bool(row.get("uncertain")) for row in rows)
    return replace(cell, detail=f"{uncertain} uncertain") if uncertain else cell


def _consumers(content: Mapping[str, Any]) -> _Reach:
    """Return the consumers of the image, without its owner, which needs no permission."""
    return _Reach(
        {region["region"]: frozenset(_list_principals(content, region)) for region in content["regions"]},
        frozenset(content.get("desired", {}).get("shared_with", ())) - _owners(content),
    )


def _publications(content: Mapping[str, Any]) -> _Reach:
    """Return the accounts that the image is published in, which always include its owner."""
    others = frozenset(content.get("desired", {}).get("published_in", ()))
    owners = _owners(content)
    accounts_by_region: dict[str, set[str]] = {region["region"]: set() for region in content["regions"]}
    for publication in content.get("published", ()):
        accounts_by_region.setdefault(publication["region"], set()).add(str(publication["account_id"]))
    return _Reach(
        {region: frozenset(accounts) for region, accounts in accounts_by_region.items()},
        others | owners if others else others,
        " (the owner among them)" if owners and others - owners else "",
    )


def _owners(content: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(str(region["account_id"]) for region in content["regions"] if region["account_id"])


def _reach_cell(reach: _Reach, region: str, words: tuple[str, str]) -> Cell | None:
    """Return the cell with the number reached in a region; None if no region needs any."""
    verb, noun = words
    reached = reach.of(region)
    if reach.expected:
        done, number = len(reached), len(reach.expected)
        return _part_cell(done, number, f"{verb} {done} of {count(number, noun)}.")
    if not reach.regions():
        return None
    text = count(len(reached), noun) if reached else "no"
    return Cell(text, Mark.FULL if reached else Mark.BROKEN, f"{verb} {text if reached else f'no {noun}'}.")


def _format_duration(copy: Mapping[str, Any]) -> str:
    """Return the duration of a copy; empty for the source and if unknown."""
    return format_duration(copy["copy_seconds"]) if copy["copy_seconds"] else ""


def _key_cell(content: Mapping[str, Any], region: Mapping[str, Any]) -> Cell | None:
    arn = region["kms_key_arn"]
    if not arn:
        return None
    failures = [
        failure
        for failure in content["failures"]
        if failure["region"] == region["region"] and failure["action"] in OF_KEYS
    ]
    if failures:
        return Cell("failed", Mark.BROKEN, f"{count(len(failures), 'failure')} with {arn}.")
    return Cell("ok", Mark.FULL, f"{arn}.")


def _part_cell(done: int, number: int, title: str) -> Cell:
    mark = Mark.FULL if done == number else Mark.PARTIAL if done else Mark.BROKEN
    return Cell(f"{done} of {number}", mark, title)


def _list_principals(content: Mapping[str, Any], region: Mapping[str, Any]) -> list[str]:
    permissions = permissions_in(region["region"], content["launch_permissions"])
    return [str(principal) for kind in CONSUMERS for principal in permissions[kind]]


def _matrix(content: Mapping[str, Any]) -> Matrix:
    """Return the matrix of regions by accounts, organizations and organizational units."""
    verified: dict[tuple[str, str], Mark] = {}
    for row in content.get("verified", ()):
        place = row["region"], str(row["account_id"])
        verified[place] = max(verified.get(place, Mark.FULL), _choose_mark(row), key=_WORST.index)
    cells: dict[str, dict[str, Mark]] = {}
    for region in content["regions"]:
        region_name = region["region"]
        marks = {
            name_principal(principal): verified.get((region_name, principal), Mark.PARTIAL)
            for principal in _list_principals(content, region)
        }
        marks |= {account: mark for (name, account), mark in verified.items() if name == region_name}
        cells[region_name] = marks
    rows = tuple(
        MatrixRow(
            {"region": region["region"], "image_id": region["image_id"] or "no image"},
            cells[region["region"]],
        )
        for region in content["regions"]
    )
    used = {mark for marks in cells.values() for mark in marks.values()}
    return Matrix(
        title="Regions and accounts",
        legend={mark: meaning for mark, meaning in _ACCESS.items() if mark in used},
        labels=(Column("region", "Region"), Column("image_id", "Image")),
        columns=tuple(sorted({principal for marks in cells.values() for principal in marks})),
        rows=rows,
        # A region without marks is one that failed.
        all_rows=any(cells.values()),
    )


def _choose_mark(row: Mapping[str, Any]) -> Mark:
    if row["reached"]:
        return Mark.FULL
    return Mark.SLIGHT if row.get("uncertain") else Mark.BROKEN


def _copy_table(content: Mapping[str, Any]) -> Table:
    return Table(
        title="Copies that accounts own",
        columns=(
            Column("account_id", "Account"),
            Column("region", "Region"),
            Column("image_id", "Image"),
            Column("name", "Name"),
            Column("state", "State"),
            Column("copied_in", "Copied in"),
            Column("kms_key_arn", "Key"),
        ),
        rows=tuple(
            {**copy, "copied_in": _format_duration(copy)} for copy in content.get("consumer_images", ())
        ),
    )


def _publication_table(content: Mapping[str, Any]) -> Table:
    return Table(
        title="Where the image is published",
        columns=(
            Column("account_id", "Account"),
            Column("region", "Region"),
            Column("parameter", "Parameter"),
            Column("label", "Label"),
            Column("image_id", "Image"),
            Column("templates", "Launch templates"),
        ),
        rows=tuple(
            {**publication, "templates": _list_templates(publication["launch_templates"])}
            for publication in content.get("published", ())
        ),
    )


def _list_templates(templates: Iterable[Any] | None) -> list[str]:
    return [
        str(template.get("name") if isinstance(template, Mapping) else template)
        for template in templates or ()
    ]


def _records(content: Mapping[str, Any]) -> Table:
    """Return one row for each region and consumer, and one for a region without consumers."""
    return Table(
        title="All regions and consumers",
        columns=(
            Column("region", "Region"),
            Column("image_id", "Image"),
            Column("name", "Name"),
            Column("state", "State"),
            Column("copy_seconds", "Copy seconds", numeric=True),
            Column("kms_key_arn", "Key"),
            Column("principal", "Consumer"),
            Column("verified", "Verified"),
            Column("snapshot_ids", "Snapshots"),
        ),
        rows=tuple(row for region in content["regions"] for row in _rows(content, region)),
    )


def _rows(content: Mapping[str, Any], region: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    keys = ("region", "image_id", "name", "state", "copy_seconds", "kms_key_arn", "snapshot_ids")
    facts = {key: region[key] for key in keys}
    reached = {
        str(row["account_id"]): "uncertain" if row.get("uncertain") else row["reached"]
        for row in content.get("verified", ())
        if row["region"] == region["region"]
    }
    principals = dict.fromkeys([*_list_principals(content, region), *reached])
    if not principals:
        yield facts
    for principal in principals:
        yield {**facts, "principal": principal, "verified": reached.get(principal)}

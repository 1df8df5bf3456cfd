# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a distribution as a document: what each region and each account has of the image."""

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
from .._reports.screen import format_duration, shorten_principal
from .._verification import key_use
from .._verification.document import MEANINGS, items_of
from .._verification.report import PROOFS
from .unfinished import earlier_text, started_text

_CONSUMERS = ("account_ids", "org_arns", "org_unit_arns")
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
# What fails where access to a key is granted.
OF_KEYS = frozenset({"CreateGrant", "DescribeKey", "GetKeyPolicy", "ListGrants", "PutKeyPolicy"})


@dataclass(frozen=True)
class _Reach:
    """The consumers or accounts that a step reached, by region, and those that it had to reach, if known.

    ``note`` explains their number.
    """

    found: Mapping[str, frozenset[str]]
    wanted: frozenset[str]
    note: str = ""

    def of(self, region: str) -> frozenset[str]:
        """Those that the step reached in a region."""
        found = self.found.get(region, frozenset())
        return found & self.wanted if self.wanted else found

    def regions(self) -> list[str]:
        """The regions in which the step reached some."""
        return [region for region in self.found if self.of(region)]

    def words(self, words: tuple[str, str]) -> str:
        """How many were reached in how many regions: ``shared with 2 consumers in 1 of 2 regions``."""
        verb, noun = words
        if not self.wanted:
            found = len(frozenset().union(*self.found.values()))
            return f"{verb} {count(found, noun)} in {count(len(self.regions()), 'region')}"
        done = sum(self.of(region) == self.wanted for region in self.found)
        where = f"{done} of {count(len(self.found), 'region')}"
        number = f"{'all ' if len(self.wanted) > 1 else ''}{count(len(self.wanted), noun)}{self.note}"
        return f"{verb} {number} in {where}"


def document(content: Mapping[str, Any]) -> Document:
    """The document of the content that ``report.distribution`` returned."""
    regions: Sequence[Mapping[str, Any]] = content["regions"]
    by_region = tuple(
        (region["region"], tuple(_step(content, region, step) for step in _STEPS)) for region in regions
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
        tables=tuple(table for table in (_consumer_copies(content), _published(content)) if table.rows),
        records=_records(content),
        explanations=MEANINGS,
    )


def _name(content: Mapping[str, Any]) -> str:
    """The name of the image in its own region, else of its first copy.

    If the source is there, and all copies have one other name, that follows.
    """
    regions = sorted(content["regions"], key=lambda one: one["region"] != content["source_region"])
    names = [str(region["name"]) for region in regions if region["name"]]
    if not names:
        return content["source_image_id"] or "an image"
    own, *others = names
    has_source = regions[0]["image_id"] == content["source_image_id"]
    is_renamed = has_source and len({*others}) == 1 and others[0] != own
    return f"{own} as {others[0]}" if is_renamed else own


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """What changed since an earlier report: images, and who has them."""
    return compare_sentences(before["written_at"], _sentences(before), _sentences(after))


def _sentences(content: Mapping[str, Any]) -> Iterator[str]:
    for region in content["regions"]:
        image = region["image_id"] or "no image"
        yield f"{region['region']}: {image} is {region['state'] or 'not there'}."
        for principal in _principals(region):
            yield f"{region['region']}: {image} is shared with {principal}."
    for one in content.get("published", ()):
        yield f"{one['region']}: {one['image_id']} is published in {one['parameter']} of {one['account_id']}."


def _headline(content: Mapping[str, Any]) -> str:
    """A sentence such as ``The image is available in 8 of 8 regions and shared in 8, ….``"""
    return " ".join(filter(None, (_numbers(content), started_text(content))))


def _numbers(content: Mapping[str, Any]) -> str:
    regions = content["regions"]
    if not regions:
        return "No region was completed."
    ready = sum(region["state"] == "available" for region in regions)
    consumers, publications = _consumers(content), _publications(content)
    parts = [f"The image is available in {ready} of {count(len(regions), 'region')}"]
    if consumers.wanted or consumers.regions():
        parts.append(consumers.words(_SHARED_WITH))
    verified = content.get("verified", ())
    if verified:
        parts.append(f"verified in {_cases(verified)}")
    if publications.wanted or publications.regions():
        parts.append(publications.words(_PUBLISHED_IN))
    *some, last = parts
    text = f"{', '.join(some)} and {last}." if some else f"{last}."
    failures = content["failures"]
    return f"{text} {count(len(failures), 'step')} failed." if failures else text


def _cases(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many have reached the level, and apart from them how many are uncertain."""
    done, uncertain = (sum(bool(one.get(key)) for one in rows) for key in ("reached", "uncertain"))
    text = f"{done} of {count(len(rows), 'case')}"
    return f"{text} ({uncertain} uncertain)" if uncertain else text


def _facts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if content["source_image_id"]:
        yield "Source", f"{content['source_image_id']} in {content['source_region']}"
    level = content.get("verification_level")
    if level:
        yield "Verification", f"{level}: {PROOFS[level]}"
    yield from (("Keys", text) for text in key_use.sentences_of(content))
    earlier = earlier_text(content)
    if earlier:
        yield "Not completed", earlier


def _items(content: Mapping[str, Any]) -> Iterator[Item]:
    """What failed, and what keeps accounts from the level of the verification."""
    optional = {region["region"] for region in content["regions"] if region["best_effort"]}
    unverified = [one for one in content.get("verified", ()) if not one["reached"]]
    for failure in content["failures"]:
        # It sums up the findings of the verification.
        if failure["action"] == "verify" and unverified:
            continue
        severity = Severity.MEDIUM if failure["region"] in optional else Severity.HIGH
        yield steps.to_item(failure, severity.label, principal=failure["account_id"])
    for one in unverified:
        image = one["image_id"] or "the image"
        yield from items_of(one, f"{one['account_id']} has not reached the level with {image}.")


def _step(content: Mapping[str, Any], region: Mapping[str, Any], step: str) -> Cell | None:
    """A step in a region; None if it did not run or is not needed."""
    here = region["region"]
    if step == "copied":
        done = region["state"] == "available"
        took = _took(region)
        title = f"{region['image_id'] or 'no image'} is {region['state'] or 'not there'}."
        is_source = done and region["image_id"] == content["source_image_id"]
        return Cell(
            "source" if is_source else str(region["state"] or "none"),
            Mark.FULL if done else Mark.BROKEN,
            f"{title} The copy took {took}." if took else title,
            f"in {took}" if took else "",
        )
    if step == "key":
        return _key(content, region)
    if step == "shared":
        return _reached(_consumers(content), here, _SHARED_WITH)
    if step == "published":
        return _reached(_publications(content), here, _PUBLISHED_IN)
    rows = [one for one in content.get("verified", ()) if one["region"] == here]
    if not rows:
        return None
    done = sum(bool(one["reached"]) for one in rows)
    cell = _part(done, len(rows), f"{_cases(rows)} reached the level.")
    uncertain = sum(bool(one.get("uncertain")) for one in rows)
    return replace(cell, detail=f"{uncertain} uncertain") if uncertain else cell


def _consumers(content: Mapping[str, Any]) -> _Reach:
    """Those that the image is shared with: not its owner, which needs no permission."""
    return _Reach(
        {region["region"]: frozenset(_principals(region)) for region in content["regions"]},
        frozenset(content.get("wanted", {}).get("shared_with", ())) - _owners(content),
    )


def _publications(content: Mapping[str, Any]) -> _Reach:
    """The accounts that the image is published in, which always include its owner."""
    others = frozenset(content.get("wanted", {}).get("published_in", ()))
    owners = _owners(content)
    found: dict[str, set[str]] = {region["region"]: set() for region in content["regions"]}
    for one in content.get("published", ()):
        found.setdefault(one["region"], set()).add(str(one["account_id"]))
    return _Reach(
        {region: frozenset(accounts) for region, accounts in found.items()},
        others | owners if others else others,
        " (the owner among them)" if owners and others - owners else "",
    )


def _owners(content: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(str(region["account_id"]) for region in content["regions"] if region["account_id"])


def _reached(reach: _Reach, region: str, words: tuple[str, str]) -> Cell | None:
    """How many are reached in a region; None if no region needs any."""
    verb, noun = words
    found = reach.of(region)
    if reach.wanted:
        done, number = len(found), len(reach.wanted)
        return _part(done, number, f"{verb} {done} of {count(number, noun)}.")
    if not reach.regions():
        return None
    text = count(len(found), noun) if found else "no"
    return Cell(text, Mark.FULL if found else Mark.BROKEN, f"{verb} {text if found else f'no {noun}'}.")


def _took(copy: Mapping[str, Any]) -> str:
    """How long a copy took, empty for the source and where it is unknown."""
    return format_duration(copy["copy_seconds"]) if copy["copy_seconds"] else ""


def _key(content: Mapping[str, Any], region: Mapping[str, Any]) -> Cell | None:
    arn = region["kms_key_arn"]
    if not arn:
        return None
    wrong = [
        one for one in content["failures"] if one["region"] == region["region"] and one["action"] in OF_KEYS
    ]
    if wrong:
        return Cell("failed", Mark.BROKEN, f"{count(len(wrong), 'failure')} with {arn}.")
    return Cell("ok", Mark.FULL, f"{arn}.")


def _part(done: int, number: int, title: str) -> Cell:
    mark = Mark.FULL if done == number else Mark.PARTIAL if done else Mark.BROKEN
    return Cell(f"{done} of {number}", mark, title)


def _principals(region: Mapping[str, Any]) -> list[str]:
    permissions = region["launch_permissions"] or {}
    return [str(one) for kind in _CONSUMERS for one in permissions.get(kind) or ()]


def _matrix(content: Mapping[str, Any]) -> Matrix:
    """Regions by accounts, organizations and organizational units."""
    verified: dict[tuple[str, str], Mark] = {}
    for one in content.get("verified", ()):
        place = one["region"], str(one["account_id"])
        verified[place] = max(verified.get(place, Mark.FULL), _mark(one), key=_WORST.index)
    cells: dict[str, dict[str, Mark]] = {}
    for region in content["regions"]:
        here = region["region"]
        found = {
            shorten_principal(one): verified.get((here, one), Mark.PARTIAL) for one in _principals(region)
        }
        found |= {account: mark for (place, account), mark in verified.items() if place == here}
        cells[here] = found
    rows = tuple(
        MatrixRow({"region": region["region"], "image_id": region["image_id"] or ""}, cells[region["region"]])
        for region in content["regions"]
    )
    used = {mark for found in cells.values() for mark in found.values()}
    return Matrix(
        title="Regions and accounts",
        legend={mark: meaning for mark, meaning in _ACCESS.items() if mark in used},
        labels=(Column("region", "Region"), Column("image_id", "Image")),
        columns=tuple(sorted({principal for found in cells.values() for principal in found})),
        rows=rows,
    )


def _mark(one: Mapping[str, Any]) -> Mark:
    if one["reached"]:
        return Mark.FULL
    return Mark.SLIGHT if one.get("uncertain") else Mark.BROKEN


def _consumer_copies(content: Mapping[str, Any]) -> Table:
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
        rows=tuple({**copy, "copied_in": _took(copy)} for copy in content.get("consumer_images", ())),
    )


def _published(content: Mapping[str, Any]) -> Table:
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
            {**one, "templates": _templates(one["launch_templates"])} for one in content.get("published", ())
        ),
    )


def _templates(found: Iterable[Any] | None) -> list[str]:
    return [str(one.get("name") if isinstance(one, Mapping) else one) for one in found or ()]


def _records(content: Mapping[str, Any]) -> Table:
    """One row for each region and consumer, and one for a region without consumers."""
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
        str(one["account_id"]): "uncertain" if one.get("uncertain") else one["reached"]
        for one in content.get("verified", ())
        if one["region"] == region["region"]
    }
    principals = dict.fromkeys([*_principals(region), *reached])
    if not principals:
        yield facts
    for principal in principals:
        yield {**facts, "principal": principal, "verified": reached.get(principal)}

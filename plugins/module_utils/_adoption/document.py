# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on adoption as a document: accounts behind, accounts by regions, releases, and every use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._listing import count
from .._reports.document import (
    Bars,
    Cell,
    Changes,
    Column,
    Document,
    Each,
    Grid,
    Item,
    Mark,
    Table,
    compare_sentences,
)
from .causes import MEANINGS
from .content import CURVE, INCOMPLETE, SCOPE, UNCOUNTED, explain_other_scope, has_read, list_current
from .state import USAGE_REPORTS, WITHOUT_ROLES

_LEGEND = {
    Mark.FULL: "All uses are of the current release.",
    Mark.PARTIAL: "Some uses are behind.",
    Mark.BROKEN: "No use is of the current release.",
    Mark.UNREADABLE: "Could not be read, or the release is not known.",
}
_LEGEND_OF_BARS = {
    Mark.FULL: "Current release.",
    Mark.BROKEN: "Behind.",
    Mark.UNREADABLE: "The release is not known.",
}
_NO_USE = (
    "An empty cell was read, and uses no image of the families. Regions with uses are first; those that were "
    "read and have none are omitted."
)
_NO_REPORTED_USE = "An empty cell has no reported use. Regions without any use are omitted."
_STATUSES = {Mark.FULL: "current", Mark.BROKEN: "behind", Mark.UNREADABLE: "unknown"}


def build_document(content: Mapping[str, Any]) -> Document:
    """Return the document of the content of a report."""
    scope = content[SCOPE]
    owner = scope["account_id"]
    tables = (
        _failures(content),
        _accounts_behind(content),
        _accounts(content),
        _releases(content),
        _limits(content),
    )
    return Document(
        kind="adoption",
        title="Who uses which release" + (f" of the images of account {owner}" if owner else ""),
        status=content["status"],
        headline=content["summary"],
        facts=(
            ("Depth", str(scope["depth"])),
            *(("Current release", f"{family}: {text}") for family, text in list_current(content)),
            *(("Not looked at", text) for text in content["not_looked_at"]),
        ),
        items=tuple(map(Item.of, content["findings"])),
        tables=tuple(table for table in tables if table.rows),
        pictures=tuple(picture for picture in (_grid(content), _curve(content)) if picture is not None),
        records=_records(content),
        explanations=MEANINGS,
        complete=content["status"] != INCOMPLETE,
        empty=content["status"] != "current",
    )


def compare_reports(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Return the changes since an earlier report of the same scope; otherwise why they are not compared.

    What could not be read now, or has no usage report any more, has not gone.
    """
    since = before["written_at"]
    for content, which in ((after, "This"), (before, "The last")):
        if not has_read(content):
            return Changes(since, note=f"{which} report read nothing.")
    if note := explain_other_scope(before, after):
        return Changes(since, note=note)
    changes = compare_sentences(
        since, (text for _place, text in _sentences(before)), (text for _place, text in _sentences(after))
    )
    kept = {text for place, text in _sentences(before) if not _covers(after, *place)}
    kept.update(map(_describe_use, after[UNCOUNTED]))
    return Changes(since, changes.added, tuple(text for text in changes.removed if text not in kept))


def _covers(content: Mapping[str, Any], account_id: str, region: str) -> bool:
    """Whether a report shows all that an account uses in a region."""
    if content[SCOPE]["depth"] == USAGE_REPORTS:
        return all(failure["region"] != region for failure in content["failures"])
    unread = {account["account_id"]: account["unread_regions"] for account in content["accounts"]}
    return region not in unread[account_id]


def _sentences(content: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield a sentence for each use that is not known as current, and for each region that was not read."""
    for use in content["uses"]:
        if use["status"] != "current":
            yield (use["account_id"], use["region"]), _describe_use(use)
    for use in content[UNCOUNTED]:
        yield (use["account_id"], use["region"]), _describe_use({**use, "status": "not counted any more"})
    for account in content["accounts"]:
        for region in account["unread_regions"]:
            place = account["account_id"], region
            yield place, f"Account {place[0]} in {place[1]} could not be read."


def _describe_use(use: Mapping[str, Any]) -> str:
    noun, of = use["kind"].replace("_", " "), use["image_name"] or use["image_id"]
    return f"Account {use['account_id']} in {use['region']}: {noun} of {of} ({use['status']})"


def _grid(content: Mapping[str, Any]) -> Grid | None:
    """Return the accounts by regions, each with the share of its uses that is of the current release."""
    numbers: dict[tuple[str, str], dict[str, int]] = {}
    for use in content["uses"]:
        of_place = numbers.setdefault((use["account_id"], use["region"]), {})
        of_place[use["status"]] = of_place.get(use["status"], 0) + use["number"]
    unread = {
        (account["account_id"], region)
        for account in content["accounts"]
        for region in account["unread_regions"]
    }
    used = {region for _account_id, region in numbers}
    not_read = {region for _account_id, region in unread} - used
    columns = (*sorted(used), *sorted(not_read))
    if not columns:
        return None
    rows = tuple(
        (account_id, tuple(_cell(place in unread, numbers.get(place, {})) for place in places))
        for account_id, places in (
            (account["account_id"], [(account["account_id"], region) for region in columns])
            for account in content["accounts"]
        )
    )
    return Grid(
        title="Accounts by share of the current release",
        columns=columns,
        rows=rows,
        legend=_LEGEND,
        note=_NO_REPORTED_USE if content[SCOPE]["depth"] in WITHOUT_ROLES else _NO_USE,
        of_accounts=True,
    )


def _cell(is_unread: bool, numbers: Mapping[str, int]) -> Cell | None:
    current, behind = numbers.get("current", 0), numbers.get("behind", 0)
    total = current + behind + numbers.get("unknown", 0)
    if is_unread:
        read = f", of which {current} of {total} are current" if total else ""
        return Cell("?", Mark.UNREADABLE, f"Not everything could be read{read}.")
    if not total:
        return None
    text, title = f"{current}/{total}", f"{current} of {count(total, 'use')} of the current release."
    if current == total:
        return Cell(text, Mark.FULL, title)
    if not behind:
        return Cell(text, Mark.UNREADABLE, title)
    return Cell(text, Mark.PARTIAL if current else Mark.BROKEN, title)


def _curve(content: Mapping[str, Any]) -> Bars | None:
    """Return the uses by status in the earlier reports of the folder, and in this one if it is complete."""
    if not content[CURVE]:
        return None
    points = [*zip(_label_points(content[CURVE]), content[CURVE], strict=True)]
    if content["status"] != INCOMPLETE:
        points.append(("now", content["totals"]))
    return Bars(
        title="Adoption over time",
        rows=tuple(
            (label, {mark: float(point[status]) for mark, status in _STATUSES.items()})
            for label, point in points
        ),
        legend=_LEGEND_OF_BARS,
        unit="uses",
    )


def _label_points(curve: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the dates of the points, with the time where there are several of a day."""
    numbers = Counter(point["since"][:10] for point in curve)
    for point in curve:
        date = point["since"][:10]
        yield date if numbers[date] == 1 else point["since"][:16].replace("T", " ")


def _failures(content: Mapping[str, Any]) -> Table:
    return Table(
        title="What could not be read",
        columns=(
            Column("account_id", "Account"),
            Column("region", "Region"),
            Column("action", "Call"),
            Column("error_code", "Error"),
            Column("message", "Message"),
            Column("remedy", "What to do"),
        ),
        rows=tuple(content["failures"]),
        note="These accounts can use any release.",
    )


def _accounts_behind(content: Mapping[str, Any]) -> Table:
    return Table(
        title="Accounts behind, the worst first",
        columns=(
            Column("account_id", "Account"),
            Column("owners", "Owners"),
            Column("behind", "Uses behind", numeric=True),
            Column("denied", "Denied", numeric=True),
            Column("release", "Worst release"),
            Column("releases_behind", "Releases behind", numeric=True),
            Column("behind_since", "Behind since"),
            Column("withdrawn", "Withdrawn"),
            Column("behind_regions", "Regions"),
        ),
        rows=tuple(
            {
                **account["worst"],
                **account,
                "denied": account["denied"] or None,
                "release": _release_of(account["worst"]),
            }
            for account in content["accounts"]
            if account["worst"] is not None
        ),
    )


def _release_of(use: Mapping[str, Any]) -> str:
    return str(use["release"] or use["image_name"] or use["image_id"])


def _accounts(content: Mapping[str, Any]) -> Table:
    return Table(
        title="Accounts",
        columns=(
            Column("account_id", "Account"),
            Column("status", "Status"),
            Column("current", "Current", numeric=True),
            Column("behind", "Behind", numeric=True),
            Column("unknown", "Unknown", numeric=True),
            Column("other", "Other images", numeric=True),
            Column("unread_regions", "Not readable"),
        ),
        rows=tuple(content["accounts"]),
    )


def _releases(content: Mapping[str, Any]) -> Table:
    return Table(
        title="Releases",
        columns=(
            Column("family", "Family"),
            Column("name", "Release"),
            Column("image_id", "Image"),
            Column("region", "Region"),
            Column("created", "Created"),
            Column("releases_behind", "Newer releases", numeric=True),
            Column("withdrawn", "Withdrawn"),
            Column("severity", "Findings of Inspector"),
            Column("fault", "Not to be used"),
        ),
        rows=tuple(content["releases"]),
    )


def _limits(content: Mapping[str, Any]) -> Table:
    return Table(
        title="What this depth never shows",
        columns=(Column("limit", "Not looked at"),),
        rows=tuple({"limit": limit} for limit in content["limits"]),
    )


def _records(content: Mapping[str, Any]) -> Table:
    """Return a row for each use, and one for each account and region, or call, that could not be read."""
    return Table(
        title="Uses, and what was not read",
        columns=(
            Column("account_id", "Account"),
            Column("region", "Region"),
            Column("status", "Status"),
            Column("kind", "Kind"),
            Column("resource", "Resource"),
            Column("number", "Number", numeric=True),
            Column("family", "Family"),
            Column("release", "Release"),
            Column("image_id", "Image"),
            Column("releases_behind", "Releases behind", numeric=True),
            Column("behind_since", "Behind since"),
            Column("withdrawn", "Withdrawn"),
            Column("denied_by", "Denied"),
            Column("owners", "Owners"),
        ),
        rows=(
            *_unread_rows(content),
            *map(_row, content["uses"]),
            *(_row({**use, "status": "unknown"}) for use in content[UNCOUNTED]),
        ),
    )


def _unread_rows(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    shown = set()
    for account in content["accounts"]:
        for region in account["unread_regions"]:
            shown.update({(account["account_id"], region), (account["account_id"], None)})
            yield {"account_id": account["account_id"], "region": region, "status": "unreadable"}
    for failure in content["failures"]:
        place = failure["account_id"], failure["region"]
        if place not in shown:
            row = {"account_id": place[0], "region": place[1], "status": "unreadable"}
            yield {**row, "resource": failure["action"]}


def _row(use: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a use: one for each resource if AWS names them."""
    if not use["names"]:
        return dict(use)
    return {**use, "resource": Each(tuple(use["names"])), "number": 1}

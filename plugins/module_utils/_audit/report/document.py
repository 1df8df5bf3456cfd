# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audit report as a document: findings, regions, keys, and which principal can use which image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._reports.document import Column, Document, Each, Grid, Item, Mark, Matrix, MatrixRow, Table
from ..._reports.drift import Version, compare_versions
from ..._reports.naming import image_order, parse_family, parse_version
from ..._reports.screen import join_counts, name_principal
from ..causes import MEANINGS
from .commands import Commands
from .groups import group_findings
from .principals import ACCESS, KINDS

_LEGEND = {
    Mark.FULL: "May launch the image, which is allowed.",
    Mark.PARTIAL: "Has a permission for its snapshots and none for the image itself, which is allowed.",
    Mark.BROKEN: "May launch the image, which is allowed, but cannot use its keys.",
    Mark.FOREIGN: "May use the image or its snapshots, which is not allowed.",
    Mark.PUBLIC: "The image or its snapshots are public, which is not allowed.",
    Mark.UNREADABLE: "Permissions or key access could not be read, were not checked, or are undetermined.",
}
_PERMISSIONS = frozenset({"launch permissions", "snapshots"})
_ALLOWED = (
    ("allowed_account_ids", "account"),
    ("allowed_org_arns", "organization"),
    ("allowed_org_unit_arns", "organizational unit"),
    ("rules", "rule"),
)
_UNREAD = "others"
"""Column that marks images whose permissions could not be read, and regions that could not be read."""
_UNREAD_REGION = "The region could not be read"


def document(content: Mapping[str, Any]) -> Document:
    """Return the document of the content that ``content.audit`` returned."""
    owner = content["account_id"]
    items = tuple(map(Item.of, content["findings"]))
    images = sorted(content["images"], key=image_order)
    commands = Commands(content)
    not_checked = [f"{what}: not checked" for what in content["not_checked"]]
    return Document(
        kind="audit",
        title="Who can use the images" + (f" of account {owner}" if owner else ""),
        status=content["status"],
        complete=content["status"] != "incomplete",
        empty=content["status"] == "empty",
        matrix_first=True,
        headline=content["summary"],
        facts=(
            ("Allowed", _count_allowed(content["policy"])),
            *((("Left out", ", ".join(not_checked)),) if not_checked else ()),
        ),
        items=items,
        groups=group_findings(items, images, commands.fix, commands.note),
        pictures=tuple(picture for picture in (_drift(images),) if picture),
        tables=tuple(
            table
            for table in (_failures(content), _regions(content), _keys(content), _allowed(content["policy"]))
            if table.rows
        ),
        matrix=_matrix(content, images),
        records=_records(images),
        explanations=MEANINGS,
    )


def _drift(images: Iterable[Mapping[str, Any]]) -> Grid | None:
    """Return the versions by region, from the names of the images that can be launched."""
    names = [(image, str(image["name"] or "")) for image in images if image["state"] == "available"]
    return compare_versions(
        Version(parse_family(name), image["region"], parse_version(name), str(image["creation_date"] or ""))
        for image, name in names
    )


def _count_allowed(policy: Mapping[str, Any]) -> str:
    """Return the number of those who may use every image, and of the rules for some images."""
    return join_counts((len(policy[name]), noun) for name, noun in _ALLOWED) or "nobody but the owner"


def _allowed(policy: Mapping[str, Any]) -> Table:
    """Return the policy that the findings follow from: who may use every image, and who some."""
    everything = {name.removeprefix("allowed_"): policy[name] for name, _noun in _ALLOWED[:-1]}
    return Table(
        title="Who is allowed",
        columns=(
            Column("images", "Images"),
            Column("public", "Public"),
            Column("account_ids", "Accounts"),
            Column("org_arns", "Organizations"),
            Column("org_unit_arns", "Organizational units"),
        ),
        rows=tuple(
            {**who, "images": images}
            for who, images in (
                (everything, "all"),
                *((rule, _describe_images(rule)) for rule in policy["rules"]),
            )
            if any(who.get(name) for name in (*everything, "public"))
        ),
        note="The owner is always allowed.",
    )


def _describe_images(rule: Mapping[str, Any]) -> str:
    """Return the images that a rule of the policy is for: ``golden-* with the tag team=web``."""
    pattern = str(rule.get("name_pattern") or "all")
    tags = [f"{key}={value}" for key, value in (rule.get("tags") or {}).items()]
    return f"{pattern} with the tags {', '.join(tags)}" if tags else pattern


def _failures(content: Mapping[str, Any]) -> Table:
    return Table(
        title="What could not be read",
        columns=(
            Column("region", "Region"),
            Column("action", "Call"),
            Column("error_code", "Error"),
            Column("message", "Message"),
            Column("remedy", "What to do"),
        ),
        rows=tuple(content["failures"]),
        note="The report does not cover these; they may have problems that it does not list.",
    )


def _regions(content: Mapping[str, Any]) -> Table:
    """Return every region and its block public access settings. The page counts the findings of each."""
    return Table(
        title="Regions",
        columns=(
            Column("region", "Region"),
            Column("read", "Read"),
            Column("images", "Images", numeric=True),
            Column("shared_images", "Shared images", numeric=True),
            Column("image_block_public_access", "Block public access of images"),
            Column("image_block_managed_by", "Set by"),
            Column("snapshot_block_public_access", "Block public access of snapshots"),
            Column("snapshot_block_managed_by", "Set by"),
        ),
        rows=tuple({"region": region, **seen} for region, seen in content["regions"].items()),
    )


def _keys(content: Mapping[str, Any]) -> Table:
    """Return one row for each key and principal that may use it."""
    no_users: list[dict[str, Any]] = [
        {"operations": [], "created_by_collection": None, "principal": None, "through": None}
    ]
    return Table(
        title="Keys and who may use them",
        columns=(
            Column("region", "Region"),
            Column("kms_key_arn", "Key"),
            Column("state", "State"),
            Column("principal", "Principal"),
            Column("through", "Through"),
            Column("created_by_collection", "By this collection"),
            Column("operations", "Operations"),
        ),
        rows=tuple(
            {"region": key["region"], "kms_key_arn": key["kms_key_arn"], "state": _state(key), **user}
            for key in content["kms_keys"]
            for user in key["users"] or no_users
        ),
        note="All grants, and the key policy statements that name other accounts or organizations, or "
        "everyone.",
    )


def _state(key: Mapping[str, Any]) -> str:
    return "managed by AWS" if key["aws_managed"] else str(key["state"])


def _matrix(content: Mapping[str, Any], images: Sequence[Mapping[str, Any]]) -> Matrix:
    """Return a row for each image, and one for each region whose images could not be listed."""
    # The head of the page lists what was not checked, once for all images.
    wanted = _PERMISSIONS.difference(content["not_checked"])
    unread = [region for region, read in content["regions"].items() if not read["read"]]
    rows = (
        *(
            MatrixRow({"region": region, "name": _UNREAD_REGION, "image_id": ""}, {_UNREAD: Mark.UNREADABLE})
            for region in unread
        ),
        *(
            MatrixRow(
                labels={"region": image["region"], "name": image["name"], "image_id": image["image_id"]},
                cells=dict(_cells(image, wanted)),
            )
            for image in images
        ),
    )
    return Matrix(
        title="Images and who can use them",
        legend=_LEGEND,
        labels=(Column("region", "Region"), Column("name", "Name"), Column("image_id", "Image")),
        columns=tuple(_columns(images, wanted, bool(unread))),
        rows=rows,
        note="The owner may use all of them. An organization or organizational unit stands for all accounts "
        "in it.",
    )


def _columns(
    images: Iterable[Mapping[str, Any]], wanted: frozenset[str], has_unread_region: bool
) -> Iterator[str]:
    """Yield the public first, then organizations, organizational units and accounts."""
    principals: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for image in images:
        for group in image["shared_with"]:
            principals[group["kind"]].update(group["principals"])
    yield from (name_principal(principal) for kind in KINDS for principal in sorted(principals[kind]))
    if has_unread_region or not all(wanted.isdisjoint(image["unknown"]) for image in images):
        yield _UNREAD


def _cells(image: Mapping[str, Any], wanted: frozenset[str]) -> Iterator[tuple[str, Mark]]:
    for group in image["shared_with"]:
        mark = _mark(group)
        for principal in group["principals"]:
            yield name_principal(principal), mark
    if not wanted.isdisjoint(image["unknown"]):
        yield _UNREAD, Mark.UNREADABLE


def _mark(group: Mapping[str, Any]) -> Mark:
    if not group["allowed"]:
        return Mark.PUBLIC if group["kind"] == "public" else Mark.FOREIGN
    if group["launch_permission"] == "no":
        return Mark.PARTIAL
    if group["key_access"] == "no":
        return Mark.BROKEN
    if "unknown" in (group["launch_permission"], group["key_access"]):
        return Mark.UNREADABLE
    return Mark.FULL


def _records(images: Iterable[Mapping[str, Any]]) -> Table:
    """Return one row for each image and principal, and one for each private image."""
    return Table(
        title="All images and principals",
        columns=(
            Column("region", "Region"),
            Column("image_id", "Image"),
            Column("name", "Name"),
            Column("state", "State"),
            Column("encrypted", "Encrypted"),
            Column("principal", "Principal"),
            Column("kind", "Kind"),
            Column("allowed", "Allowed"),
            Column("launch_permission", "Launch permission"),
            Column("snapshots", "Snapshots"),
            Column("key_access", "Keys"),
            Column("unknown", "Not known"),
        ),
        rows=tuple(row for image in images for row in _rows(image)),
    )


def _rows(image: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    facts = {key: image[key] for key in ("region", "image_id", "name", "state", "encrypted", "unknown")}
    if not image["shared_with"]:
        yield facts
    for group in image["shared_with"]:
        access = {name: group[name] for name in ACCESS}
        yield {**facts, **access, "principal": Each(tuple(group["principals"]))}

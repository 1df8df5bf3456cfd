# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences between two audit reports: findings, access to images and keys, block public access."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..._model import PUBLIC
from ..._reports.document import Changes
from ..causes import NOT_ALLOWED, cause_of
from ..state import SHARES_READ
from .content import is_unread
from .principals import users

_BLOCKS = {
    "image_block_public_access": "Block public access of images",
    "snapshot_block_public_access": "Block public access of snapshots",
}
_LAUNCH, _SNAPSHOTS, _KEYS = "launch permissions", "snapshots", "keys"

Resource = tuple[str, str]
"""A region, and an image, snapshot or key in it."""
Permission = tuple[str, str]
"""Kind of permission, and the principal that has it."""


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Return the changes from an earlier report, as its file holds it, to this one.

    Everything new is added, including what could not be read for the earlier report. What could not be read
    now is never removed.
    """
    since = before["written_at"]
    if (
        None not in (before["account_id"], after["account_id"])
        and before["account_id"] != after["account_id"]
    ):
        return Changes(since, (f"The last report was about account {before['account_id']}.",))
    old, new = _Report(before), _Report(after)
    added = [
        _describe_finding(finding, old)
        for identity, finding in new.findings.items()
        if identity not in old.findings
    ]
    removed = [
        sentence(finding)
        for identity, finding in old.findings.items()
        if identity not in new.findings and new.covers(finding)
    ]
    return Changes(
        since,
        added=(*added, *_describe_new_access(old, new), *_describe_state_changes(old, new)),
        removed=(*removed, *_describe_removed_access(old, new)),
    )


def sentence(finding: Mapping[str, Any]) -> str:
    """Return a finding as a sentence with its region."""
    region = f"{finding['region']}: " if finding["region"] else ""
    return f"{region}{finding['message']} ({finding['code']})"


class _Report:
    """What a report shows, and what it does not cover."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        findings = content["findings"]
        self.named = content["regions"].keys()
        self.regions: Mapping[str, Mapping[str, Any]] = {
            name: region for name, region in content["regions"].items() if region["read"]
        }
        self.findings = {_identity(finding): finding for finding in findings}
        self.images: dict[Resource, Mapping[str, Any]] = {
            (image["region"], image["image_id"]): image for image in content["images"]
        }
        self.keys: dict[Resource, Mapping[str, Any]] = {
            (key["region"], key["kms_key_arn"]): key for key in content["kms_keys"]
        }
        self._skipped = frozenset(content["not_checked"])
        # They are only read on request, and a report does not name them as left out.
        self._checks_parameters = content.get("check_parameters", False)
        # If only a snapshot's key is not known, the snapshot's permissions were read.
        self._unread = {
            (finding["region"], finding["resource"])
            for finding in findings
            if is_unread(finding)
            and (finding["code"] != "key_unreadable" or not finding["resource"].startswith("snap-"))
        }
        # Access to a key is compared with all images under it, so all of them must have been read.
        self._unread_regions = {
            finding["region"]
            for finding in findings
            if is_unread(finding) and not finding["code"].startswith(("block_", "parameters_"))
        }

    def covers(self, finding: Mapping[str, Any]) -> bool:
        """Whether the report would have the finding if it applied."""
        region, resource = finding["region"], finding["resource"]
        if finding["code"] == "account_unreadable":
            return bool(self.regions)
        if region not in self.regions or (region, resource) in self._unread:
            return False
        # The snapshots that no image uses are one list of the region.
        listed = (region, region) not in self._unread or (region, finding["image_id"]) in self.images
        if resource.startswith("snap-") and not listed:
            return False
        # Without the snapshots of the region, none of its keys is read.
        if finding["code"] == "key_unreadable" and (region, "DescribeSnapshots") in self._unread:
            return False
        if cause_of(finding["code"]).part == "parameters":
            return self._checks_parameters and (region, SHARES_READ) not in self._unread
        if is_unread(finding):
            return cause_of(finding["code"]).part not in self._skipped
        if resource.startswith("arn:"):
            return _KEYS not in self._skipped and region not in self._unread_regions
        unknown = self.images.get((region, finding["image_id"]), {}).get("unknown", ())
        if resource.startswith("snap-") or cause_of(finding["code"]).of_snapshots:
            return not {_LAUNCH, _SNAPSHOTS} & {*unknown, *self._skipped}
        return _LAUNCH not in unknown

    def access(self, resource: Resource) -> set[Permission]:
        """Return the principals with access to an image, and the permission; none without such an image."""
        image = self.images.get(resource, {"shared_with": ()})
        launch = {user["principal"] for user in users(image) if user["launch_permission"] == "yes"}
        copy = {user["principal"] for user in users(image) if user["snapshots"] in ("all", "some")}
        return {(_LAUNCH, who) for who in launch} | {(_SNAPSHOTS, who) for who in copy}

    def unknown(self, resource: Resource) -> set[str]:
        """Return the permissions of an image that were not read; both in a region that was not read."""
        if resource[0] not in self.regions:
            return {_LAUNCH, _SNAPSHOTS}
        return {*self.images.get(resource, {}).get("unknown", ()), *self._skipped}


@dataclass(frozen=True)
class _More:
    """Principals that can launch an image, or read its snapshots, in one report and not in the other.

    ``whole`` means that the other report has no such image.
    """

    image: Mapping[str, Any]
    launch: tuple[str, ...]
    snapshots: tuple[str, ...]
    whole: bool

    @property
    def name(self) -> str:
        """Return the image's ID and name."""
        return f"{self.image['image_id']} ({self.image['name']})"


def _describe_new_access(old: _Report, new: _Report) -> Iterator[str]:
    """Yield access that is new."""
    for more in _list_more_access(new, old):
        region = more.image["region"]
        if more.whole:
            shared = f", shared with {_names(more.launch)}" if more.launch else ""
            yield f"{region}: {more.name} is a new image{shared}."
        elif more.launch:
            yield f"{region}: {more.name} is now shared with {_names(more.launch)}."
        if more.snapshots:
            yield f"{region}: The snapshots of {more.name} are now shared with {_names(more.snapshots)}."
    for (region, arn), who in _list_more_users(new, old):
        yield f"{region}: The key {arn} can now be used by {_names(who)}."


def _describe_removed_access(old: _Report, new: _Report) -> Iterator[str]:
    """Yield access that was removed."""
    for more in _list_more_access(old, new):
        region = more.image["region"]
        if more.whole:
            shared = f"; it was shared with {_names(more.launch)}" if more.launch else ""
            yield f"{region}: {more.name} no longer exists{shared}."
        elif more.launch:
            yield f"{region}: {more.name} is no longer shared with {_names(more.launch)}."
        if more.snapshots and not more.whole:
            principals = _names(more.snapshots)
            yield f"{region}: The snapshots of {more.name} are no longer shared with {principals}."
    for (region, arn), who in _list_more_users(old, new):
        yield f"{region}: The key {arn} can no longer be used by {_names(who)}."


def _list_more_access(report: _Report, other: _Report) -> Iterator[_More]:
    """Yield access in ``report`` that ``other`` certainly lacks, without access that findings report."""
    reported = {
        (finding["region"], finding["image_id"], finding["principal"])
        for identity, finding in report.findings.items()
        if identity not in other.findings and other.covers(finding) and finding["code"] in NOT_ALLOWED
    }
    for resource, image in report.images.items():
        whole = resource not in other.images and resource[0] in other.regions
        unknown = report.unknown(resource) | other.unknown(resource)
        access = {
            (way, who)
            for way, who in report.access(resource) - other.access(resource)
            if way not in unknown and (*resource, who) not in reported
        }
        launch = {who for way, who in access if way == _LAUNCH}
        snapshots = {who for way, who in access if way == _SNAPSHOTS} - launch
        if whole or access:
            yield _More(image, tuple(sorted(launch)), tuple(sorted(snapshots)), whole)


def _list_more_users(report: _Report, other: _Report) -> Iterator[tuple[Resource, list[str]]]:
    """Yield who may use a key in ``report`` and not in ``other``, for keys in both reports."""
    for resource, key in report.keys.items():
        if resource in other.keys:
            users, others = (
                {user["principal"] for user in item["users"]} for item in (key, other.keys[resource])
            )
            if users - others:
                yield resource, sorted(users - others)


def _describe_state_changes(old: _Report, new: _Report) -> Iterator[str]:
    """Yield changes of regions, block public access and key states."""
    for region in sorted(old.named - new.named) if new.regions else ():
        yield f"{region}: This region is no longer audited."
    for region, current in new.regions.items():
        for block, name in _BLOCKS.items():
            was, now = old.regions.get(region, {}).get(block), current[block]
            if None not in (was, now) and was != now:
                yield f"{region}: {name} is now {now}, before {was}."
    for (region, arn), key in new.keys.items():
        was = old.keys.get((region, arn), key)["state"]
        if was != key["state"]:
            yield f"{region}: The key {arn} is now {key['state']}, before {was}."


def _describe_finding(finding: Mapping[str, Any], old: _Report) -> str:
    text = sentence(finding)
    if is_unread(finding) or old.covers(finding):
        return text
    return f"{text} It may not be new: the last audit did not cover it."


def _identity(finding: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what identifies a finding, without its message and remedy."""
    return tuple(finding[key] for key in ("region", "image_id", "resource", "code", "principal"))


def _names(principals: Iterable[str]) -> str:
    return ", ".join("the public" if principal == PUBLIC else principal for principal in principals)

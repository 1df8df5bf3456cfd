# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The principals that an image is shared with: allowed or not, and with which permissions and key access."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ... import arns
from ...model import PUBLIC
from ..findings import NOT_ALLOWED

_MEMBERS = (
    ("organization", "org_arns"),
    ("organizational unit", "org_unit_arns"),
    ("account", "account_ids"),
)
KINDS = ("public", *(kind for kind, _members in _MEMBERS))
"""The kinds of principals, widest first."""
_SAME = ("kind", "allowed", "launch_permission", "snapshots", "key_access")


class Held:
    """An audit's findings and keys, by principal and by image as ``ami_share_audit`` returns it."""

    def __init__(self, findings: Iterable[Mapping[str, Any]], keys: Iterable[Mapping[str, Any]]) -> None:
        self._keys = {(key["region"], key["kms_key_arn"]): key for key in keys}
        self._foreign: set[tuple[str, str, str]] = set()
        self._unreachable: set[tuple[str, str, str]] = set()
        self._unread: set[tuple[str, str]] = set()
        for finding in findings:
            region, code = finding["region"], finding["code"]
            if code in NOT_ALLOWED:
                self._foreign.add((region, finding["resource"], finding["principal"]))
            elif code == "missing_key_access":
                self._unreachable.add((region, finding["image_id"], finding["principal"]))
            elif code in ("key_unreadable", "snapshot_unreadable"):
                self._unread.add((region, finding["resource"]))

    def allowed(self, image: Mapping[str, Any], principal: str) -> bool:
        """Whether the principal's access to the image and to its snapshots is allowed."""
        resources = (image["image_id"], *(one["snapshot_id"] for one in image["snapshots"]))
        return not any((image["region"], one, principal) in self._foreign for one in resources)

    def keys(self, image: Mapping[str, Any], principal: str, launch: str) -> str:
        """Whether the principal can use the image's keys, as far as the audit shows it.

        ``not_needed`` without encryption, ``no`` if it cannot use one of the keys, ``unknown`` if one was not
        read or not checked: key access is checked only for principals with a launch permission.
        """
        if not image["encrypted"]:
            return "not_needed"
        place = image["region"], image["image_id"]
        known = [self._keys.get((image["region"], arn)) for arn in image["kms_key_arns"]]
        if (*place, principal) in self._unreachable or any(
            key is not None and _is_unusable(key) for key in known
        ):
            return "no"
        if launch != "yes" or not known or any(key is None or _is_foreign(key) for key in known):
            return "unknown"
        return "yes"

    def unknown(self, image: Mapping[str, Any]) -> list[str]:
        """The parts of the image's access that were not read."""
        keys = (self._keys.get((image["region"], arn)) for arn in image["kms_key_arns"])
        without = {
            "keys": image["encrypted"] and (not image["kms_key_arns"] or None in keys),
            "launch permissions": image["sharing"] is None,
            "snapshots": any(one["account_ids"] is None for one in image["snapshots"]),
        }
        return [name for name, lacking in without.items() if lacking]

    def skipped(self, image: Mapping[str, Any]) -> Iterator[str]:
        """The parts of the image's access that the audit was not asked to read."""
        if any(
            one["account_ids"] is None and (image["region"], one["snapshot_id"]) not in self._unread
            for one in image["snapshots"]
        ):
            yield "snapshots"
        if (
            image["encrypted"]
            and not image["kms_key_arns"]
            and (image["region"], "DescribeSnapshots") not in self._unread
        ):
            yield "keys"


def shared_with(image: Mapping[str, Any], held: Held, owner: str | None) -> list[dict[str, Any]]:
    """The principals, without the owner, that have a permission for the image or for one of its snapshots.

    Principals of one kind with the same access are one group, because an image may be shared with hundreds.
    """
    groups: dict[tuple[Any, ...], list[str]] = {}
    for kind, principal in _principals(image):
        if principal != owner:
            launch = _launch(image["sharing"], kind, principal)
            keys = held.keys(image, principal, launch)
            snapshots = _snapshots(image["snapshots"], principal)
            same = kind, held.allowed(image, principal), launch, snapshots, keys
            groups.setdefault(same, []).append(principal)
    return [{**dict(zip(_SAME, same, strict=True)), "principals": who} for same, who in groups.items()]


def users(image: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each principal that an image in a report is shared with, as ``principal``, with its access."""
    for group in image["shared_with"]:
        access = {name: group[name] for name in _SAME}
        for principal in group["principals"]:
            yield {"principal": principal, **access}


def _principals(image: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    sharing, snapshots = image["sharing"] or {}, image["snapshots"]
    if sharing.get("public") or any(one["public"] for one in snapshots):
        yield "public", PUBLIC
    for kind, members in _MEMBERS:
        named = set(sharing.get(members, ()))
        if kind == "account":
            named = named.union(*(one["account_ids"] or () for one in snapshots))
        for principal in sorted(named):
            yield kind, principal


def _launch(sharing: Mapping[str, Any] | None, kind: str, principal: str) -> str:
    if sharing is None:
        return "unknown"
    if kind == "public":
        return "yes" if sharing["public"] else "no"
    return "yes" if principal in sharing[dict(_MEMBERS)[kind]] else "no"


def _snapshots(snapshots: Iterable[Mapping[str, Any]], principal: str) -> str:
    """How many of the snapshots are shared with the principal itself: all, some, none or unknown."""
    held = [
        None
        if one["account_ids"] is None
        else (one["public"] if principal == PUBLIC else principal in one["account_ids"])
        for one in snapshots
    ]
    if any(held):
        return "all" if all(held) else "some"
    return "unknown" if None in held else "none"


def _is_unusable(key: Mapping[str, Any]) -> bool:
    return bool(key["aws_managed"]) or key["state"] != "Enabled"


def _is_foreign(key: Mapping[str, Any]) -> bool:
    """Whether another account owns the key; only the owner can read who may use it."""
    return bool(arns.parse(key["kms_key_arn"]).account_id != key["account_id"])

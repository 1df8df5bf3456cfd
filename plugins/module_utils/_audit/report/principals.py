# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Principals that an image is shared with: allowed or not, and with which permissions and key access."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from ... import _arns as arns
from ..._model import ENABLED_STATES, PUBLIC
from ..causes import NOT_ALLOWED

_MEMBERS = (
    ("organization", "org_arns"),
    ("organizational unit", "org_unit_arns"),
    ("account", "account_ids"),
)
KINDS = ("public", *(kind for kind, _members in _MEMBERS))
"""Kinds of principals, widest first."""
ACCESS = ("kind", "allowed", "launch_permission", "snapshots", "key_access")
"""Keys of the access that the principals of a group in ``shared_with`` have in common."""


class Held:
    """An audit's findings and keys, by principal and by image as ``ami_share_audit`` returns it."""

    def __init__(self, findings: Iterable[Mapping[str, Any]], keys: Iterable[Mapping[str, Any]]) -> None:
        self._keys = {(key["region"], key["kms_key_arn"]): key for key in keys}
        self._foreign: dict[tuple[str, str], set[str]] = {}
        self._unreachable: dict[tuple[str, str], set[str]] = {}
        self._keyless: set[tuple[str, str]] = set()
        for finding in findings:
            region, code = finding["region"], finding["code"]
            if code in NOT_ALLOWED:
                self._foreign.setdefault((region, finding["resource"]), set()).add(finding["principal"])
            elif code == "missing_key_access":
                self._unreachable.setdefault((region, finding["image_id"]), set()).add(finding["principal"])
            elif code == "key_unreadable":
                self._keyless.add((region, finding["resource"]))

    def foreign(self, image: Mapping[str, Any]) -> set[str]:
        """Return the principals whose access to the image, or to one of its snapshots, is not allowed."""
        resources = (image["image_id"], *(snapshot["snapshot_id"] for snapshot in image["snapshots"]))
        return set[str]().union(
            *(self._foreign.get((image["region"], resource), ()) for resource in resources)
        )

    def unreachable(self, image: Mapping[str, Any]) -> set[str]:
        """Return the principals that may launch the image, and lack a key of it."""
        return self._unreachable.get((image["region"], image["image_id"]), set())

    def undetermined(self, image: Mapping[str, Any]) -> set[str]:
        """Return the principals that may launch the image, and that may be able to use a key of it or not."""
        keys = (self._keys.get((image["region"], arn), {}) for arn in image["kms_key_arns"])
        return set[str]().union(*(key.get("undetermined_principals", ()) for key in keys))

    def keys(self, image: Mapping[str, Any], launch: str) -> str:
        """Whether the principals with a launch permission can use the image's keys, unless that differs.

        ``not_needed`` without encryption, ``no`` if no other account can use any key of one of the snapshots,
        ``unknown`` if a key was not read or the access not checked: it is only checked with a launch
        permission, and without associated keys, any of which may give the access.
        """
        if not image["encrypted"]:
            return "not_needed"
        of_snapshots = [
            keys for snapshot in image["snapshots"] if (keys := self._keys_of(image["region"], snapshot))
        ]
        if any(all(key is not None and _is_unusable(key) for key in keys) for keys in of_snapshots):
            return "no"
        known = [key for keys in of_snapshots for key in keys]
        if launch != "yes" or not known or any(key is None or _is_foreign(key) for key in known):
            return "unknown"
        return "unknown" if image["associated_kms_key_arns"] else "yes"

    def unknown(self, image: Mapping[str, Any]) -> list[str]:
        """Return the parts of the image's access that were not read."""
        keys = [key for snapshot in image["snapshots"] for key in self._keys_of(image["region"], snapshot)]
        without = {
            "keys": image["encrypted"] and (not keys or None in keys),
            "launch permissions": image["sharing"] is None,
            "snapshots": any(snapshot["account_ids"] is None for snapshot in image["snapshots"]),
        }
        return [name for name, lacking in without.items() if lacking]

    def _keys_of(self, region: str, snapshot: Mapping[str, Any]) -> list[Mapping[str, Any] | None]:
        """Return the keys each of which gives access to a snapshot, None for each that was not read."""
        own = [snapshot["kms_key_arn"]] if snapshot["kms_key_arn"] else []
        known = [self._keys.get((region, arn)) for arn in (*own, *snapshot["associated_kms_key_arns"])]
        return [*known, None] if (region, snapshot["snapshot_id"]) in self._keyless else known


def shared_with(image: Mapping[str, Any], held: Held, owner: str | None) -> list[dict[str, Any]]:
    """Return the principals that have a permission for the image or for one of its snapshots.

    Principals of one kind with the same access are one group, because an image may be shared with hundreds.
    What is the same for all of them is determined once for the image: a large report has millions of pairs.
    """
    foreign, unreachable = held.foreign(image), held.unreachable(image)
    undetermined = held.undetermined(image)
    keys = {launch: held.keys(image, launch) for launch in ("yes", "no", "unknown")}
    readers = [_readers(snapshot) for snapshot in image["snapshots"]]
    groups: dict[tuple[Any, ...], list[str]] = {}
    for kind, principals in _principals(image):
        launchers = _launchers(image["sharing"], kind)
        for principal in principals:
            if principal == owner:
                continue
            launch = "unknown" if launchers is None else "yes" if principal in launchers else "no"
            key_access = keys[launch]
            if principal in unreachable and image["encrypted"]:
                key_access = "no"
            elif principal in undetermined and key_access == "yes":
                key_access = "unknown"
            same = kind, principal not in foreign, launch, _snapshots(readers, principal), key_access
            groups.setdefault(same, []).append(principal)
    return [{**dict(zip(ACCESS, same, strict=True)), "principals": who} for same, who in groups.items()]


def users(image: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each principal that an image in a report is shared with, as ``principal``, with its access."""
    for group in image["shared_with"]:
        access = {name: group[name] for name in ACCESS}
        for principal in group["principals"]:
            yield {"principal": principal, **access}


def _principals(image: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the principals of each kind, in order."""
    sharing, snapshots = image["sharing"] or {}, image["snapshots"]
    if sharing.get("public") or any(snapshot["public"] for snapshot in snapshots):
        yield "public", [PUBLIC]
    for kind, members in _MEMBERS:
        named = set(sharing.get(members, ()))
        if kind == "account":
            named = named.union(*(snapshot["account_ids"] or () for snapshot in snapshots))
        yield kind, sorted(named)


def _launchers(sharing: Mapping[str, Any] | None, kind: str) -> Set[str] | None:
    """Return the principals of a kind that have a launch permission; None if that was not read."""
    if sharing is None:
        return None
    if kind == "public":
        return {PUBLIC} if sharing["public"] else set()
    return set(sharing[dict(_MEMBERS)[kind]])


def _readers(snapshot: Mapping[str, Any]) -> Set[str] | None:
    """Return the principals that a snapshot is shared with; None if that was not read."""
    if snapshot["account_ids"] is None:
        return None
    return {*snapshot["account_ids"], *([PUBLIC] if snapshot["public"] else [])}


def _snapshots(readers: Sequence[Set[str] | None], principal: str) -> str:
    """Return how many of the snapshots are shared with the principal itself: all, some, none or unknown."""
    shared = sum(1 for reader in readers if reader is not None and principal in reader)
    if shared:
        return "all" if shared == len(readers) else "some"
    return "unknown" if None in readers else "none"


def _is_unusable(key: Mapping[str, Any]) -> bool:
    return bool(key["aws_managed"]) or key["state"] not in ENABLED_STATES


def _is_foreign(key: Mapping[str, Any]) -> bool:
    """Whether another account owns the key; only the owner can read who may use it."""
    return bool(arns.parse(key["kms_key_arn"]).account_id != key["account_id"])

# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key access that ``ami_kms_grant`` kept because it is needed, and what needs access that it revoked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._keys.needed import HAS_RESOURCES, examples_of
from .state import Resource


@dataclass(frozen=True)
class KeptAccess:
    """A principal that keeps access to a key: for these images or snapshots, or as they were not read."""

    resource: Resource
    principal: str
    reason: str
    image_ids: tuple[str, ...] = ()
    resource_ids: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether something is known to need the access, so that a rerun would keep it as well."""
        return bool(self.image_ids or self.resource_ids)

    def to_dict(self) -> dict[str, Any]:
        """Return the access as the module returns it."""
        needs = self.image_ids or self.resource_ids
        named = f" ({examples_of(needs)})" if needs else ""
        return {
            "image_ids": list(self.image_ids),
            "message": f"{self.resource.region}: access to {self.resource.resource_id} is kept for "
            f"{self.principal}: {self.reason.removesuffix('.')}{named}.",
            "principal": self.principal,
            "reason": self.reason,
            "region": self.resource.region,
            "resource": self.resource.resource_id,
            "resource_ids": list(self.resource_ids),
        }


def kept_access(results: Iterable[Mapping[str, Any]]) -> tuple[KeptAccess, ...]:
    """Return the access that these results of ``ami_kms_grant`` kept. Failed results can lack it.

    Raises:
        KeyError, TypeError: they are not results of that module.
    """
    return tuple(
        KeptAccess(
            resource,
            principal,
            access["reason"],
            tuple(access["image_ids"]),
            tuple(access["resource_ids"]),
        )
        for resource, result, _key in _keys(results)
        for group in result.get("kept_access", ())
        for access in group["kms_keys"]
        if access["kms_key_arn"] == resource.resource_id
        for principal in group["principals"]
    )


def dependents(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the accounts that lose access to a key although they have something under it.

    None if that was not read of each key.

    Raises:
        KeyError, TypeError: they are not results of that module.
    """
    if not _is_read(results):
        return None
    return [
        {
            "account_id": account["account_id"],
            "message": f"{resource.region}: {account['account_id']} loses access to {resource.resource_id} "
            f"({examples_of(account['resource_ids'])}): {HAS_RESOURCES}",
            "region": resource.region,
            "resource": resource.resource_id,
            "resource_ids": list(account["resource_ids"]),
        }
        for resource, _result, key in _keys(results)
        for account in key["dependents"]
    ]


def unseen_accounts(results: Sequence[Mapping[str, Any]]) -> list[dict[str, str]] | None:
    """Return the accounts that lose access to a key although not all that they have was read.

    None if nothing was read for one of the keys.

    Raises:
        KeyError, TypeError: they are not results of that module.
    """
    if not _is_read(results):
        return None
    return [
        {
            "account_id": account_id,
            "message": f"{resource.region}: not all that {account_id} may have under "
            f"{resource.resource_id} was read: {group['reason']}",
            "reason": group["reason"],
            "region": resource.region,
            "resource": resource.resource_id,
        }
        for resource, result, _key in _keys(results)
        for group in result.get("unseen_accounts", ())
        if resource.resource_id in group["kms_key_arns"]
        for account_id in group["account_ids"]
    ]


def _is_read(results: Iterable[Mapping[str, Any]]) -> bool:
    """Whether it was read what depends on each key: with ``revoke_in_use``, that is null."""
    return all(key["dependents"] is not None for _resource, _result, key in _keys(results))


def _keys(
    results: Iterable[Mapping[str, Any]],
) -> Iterator[tuple[Resource, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield each key that was read, the result that it is in, and what that has of the key alone."""
    for result in results:
        for region in result.get("results", ()):
            for key in region["kms_keys"]:
                yield Resource(region["region"], key["kms_key_arn"]), result, key

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
            f"{self.principal}: {self.reason}{named}",
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
            access["principal"],
            access["reason"],
            tuple(access["image_ids"]),
            tuple(access["resource_ids"]),
        )
        for resource, key in _keys(results)
        for access in key["kept_access"]
    )


def dependents(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the accounts that lose access to a key although they have something under it.

    None if that was not read of each key.

    Raises:
        KeyError, TypeError: they are not results of that module.
    """
    if not _is_read(results, "dependents"):
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
        for resource, key in _keys(results)
        for account in key["dependents"]
    ]


def unseen_accounts(results: Sequence[Mapping[str, Any]]) -> list[dict[str, str]] | None:
    """Return the accounts that lose access to a key although not all that they have was read.

    None if nothing was read for one of the keys.

    Raises:
        KeyError, TypeError: they are not results of that module.
    """
    if not _is_read(results, "unseen_accounts"):
        return None
    return [
        {
            "account_id": account["account_id"],
            "message": f"{resource.region}: not all that {account['account_id']} may have under "
            f"{resource.resource_id} was read: {account['reason']}",
            "reason": account["reason"],
            "region": resource.region,
            "resource": resource.resource_id,
        }
        for resource, key in _keys(results)
        for account in key["unseen_accounts"]
    ]


def _is_read(results: Iterable[Mapping[str, Any]], part: str) -> bool:
    """Whether a part was read of each key: with ``revoke_in_use``, what depends on a key is null."""
    return all(key[part] is not None for _resource, key in _keys(results))


def _keys(results: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    for result in results:
        for region in result.get("results", ()):
            for key in region["kms_keys"]:
                yield Resource(region["region"], key["kms_key_arn"]), key

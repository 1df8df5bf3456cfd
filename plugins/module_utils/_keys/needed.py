# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide who needs access to a key because what it encrypts is shared with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from .._arns import account_of
from .._listing import join_texts
from .._model import Sharing
from .policy_statements import PolicyConsumers, organization_id, short, unit_ids

HAS_RESOURCES = (
    "It has volumes or snapshots under the key, or in its Recycle Bin, where AWS does not show their keys. "
    "Without access, volumes cannot be attached or created, and instances cannot start."
)
SHARED = (
    "Other images or snapshots under the key are shared with it, or with an organization or organizational "
    "unit that it may be in."
)
# How many names a message has as examples.
_EXAMPLES = 5


@dataclass(frozen=True)
class ConsumerResources:
    """Volumes and snapshots of other accounts under a key, which need it whenever they are used.

    ``by_account`` maps accounts to what was read, ``unseen`` maps accounts to why something was not read.
    What is in a Recycle Bin counts for each key.
    """

    by_account: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)

    def of(self, principal: str) -> tuple[str, ...]:
        """Return what the account of a principal has under the key."""
        return self.by_account.get(account_of(principal) or "", ())

    def of_accounts(self, account_ids: Collection[str]) -> ConsumerResources:
        """Return the same for these accounts only."""
        return ConsumerResources(
            {item: ids for item, ids in self.by_account.items() if item in account_ids},
            {item: reason for item, reason in self.unseen.items() if item in account_ids},
        )

    def dependents_as_result(self) -> list[dict[str, Any]]:
        """Return the accounts that have something under the key, as modules return them."""
        return [
            {"account_id": account_id, "resource_ids": sorted(ids)}
            for account_id, ids in sorted(self.by_account.items())
            if ids
        ]

    def unseen_as_result(self) -> list[dict[str, str]]:
        """Return the accounts of which something was not read, as modules return them."""
        return [
            {"account_id": account_id, "reason": reason} for account_id, reason in sorted(self.unseen.items())
        ]


@dataclass(frozen=True)
class Kept:
    """A principal that keeps access that would otherwise be revoked.

    ``image_ids`` are the images for which it may need the access. ``resource_ids`` are the snapshots that are
    shared with it without an image, or its own volumes and snapshots. Both are empty if these could not be
    read. ``reason`` is a sentence.
    """

    principal: str
    image_ids: tuple[str, ...] = ()
    reason: str = ""
    resource_ids: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the principal as modules return it."""
        return {
            "principal": self.principal,
            "image_ids": list(self.image_ids),
            "reason": self.reason,
            "resource_ids": list(self.resource_ids),
        }


@dataclass(frozen=True)
class SharedUnderKey:
    """Images under a key, or that may be, and who has access to them.

    An image is under the keys that encrypt its snapshots, and under the keys that are associated with them.
    ``sharing`` maps each image to all that may use the image or one of its snapshots, its owner included.
    ``snapshots`` maps each snapshot that no image uses to all that may use it. ``unread`` is what could not
    be read, empty if all was read. ``consumers`` is what other accounts have under the key.
    """

    sharing: Mapping[str, Sharing] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    consumers: ConsumerResources = field(default_factory=ConsumerResources)
    snapshots: Mapping[str, Sharing] = field(default_factory=dict)

    def select_needing(self, held: PolicyConsumers) -> PolicyConsumers:
        """Return the consumers of ``held`` that need the key; all if not everything could be read."""
        if self.unread:
            return held
        shared = (*self.sharing.values(), *self.snapshots.values())
        consumers = (select_needing(held, sharing) for sharing in shared)
        return reduce(PolicyConsumers.__or__, consumers, PolicyConsumers())

    def images_for(self, consumer: PolicyConsumers) -> tuple[str, ...]:
        """Return the images for which one consumer needs the key, sorted."""
        return _list_needed_for(consumer, self.sharing)

    def snapshots_for(self, consumer: PolicyConsumers) -> tuple[str, ...]:
        """Return the snapshots without an image for which one consumer needs the key, sorted."""
        return _list_needed_for(consumer, self.snapshots)


def _list_needed_for(consumer: PolicyConsumers, sharing: Mapping[str, Sharing]) -> tuple[str, ...]:
    return tuple(sorted(item for item, shared in sharing.items() if select_needing(consumer, shared)))


def select_needing(held: PolicyConsumers, shared: Sharing) -> PolicyConsumers:
    """Return the consumers of ``held`` that need a key for something with this sharing.

    Any account may be in an organization or organizational unit. A principal of an unknown account may be in
    any account. An organizational unit needs the key for what is shared with its organization.
    """
    to_any = shared.public or bool(shared.org_arns or shared.org_unit_arns)
    org_ids = {organization_id(arn) for arn in shared.org_arns}
    units = {unit_ids(arn) for arn in shared.org_unit_arns}
    return PolicyConsumers(
        frozenset(name for name in held.principals if to_any or _is_shared_with(name, shared)),
        held.org_ids & (org_ids | {org_id for org_id, _unit in units}),
        frozenset(unit for unit in held.units if unit in units or unit[0] in org_ids),
    )


def shared_by_name(held: PolicyConsumers, shared: Sharing) -> PolicyConsumers:
    """Return the consumers of ``held`` that this sharing names.

    Unlike ``select_needing``, it does not count access of an account through an organization or the public,
    nor access of an organization through one of its organizational units.
    """
    org_ids = {organization_id(arn) for arn in shared.org_arns}
    units = {unit_ids(arn) for arn in shared.org_unit_arns}
    return PolicyConsumers(
        frozenset(name for name in held.principals if account_of(name) in shared.account_ids),
        held.org_ids & org_ids,
        frozenset(unit for unit in held.units if unit in units or unit[0] in org_ids),
    )


def unused_key_access(named: PolicyConsumers, shared: Sharing, owner: str) -> PolicyConsumers:
    """Return the consumers of ``named`` with which nothing under the key is shared.

    ``shared`` is the sharing of everything under the key. ``owner`` is the account that owns it and always
    needs it.
    """
    return named - select_needing(named, shared | Sharing(account_ids=frozenset({owner})))


def split_by_name(consumers: PolicyConsumers) -> list[tuple[str, PolicyConsumers]]:
    """Return each consumer alone with its name, sorted by name. A unit's name is its ID."""
    named = [
        *((name, PolicyConsumers(principals=frozenset({name}))) for name in consumers.principals),
        *((org_id, PolicyConsumers(org_ids=frozenset({org_id}))) for org_id in consumers.org_ids),
        *((unit[1], PolicyConsumers(units=frozenset({unit}))) for unit in consumers.units),
    ]
    return sorted(named, key=lambda item: item[0])


def names_of(consumers: PolicyConsumers) -> list[str]:
    """Return the names of the consumers, sorted and without duplicates."""
    return list(dict.fromkeys(name for name, _consumer in split_by_name(consumers)))


def examples_of(names: Sequence[str]) -> str:
    """Return some of the names, for a message, and the number of the others."""
    return join_texts(names, _EXAMPLES)


def of_principals(principals: Iterable[str]) -> PolicyConsumers:
    """Return accounts, roles and users as consumers, accounts by their IDs."""
    return PolicyConsumers(principals=frozenset(map(short, principals)))


def _is_shared_with(principal: str, shared: Sharing) -> bool:
    account_id = account_of(principal)
    return bool(shared) if account_id is None else account_id in shared.account_ids

# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the hosts and groups of an inventory of an organization's accounts."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from .._failures import ValidationError, invalid_option
from .._wording import escape_invisible

# botocore shape AccountState of Organizations.
STATES = ("PENDING_ACTIVATION", "ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED")
ALL_ACCOUNTS = "aws_accounts"
_ANSIBLE_GROUPS = ("all", "ungrouped")


@dataclass(frozen=True)
class Unit:
    """An organizational unit; its name can contain any character."""

    unit_id: str
    name: str


@dataclass(frozen=True)
class Account:
    """An account of an organization; ``units`` are the organizational units around it, the outermost first.

    ``parent_id`` is the ID of the innermost organizational unit, or of the root without one. ``tags`` is
    empty if they were not read.
    """

    account_id: str
    name: str
    state: str
    parent_id: str
    email: str = ""
    units: tuple[Unit, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Return the names of the organizational units, such as ``/workloads/prod``; ``/`` without one."""
        return "/" + "/".join(unit.name for unit in self.units)


@dataclass(frozen=True)
class InventoryOptions:
    """The options of the inventory that determine the calls to AWS.

    ``connection`` is a hash of the options that select the credentials, and so the organization.
    """

    states: tuple[str, ...] = ("ACTIVE",)
    email: bool = False
    tags: bool = True
    connection: str = ""

    def as_cache(self, accounts: Iterable[Account]) -> dict[str, Any]:
        """Return the options and the accounts, as plain values for any cache plugin."""
        return {
            "options": self._plain(),
            "accounts": [
                {
                    "account_id": account.account_id,
                    "email": account.email,
                    "name": account.name,
                    "parent_id": account.parent_id,
                    "state": account.state,
                    "tags": dict(account.tags),
                    "units": [{"unit_id": unit.unit_id, "name": unit.name} for unit in account.units],
                }
                for account in accounts
            ],
        }

    def from_cache(self, cached: Any) -> tuple[Account, ...] | None:
        """Return the cached accounts; None if they were read with other options."""
        if not isinstance(cached, Mapping) or cached.get("options") != self._plain():
            return None
        return tuple(
            Account(**{**item, "units": tuple(Unit(**unit) for unit in item["units"])})
            for item in cached["accounts"]
        )

    def _plain(self) -> dict[str, Any]:
        return {
            "states": sorted(self.states),
            "email": self.email,
            "tags": self.tags,
            "connection": self.connection,
        }


@dataclass(frozen=True)
class NamingOptions:
    """The source of host names, ``account_id`` or ``account_name``, and the criteria of groups."""

    hostname: str = "account_id"
    group_by: tuple[str, ...] = ("ou", "tags", "status")


@dataclass(frozen=True)
class Group:
    """A group of the inventory: its hosts and its child groups."""

    hosts: tuple[str, ...]
    children: tuple[str, ...] = ()


@dataclass(frozen=True, order=True)
class _Label:
    """The name of a group. ``distinction`` is appended if several groups would have the same ``text``."""

    text: str
    distinction: str


def hosts(accounts: Iterable[Account], options: NamingOptions) -> dict[str, Account]:
    """Return the accounts by host name, in the order of the names.

    Raises:
        ValidationError: two accounts have the same host name. AWS allows the same name for several accounts,
            but one host can represent only one of them.
    """
    by_name: dict[str, list[Account]] = defaultdict(list)
    for account in accounts:
        by_name[_host_name(account, options)].append(account)
    duplicates = {
        name: sorted(account.account_id for account in same)
        for name, same in by_name.items()
        if len(same) > 1
    }
    if duplicates:
        raise ValidationError(
            invalid_option(
                "hostname",
                f"hostname: accounts {', '.join(account_ids)} have the same name '{name}'.",
                "Rename them, or set hostname: account_id.",
            )
            for name, account_ids in sorted(duplicates.items())
        )
    return {name: by_name[name][0] for name in sorted(by_name)}


def host_variables(account: Account, options: InventoryOptions) -> dict[str, Any]:
    """Return the variables of a host."""
    return {
        "account_id": account.account_id,
        "account_name": account.name,
        "ou_id": account.parent_id,
        "ou_path": account.path,
        "status": account.state,
        **({"account_tags": dict(account.tags)} if options.tags else {}),
        **({"email": account.email} if options.email else {}),
    }


def groups(named: Mapping[str, Account], options: NamingOptions) -> dict[str, Group]:
    """Return the groups by name: all accounts, and those of units, tags and states by the options.

    The group of an organizational unit is a child of its parent's group. If those of two, or of two tags,
    would have the same name, both names get a suffix, so that a play on one group never runs on accounts of
    the other.

    Raises:
        ValidationError: a host has the name of a group: Ansible would add the group in place of the host.
    """
    members: dict[_Label, set[str]] = defaultdict(set)
    inside: dict[_Label, set[_Label]] = defaultdict(set)
    for host, account in named.items():
        labels = [_unit_label(account.units[: depth + 1]) for depth in range(len(account.units))]
        if "ou" in options.group_by and labels:
            members[labels[-1]].add(host)
            for outer, inner in pairwise(labels):
                inside[outer].add(inner)
        for label in _other_labels(account, options):
            members[label].add(host)
    names = _names({*members, *inside})
    _check_hosts(named, {*names.values(), *_ANSIBLE_GROUPS, ALL_ACCOUNTS})
    return {
        ALL_ACCOUNTS: Group(tuple(named)),
        **{
            names[label]: Group(
                tuple(sorted(members[label])), tuple(sorted(names[child] for child in inside[label]))
            )
            for label in sorted(names)
        },
    }


def _check_hosts(named: Mapping[str, Account], groups_of_all: Collection[str]) -> None:
    taken = [(name, account.account_id) for name, account in named.items() if name in groups_of_all]
    if taken:
        raise ValidationError(
            invalid_option(
                "hostname",
                f"hostname: account {account_id} has the name '{name}', which is also that of a group.",
                "Rename the account, or set hostname: account_id.",
            )
            for name, account_id in taken
        )


def _host_name(account: Account, options: NamingOptions) -> str:
    """Return the name of the account's host, on one line, which Ansible prints as it is."""
    if options.hostname != "account_name":
        return account.account_id
    return escape_invisible(re.sub(r"\s", " ", account.name))


def _unit_label(units: tuple[Unit, ...]) -> _Label:
    return _Label("_".join(["ou", *(_safe(unit.name) for unit in units)]), _safe(units[-1].unit_id))


def _other_labels(account: Account, options: NamingOptions) -> Iterator[_Label]:
    if "status" in options.group_by:
        yield _Label(_safe(f"status_{account.state.lower()}"), "")
    if "tags" in options.group_by:
        for key, value in account.tags.items():
            text = "_".join(["tag", _safe(key), *([_safe(value)] if value else [])])
            yield _Label(text, hashlib.sha256(f"{key}\0{value}".encode()).hexdigest()[:8])


def _names(labels: set[_Label]) -> dict[_Label, str]:
    times = Counter(label.text for label in labels)
    return {
        label: f"{label.text}_{label.distinction}" if times[label.text] > 1 else label.text
        for label in labels
    }


def _safe(text: str) -> str:
    """Return the text with underscores for characters that Ansible does not allow in group names."""
    return re.sub(r"[^A-Za-z0-9_]", "_", text)

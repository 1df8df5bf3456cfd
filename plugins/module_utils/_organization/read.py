# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the accounts of an organization.

This takes two calls for each organizational unit and, for tags, one for each account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from .._aws import errors
from .._aws.answers import require_member, unless_gone
from .._failures import Failure, ValidationError
from .._fanout import map_parallel
from .._tags import tag_map
from .inventory import Account, InventoryOptions, Unit

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_organizations.type_defs import AccountTypeDef, OrganizationalUnitTypeDef

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_LIST_UNITS = "ListOrganizationalUnitsForParent"
# Organizations allows only a few calls per second for the whole organization.
_PARALLEL_CALLS = 4

# botocore operations ListAccountsForParent and ListTagsForResource, errors: an organizational unit that was
# deleted since it was listed, which only an empty one can be, and an account that has left the organization.
_UNIT_IS_GONE, _ACCOUNT_IS_GONE = ("ParentNotFoundException",), ("TargetNotFoundException",)

_NO_STATE = Failure(
    message="The response has no account state that this botocore supports.",
    remedy="Update botocore and boto3: since September 2026 AWS returns it in the member State only.",
    error_code="missing_account_state",
    action="ListAccountsForParent",
)


def accounts(client: OrganizationsClient, options: InventoryOptions) -> tuple[Account, ...]:
    """Return the accounts in the states of ``options``, ordered by ID.

    Only the management account and delegated administrators can list them (botocore operation
    ListAccountsForParent).

    Raises:
        ValidationError: a call failed, so that accounts or groups would be missing.
    """
    try:
        roots = [
            require_member(root, "Id", "ListRoots")
            for page in client.get_paginator("list_roots").paginate()
            for root in require_member(page, "Roots", "ListRoots")
        ]
    except errors.AWS_ERRORS as exception:
        raise ValidationError([_failure(exception)]) from exception
    all_accounts: list[Account] = []
    level: list[tuple[str, tuple[Unit, ...]]] = [(root, ()) for root in roots]
    while level:
        inside = _read_all(
            level, lambda place: unless_gone(lambda: _children(client, *place), _UNIT_IS_GONE) or ([], [])
        )
        all_accounts.extend(chain.from_iterable(members for members, _units in inside))
        level = list(chain.from_iterable(units for _members, units in inside))
    # An account that is moved during the reads can be found twice.
    by_id = {account.account_id: account for account in all_accounts if account.state in options.states}
    wanted = [by_id[account_id] for account_id in sorted(by_id)]
    if options.tags:
        tagged = _read_all(
            wanted, lambda account: unless_gone(lambda: _with_tags(client, account), _ACCOUNT_IS_GONE)
        )
        wanted = [account for account in tagged if account is not None]
    return tuple(wanted if options.email else (replace(account, email="") for account in wanted))


def _children(
    client: OrganizationsClient, parent_id: str, units: tuple[Unit, ...]
) -> tuple[list[Account], list[tuple[str, tuple[Unit, ...]]]]:
    """Return accounts and units, each with its parents, that are directly in a root or in one of them."""
    members = client.get_paginator("list_accounts_for_parent").paginate(ParentId=parent_id)
    children = client.get_paginator("list_organizational_units_for_parent").paginate(ParentId=parent_id)
    return (
        [
            _account(item, parent_id, units)
            for page in members
            for item in require_member(page, "Accounts", "ListAccountsForParent")
        ],
        [
            (unit.unit_id, (*units, unit))
            for page in children
            for unit in map(_unit, require_member(page, "OrganizationalUnits", _LIST_UNITS))
        ],
    )


def _unit(item: OrganizationalUnitTypeDef) -> Unit:
    return Unit(require_member(item, "Id", _LIST_UNITS), require_member(item, "Name", _LIST_UNITS))


def _account(item: AccountTypeDef, parent_id: str, units: tuple[Unit, ...]) -> Account:
    # botocore shape Account: State replaces Status, the only one in older versions.
    state = item.get("State") or item.get("Status")
    if state is None:
        raise ValidationError([_NO_STATE])
    # AWS may omit the name and the email address of an account that has not joined yet.
    account_id = require_member(item, "Id", "ListAccountsForParent")
    return Account(
        account_id=account_id,
        name=item.get("Name", account_id),
        state=state,
        parent_id=parent_id,
        email=item.get("Email", ""),
        units=units,
    )


def _with_tags(client: OrganizationsClient, account: Account) -> Account:
    pages = client.get_paginator("list_tags_for_resource").paginate(ResourceId=account.account_id)
    tags = tag_map(tag for page in pages for tag in require_member(page, "Tags", "ListTagsForResource"))
    return replace(account, tags=tags)


def _read_all(items: Iterable[Item], read: Callable[[Item], Answer]) -> list[Answer]:
    """Return the results of ``read`` in the order of the items, in parallel.

    Raises:
        ValidationError: a call fails.
    """
    given = list(items)

    def work(lane: int) -> list[Answer]:
        return [read(item) for item in given[lane::_PARALLEL_CALLS]]

    done, failed = map_parallel(range(min(_PARALLEL_CALLS, len(given))), work)
    if failed:
        failures = chain.from_iterable(
            exception.failures if isinstance(exception, ValidationError) else [_failure(exception)]
            for exception in failed.values()
        )
        raise ValidationError(dict.fromkeys(replace(failure, request_id=None) for failure in failures))
    return [done[number % _PARALLEL_CALLS][number // _PARALLEL_CALLS] for number in range(len(given))]


def _failure(exception: Exception) -> Failure:
    failure = errors.failure(exception, None, "ListAccountsForParent")
    if failure.error_code in ("AccessDenied", "AccessDeniedException"):
        remedy = (
            f"{failure.remedy} Only the management account and delegated administrators can list accounts."
        )
        return replace(failure, remedy=remedy)
    if failure.error_code == "TooManyRequestsException":
        return replace(failure, remedy="Rerun later, or set cache: true to reduce the number of calls.")
    return failure

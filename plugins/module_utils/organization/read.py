# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the accounts of an organization, with as few calls as there are units and, for tags, accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from ..aws import errors
from ..failures import Failure, Refused
from ..fanout import each
from .inventory import Account, InventoryOptions, Unit

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_organizations.type_defs import AccountTypeDef

Item = TypeVar("Item")
Answer = TypeVar("Answer")

# Organizations allows but a few calls a second, to the whole organization together: so many at once.
_PARALLEL_CALLS = 4

_NO_STATE = Failure(
    message="AWS tells no state of the accounts that this botocore knows.",
    remedy="Update botocore and boto3: since September 2026 AWS tells it in the member State only.",
    error_code="missing_account_state",
    action="ListAccountsForParent",
)


def accounts(client: OrganizationsClient, options: InventoryOptions) -> tuple[Account, ...]:
    """The accounts in the states asked for, by id.

    AWS tells them to the management account and to delegated administrators only (botocore operation
    ListAccountsForParent).

    Raises:
        Refused: something could not be read, so that accounts or groups of theirs would be missing.
    """
    try:
        roots = [
            root["Id"] for page in client.get_paginator("list_roots").paginate() for root in page["Roots"]
        ]
    except errors.AWS_ERRORS as exception:
        raise Refused([_failure(exception)]) from exception
    found: list[Account] = []
    level: list[tuple[str, tuple[Unit, ...]]] = [(root, ()) for root in roots]
    while level:
        inside = _all_of(level, lambda place: _inside(client, *place))
        found.extend(chain.from_iterable(members for members, _units in inside))
        level = list(chain.from_iterable(units for _members, units in inside))
    # One that is moved meanwhile may be met twice.
    by_id = {account.account_id: account for account in found if account.state in options.states}
    wanted = [by_id[account_id] for account_id in sorted(by_id)]
    if options.tags:
        wanted = _all_of(wanted, lambda account: replace(account, tags=_tags(client, account.account_id)))
    return tuple(wanted if options.email else (replace(account, email="") for account in wanted))


def _inside(
    client: OrganizationsClient, parent_id: str, units: tuple[Unit, ...]
) -> tuple[list[Account], list[tuple[str, tuple[Unit, ...]]]]:
    """The accounts right inside a root or a unit, and the units right inside it with those around them."""
    members = client.get_paginator("list_accounts_for_parent").paginate(ParentId=parent_id)
    children = client.get_paginator("list_organizational_units_for_parent").paginate(ParentId=parent_id)
    return (
        [_account(item, parent_id, units) for page in members for item in page["Accounts"]],
        [
            (item["Id"], (*units, Unit(item["Id"], item["Name"])))
            for page in children
            for item in page["OrganizationalUnits"]
        ],
    )


def _account(item: AccountTypeDef, parent_id: str, units: tuple[Unit, ...]) -> Account:
    # botocore shape Account: State replaces Status, which older botocore knows alone.
    state = item.get("State") or item.get("Status")
    if state is None:
        raise Refused([_NO_STATE])
    # AWS may leave out the name and the address of an account that has not joined yet.
    return Account(
        account_id=item["Id"],
        name=item.get("Name", item["Id"]),
        state=state,
        parent_id=parent_id,
        email=item.get("Email", ""),
        units=units,
    )


def _tags(client: OrganizationsClient, account_id: str) -> dict[str, str]:
    pages = client.get_paginator("list_tags_for_resource").paginate(ResourceId=account_id)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def _all_of(items: Iterable[Item], ask: Callable[[Item], Answer]) -> list[Answer]:
    """The answer for every item, in their order, a few at a time; ``Refused`` if there is none for any."""
    given = list(items)

    def work(lane: int) -> list[Answer]:
        return [ask(item) for item in given[lane::_PARALLEL_CALLS]]

    done, failed = each(range(min(_PARALLEL_CALLS, len(given))), work)
    if failed:
        failures = chain.from_iterable(
            exception.failures if isinstance(exception, Refused) else [_failure(exception)]
            for exception in failed.values()
        )
        raise Refused(dict.fromkeys(replace(failure, request_id=None) for failure in failures))
    return [done[number % _PARALLEL_CALLS][number // _PARALLEL_CALLS] for number in range(len(given))]


def _failure(exception: Exception) -> Failure:
    failure = errors.failure(exception, None, "ListAccountsForParent")
    if failure.error_code in ("AccessDenied", "AccessDeniedException"):
        remedy = (
            f"{failure.remedy} Only the management account and delegated administrators may list accounts."
        )
        return replace(failure, remedy=remedy)
    if failure.error_code == "TooManyRequestsException":
        return replace(failure, remedy="Run again later, or with cache: true less often.")
    return failure

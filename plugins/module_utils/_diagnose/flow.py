# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_share_diagnose``: find out why accounts can, or cannot, launch images."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from .. import _arns as arns
from .._aws import errors, read
from .._aws.accounts import AssumedAccounts
from .._aws.caller import identify_in_regions, preferred_region
from .._aws.clients import Clients
from .._aws.read import Caller
from .._aws.read_visible import images_once_visible
from .._fanout import map_parallel
from .._model import METADATA_OPTIONS, Image, Target
from .._parameter_share import parameter_arn
from .._processes import map_in_processes
from .._runner import Flow, Outcome, change_nothing
from .._tags import of_launch
from .options import DiagnosisOptions
from .plan import DiagnosisPlan, list_cases, plan
from .read import (
    read_consumer,
    read_identity,
    read_keys,
    read_owner,
    repeat_until_usable,
    simulate_refusals,
)
from .read_parameter import read_as_launch, read_owned_parameter
from .refusals import find_keys_awaiting_grants
from .state import Case, ConsumerView, DiagnosisState, OwnerView, ParameterView

_ASSUME_ROLE = "AssumeRole"


@dataclass
class _Account:
    """The views of one account; ``refused`` is the error after which its role is not assumed again."""

    views: dict[Case, ConsumerView] = field(default_factory=dict)
    refused: Exception | None = None

    def note(self, case: Case, ask: Callable[[], ConsumerView | None]) -> None:
        """Store the answer of ``ask``, or the error."""
        if self.refused is not None:
            self.views[case] = _unreadable_view(case, self.refused)
            return
        try:
            if (answer := ask()) is not None:
                self.views[case] = answer
        except errors.AWS_ERRORS as exception:
            if errors.failure(exception, case.target, "").action == _ASSUME_ROLE:
                self.refused = exception
            self.views[case] = _unreadable_view(case, exception)


@dataclass(frozen=True)
class _Reading:
    """What accounts are read for."""

    caller: Caller
    options: DiagnosisOptions
    region: str
    images: Mapping[Target, str | None]
    owners: Mapping[Target, OwnerView]
    now: datetime


def read_state(clients: Clients, options: DiagnosisOptions) -> DiagnosisState:
    """Read each image once in its owner's account, then in each account that would launch it.

    A failed read in one account or region is a finding about it and does not stop the others.
    """
    regions = sorted(options.by_target.regions)
    default_region = preferred_region(clients, regions)
    caller = identify_in_regions(clients, {options.region_option: regions})
    accounts = AssumedAccounts(clients, caller, options.consumer_role, default_region)
    accounts.open("ec2", regions)
    images = options.by_target.targets(caller.account_id)
    owners = _read_owners(accounts, images, regions)
    if options.parameter:
        owners = _add_parameters(accounts, owners, images, caller.partition, options.parameter)
    now = datetime.now(UTC)
    reading = _Reading(caller, options, default_region, images, owners, now)
    consumers = _read_consumers(accounts, reading, _select_cases(caller, options, images))
    role = options.consumer_role.name if options.consumer_role else None
    principals = _list_principals(accounts, caller, {case.account_id for case in consumers})
    return DiagnosisState(caller.account_id, images, owners, consumers, role, now, principals)


def count_calls(by_account: Mapping[str, Collection[Case]]) -> int:
    """Return about how many calls of AWS accounts are read with: two to eight for each account and region."""
    return 4 * sum(map(len, by_account.values()))


def result(
    options: DiagnosisOptions, current: DiagnosisState, plan: DiagnosisPlan, outcome: Outcome
) -> dict[str, Any]:
    """Return the keys that are specific to this module."""
    results = [diagnosis.to_dict() for diagnosis in plan.diagnoses]
    return {"results": results, "findings": [finding for item in results for finding in item["findings"]]}


FLOW: Flow[DiagnosisOptions, DiagnosisState] = Flow(
    DiagnosisOptions,
    read_state,
    plan,
    change_nothing,
    result,
    only_reads=True,
    policy="diagnosis",
)


def _read_owners(
    accounts: AssumedAccounts, images: Mapping[Target, str | None], regions: list[str]
) -> dict[Target, OwnerView]:
    def work(target: Target) -> OwnerView:
        image_id = images[target]
        if image_id is None:
            return OwnerView()
        others = [region for region in regions if region != target.region]
        with accounts.as_account(target.account_id) as clients:
            return read_owner(clients, target, image_id, others)

    done, failed = map_parallel(images, work)
    encrypted = _list_encrypted(done)
    # Clients are created before threads start, and KMS clients only where an image is encrypted.
    accounts.open("kms", [target.region for target in encrypted])

    def work_on_keys(target: Target) -> OwnerView:
        with accounts.as_account(target.account_id) as clients:
            return read_keys(clients, target, done[target])

    with_keys, failed_on_keys = map_parallel(encrypted, work_on_keys)
    problems = {
        target: OwnerView(problem=errors.failure(exception, target, "DescribeImages"))
        for target, exception in (failed | failed_on_keys).items()
    }
    return {target: (done | with_keys | problems)[target] for target in images}


def _add_parameters(
    accounts: AssumedAccounts,
    owners: Mapping[Target, OwnerView],
    images: Mapping[Target, str | None],
    partition: str,
    name: str,
) -> dict[Target, OwnerView]:
    """Add the parameter of each image that exists, read in the account of the image's owner."""
    existing = [target for target, image_id in images.items() if image_id is not None]
    for service in ("ram", "ssm"):
        accounts.open(service, [target.region for target in existing])

    def work(target: Target) -> ParameterView:
        with accounts.as_account(target.account_id) as clients:
            return read_owned_parameter(clients, target, partition, name)

    done, failed = map_parallel(existing, work)
    unread = {
        target: ParameterView(
            name,
            parameter_arn(partition, target, name),
            problem=errors.failure(exception, target, "GetParameter"),
        )
        for target, exception in failed.items()
    }
    views = done | unread
    return {target: replace(owner, parameter=views.get(target)) for target, owner in owners.items()}


def _read_consumers(
    accounts: AssumedAccounts, reading: _Reading, by_account: Mapping[str, list[Case]]
) -> dict[Case, ConsumerView]:
    """Read every image in every account, each account in one process, and return the views in their order."""

    def prepare(own: AssumedAccounts) -> Callable[[Collection[str]], dict[Case, ConsumerView]]:
        own.open("ec2", sorted(reading.options.by_target.regions))
        own.open("kms", [target.region for target in _list_encrypted(reading.owners)])
        if reading.options.parameter:
            own.open("ssm", sorted(reading.options.by_target.regions))
        return lambda group: _read_accounts(own, reading, {one: by_account[one] for one in group})

    calls, most = count_calls(by_account), reading.options.max_processes
    read = map_in_processes([*by_account], prepare, accounts, calls=calls, most=most)
    if read is None:
        return _read_accounts(accounts, reading, by_account)
    done, lost = read
    views = {case: view for group in done for case, view in group.items()}
    for account_id, exception in lost.items():
        for case in by_account[account_id]:
            views[case] = ConsumerView(problem=exception.as_failure(case.target, "DescribeImages"))
    return {case: views[case] for cases in by_account.values() for case in cases if case in views}


def _read_accounts(
    accounts: AssumedAccounts, reading: _Reading, by_account: Mapping[str, list[Case]]
) -> dict[Case, ConsumerView]:
    """Read every image in these accounts, and what explains refusals of its keys."""
    consumers = _look_from_accounts(accounts, reading, by_account)
    account_ids = {case.account_id for case in consumers}
    principals = _list_principals(accounts, reading.caller, account_ids)
    consumers = _simulate_refusals(accounts, principals, reading.region, consumers)
    return _await_new_grants(accounts, reading, consumers)


def _list_principals(
    accounts: AssumedAccounts, caller: Caller, account_ids: Collection[str]
) -> dict[str, str]:
    """Return the role or user with which each account is read."""
    return {
        account_id: accounts.role_arn(account_id) or arns.principal_of(caller.arn)
        for account_id in account_ids
    }


def _look_from_accounts(
    accounts: AssumedAccounts, reading: _Reading, by_account: Mapping[str, list[Case]]
) -> dict[Case, ConsumerView]:
    """Read every image in every account, in a thread for each account; without a role, only in the own.

    A planned copy cannot be read, and has an entry only if the account's role cannot be assumed.
    """
    images, owners = reading.images, reading.owners
    planned = [case for (case, *_more) in by_account.values() if images[case.image_target] is None]
    accounts.open("sts", {case.target.region for case in planned})

    def ask(clients: Clients, case: Case) -> ConsumerView | None:
        owner = owners[case.image_target]
        if images[case.image_target] is None:
            read_identity(clients, case.target.region)
            return None
        view = read_consumer(
            clients,
            case.target,
            str(images[case.image_target]),
            _select_keys(owner),
            lambda image: _launch_request(reading.options, case.target, image),
            f"arn:{reading.caller.partition}:iam::{case.account_id}:root",
        )
        if owner.parameter is None:
            return view
        return replace(view, parameter=read_as_launch(clients, case.target, owner.parameter.arn))

    def work(account_id: str) -> _Account:
        account = _Account()
        with accounts.as_account(account_id) as clients:
            for case in by_account[account_id]:
                account.note(case, partial(ask, clients, case))
            waiting = [
                case for case, view in account.views.items() if _may_become_visible(owners, case, view)
            ]
            for case in _wait_until_visible(clients, images, waiting):
                account.note(case, partial(ask, clients, case))
        return account

    done, failed = map_parallel(by_account, work)
    views = {case: view for account in done.values() for case, view in account.views.items()}
    for account_id, exception in failed.items():
        views.update({case: _unreadable_view(case, exception) for case in by_account[account_id]})
    return views


def _wait_until_visible(
    clients: Clients, images: Mapping[Target, str | None], waiting: Collection[Case]
) -> Collection[Case]:
    """Return the cases whose image becomes visible to the account in time."""

    def look(case: Case) -> Image | None:
        return read.image(clients.ec2(case.target.region), str(images[case.image_target]))

    return images_once_visible(look, waiting)


def _may_become_visible(owners: Mapping[Target, OwnerView], case: Case, view: ConsumerView) -> bool:
    """Whether an account that does not see an image may see it soon, because its owner has shared it."""
    owner = owners[case.image_target]
    is_unseen = view.image is None and view.problem is None
    return is_unseen and owner.launch is not None and owner.is_shared_with(case.account_id) is not False


def _simulate_refusals(
    accounts: AssumedAccounts,
    principals: Mapping[str, str],
    region: str,
    consumers: Mapping[Case, ConsumerView],
) -> dict[Case, ConsumerView]:
    """Add IAM's simulation of the dry runs that KMS has refused, read in each account."""
    refused = [case for case, view in consumers.items() if any(key.refused for key in view.keys.values())]
    if not refused:
        return dict(consumers)
    # IAM is the same in all regions.
    accounts.open("iam", [region])

    def work(case: Case) -> ConsumerView:
        with accounts.as_account(case.account_id) as clients:
            iam = clients.client("iam", region)
            return simulate_refusals(iam, principals[case.account_id], consumers[case])

    done, _failed = map_parallel(refused, work)
    return {**consumers, **done}


def _await_new_grants(
    accounts: AssumedAccounts, reading: _Reading, consumers: Mapping[Case, ConsumerView]
) -> dict[Case, ConsumerView]:
    """Repeat the dry runs that may succeed as soon as a new grant is usable."""
    awaiting = {
        case: find_keys_awaiting_grants(case, reading.owners[case.image_target], view, reading.now)
        for case, view in consumers.items()
    }

    def work(case: Case) -> ConsumerView:
        grantee = f"arn:{reading.caller.partition}:iam::{case.account_id}:root"
        with accounts.as_account(case.account_id) as clients:
            kms = clients.kms(case.target.region)
            return repeat_until_usable(kms, awaiting[case], grantee, consumers[case])

    done, _failed = map_parallel([case for case, arns in awaiting.items() if arns], work)
    return {**consumers, **done}


def _select_cases(
    caller: Caller, options: DiagnosisOptions, images: Mapping[Target, str | None]
) -> dict[str, list[Case]]:
    """Return the cases to read in each account.

    An account with only planned images has one of them, which shows whether its role can be assumed.
    """
    existing: dict[str, list[Case]] = {}
    planned: dict[str, list[Case]] = {}
    for case in list_cases(options, images):
        if options.consumer_role is None and case.account_id != caller.account_id:
            continue
        if images[case.image_target] is None:
            planned.setdefault(case.account_id, [case])
        else:
            existing.setdefault(case.account_id, []).append(case)
    return planned | existing


def _unreadable_view(case: Case, exception: Exception) -> ConsumerView:
    return ConsumerView(problem=errors.failure(exception, case.target, "DescribeImages"))


def _list_encrypted(owners: Mapping[Target, OwnerView]) -> list[Target]:
    """Return where images are encrypted: KMS clients are only needed there."""
    return [target for target, owner in owners.items() if owner.image is not None and owner.image.encrypted]


def _select_keys(owner: OwnerView) -> list[str]:
    """Return the keys for the account's dry runs: the enabled ones that are not AWS managed.

    EBS may use an AWS managed key for all in its account (KMS Developer Guide, "AWS managed keys").
    """
    if owner.image is None:
        return []
    described = {key.key.arn: key.key for key in owner.keys}
    tried = [arn for arn, key in described.items() if not key.aws_managed and key.is_enabled]
    others = (*owner.key_problems, *owner.undecided_keys)
    return [*tried, *(arn for arn in others if arn.startswith("arn:") and arn not in described)]


def _launch_request(options: DiagnosisOptions, target: Target, image: Image) -> dict[str, Any]:
    """Return the parameters of RunInstances, with the same metadata options as those of a launch probe.

    The instance type fits the architecture if none is set.
    """
    subnet_id = options.network.subnet_id(target)
    groups = options.network.group_ids(target)
    instance_type = options.instance_type or image.smallest_instance_type
    return {
        "MetadataOptions": METADATA_OPTIONS,
        **({"InstanceType": instance_type} if instance_type else {}),
        **({"SubnetId": subnet_id} if subnet_id else {}),
        **({"SecurityGroupIds": list(groups)} if groups else {}),
        **({"TagSpecifications": of_launch(options.launch_tags)} if options.launch_tags else {}),
    }

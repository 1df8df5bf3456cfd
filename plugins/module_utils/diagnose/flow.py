# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_share_diagnose``: why accounts can, or cannot, launch images. Read-only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from .. import arns
from ..aws import errors, read
from ..aws.assumed_roles import AssumedAccounts
from ..aws.caller import identify, preferred_region
from ..aws.clients import Clients
from ..aws.read import Caller
from ..aws.read_visible import images_once_visible
from ..fanout import each
from ..model import METADATA_OPTIONS, Image, Target
from ..runner import Flow, Outcome, change_nothing
from ..tags import of_launch
from . import read as reads
from .options import DiagnosisOptions
from .plan import DiagnosisPlan, cases, plan
from .refusals import awaiting_grants
from .state import Case, ConsumerSeen, DiagnosisSeen, OwnerSeen

_ASSUME_ROLE = "AssumeRole"


@dataclass
class _Account:
    """What was read in one account, until its role could not be assumed."""

    seen: dict[Case, ConsumerSeen] = field(default_factory=dict)
    refused: Exception | None = None

    def note(self, case: Case, ask: Callable[[], ConsumerSeen | None]) -> None:
        """Note the answer, or why there is none."""
        if self.refused is not None:
            self.seen[case] = _unread(case, self.refused)
            return
        try:
            if (answer := ask()) is not None:
                self.seen[case] = answer
        except errors.AWS_ERRORS as exception:
            if errors.failure(exception, case.target, "").action == _ASSUME_ROLE:
                self.refused = exception
            self.seen[case] = _unread(case, exception)


def read_state(clients: Clients, options: DiagnosisOptions) -> DiagnosisSeen:
    """Read each image once in its owner's account, then in each account that would launch it.

    What cannot be read in one account or region is a finding about it and does not stop the others.
    """
    regions = sorted(options.by_target.regions)
    default_region = preferred_region(clients, regions)
    caller = identify(clients, default_region)
    accounts = AssumedAccounts(clients, caller, options.consumer_role, default_region)
    accounts.open("ec2", regions)
    images = options.by_target.targets(caller.account_id)
    owners = _owners(accounts, images, regions)
    consumers = _consumers(accounts, caller, options, images, owners)
    principals = {
        account_id: accounts.role_arn(account_id) or arns.principal_of(caller.arn)
        for account_id in {case.account_id for case in consumers}
    }
    consumers = _with_simulations(accounts, principals, default_region, consumers)
    now = datetime.now(UTC)
    consumers = _with_new_grants(accounts, caller, owners, consumers, now)
    role = options.consumer_role.name if options.consumer_role else None
    return DiagnosisSeen(caller.account_id, images, owners, consumers, role, now, principals)


def result(
    options: DiagnosisOptions, seen: DiagnosisSeen, plan: DiagnosisPlan, outcome: Outcome
) -> dict[str, Any]:
    """The returned keys that are specific to this module."""
    results = [diagnosis.as_result() for diagnosis in plan.diagnoses]
    return {"results": results, "findings": [found for item in results for found in item["findings"]]}


FLOW: Flow[DiagnosisOptions, DiagnosisSeen] = Flow(
    DiagnosisOptions, read_state, plan, change_nothing, result, only_reads=True, findings_name_options=True
)


def _owners(
    accounts: AssumedAccounts, images: Mapping[Target, str | None], regions: list[str]
) -> dict[Target, OwnerSeen]:
    def work(target: Target) -> OwnerSeen:
        image_id = images[target]
        if image_id is None:
            return OwnerSeen()
        others = [region for region in regions if region != target.region]
        with accounts.as_account(target.account_id) as clients:
            return reads.owner(clients, target, image_id, others)

    done, failed = each(images, work)
    encrypted = [target for target, seen in done.items() if seen.image is not None and seen.image.encrypted]
    # Clients are created before threads start, and KMS clients only where an image is encrypted.
    accounts.open("kms", [target.region for target in encrypted])

    def work_on_keys(target: Target) -> OwnerSeen:
        with accounts.as_account(target.account_id) as clients:
            return reads.keys(clients, target, done[target])

    with_keys, failed_on_keys = each(encrypted, work_on_keys)
    problems = {
        target: OwnerSeen(problem=errors.failure(exception, target, "DescribeImages"))
        for target, exception in (failed | failed_on_keys).items()
    }
    return {target: (done | with_keys | problems)[target] for target in images}


def _consumers(
    accounts: AssumedAccounts,
    caller: Caller,
    options: DiagnosisOptions,
    images: Mapping[Target, str | None],
    owners: Mapping[Target, OwnerSeen],
) -> dict[Case, ConsumerSeen]:
    """Read every image in every account, one thread for each; without a role, only in the own account.

    A planned copy cannot be read, and has an entry only if the account's role cannot be assumed.
    """
    by_account = _cases_to_read(caller, options, images)
    planned = [case for (case, *_more) in by_account.values() if images[case.image_target] is None]
    accounts.open("sts", {case.target.region for case in planned})

    def ask(clients: Clients, case: Case) -> ConsumerSeen | None:
        owner = owners[case.image_target]
        if images[case.image_target] is None:
            reads.identity(clients, case.target.region)
            return None
        return reads.consumer(
            clients,
            case.target,
            str(images[case.image_target]),
            _keys_to_try(owner),
            lambda image: _request(options, case.target, image),
            f"arn:{caller.partition}:iam::{case.account_id}:root",
        )

    def work(account_id: str) -> _Account:
        account = _Account()
        with accounts.as_account(account_id) as clients:
            for case in by_account[account_id]:
                account.note(case, partial(ask, clients, case))
            waiting = [case for case, there in account.seen.items() if _may_see(owners, case, there)]
            for case in _visible_by_now(clients, images, waiting):
                account.note(case, partial(ask, clients, case))
        return account

    done, failed = each(by_account, work)
    seen = {case: item for account in done.values() for case, item in account.seen.items()}
    for account_id, exception in failed.items():
        seen.update({case: _unread(case, exception) for case in by_account[account_id]})
    return seen


def _visible_by_now(
    clients: Clients, images: Mapping[Target, str | None], waiting: Collection[Case]
) -> Collection[Case]:
    """Those whose image the account comes to see in time."""

    def look(case: Case) -> Image | None:
        return read.image(clients.ec2(case.target.region), str(images[case.image_target]))

    return images_once_visible(look, waiting)


def _may_see(owners: Mapping[Target, OwnerSeen], case: Case, there: ConsumerSeen) -> bool:
    """Whether an account that does not see an image may see it soon: its owner has shared it."""
    owner = owners[case.image_target]
    is_unseen = there.image is None and there.problem is None
    return is_unseen and owner.launch is not None and owner.is_shared_with(case.account_id) is not False


def _with_simulations(
    accounts: AssumedAccounts,
    principals: Mapping[str, str],
    region: str,
    consumers: Mapping[Case, ConsumerSeen],
) -> dict[Case, ConsumerSeen]:
    """``consumers`` with what IAM decides of the dry runs that KMS has refused, read in each account."""
    refused = [case for case, seen in consumers.items() if any(item.refused for item in seen.keys.values())]
    if not refused:
        return dict(consumers)
    # IAM is the same in all regions.
    accounts.open("iam", [region])

    def work(case: Case) -> ConsumerSeen:
        with accounts.as_account(case.account_id) as clients:
            iam = clients.client("iam", region)
            return reads.with_simulations(iam, principals[case.account_id], consumers[case])

    done, _failed = each(refused, work)
    return {**consumers, **done}


def _with_new_grants(
    accounts: AssumedAccounts,
    caller: Caller,
    owners: Mapping[Target, OwnerSeen],
    consumers: Mapping[Case, ConsumerSeen],
    now: datetime,
) -> dict[Case, ConsumerSeen]:
    """``consumers`` with the dry runs repeated that a new grant, which is not usable yet, may let succeed."""
    awaiting = {
        case: awaiting_grants(case, owners[case.image_target], seen, now) for case, seen in consumers.items()
    }

    def work(case: Case) -> ConsumerSeen:
        grantee = f"arn:{caller.partition}:iam::{case.account_id}:root"
        with accounts.as_account(case.account_id) as clients:
            kms = clients.kms(case.target.region)
            return reads.once_usable(kms, awaiting[case], grantee, consumers[case])

    done, _failed = each([case for case, arns in awaiting.items() if arns], work)
    return {**consumers, **done}


def _cases_to_read(
    caller: Caller, options: DiagnosisOptions, images: Mapping[Target, str | None]
) -> dict[str, list[Case]]:
    """The images to read in each account.

    An account whose images are all planned has one of them, to find out whether its role can be assumed.
    """
    existing: dict[str, list[Case]] = {}
    planned: dict[str, list[Case]] = {}
    for case in cases(options, images):
        if options.consumer_role is None and case.account_id != caller.account_id:
            continue
        if images[case.image_target] is None:
            planned.setdefault(case.account_id, [case])
        else:
            existing.setdefault(case.account_id, []).append(case)
    return planned | existing


def _unread(case: Case, exception: Exception) -> ConsumerSeen:
    return ConsumerSeen(problem=errors.failure(exception, case.target, "DescribeImages"))


def _keys_to_try(owner: OwnerSeen) -> list[str]:
    """The keys for which the account's own dry runs are needed: those that are enabled, not AWS's own ones.

    EBS may use an AWS managed key for all in its account (KMS Developer Guide, "AWS managed keys").
    """
    if owner.image is None:
        return []
    described = {key.key.arn: key.key for key in owner.keys}
    tried = [arn for arn, key in described.items() if not key.aws_managed and key.is_enabled]
    others = (*owner.key_problems, *owner.undecided_keys)
    return [*tried, *(arn for arn in others if arn.startswith("arn:") and arn not in described)]


def _request(options: DiagnosisOptions, target: Target, image: Image) -> dict[str, Any]:
    """The parameters of RunInstances, with the same metadata options as those of a launch probe.

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

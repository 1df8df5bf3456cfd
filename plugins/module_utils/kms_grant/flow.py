# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_kms_grant``: every consumer can use the keys that the images are encrypted under."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from time import monotonic, sleep
from typing import Any

from ..arguments import CONSUMER_ROLE_SPEC, CONSUMERS_SPEC, IMAGES_SPEC, Options
from ..aws import errors, read
from ..aws.accounts import Accounts
from ..aws.caller import identify, preferred_region
from ..aws.clients import Clients
from ..aws.write import Performed, merge, perform
from ..failures import Refused, TargetFailed
from ..fanout import each
from ..keys.grants import OPERATIONS
from ..keys.policy_statements import short
from ..model import KeySeen, Target
from ..plan import Action, Plan
from ..progress import Report
from ..runner import Flow, Outcome
from . import plan as planner
from .plan import GrantSeen, GrantWanted, plan

_PRINCIPAL = re.compile(
    r"arn:aws[a-z-]*:(iam::[0-9]{12}:(role|user)|sts::[0-9]{12}:(assumed-role|federated-user))/.+"
)
# Organizations API Reference, patterns of the Id of Organization and of OrganizationalUnit.
_ORG_ID = re.compile(r"o-[a-z0-9]{10,32}")
_ORG_UNIT_ID = re.compile(r"ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")
# KMS Developer Guide, "Grants in AWS KMS": a new grant is usually visible in seconds, at most in 5 minutes.
_VISIBLE_WITHIN = 60.0
_LOOK_AGAIN = 1.0
# KMS Developer Guide, "Request quotas": 50 CreateGrant a second in a region. Far more at once than that takes
# are refused so often that botocore's retry quota is used up, and the grants fail.
_AT_A_TIME = 4
_UNSEEN = "AWS lists the new grants. When all of EC2 knows them cannot be seen; it may take 5 minutes."
ARGUMENT_SPEC: dict[str, Any] = {
    **IMAGES_SPEC,
    **CONSUMERS_SPEC,
    **CONSUMER_ROLE_SPEC,
    "kms_key_ids": {"type": "dict", "no_log": False},
    "principals": {"type": "list", "elements": "str", "default": []},
    "org_ids": {"type": "list", "elements": "str", "default": []},
    "org_unit_ids": {"type": "list", "elements": "str", "default": []},
    "operations": {"type": "list", "elements": "str", "default": []},
    "access_method": {"type": "str", "choices": ["auto", "grant", "key_policy"], "default": "auto"},
    "auto_scaling": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "purge_grants": {"type": "bool", "default": False},
}


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> GrantWanted:
    """The options as the planner takes them; raises ``Refused`` with all that is wrong with them."""
    options = Options(params)
    consumers = options.consumers()
    principals = options.matching("principals", _PRINCIPAL, "arn:aws:iam::111122223333:role/deploy")
    by_image = params["images"] is not None or params["image_id"] is not None
    wanted = GrantWanted(
        images=options.images(check_mode) if by_image else {},
        kms_key_ids=params["kms_key_ids"] or {},
        account_ids=consumers.account_ids,
        principals=frozenset(principals),
        org_arns=consumers.org_arns,
        org_unit_arns=consumers.org_unit_arns,
        org_ids=frozenset(_ids(options, "org_ids", _ORG_ID, "o-a1b2c3d4e5")),
        org_unit_ids=frozenset(_ids(options, "org_unit_ids", _ORG_UNIT_ID, "ou-ab12-11111111")),
        operations=frozenset(options.strings("operations")) or OPERATIONS,
        access_method=params["access_method"],
        present=params["state"] == "present",
        purge=params["purge_grants"],
        auto_scaling=params["auto_scaling"],
        consumer_role=options.consumer_role(),
    )
    if unknown := sorted(wanted.operations - planner.POSSIBLE_OPERATIONS):
        options.refuse(
            "operations",
            f"{', '.join(unknown)} is no operation of a grant on a key for encryption.",
            f"There are {', '.join(sorted(planner.POSSIBLE_OPERATIONS))}.",
        )
    if wanted.access_method == "grant" and (wanted.org_arns or wanted.org_unit_arns):
        options.refuse(
            "access_method",
            "a grant cannot name an organization or organizational unit.",
            "Use access_method: auto, which opens the key policy to them.",
        )
    if wanted.present and wanted.auto_scaling and not (wanted.consumer_role and wanted.account_ids):
        options.refuse(
            "auto_scaling",
            "each account itself must create the grant for its Auto Scaling role.",
            "Name the accounts in account_ids, and in consumer_role_name a role of theirs that may do it.",
        )
    by_id = wanted.org_ids or wanted.org_unit_ids
    if by_id and wanted.present:
        options.refuse(
            "org_ids" if wanted.org_ids else "org_unit_ids",
            "an id alone only withdraws.",
            "Set state: absent, or name the full ARN in org_arns or org_unit_arns.",
        )
    named = wanted.account_ids or wanted.principals or wanted.org_arns or wanted.org_unit_arns or by_id
    if not named and not (wanted.present and not wanted.purge):
        options.refuse("account_ids", "nobody is named.", "Name who keeps access, or who loses it.")
    if wanted.purge and not wanted.present:
        options.refuse("purge_grants", "it cannot be combined with state: absent.", "Leave one of them out.")
    if not by_image and not wanted.kms_key_ids:
        options.refuse("kms_key_ids", "no region is named.", "Map each region to its key, or use images.")
    options.check()
    return wanted


def read_state(clients: Clients, wanted: GrantWanted) -> GrantSeen:
    """Read every region's keys with their grants and, where it matters, their policies."""
    regions = sorted(wanted.images or wanted.kms_key_ids)
    caller = identify(clients, preferred_region(clients, regions))
    clients.open("kms", regions)
    if wanted.images:
        clients.open("ec2", regions)

    def read_target(target: Target) -> tuple[KeySeen, ...]:
        return tuple(
            _read_key(clients, wanted, target, key_id) for key_id in _key_ids(clients, wanted, target)
        )

    targets = [Target(caller.account_id, region) for region in regions]
    keys, failed = each(targets, read_target)
    if failed:
        raise Refused(errors.failure(item, target, "DescribeKey") for target, item in failed.items())
    planned = {region for region, image_id in wanted.images.items() if image_id is None}
    unencrypted = (target for target, found in keys.items() if not found and target.region not in planned)
    return GrantSeen(caller.account_id, caller.partition, keys, frozenset(unencrypted))


def apply(clients: Clients, wanted: GrantWanted, seen: GrantSeen, plan: Plan, report: Report) -> Outcome:
    """Create, then write policies, then let consumers create, then revoke: nobody loses access in between."""
    of_owner = [action for action in plan.actions if not planner.is_for_auto_scaling(action)]
    created = _perform_each(clients, _of_kind("CreateGrant", of_owner, Performed()))
    written = _put_policies(clients, wanted, _of_kind("PutKeyPolicy", of_owner, created))
    handed_on = _create_as_consumers(clients, wanted, seen, created)
    opened = merge(created, written, handed_on)
    done = merge(opened, _perform_each(clients, _of_kind("RevokeGrant", of_owner, opened)))
    warnings = (_unlisted(clients, created) or _UNSEEN,) if created.actions else ()
    return Outcome(performed=done.actions, failures=done.failures, warnings=warnings)


def result(wanted: GrantWanted, seen: GrantSeen, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """What the module returns of its own; regions that failed are missing from ``results``."""
    failed = {failure.region for failure in outcome.failures}
    return {
        "kms_key_arns": {
            target.region: keys[0].key.arn if keys else None for target, keys in seen.keys.items()
        },
        "results": [
            {
                "account_id": target.target.account_id,
                "changed": bool(target.actions),
                "kms_keys": [{"kms_key_arn": arn, **access} for arn, access in target.after.items()],
                "region": target.target.region,
            }
            for target in plan.targets
            if target.target.region not in failed
        ],
    }


FLOW: Flow[GrantWanted, GrantSeen] = Flow(wanted_from, read_state, plan, apply, result)


def _ids(options: Options, option: str, pattern: re.Pattern[str], example: str) -> tuple[str, ...]:
    for text in options.strings(option):
        if not pattern.fullmatch(text):
            options.refuse(option, f"'{text}' is no id.", f"One looks like {example}.")
    return options.strings(option)


def _of_kind(operation: str, actions: Iterable[Action], before: Performed) -> list[Action]:
    """The actions of one kind, but for regions in which what has to come before them failed."""
    broken = {failure.region for failure in before.failures}
    return [item for item in actions if item.operation == operation and item.target.region not in broken]


def _read_key(clients: Clients, wanted: GrantWanted, target: Target, key_id: str) -> KeySeen:
    kms = clients.kms(target.region)
    key = read.key(kms, key_id)
    if key.aws_managed or key.account_id != target.account_id:
        # Refused by the planner; AWS would not tell more of it.
        return KeySeen(key)
    policy = read.key_policy(kms, key.arn) if wanted.uses_policy else None
    return KeySeen(key, read.grants(kms, key.arn), policy)


def _key_ids(clients: Clients, wanted: GrantWanted, target: Target) -> list[str]:
    """The keys of one region: those that are named, or those that the image's snapshots really got."""
    if not wanted.images:
        key_id = wanted.kms_key_ids[target.region]
        return [key_id] if key_id else []
    image_id = wanted.images[target.region]
    if image_id is None:
        return []
    ec2 = clients.ec2(target.region)
    image = read.image(ec2, image_id)
    if image is None:
        raise TargetFailed(errors.no_image(image_id, target))
    keys = {item.kms_key_id for item in read.snapshots(ec2, image.snapshot_ids) if item.kms_key_id}
    return sorted(keys)


def _perform_each(clients: Clients, actions: Sequence[Action]) -> Performed:
    """Perform actions that do not depend on each other: in all regions at once, in each a few at a time."""
    lanes: dict[tuple[int, str], list[int]] = {}
    seen: Counter[str] = Counter()
    for index, action in enumerate(actions):
        region = action.target.region
        lanes.setdefault((seen[region] % _AT_A_TIME, region), []).append(index)
        seen[region] += 1

    def work(lane: tuple[int, str]) -> dict[int, Performed]:
        return {
            index: perform(clients.kms(actions[index].target.region), actions[index]) for index in lanes[lane]
        }

    # Every region's first lane before any region's last: there may be fewer threads than lanes.
    done, failed = each(sorted(lanes), work)
    performed = {index: result for results in done.values() for index, result in results.items()}
    return _collected(actions, performed, {lanes[lane][0]: problem for lane, problem in failed.items()})


def _put_policies(clients: Clients, wanted: GrantWanted, actions: Sequence[Action]) -> Performed:
    """Write key policies, each read again right before: PutKeyPolicy replaces whatever is there by then."""

    def work(index: int) -> Performed:
        action = actions[index]
        kms, key_arn = clients.kms(action.target.region), action.parameters["KeyId"]
        policy = planner.policy_after(wanted, read.key_policy(kms, key_arn))
        return perform(kms, replace(action, parameters={**action.parameters, "Policy": policy}))

    return _collected(actions, *each(range(len(actions)), work))


def _create_as_consumers(
    clients: Clients, wanted: GrantWanted, seen: GrantSeen, created: Performed
) -> Performed:
    """Let each account create the grants for its Auto Scaling role.

    The tokens of the owner's grants make these usable at once (KMS API Reference, CreateGrant, GrantTokens).
    """
    tokens = {
        (action.parameters["KeyId"], short(action.parameters["GranteePrincipal"])): answer["GrantToken"]
        for action, answer in zip(created.actions, created.answers, strict=True)
    }
    by_account: dict[str, list[Action]] = {}
    for account_id, action in planner.consumer_grants(wanted, seen):
        token = tokens.get((action.parameters["KeyId"], account_id))
        parameters = {**action.parameters, **({"GrantTokens": [token]} if token else {})}
        by_account.setdefault(account_id, []).append(replace(action, parameters=parameters))

    caller = read.Caller(seen.account_id, seen.partition)
    home = preferred_region(clients, sorted(target.region for target in seen.keys))
    accounts = Accounts(clients, caller, wanted.consumer_role, home)

    def work(account_id: str) -> Performed:
        actions = by_account[account_id]
        consumer = accounts.clients(account_id)
        consumer.open("kms", [action.target.region for action in actions])
        done = merge(*(perform(consumer.kms(action.target.region), action) for action in actions))
        # The targets are the owner's; who has something to mend is the consumer.
        return replace(done, failures=tuple(replace(item, account_id=account_id) for item in done.failures))

    done, failed = each(by_account, work)
    failures = tuple(
        errors.failure(item, Target(account_id, region), "AssumeRole")
        for account_id, item in failed.items()
        for region in dict.fromkeys(action.target.region for action in by_account[account_id])
    )
    return merge(*done.values(), Performed(failures=failures))


def _unlisted(clients: Clients, created: Performed) -> str | None:
    """Wait until AWS lists the new grants; what to say if it doesn't within a minute."""
    missing: dict[tuple[str, str], set[str]] = {}
    for action, answer in zip(created.actions, created.answers, strict=True):
        key = action.target.region, action.parameters["KeyId"]
        missing.setdefault(key, set()).add(answer["GrantId"])

    def look(key: tuple[str, str]) -> set[str]:
        region, key_arn = key
        return {grant.grant_id for grant in read.grants(clients.kms(region), key_arn)}

    give_up = monotonic() + _VISIBLE_WITHIN
    while missing:
        listed, _failed = each(missing, look)
        missing = {key: ids for key, ids in missing.items() if not ids <= listed.get(key, set())}
        if missing and monotonic() > give_up:
            regions = ", ".join(sorted(region for region, _key in missing))
            return f"{regions}: AWS does not list all new grants yet; consumers may be refused for minutes."
        if missing:
            sleep(_LOOK_AGAIN)
    return None


def _collected(
    actions: Sequence[Action], done: Mapping[int, Performed], failed: Mapping[int, Exception]
) -> Performed:
    """What became of numbered actions, in their order."""
    failures = tuple(
        errors.failure(failed[index], actions[index].target, actions[index].operation)
        for index in sorted(failed)
    )
    return merge(*(done[index] for index in sorted(done)), Performed(failures=failures))

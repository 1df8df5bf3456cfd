# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_shared_info``: what other accounts share with this one, in all regions at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..arguments import Options
from ..aws import errors, read
from ..aws.caller import identify_with_regions
from ..aws.clients import Clients
from ..failures import Refused
from ..fanout import each
from ..model import Target
from ..plan import Plan
from ..progress import Report
from ..runner import Flow, Outcome
from . import read as read_shared
from .evaluate import (
    KeysSeen,
    SharedImage,
    SharedInfoSeen,
    SharedInfoWanted,
    not_found,
    of_others,
    regions_to_read,
    results,
)

# botocore shape DescribeImagesRequest, Owners: amazon, aws-backup-vault, aws-marketplace and the like.
_ALIAS = re.compile(r"[a-z][a-z-]*")


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> SharedInfoWanted:
    """The options as the planner takes them; raises ``Refused`` with all that is wrong with them."""
    options = Options(params)
    wanted = SharedInfoWanted(
        executable_users=tuple(dict.fromkeys(params["executable_users"])),
        owners=_owners(options, params["owners"]),
        image_ids=tuple(
            dict.fromkeys(options.image_id("image_ids", item) for item in options.strings("image_ids"))
        ),
        filters=_filters(options, params["filters"]),
        regions=tuple(dict.fromkeys(options.strings("regions"))),
        include_deprecated=params["include_deprecated"],
        check_key_access=params["check_key_access"],
    )
    if not wanted.executable_users:
        options.refuse("executable_users", "it is empty.", "Take self, all, or both.")
    if "all" in wanted.executable_users and not (wanted.owners or wanted.image_ids):
        options.refuse(
            "owners",
            "anybody can publish an image of any name, and no owner is named for executable_users: all.",
            "Name the owners whom you trust, or image_ids.",
        )
    if wanted.image_ids and "image-id" in wanted.filters:
        options.refuse("filters", "image-id is what image_ids is for.", "Leave one of them out.")
    options.check()
    return wanted


def read_state(clients: Clients, wanted: SharedInfoWanted) -> SharedInfoSeen:
    """Look in every region; one that cannot be read is noted, and hides no other."""
    caller, known = identify_with_regions(clients)
    regions, failures = regions_to_read(wanted, known)
    if failures:
        raise Refused(failures)
    clients.open("ec2", regions)

    def read_target(target: Target) -> tuple[SharedImage, ...]:
        return of_others(read_shared.images(clients.ec2(target.region), wanted), caller.account_id)

    found, failed = each([Target(caller.account_id, region) for region in regions], read_target)
    return SharedInfoSeen(
        account_id=caller.account_id,
        now=datetime.now(UTC),
        images=found,
        keys=_keys(clients, caller, found) if wanted.check_key_access else {},
        unread=tuple(
            errors.failure(exception, target, "DescribeImages") for target, exception in failed.items()
        ),
    )


def plan(wanted: SharedInfoWanted, seen: SharedInfoSeen) -> Plan:
    """Nothing is done."""
    return Plan(())


def apply(
    clients: Clients, wanted: SharedInfoWanted, seen: SharedInfoSeen, plan: Plan, report: Report
) -> Outcome:
    """Nothing is done; what could not be read fails the task."""
    return Outcome(failures=seen.unread, warnings=not_found(wanted, seen))


def result(wanted: SharedInfoWanted, seen: SharedInfoSeen, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """What the module returns of its own."""
    return {
        "account_id": seen.account_id,
        "regions": sorted(target.region for target in seen.images),
        "results": results(wanted, seen),
    }


FLOW: Flow[SharedInfoWanted, SharedInfoSeen] = Flow(
    wanted_from, read_state, plan, apply, result, only_reads=True
)


def _keys(
    clients: Clients, caller: read.Caller, images: Mapping[Target, tuple[SharedImage, ...]]
) -> dict[Target, KeysSeen]:
    """The keys of each region that has encrypted images."""
    snapshots = {
        target: [one for image in found for one in image.encrypted_snapshots]
        for target, found in images.items()
        if any(image.encrypted for image in found)
    }
    clients.open("kms", [target.region for target in snapshots])
    account = f"arn:{caller.partition}:iam::{caller.account_id}:root"

    def try_keys(target: Target) -> KeysSeen:
        region = target.region
        return read_shared.keys(clients.ec2(region), clients.kms(region), snapshots[target], account)

    tried, failed = each(snapshots, try_keys)
    problems = {
        target: KeysSeen(problem=errors.failure(exception, target, "DescribeSnapshots").text())
        for target, exception in failed.items()
    }
    return {**tried, **problems}


def _owners(options: Options, given: list[Any]) -> tuple[str, ...]:
    owners: dict[str, None] = {}
    for item in given:
        text = str(item).strip()
        if text == "self":
            options.refuse(
                "owners", "'self' shares nothing with itself.", "For own images use amazon.aws.ec2_ami_info."
            )
        elif isinstance(item, int) or text[:1].isdigit():
            owners[str(options.account_id("owners", item))] = None
        elif text and not _ALIAS.fullmatch(text):
            options.refuse("owners", f"'{text}' is no owner.", "Take account ids, or aliases such as amazon.")
        elif text:
            owners[text] = None
    return tuple(owners)


def _filters(options: Options, given: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]]:
    filters = {name: _values(value) for name, value in (given or {}).items()}
    for name, values in filters.items():
        if not values:
            options.refuse("filters", f"{name} has no value.", "Give it a text or a list, or leave it out.")
    return filters


def _values(value: Any) -> tuple[str, ...]:
    """A filter's value or values as EC2 takes them, which writes booleans in lower case."""
    if isinstance(value, list):
        return tuple(text for item in value for text in _values(item))
    if value is None or isinstance(value, Mapping):
        return ()
    return (str(value).lower() if isinstance(value, bool) else str(value),)

# SPDX-License-Identifier: GPL-3.0-or-later

"""The result for a thousand accounts in twenty regions stays small: AWX drops large events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.examples import SOURCE_ID
from tests.unit.keys.policies import consumers, opened_to
from tests.unit.kms_grant.examples import Run, root, wanted
from tests.unit.kms_grant.kms_in_memory import Ec2, World, world
from tests.unit.result_size import ACCOUNTS, LARGEST, REGIONS, size_of

pytestmark = pytest.mark.exhaustive

# A key policy has room for about as many.
IN_POLICY = ACCOUNTS[:250]


def granted() -> World:
    """Keys with a grant for each account."""
    aws = world(*REGIONS)
    planned = Run(wanted(*ACCOUNTS, regions=REGIONS), aws, check_mode=True).plan
    for number, action in enumerate(planned.actions):
        grant = {name: value for name, value in action.parameters.items() if name != "KeyId"}
        aws.key(action.target.region).grants[f"g-{number}"] = grant
    return aws


def shared_images() -> World:
    """Keys with a grant for each account, under which another image is shared with all of them."""
    aws = granted()
    launch = {SOURCE_ID: [{"UserId": account} for account in ACCOUNTS]}
    for region in REGIONS:
        aws.ec2_clients[region] = Ec2({SOURCE_ID: aws.key(region).arn}, launch=launch)
    return aws


def rejecting() -> World:
    """Keys for which KMS rejects an account."""
    aws = world(*REGIONS)
    for kms in aws.regions.values():
        kms.unknown = {root(ACCOUNTS[0])}
    return aws


def opened() -> World:
    """Keys whose policies name accounts."""
    aws = world(*REGIONS)
    for region in REGIONS:
        aws.key(region).policy = opened_to(consumers(*IN_POLICY))
    return aws


@pytest.mark.parametrize(
    ("make", "options", "check_mode"),
    [
        pytest.param(lambda: world(*REGIONS), wanted(*ACCOUNTS), True, id="granted"),
        pytest.param(rejecting, wanted(*ACCOUNTS), False, id="an account is rejected for each key"),
        pytest.param(shared_images, wanted(*ACCOUNTS, state="absent"), False, id="access is kept"),
        pytest.param(
            granted, wanted(*ACCOUNTS, state="absent"), True, id="revoked, and accounts cannot be read"
        ),
        pytest.param(
            opened, wanted(*IN_POLICY, access_method="key_policy"), False, id="in key policies already"
        ),
        pytest.param(
            granted,
            wanted(*ACCOUNTS, operations=["Decrypt"], purge_grants=True, revoke_in_use=True),
            True,
            id="no account can use a key after the planned changes",
        ),
    ],
)
def test_result_and_diff_are_small(
    make: Callable[[], World], options: dict[str, Any], check_mode: bool
) -> None:
    keys = dict.fromkeys(REGIONS, "alias/golden")
    done = Run({**options, "kms_key_ids": keys}, make(), check_mode=check_mode)
    assert size_of(done) < LARGEST

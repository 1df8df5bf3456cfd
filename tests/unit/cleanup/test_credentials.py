# SPDX-License-Identifier: GPL-3.0-or-later

"""Uses in many accounts, read at once: each request is signed with the credentials of its account."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils._cleanup.inspect_images import read_image_usage
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import Evidence
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef

from tests.unit.aws.signed_calls import Call, SignedCalls
from tests.unit.aws.test_assuming import OWN_KEYS, no_settings_of_this_machine
from tests.unit.cleanup.examples import OLD_ID, own, region_state, seen, wanted

ACCOUNTS = [f"2{number:011}" for number in range(20)]
REGIONS = ("eu-west-1", "us-east-1", "ap-south-1")

__all__ = ["no_settings_of_this_machine"]


def answer(call: Call) -> str | None:
    """The image is shared with every account, and each has an instance with the account in its ID."""
    if call.operation == "DescribeImageAttribute":
        users = "".join(f"<item><userId>{account_id}</userId></item>" for account_id in ACCOUNTS)
        return f"<Answer><launchPermission>{users}</launchPermission></Answer>"
    if call.operation != "DescribeInstances":
        return None
    state = "<instanceState><name>running</name></instanceState>"
    instance = f"<instanceId>i-{call.account_id}</instanceId><imageId>{OLD_ID}</imageId>{state}"
    reservation = f"<item><instancesSet><item>{instance}</item></instancesSet></item>"
    return f"<Answer><reservationSet>{reservation}</reservationSet></Answer>"


def test_what_each_account_uses_is_read_with_its_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    SignedCalls.of(monkeypatch, answer)
    state = seen(*(region_state(own(OLD_ID)) for _region in REGIONS))
    images = {ImageRef(region, OLD_ID): () for region in state.regions}
    clients = Clients(Connection(credentials=OWN_KEYS))
    clients.open("ec2", state.regions)
    options = wanted(include_shared=True, consumer_role_name="golden-consumer")
    usage, _snapshots = read_image_usage(clients, options, state, images)
    expected = {
        account_id: (Evidence("instance", f"i-{account_id}", "running", account_id=account_id),)
        for account_id in ACCOUNTS
    }
    assert {ref: dict(found.consumers) for ref, found in usage.items()} == dict.fromkeys(images, expected)

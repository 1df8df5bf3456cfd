# SPDX-License-Identifier: GPL-3.0-or-later

"""Key access that was kept, as the results of ``ami_kms_grant`` show it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.remediation.kept import (
    KeptAccess,
    dependents,
    kept_access,
    unseen_accounts,
)
from ansible_collections.golden.images.plugins.module_utils.remediation.state import Resource

from tests.unit.examples import CONSUMER, STRANGER

EU, KEY = "eu-west-1", "arn:aws:kms:eu-west-1:111122223333:key/golden"
RESOURCE = Resource(EU, KEY)


def result_of_grant(
    kept: list[dict[str, Any]] | None = None,
    unseen: list[dict[str, Any]] | None = None,
    dependent: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """A result of the module for one key."""
    key = {
        "dependents": dependent or [],
        "kept_access": kept or [],
        "kms_key_arn": KEY,
        "unseen_accounts": unseen or [],
    }
    return {"failed": False, "results": [{"kms_keys": [key], "region": EU}]}


BY_VOLUMES = {
    "principal": CONSUMER,
    "image_ids": [],
    "reason": "It has volumes.",
    "resource_ids": ["vol-1", "vol-2"],
}
UNREAD = {"principal": STRANGER, "image_ids": [], "reason": "ami-1 is pending.", "resource_ids": []}


def test_kept_access_is_named_with_what_needs_it() -> None:
    failed: dict[str, Any] = {"failed": True, "msg": "No."}
    found = kept_access([failed, result_of_grant([BY_VOLUMES, UNREAD])])
    assert found == (
        KeptAccess(RESOURCE, CONSUMER, "It has volumes.", (), ("vol-1", "vol-2")),
        KeptAccess(RESOURCE, STRANGER, "ami-1 is pending."),
    )
    assert [one.is_needed for one in found] == [True, False]
    message = f"{EU}: access to {KEY} is kept for {CONSUMER}: It has volumes. (vol-1, vol-2)"
    assert found[0].as_result() == {
        "image_ids": [],
        "message": message,
        "principal": CONSUMER,
        "reason": "It has volumes.",
        "region": EU,
        "resource": KEY,
        "resource_ids": ["vol-1", "vol-2"],
    }
    assert found[1].as_result()["message"].endswith(": ami-1 is pending.")
    assert KeptAccess(RESOURCE, CONSUMER, "", ("ami-1",)).is_needed


def test_accounts_that_lose_access_they_need_are_named_with_the_key() -> None:
    dependent = {"account_id": CONSUMER, "resource_ids": ["snap-1", "vol-1"]}
    (found,) = dependents([{"failed": True}, result_of_grant(dependent=[dependent])])
    message = found.pop("message")
    assert message.startswith(f"{EU}: {CONSUMER} loses access to {KEY} (snap-1, vol-1): It has volumes")
    assert found == {**dependent, "region": EU, "resource": KEY}


def test_accounts_that_were_not_read_are_named_with_the_key() -> None:
    unseen = {"account_id": CONSUMER, "reason": "No role."}
    assert unseen_accounts([{"failed": True}, result_of_grant(unseen=[unseen])]) == [
        {
            "account_id": CONSUMER,
            "message": f"{EU}: not all that {CONSUMER} may have under {KEY} was read: No role.",
            "reason": "No role.",
            "region": EU,
            "resource": KEY,
        }
    ]


@pytest.mark.parametrize("read", [kept_access, dependents, unseen_accounts])
def test_other_results_are_errors(read: Any) -> None:
    with pytest.raises(KeyError):
        read([{"results": [{"image_id": "ami-1"}]}])

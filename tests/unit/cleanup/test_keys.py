# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS answers about the key of deleted snapshots decides which grants are revoked with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup import flow
from ansible_collections.golden.images.plugins.module_utils._plan import Action

from tests.unit.cleanup.examples import (
    NEW_ID,
    NEW_IMAGE,
    NEW_SNAPSHOT,
    OLD_ID,
    OLD_IMAGE,
    OLD_SNAPSHOT,
    Run,
    described,
)
from tests.unit.examples import CONSUMER, OWNER

KEY = f"arn:aws:kms:eu-west-1:{OWNER}:key/golden"
OPTIONS = {"revoke_grants": True, "consumer_role_name": "golden"}
ROOT = f"arn:aws:iam::{CONSUMER}:root"
Request = Mapping[str, Any]


def grant(name: str = "golden-images:1", **members: Any) -> dict[str, Any]:
    made = {"GrantId": f"g-{name}", "GranteePrincipal": ROOT, "Operations": ["Decrypt"], "Name": name}
    return {**made, "CreationDate": datetime(2020, 1, 1, tzinfo=UTC), **members}


def snapshots(*others: str, restorable: tuple[str, ...] = (), key: str = KEY) -> dict[str, Any]:
    """Those of both images and others, all under the key; and which are shared with accounts."""

    def listed(request: Request) -> Request:
        if "RestorableByUserIds" in request:
            return {"Snapshots": [{"SnapshotId": one, "State": "completed"} for one in restorable]}
        own = [{**one, "KmsKeyId": KEY} for one in (OLD_SNAPSHOT, NEW_SNAPSHOT)]
        return {"Snapshots": [*own, *({"SnapshotId": one, "KmsKeyId": key} for one in others)]}

    return {"describe_snapshots": listed}


def shared(*resources: str) -> dict[str, Any]:
    """These images and snapshots are shared with the account."""

    def permissions(member: str) -> Any:
        def answer(request: Request) -> Request:
            named = request.get("ImageId", request.get("SnapshotId"))
            return {member: [{"UserId": CONSUMER}] if named in resources else []}

        return answer

    return {
        "describe_image_attribute": permissions("LaunchPermissions"),
        "describe_snapshot_attribute": permissions("CreateVolumePermissions"),
    }


def run(options: dict[str, Any] | None = None, theirs: dict[str, Any] | None = None, **answers: Any) -> Run:
    """A run that deletes a snapshot under the key, on which the account has a grant."""
    account = {**snapshots(), "list_grants": {"Grants": [grant()]}, **answers}
    return Run({**OPTIONS, **(options or {})}, {CONSUMER: theirs or {}}, **account)


def revoked(of: Run) -> list[str | None]:
    return [one.resource for one in of.plan.actions if one.operation == "RevokeGrant"]


def asked(of: Run, method: str) -> list[str]:
    """The images and snapshots that were asked about."""
    requests = [request for name, request in of.clients.calls if name == method]
    return [one.get("ImageId", one.get("SnapshotId")) for one in requests]


def test_only_grants_that_the_own_account_made_for_images_are_revoked() -> None:
    """Whoever may call CreateGrant selects the name."""
    by_consumer = grant("golden-images:2", IssuingAccount=ROOT)
    found = run(list_grants={"Grants": [grant(), grant("theirs"), by_consumer]})
    assert revoked(found) == ["g-golden-images:1"]
    assert found.plan.warnings == ()


@pytest.mark.parametrize("options", [{"revoke_grants": False, "consumer_role_name": None}])
def test_without_the_option_no_key_is_read(options: dict[str, Any]) -> None:
    found = run(options)
    assert revoked(found) == []
    assert "list_grants" not in [name for name, _request in found.clients.calls]


@pytest.mark.parametrize("resource", [NEW_ID, "snap-2020"])
def test_a_grant_stays_while_an_image_under_its_key_is_shared_with_its_account(resource: str) -> None:
    assert revoked(run(**shared(resource))) == []
    assert revoked(run(**shared())) == ["g-golden-images:1"]


@pytest.mark.parametrize(
    ("restorable", "key", "stays"),
    [
        pytest.param(("snap-9", "snap-2020"), KEY, True, id="shared"),
        pytest.param(("snap-2020",), KEY, False, id="not shared"),
        pytest.param(("snap-9",), "other", False, id="under another key"),
    ],
)
def test_a_grant_stays_while_a_snapshot_without_an_image_is_shared_with_its_account(
    restorable: tuple[str, ...], key: str, stays: bool
) -> None:
    """(botocore operation DescribeSnapshots: account IDs of restorable users.)"""
    found = run(**shared("snap-9"), **snapshots("snap-9", restorable=restorable, key=key))
    assert (revoked(found) == []) is stays
    assert ("snap-9" in asked(found, "describe_snapshot_attribute")) is stays
    request = {
        "OwnerIds": ["self"],
        "RestorableByUserIds": [CONSUMER],
        "Filters": [{"Name": "encrypted", "Values": ["true"]}],
        "MaxResults": 1000,
    }
    assert (("describe_snapshots", request) in found.clients.calls) is (key == KEY)


def test_what_was_read_of_an_image_before_is_not_read_again_for_its_key() -> None:
    second = "ami-0ccccccccccccccc0"
    protected = described(second, 2018, DeregistrationProtection="enabled-without-cooldown")
    images = {"describe_images": {"Images": [OLD_IMAGE, protected, NEW_IMAGE]}}
    found = run(**images, **snapshots("snap-2018"), **shared("snap-2018"))
    assert (found.of(second)["decision"], revoked(found)) == ("wait", [])
    assert sorted(asked(found, "describe_image_attribute")) == sorted([OLD_ID, second, NEW_ID])
    assert sorted(asked(found, "describe_snapshot_attribute")) == ["snap-2018", "snap-2019", "snap-2020"]


SECOND = "ami-0ccccccccccccccc0"
THREE = {"describe_images": {"Images": [OLD_IMAGE, described(SECOND, 2018), NEW_IMAGE]}}
USING_OLD = {
    "describe_instances": {
        "Reservations": [
            {"Instances": [{"InstanceId": "i-1", "ImageId": OLD_ID, "State": {"Name": "running"}}]}
        ]
    }
}


def final_plan(found: Run, **answers: Any) -> tuple[Action, ...]:
    """What is planned from what is read again, where AWS has other answers now."""
    found.clients.calls.clear()
    found.clients.answers.update(answers)
    again = flow._read_again(found.clients, found.wanted, found.seen, found.plan)
    return tuple(flow.FLOW.plan(found.wanted, again).actions)


def test_the_permissions_of_images_to_retire_are_left_to_the_last_look() -> None:
    found = run({"revoke_grants": False, "consumer_role_name": None}, **THREE, **snapshots("snap-2018"))
    actions = final_plan(found)
    assert sorted(str(one.resource) for one in actions if one.operation == "DeregisterImage") == sorted(
        [OLD_ID, SECOND]
    )
    assert asked(found, "describe_image_attribute") == asked(found, "describe_snapshot_attribute") == []
    (request,) = (request for name, request in found.clients.calls if name == "describe_image_references")
    assert sorted(request["ImageIds"]) == sorted([OLD_ID, SECOND])


@pytest.mark.parametrize("resource", [OLD_ID, "snap-2019"])
def test_a_grant_stays_if_an_image_that_is_in_use_now_was_shared_with_its_account_meanwhile(
    resource: str,
) -> None:
    """What the plan knows of its permissions does not count any more."""
    unshared = run(**THREE, **snapshots("snap-2018"))
    assert revoked(unshared) == ["g-golden-images:1"]
    actions = final_plan(unshared, **USING_OLD)
    assert [one.resource for one in actions if one.operation == "DeregisterImage"] == [SECOND]
    assert [one.resource for one in actions if one.operation == "RevokeGrant"] == ["g-golden-images:1"]
    assert OLD_ID in asked(unshared, "describe_image_attribute")
    actions = final_plan(run(**THREE, **snapshots("snap-2018")), **USING_OLD, **shared(resource))
    assert [one.resource for one in actions if one.operation == "DeregisterImage"] == [SECOND]
    assert [one.resource for one in actions if one.operation == "RevokeGrant"] == []


def test_of_a_key_without_own_grants_nothing_else_is_read() -> None:
    found = run(list_grants={"Grants": [grant("theirs")]})
    assert (found.decision, asked(found, "describe_image_attribute")) == ("deregister", [OLD_ID])


def test_a_key_that_cannot_be_read_lets_the_image_wait() -> None:
    found = run(list_grants="AccessDeniedException")
    assert (found.decision, found.unreadable, found.deleted) == ("wait", ["ListGrants"], [])
    assert f"{KEY}: AccessDeniedException: No." in "".join(found.of()["reasons"])
    (failure,) = found.plan.failures
    assert failure.remedy == "Allow ListGrants in the IAM policy of the credentials used."


@pytest.mark.parametrize("is_gone", [True, False])
def test_an_image_that_was_deregistered_since_it_was_listed_needs_no_key(is_gone: bool) -> None:
    def attribute(request: Request) -> Any:
        return {"LaunchPermissions": []} if request["ImageId"] == OLD_ID else "InvalidAMIID.Unavailable"

    def listed(request: Request) -> Request:
        if "Filters" in request:
            return {"Images": [] if is_gone else [NEW_IMAGE]}
        return {"Images": [OLD_IMAGE, NEW_IMAGE]}

    found = run(describe_image_attribute=attribute, describe_images=listed)
    assert found.decision == ("deregister" if is_gone else "wait")
    assert (revoked(found), bool(found.unreadable)) == (["g-golden-images:1"] * is_gone, not is_gone)


VOLUME = {"VolumeId": "vol-1", "KmsKeyId": KEY, "Encrypted": True}


@pytest.mark.parametrize(
    ("options", "theirs", "kept"),
    [
        pytest.param({}, {}, None, id="nothing"),
        pytest.param({}, {"describe_volumes": {"Volumes": [VOLUME]}}, ["vol-1"], id="a volume"),
        pytest.param(
            {}, {"describe_volumes": {"Volumes": [{**VOLUME, "KmsKeyId": "other"}]}}, None, id="another key"
        ),
        pytest.param({"consumer_role_name": None}, {}, [], id="no role"),
    ],
)
def test_an_account_with_a_volume_under_the_key_keeps_its_grant(
    options: dict[str, Any], theirs: dict[str, Any], kept: list[str] | None
) -> None:
    found = run(options, theirs)
    assert revoked(found) == ["g-golden-images:1"] * (kept is None)
    (key,) = found.result["kms_keys"]
    assert [one["resource_ids"] for one in key["kept_access"]] == ([] if kept is None else [kept])

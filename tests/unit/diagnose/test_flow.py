# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_share_diagnose``, and its calls in each account."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError

from tests.unit.aws.test_read import ARN, metadata
from tests.unit.clock import Clock
from tests.unit.diagnose.accounts import (
    EU,
    KEY_DRY_RUNS,
    NOT_FOUND,
    OTHER_ID,
    PUBLIC,
    SHARED,
    US,
    called,
    consumer,
    diagnosed,
    encrypted,
    failures,
    grant,
    owner,
    run,
    shown,
    under,
)
from tests.unit.diagnose.examples import codes
from tests.unit.examples import CONSUMER, ORG, OWNER, SOURCE_ID, STRANGER
from tests.unit.keys.examples import key_arn

BOTH = {EU: SOURCE_ID, US: OTHER_ID}
REFUSED = dict.fromkeys(("describe_key", *KEY_DRY_RUNS), "AccessDeniedException")
ROLE = f"arn:aws:iam::{CONSUMER}:role/golden"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, attempts)


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        pytest.param({"account_ids": []}, "account_ids", id="no account"),
        pytest.param({"account_ids": [12345678901]}, "account_ids", id="a number"),
        pytest.param({"images": {EU: None}}, "images", id="a copy that is only planned"),
        pytest.param({"images": {}}, "images", id="no image"),
        pytest.param({"subnet_ids": {EU: "vpc-1"}}, "subnet_ids", id="not a subnet"),
        pytest.param({"launch_tags": {"aws:x": "1"}}, "launch_tags", id="a tag of AWS"),
        pytest.param({"launch_tags": {"a": []}}, "launch_tags", id="not a tag"),
    ],
)
def test_invalid_options_are_refused(changes: dict[str, Any], option: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _ = run(owner(), **changes).wanted
    assert option in {failure.action for failure in caught.value.failures}


def test_each_image_and_each_account_is_read_once() -> None:
    aws = owner()
    others = [consumer(aws), consumer(aws, STRANGER)]
    found = run(aws, images=BOTH, account_ids=[CONSUMER, STRANGER, CONSUMER])
    assert len(found.results) == 4
    assert Counter(method for method, _request in aws.calls) == {
        "get_caller_identity": 1,
        **dict.fromkeys(
            ("describe_images", "describe_image_attribute", "describe_snapshot_attribute"), len(BOTH)
        ),
    }
    for other in others:
        assert Counter(method for method, _request in other.calls) == {
            "describe_images": 2,
            "run_instances": 2,
        }


def test_the_result() -> None:
    aws = owner()
    consumer(aws)
    (found,) = run(aws).results
    assert found == {
        "account_id": CONSUMER,
        "can_launch": "yes",
        "findings": [],
        "image_id": SOURCE_ID,
        "key_use": None,
        "level": "authorized",
        "owner_id": OWNER,
        "parameter_read": None,
        "principal": ROLE,
        "region": EU,
    }


def test_an_image_that_an_account_does_not_see_is_a_finding_in_each_region() -> None:
    aws = owner()
    consumer(aws, describe_images=NOT_FOUND)
    found = run(aws, images=BOTH).result["findings"]
    assert [(one["code"], one["region"], one["image_id"]) for one in found] == [
        ("not_visible", EU, SOURCE_ID),
        ("not_visible", US, OTHER_ID),
    ]


def test_without_a_role_only_the_owner_account_is_read() -> None:
    aws = owner()
    other = consumer(aws)
    found = diagnosed(aws, consumer_role_name=None)
    assert (found["level"], found["principal"], other.calls) == (None, None, [])


@pytest.mark.parametrize(("aws", "opened"), [(owner(), []), (encrypted(), [(EU, US)])])
def test_kms_is_called_only_for_encrypted_images(aws: Any, opened: list[Any]) -> None:
    other = consumer(aws)
    assert run(aws, images=BOTH).plan.failures == ()
    assert [regions for service, regions in aws.opened if service == "kms" and regions] == opened
    assert bool(called(aws, "describe_key")) is bool(called(other, "decrypt")) is bool(opened)


FOREIGN = key_arn("theirs", account_id=STRANGER)
MANAGED = metadata(KeyManager="AWS")
UNREAD_KEY = {"describe_key": "AccessDeniedException"}


@pytest.mark.parametrize(
    ("answers", "account_id", "tried"),
    [
        pytest.param({}, CONSUMER, [ARN], id="the owner's key"),
        pytest.param(UNREAD_KEY, CONSUMER, [ARN], id="a key that was not read"),
        pytest.param({"list_grants": "AccessDeniedException"}, CONSUMER, [ARN], id="a key read in part"),
        pytest.param(
            {"describe_snapshots": under(FOREIGN), "describe_key": metadata(Arn=FOREIGN)},
            STRANGER,
            [FOREIGN],
            id="its own key, not its image",
        ),
        pytest.param(
            {"describe_snapshots": under(AssociatedKmsKeys=[{"KmsKeyId": "arn:2"}])},
            CONSUMER,
            [ARN],
            id="a key beside another one",
        ),
        pytest.param({"describe_snapshots": {"Snapshots": []}}, CONSUMER, [], id="a key that is not known"),
        pytest.param({"describe_key": metadata(KeyState="Disabled")}, CONSUMER, [], id="a disabled key"),
        pytest.param({"describe_key": MANAGED}, CONSUMER, [], id="aws/ebs"),
    ],
)
def test_the_keys_that_an_account_tries(answers: dict[str, Any], account_id: str, tried: list[str]) -> None:
    aws = encrypted(**answers)
    other = consumer(aws, account_id)
    diagnosed(aws, account_ids=[account_id])
    assert [request["KeyId"] for request in called(other, "decrypt")] == tried


def test_the_owner_tries_its_own_key() -> None:
    aws = encrypted(
        run_instances="DryRunOperation", **dict.fromkeys(KEY_DRY_RUNS, "DryRunOperationException")
    )
    found = diagnosed(aws, account_ids=[OWNER])
    assert (found["findings"], found["key_use"]) == ([], "proven")
    (tried,) = called(aws, "create_grant")
    assert tried["GranteePrincipal"] == f"arn:aws:iam::{OWNER}:root"


def test_iam_is_asked_in_one_region_about_what_kms_refuses() -> None:
    session = f"arn:aws:sts::{OWNER}:assumed-role/deploy/ci"
    aws = encrypted(
        get_caller_identity={"UserId": "u", "Account": OWNER, "Arn": session},
        run_instances="DryRunOperation",
        **{**dict.fromkeys(KEY_DRY_RUNS, "DryRunOperationException"), "decrypt": "AccessDeniedException"},
    )
    other = consumer(aws, decrypt="AccessDeniedException", create_grant="AccessDeniedException")
    found = run(aws, images=BOTH, account_ids=[OWNER, CONSUMER]).results
    # The role of a session has no path in the session's ARN.
    principals = {OWNER: f"arn:aws:iam::{OWNER}:role/deploy", CONSUMER: ROLE}
    assert {one["account_id"]: one["principal"] for one in found} == principals
    assert ("iam", (EU,)) in aws.opened
    for account, asked, actions in ((aws, OWNER, {"kms:Decrypt"}), (other, CONSUMER, None)):
        requests = called(account, "simulate_principal_policy")
        assert {request["PolicySourceArn"] for request in requests} == {principals[asked]}
        named = {action for request in requests for action in request["ActionNames"]}
        assert named == (actions or {"kms:CreateGrant", "kms:Decrypt"})


def test_iam_is_not_asked_if_kms_refuses_nothing() -> None:
    aws = encrypted()
    other = consumer(aws)
    assert diagnosed(aws)["key_use"] == "proven"
    assert "iam" not in {service for service, _regions in aws.opened}
    assert called(other, "simulate_principal_policy") == []


@pytest.mark.parametrize(("refused", "tried", "key_use"), [(2, 3, "proven"), (99, 16, "uncertain")])
def test_dry_runs_are_repeated_in_an_account_with_a_new_grant(
    clock: Clock, refused: int, tried: int, key_use: str
) -> None:
    aws, started = encrypted(list_grants=grant(CreationDate=datetime.now(UTC))), clock.now
    later = {
        method: ["AccessDeniedException"] * refused + ["DryRunOperationException"] for method in KEY_DRY_RUNS
    }
    described = ["AccessDeniedException"] * refused + [metadata()]
    other = consumer(aws, describe_key=described, **later)
    # A grant to another account is not awaited.
    stranger = consumer(aws, STRANGER, **REFUSED)
    found = {one["account_id"]: one for one in run(aws, account_ids=[CONSUMER, STRANGER]).results}
    assert found[STRANGER]["key_use"] == "refused"
    assert found[CONSUMER]["key_use"] == key_use
    assert [len(called(one, "decrypt")) for one in (other, stranger)] == [tried, 1]
    assert clock.now - started == 2 * (tried - 1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, {"InstanceType": "t4g.nano"}, id="the default type"),
        pytest.param({"instance_type": "m7g.large"}, {"InstanceType": "m7g.large"}, id="a named one"),
        pytest.param(
            {
                "subnet_ids": {EU: {CONSUMER: "subnet-0123456789abcdef0"}},
                "security_group_ids": {EU: ["sg-0123456789abcdef0"]},
            },
            {
                "InstanceType": "t4g.nano",
                "SubnetId": "subnet-0123456789abcdef0",
                "SecurityGroupIds": ["sg-0123456789abcdef0"],
            },
            id="its network",
        ),
        pytest.param(
            {"launch_tags": {"CostCenter": "42"}},
            {
                "InstanceType": "t4g.nano",
                "TagSpecifications": [
                    {"ResourceType": kind, "Tags": [{"Key": "CostCenter", "Value": "42"}]}
                    for kind in ("instance", "network-interface", "volume")
                ],
            },
            id="its tags",
        ),
    ],
)
def test_the_launch_request(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    aws = owner()
    other = consumer(aws)
    diagnosed(aws, **changes)
    (request,) = called(other, "run_instances")
    # IMDSv2 as in a launch probe: a policy may deny other launches.
    assert request == {
        "ImageId": SOURCE_ID,
        "MetadataOptions": {"HttpTokens": "required"},
        "MinCount": 1,
        "MaxCount": 1,
        "DryRun": True,
        **expected,
    }


def test_a_role_that_cannot_be_assumed_is_tried_once_and_reported_for_each_region() -> None:
    aws = owner()
    found = run(aws, images=BOTH)
    assert failures(found) == [("AssumeRole", EU, "AccessDenied"), ("AssumeRole", US, "AccessDenied")]
    assert aws.not_assumed == [CONSUMER]


@pytest.mark.parametrize(
    "images",
    [
        pytest.param({EU: None, US: None}, id="only planned copies"),
        pytest.param({US: OTHER_ID, EU: None}, id="an image that is read"),
    ],
)
def test_a_role_that_cannot_be_assumed_is_reported_for_planned_copies(images: dict[str, str | None]) -> None:
    aws = owner()
    found = run(aws, check_mode=True, images=images)
    assert [action for action, _region, _code in failures(found)] == ["AssumeRole"]
    assert [one["code"] for one in found.result["findings"]].count("consumer_unreadable") == 1
    assert aws.not_assumed == [CONSUMER]


def test_only_the_role_is_tried_for_a_planned_copy() -> None:
    aws = owner()
    other = consumer(aws, get_caller_identity={"UserId": "u", "Account": CONSUMER, "Arn": ROLE})
    found = run(aws, check_mode=True, images={EU: None})
    assert failures(found) == []
    assert [one["code"] for one in found.result["findings"]] == ["image_planned"]
    assert [method for method, _request in other.calls] == ["get_caller_identity"]
    assert ("sts", (EU,)) in aws.opened


def test_an_unreachable_region_does_not_affect_others() -> None:
    aws = owner()
    other = consumer(aws, describe_images="AuthFailure")
    found = run(aws, images=BOTH)
    assert [one[1:] for one in failures(found)] == [(EU, "AuthFailure"), (US, "AuthFailure")]
    assert len(called(other, "describe_images")) == 2


def test_images_in_several_accounts() -> None:
    aws = owner()
    consumer(aws)
    consumer(aws, STRANGER, describe_images=shown(OwnerId=STRANGER), describe_image_attribute=SHARED)
    placed = [
        {"account_id": account_id, "region": EU, "image_id": SOURCE_ID} for account_id in (OWNER, STRANGER)
    ]
    found = run(aws, images=placed).results
    assert [(one["owner_id"], one["account_id"]) for one in found] == [
        (OWNER, CONSUMER),
        (STRANGER, CONSUMER),
    ]
    assert "not_owner" not in {one["code"] for row in found for one in row["findings"]}


def test_the_owners_account_that_cannot_be_read_is_a_failure() -> None:
    aws = owner(describe_images="UnauthorizedOperation")
    consumer(aws, describe_images=NOT_FOUND)
    found = run(aws)
    assert failures(found) == [("DescribeImages", EU, "UnauthorizedOperation")]
    assert codes(found.results[0])[0] == ("owner_unreadable", "unknown")


@pytest.mark.parametrize("launch", [{"UserId": CONSUMER}, {"OrganizationArn": ORG}])
def test_an_image_that_was_just_shared_is_waited_for(clock: Clock, launch: dict[str, str]) -> None:
    """That its owner reads the permission says nothing of the account's view."""
    aws, started = owner(describe_image_attribute={"LaunchPermissions": [launch]}), clock.now
    consumer(aws, describe_images=[NOT_FOUND, NOT_FOUND, shown()])
    assert (diagnosed(aws)["level"], clock.now) == ("authorized", started + 4)


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({"describe_image_attribute": {"LaunchPermissions": []}}, id="not shared"),
        pytest.param({"describe_image_attribute": "UnauthorizedOperation"}, id="not readable"),
        pytest.param({"describe_images": NOT_FOUND}, id="missing"),
    ],
)
def test_an_image_is_not_waited_for_unless_it_is_known_to_be_shared(
    clock: Clock, answers: dict[str, Any]
) -> None:
    aws, started = owner(**answers), clock.now
    consumer(aws, describe_images=NOT_FOUND)
    assert (diagnosed(aws)["level"], clock.now) == (None, started)


def test_an_image_that_cannot_be_read_again_stays_invisible(clock: Clock) -> None:
    aws, started = owner(), clock.now
    consumer(aws, describe_images=[NOT_FOUND, "RequestLimitExceeded"])
    assert (codes(diagnosed(aws)), clock.now) == ([("not_visible", "blocking")], started + 30)


def test_an_image_for_all_is_public() -> None:
    aws = owner(
        describe_image_attribute={"LaunchPermissions": PUBLIC},
        get_image_block_public_access_state={"ImageBlockPublicAccessState": "unblocked"},
    )
    consumer(aws)
    assert codes(diagnosed(aws)) == [("public", "harmless")]

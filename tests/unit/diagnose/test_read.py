# SPDX-License-Identifier: GPL-3.0-or-later

"""What a diagnosis reads of a shared image in both accounts, with as few requests as possible."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.unit.aws.test_read import ARN, metadata
from tests.unit.clock import Clock
from tests.unit.diagnose.accounts import (
    ACCEPTED,
    EU,
    KEY_DRY_RUNS,
    NOT_FOUND,
    PUBLIC,
    US,
    Accounts,
    Answers,
    called,
    consumer,
    diagnosed,
    encrypted,
    failures,
    owner,
    run,
    shown,
    under,
)
from tests.unit.diagnose.examples import codes
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER

B, U, N = "blocking", "unknown", "harmless"
BY_ID = {"ImageIds": [SOURCE_ID], "IncludeDisabled": True, "IncludeDeprecated": True}
TIMEOUT = ReadTimeoutError(endpoint_url="https://ec2.example.com")
EXPIRED = ClientError({"Error": {"Code": "ExpiredToken", "Message": "No."}}, "AssumeRole")
BOTH_PUBLIC = {
    "describe_image_attribute": {"LaunchPermissions": PUBLIC},
    "describe_snapshot_attribute": {"CreateVolumePermissions": PUBLIC},
}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, attempts)


def found_of(aws: Accounts, **options: Any) -> list[tuple[str, str]]:
    """Code and blocks_launch of the findings about the only image, in the owner's account alone."""
    return codes(diagnosed(aws, consumer_role_name=None, **options))


def test_the_requests_of_the_owner() -> None:
    aws = owner()
    assert found_of(aws) == []
    assert aws.calls[1:] == [
        ("describe_images", BY_ID),
        ("describe_image_attribute", {"ImageId": SOURCE_ID, "Attribute": "launchPermission"}),
        ("describe_snapshot_attribute", {"SnapshotId": "snap-1", "Attribute": "createVolumePermission"}),
    ]


@pytest.mark.parametrize(
    ("states", "expected", "says"),
    [
        pytest.param(
            {
                "get_image_block_public_access_state": {
                    "ImageBlockPublicAccessState": "block-new-sharing",
                    "ManagedBy": "declarative-policy",
                },
                "get_snapshot_block_public_access_state": {"State": "unblocked"},
            },
            [("public", N), ("block_public_access", N)],
            "is on (block-new-sharing, set by a declarative policy)",
            id="read",
        ),
        pytest.param(
            {
                "get_image_block_public_access_state": "UnauthorizedOperation",
                "get_snapshot_block_public_access_state": "InvalidAction",
            },
            [("public", N), ("missing_volume_permission", N), ("block_public_access", N)],
            "could not be read",
            id="not readable",
        ),
    ],
)
def test_block_public_access_is_read_for_what_is_public_and_hides_nothing_else(
    states: dict[str, Any], expected: list[tuple[str, str]], says: str
) -> None:
    found = diagnosed(owner(**BOTH_PUBLIC, **states), consumer_role_name=None)
    assert sorted(codes(found)) == sorted(expected)
    assert [says in one["message"] for one in found["findings"] if one["code"] == "block_public_access"] == [
        True
    ]


def test_only_what_is_public_needs_the_state_of_block_public_access() -> None:
    for attribute, method in (
        ("describe_image_attribute", "get_image_block_public_access_state"),
        ("describe_snapshot_attribute", "get_snapshot_block_public_access_state"),
    ):
        aws = owner(**{attribute: BOTH_PUBLIC[attribute]})
        diagnosed(aws, consumer_role_name=None)
        assert [name for name, _request in aws.calls if "block" in name] == [method]


def test_another_accounts_image_needs_no_further_calls() -> None:
    aws = encrypted(describe_images=shown(OwnerId=STRANGER, encrypted=True))
    assert found_of(aws) == [("not_owner", U)]
    assert [method for method, _request in aws.calls] == ["get_caller_identity", "describe_images"]


@pytest.mark.parametrize("west", [NOT_FOUND, "AuthFailure"])
def test_the_region_of_a_misplaced_image(west: str) -> None:
    """(A region that cannot be read hides no other.)"""
    aws = owner(describe_images=NOT_FOUND)
    aws.regions = {"us-west-2": Answers(describe_images=west), US: owner()}
    found = run(aws, images=dict.fromkeys((EU, "us-west-2", US), SOURCE_ID), consumer_role_name=None).results
    (misplaced,) = next(one["findings"] for one in found if one["region"] == EU)
    assert (misplaced["code"], f"is in {US}, not in {EU}." in misplaced["message"]) == ("wrong_region", True)


def test_what_the_owner_reads_about_keys() -> None:
    aws = encrypted()
    assert found_of(aws) == []
    (snapshots,) = called(aws, "describe_snapshots")
    assert (snapshots["OwnerIds"], snapshots["Filters"]) == (
        ["self"],
        [{"Name": "snapshot-id", "Values": ["snap-1"]}],
    )
    assert called(aws, "describe_key") == [{"KeyId": ARN}]
    assert called(aws, "list_grants") == [{"KeyId": ARN, "Limit": 100}]
    assert [request["PolicyName"] for request in called(aws, "get_key_policy")] == ["default", "AWS_RAM"]


def test_a_key_whose_grants_and_policy_give_no_access() -> None:
    assert found_of(encrypted(list_grants={"Grants": []})) == [("missing_key_access", B)]


def test_a_key_does_not_decide_alone_if_another_is_associated() -> None:
    """botocore operation AssociateKmsKeyId."""
    aws = encrypted(describe_snapshots=under(AssociatedKmsKeys=[{"KmsKeyId": "arn:other"}]))
    found = run(aws, consumer_role_name=None)
    (finding,) = found.results[0]["findings"]
    assert "arn:other, associated with snap-1, can give access to it" in finding["message"]
    assert (found.plan.failures, called(aws, "describe_key")) == ((), [])


@pytest.mark.parametrize("of", ["AWS", STRANGER])
def test_another_accounts_keys_need_no_further_calls(of: str) -> None:
    arn = ARN.replace(OWNER, STRANGER) if of == STRANGER else ARN
    manager = "AWS" if of == "AWS" else "CUSTOMER"
    aws = encrypted(
        describe_snapshots=under(arn), describe_key=metadata(Arn=arn, KeyManager=manager), list_grants="No"
    )
    found = run(aws, consumer_role_name=None)
    assert codes(found.results[0]) == [("default_key", B) if of == "AWS" else ("key_unreadable", U)]
    assert (found.plan.failures, called(aws, "list_grants"), called(aws, "get_key_policy")) == ((), [], [])


@pytest.mark.parametrize(
    ("answers", "action", "error_code"),
    [
        ({"describe_key": "AccessDeniedException"}, "DescribeKey", "AccessDeniedException"),
        ({"list_grants": "AccessDeniedException"}, "ListGrants", "AccessDeniedException"),
        ({"get_key_policy": "AccessDeniedException"}, "GetKeyPolicy", "AccessDeniedException"),
        ({"get_key_policy": {"Policy": "{}"}}, "GetKeyPolicy", "incomplete_response"),
        ({"describe_snapshots": {"Snapshots": []}}, "DescribeSnapshots", "snapshot_not_found"),
    ],
)
def test_a_key_that_may_not_be_read_is_a_problem_of_that_key(
    answers: dict[str, Any], action: str, error_code: str
) -> None:
    found = run(encrypted(**answers), consumer_role_name=None)
    assert failures(found) == [(action, EU, error_code)]
    assert codes(found.results[0]) == [("key_unreadable", U)]


def test_the_state_of_a_key_whose_grants_may_not_be_read_is_known() -> None:
    aws = encrypted(describe_key=metadata(KeyState="Disabled"), list_grants="AccessDeniedException")
    assert ("key_not_enabled", B) in found_of(aws)


def test_the_requests_of_the_account() -> None:
    aws = owner()
    other = consumer(aws, describe_images=shown(ImageAllowed=True))
    found = diagnosed(aws, instance_type="t4g.nano")
    assert (found["level"], found["findings"]) == ("authorized", [])
    assert [method for method, _request in other.calls] == ["describe_images", "run_instances"]
    assert called(other, "describe_images") == [BY_ID]


def test_an_image_that_the_allowed_images_will_hide() -> None:
    aws = owner()
    consumer(aws, describe_images=shown(ImageAllowed=False))
    assert codes(diagnosed(aws)) == [("allowed_images_audit_mode", N)]


def invisible(settings: Any) -> dict[str, Any]:
    """The finding of an account that does not see the image, with these Allowed AMIs."""
    aws = owner()
    other = consumer(aws, describe_images=NOT_FOUND, get_allowed_images_settings=settings)
    found = diagnosed(aws)
    assert (found["level"], found["key_use"], called(other, "run_instances")) == (None, None, [])
    return {one["code"]: one for one in found["findings"]}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param("InvalidAction", {"not_visible": B}, id="a region without these settings"),
        pytest.param({}, {"not_visible": B}, id="not set"),
        pytest.param(
            {"State": "enabled", "ImageCriteria": [{"ImageProviders": [STRANGER]}]},
            {"hidden_by_allowed_images": B},
            id="hidden",
        ),
        pytest.param(
            {"State": "enabled"}, {"hidden_by_allowed_images": U, "not_visible": B}, id="no criteria"
        ),
        pytest.param(
            {"State": "audit-mode", "ImageCriteria": [{"ImageProviders": [STRANGER]}]},
            {"not_visible": B},
            id="audit mode",
        ),
    ],
)
def test_an_invisible_image_may_be_hidden(settings: Any, expected: dict[str, str]) -> None:
    found = invisible(settings)
    assert {code: one["blocks_launch"] for code, one in found.items()} == expected
    assert not any("GetAllowedImagesSettings" in one["remedy"] for one in found.values())


def test_a_policy_that_hides_an_image_is_said() -> None:
    criteria = [{"ImageProviders": [STRANGER]}]
    by_policy, by_account = (
        invisible({"State": "enabled", "ImageCriteria": criteria, "ManagedBy": manager})
        for manager in ("declarative-policy", "account")
    )
    remedies = [one["hidden_by_allowed_images"]["remedy"] for one in (by_policy, by_account)]
    assert ["declarative policy" in remedy for remedy in remedies] == [True, False]


@pytest.mark.parametrize("member", ["ImageWatermarks", "ScanResultCondition", "ScanResults"])
def test_criteria_that_the_installed_botocore_cannot_read_in_full(
    monkeypatch: pytest.MonkeyPatch, member: str
) -> None:
    """botocore 1.41.0 knows neither these criteria nor these members of images."""
    aws = owner()
    consumer(
        aws,
        describe_images=NOT_FOUND,
        get_allowed_images_settings={"State": "enabled", "ImageCriteria": [{}]},
    )
    assert codes(diagnosed(aws)) == [("not_visible", B)]
    model = type(aws.ec2(EU).meta.service_model)
    whole = model.shape_for

    def older(self: Any, shape: str, *traits: Any) -> Any:
        found = whole(self, shape, *traits)
        if shape not in ("Image", "ImageCriterion"):
            return found
        return SimpleNamespace(members={name: one for name, one in found.members.items() if name != member})

    monkeypatch.setattr(model, "shape_for", older)
    assert codes(diagnosed(aws)) == [("hidden_by_allowed_images", U), ("not_visible", B)]


@pytest.mark.parametrize("error", ["UnauthorizedOperation", "InternalError", TIMEOUT])
def test_settings_that_may_not_be_read_hide_nothing_else(error: Any) -> None:
    found = invisible(error)
    assert list(found) == ["not_visible"]
    assert found["not_visible"]["remedy"].startswith("Wait and diagnose again:")
    assert "llowed AMIs" in found["not_visible"]["remedy"]


def test_an_image_that_is_seen_stays_so_if_its_dry_run_times_out() -> None:
    aws = owner()
    consumer(aws, run_instances=TIMEOUT)
    found = diagnosed(aws)
    (finding,) = found["findings"]
    assert (found["level"], finding["code"], finding["error_code"]) == (
        "visible",
        "dry_run_inconclusive",
        "ReadTimeoutError",
    )


def test_a_dry_run_that_is_throttled_has_the_remedy_for_that() -> None:
    aws = owner()
    consumer(aws, run_instances="RequestLimitExceeded")
    (finding,) = diagnosed(aws)["findings"]
    assert (finding["error_code"], finding["remedy"]) == (
        "RequestLimitExceeded",
        "Rerun later.",
    )


@pytest.mark.parametrize("method", ["get_allowed_images_settings", "run_instances", "describe_subnets"])
def test_a_role_that_cannot_be_assumed_is_no_result(method: str) -> None:
    aws = owner()
    answers = {
        "get_allowed_images_settings": {"describe_images": NOT_FOUND},
        "run_instances": {},
        "describe_subnets": {"run_instances": "VPCIdNotSpecified"},
    }
    consumer(aws, **{**answers[method], method: EXPIRED})
    found = run(aws)
    assert (failures(found), codes(found.results[0])) == (
        [("AssumeRole", EU, "ExpiredToken")],
        [("consumer_unreadable", U)],
    )


def subnet(name: str, zone: str, **members: Any) -> dict[str, Any]:
    given = {"VpcId": "vpc-1", "OwnerId": CONSUMER, "AvailabilityZone": f"eu-west-1{zone}", **members}
    return {"SubnetId": f"subnet-{name}", **given}


def in_subnets(
    *subnets: dict[str, Any], answers: Mapping[str, Any], code: str = "VPCIdNotSpecified", **more: Any
) -> tuple[dict[str, Any], Answers]:
    """The diagnosis of an account with these subnets, where dry runs have these answers.

    Without a subnet, the answer is this ``code``.
    """
    later = {name: iter(answer) for name, answer in answers.items() if isinstance(answer, list)}

    def launch(request: Mapping[str, Any]) -> Any:
        name = request.get("SubnetId", "").removeprefix("subnet-")
        return next(later[name]) if name in later else answers.get(name, code)

    aws = owner()
    other = consumer(aws, **{"describe_subnets": {"Subnets": list(subnets)}, "run_instances": launch, **more})
    return diagnosed(aws), other


def tried_in(account: Answers) -> list[str]:
    """The subnets of the dry runs; the first one has none."""
    return [one.get("SubnetId", "").removeprefix("subnet-") for one in called(account, "run_instances")]


@pytest.mark.parametrize("code", ["VPCIdNotSpecified", "MissingInput"])
def test_a_dry_run_without_a_default_subnet_is_repeated_in_one(code: str) -> None:
    found, other = in_subnets(
        subnet("2", "b"),
        subnet("1", "a", OwnerId=OWNER, AvailableIpAddressCount=3),
        subnet("3", "b", Ipv6Native=True, OutpostArn="arn:outpost", AvailableIpAddressCount=0),
        answers={"2": ACCEPTED},
        code=code,
    )
    assert (found["level"], found["findings"], tried_in(other)) == ("authorized", [], ["", "2"])
    (request,) = called(other, "describe_subnets")
    assert request["Filters"] == [{"Name": "state", "Values": ["available"]}]


def test_a_dry_run_in_a_subnet_waits_for_an_image_that_was_just_shared() -> None:
    found, other = in_subnets(subnet("1", "a"), answers={"1": [NOT_FOUND, ACCEPTED]})
    assert (found["level"], tried_in(other)) == ("authorized", ["", "1", "1"])


def test_all_that_is_known_of_a_subnet_decides_the_order() -> None:
    found, other = in_subnets(
        subnet("1", "a", OutpostArn="arn:outpost"),
        subnet("2", "a", VpcId="vpc-2", Ipv6Native=True),
        subnet("3", "a", VpcId="vpc-3", AvailableIpAddressCount=0),
        subnet("4", "b", VpcId="vpc-4", OwnerId=OWNER),
        subnet("5", "b", VpcId="vpc-5"),
        {"SubnetId": "subnet-6"},
        answers=dict.fromkeys("123456", "Unsupported"),
    )
    (finding,) = found["findings"]
    assert (finding["error_code"], tried_in(other)) == ("Unsupported", ["", *"532146"])
    assert ", ".join(f"subnet-{name}" for name in "532146") in finding["message"]


def test_another_zone_may_offer_the_instance_type() -> None:
    answers = {"1": "Unsupported", "2": "UnauthorizedOperation", "3": ACCEPTED}
    subnets = (subnet(*pair) for pair in zip("1234", "abcd", strict=True))
    found, other = in_subnets(*subnets, answers=answers)
    assert (found["level"], found["findings"], tried_in(other)) == ("authorized", [], ["", *"123"])


def test_an_account_without_any_subnet() -> None:
    found, other = in_subnets(answers={})
    assert (codes(found), tried_in(other)) == ([("missing_subnet", B)], [""])


def test_all_pages_of_subnets_are_read() -> None:
    pages = [{"Subnets": [subnet("2", "b")], "NextToken": "more"}, {"Subnets": [subnet("1", "a")]}]
    found, other = in_subnets(answers={"1": ACCEPTED}, describe_subnets=pages)
    assert (found["level"], tried_in(other)) == ("authorized", ["", "1"])
    assert [one.get("NextToken") for one in called(other, "describe_subnets")] == [None, "more"]


@pytest.mark.parametrize(
    ("answer", "error_code"),
    [
        ("UnauthorizedOperation", "UnauthorizedOperation"),
        ({}, "incomplete_response"),
        ({"Subnets": [{"VpcId": "vpc-1"}]}, "incomplete_response"),
    ],
)
def test_subnets_that_may_not_be_read_are_a_problem(answer: Any, error_code: str) -> None:
    found, other = in_subnets(answers={}, describe_subnets=answer)
    (finding,) = found["findings"]
    assert (finding["code"], finding["error_code"]) == ("dry_run_inconclusive", error_code)
    assert "its subnets cannot be read" in finding["message"]
    assert tried_in(other) == [""]


def test_a_throttled_dry_run_in_a_subnet_is_a_problem() -> None:
    answers = {"1": "Unsupported", "2": "RequestLimitExceeded"}
    found, other = in_subnets(subnet("1", "a"), subnet("2", "b"), subnet("3", "c"), answers=answers)
    (finding,) = found["findings"]
    assert (finding["code"], finding["error_code"]) == ("dry_run_inconclusive", "RequestLimitExceeded")
    assert "(subnet-1, subnet-2)" in finding["message"]
    assert tried_in(other) == ["", "1", "2"]


def test_a_subnet_that_is_set_is_the_only_one() -> None:
    aws, chosen = owner(), "subnet-0123456789abcdef0"
    other = consumer(aws, run_instances="VPCIdNotSpecified")
    found = diagnosed(aws, subnet_ids={EU: {CONSUMER: chosen}})
    assert codes(found) == [("dry_run_inconclusive", U)]
    assert [one["SubnetId"] for one in called(other, "run_instances")] == [chosen]
    assert called(other, "describe_subnets") == []


def test_the_keys_are_tried_whatever_the_subnets_are() -> None:
    aws = encrypted()
    other = consumer(aws, run_instances="VPCIdNotSpecified")
    found = diagnosed(aws)
    assert (codes(found), found["key_use"]) == ([("missing_subnet", B)], "proven")
    assert {method for method, _request in other.calls} >= {"describe_key", *KEY_DRY_RUNS}

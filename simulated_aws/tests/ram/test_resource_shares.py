# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource shares of parameters, as the botocore model and AWS's user guides describe them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

OWNER, MEMBER, OUTSIDER = "111111111111", "222222222222", "333333333333"
REGION, NAME = "us-east-1", "/golden/web"
ARN = f"arn:aws:ssm:{REGION}:{OWNER}:parameter{NAME}"
FIXTURE: dict[str, Any] = {
    "accounts": {"management": "999999999999", "owner": OWNER, "member": MEMBER, "outsider": OUTSIDER},
    "organization": {
        "management_account": "management",
        "units": {"build": {"accounts": ["owner"]}, "workloads": {"accounts": ["member"]}},
    },
    "images": {
        "golden": {
            "account": "owner",
            "region": REGION,
            "devices": [{"device_name": "/dev/xvda", "size": 8}],
            "sharing": {"accounts": ["member", "outsider"]},
        }
    },
}


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedAws]:
    with SimulatedAws.start() as started:
        yield started


class World:
    """An organization, and an advanced parameter of one of its accounts."""

    def __init__(self, aws: SimulatedAws) -> None:
        aws.reset()
        loaded = aws.load_fixture(FIXTURE)
        self.aws = aws
        self.image_id = loaded["images"]["golden"]["image_id"]
        self.organization = loaded["organization"]["arn"]
        self.unit = loaded["organization"]["units"]["workloads"]["arn"]
        self.ram, self.ssm = aws.client("ram", "owner"), aws.client("ssm", "owner")
        self.put(NAME, Tier="Advanced")

    def put(self, name: str, **parameters: Any) -> None:
        """Put a parameter with the image."""
        image = {"Value": self.image_id, "Type": "String", "DataType": "aws:ec2:image"}
        self.ssm.put_parameter(Name=name, **image, **parameters)

    def enable(self) -> None:
        """Enable sharing within the organization."""
        self.aws.client("ram", "management").enable_sharing_with_aws_organization()

    def share(self, *principals: str, **parameters: Any) -> str:
        """Share the parameter; the ARN of the share."""
        request = {"name": "golden", "resourceArns": [ARN], "principals": list(principals), **parameters}
        return str(self.ram.create_resource_share(**request)["resourceShare"]["resourceShareArn"])

    def read(self, account: str) -> str:
        """The value that an account reads by the ARN, or the code of the refusal."""
        ssm = self.aws.client("ssm", account)
        return outcome(lambda: ssm.get_parameter(Name=ARN)["Parameter"]["Value"])[0]

    def launch(self, account: str) -> str:
        """The image of an instance that an account launches by the ARN, or the code of the refusal."""
        ec2 = self.aws.client("ec2", account)
        request = {"ImageId": f"resolve:ssm:{ARN}", "MinCount": 1, "MaxCount": 1}
        return outcome(lambda: ec2.run_instances(**request)["Instances"][0]["ImageId"])[0]

    def associations(self, arn: str, kind: str = "PRINCIPAL") -> dict[str, tuple[str, bool]]:
        """Entity to status, and whether it is external."""
        pages = self.ram.get_paginator("get_resource_share_associations").paginate(
            associationType=kind, resourceShareArns=[arn], PaginationConfig={"PageSize": 1}
        )
        found = [one for page in pages for one in page["resourceShareAssociations"]]
        return {one["associatedEntity"]: (one["status"], one["external"]) for one in found}


def outcome(call: Callable[[], str]) -> tuple[str, str]:
    """What a call returns, or the code and the message of its refusal."""
    try:
        return call(), ""
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]


@pytest.fixture
def world(server: SimulatedAws) -> World:
    return World(server)


@pytest.mark.parametrize("kind", ["account", "organization", "unit"])
def test_a_member_reads_and_launches_what_is_shared_until_it_is_removed(world: World, kind: str) -> None:
    world.enable()
    principal = {"account": MEMBER, "organization": world.organization, "unit": world.unit}[kind]
    assert world.read("member") == "AccessDeniedException"
    assert world.launch("member") == "InvalidParameterValue"
    arn = world.share(principal, allowExternalPrincipals=False)
    assert world.read("member") == world.launch("member") == world.image_id
    assert world.aws.client("ssm", "member").get_parameters(Names=[ARN])["InvalidParameters"] == []
    # Its owner reads it by the ARN, too.
    own = world.ssm.get_parameters(Names=[ARN])
    assert [one["Value"] for one in own["Parameters"]] == [world.image_id]
    assert world.read("outsider") == "AccessDeniedException"
    removed = world.ram.disassociate_resource_share(resourceShareArn=arn, principals=[principal])
    assert [one["status"] for one in removed["resourceShareAssociations"]] == ["DISASSOCIATING"]
    assert world.read("member") == "AccessDeniedException"
    # Neither again, nor back, before AWS has finished.
    for operation in (world.ram.disassociate_resource_share, world.ram.associate_resource_share):
        again = outcome(lambda call=operation: str(call(resourceShareArn=arn, principals=[principal])))
        assert again[0] in ("UnknownResourceException", "InvalidStateTransitionException")
    assert world.associations(arn) == {principal: ("DISASSOCIATING", False)}
    assert world.associations(arn) == {principal: ("DISASSOCIATED", False)}
    world.ram.associate_resource_share(resourceShareArn=arn, principals=[principal])
    assert world.read("member") == world.image_id
    world.ram.delete_resource_share(resourceShareArn=arn)
    assert world.read("member") == "AccessDeniedException"


def test_an_outsider_has_no_access_before_it_accepts_its_invitation(world: World) -> None:
    world.enable()
    arn = world.share(OUTSIDER, MEMBER)
    assert world.associations(arn) == {OUTSIDER: ("ASSOCIATING", True), MEMBER: ("ASSOCIATED", False)}
    assert world.associations(arn, "RESOURCE") == {ARN: ("ASSOCIATED", False)}
    assert world.read("outsider") == "AccessDeniedException"


def test_without_sharing_in_the_organization_a_member_is_invited_like_an_outsider(world: World) -> None:
    arn = world.share(MEMBER)
    assert world.associations(arn) == {MEMBER: ("ASSOCIATING", True)}
    assert world.read("member") == "AccessDeniedException"


REFUSED: dict[str, tuple[bool, dict[str, Any], str, str]] = {
    "standard tier": (
        True,
        {"resourceArns": [f"{ARN}-standard"]},
        "OperationNotPermittedException",
        "tier",
    ),
    "no parameter": (True, {"resourceArns": [f"{ARN}-none"]}, "UnknownResourceException", "-none could not"),
    "no ARN": (True, {"resourceArns": [NAME]}, "MalformedArnException", NAME),
    "outsider": (
        True,
        {"principals": [OUTSIDER], "allowExternalPrincipals": False},
        "InvalidParameterException",
        f"Principal {OUTSIDER} is not in your AWS organization",
    ),
    "organization, not enabled": (
        False,
        {"principals": ["organization"]},
        "UnknownResourceException",
        "could not be found",
    ),
    "unit, not enabled": (
        False,
        {"principals": ["unit"]},
        "UnknownResourceException",
        "could not be found",
    ),
    "no principal": (True, {"principals": ["web"]}, "InvalidParameterException", "malformed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_share_shares_nothing(world: World, case: str) -> None:
    enabled, request, code, message = REFUSED[case]
    world.put(f"{NAME}-standard")
    if enabled:
        world.enable()
    named = {"organization": world.organization, "unit": world.unit}
    principals = [named.get(one, one) for one in request.get("principals", [MEMBER])]
    found = outcome(lambda: world.share(*principals, **{**request, "principals": principals}))
    assert (found[0], message in found[1]) == (code, True), found
    assert world.ram.get_resource_shares(resourceOwner="SELF")["resourceShares"] == []


def test_a_client_token_makes_one_share(world: World) -> None:
    world.enable()
    arn = world.share(MEMBER, clientToken="once")
    assert world.share(MEMBER, clientToken="once") == arn
    other = outcome(lambda: world.share(world.unit, clientToken="once"))
    assert other[0] == "IdempotentParameterMismatchException"
    assert world.share(MEMBER) != arn


def test_shares_are_found_by_name_and_status_and_deleted_ones_stay_visible(world: World) -> None:
    world.enable()
    gone = world.share(MEMBER)
    world.ram.delete_resource_share(resourceShareArn=gone)
    kept = world.share(MEMBER, name="other")

    def found(**request: Any) -> list[tuple[str, str]]:
        pages = world.ram.get_paginator("get_resource_shares").paginate(
            resourceOwner="SELF", **request, PaginationConfig={"PageSize": 1}
        )
        return [(one["resourceShareArn"], one["status"]) for page in pages for one in page["resourceShares"]]

    assert found() == [(gone, "DELETING"), (kept, "ACTIVE")]
    assert found() == [(gone, "DELETED"), (kept, "ACTIVE")]
    assert found(name="golden") == [(gone, "DELETED")]
    assert found(resourceShareStatus="ACTIVE") == [(kept, "ACTIVE")]
    (shown,) = [one for one in world.aws.world() if one["kind"] == "resource share"]
    assert (shown["name"], shown["account_id"], shown["associations"]) == (
        "other",
        OWNER,
        [["PRINCIPAL", MEMBER, "ASSOCIATED"], ["RESOURCE", ARN, "ASSOCIATED"]],
    )


def test_only_calls_that_change_a_share_are_changes(world: World) -> None:
    world.enable()
    world.aws.clear_calls()
    arn = world.share(MEMBER)
    world.associations(arn)
    world.ram.get_resource_shares(resourceOwner="SELF")
    changes = {call.action: call.changes for call in world.aws.calls(service="ram")}
    assert changes == {
        "POST /createresourceshare": True,
        "POST /getresourceshareassociations": False,
        "POST /getresourceshares": False,
    }


POLICY = [
    {
        "Action": "ram:CreateResourceShare",
        "Condition": {"StringEqualsIfExists": {"ram:RequestedResourceType": "ssm:Parameter"}},
    },
    {
        "Action": "ram:AssociateResourceShare",
        "Resource": f"arn:aws:ram:*:{OWNER}:resource-share/*",
        "Condition": {"StringLike": {"ram:ResourceShareName": "golden*"}},
    },
    {"Action": ["ssm:GetResourcePolicies", "ssm:PutResourcePolicy"], "Resource": ARN},
]


def _as_user(world: World, statements: list[dict[str, Any]]) -> Any:
    allowed = [{"Effect": "Allow", "Resource": "*", **one} for one in statements]
    document = {
        "accounts": {"owner": OWNER},
        "users": {
            "release": {
                "accounts": ["owner"],
                "policy": {"Version": "2012-10-17", "Statement": allowed},
            }
        },
    }
    made = world.aws.load_fixture(document)["users"]["release"]["owner"]
    return boto3.client(
        "ram",
        region_name=REGION,
        endpoint_url=world.aws.url,
        aws_access_key_id=made["access_key_id"],
        aws_secret_access_key=made["secret_access_key"],
    )


def test_a_policy_limits_what_is_shared_and_which_share_is_changed(world: World) -> None:
    world.enable()
    other = world.share(name="other")
    ram = _as_user(world, POLICY)
    made = ram.create_resource_share(name="golden", resourceArns=[ARN], principals=[MEMBER])
    arn = made["resourceShare"]["resourceShareArn"]
    ram.associate_resource_share(resourceShareArn=arn, principals=[world.unit])
    code, message = outcome(
        lambda: str(ram.associate_resource_share(resourceShareArn=other, principals=[MEMBER]))
    )
    assert (code, f"ram:AssociateResourceShare on resource: {other}" in message) == (
        "AccessDeniedException",
        True,
    )


@pytest.mark.parametrize("action", ["ssm:GetResourcePolicies", "ssm:PutResourcePolicy"])
def test_sharing_a_parameter_needs_its_policy_too(world: World, action: str) -> None:
    allowed = [one for one in POLICY[2]["Action"] if one != action]
    ram = _as_user(world, [POLICY[0], {**POLICY[2], "Action": allowed}])
    code, message = outcome(
        lambda: str(ram.create_resource_share(name="golden", resourceArns=[ARN], principals=[MEMBER]))
    )
    assert (code, f"{action} on resource: {ARN}" in message) == ("AccessDeniedException", True), message


def test_parameters_are_written_and_shared_at_the_same_time(world: World) -> None:
    world.enable()
    world.aws.set_throttling(False)

    def publish(number: int) -> None:
        name = f"{NAME}-{number}"
        world.put(name, Tier="Advanced")
        world.ram.create_resource_share(
            name=f"share-{number}", principals=[MEMBER], resourceArns=[f"{ARN}-{number}"]
        )

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(publish, range(100)))
    assert len(world.ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]) == 100

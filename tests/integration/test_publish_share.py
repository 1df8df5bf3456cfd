# SPDX-License-Identifier: GPL-3.0-or-later

"""One parameter a region: other accounts launch by the ARN of the owner's parameter, through AWS RAM."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall

from . import publishing
from .fixture import HOME, OWNER, STRANGER, Fixture
from .in_process import Modules
from .playbook import Ansible, Run
from .publishing import AWAY, CONSUMER, PARAMETER, REGIONS

PUBLISH, DISTRIBUTE = "golden.images.publish_ami", "golden.images.distribute_ami"
TASK = "Publish the images in each region and account"
OF_THE_UNIT = "data-prod"
OUTSIDE = "web-staging"
CREATE, ASSOCIATE = "POST /createresourceshare", "POST /associateresourceshare"
REMOVE = "POST /disassociateresourceshare"


def launched(aws: SimulatedAws, account: str, region: str) -> str:
    """The image of an instance that an account launches by a template with the ARN, or AWS's code."""
    ec2 = aws.client("ec2", account, region)
    name = f"by-arn-{len(ec2.describe_launch_templates()['LaunchTemplates'])}"
    data = {"ImageId": f"resolve:ssm:{publishing.parameter_arn(aws, region)}", "InstanceType": "t3.micro"}
    ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    try:
        found = ec2.run_instances(LaunchTemplate={"LaunchTemplateName": name}, MinCount=1, MaxCount=1)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return str(found["Instances"][0]["ImageId"])


def changes(aws: SimulatedAws) -> list[RecordedCall]:
    """The calls that change something."""
    return [call for call in aws.calls() if call.changes and call.action != "AssumeRole"]


def failure(run: Run, task: str = "Publish") -> dict[str, Any]:
    """The failure of the first region."""
    found: dict[str, Any] = run.task(task).result["failures"][0]
    return found


def _share(modules: Modules, images: dict[str, str], *consumers: str, **options: Any) -> None:
    """Publish the images, and share the parameter with these consumers."""
    task = publishing.publish("Publish", images=images, publish_share=[*consumers], **options)
    run = modules.tasks([task])
    assert run.code == 0, run.text


def _released(aws: SimulatedAws, fixture: Fixture, release: str) -> dict[str, str]:
    """A release's image in every region, shared with the organization."""
    images = publishing.golden_images(fixture, release)
    for region, image_id in images.items():
        aws.client("ec2", OWNER, region).modify_image_attribute(
            ImageId=image_id, LaunchPermission={"Add": [{"OrganizationArn": fixture.org_arn}]}
        )
    aws.clear_calls()
    return images


@pytest.mark.quick
def test_accounts_of_a_unit_launch_what_the_owner_publishes_without_a_role(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, modules: Modules
) -> None:
    publishing.enable_sharing(aws)
    unit, staging = fixture.unit_arn(), fixture.account_ids(OUTSIDE)
    old, new = (_released(aws, fixture, release) for release in ("2026.10", "2026.11"))
    publish = {"publish_parameter": PARAMETER, "publish_images": old, "publish_share": unit}

    check = ansible.run(PUBLISH, publish, "--check", "--diff")
    assert check.code == 0, check.text
    assert changes(aws) == []
    diff = check.task(TASK).result["diff"]
    assert f"us-east-1: + share {PARAMETER} through AWS RAM for {unit}" in " ".join(diff["prepared"].split())
    done = ansible.run(PUBLISH, publish, "--diff")
    assert (done.code, done.facts["publish_status"]) == (0, "published"), done.text
    assert "Shared through AWS RAM with 1 consumer." in done.text
    assert publishing.planned(check) == publishing.planned(done)
    assert Counter(call.action for call in changes(aws)) == {
        "PutParameter": 2,
        "LabelParameterVersion": 2,
        CREATE: 2,
    }
    assert {
        one["region"]: (one["parameter_arn"], one["shared_with"]) for one in done.facts["publish_results"]
    } == {region: (publishing.parameter_arn(aws, region), [unit]) for region in REGIONS}
    for region in REGIONS:
        assert launched(aws, CONSUMER, region) == launched(aws, OF_THE_UNIT, region) == old[region]
        assert launched(aws, OUTSIDE, region) == "InvalidParameterValue"

    aws.clear_calls()
    again = ansible.run(PUBLISH, publish)
    assert (again.code, again.changed, changes(aws)) == (0, [], []), again.text

    # The next release needs a version in each region, and a further account one more call there.
    more = publishing.publish("Publish", images=new, publish_share=[unit, *staging])
    assert modules.tasks([more]).code == 0
    assert Counter(call.action for call in changes(aws)) == {
        "PutParameter": 2,
        "LabelParameterVersion": 2,
        ASSOCIATE: 2,
    }
    for region in REGIONS:
        assert launched(aws, CONSUMER, region) == launched(aws, OUTSIDE, region) == new[region]
    # Who is no longer named keeps the parameter.
    aws.clear_calls()
    fewer = modules.tasks([publishing.publish("Publish", images=new, publish_share=staging)])
    assert (fewer.code, changes(aws)) == (0, []), fewer.text
    assert f"{PARAMETER} stays shared with {unit}, which publish_share" in publishing.warnings(fewer)
    assert publishing.principals(aws) == dict.fromkeys([unit, *staging], "ASSOCIATED")


@pytest.mark.quick
def test_the_parameter_is_taken_back_from_who_is_no_longer_named(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, modules: Modules
) -> None:
    publishing.enable_sharing(aws)
    unit, staging = fixture.unit_arn(), fixture.account_ids(OUTSIDE)
    images = _released(aws, fixture, "2026.11")
    publish = {"publish_parameter": PARAMETER, "publish_images": images}
    _share(modules, images, unit, *staging)
    purge = {**publish, "publish_share": unit, "publish_share_purge": True}

    aws.clear_calls()
    check = ansible.run(PUBLISH, purge, "--check", "--diff")
    assert (check.code, changes(aws)) == (0, []), check.text
    diff = check.task(TASK).result["diff"]
    assert f"- share {PARAMETER} through AWS RAM for {staging[0]}" in " ".join(diff["prepared"].split())
    # A run that ends after the first region: the next one does what is left.
    aws.add_fault("denied", service="ram", action=REMOVE, region=AWAY, times=1)
    stopped = ansible.run(PUBLISH, purge)
    assert (stopped.code != 0, stopped.facts["publish_status"]) == (True, "incomplete"), stopped.text
    done = ansible.run(PUBLISH, purge)
    assert (done.code, "stays shared" in done.text) == (0, False), done.text
    assert Counter(call.action for call in changes(aws) if call.status == 200) == {REMOVE: 2}
    for region in REGIONS:
        assert publishing.principals(aws, region) == {unit: "ASSOCIATED"}
        assert launched(aws, CONSUMER, region) == images[region]
        assert launched(aws, OUTSIDE, region) == "InvalidParameterValue"
    aws.clear_calls()
    again = ansible.run(PUBLISH, purge)
    assert (again.code, again.changed, changes(aws)) == (0, [], []), again.text

    everybody = {**purge, "publish_share": []}
    refused = ansible.run(PUBLISH, everybody)
    assert refused.code != 0
    assert "allow_empty_purge: true" in refused.text
    assert changes(aws) == []
    assert ansible.run(PUBLISH, {**everybody, "publish_allow_empty_purge": True}).code == 0
    assert Counter(call.action for call in changes(aws)) == {REMOVE: 2, "DELETE /deleteresourceshare": 2}
    assert publishing.principals(aws) == {}


@pytest.mark.quick
def test_an_audit_finds_who_has_the_parameter_without_being_allowed(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, modules: Modules
) -> None:
    publishing.enable_sharing(aws)
    unit, staging = fixture.unit_arn(), fixture.account_ids(OUTSIDE)
    images = _released(aws, fixture, "2026.11")
    _share(modules, images, unit, *staging)
    audited = {
        "regions": list(REGIONS),
        # The organization has the images, and its unit the parameter.
        "allowed_org_arns": [fixture.org_arn],
        "check_parameters": True,
    }

    def about_parameters(findings: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
        about = [one for one in findings if "parameter" in one["code"]]
        return sorted((one["region"], one["code"], one["principal"]) for one in about)

    def found(**options: Any) -> list[tuple[str, str, str | None]]:
        _run, task = modules.module("ami_share_audit", **{**audited, **options})
        return about_parameters(task.result["findings"])

    consumers = [(region, "unknown_parameter_consumer", staging[0]) for region in sorted(REGIONS)]
    run = ansible.run(
        "golden.images.audit_ami_sharing", {f"audit_{name}": value for name, value in audited.items()}
    )
    assert about_parameters(run.facts["audit_findings"]) == consumers
    assert found(check_parameters=False) == []
    aws.add_fault("denied", service="ssm", action="GetParameter", region=AWAY, times=0)
    assert found() == [(AWAY, "parameters_unreadable", None), consumers[1]]
    _share(modules, images, unit, publish_share_purge=True)
    assert found() == []


@pytest.mark.nightly
def test_a_remediation_takes_the_parameter_back_from_who_is_not_allowed(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, modules: Modules
) -> None:
    publishing.enable_sharing(aws)
    unit, staging = fixture.unit_arn(), fixture.account_ids(OUTSIDE)
    images = _released(aws, fixture, "2026.11")
    _share(modules, images, unit, *staging)
    remediate = {
        "remediate_regions": list(REGIONS),
        "remediate_allowed_org_arns": [fixture.org_arn],
        "remediate_finding_codes": ["unknown_parameter_consumer"],
    }
    playbook = "golden.images.remediate_ami_sharing"

    aws.clear_calls()
    check = ansible.run(playbook, remediate, "--check", "--diff")
    assert (check.code, changes(aws)) == (0, []), check.text
    assert f"share {PARAMETER} through AWS RAM for {staging[0]}" in " ".join(check.text.split())
    # A region that fails is tried again by itself, and a rerun does what is left.
    aws.add_fault("denied", service="ram", action=REMOVE, region=AWAY, times=0)
    stopped = ansible.run(playbook, remediate)
    assert stopped.code != 0
    assert {one["region"] for one in stopped.facts["remediate_remaining"]} == {AWAY}
    assert publishing.principals(aws, HOME) == {unit: "ASSOCIATED"}
    aws.clear_faults()
    done = ansible.run(playbook, remediate)
    assert (done.code, done.facts["remediate_remaining"]) == (0, []), done.text
    for region in REGIONS:
        assert publishing.principals(aws, region) == {unit: "ASSOCIATED"}
        assert launched(aws, CONSUMER, region) == images[region]
        assert launched(aws, OUTSIDE, region) == "InvalidParameterValue"

    # Another tool's share is not changed, and what it gives remains.
    aws.client("ram", OWNER, AWAY).create_resource_share(
        name="platform", resourceArns=[publishing.parameter_arn(aws, AWAY)], principals=staging
    )
    aws.clear_calls()
    other = ansible.run(playbook, remediate)
    assert (other.code != 0, other.changed, changes(aws)) == (True, [], []), other.text
    assert "aws ram disassociate-resource-share" in publishing.warnings(other)
    assert [one["region"] for one in other.facts["remediate_remaining"]] == [AWAY]


def test_a_diagnosis_says_who_cannot_launch_by_the_parameter_and_why(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, modules: Modules
) -> None:
    publishing.enable_sharing(aws)
    roles = {"accounts": [CONSUMER, OF_THE_UNIT, OUTSIDE], "trusts": [OWNER]}
    fixture.add(roles={publishing.ROLE: {**roles, "external_id": publishing.EXTERNAL_ID}})
    images, unit = _released(aws, fixture, "2026.11"), fixture.unit_arn()
    in_unit, of_unit, outside = fixture.account_ids(CONSUMER, OF_THE_UNIT, OUTSIDE)
    common = {
        "images": images,
        "account_ids": [in_unit, of_unit, outside],
        "consumer_role_name": publishing.ROLE,
        "external_id": publishing.EXTERNAL_ID,
        "parameter": PARAMETER,
    }

    def diagnosed() -> dict[str, set[str]]:
        """The codes of the findings of each account about the parameter."""
        _run, task = modules.module("ami_share_diagnose", **common)
        found: dict[str, set[str]] = {account: set() for account in common["account_ids"]}
        for one in task.result["results"]:
            codes = {item["code"] for item in one["findings"] if "parameter" in item["code"]}
            found[one["account_id"]] |= codes
            assert one["parameter_read"] is (not codes), one
            assert one["level"] == ("visible" if codes else "authorized"), one
            # What is found is what happens.
            name = {in_unit: CONSUMER, of_unit: OF_THE_UNIT, outside: OUTSIDE}[one["account_id"]]
            assert (launched(aws, name, one["region"]) == one["image_id"]) is (not codes), one
        return found

    missing = diagnosed()
    assert set().union(*missing.values()) == {"parameter_not_found"}
    _share(modules, images, unit)
    assert diagnosed() == {in_unit: set(), of_unit: set(), outside: {"outside_parameter_share"}}
    verify = {f"verify_{name}": value for name, value in common.items()}
    failed = ansible.run("golden.images.verify_ami", verify)
    assert failed.code != 0
    assert {one["account_id"] for one in failed.facts["verify_results"] if not one["reached"]} == {outside}
    _share(modules, images, unit, outside)
    assert set().union(*diagnosed().values()) == set()
    verified, _task = modules.module("ami_verify", **common)
    assert verified.code == 0, verified.text
    # The account's own policy, which the owner cannot see.
    deny = {"Effect": "Deny", "Action": "ssm:GetParameters", "Resource": "*"}
    aws.client("iam", CONSUMER).put_role_policy(
        RoleName=publishing.ROLE,
        PolicyName="deny",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )
    _run, task = modules.module("ami_verify", **common)
    (row, *_others) = [one for one in task.result["results"] if not one["reached"]]
    assert (row["account_id"], row["level"]) == (in_unit, "visible")
    assert {one["code"] for one in row["findings"]} == {"parameter_read_denied"}


@pytest.mark.nightly
def test_a_distribution_shares_its_parameter(aws: SimulatedAws, fixture: Fixture, ansible: Ansible) -> None:
    publishing.enable_sharing(aws)
    variables = {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [AWAY],
        "distribute_org_arns": [fixture.org_arn],
        "distribute_publish_share": [fixture.org_arn],
    }
    refused = ansible.run(DISTRIBUTE, variables)
    assert refused.code != 0
    assert "publish_share: there is no parameter to share" in publishing.warnings(refused)
    assert changes(aws) == []
    done = ansible.run(DISTRIBUTE, {**variables, "distribute_publish_parameter": PARAMETER})
    assert done.code == 0, done.text
    assert launched(aws, CONSUMER, AWAY) == done.facts["distribute_images"][AWAY]


REFUSALS: dict[str, tuple[bool, dict[str, Any], str, str]] = {
    "an account outside": (
        True,
        {"publish_share": [STRANGER]},
        "InvalidParameterException",
        "set publish_share_external: true",
    ),
    "sharing is not enabled": (
        False,
        {"publish_share": ["organization"]},
        "UnknownResourceException",
        "aws ram enable-sharing-with-aws-organization",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_of_aws_says_what_to_do_and_the_image_is_published(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, case: str
) -> None:
    enabled, given, code, remedy = REFUSALS[case]
    if enabled:
        publishing.enable_sharing(aws)
    images = publishing.golden_images(fixture, "2026.11")
    known = {"organization": fixture.org_arn, STRANGER: aws.account_id(STRANGER)}
    named = {"publish_share": [known[one] for one in given["publish_share"]]}
    run = modules.tasks([publishing.publish("Publish", images=images, **named)])
    assert run.code != 0
    found = failure(run)
    assert (found["action"], found["error_code"], remedy in found["remedy"]) == (
        "CreateResourceShare",
        code,
        True,
    ), found
    assert [publishing.value(aws, OWNER, region) for region in REGIONS] == [images[one] for one in REGIONS]
    assert publishing.principals(aws) == {}


@pytest.mark.nightly
def test_an_account_outside_is_invited_and_named_in_each_run(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    publishing.enable_sharing(aws)
    images = publishing.golden_images(fixture, "2026.11")
    partner = fixture.account_ids(STRANGER)
    task = publishing.publish("Publish", images=images, publish_share=partner, publish_share_external=True)
    for changed in ([task["name"]], []):
        run = ansible.tasks([task])
        assert (run.code, run.changed) == (0, changed), run.text
        assert f"{partner[0]} cannot read the parameter" in publishing.warnings(run)
    assert publishing.principals(aws) == {partner[0]: "ASSOCIATING"}
    diagnose = {
        "diagnose_images": images,
        "diagnose_account_ids": partner,
        "diagnose_parameter": PARAMETER,
    }
    found = ansible.run("golden.images.diagnose_ami", diagnose).facts["diagnose_findings"]
    assert {one["region"] for one in found if one["code"] == "parameter_invitation_pending"} == {*REGIONS}


def test_a_resource_share_with_something_else_stops_all_regions(
    aws: SimulatedAws, fixture: Fixture, modules: Modules
) -> None:
    publishing.enable_sharing(aws)
    images = publishing.golden_images(fixture, "2026.11")
    task = publishing.publish("Publish", images=images, publish_share=[fixture.org_arn])
    assert modules.tasks([task]).code == 0
    ram = aws.client("ram", OWNER, AWAY)
    (share,) = ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]
    aws.client("ssm", OWNER, AWAY).put_parameter(
        Name="/db/password", Value="x", Type="String", Tier="Advanced"
    )
    secret = f"arn:aws:ssm:{AWAY}:{aws.account_id(OWNER)}:parameter/db/password"
    ram.associate_resource_share(resourceShareArn=share["resourceShareArn"], resourceArns=[secret])
    aws.clear_calls()
    module = next(one for one in task if one != "name")
    task[module]["publish_share"] = [fixture.org_arn, fixture.unit_arn()]
    refused = modules.tasks([task])
    assert refused.code != 0
    found = failure(refused)
    assert (found["error_code"], found["region"]) == ("resource_share_conflict", AWAY)
    assert secret in found["message"]
    assert changes(aws) == []


@pytest.mark.nightly
def test_a_resource_share_of_another_name_is_named_and_left(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    publishing.enable_sharing(aws)
    images = publishing.golden_images(fixture, "2026.11")
    task = publishing.publish("Publish", images=images, publish_share=[fixture.org_arn])
    assert ansible.tasks([task]).code == 0
    aws.client("ram", OWNER, AWAY).create_resource_share(
        name="platform",
        resourceArns=[publishing.parameter_arn(aws, AWAY)],
        principals=[aws.account_id(CONSUMER)],
    )
    aws.clear_calls()
    again = ansible.tasks([task])
    assert (again.code, changes(aws)) == (0, []), again.text
    text = publishing.warnings(again)
    assert f"{AWAY}: {PARAMETER} stays shared with {aws.account_id(CONSUMER)}" in text
    assert "the resource share platform" in text


@pytest.mark.parametrize(
    ("action", "permission"),
    [(CREATE, "ram:CreateResourceShare"), ("POST /getresourceshares", "ram:GetResourceShares")],
)
def test_a_denied_action_is_named_with_its_policy(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, action: str, permission: str
) -> None:
    publishing.enable_sharing(aws)
    images = publishing.golden_images(fixture, "2026.11")
    aws.add_fault("denied", service="ram", action=action, times=0)
    task = publishing.publish("Publish", images=images, publish_share=[fixture.org_arn])
    run = modules.tasks([task])
    assert run.code != 0
    text = publishing.warnings(run)
    assert permission in text
    assert "docs/iam/README.md#sharing-parameters" in text

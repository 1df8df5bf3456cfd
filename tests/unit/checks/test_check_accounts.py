# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of the accounts before the first image: what it asks IAM, and what it makes of the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader, create_loader

from bootstrap import check_accounts
from bootstrap.check_accounts import MISSING, OK, UNKNOWN, Account
from checks.iam.bootstrap import ENCRYPTED, KEY_POLICIES
from checks.iam.permissions import REPORTS
from checks.iam.policies import (
    ASSUME_ROLES,
    CONSUMER_AUTO_SCALING,
    CONSUMER_COPY,
    CONSUMER_LAUNCH,
    CONSUMER_VERIFY,
    DIAGNOSE,
    DISTRIBUTE,
    PUBLISH,
    UPLOAD_REPORTS,
)
from checks.iam.statements import Policy
from checks.paths import CHECKOUT
from simulated_aws.iam import policies as evaluation
from simulated_aws.iam import principals
from tests.unit.aws.signed_calls import SignedCalls

OWNER = Account("111122223333", "golden-images", "aws")
CONSUMER = Account("012345678901", "golden-consumer", "aws")
VARIABLES: dict[str, Any] = {
    "distribute_regions": ["eu-west-1"],
    "distribute_publish_parameter": "/golden/web",
    "distribute_consumer_role_name": "golden-consumer",
    "distribute_report_s3_uri": f"s3://{REPORTS}/images/",
}
POLICIES = [
    *(
        ("owner-role.json", one)
        for one in (DISTRIBUTE, ENCRYPTED, KEY_POLICIES, PUBLISH, DIAGNOSE, ASSUME_ROLES, UPLOAD_REPORTS)
    ),
    *(("consumer-role.json", one) for one in (CONSUMER_VERIFY, CONSUMER_LAUNCH, PUBLISH, CONSUMER_COPY)),
    ("consumer-role.json", CONSUMER_AUTO_SCALING),
]

# Condition keys that a request lacks unless the check gives them.
ABSENT = (
    *("aws:resourcetag/", "aws:tagkeys", "ec2:createaction", "kms:granteeprincipal"),
    "kms:grantisforawsresource",
)


def _name(value: Any) -> str:
    return getattr(value, "name", None) or str(value)


@pytest.mark.parametrize(("file", "policy"), POLICIES, ids=_name)
def test_the_region_is_known_to_policies_that_allow_some_regions_only(file: str, policy: Policy) -> None:
    (region,) = VARIABLES["distribute_regions"]
    expected = {
        "ContextKeyName": "aws:RequestedRegion",
        "ContextKeyType": "string",
        "ContextKeyValues": [region],
    }
    for statement in asked(file, policy):
        assert expected in statement.context


def _kind(arn: str) -> str:
    """The resource type, which the ARNs of S3 do not name."""
    kind, slash, _rest = arn.split(":", 5)[-1].partition("/")
    if arn.split(":")[2:3] == ["s3"]:
        return "object" if slash else "bucket"
    return kind


def asked(file: str, policy: Policy) -> list[check_accounts.Statement]:
    account = OWNER if file.startswith("owner") else CONSUMER
    (names,) = check_accounts.parameters(VARIABLES, OWNER, account)
    logical_id = "".join(part.capitalize() for part in policy.name.split("-"))
    return check_accounts.statements(file, logical_id, names)


@pytest.mark.parametrize(("file", "policy"), POLICIES, ids=_name)
def test_all_that_it_asks_about_is_allowed_by_the_policy(file: str, policy: Policy) -> None:
    """A role that has the policy of the template lacks nothing."""
    read = evaluation.read(json.dumps(policy.document()), of_resource=False)
    actions = set()
    for statement in asked(file, policy):
        assert statement.resources
        context: dict[str, Any] = dict.fromkeys(ABSENT)
        for entry in statement.context:
            values = entry["ContextKeyValues"]
            is_list = entry["ContextKeyType"].endswith("List")
            context[entry["ContextKeyName"].lower()] = tuple(values) if is_list else values[0]
        given = {key: (lambda value=value: value) for key, value in context.items()}
        for action in statement.actions:
            actions.add(action)
            for resource in statement.resources:
                root = principals.root(OWNER.account_id)
                request = evaluation.Request(root, action, resource, given)
                assert evaluation.evaluate_identity(read, request).allows, (action, resource)
    assert actions == {action for one in policy.statements for action in one.actions}


@pytest.mark.parametrize(("file", "policy"), POLICIES, ids=_name)
def test_an_action_is_simulated_on_resources_of_its_own_types_only(file: str, policy: Policy) -> None:
    """What IAM decides about an action on a resource of another type is not documented."""
    reference = json.loads((CHECKOUT / "checks/iam/reference.json").read_text(encoding="utf-8"))
    for statement in asked(file, policy):
        for action in statement.actions:
            simulated = {_kind(arn) for arn in statement.resources}
            assert simulated <= {"*", *reference[action]["resources"]}, action


@pytest.mark.parametrize(
    ("given", "policies"),
    [
        ({}, ["Distribute"]),
        ({"distribute_publish_parameter": "/golden/web"}, ["Distribute", "Publish"]),
        ({"distribute_sources": {"web": {"publish_parameter": "/golden/web"}}}, ["Distribute", "Publish"]),
        ({"distribute_sources": {"web": {"source_image_id": "ami-1"}}}, ["Distribute"]),
        ({"distribute_verify_level": "none"}, ["Distribute"]),
        ({"distribute_report_s3_uri": "s3://reports/images/"}, ["Distribute", "UploadReports"]),
        ({"distribute_kms_key_ids": {"eu-west-1": "alias/golden"}}, ["Distribute", "DistributeEncrypted"]),
        ({"distribute_org_unit_arns": ["arn"]}, ["Distribute"]),
        (
            {"distribute_kms_key_id": "alias/golden", "distribute_org_unit_arns": ["arn"]},
            ["Distribute", "DistributeEncrypted", "ReplaceKeyPolicies"],
        ),
        (
            {"distribute_kms_key_id": "alias/golden", "distribute_kms_access_method": "key_policy"},
            ["Distribute", "DistributeEncrypted", "ReplaceKeyPolicies"],
        ),
        (
            {"distribute_kms_key_id": "alias/golden", "distribute_kms_access_method": "grant"},
            ["Distribute", "DistributeEncrypted"],
        ),
    ],
)
def test_the_owner_needs_the_policies_of_what_is_set(given: dict[str, Any], policies: list[str]) -> None:
    variables = {"distribute_regions": ["eu-west-1"], **given}
    assert check_accounts.needed(check_accounts._OF_OWNER, variables) == policies


class Simulating:
    """IAM that gives one answer about all actions, and keeps the resources that it was asked about."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.resources: list[str] = []

    def get_paginator(self, _operation: str) -> Simulating:
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        self.resources += request["ResourceArns"]
        names = request["ActionNames"]
        return [{"EvaluationResults": [{**self.answer, "EvalActionName": name} for name in names]}]


def test_publishing_is_simulated_on_the_paths_of_all_sources() -> None:
    sources = {"web": {"publish_parameter": "/golden/web"}, "db": {"publish_parameter": "/data/images/db"}}
    iam = Simulating(result("allowed"))
    account = Account("012345678901", "golden-consumer", "aws")
    names = check_accounts.parameters({**VARIABLES, "distribute_sources": sources}, OWNER, account)
    check_accounts.check_policies(account, iam, "consumer-role.json", ["Publish"], names)
    parameters = {arn.partition(":parameter/")[2] for arn in iam.resources if ":parameter/" in arn}
    assert parameters == {"golden/check", "data/images/check"}
    assert account.outcomes == {"Publish": OK}


ROLE = {"distribute_consumer_role_name": "golden-consumer"}
ORGANIZATION = {"distribute_org_arns": ["arn:aws:organizations::111122223333:organization/o-ab12cd34ef"]}


@pytest.mark.parametrize(
    ("given", "account_ids", "reason"),
    [
        ({}, [], ""),
        (ROLE, ["012345678901"], ""),
        (ROLE | ORGANIZATION, ["012345678901"], ""),
        (ROLE, [], "no account IDs are known"),
        (ROLE | ORGANIZATION, [], "no account IDs are known"),
        (ORGANIZATION, [], "no account IDs are known"),
        ({}, ["012345678901"], "distribute_consumer_role_name is not set"),
    ],
)
def test_consumers_that_are_not_checked_are_named(
    given: dict[str, Any], account_ids: list[str], reason: str
) -> None:
    found = check_accounts.find_unchecked(given, account_ids)
    assert bool(found) == bool(reason)
    assert reason in found


def result(decision: str, **more: Any) -> dict[str, Any]:
    return {"EvalActionName": "kms:Decrypt", "EvalDecision": decision, **more}


def of_key(decision: str = "implicitDeny", **more: Any) -> dict[str, Any]:
    """What IAM decides about a key."""
    return {"EvalResourceName": "key", "EvalResourceDecision": decision, **more}


# The key of another account, whose policy IAM does not know.
FOREIGN = {"IAM": "allowed", "Resource": "implicitDeny"}
NO_BOUNDARY = {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}}
NO_ORGANIZATION = {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (result("allowed"), OK),
        (result("implicitDeny"), MISSING),
        (result("explicitDeny"), MISSING),
        (result("implicitDeny", MissingContextValues=["aws:SourceVpc"]), UNKNOWN),
        (
            result("implicitDeny", ResourceSpecificResults=[of_key(MissingContextValues=["aws:SourceVpc"])]),
            UNKNOWN,
        ),
        (result("allowed", ResourceSpecificResults=[of_key("allowed"), of_key("allowed")]), OK),
        (result("allowed", ResourceSpecificResults=[of_key("allowed"), of_key()]), MISSING),
        (result("implicitDeny", ResourceSpecificResults=[of_key("allowed")]), MISSING),
        # The key of another account, whose policy IAM does not know.
        (
            result("implicitDeny", EvalDecisionDetails={"IAM": "allowed", "Resource": "implicitDeny"}),
            OK,
        ),
        (result("implicitDeny", EvalDecisionDetails={"IAM Policy": "implicitDeny"}), MISSING),
        (
            result("implicitDeny", ResourceSpecificResults=[of_key(EvalDecisionDetails=FOREIGN)]),
            OK,
        ),
        (
            result("implicitDeny", ResourceSpecificResults=[of_key(EvalDecisionDetails=FOREIGN), of_key()]),
            MISSING,
        ),
        (result("implicitDeny", EvalDecisionDetails=FOREIGN, **NO_BOUNDARY), MISSING),
        (result("implicitDeny", EvalDecisionDetails=FOREIGN, **NO_ORGANIZATION), MISSING),
        (
            result(
                "implicitDeny",
                ResourceSpecificResults=[of_key(EvalDecisionDetails=FOREIGN, **NO_BOUNDARY)],
            ),
            MISSING,
        ),
        (result("allowed", EvalDecisionDetails={}), OK),
        (result("allowed", OrganizationsDecisionDetail={"AllowedByOrganizations": True}), OK),
    ],
)
def test_the_decision_about_an_action(answer: dict[str, Any], outcome: str) -> None:
    assert check_accounts.decide(answer) == outcome


@pytest.mark.parametrize(
    ("answer", "action"),
    [
        (result("implicitDeny"), "kms:Decrypt"),
        (result("explicitDeny", **NO_ORGANIZATION), "kms:Decrypt (denied by a service control policy)"),
        (result("implicitDeny", **NO_BOUNDARY), "kms:Decrypt (denied by the permissions boundary)"),
    ],
)
def test_it_is_named_what_denies_an_action(answer: dict[str, Any], action: str) -> None:
    iam = Simulating(answer)
    wanted = [check_accounts.Statement(("kms:Decrypt",), ("*",), ())]
    assert check_accounts.simulate(iam, OWNER.principal, wanted) == {action: MISSING}


class Denied:
    """STS that lets nobody assume a role, and keeps the roles."""

    def __init__(self) -> None:
        self.roles: list[str] = []

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.roles.append(request["RoleArn"])
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")


def test_all_roles_are_assumed_with_one_client_of_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new session could ask for an MFA code in each of 500 accounts."""
    monkeypatch.delattr(check_accounts.boto3.session, "Session")
    sts, account_ids = Denied(), [f"{number:012}" for number in range(40)]
    accounts = check_accounts.check_consumers(OWNER, sts, Loader(), account_ids, VARIABLES)
    assert sorted(sts.roles) == [one.principal for one in accounts]
    assert {one.outcomes["Assume"] for one in accounts} == {MISSING}


class Assumed:
    """STS that lets every role be assumed."""

    def assume_role(self, **_request: Any) -> dict[str, Any]:
        keys = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret", "SessionToken": "token"}
        return {"Credentials": keys}


def test_accounts_read_no_models_again(monkeypatch: pytest.MonkeyPatch) -> None:
    result = "<SimulatePrincipalPolicyResult><EvaluationResults/></SimulatePrincipalPolicyResult>"
    aws = SignedCalls.of(monkeypatch, lambda _call: f"<Answer>{result}</Answer>")
    loader = create_loader()
    # What makes the loader of a session that has none.
    monkeypatch.setattr(botocore.session, "create_loader", None)
    account_ids = [f"{number:012}" for number in range(3)]
    accounts = check_accounts.check_consumers(OWNER, Assumed(), loader, account_ids, VARIABLES)
    assert {one.outcomes["Regions"] for one in accounts} == {OK}
    assert {call.operation for call in aws.calls} == {"DescribeImages", "SimulatePrincipalPolicy"}


def test_a_problem_is_shown_once_with_all_accounts_that_have_it() -> None:
    accounts = [Account(str(number) * 12, "golden-consumer", "aws") for number in (1, 2, 3)]
    for account in accounts[:2]:
        account.problems.append(f"no role in {account.account_id}")
    accounts[2].problems += ["no key", "no policy: kms:Decrypt, kms:CreateGrant"]
    assert check_accounts.render_problems(accounts, 30).splitlines() == [
        "111111111111, 222222222222",
        "  no role in <account>",
        "333333333333",
        "  no key",
        "  no policy: kms:Decrypt,",
        "    kms:CreateGrant",
    ]


@pytest.mark.parametrize(
    ("file", "policy", "found"),
    [
        ("owner-role.json", "DistributeEncrypted", "EncryptedImages=true"),
        ("owner-role.json", "ReplaceKeyPolicies", "KeyPolicies=true"),
        ("owner-role.json", "UploadReports", f"ReportsBucket={REPORTS}"),
        ("owner-role.json", "Diagnose", ""),
        ("consumer-role.json", "Publish", "PublishInAccounts=true"),
    ],
)
def test_a_policy_that_is_chosen_is_named_by_the_parameter_of_its_template(
    file: str, policy: str, found: str
) -> None:
    (names,) = check_accounts.parameters(VARIABLES, OWNER, OWNER)
    assert check_accounts.setting(file, policy, names) == found


class User:
    """STS of a user."""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::111122223333:user/engineer"}


@pytest.mark.parametrize(
    ("environment", "remedy"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKIA"}, "Assume the role of owner-role.json"),
        ({"AWS_PROFILE": "golden"}, "Assume the role of owner-role.json"),
        ({"AWS_PROFILE": "golden", "AWS_ACCESS_KEY_ID": "AKIA"}, "AWS_PROFILE has no effect"),
    ],
)
def test_credentials_that_are_not_those_of_a_role_are_refused(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], remedy: str
) -> None:
    monkeypatch.setattr(check_accounts.os, "environ", environment)
    with pytest.raises(ValueError, match=f"is not a session of a role. {remedy}"):
        check_accounts.check_owner(VARIABLES, None, User())


class Regional:
    """Sessions and clients of Regions in which a key is not found, or disabled."""

    def __init__(self, states: dict[str, str]) -> None:
        self.states = states
        self.region = ""

    def client(self, _service: str, region_name: str, **_options: Any) -> Regional:
        self.region = region_name
        return self

    def describe_key(self, **_request: str) -> dict[str, Any]:
        if self.region not in self.states:
            message = f"Alias arn:aws:kms:{self.region}:1:alias/golden is not found."
            raise ClientError({"Error": {"Code": "NotFoundException", "Message": message}}, "DescribeKey")
        return {"KeyMetadata": {"KeyState": self.states[self.region]}}


def test_a_problem_of_several_regions_is_noted_once() -> None:
    account = Account("111122223333", "golden-images", "aws")
    regions = Regional({"us-east-1": "Enabled", "eu-north-1": "Disabled"})
    keys = dict.fromkeys(("us-east-1", "eu-west-1", "eu-north-1", "eu-west-2"), "alias/golden")
    check_accounts.check_keys(account, regions, keys)
    assert account.outcomes == {"Keys": MISSING}
    assert account.problems == [
        (
            "eu-west-1, eu-west-2: alias/golden: NotFoundException: Alias "
            "arn:aws:kms:<region>:1:alias/golden is not found. Create the stack of owner-key.json there."
        ),
        "eu-north-1: alias/golden: the key has the state Disabled. Enable it.",
    ]


def test_the_table_shows_accounts_with_a_problem_first() -> None:
    good = Account("111111111111", "golden-consumer", "aws", {"Assume": OK, "Publish": OK})
    bad = Account("222222222222", "golden-consumer", "aws", {"Assume": OK, "Publish": MISSING}, ["no"])
    assert check_accounts.render_table([good, bad]).splitlines() == [
        "Account       Assume  Publish",
        "222222222222  ok      missing",
        "111111111111  ok      ok",
    ]


SET = "distribute_regions: [us-east-1]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("distribute_account_ids: ['012345678901']", "must set distribute_regions, to a list"),
        ("distribute_regions: us-east-1", "must set distribute_regions, to a list"),
        ("distribute_regions: []", "must set distribute_regions, to a list"),
        ("distribute_regions: [1]", "distribute_regions: 1 is not a region"),
        ("[", "while parsing"),
        (
            f"{SET}distribute_external_id: !vault |\n  abc",
            "distribute_external_id: only Ansible can read '{{ !vault }}'",
        ),
        (
            f"{SET}distribute_account_ids: '{{{{ accounts }}}}'",
            "distribute_account_ids: only Ansible can read",
        ),
        (f"{SET}distribute_account_ids: '012345678901'", "must set distribute_account_ids, to a list"),
        (f"{SET}distribute_sources: [web]", "must set distribute_sources, to a mapping"),
        (f"{SET}distribute_sources: {{web: ami-1}}", "distribute_sources: web must be a mapping"),
        (
            f"{SET}distribute_publish_parameter: golden-web",
            "golden-web: the templates allow no parameter without",
        ),
        (f"{SET}distribute_publish_parameter: /web", "/web: the templates allow no parameter without a path"),
        (
            f"{SET}distribute_sources: {{web: {{publish_parameter: web}}}}",
            "web: the templates allow no parameter",
        ),
        (f"{SET}distribute_report_s3_uri: reports/images", "must be such as s3://bucket/folder/"),
        (f"{SET}distribute_kms_key_ids: {{eu-west-1: alias/golden}}", "has no key for us-east-1."),
        (
            "{distribute_regions: [us-east-1], distribute_account_ids: [12345678901]}",
            "an account ID must have 12 digits, in quotes in YAML (got 12345678901)",
        ),
    ],
)
def test_variables_are_refused_before_anything_is_read(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my-vars.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit):
        check_accounts.main([str(file)])
    assert message in capsys.readouterr().err


def test_a_value_that_only_ansible_can_read_matters_only_if_it_is_checked() -> None:
    read = check_accounts.read_variables(f"{SET}distribute_name: !vault |\n  abc\nother: '{{{{ x }}}}'")
    assert read["distribute_regions"] == ["us-east-1"]

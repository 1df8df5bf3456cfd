# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show which permissions and keys a distribution lacks, and in which accounts, before the first image.

    python3 bootstrap/check_accounts.py my-vars.yml

It reads the variables of the playbook distribute_ami, and changes nothing. Run it with the credentials of the
distribution. It assumes the role in each consumer account, lets IAM simulate the policies of the templates
there, and makes a dry run of DescribeImages in each region. What it cannot read is unknown, never ok.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3.session
import botocore.session
import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader

# The variables that are read.
_ORGANIZATIONS = ("distribute_org_arns", "distribute_org_unit_arns")
_LISTS = frozenset({"distribute_regions", "distribute_account_ids", *_ORGANIZATIONS})
_MAPPINGS = frozenset({"distribute_kms_key_ids", "distribute_sources"})
_OTHERS = frozenset(
    {
        *("distribute_consumer_role_name", "distribute_external_id", "distribute_kms_key_id"),
        *("distribute_publish_parameter", "distribute_report_s3_uri", "distribute_verify_level"),
        *("distribute_copy_into_accounts", "distribute_auto_scaling", "distribute_kms_access_method"),
    }
)
_TEMPLATES = Path(__file__).parent / "cloudformation"
_OWNER_TEMPLATE, _CONSUMER_TEMPLATE = "owner-role.json", "consumer-role.json"
# What creates the roles of a template.
_STACKS = {_OWNER_TEMPLATE: "owner-role.json", _CONSUMER_TEMPLATE: "consumer-roles.json"}
_WORKERS = 16
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 6},
    connect_timeout=10,
    read_timeout=30,
    max_pool_connections=_WORKERS,
)
# The policies of a distribution by their names in the templates, each with a variable that needs it.
_OF_OWNER = {
    "Distribute": "distribute_regions",
    "DistributeEncrypted": "distribute_kms_key_id",
    "ReplaceKeyPolicies": "distribute_kms_access_method",
    "Publish": "distribute_publish_parameter",
    "Diagnose": "distribute_verify_level",
    "AssumeConsumerRoles": "distribute_consumer_role_name",
    "UploadReports": "distribute_report_s3_uri",
}
_OF_CONSUMER = {
    "ConsumerVerify": "distribute_verify_level",
    "ConsumerLaunch": "distribute_kms_key_id",
    "Publish": "distribute_publish_parameter",
    "ConsumerCopy": "distribute_copy_into_accounts",
    "ConsumerAutoScaling": "distribute_auto_scaling",
}
# The page in docs/iam that has a policy of the templates, where it is not that of its name.
_PAGES = {"ReplaceKeyPolicies": "distribute-encrypted"}
# Service Authorization Reference: actions that have only one of the resource types of their statements.
_TYPES = {
    "ec2:DeleteSnapshot": ":snapshot/",
    "ec2:DeregisterImage": ":image/",
    "ec2:ModifyImageAttribute": ":image/",
    "ec2:ModifySnapshotAttribute": ":snapshot/",
}
# AWS's refusals of a caller or a key. Any other error, such as throttling, leaves the answer unknown.
_REFUSALS = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "AuthFailure", "NotFoundException"),
        *("OptInRequired", "UnauthorizedOperation"),
    }
)
OK, MISSING, UNKNOWN = "ok", "missing", "unknown"
Error = (BotoCoreError, ClientError)


@dataclass(frozen=True)
class Statement:
    """Actions of a policy, with resources and context keys for which they must be allowed."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    context: tuple[Mapping[str, Any], ...]


@dataclass
class Account:
    """What was found in an account: the outcome of each policy and check, and the problems in words."""

    account_id: str
    role: str
    partition: str
    outcomes: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def principal(self) -> str:
        """The ARN of the role, which the templates create without a path."""
        return f"arn:{self.partition}:iam::{self.account_id}:role/{self.role}"


def statements(file: str, policy: str, names: Mapping[str, str]) -> list[Statement]:
    """Return what a policy of a template allows, with these values of its parameters."""
    document = _template(file)["Resources"][policy]["Properties"]["PolicyDocument"]
    found = []
    # Service control policies that allow some Regions only have conditions of this key. IAM evaluates them,
    # and does not say that it lacks the key (botocore shape EvaluationResult, MissingContextValues).
    region = _entry("aws:RequestedRegion", "string", [names["AWS::Region"]])
    for one in document["Statement"]:
        arns = [_example(_named(arn, names), names) for arn in _listed(one["Resource"])]
        by_resources: dict[tuple[str, ...], list[str]] = {}
        for action in _listed(one["Action"]):
            own = tuple(arn for arn in arns if _TYPES.get(action, "") in arn)
            by_resources.setdefault(own, []).append(action)
        context = (region, *_context(one.get("Condition", {}), names))
        found += [Statement(tuple(actions), own, context) for own, actions in by_resources.items()]
    return found


def _template(file: str) -> dict[str, Any]:
    template: dict[str, Any] = json.loads((_TEMPLATES / file).read_text(encoding="utf-8"))
    return template


def setting(file: str, policy: str, names: Mapping[str, str]) -> str:
    """Return the parameter, with its value, that gives the role a policy; empty if it always has it."""
    template = _template(file)
    condition = template["Resources"][policy].get("Condition")
    if condition is None:
        return ""
    (equals,) = template["Conditions"][condition]["Fn::Not"]
    name = equals["Fn::Equals"][0]["Ref"]
    return f"{name}={'true' if 'AllowedValues' in template['Parameters'][name] else names[name]}"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _named(arn: Any, names: Mapping[str, str]) -> str:
    text = arn["Fn::Sub"] if isinstance(arn, dict) else arn
    return re.sub(r"\$\{([\w:]+)\}", lambda found: names[found[1]], text)


def _example(arn: str, names: Mapping[str, str]) -> str:
    """Return the ARN of one resource that matches a pattern: IAM simulates what does not exist, too."""
    if arn == "*":
        return arn
    prefix, partition, service, region, account, resource = arn.split(":", 5)
    region = names["AWS::Region"] if region == "*" else region
    account = names["AWS::AccountId"] if account == "*" else account
    return ":".join((prefix, partition, service, region, account, resource.replace("*", "check")))


def _context(
    condition: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield context entries that meet the conditions that the policies have."""
    met: dict[str, tuple[str, list[str]]] = {}
    for operator, keys in condition.items():
        for key, value in keys.items():
            if operator == "Null":
                met.setdefault(key, ("string", ["check"]))
            elif operator.startswith("ForAllValues:StringNot"):
                met[key] = ("stringList", ["check"])
            else:
                kind = {"For": "stringList", "Boo": "boolean"}.get(operator[:3], "string")
                met[key] = (kind, [_named(one, names).replace("*", "check") for one in _listed(value)])
    for key, (kind, values) in met.items():
        yield _entry(key, kind, values)


def _entry(key: str, kind: str, values: list[str]) -> dict[str, Any]:
    """Return a context entry (botocore shape ContextEntry)."""
    return {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": values}


def decide(result: Mapping[str, Any]) -> str:
    """Return what IAM decided about an action (botocore shapes EvaluationResult, ResourceSpecificResult).

    Allowed is what is allowed on each resource. For the key of another account, whose policy IAM does not
    know, only the account's own policies count.
    """
    of_resources = result.get("ResourceSpecificResults") or ()
    results = (result, *of_resources)
    decisions = {decision for one in of_resources for decision in _own(one, "EvalResourceDecision")}
    # The decision about all resources counts the policies of other accounts' keys, too.
    if not any(one.get("EvalDecisionDetails") for one in of_resources):
        decisions |= _own(result, "EvalDecision")
    if decisions == {"allowed"} and not _denied_by(result):
        return OK
    return UNKNOWN if any(one.get("MissingContextValues") for one in results) else MISSING


def _own(result: Mapping[str, Any], decision: str) -> set[Any]:
    """Return what the account's own policies decide, which AWS has apart if two accounts are involved."""
    details = result.get("EvalDecisionDetails") or {}
    own = {one for kind, one in details.items() if "resource" not in kind.lower()}
    return own or {result.get(decision)}


def _denied_by(result: Mapping[str, Any]) -> str:
    """Return what limits the role's policies and denies an action; empty if nothing does."""
    for one in (result, *(result.get("ResourceSpecificResults") or ())):
        organizations = one.get("OrganizationsDecisionDetail") or {}
        boundary = one.get("PermissionsBoundaryDecisionDetail") or {}
        if not organizations.get("AllowedByOrganizations", True):
            return " (denied by a service control policy)"
        if not boundary.get("AllowedByPermissionsBoundary", True):
            return " (denied by the permissions boundary)"
    return ""


def simulate(iam: Any, principal: str, wanted: Sequence[Statement]) -> dict[str, str]:
    """Return the actions that are not allowed, each with its outcome (botocore: SimulatePrincipalPolicy).

    IAM evaluates the policies of the principal, its permissions boundary and service control policies.

    Raises:
        BotoCoreError, ClientError: IAM simulates nothing.
    """
    found: dict[str, str] = {}
    for statement in wanted:
        pages = iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=principal,
            ActionNames=list(statement.actions),
            ResourceArns=list(statement.resources),
            ContextEntries=list(statement.context),
        )
        for result in (one for page in pages for one in page["EvaluationResults"]):
            outcome = decide(result)
            if outcome != OK:
                found[result["EvalActionName"] + _denied_by(result)] = outcome
    return found


def check_policies(
    account: Account, iam: Any, file: str, policies: Sequence[str], names: Sequence[Mapping[str, str]]
) -> None:
    """Note for each policy whether the role may do all that it allows, with each of ``names``."""
    for policy in policies:
        wanted: list[Statement] = []
        for statement in (one for values in names for one in statements(file, policy, values)):
            if statement not in wanted:
                wanted.append(statement)
        try:
            found = simulate(iam, account.principal, wanted)
        except Error as error:
            account.outcomes[policy] = UNKNOWN
            account.problems.append(f"{policy}: IAM could not simulate it: {_text(error)}.")
            continue
        account.outcomes[policy] = MISSING if MISSING in found.values() else UNKNOWN if found else OK
        if found:
            page = _PAGES.get(policy, re.sub(r"(?<!^)(?=[A-Z])", "-", policy).lower())
            chosen = setting(file, policy, names[0])
            account.problems.append(
                f"{policy}: not allowed: {', '.join(sorted(found))}. Update the stack of {_STACKS[file]} "
                f"{f'with {chosen}' if chosen else 'and its parameters'}, or attach docs/iam/{page}.json."
            )


def check_regions(account: Account, session: boto3.session.Session, regions: Sequence[str]) -> None:
    """Note whether the role can use EC2 in all regions (EC2 API Reference, DescribeImages, DryRun)."""
    outcome, found = OK, dict[str, str]()
    for region in regions:
        try:
            ec2 = session.client("ec2", region_name=region, config=_CONFIG)
            ec2.describe_images(Owners=["self"], DryRun=True)
        except Error as error:
            if _code(error) == "DryRunOperation":
                continue
            outcome = _worse(outcome, error)
            found[region] = f"{_text(error)}. Is the region enabled in the account?"
    account.outcomes["Regions"] = outcome
    account.problems += _by_regions(found)


def check_keys(account: Account, session: boto3.session.Session, keys: Mapping[str, str]) -> None:
    """Note whether the owner has an enabled key in each region (KMS API Reference, DescribeKey)."""
    outcome, found = OK, dict[str, str]()
    for region, key in keys.items():
        try:
            kms = session.client("kms", region_name=region, config=_CONFIG)
            state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        except Error as error:
            outcome = _worse(outcome, error)
            found[region] = f"{key}: {_text(error)}. Create the stack of owner-key.json there."
            continue
        if state != "Enabled":
            outcome = MISSING
            found[region] = f"{key}: the key has the state {state}. Enable it."
    account.outcomes["Keys"] = outcome
    account.problems += _by_regions(found)


def _by_regions(found: Mapping[str, str]) -> list[str]:
    """Return each problem once, with the regions that have it."""
    having: dict[str, list[str]] = {}
    for region, problem in found.items():
        # What differs only in the region's own name is the same problem.
        having.setdefault(problem.replace(region, "<region>"), []).append(region)
    return [f"{', '.join(regions)}: {problem}" for problem, regions in having.items()]


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def _text(error: Exception) -> str:
    """Return what AWS or botocore says, without the period at its end."""
    text = (
        f"{_code(error)}: {error.response['Error']['Message']}"
        if isinstance(error, ClientError)
        else str(error)
    )
    return text.rstrip(".")


def _worse(outcome: str, error: Exception) -> str:
    """Return the outcome after an error: a refusal is worse than what is unknown."""
    return MISSING if outcome == MISSING or _code(error) in _REFUSALS else UNKNOWN


def parameters(variables: Mapping[str, Any], owner: Account, account: Account) -> list[dict[str, str]]:
    """Return the values of the templates' parameters for an account, once for each path of parameters."""
    paths = {name.strip("/").rpartition("/")[0] for name in published(variables) or ["/golden/check"]}
    names = {
        "AWS::Partition": account.partition,
        "AWS::AccountId": account.account_id,
        "AWS::Region": variables["distribute_regions"][0],
        "OwnerAccountId": owner.account_id,
        "RoleName": owner.role,
        "ConsumerRoleName": str(variables.get("distribute_consumer_role_name")),
        "ReportsBucket": re.sub("^s3://", "", str(variables.get("distribute_report_s3_uri"))).split("/")[0],
    }
    return [{**names, "ParameterPath": path} for path in sorted(paths)]


def published(variables: Mapping[str, Any]) -> list[str]:
    """Return the names of the parameters that images are published in, also those of single sources."""
    sources = (variables.get("distribute_sources") or {}).values()
    names = [
        variables.get("distribute_publish_parameter"),
        *(one.get("publish_parameter") for one in sources),
    ]
    return [str(name) for name in names if name]


def needed(policies: Mapping[str, str], variables: Mapping[str, Any]) -> list[str]:
    """Return the policies that the variables need."""
    return [policy for policy, variable in policies.items() if _is_set(variable, variables)]


def _is_set(name: str, variables: Mapping[str, Any]) -> bool:
    if name == "distribute_kms_key_id" and variables.get("distribute_kms_key_ids"):
        return True
    if name == "distribute_kms_access_method":
        # Documentation of ami_kms_grant, access_method: a grant has no organization.
        by_policy = variables.get(name) == "key_policy" or any(map(variables.get, _ORGANIZATIONS))
        return by_policy and _is_set("distribute_kms_key_id", variables)
    if name == "distribute_publish_parameter":
        return bool(published(variables))
    return variables.get(name) not in (None, "", False, "none")


def find_unchecked(variables: Mapping[str, Any], account_ids: Sequence[str]) -> str:
    """Return why consumer accounts are not checked; empty if they are, or if there are none."""
    role = "distribute_consumer_role_name"
    if not account_ids and any(variables.get(name) for name in (role, *_ORGANIZATIONS)):
        return (
            "the consumer accounts, because no account IDs are known. Write those of the organization or its "
            "units after the file, or set distribute_account_ids."
        )
    if account_ids and not _is_set(role, variables):
        return (
            f"the consumer accounts, because {role} is not set. Set it to the role of {_CONSUMER_TEMPLATE}."
        )
    return ""


def check_owner(variables: Mapping[str, Any], session: boto3.session.Session, sts: Any) -> Account:
    """Check the role of the owner's account, which is the caller.

    Raises:
        BotoCoreError, ClientError: AWS does not accept the credentials.
        ValueError: they are not those of a role.
    """
    regions = variables["distribute_regions"]
    arn = sts.get_caller_identity()["Arn"]
    found = re.fullmatch(r"arn:([\w-]+):sts::(\d{12}):assumed-role/([^/]+)/.+", arn)
    if found is None:
        raise ValueError(f"{arn} is not a session of a role.{_how_to_assume(os.environ)}")
    owner = Account(found[2], found[3], found[1])
    iam = session.client("iam", region_name=regions[0], config=_CONFIG)
    names = parameters(variables, owner, owner)
    check_policies(owner, iam, _OWNER_TEMPLATE, needed(_OF_OWNER, variables), names)
    check_regions(owner, session, regions)
    if _is_set("distribute_kms_key_id", variables):
        by_region = variables.get("distribute_kms_key_ids") or {}
        key = variables.get("distribute_kms_key_id")
        check_keys(owner, session, {region: str(by_region.get(region, key)) for region in regions})
    return owner


def _how_to_assume(environment: Mapping[str, str]) -> str:
    if {"AWS_PROFILE", "AWS_ACCESS_KEY_ID"} <= environment.keys():
        # boto3 guide, "Credentials": environment variables come before the profiles of files.
        return " AWS_PROFILE has no effect while AWS_ACCESS_KEY_ID is set: unset the latter."
    return f" Assume the role of {_OWNER_TEMPLATE}; docs/first-day.md has the commands."


def check_consumer(
    owner: Account, sts: Any, loader: Loader, account_id: str, variables: Mapping[str, Any]
) -> Account:
    """Check the role of a consumer account, which ``sts`` assumes with the owner's credentials."""
    account = Account(account_id, str(variables["distribute_consumer_role_name"]), owner.partition)
    policies = needed(_OF_CONSUMER, variables)
    regions = variables["distribute_regions"]
    request: dict[str, Any] = {"RoleArn": account.principal, "RoleSessionName": "golden-images-check"}
    if external_id := variables.get("distribute_external_id"):
        request["ExternalId"] = str(external_id)
    try:
        keys = sts.assume_role(**request)["Credentials"]
    except Error as error:
        account.outcomes |= {"Assume": _worse(OK, error), **dict.fromkeys((*policies, "Regions"), UNKNOWN)}
        account.problems.append(
            f"{account.role} could not be assumed: {_text(error)}. Create it with consumer-roles.json, with "
            f"the external ID of these variables and OwnerRoleName={owner.role}."
        )
        return account
    account.outcomes["Assume"] = OK
    core = botocore.session.Session()
    core.register_component("data_loader", loader)
    session = boto3.session.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        botocore_session=core,
    )
    iam = session.client("iam", region_name=regions[0], config=_CONFIG)
    check_policies(account, iam, _CONSUMER_TEMPLATE, policies, parameters(variables, owner, account))
    check_regions(account, session, regions)
    return account


def check_consumers(
    owner: Account, sts: Any, loader: Loader, account_ids: Sequence[str], variables: Mapping[str, Any]
) -> list[Account]:
    """Check all consumer accounts; a terminal shows how many are done.

    ``loader`` has read botocore's models for the owner: they take 40 MB and most of a second.
    """
    found = []
    with ThreadPoolExecutor(_WORKERS) as pool:
        for account in pool.map(lambda one: check_consumer(owner, sts, loader, one, variables), account_ids):
            found.append(account)
            if sys.stderr.isatty():
                end = "\n" if len(found) == len(account_ids) else ""
                print(f"\r{len(found)} of {len(account_ids)} accounts", end=end, file=sys.stderr, flush=True)
    return found


class _Loader(yaml.SafeLoader):
    """Reads a value with a tag of Ansible, such as !vault, as a template: neither can be read here."""


_Loader.add_constructor(None, lambda _loader, node: f"{{{{ {node.tag} }}}}")


def read_variables(text: str) -> dict[str, Any]:
    """Return the variables that are set.

    Raises:
        ValueError: one that is checked has a wrong value, or one that only Ansible can read.
        yaml.YAMLError: the text is not YAML.
    """
    read = yaml.load(text, _Loader)
    if not isinstance(read, dict):
        raise ValueError("must set distribute_regions, to a list of regions.")
    variables = {name: value for name, value in read.items() if value is not None}
    for name in sorted(_LISTS | _MAPPINGS | _OTHERS):
        value = variables.get(name)
        if "{{" in str(value):
            raise ValueError(f"{name}: only Ansible can read {value!r}. Write the value itself into a copy.")
        if value is None:
            continue
        if name in _LISTS and not isinstance(value, list):
            raise ValueError(f"must set {name}, to a list (got {value!r}).")
        if name in _MAPPINGS and not isinstance(value, dict):
            raise ValueError(f"must set {name}, to a mapping (got {value!r}).")
    if not variables.get("distribute_regions"):
        raise ValueError("must set distribute_regions, to a list of regions.")
    _check_values(variables)
    return variables


def _check_values(variables: Mapping[str, Any]) -> None:
    """Refuse values whose permissions could not be named."""
    for region in variables["distribute_regions"]:
        if not isinstance(region, str):
            raise ValueError(f"distribute_regions: {region!r} is not a region.")
    for name, source in variables.get("distribute_sources", {}).items():
        if not isinstance(source, dict):
            raise ValueError(f"distribute_sources: {name} must be a mapping (got {source!r}).")
    for parameter in published(variables):
        if not re.fullmatch(r"/?[^/]+(/[^/]+)+", parameter):
            raise ValueError(
                f"{parameter}: the templates allow no parameter without a path. Set one such as /golden/web."
            )
    report = variables.get("distribute_report_s3_uri")
    if report and not re.fullmatch(r"s3://[a-z0-9.-]+(/.*)?", str(report)):
        raise ValueError(f"distribute_report_s3_uri must be such as s3://bucket/folder/ (got {report}).")
    by_region = variables.get("distribute_kms_key_ids")
    missing = [region for region in variables["distribute_regions"] if not (by_region or {}).get(region)]
    if by_region and missing and not variables.get("distribute_kms_key_id"):
        raise ValueError(
            f"distribute_kms_key_ids has no key for {', '.join(missing)}. Add it, or set "
            "distribute_kms_key_id."
        )


def render_table(accounts: Sequence[Account]) -> str:
    """Return a table of accounts and outcomes; accounts with a problem come first."""
    columns = ["Account", *accounts[0].outcomes]
    rows = [
        [one.account_id, *one.outcomes.values()]
        for one in sorted(accounts, key=lambda one: (not one.problems, one.account_id))
    ]
    return _aligned([columns, *rows])


def render_list(account: Account) -> str:
    """Return a line for each outcome of an account."""
    return _aligned(list(map(list, account.outcomes.items())))


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def render_problems(accounts: Sequence[Account], width: int) -> str:
    """Return each problem once, below the accounts that have it."""
    having: dict[str, list[str]] = {}
    for account in accounts:
        for problem in account.problems:
            # What differs only in the account's own ID is the same problem.
            having.setdefault(problem.replace(account.account_id, "<account>"), []).append(account.account_id)
    problems: dict[tuple[str, ...], list[str]] = {}
    for problem, ids in having.items():
        problems.setdefault(tuple(ids), []).append(problem)
    return "\n".join(
        _wrapped(text, width, indent)
        for ids, texts in problems.items()
        for text, indent in ((", ".join(ids), ""), *((one, "  ") for one in texts))
    )


def _wrapped(text: str, width: int, indent: str) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent * 2,
        break_long_words=False,
        break_on_hyphens=False,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what a file of variables needs; return 1 if something is missing, unknown or not checked."""
    parser = argparse.ArgumentParser(description="Show what a distribution lacks, and in which accounts.")
    parser.add_argument("variables", type=Path, help="the variables of distribute_ami, such as my-vars.yml")
    parser.add_argument("account_ids", nargs="*", help="accounts to check, not distribute_account_ids")
    options = parser.parse_args(arguments)
    try:
        variables = read_variables(options.variables.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        parser.error(f"{options.variables}: {error}")
    account_ids = [str(one) for one in options.account_ids or variables.get("distribute_account_ids") or ()]
    if wrong := [one for one in account_ids if not re.fullmatch(r"\d{12}", one)]:
        parser.error(f"an account ID must have 12 digits, in quotes in YAML (got {', '.join(wrong)})")
    try:
        # The only session with these credentials: each further one could ask for an MFA code again.
        core = botocore.session.Session()
        session = boto3.session.Session(botocore_session=core)
        sts = session.client("sts", region_name=variables["distribute_regions"][0], config=_CONFIG)
        owner = check_owner(variables, session, sts)
    except (*Error, ValueError) as error:
        print(f"These credentials cannot be used: {error}", file=sys.stderr)
        return 1
    print(f"Owner {owner.account_id}, as {owner.role}\n\n{render_list(owner)}\n")
    checked = [owner]
    if account_ids and _is_set("distribute_consumer_role_name", variables):
        consumers = check_consumers(owner, sts, core.get_component("data_loader"), account_ids, variables)
        print(f"Consumer accounts, as {consumers[0].role}\n\n{render_table(consumers)}\n")
        checked += consumers
    if unchecked := find_unchecked(variables, account_ids):
        print(f"Not checked: {unchecked}\n")
    if text := render_problems(checked, shutil.get_terminal_size().columns):
        print(f"What is missing or unknown, and where\n\n{text}")
    elif not unchecked:
        print("Nothing is missing.")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())

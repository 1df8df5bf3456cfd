# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles and keys that ``bootstrap`` creates: their policies, and the parameters in place of the names.

``cloudformation`` and ``terraform`` write each of them in their format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from checks.iam import policies
from checks.iam.permissions import CONSUMER_ROLE, EXTERNAL_ID, OWNER, PARAMETERS, REPORTS
from checks.iam.statements import VERSION, Policy, Statement

# Copies can take hours (IAM User Guide, "Update the maximum session duration for a role").
SESSION_SECONDS = 4 * 3600


@dataclass(frozen=True)
class Parameter:
    """A parameter of a template; without ``default``, it has to be set.

    ``kind`` is text, list or switch. ``pattern`` is what the whole text must match.
    """

    name: str
    description: str
    default: str | None = None
    pattern: str = ""
    kind: str = "text"

    @property
    def variable(self) -> str:
        """The name of the variable in Terraform."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", self.name).lower()


@dataclass(frozen=True)
class Role:
    """A role with its policies.

    ``name`` is the parameter that names it. ``optional`` are policies that it gets only if the parameter is
    set to another value than its default. ``owner`` is the parameter with the account that owns the images;
    without one, that is the role's own account.
    """

    file: str
    description: str
    name: Parameter
    trust: Mapping[str, Any]
    policies: tuple[Policy, ...]
    optional: tuple[tuple[Policy, Parameter], ...] = ()
    parameters: tuple[Parameter, ...] = ()
    owner: Parameter | None = None
    session_seconds: int = 3600

    @property
    def all_parameters(self) -> tuple[Parameter, ...]:
        """All parameters: those without a default first."""
        found = (
            *((self.owner,) if self.owner else ()),
            self.name,
            *self.parameters,
            *(parameter for _policy, parameter in self.optional),
        )
        return tuple(sorted(dict.fromkeys(found), key=lambda one: one.default is not None))


_NAME = r"[\w+=,.@-]{1,64}"
TRUSTED = Parameter(
    "TrustedPrincipalArns",
    "ARNs of the users and roles that distribute images, or of the account itself with :root, which lets "
    "its administrators decide by their policies",
    kind="list",
)
OWNER_NAME = "golden-images"
OWNER_ROLE = Parameter("RoleName", "Name of the role that distributes images", OWNER_NAME, _NAME)
# aws:PrincipalArn of a session is its role's ARN, with the role's path (IAM User Guide, AWS global condition
# context keys).
OWNER_ROLES = Parameter(
    "OwnerRoleName",
    "Name of the owner's role that may assume this role, after its path if it has one; * is for any text, if "
    "several may",
    OWNER_NAME,
    r"[\w+=,.@*/-]{1,512}",
)
CHECK_OWNER = Policy(
    "check-accounts",
    "Checking the accounts",
    "the owner's role, where it runs `bootstrap/check_accounts.py`",
    (
        Statement(
            "SimulateOwnPolicies",
            "what the role's own policies allow",
            ("iam:SimulatePrincipalPolicy",),
            resources=(f"arn:aws:iam::{OWNER}:role/{OWNER_NAME}",),
        ),
    ),
)
"""A policy that only the templates have: each role of the consumers has it in another one."""
_REPLACE_KEY_POLICIES = "ReplaceKeyPolicies"
ENCRYPTED = replace(
    policies.DISTRIBUTE_ENCRYPTED,
    statements=tuple(
        one for one in policies.DISTRIBUTE_ENCRYPTED.statements if one.sid != _REPLACE_KEY_POLICIES
    ),
)
KEY_POLICIES = replace(
    policies.DISTRIBUTE_ENCRYPTED,
    name="replace-key-policies",
    statements=tuple(
        one for one in policies.DISTRIBUTE_ENCRYPTED.statements if one.sid == _REPLACE_KEY_POLICIES
    ),
)
"""Apart from the others: who may replace the policy of a key can give the key to anybody."""
CONSUMER_NAME = Parameter(
    "ConsumerRoleName", "Name of the role in the consumer accounts", CONSUMER_ROLE, _NAME
)
PATH = Parameter(
    "ParameterPath",
    "Path of the SSM parameters that images are published in, without the slash at its ends: golden is for "
    "/golden/web",
    PARAMETERS,
    r"[\w.-]+(/[\w.-]+)*",
)
BUCKET = Parameter(
    "ReportsBucket",
    "Name of an S3 bucket that reports are uploaded to; empty for none",
    "",
    r"[a-z0-9.-]{0,63}",
)
KEY_ALIAS = Parameter(
    "KeyAlias", "Alias of the key, without alias/ at its beginning", "golden", r"[\w/-]{1,250}"
)
REGIONS = Parameter(
    "KeyRegions", "Regions to create a KMS key in, for encrypted images; the source's is one of them", "",
    kind="list",
)  # fmt: skip
OWNER_ACCOUNT = Parameter("OwnerAccountId", "ID of the account that owns the images", pattern=r"\d{12}")
CONSUMER_EXTERNAL_ID = Parameter(
    "ExternalId",
    "External ID that the owner passes to assume the role",
    EXTERNAL_ID,
    r"[\w+=,.@:/-]{2,}",
)


def _switch(name: str, description: str) -> Parameter:
    return Parameter(name, description, "false", kind="switch")


OWNER_TEMPLATE = Role(
    "owner-role",
    "The role of the account that owns golden images which copies, shares, verifies and publishes them.",
    OWNER_ROLE,
    {
        "Version": VERSION,
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": TRUSTED}, "Action": "sts:AssumeRole"},
        ],
    },
    (
        policies.DISTRIBUTE,
        policies.PUBLISH,
        policies.DIAGNOSE,
        policies.ASSUME_ROLES,
        CHECK_OWNER,
    ),
    (
        (
            ENCRYPTED,
            _switch("EncryptedImages", "For distribute_kms_key_id and distribute_kms_key_ids"),
        ),
        (
            KEY_POLICIES,
            _switch(
                "KeyPolicies",
                "For encrypted images with distribute_org_arns, distribute_org_unit_arns, or "
                "distribute_kms_access_method key_policy",
            ),
        ),
        (policies.UPLOAD_REPORTS, BUCKET),
    ),
    (TRUSTED, CONSUMER_NAME, PATH),
    session_seconds=SESSION_SECONDS,
)
CONSUMER_TEMPLATE = Role(
    "consumer-role",
    "The role of a consumer account by which the owner of golden images verifies and publishes them there.",
    CONSUMER_NAME,
    {
        "Version": VERSION,
        "Statement": [
            {
                **one,
                "Condition": {
                    **one["Condition"],
                    "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/{OWNER_NAME}"},
                },
            }
            for one in policies.TRUST["Statement"]
        ],
    },
    (policies.CONSUMER_VERIFY, policies.CONSUMER_LAUNCH),
    (
        (policies.PUBLISH, _switch("PublishInAccounts", "For distribute_publish_parameter")),
        (policies.CONSUMER_COPY, _switch("CopyIntoAccounts", "For distribute_copy_into_accounts")),
        (policies.CONSUMER_AUTO_SCALING, _switch("AutoScaling", "For distribute_auto_scaling")),
        (policies.CONSUMER_USAGE, _switch("ReadUsage", "For cleanup_consumer_role_name")),
        (
            policies.CONSUMER_VOLUMES,
            _switch("ReadVolumes", "For runs that revoke grants, such as cleanup_revoke_grants"),
        ),
    ),
    (OWNER_ROLES, CONSUMER_EXTERNAL_ID, PATH),
    OWNER_ACCOUNT,
)
ROLES = (OWNER_TEMPLATE, CONSUMER_TEMPLATE)


def replaced(document: Any, reference: Mapping[str, str]) -> Any:
    """Return a policy whose names are references to parameters.

    ``reference`` is how the format refers to ``Partition``, ``Owner`` and to each parameter, by its name.
    """
    parts = {
        OWNER_ROLE: (f":role/{OWNER_NAME}", ":role/{}"),
        OWNER_ROLES: (f":role/{OWNER_NAME}", ":role/{}"),
        CONSUMER_NAME: (f":role/{CONSUMER_ROLE}", ":role/{}"),
        PATH: (f":parameter/{PARAMETERS}/", ":parameter/{}/"),
        BUCKET: (f":::{REPORTS}", ":::{}"),
        CONSUMER_EXTERNAL_ID: (EXTERNAL_ID, "{}"),
    }
    names = {
        "arn:aws:": f"arn:{reference['Partition']}:",
        OWNER: reference["Owner"],
        **{
            name: form.format(reference[one.name])
            for one, (name, form) in parts.items()
            if one.name in reference
        },
    }
    pattern = re.compile("|".join(re.escape(name) for name in names))

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(lambda found: names[found[0]], value)
        if isinstance(value, Mapping):
            return {key: walk(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [walk(item) for item in value]
        return value

    return walk(document)

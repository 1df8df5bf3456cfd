# SPDX-License-Identifier: GPL-3.0-or-later

"""A request whose copy or key no account could use is refused before anything is changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import encrypted
from .encrypted import ALIAS, DISTRIBUTE, EXTERNAL_ID, ROLE, EncryptedFixture, root, steps
from .fixture import HOME, OWNER
from .in_process import Modules
from .playbook import Ansible, Task

AWAY = "eu-west-1"
# Where the account encrypts by default.
BY_DEFAULT = "eu-central-1"
DISK = {"device_name": "/dev/xvda", "size": 8}


@dataclass(frozen=True)
class Row:
    """Arguments that replace those of a request that would do, and how that fails.

    ``code`` and ``region`` are those of every failure, ``says`` are parts of the message: what is wrong, and
    what to do about it.
    """

    other: Mapping[str, Any]
    code: str
    region: str | None
    says: tuple[str, ...]


@pytest.fixture
def fixture(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted image."""
    return EncryptedFixture(aws)


@pytest.fixture
def others(aws: SimulatedAws, fixture: EncryptedFixture) -> dict[str, str]:
    """Images and keys that won't do, by what is the matter with them."""
    one = {"account": OWNER, "regions": [AWAY]}
    administrator = f"arn:aws:iam::{aws.account_id(OWNER)}:user/administrator"
    everything = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    with_root = {**everything, "Principal": {"AWS": root(aws.account_id(OWNER))}}
    described = fixture.add(
        kms_keys={
            "disabled": {**one, "alias": "alias/disabled", "state": "Disabled"},
            "pending": {**one, "alias": "alias/pending", "state": "PendingDeletion"},
            "asymmetric": {**one, "alias": "alias/asymmetric", "spec": "RSA_2048"},
            "full": {**one, "policy": {"Statement": [with_root, *_nearly_full(with_root)]}},
            "rootless": {
                **one,
                "policy": {"Statement": [{**everything, "Principal": {"AWS": administrator}}]},
            },
        },
        ebs_encryption=[{"accounts": [OWNER], "regions": [BY_DEFAULT], "by_default": True}],
        images={
            "plain": {"account": OWNER, "region": HOME, "devices": [DISK]},
            "aws/ebs": {"account": OWNER, "region": AWAY, "devices": [{**DISK, "encrypted": True}]},
        },
    )
    keys = {name: regions[AWAY] for name, regions in described["kms_keys"].items()}
    return keys | {name: image["image_id"] for name, image in described["images"].items()}


def _nearly_full(statement: Mapping[str, Any]) -> list[dict[str, Any]]:
    """So many statements that a policy of them has no room for another two."""
    size = len(json.dumps({**statement, "Sid": "Padding100"})) + len(", ")
    return [{**statement, "Sid": f"Padding{number}"} for number in range(100, 100 + 32_400 // size)]


def _refuse(aws: SimulatedAws, ansible: Ansible, module: str, base: Mapping[str, Any], rows: Any) -> None:
    """Try every row and see that it is refused for its reason, and that nothing is changed."""
    asked = {
        title: (module, {name: one for name, one in {**base, **row.other}.items() if one is not None})
        for title, row in rows.items()
    }
    aws.clear_calls()
    run = steps(ansible, asked)
    assert run.code == 0, run.text
    for title, row in rows.items():
        _assert_refused(title, run.task(title), row)
    assert encrypted.changes(aws, refused=True) == []


def _assert_refused(title: str, task: Task, row: Row) -> None:
    assert (title, task.status, task.codes) == (title, "failed", [(row.region, row.code)])
    assert [text for text in row.says if text not in task.result["msg"]] == [], task.result["msg"]
    assert task.result["msg"].endswith("This task changed nothing.")
    assert not task.changed


def _spot_role(aws: SimulatedAws, account: str) -> str:
    path = "role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot"
    return f"arn:aws:iam::{aws.account_id(account)}:{path}"


def test_copies(
    aws: SimulatedAws, fixture: EncryptedFixture, modules: Modules, others: dict[str, str]
) -> None:
    copy = {
        "source_image_id": fixture.image_id,
        "source_region": HOME,
        "regions": ["us-west-2", AWAY],
        "kms_key_id": ALIAS,
    }
    managed = (
        "is the alias of an AWS managed key. Snapshots encrypted under an AWS managed key cannot be shared"
    )
    invalid = "invalid_option"
    _refuse(
        aws,
        modules,
        "ami_copy_regions",
        copy,
        {
            "no key": Row(
                {"kms_key_id": None, "kms_key_ids": {"us-west-2": ALIAS}},
                *("default_key", AWAY),
                ("The copy will be encrypted, and no key is set", "Set a key in kms_key_id", AWAY),
            ),
            "encrypted by default": Row(
                {"kms_key_id": None, "source_image_id": others["plain"], "regions": [AWAY, BY_DEFAULT]},
                *("default_key", BY_DEFAULT),
                ("Encryption by default is on, and no key is set", "allow_default_key: true", BY_DEFAULT),
            ),
            "aws/ebs": Row(
                {"kms_key_ids": {AWAY: "alias/aws/ebs"}},
                *("default_key", AWAY),
                (managed, "Set a customer managed key", AWAY),
            ),
            "a source under aws/ebs that will be shared": Row(
                {
                    "source_image_id": others["aws/ebs"],
                    "source_region": AWAY,
                    "require_shareable": True,
                },
                *("default_key", AWAY),
                (
                    f"{others['aws/ebs']} is encrypted under the AWS managed key",
                    "reencrypt_source: true",
                    AWAY,
                ),
            ),
            "no such alias": Row(
                {"kms_key_ids": {AWAY: "alias/nothing"}},
                *("NotFoundException", AWAY),
                ("alias/nothing", "Create the key or the alias in this region", AWAY),
            ),
            "disabled": Row(
                {"kms_key_ids": {AWAY: "alias/disabled"}},
                *("key_not_enabled", AWAY),
                (f"alias/disabled ({others['disabled']}) is in the state Disabled", "Enable the key", AWAY),
            ),
            "pending deletion": Row(
                {"kms_key_ids": {AWAY: "alias/pending"}},
                *("key_not_enabled", AWAY),
                (f"alias/pending ({others['pending']}) is in the state PendingDeletion", "cancel", AWAY),
            ),
            "asymmetric": Row(
                {"kms_key_ids": {AWAY: "alias/asymmetric"}},
                *("unsupported_key_type", AWAY),
                (others["asymmetric"], "RSA_2048", "Set a symmetric encryption key", AWAY),
            ),
            "of another region": Row(
                {"kms_key_ids": {AWAY: fixture.key("us-west-2")}},
                *(invalid, AWAY),
                (f"{fixture.key('us-west-2')} is a key in us-west-2", "a key in its own region", AWAY),
            ),
            "a region that gets no copy": Row(
                {"kms_key_ids": {BY_DEFAULT: ALIAS}},
                invalid,
                None,
                (f"'{BY_DEFAULT}' is not in the option regions",),
            ),
            "decryption": Row(
                {"encrypted": False, "kms_key_id": None},
                *(invalid, None),
                (f"{fixture.image_id} is encrypted", "Remove encrypted, and set a key"),
            ),
        },
    )


def test_grants_and_key_policies(
    aws: SimulatedAws, fixture: EncryptedFixture, modules: Modules, others: dict[str, str]
) -> None:
    granted = {"kms_key_ids": {AWAY: fixture.key(AWAY)}, "account_ids": fixture.account_ids("web-prod")}
    organization = {"account_ids": [], "org_arns": [fixture.org_arn]}
    invalid = "invalid_option"
    _refuse(
        aws,
        modules,
        "ami_kms_grant",
        granted,
        {
            "an image under aws/ebs": Row(
                {"kms_key_ids": None, "images": {AWAY: others["aws/ebs"]}},
                *("default_key", AWAY),
                ("is an AWS managed key", "Copy the image with a customer managed key", AWAY),
            ),
            "no such key": Row(
                {"kms_key_ids": {AWAY: "alias/nothing"}},
                *("NotFoundException", AWAY),
                ("alias/nothing", "Create the key or the alias in this region", AWAY),
            ),
            "disabled": Row(
                {"kms_key_ids": {AWAY: others["disabled"]}},
                *("key_not_enabled", AWAY),
                (f"{others['disabled']} is in the state Disabled", "Enable the key", AWAY),
            ),
            "pending deletion": Row(
                {"kms_key_ids": {AWAY: others["pending"]}},
                *("key_not_enabled", AWAY),
                (f"{others['pending']} is in the state PendingDeletion", "cancel its deletion", AWAY),
            ),
            "too long a policy": Row(
                {"kms_key_ids": {AWAY: others["full"]}, **organization},
                *("key_policy_too_large", AWAY),
                (others["full"], "AWS allows 32768", "use access_method: grant", AWAY),
            ),
            "a policy without the root": Row(
                {"kms_key_ids": {AWAY: others["rootless"]}, **organization},
                *("key_policy_without_root", AWAY),
                (others["rootless"], "gives the account's root no access", "Add the default statement", AWAY),
            ),
            "an organization by grant": Row(
                {"access_method": "grant", **organization},
                invalid,
                None,
                ("cannot name", "Use access_method: auto"),
            ),
            "a role of another partition": Row(
                {"principals": [f"arn:aws-us-gov:iam::{aws.account_id(OWNER)}:role/deploy"]},
                invalid,
                None,
                ("is in the partition aws-us-gov", "Use an ARN that begins with arn:aws:"),
            ),
            "a service-linked role of another account": Row(
                {"principals": [_spot_role(aws, "web-prod")]},
                invalid,
                None,
                ("is a service-linked role", "create the grant with credentials of its account"),
            ),
            "Auto Scaling without a role": Row(
                {"auto_scaling": True}, invalid, None, ("each account itself", "consumer_role_name")
            ),
            "no consumer to revoke from": Row(
                {"account_ids": [], "state": "absent"},
                invalid,
                None,
                ("no consumer is set", "keep or lose access"),
            ),
        },
    )


@pytest.mark.nightly
def test_sharing_and_the_whole(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, others: dict[str, str]
) -> None:
    accounts = fixture.account_ids("web-prod")
    share = {"images": {HOME: fixture.image_id}, "account_ids": accounts}
    _refuse(
        aws,
        ansible,
        "ami_share",
        share,
        {
            "one of the images under aws/ebs": Row(
                {"images": {HOME: fixture.image_id, AWAY: others["aws/ebs"]}},
                *("default_key", AWAY),
                (f"{others['aws/ebs']} is encrypted under", "kms_key_id of ami_copy_regions", AWAY),
            ),
        },
    )
    administrator = {"AWS": f"arn:aws:iam::{aws.account_id(OWNER)}:user/administrator"}
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": administrator}
    rootless = {
        "account": OWNER,
        "regions": [AWAY],
        "alias": "alias/rootless",
        "policy": {"Statement": [statement]},
    }
    built = fixture.add(kms_keys={"central": {"account": "sandbox", "regions": [AWAY]}, "rootless": rootless})
    into = {
        "distribute_kms_key_id": ALIAS,
        "distribute_copy_into_accounts": True,
        "distribute_consumer_role_name": ROLE,
        "distribute_external_id": EXTERNAL_ID,
    }
    # Without a key, and as what only a later step would notice: neither copies first.
    for variables, task in (
        ({}, "Plan the copies"),
        (
            {"distribute_kms_key_id": ALIAS, "distribute_auto_scaling": True},
            "Validate options of all steps",
        ),
        # The consumers' own copies: without a key, and with a key or a role that they do not have.
        (into, "Validate options with the planned copies"),
        ({**into, "distribute_consumer_kms_key_id": "alias/missing"}, "Look up existing consumer copies"),
        (
            {
                **into,
                "distribute_consumer_kms_key_id": ALIAS,
                "distribute_consumer_role_name": "typo",
            },
            "Look up existing consumer copies",
        ),
        # A key by its alias, whose policy cannot be written.
        (
            {
                "distribute_kms_key_ids": {AWAY: "alias/rootless"},
                "distribute_org_arns": [fixture.org_arn],
            },
            "Check access to the KMS keys of the copies",
        ),
        # A role to which only its own account can give access.
        (
            {
                "distribute_kms_key_id": ALIAS,
                "distribute_kms_principals": [_spot_role(aws, "web-prod")],
            },
            "Check access to the KMS keys of the copies",
        ),
        # A key of another account, whose policy does not let this account manage grants.
        (
            {"distribute_kms_key_id": ALIAS, "distribute_kms_key_ids": built["kms_keys"]["central"]},
            "Check access to the KMS keys of the copies",
        ),
    ):
        run = ansible.run(
            DISTRIBUTE,
            {
                "distribute_source_image_id": fixture.image_id,
                "distribute_source_region": HOME,
                "distribute_regions": [HOME, AWAY],
                "distribute_account_ids": accounts,
                **variables,
            },
        )
        assert run.code != 0
        assert run.task(task).status == "failed", json.dumps([one.name for one in run.tasks])
    (failure,) = run.task("Write the distribution report").result["report"]["failures"]
    assert (failure["error_code"], failure["region"]) == ("not_owner", AWAY)
    assert "docs/iam/key-policy-statement.json" in failure["remedy"]
    assert encrypted.changes(aws, refused=True) == []

# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_kms_grant``, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._kms_grant.options import GrantOptions

from tests.unit.examples import CONSUMER, ORG, SOURCE_ID, UNIT
from tests.unit.kms_grant.examples import Run
from tests.unit.kms_grant.kms_in_memory import world

ROLE = f"arn:aws:iam::{CONSUMER}:role/path/deploy"
LONG_ROLE = f"arn:aws:iam::{CONSUMER}:role/{'x' * 230}/deploy"
SCALING_NAME = "AWSServiceRoleForAutoScaling"
SCALING_ROLE = f"arn:aws:iam::{CONSUMER}:role/aws-service-role/autoscaling.amazonaws.com/{SCALING_NAME}"
IMAGES = {"eu-west-1": SOURCE_ID}
KEYS = {"eu-west-1": "alias/golden", "us-east-1": None}


def checked(check_mode: bool = False, **changes: Any) -> Any:
    """What a minimal task with these changes wants; raises ``ValidationError``."""
    return Run(
        {"kms_key_ids": KEYS, "account_ids": [CONSUMER], **changes}, world(), check_mode=check_mode
    ).wanted


def by_image(**changes: Any) -> dict[str, Any]:
    return {"kms_key_ids": None, "images": IMAGES, **changes}


def test_a_key_of_another_region_is_refused_before_a_call() -> None:
    key = f"arn:aws:kms:eu-west-1:{CONSUMER}:key/1"
    run = Run({"kms_key_ids": {"eu-west-1": key, "us-east-1": key}, "account_ids": [CONSUMER]}, world())
    with pytest.raises(ValidationError) as refused:
        run.wanted  # noqa: B018
    (failure,) = refused.value.failures
    assert failure.text() == (
        f"kms_key_ids: {key} is a key in eu-west-1, not in us-east-1. Map each region to a key in it, or to "
        "an alias that exists in each region."
    )


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"account_ids": []}, id="no consumer"),
        pytest.param(by_image(), id="images"),
        pytest.param(by_image(images=None, image_id=SOURCE_ID, region="eu-west-1"), id="one image"),
        pytest.param(by_image(images={"eu-west-1": None}, check_mode=True), id="a planned image"),
        pytest.param({"operations": ["Decrypt", " CreateGrant "]}, id="spaces"),
        pytest.param({"best_effort_regions": ["sa-east-1"]}, id="a best-effort region without an image"),
        pytest.param({"state": "absent"}, id="revoke"),
        pytest.param(
            {"state": "absent", "account_ids": [], "org_arns": [ORG]}, id="revoke from an organization"
        ),
        pytest.param(
            {"state": "absent", "account_ids": [], "org_ids": ["o-a1b2c3d4e5"]},
            id="revoke from an organization by id",
        ),
        pytest.param(
            {"state": "absent", "account_ids": [], "org_unit_ids": ["ou-ab12-11111111"]},
            id="revoke from a unit by id",
        ),
        pytest.param({"purge_grants": True}, id="purge"),
        pytest.param({"purge_grants": True, "account_ids": [], "principals": [ROLE]}, id="purge with a role"),
        pytest.param({"access_method": "grant"}, id="grants for accounts"),
        pytest.param({"principals": [f"arn:aws:iam::{CONSUMER}:user/build"]}, id="a user"),
        pytest.param(
            {"principals": [f"arn:aws:iam::{CONSUMER}:role/team/a/deploy"]}, id="a role with a path"
        ),
        pytest.param({"principals": [f"arn:aws:sts::{CONSUMER}:federated-user/eve"]}, id="a federated user"),
        pytest.param(
            {"principals": [f"arn:aws:sts::{CONSUMER}:assumed-role/deploy/ci"]}, id="an assumed role"
        ),
        pytest.param({"principals": [LONG_ROLE], "access_method": "key_policy"}, id="a long ARN in a policy"),
        pytest.param({"principals": [LONG_ROLE], "state": "absent"}, id="a long ARN to revoke"),
        pytest.param({"principals": [SCALING_ROLE], "state": "absent"}, id="a role of a service to revoke"),
        pytest.param({"auto_scaling_roles": [f"{SCALING_NAME}_{'x' * 35}"]}, id="a long suffix"),
        pytest.param({"principals": [f"arn:aws-us-gov:iam::{CONSUMER}:role/deploy"]}, id="in GovCloud"),
    ],
)
def test_valid_options(changes: dict[str, Any]) -> None:
    assert checked(**changes)


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        pytest.param(
            {"access_method": "grant", "org_arns": [ORG]}, ["access_method"], id="a grant for an organization"
        ),
        pytest.param(
            {"access_method": "grant", "org_unit_arns": [UNIT]}, ["access_method"], id="a grant for a unit"
        ),
        pytest.param({"unshared_image_ids": ["golden"]}, ["unshared_image_ids"], id="no ID of an image"),
        pytest.param({"unshared_snapshot_ids": ["golden"]}, ["unshared_snapshot_ids"], id="no snapshot"),
        pytest.param({"auto_scaling": True}, ["auto_scaling"], id="Auto Scaling without a role"),
        pytest.param(
            {"auto_scaling": True, "consumer_role_name": "r", "account_ids": [], "org_arns": [ORG]},
            ["auto_scaling"],
            id="Auto Scaling without accounts",
        ),
        pytest.param({"state": "absent", "account_ids": []}, ["account_ids"], id="revoke without consumers"),
        pytest.param({"state": "absent", "account_ids": [" "]}, ["account_ids"], id="revoke from a blank"),
        pytest.param(
            {"purge_grants": True, "account_ids": []}, ["account_ids"], id="purge without consumers"
        ),
        pytest.param({"state": "absent", "purge_grants": True}, ["purge_grants"], id="purge and absent"),
        pytest.param({"org_ids": ["o-a1b2c3d4e5"]}, ["org_ids"], id="grant to an organization by id"),
        pytest.param({"org_unit_ids": ["ou-ab12-11111111"]}, ["org_unit_ids"], id="grant to a unit by id"),
        pytest.param({"state": "absent", "org_ids": [ORG]}, ["org_ids"], id="an ARN as an id"),
        pytest.param({"state": "absent", "org_unit_ids": ["x"]}, ["org_unit_ids"], id="not a unit id"),
        pytest.param({"kms_key_ids": {}}, ["kms_key_ids"], id="no region"),
        pytest.param({"kms_key_ids": {"eu-west-1": ["alias/golden"]}}, ["kms_key_ids"], id="no text"),
        pytest.param(by_image(images={}), ["images"], id="no image"),
        pytest.param(by_image(images={"eu-west-1": None}), ["images"], id="no image yet"),
        pytest.param(by_image(images={"eu-west-1": "x"}), ["images"], id="no image id"),
        pytest.param(by_image(images=None, image_id=SOURCE_ID), ["image_id"], id="an image of no region"),
        pytest.param({"account_ids": [12345678901]}, ["account_ids"], id="a number"),
        pytest.param({"principals": ["deploy"]}, ["principals"], id="a role's name"),
        pytest.param({"principals": [f"arn:aws:iam::{CONSUMER}:role/*"]}, ["principals"], id="a wildcard"),
        pytest.param({"principals": [LONG_ROLE]}, ["principals"], id="too long for a grant"),
        pytest.param({"auto_scaling_roles": []}, ["auto_scaling_roles"], id="no role for Auto Scaling"),
        pytest.param({"auto_scaling_roles": [SCALING_ROLE]}, ["auto_scaling_roles"], id="the ARN of a role"),
        pytest.param({"auto_scaling_roles": ["web"]}, ["auto_scaling_roles"], id="a suffix alone"),
        pytest.param(
            {"auto_scaling_roles": ["AWSServiceRoleForAutoScalingPlans_X"]},
            ["auto_scaling_roles"],
            id="a role of another service",
        ),
        pytest.param(
            {"auto_scaling_roles": [f"{SCALING_NAME}_{'x' * 36}"]},
            ["auto_scaling_roles"],
            id="a longer name than roles have",
        ),
        pytest.param(
            {"principals": [f"arn:aws:iam::{CONSUMER}:role/team*/deploy"]}, ["principals"], id="in the path"
        ),
        pytest.param({"principals": [f"arn:aws:iam::{CONSUMER}:role/../x"]}, ["principals"], id="dots"),
        pytest.param({"principals": [f"arn:aws:iam::{CONSUMER}:role/a b"]}, ["principals"], id="a space"),
        pytest.param({"principals": [f"arn:aws:iam::{CONSUMER}:role/"]}, ["principals"], id="no name"),
        pytest.param(
            {"principals": [f"arn:aws:iam::{CONSUMER}:root"]}, ["principals"], id="an account's root"
        ),
        pytest.param({"principals": [f"arn:aws:iam::{CONSUMER}:group/x"]}, ["principals"], id="a group"),
        pytest.param({"principals": ["autoscaling.amazonaws.com"]}, ["principals"], id="a service"),
        pytest.param(
            {"principals": [f"arn:aws:sts::{CONSUMER}:federated-user/{'e' * 33}"]},
            ["principals"],
            id="a longer name than federated users have",
        ),
        pytest.param(
            {"principals": [f"arn:aws:sts::{CONSUMER}:assumed-role/deploy/x"]},
            ["principals"],
            id="a shorter name than sessions have",
        ),
        pytest.param({"best_effort_regions": ["Europe"]}, ["best_effort_regions"], id="not a region"),
        pytest.param({"principals": ["*"]}, ["principals"], id="every principal"),
        pytest.param({"org_arns": ["o-a1b2c3d4e5"]}, ["org_arns"], id="an organization's id"),
        pytest.param(
            {"org_arns": ["x"], "auto_scaling": True, "kms_key_ids": {}, "access_method": "grant"},
            ["org_arns", "access_method", "auto_scaling", "kms_key_ids"],
            id="all at once",
        ),
    ],
)
def test_invalid_options(changes: dict[str, Any], options: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        checked(**changes)
    assert [failure.action for failure in caught.value.failures] == options
    assert all(failure.remedy for failure in caught.value.failures)


@pytest.mark.parametrize("operation", ["*", "decrypt", "kms:Decrypt", "PutKeyPolicy"])
def test_invalid_operations_are_refused(operation: str) -> None:
    with pytest.raises(ValidationError):
        checked(operations=[operation], access_method="key_policy")


def test_external_id_is_not_logged() -> None:
    assert GrantOptions.argument_spec()["external_id"]["no_log"] is True
    assert "golden-7f3a" not in repr(checked(external_id="golden-7f3a"))

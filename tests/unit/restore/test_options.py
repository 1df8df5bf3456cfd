# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading and checking the options of ``ami_restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef
from ansible_collections.golden.images.plugins.module_utils._restore.options import RestoreOptions

from tests.unit.examples import OWNER, STRANGER, as_read

HERE, THERE = "ami-0123456789abcdef0", "ami-0fedcba9876543210"
BOTH = (ImageRef("eu-west-1", HERE), ImageRef("us-east-1", THERE))


def wanted(**params: Any) -> RestoreOptions:
    given = {"images": {"eu-west-1": HERE}, "tombstone_ssm_path": "/retired", **params}
    return RestoreOptions.read(as_read(RestoreOptions.argument_spec(), given), check_mode=False)


@pytest.mark.parametrize(
    "images",
    [
        {"eu-west-1": HERE, "us-east-1": THERE},
        [{"region": "eu-west-1", "image_id": HERE, "decision": "disable"}, f"us-east-1/{THERE}"],
        [f"eu-west-1/{HERE}", f" us-east-1/{THERE} ", ""],
        f"eu-west-1/{HERE}, us-east-1/{THERE}",
        f"eu-west-1/{HERE}\nus-east-1/{THERE},eu-west-1/{HERE}\n",
    ],
)
def test_images_in_all_their_forms(images: Any) -> None:
    assert tuple(wanted(images=images).images) == BOTH


def test_every_other_option_is_read() -> None:
    images = [{"region": "eu-west-1", "image_id": HERE, "account_id": OWNER}]
    assert wanted(
        images=images,
        tombstone_s3_uri="s3://bucket/a",
        tombstone_s3_bucket_owner=STRANGER,
        allow_public=True,
        restore_permissions=False,
    ) == RestoreOptions(
        images={BOTH[0]: OWNER},
        tombstone_s3_uri="s3://bucket/a",
        tombstone_s3_bucket_owner=STRANGER,
        tombstone_ssm_path="/retired",
        restore_permissions=False,
        allow_public=True,
    )


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"images": {}}, "there are no images"),
        ({"images": []}, "there are no images"),
        ({"images": "[]"}, "there are no images"),
        ({"images": [""]}, "there are no images"),
        ({"images": [HERE]}, "has no region"),
        ({"images": [{"image_id": HERE}]}, "has no region"),
        ({"images": 7}, "must be a mapping or a list (got 7)"),
        ({"images": {"eu-west-1": None}}, "null is not a valid AMI ID"),
        ({"images": "eu-west-1/snap-1"}, "'snap-1' is not a valid AMI ID"),
        ({"images": [{"region": "r", "image_id": HERE, "account_id": 12345678901}]}, "in double quotes"),
        ({"tombstone_ssm_path": None}, "restore_permissions: false"),
        ({"tombstone_ssm_path": "retired"}, "not a valid parameter path"),
        ({"tombstone_s3_uri": "bucket/folder"}, "not a valid S3 URI"),
        (
            {"tombstone_s3_bucket_owner": "1234"},
            "tombstone_s3_bucket_owner: '1234' is not a valid account ID",
        ),
    ],
)
def test_options_that_are_not_valid_are_refused(params: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        wanted(**params)
    assert said in str(caught.value)
    assert all(failure.error_code == "invalid_option" for failure in caught.value.failures)


def test_an_item_that_is_refused_is_told_once() -> None:
    with pytest.raises(ValidationError) as caught:
        wanted(images=[HERE])
    assert len(caught.value.failures) == 1


def test_no_tombstone_is_required_without_permissions(tmp_path: Path) -> None:
    assert not wanted(tombstone_ssm_path=None, restore_permissions=False).places
    file = tmp_path / "retired.jsonl"
    file.touch()
    assert wanted(tombstone_ssm_path=None, tombstone_path=str(file)).places == (str(file),)

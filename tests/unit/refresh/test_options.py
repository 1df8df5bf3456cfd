# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_instance_refresh`` refuses without a look at AWS."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._refresh.options import RefreshOptions

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.refresh.examples import BAD, GOOD, REGION, options, params


def test_the_defaults_are_few_groups_and_the_preferences_of_aws() -> None:
    read = RefreshOptions.read(params(), False)
    assert (read.max_groups, read.max_concurrent_groups, read.auto_rollback) == (10, 1, True)
    assert (read.min_healthy_percentage, read.standby_instances, read.alarms) == (None, None, ())


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"account_ids": []}, "account_ids: there are no accounts"),
        ({"auto_scaling_groups": []}, "auto_scaling_groups: there are no groups"),
        ({"auto_scaling_groups": ["x" * 256]}, "auto_scaling_groups: 'x"),
        ({"images": {REGION: None}}, "images: the image in eu-west-1 is null"),
        ({"min_healthy_percentage": 101}, "min_healthy_percentage: must be from 0 to 100 (got 101)"),
        ({"min_healthy_percentage": -1}, "min_healthy_percentage: must be from 0 to 100 (got -1)"),
        ({"max_healthy_percentage": 110}, "max_healthy_percentage: it needs a min_healthy_percentage"),
        (
            {"max_healthy_percentage": 200, "min_healthy_percentage": 99},
            "max_healthy_percentage: it needs a min_healthy_percentage that is at most 100 below it",
        ),
        ({"max_healthy_percentage": 99, "min_healthy_percentage": 50}, "from 100 to 200 (got 99)"),
        ({"bake_time": 172_801}, "bake_time: must be from 0 to 172800"),
        ({"bake_time": 7200}, "bake_time: it must be less than wait_timeout (got 7200 and 7200)"),
        ({"instance_warmup": -1}, "instance_warmup: must be 0 or greater"),
        ({"max_groups": 0}, "max_groups: must be 1 or greater"),
        ({"max_concurrent_groups": 0}, "max_concurrent_groups: must be 1 or greater"),
        ({"wait_timeout": 0}, "wait_timeout: must be 1 or greater"),
        ({"alarms": [str(number) for number in range(11)]}, "alarms: AWS takes at most 10 (got 11)"),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_what_is_refused(given: dict[str, Any], refused: str, check_mode: bool) -> None:
    with pytest.raises(ValidationError) as caught:
        RefreshOptions.read(params(**given), check_mode)
    assert refused in " ".join(failure.message for failure in caught.value.failures)


def test_the_largest_values_are_taken() -> None:
    given = {"max_healthy_percentage": 200, "min_healthy_percentage": 100, "bake_time": 172_800}
    given["wait_timeout"] = 200_000
    read = RefreshOptions.read(params(**given, alarms=[str(number) for number in range(10)]), False)
    assert (read.max_healthy_percentage, len(read.alarms)) == (200, 10)


def test_each_account_runs_its_own_image_or_that_of_the_owner() -> None:
    own = {(None, REGION): GOOD, (CONSUMER, REGION): BAD}
    read = options(account_ids=(OWNER, CONSUMER), images=own)
    assert read.targets() == {Target(CONSUMER, REGION): BAD, Target(OWNER, REGION): GOOD}


def test_two_images_of_one_account_are_refused() -> None:
    """Which of them its groups are to run is not said."""
    listed = [
        {"account_id": account_id, "region": REGION, "image_id": image}
        for account_id, image in {"222233334444": GOOD, "333344445555": BAD}.items()
    ]
    with pytest.raises(ValidationError, match="012345678901 has several in eu-west-1"):
        RefreshOptions.read(params(images=listed), False)

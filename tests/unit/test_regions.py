# SPDX-License-Identifier: GPL-3.0-or-later

"""Selection and validation of regions."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._regions import (
    check_region,
    list_enabled,
    refuse_partition,
    targets_in,
)

from tests.unit.examples import target_in

KNOWN = {"us-east-1": "opt-in-not-required", "af-south-1": "not-opted-in", "eu-west-1": "opted-in"}


def test_all_enabled_regions() -> None:
    assert list_enabled(KNOWN) == ("eu-west-1", "us-east-1")


@pytest.mark.parametrize(("region", "problem"), [("eu-west-9", "no region"), ("af-south-1", "not opted in")])
def test_a_region_that_does_not_exist_or_is_not_enabled_is_refused(region: str, problem: str) -> None:
    (failure,) = check_region("regions", region, KNOWN)
    assert problem in failure.message
    assert region in failure.message


@pytest.mark.parametrize(
    ("remedy", "expected"),
    [
        (None, "Remove the region, or use credentials of an account in aws-cn."),
        ("Carry the image there.", "Carry the image there."),
    ],
)
def test_a_region_of_another_partition_is_refused(remedy: str | None, expected: str) -> None:
    failure = refuse_partition("regions", "cn-north-1", "aws-cn", "aws", remedy)
    assert (failure.action, failure.text()) == (
        "regions",
        f"regions: 'cn-north-1' is in partition aws-cn, the credentials are for aws. {expected}",
    )


@pytest.mark.parametrize("region", ["eu-west-9", "af-south-1"])
def test_the_failure_names_the_option(region: str) -> None:
    (failure,) = check_region("encryption_regions", region, KNOWN)
    assert failure.action == "encryption_regions"
    assert failure.message.startswith("encryption_regions: ")
    assert failure.remedy
    assert [*check_region("encryption_regions", "us-east-1", KNOWN)] == []


def test_targets_are_selected_by_region() -> None:
    targets = [target_in("eu-west-1"), target_in("us-east-1")]
    assert targets_in({"us-east-1", "eu-west-9"}, targets) == {target_in("us-east-1")}

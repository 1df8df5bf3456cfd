# SPDX-License-Identifier: GPL-3.0-or-later

"""Selection and validation of regions."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._regions import (
    check_region,
    select_regions,
    targets_in,
)

from tests.unit.examples import target_in

KNOWN = {"us-east-1": "opt-in-not-required", "af-south-1": "not-opted-in", "eu-west-1": "opted-in"}


@pytest.mark.parametrize(
    ("named", "regions"),
    [((), ("eu-west-1", "us-east-1")), (("us-east-1", "eu-west-1"), ("us-east-1", "eu-west-1"))],
)
def test_the_named_or_all_enabled_regions(named: tuple[str, ...], regions: tuple[str, ...]) -> None:
    assert select_regions(named, KNOWN) == (regions, ())


@pytest.mark.parametrize(("region", "problem"), [("eu-west-9", "no region"), ("af-south-1", "not opted in")])
def test_a_region_that_does_not_exist_or_is_not_enabled_is_refused(region: str, problem: str) -> None:
    _regions, (failure,) = select_regions((region, "us-east-1"), KNOWN)
    assert problem in failure.message
    assert region in failure.message


def test_every_region_that_cannot_be_selected_is_refused() -> None:
    _regions, failures = select_regions(("af-south-1", "eu-west-1", "mars-1"), KNOWN)
    refused = ("af-south-1", "mars-1")
    assert all(name in failure.message for name, failure in zip(refused, failures, strict=True))


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

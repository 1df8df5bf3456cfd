# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies that other accounts own: what is read with which account's credentials, and what is not read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.read import SETTLING_GRACE_PERIOD
from ansible_collections.golden.images.plugins.module_utils._copy import read_source
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Image, Target
from ansible_collections.golden.images.plugins.module_utils._plan import KNOWN_AFTER_APPLY

from tests.unit.copy.account import OTHER_REGION, ROLE, SOURCE_KEY, Run, World, aws_with, copied_to, into
from tests.unit.copy.examples import REGION
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, SOURCE_REGION, copied_image, source_image
from tests.unit.keys.examples import ENCRYPTED, PLAIN, key_arn
from tests.unit.step_results import copy_result, share_result

OTHER = "222222222222"
EU, US = REGION, OTHER_REGION
BOTH = (CONSUMER, OTHER)
COPIES = "DescribeImages tag:golden.images:source"
BY_FIELD = "DescribeImages source-image-id source-image-region"
THEIRS = {"kms_key_id": "alias/golden"}


def world_for(*account_ids: str, source: Image = PLAIN) -> World:
    """The source, which these accounts see with its snapshots and its key."""
    world = aws_with(source)
    for account_id in account_ids:
        world.share(account_id)
    return world


def refusals(done: Run) -> list[tuple[str | None, str | None, str]]:
    return [(item.account_id, item.region, item.error_code) for item in done.plan.refusals]


def test_targets_are_all_accounts_and_regions_and_the_own_account_only_if_listed() -> None:
    world = world_for(*BOTH)
    plan = Run(into(*BOTH), world).plan
    assert [(action.target, action.operation) for action in plan.actions] == [
        (Target(account_id, region), "CopyImage") for account_id in sorted(BOTH) for region in (EU, US)
    ]
    tokens = {action.parameters["ClientToken"] for action in plan.actions}
    assert len(tokens) == len(plan.actions)
    assert set(plan.before) == {f"{account_id} {region}" for account_id in BOTH for region in (EU, US)}
    assert set(world.assumed) == {
        (f"arn:aws:iam::{account_id}:role/{ROLE}", "golden-7f3a") for account_id in BOTH
    }
    named = Run(into(OWNER, CONSUMER), world).plan
    assert {target.target.account_id for target in named.targets} == {OWNER, CONSUMER}


def test_each_account_reads_one_source_once_with_its_own_credentials() -> None:
    world = world_for(CONSUMER, source=ENCRYPTED)
    done = Run(into(CONSUMER, **THEIRS), world)
    assert {one.parameters["KmsKeyId"] for one in done.plan.actions} == {
        key_arn("wanted", region, CONSUMER) for region in (EU, US)
    }
    assert world.calls(CONSUMER) == {
        SOURCE_REGION: [
            f"DescribeImages {SOURCE_ID}",
            "DescribeSnapshots snap-source",
            f"DescribeKey {SOURCE_KEY}",
        ],
        **{region: [COPIES, BY_FIELD, "DescribeKey alias/golden"] for region in (EU, US)},
    }
    # The owner reads the source and its key, and nothing in the consumers' regions.
    assert world.calls(OWNER).keys() == {SOURCE_REGION}


def test_the_copies_are_made_with_each_accounts_credentials() -> None:
    world = world_for(*BOTH)
    done = Run(into(*BOTH), world)
    assert done.outcome.failures == ()
    assert done.result["images"] == [
        {"account_id": account_id, "region": region, "image_id": "ami-new-0"}
        for account_id in BOTH
        for region in (EU, US)
    ]
    for account_id in BOTH:
        for region in (EU, US):
            ec2 = world.ec2_of(account_id, region)
            assert ec2.writes() == [f"CopyImage {SOURCE_ID}"]
            assert ec2.images["ami-new-0"].state == "available"
    assert world.calls(OWNER).keys() == {SOURCE_REGION}


def world_with_copies() -> World:
    """The source, which the consumer does not see, and its copies there."""
    world = world_for()
    for region in (EU, US):
        world.ec2_of(CONSUMER, region).add((copied_image(owner_id=CONSUMER), ()))
    return world


@pytest.mark.parametrize(
    ("options", "world", "copies"),
    [
        pytest.param(copied_to(EU, US), world_for(), 2, id="no accounts"),
        pytest.param(into(CONSUMER), world_with_copies(), 0, id="the copies exist"),
        pytest.param(
            into(CONSUMER), world_for(source=source_image(owner_id=CONSUMER)), 2, id="it owns the source"
        ),
    ],
)
def test_access_is_not_read(options: dict[str, Any], world: World, copies: int) -> None:
    plan = Run(options, world, check_mode=True).plan
    assert (plan.refusals, len(plan.actions)) == ((), copies)
    assert SOURCE_REGION not in world.calls(CONSUMER)
    assert not any("Attribute" in one for one in world.calls(OWNER)[SOURCE_REGION])


def test_an_account_that_cannot_be_read_is_refused() -> None:
    world = world_for(*BOTH)
    world.ec2_of(CONSUMER, SOURCE_REGION).refuse["DescribeImages"] = "UnauthorizedOperation"
    with pytest.raises(ValidationError) as caught:
        _ = Run(into(*BOTH), world).seen
    assert [(one.error_code, one.account_id, one.region) for one in caught.value.failures] == [
        ("UnauthorizedOperation", CONSUMER, region) for region in (EU, US)
    ]
    plan = Run(into(*BOTH, best_effort_regions=[EU, US]), world).plan
    assert {action.target.account_id for action in plan.actions} == {OTHER}
    assert {one.account_id for one in plan.tolerated} == {CONSUMER}


def test_an_image_with_a_product_code_is_refused_in_every_other_account() -> None:
    """(The error of CopyImage: Images from AWS Marketplace cannot be copied to another AWS account.)"""
    coded = replace(PLAIN, product_codes=("abc123",))
    done = Run(into(OWNER, CONSUMER), world_for(CONSUMER, source=coded))
    assert refusals(done) == [(CONSUMER, region, "product_code") for region in (EU, US)]
    assert all("(abc123)" in one.message for one in done.plan.refusals)
    assert all("only within the owner's account" in one.message for one in done.plan.refusals)


def test_best_effort_regions_with_missing_access_are_left_out() -> None:
    done = Run(into(CONSUMER, best_effort_regions=[US]), world_for())
    assert refusals(done) == [
        (CONSUMER, EU, code) for code in ("missing_launch_permission", "missing_volume_permission")
    ]
    assert {item.region for item in done.plan.tolerated} == {US}


def test_failures_to_assume_a_role_name_the_account() -> None:
    world = world_for(*BOTH)
    world.unassumable = frozenset({OTHER})
    with pytest.raises(ValidationError) as caught:
        _ = Run(into(*BOTH), world).seen
    assert {(item.account_id, item.action) for item in caught.value.failures} == {(OTHER, "AssumeRole")}
    assert all(OTHER in item.message for item in caught.value.failures)


def test_failures_of_copies_name_the_account() -> None:
    world = world_for(CONSUMER)
    for account_id in (OWNER, CONSUMER):
        world.ec2_of(account_id, EU).refuse["CopyImage"] = "ResourceLimitExceeded"
    done = Run(into(OWNER, CONSUMER), world)
    assert [(one.account_id, one.region, one.error_code) for one in done.outcome.failures] == [
        (account_id, EU, "ResourceLimitExceeded") for account_id in (OWNER, CONSUMER)
    ]
    assert [one.message for one in done.outcome.failures] == ["No.", f"Account {CONSUMER}: No."]
    assert {(one["account_id"], one["region"]) for one in done.result["images"]} == {
        (OWNER, US),
        (CONSUMER, US),
    }


# An own source in each region.

SOURCES = {EU: "ami-00000000000000001", US: "ami-00000000000000002"}


def each_its_own(**options: Any) -> dict[str, Any]:
    return into(CONSUMER, **{"source_images": SOURCES, "source_region": None, **options})


def world_of_sources(state: str = "available", regions: tuple[str, ...] = (EU, US)) -> World:
    """An own source in each of these regions, shared with both accounts."""
    world = World()
    for region in regions:
        world.ec2_of(OWNER, region).add((source_image(image_id=SOURCES[region], state=state, devices=()), ()))
        for account_id in BOTH:
            world.share(account_id, region)
    return world


def test_each_region_copies_its_own_source_within_the_region() -> None:
    world = world_of_sources()
    plan = Run(each_its_own(), world).plan
    assert [
        (action.target.region, action.parameters["SourceRegion"], action.parameters["SourceImageId"])
        for action in plan.actions
    ] == [(region, region, SOURCES[region]) for region in (EU, US)]
    for region, calls in world.calls(CONSUMER).items():
        assert f"DescribeImages {SOURCES[region]}" in calls


def test_copies_of_a_source_that_is_only_planned() -> None:
    world = World()
    options = each_its_own(source_images={EU: None, US: None})
    done = Run(options, world, check_mode=True)
    assert done.plan.refusals == ()
    assert [action.parameters["SourceImageId"] for action in done.plan.actions] == [KNOWN_AFTER_APPLY] * 2
    assert world.calls(CONSUMER) == {one: ["GetEbsEncryptionByDefault"] for one in (EU, US)}
    assert done.result["images"] == [
        {"account_id": CONSUMER, "region": region, "image_id": None} for region in (EU, US)
    ]
    assert (done.result["source_image_id"], done.result["source_region"]) == (None, None)


def of_copies(images: dict[str, str | None], **options: Any) -> dict[str, Any]:
    return into(CONSUMER, copy_result=copy_result(images), source_region=None, **options)


@pytest.mark.parametrize("best_effort", [[], [US], [EU, US]])
def test_the_images_of_an_earlier_task_are_copied_where_they_are_shared(best_effort: list[str]) -> None:
    shared = share_result(failed_regions=[US])
    run = Run(of_copies(SOURCES, share_result=shared, best_effort_regions=best_effort), world_of_sources())
    alone = each_its_own(regions=[EU], best_effort_regions=[*{EU} & {*best_effort}])
    assert run.results == Run(alone, world_of_sources()).results
    assert {action.target.region for action in run.plan.actions} == {EU}


def test_regions_whose_copy_failed_are_left_out() -> None:
    plan = Run(of_copies({US: SOURCES[US]}, share_result={"skipped": True}), world_of_sources()).plan
    assert {action.target.region for action in plan.actions} == {US}


def test_check_mode_takes_what_earlier_tasks_plan_as_done() -> None:
    world = World()
    done = Run(of_copies({EU: None, US: None}), world, check_mode=True)
    assert [action.target.region for action in done.plan.actions] == [EU, US]
    assert world.calls(CONSUMER) == {one: ["GetEbsEncryptionByDefault"] for one in (EU, US)}
    assert len(Run(of_copies(SOURCES), world_of_sources("pending"), check_mode=True).plan.actions) == 2


def test_a_best_effort_region_has_time_until_its_source_is_available(
    grace_periods: Callable[[ModuleType], list[float]],
) -> None:
    waited = grace_periods(read_source)
    assert Run(each_its_own(best_effort_regions=[US]), world_of_sources()).plan.actions
    assert waited == [SETTLING_GRACE_PERIOD]


def test_a_pending_source_is_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        _ = Run(each_its_own(), world_of_sources("pending")).seen
    assert {item.action for item in caught.value.failures} == {"source_image_id"}


def test_a_best_effort_region_without_its_source_is_reported_for_every_account() -> None:
    options = {**each_its_own(best_effort_regions=[US]), "account_ids": list(BOTH)}
    # Also in check mode, which does not call apply.
    world = world_of_sources(regions=(EU,))
    plan = Run(options, world, check_mode=True).plan
    assert {action.target.region for action in plan.actions} == {EU}
    assert world.calls(CONSUMER).keys() == {EU}
    assert [(item.account_id, item.region) for item in plan.tolerated] == [(item, US) for item in BOTH]

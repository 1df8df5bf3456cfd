# SPDX-License-Identifier: GPL-3.0-or-later

"""Performing the actions of all targets: what is made of refusals, and of what a removal leaves."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._copy import apply
from ansible_collections.golden.images.plugins.module_utils._fanout import CHANGE_GRACE_PERIOD
from ansible_collections.golden.images.plugins.module_utils._model import Image, Snapshot

from tests.unit.copy.account import OTHER_REGION, Ec2, Run, World, aws_with, copied_to, into
from tests.unit.copy.examples import REGION
from tests.unit.examples import CONSUMER, MARK, OWNER, SOURCE_ID, adopted_image, copied_image, volumes

EU, US = REGION, OTHER_REGION
IN_USE = "AMI name golden is already in use by AMI ami-failed"
DUPLICATE = "InvalidAMIName.Duplicate"


def failures(done: Run) -> list[tuple[str | None, str | None, str]]:
    """The account, region and code of each failure."""
    return [(one.account_id, one.region, one.error_code) for one in done.outcome.failures]


def test_one_targets_refusal_affects_only_that_target() -> None:
    world = aws_with(region=US, refuse={"CopyImage": "ResourceLimitExceeded"})
    done = Run(copied_to(EU, US), world)
    assert failures(done) == [(OWNER, US, "ResourceLimitExceeded")]
    assert [(one.operation, one.target.region) for one in done.outcome.performed] == [("CopyImage", EU)]


def test_an_account_whose_role_can_no_longer_be_assumed() -> None:
    world = aws_with()
    world.share(CONSUMER)

    def lose_the_role() -> None:
        world.unassumable = frozenset({CONSUMER})

    done = Run(into(OWNER, CONSUMER), world, after_read=lose_the_role)
    assert failures(done) == [(CONSUMER, region, "AccessDenied") for region in (EU, US)]
    assert {one.target.account_id for one in done.outcome.performed} == {OWNER}
    assert {one["account_id"] for one in done.result["images"]} == {OWNER}


def test_copies_are_made_in_other_accounts_without_a_wait() -> None:
    world = aws_with()
    world.share(CONSUMER)
    done = Run(into(CONSUMER, wait=False), world)
    assert failures(done) == []
    assert [one["state"] for one in done.results] == ["pending", "pending"]


def test_a_best_effort_region_has_time_to_settle(
    grace_periods: Callable[[ModuleType], list[float]],
) -> None:
    waited = grace_periods(apply)
    assert failures(Run(copied_to(wait=False, best_effort_regions=[EU]), aws_with())) == []
    assert waited == [CHANGE_GRACE_PERIOD]


def test_the_tags_of_copies_are_changed() -> None:
    """A rerun finds nothing more to change."""
    snapshot = Snapshot("snap-1", "completed", 100, tags={**MARK, "old": "1"})
    image = copied_image("ami-eu", devices=volumes("snap-1"), tags={"old": "1"})
    world = aws_with(None, (image, [snapshot]))
    options = copied_to(tags={"a": "1"}, snapshot_tags={"b": "2"}, purge_tags=True)
    done = Run(options, world)
    assert failures(done) == []
    assert world.writes() == [
        *("DeleteTags ami-eu", "CreateTags ami-eu", "DeleteTags snap-1", "CreateTags snap-1")
    ]
    assert world.ec2_of().images["ami-eu"].tags == {**MARK, "a": "1"}
    assert world.ec2_of().snapshots["snap-1"].tags == {**MARK, "b": "2"}
    assert Run(options, world).plan.actions == ()


def test_a_copy_whose_tags_cannot_be_changed_has_failed() -> None:
    world = aws_with(None, (copied_image("ami-eu"), ()), refuse={"CreateTags": "UnauthorizedOperation"})
    done = Run(copied_to(tags={"a": "1"}), world)
    assert failures(done) == [(OWNER, EU, "UnauthorizedOperation")]
    assert done.results[0]["image_id"] == "ami-eu"


def test_a_copy_without_an_id_has_failed() -> None:
    """botocore shape CopyImageResult requires no member. A rerun finds the copy by its tag."""

    class WithoutId(Ec2):
        def copy_image(self, **parameters: Any) -> dict[str, Any]:
            super().copy_image(**parameters)
            return {}

    world = aws_with()
    world.put(WithoutId(OWNER))
    done = Run(copied_to(), world)
    (failure,) = done.outcome.failures
    assert (failure.error_code, failure.region) == ("incomplete_response", EU)
    assert "ImageId" in failure.message
    assert [one.operation for one in done.outcome.performed] == ["CopyImage"]
    again = Run(copied_to(), world)
    assert (failures(again), again.result["images"]) == ([], {EU: "ami-new-0"})


def test_a_failed_copy_that_cannot_be_removed_causes_a_warning_only() -> None:
    world = aws_with(
        None, (copied_image("ami-f", "failed"), ()), refuse={"DeregisterImage": "UnauthorizedOperation"}
    )
    done = Run(copied_to(), world)
    assert (failures(done), done.result["images"]) == ([], {EU: "ami-new-0"})
    assert [one.operation for one in done.outcome.performed] == ["CopyImage"]
    (warning,) = done.outcome.warnings
    assert warning.startswith(f"{EU}: No (UnauthorizedOperation).")
    assert "DeregisterImage" in warning


def in_use(*images: Image) -> World:
    """The account with these images, where CopyImage refuses the name."""
    return aws_with(None, *((one, ()) for one in images), refuse={"CopyImage": DUPLICATE}, message=IN_USE)


def by_hand(image_id: str, state: str) -> Image:
    """An image of this name that is no copy."""
    return adopted_image(image_id, state, name="golden", source_image_id=None)


def failed_copy(image_id: str = "ami-f", state: str = "failed") -> Image:
    return copied_image(image_id, state, name="golden")


@pytest.mark.parametrize(
    "images",
    [
        *(pytest.param([failed_copy(state=state)], id=state) for state in ("failed", "error", "invalid")),
        pytest.param([by_hand("ami-f", "failed")], id="not this collection's"),
        pytest.param([by_hand("ami-a", "available")], id="available"),
        pytest.param([by_hand("ami-p", "pending")], id="pending"),
        pytest.param([by_hand("ami-d", "disabled")], id="disabled"),
        pytest.param([failed_copy(), by_hand("ami-h", "failed")], id="one of two"),
    ],
)
def test_no_image_is_removed_for_its_name(images: list[Image]) -> None:
    """Whether CopyImage refuses a name in use is not documented; not even a failed copy goes for it."""
    world = in_use(*images, copied_image("ami-elsewhere", "failed", name="elsewhere"))
    done = Run(copied_to(name="golden"), world)
    assert done.outcome.performed == ()
    assert world.writes() == [f"CopyImage {SOURCE_ID}"]
    (failure,) = done.outcome.failures
    assert failure.error_code == DUPLICATE
    for image in images:
        assert f"{image.image_id} is {image.state}" in failure.message
        assert image.image_id in failure.remedy
    assert "ami-elsewhere" not in failure.message
    assert "Choose another name" in failure.remedy


def test_the_holder_of_the_name_cannot_be_read() -> None:
    world = in_use()

    def refuse() -> None:
        world.ec2_of().refuse["DescribeImages name"] = "UnauthorizedOperation"

    done = Run(copied_to(), world, after_read=refuse)
    assert done.outcome.performed == ()
    (failure,) = done.outcome.failures
    assert (failure.error_code, failure.message) == (DUPLICATE, IN_USE)


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("missing-permissions", "Allow ec2:DeleteSnapshot"),
        ("internal-error", "Delete the snapshot"),
        ("client-error", "Delete the snapshot"),
        ("skipped", None),
        ("success", None),
    ],
)
def test_snapshots_that_a_removal_leaves(code: str, remedy: str | None) -> None:
    """(botocore shape SnapshotReturnCodes.)"""
    failed = copied_image("ami-failed", "failed", devices=volumes("snap-gone", "snap-1"))
    world = aws_with(None, (failed, ()), codes={"snap-1": code})
    done = Run(copied_to(), world)
    assert failures(done) == []
    assert world.writes() == [f"CopyImage {SOURCE_ID}", "DeregisterImage ami-failed"]
    assert done.result["images"] == {EU: "ami-new-0"}
    warnings = done.outcome.warnings
    assert len(warnings) == bool(remedy)
    for warning in warnings:
        assert warning.startswith(f"{EU}: Snapshot snap-1 of ami-failed could not be deleted: {code}.")
        assert str(remedy) in warning

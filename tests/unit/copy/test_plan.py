# SPDX-License-Identifier: GPL-3.0-or-later

"""When an image is copied, which copy is used, and how failed copies are replaced."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._copy import plan as copy
from ansible_collections.golden.images.plugins.module_utils._keys.encryption import Encryption
from ansible_collections.golden.images.plugins.module_utils._model import Image, Snapshot
from ansible_collections.golden.images.plugins.module_utils._plan import KNOWN_AFTER_APPLY

from tests.unit.copy.examples import REGION, calls, planned, seen, seen_in, wanted
from tests.unit.examples import (
    OWNER,
    SOURCE_ID,
    SOURCE_REGION,
    STRANGER,
    adopted_image,
    copied_image,
    source_image,
    target_in,
    volumes,
)

COPY = ("CopyImage", None)


def removal(image_id: str) -> tuple[str, str]:
    return ("DeregisterImage", image_id)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        pytest.param([], [COPY], id="none"),
        pytest.param([copied_image()], [], id="own and available"),
        pytest.param([copied_image(state="pending")], [], id="own and pending"),
        pytest.param([copied_image(state="transient")], [], id="own and transient"),
        pytest.param([adopted_image()], [], id="not made by the collection"),
        pytest.param([adopted_image(state="pending")], [], id="not made by the collection, pending"),
        pytest.param([copied_image("ami-f", "failed")], [COPY, removal("ami-f")], id="own and failed"),
        pytest.param([copied_image("ami-e", "error")], [COPY, removal("ami-e")], id="own in error"),
        pytest.param([copied_image("ami-i", "invalid")], [COPY, removal("ami-i")], id="own and invalid"),
        pytest.param([copied_image("ami-d", "deregistered")], [COPY], id="own and already deregistered"),
        pytest.param(
            [adopted_image(state="failed")], [COPY], id="a failed copy that the collection did not make stays"
        ),
        pytest.param(
            [copied_image(), copied_image("ami-f", "failed")],
            [removal("ami-f")],
            id="a failed one beside a usable one",
        ),
        pytest.param(
            [copied_image(state="pending"), copied_image("ami-f", "failed")],
            [removal("ami-f")],
            id="a failed one beside a pending one",
        ),
        pytest.param(
            [adopted_image(), copied_image("ami-f", "failed"), adopted_image("ami-g", "failed")],
            [removal("ami-f")],
            id="only own failed copies are removed",
        ),
        pytest.param(
            [copied_image("ami-2", "failed"), copied_image("ami-1", "error")],
            [COPY, removal("ami-1"), removal("ami-2")],
            id="copy first, then remove every failed one",
        ),
        pytest.param(
            [copied_image(), copied_image("ami-off", "disabled")], [], id="a disabled one beside a usable one"
        ),
    ],
)
def test_actions_by_existing_images(images: list[Image], expected: list[tuple[str, str | None]]) -> None:
    plan = planned(wanted(), seen(*images))
    assert calls(plan.actions) == expected
    assert not plan.refusals
    assert all(action.target == target_in() for action in plan.actions)


def test_a_failed_copy_is_removed_with_its_snapshots() -> None:
    action = planned(wanted(), seen(copied_image("ami-f", "failed"))).actions[1]
    assert action.parameters == {"ImageId": "ami-f", "DeleteAssociatedSnapshots": True}


OLD, NEW = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("images", "used"),
    [
        pytest.param([], None, id="none"),
        pytest.param([copied_image("ami-f", "failed")], None, id="only a failed one"),
        pytest.param([copied_image("ami-off", "disabled")], None, id="only a disabled one"),
        pytest.param([adopted_image("ami-a"), copied_image("ami-b")], "ami-b", id="own before others"),
        pytest.param(
            [adopted_image("ami-a"), copied_image("ami-b", "pending")], "ami-b", id="own, even if pending"
        ),
        pytest.param(
            [copied_image("ami-a", "pending", creation_date=OLD), copied_image("ami-b", creation_date=NEW)],
            "ami-b",
            id="available before pending",
        ),
        pytest.param(
            [copied_image("ami-a", creation_date=NEW), copied_image("ami-b", creation_date=OLD)],
            "ami-b",
            id="the oldest",
        ),
        pytest.param([copied_image("ami-b"), copied_image("ami-a")], "ami-a", id="independent of the order"),
    ],
)
def test_which_copy_is_used(images: list[Image], used: str | None) -> None:
    for order in (images, images[::-1]):
        existing = copy.existing_copy(wanted(), seen(*order), target_in())
        assert (existing and existing.image_id) == used


def test_the_source_is_the_image_of_its_own_region() -> None:
    want = wanted(regions=(SOURCE_REGION,), tags={"role": "web"}, snapshot_tags={"a": "b"}, purge_tags=True)
    plan = planned(want, seen_in({SOURCE_REGION: ()}))
    assert plan.actions == ()
    assert plan.before == plan.after
    assert plan.before["image_id"] == SOURCE_ID


def test_another_accounts_source_is_copied_even_to_its_own_region() -> None:
    saw = seen_in({SOURCE_REGION: ()}, source=source_image(owner_id=STRANGER))
    assert calls(planned(wanted(regions=(SOURCE_REGION,)), saw).actions) == [COPY]


def test_a_copy_in_the_sources_region_is_not_the_source() -> None:
    saw = seen_in({SOURCE_REGION: (copied_image(),)})
    existing = copy.existing_copy(wanted(), saw, target_in(SOURCE_REGION))
    assert existing == saw.source


def test_each_region_is_planned_separately_in_a_stable_order() -> None:
    saw = seen_in({"us-west-2": (), "eu-west-1": (copied_image(),), "ap-south-1": (), SOURCE_REGION: ()})
    plan = copy.plan(wanted(), saw)
    assert [target.target.region for target in plan.targets] == [
        "ap-south-1",
        "eu-west-1",
        "us-east-1",
        "us-west-2",
    ]
    assert [(action.target.region, action.operation) for action in plan.actions] == [
        ("ap-south-1", "CopyImage"),
        ("us-west-2", "CopyImage"),
    ]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        pytest.param(
            "Given key ID is not accessible",
            "The earlier copy ami-f is failed: Given key ID is not accessible.",
            id="with AWS's reason",
        ),
        pytest.param(None, "The earlier copy ami-f is failed: AWS reports no reason.", id="without a reason"),
    ],
)
def test_a_failed_copy_is_reported(reason: str | None, text: str) -> None:
    plan = planned(wanted(), seen(copied_image("ami-f", "failed", state_reason=reason)))
    assert plan.warnings == (text,)


def test_more_than_one_own_copy_is_reported() -> None:
    saw = seen(copied_image("ami-a"), copied_image("ami-b"), copied_image("ami-c", "pending"))
    (warning,) = planned(wanted(), saw).warnings
    assert warning == "ami-a is kept as the copy; the source has other copies: ami-b, ami-c."


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(adopted_image(), id="not made by the collection"),
        pytest.param(copied_image("ami-off", "disabled"), id="a disabled one"),
        pytest.param(copied_image("ami-d", "deregistered"), id="a deregistered one"),
    ],
)
def test_other_images_beside_the_copy_cause_no_warning(other: Image) -> None:
    assert planned(wanted(), seen(copied_image(), other)).warnings == ()


def test_an_image_that_is_stored_in_s3_is_used_in_its_region_and_copied_to_no_other() -> None:
    saw = seen_in({REGION: (), SOURCE_REGION: ()}, source=source_image(root_device_type="instance-store"))
    plan = copy.plan(wanted(), saw)
    assert [(one.error_code, one.region) for one in plan.refusals] == [("instance_store_image", REGION)]
    home = next(one for one in plan.targets if one.target.region == SOURCE_REGION)
    assert (home.actions, home.after["image_id"]) == ((), SOURCE_ID)


@pytest.mark.parametrize(
    "disabled", [copied_image("ami-off", "disabled"), adopted_image("ami-off", "disabled")]
)
def test_a_disabled_copy_is_refused(disabled: Image) -> None:
    plan = planned(wanted(), seen(disabled))
    (failure,) = plan.refusals
    assert failure.error_code == "copy_disabled"
    assert (failure.region, failure.account_id) == (REGION, OWNER)
    assert "ami-off" in failure.message
    assert "EnableImage" in failure.remedy


def test_a_best_effort_region_with_a_disabled_copy_is_left_out() -> None:
    want = wanted(best_effort_regions=(REGION,))
    plan = copy.plan(want, seen(copied_image("ami-off", "disabled")))
    assert plan.refusals == ()
    assert plan.actions == ()
    assert [failure.error_code for failure in plan.tolerated] == ["copy_disabled"]


def test_a_best_effort_region_is_planned_like_any_other() -> None:
    plan = planned(wanted(best_effort_regions=(REGION,)), seen())
    assert calls(plan.actions) == [COPY]
    assert plan.tolerated == ()


def test_before_and_after_a_copy() -> None:
    plan = planned(wanted(tags={"role": "web"}, snapshot_tags={"kind": "root"}), seen())
    assert plan.before == {}
    assert plan.after == {
        "description": "Golden web server",
        "image_id": KNOWN_AFTER_APPLY,
        "name": f"golden-web-{SOURCE_ID}",
        "snapshot_tags": {"kind": "root"},
        "state": "available",
        "tags": {"role": "web"},
    }


def test_a_copy_that_is_not_waited_for_stays_pending() -> None:
    assert planned(wanted(wait=False), seen()).after["state"] == "pending"


def test_the_diff_is_empty_if_nothing_changes() -> None:
    plan = planned(wanted(), seen(copied_image(description="d", tags={"a": "1"})))
    assert plan.before == plan.after
    assert plan.before == {
        "description": "d",
        "image_id": "ami-copy",
        "name": f"golden-web-{SOURCE_ID}",
        "state": "available",
        "tags": {"a": "1"},
    }


def test_whether_an_image_is_encrypted_as_requested() -> None:
    want = wanted(encryption=Encryption(encrypted=True))
    plain, encrypted = copied_image(devices=volumes("s")), copied_image(devices=volumes("s", encrypted=True))
    assert not copy.has_desired_key(want, seen(plain), target_in(), plain)
    saw = seen(encrypted, snapshots=(Snapshot("s", "completed", 100, "arn:key"),))
    assert copy.has_desired_key(want, saw, target_in(), encrypted)

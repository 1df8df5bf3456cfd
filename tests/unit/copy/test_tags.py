# SPDX-License-Identifier: GPL-3.0-or-later

"""How the tags of existing copies are updated."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Snapshot

from tests.unit.copy.account import copied_to, holding, planned
from tests.unit.copy.examples import REGION, calls
from tests.unit.examples import MARK, OWNER, adopted_image, copied_image, source_image, volumes

CREATE, DELETE = "CreateTags", "DeleteTags"


@pytest.mark.parametrize(
    ("current", "changes", "expected"),
    [
        pytest.param({"a": "1"}, {}, [], id="not requested"),
        pytest.param({"a": "1"}, {"purge_tags": True}, [], id="purge without tags changes nothing"),
        pytest.param({"a": "1"}, {"tags": {"a": "1"}}, [], id="present"),
        pytest.param({"b": "2"}, {"tags": {"a": "1"}}, [(CREATE, {"a": "1"})], id="missing, others stay"),
        pytest.param({"a": "0"}, {"tags": {"a": "1"}}, [(CREATE, {"a": "1"})], id="other value"),
        pytest.param({"a": "1"}, {"copy_tags": True}, [(CREATE, {"role": "web"})], id="the source's"),
        pytest.param(
            {"a": "0", "b": "2"},
            {"tags": {"a": "1"}, "purge_tags": True},
            [(DELETE, ["b"]), (CREATE, {"a": "1"})],
            id="purge deletes first",
        ),
        pytest.param(
            {"a": "1", "b": "2"}, {"tags": {}, "purge_tags": True}, [(DELETE, ["a", "b"])], id="purge all"
        ),
        pytest.param(
            {"role": "web", "b": "2"},
            {"copy_tags": True, "purge_tags": True},
            [(DELETE, ["b"])],
            id="purge keeps the source's",
        ),
        pytest.param(
            {"ec2:SharedTag/version": "1", "aws:x": "1"},
            {"tags": {}, "purge_tags": True},
            [],
            id="purge keeps shared and AWS's tags",
        ),
    ],
)
def test_tags_of_an_own_copy(
    current: dict[str, str], changes: dict[str, Any], expected: list[tuple[str, Any]]
) -> None:
    saw = holding(copied_image(tags=current), source=source_image(tags={"role": "web"}))
    actions = planned(copied_to(**changes), saw).actions
    written = [
        (
            action.operation,
            {tag["Key"]: tag["Value"] for tag in action.parameters["Tags"]}
            if action.operation == CREATE
            else [tag["Key"] for tag in action.parameters["Tags"]],
        )
        for action in actions
    ]
    assert written == expected
    assert all(action.parameters["Resources"] == ["ami-copy"] == [action.resource] for action in actions)


def test_tags_are_deleted_by_key() -> None:
    (action,) = planned(copied_to(tags={}, purge_tags=True), holding(copied_image(tags={"a": "1"}))).actions
    assert action.parameters["Tags"] == [{"Key": "a"}]


def test_a_copy_that_the_collection_did_not_make_keeps_its_tags() -> None:
    image = adopted_image(tags={"theirs": "1"}, devices=volumes("snap-1"))
    saw = holding(image, snapshots=(Snapshot("snap-1", "completed", 100),))
    plan = planned(copied_to(tags={"a": "1"}, snapshot_tags={"b": "1"}, purge_tags=True), saw)
    assert plan.actions == ()
    assert plan.before == plan.after


def test_each_snapshot_gets_its_missing_tags() -> None:
    image = copied_image(devices=volumes("snap-1", "snap-2", "snap-3"))
    snapshots = (
        Snapshot("snap-1", "completed", 100, tags={**MARK, "kind": "root"}),
        Snapshot("snap-2", "completed", 100, tags={**MARK, "kind": "old"}),
        Snapshot("snap-3", "completed", 100, tags={**MARK, "kind": "root", "x": "1"}),
    )
    plan = planned(
        copied_to(snapshot_tags={"kind": "root"}, purge_tags=True), holding(image, snapshots=snapshots)
    )
    assert calls(plan.actions) == [(CREATE, "snap-2"), (DELETE, "snap-3")]
    assert plan.before["snapshot_tags"] == {
        "snap-1": {"kind": "root"},
        "snap-2": {"kind": "old"},
        "snap-3": {"kind": "root", "x": "1"},
    }
    assert plan.after["snapshot_tags"] == {
        snapshot_id: {"kind": "root"} for snapshot_id in ("snap-1", "snap-2", "snap-3")
    }


def test_tags_of_a_snapshot_are_deleted_first() -> None:
    image = copied_image(devices=volumes("snap-1"))
    saw = holding(image, snapshots=(Snapshot("snap-1", "completed", 100, tags={**MARK, "x": "1"}),))
    plan = planned(copied_to(snapshot_tags={"kind": "root"}, purge_tags=True), saw)
    assert calls(plan.actions) == [(DELETE, "snap-1"), (CREATE, "snap-1")]


def many(count: int, prefix: str = "old") -> dict[str, str]:
    return {f"{prefix}{number}": "v" for number in range(count)}


@pytest.mark.parametrize(
    ("current", "changes", "count"),
    [
        # The collection's own tag is one of the fifty.
        pytest.param(many(48), {"tags": {"a": "1"}}, None, id="at the quota"),
        pytest.param(many(49), {"tags": {"a": "1"}}, 51, id="one too many"),
        pytest.param(many(49), {"tags": {"old0": "new"}}, None, id="another value does not count"),
        pytest.param(many(49), {"copy_tags": True}, 51, id="the source's count"),
        pytest.param(
            many(49), {"tags": many(49, "new"), "purge_tags": True}, None, id="a purge deletes first"
        ),
        pytest.param(
            {**many(40), "ec2:SharedTag/a": "1"},
            {"tags": many(49, "new"), "purge_tags": True},
            51,
            id="a purge keeps shared tags",
        ),
        pytest.param(many(49), {"tags": {}}, None, id="none is added"),
        pytest.param(many(49), {}, None, id="not requested"),
    ],
)
def test_image_tags_above_the_quota_are_refused(
    current: dict[str, str], changes: dict[str, Any], count: int | None
) -> None:
    saw = holding(copied_image(tags=current), source=source_image(tags={"role": "web"}))
    failures = planned(copied_to(**changes), saw).refusals
    assert len(failures) == (0 if count is None else 1)
    for failure in failures:
        assert (failure.action, failure.region) == ("tags", REGION)
        assert failure.message.startswith(f"tags: {count} tags")


def test_too_many_tags_in_a_best_effort_region_leave_it_out() -> None:
    want = copied_to(tags={"a": "1"}, best_effort_regions=[REGION])
    plan = planned(want, holding(copied_image(tags=many(49))))
    assert (plan.refusals, plan.actions) == ((), ())
    # The account and the region show which image is left out.
    assert [(one.action, one.account_id, one.region) for one in plan.tolerated] == [("tags", OWNER, REGION)]


@pytest.mark.parametrize(("purge", "counts"), [(False, [51, 52]), (True, [])])
def test_snapshot_tags_above_the_quota_are_refused(purge: bool, counts: list[int]) -> None:
    snapshots = tuple(
        Snapshot(f"snap-{number}", "completed", 100, tags={**MARK, **many(48 + number)})
        for number in range(3)
    )
    image = copied_image(devices=volumes(*(snapshot.snapshot_id for snapshot in snapshots)))
    want = copied_to(snapshot_tags={"a": "1"}, purge_tags=purge)
    failures = planned(want, holding(image, snapshots=snapshots)).refusals
    assert [failure.message.split(" tags")[0] for failure in failures] == [
        f"snapshot_tags: {count}" for count in counts
    ]
    assert all((failure.action, failure.region) == ("snapshot_tags", REGION) for failure in failures)


def test_the_quota_is_not_checked_for_copies_that_the_collection_did_not_make() -> None:
    saw = holding(adopted_image(tags=many(50)))
    assert planned(copied_to(tags={"a": "1"}), saw).refusals == ()


def test_snapshots_of_another_copy_are_not_changed() -> None:
    saw = holding(
        copied_image("ami-a", devices=volumes("snap-1")),
        copied_image("ami-b", devices=volumes("snap-2")),
        snapshots=(Snapshot("snap-1", "completed", 100), Snapshot("snap-2", "completed", 100)),
    )
    assert calls(planned(copied_to(snapshot_tags={"a": "1"}), saw).actions) == [(CREATE, "snap-1")]


def test_snapshot_tags_are_not_changed_without_the_option() -> None:
    image = copied_image(devices=volumes("snap-1"))
    saw = holding(image, snapshots=(Snapshot("snap-1", "completed", 100, tags={"x": "1"}),))
    plan = planned(copied_to(tags={}, purge_tags=True), saw)
    assert plan.actions == ()
    assert "snapshot_tags" not in plan.after


def test_the_diff_of_tags_omits_the_collections_own_tags() -> None:
    plan = planned(copied_to(tags={"a": "1"}, purge_tags=True), holding(copied_image(tags={"b": "2"})))
    assert plan.before["tags"] == {"b": "2"}
    assert plan.after["tags"] == {"a": "1"}
    rest = [
        {key: value for key, value in view.items() if key != "tags"} for view in (plan.before, plan.after)
    ]
    assert rest[0] == rest[1]

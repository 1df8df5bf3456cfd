# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs of ``ami_share`` change, what they return, and what stays when AWS refuses a call."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Sharing

from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, OWNER, STRANGER
from tests.unit.share.examples import (
    IMAGE,
    PRIVATE,
    PUBLIC,
    REGION,
    AnImage,
    Run,
    aws_with,
    run,
    shared,
    wanted,
    with_accounts,
)
from tests.unit.step_results import consumer_copy_result, copy_result, grant_result, share_result

OTHER_REGION, OTHER_IMAGE = "us-east-1", "ami-0000000b"
FOURTH = "444444444444"
REFUSAL = "OperationNotPermitted"
OPEN_IMAGE, CLOSE_IMAGE = f"ModifyImageAttribute {IMAGE} Add all", f"ModifyImageAttribute {IMAGE} Remove all"


def opening(snapshot: str) -> str:
    """The call that makes a snapshot public."""
    return f"ModifySnapshotAttribute {snapshot} Add all"


def closing(snapshot: str) -> str:
    """The call that makes a snapshot private."""
    return f"ModifySnapshotAttribute {snapshot} Remove all"


def failed(done: Run) -> list[tuple[str | None, str]]:
    """The regions and codes of the failures that fail the task."""
    return [(one.region, one.error_code) for one in done.outcome.failures]


def test_region_without_changes_is_in_the_results() -> None:
    done = run(wanted(with_accounts(CONSUMER), share_snapshots=False), shared(with_accounts(CONSUMER), {}))
    assert (done.writes, failed(done), done.outcome.warnings) == ([], [], ())
    (region,) = done.results
    assert (region["changed"], region["image_id"]) == (False, IMAGE)


@pytest.mark.parametrize("best_effort", [[], [OTHER_REGION]], ids=["required", "best effort"])
def test_failed_region_is_not_in_the_results_and_others_complete(best_effort: list[str]) -> None:
    images = {REGION: IMAGE, OTHER_REGION: OTHER_IMAGE}
    aws = aws_with({region: shared(PRIVATE, {}, image_id=image_id) for region, image_id in images.items()})
    aws.ec2_clients[OTHER_REGION].refuse = {"ModifyImageAttribute": "UnauthorizedOperation"}
    done = Run(wanted(with_accounts(CONSUMER), images=images, best_effort_regions=best_effort), aws)
    assert done.writes == [f"ModifyImageAttribute {IMAGE} Add {CONSUMER}"]
    assert [one.resource for one in done.outcome.performed] == [IMAGE]
    tolerated = [(one.region, one.error_code) for one in done.outcome.tolerated]
    failure = [(OTHER_REGION, "UnauthorizedOperation")]
    assert (failed(done), tolerated) == (([], failure) if best_effort else (failure, []))
    assert done.result == {
        "failed_regions": [OTHER_REGION],
        "images": images,
        "rejected_account_ids": [],
        "results": [
            {
                "account_id": OWNER,
                "changed": True,
                "consumers_without_key": 0,
                "image_id": IMAGE,
                "region": REGION,
                "shared_tags": {},
                "snapshot_ids": [],
            }
        ],
        "launch_permissions": [{**with_accounts(CONSUMER).to_dict(), "regions": [REGION]}],
        "volume_permissions": [],
    }


@pytest.mark.parametrize("best_effort", [[], [REGION]], ids=["required", "best effort"])
def test_region_in_which_aws_rejects_one_account_is_in_the_results(best_effort: list[str]) -> None:
    """Other failures are tolerated in a best-effort region."""
    options = wanted(with_accounts(CONSUMER, STRANGER), best_effort_regions=best_effort)
    done = run(options, shared(with_accounts(FOURTH), {}), rejected=frozenset({STRANGER}))
    assert failed(done) == [(REGION, "consumer_rejected")]
    assert done.outcome.tolerated == ()
    (region,) = done.results
    assert done.permissions[REGION] == (with_accounts(CONSUMER, FOURTH).to_dict(), {})
    assert region["changed"]


@pytest.mark.parametrize("best_effort", [[], [REGION]], ids=["required", "best effort"])
@pytest.mark.parametrize(("accounts", "fails"), [([CONSUMER, STRANGER], False), ([STRANGER], True)])
def test_rejected_consumers_can_be_left_to_a_later_task(
    accounts: list[str], fails: bool, best_effort: list[str]
) -> None:
    """Unless AWS rejects all consumers of a region, which is then not shared."""
    options = wanted(with_accounts(*accounts), best_effort_regions=best_effort, best_effort_consumers=True)
    done = run(options, shared(volumes_of={}), rejected=frozenset({STRANGER}))
    assert failed(done) == [(REGION, "consumer_rejected")]
    assert done.outcome.fails is (fails and not best_effort)
    assert done.result["rejected_account_ids"] == [STRANGER]
    assert done.result["failed_regions"] == ([REGION] if fails else [])


def test_what_failed_in_earlier_steps_is_left_out_and_nothing_is_purged() -> None:
    images = {REGION: IMAGE, OTHER_REGION: OTHER_IMAGE}
    aws = aws_with(
        {region: shared(with_accounts(FOURTH), {}, image_id=image_id) for region, image_id in images.items()}
    )
    results = [grant_result(failed_regions=[OTHER_REGION]), grant_result(rejected_account_ids=[STRANGER])]
    options = {
        "account_ids": [CONSUMER, STRANGER],
        "copy_result": copy_result(images),
        "grant_results": results,
        "purge_launch_permissions": True,
    }
    done = Run(options, aws)
    assert done.writes == [f"ModifyImageAttribute {IMAGE} Add {CONSUMER}"]
    assert done.result["images"] == {REGION: IMAGE}
    assert done.result["failed_regions"] == [OTHER_REGION]
    assert done.result["rejected_account_ids"] == [STRANGER]


def test_accounts_that_own_all_copies_are_left_out_and_purged() -> None:
    aws = aws_with({REGION: shared(with_accounts(CONSUMER), {}, image_id=IMAGE)})
    options = {
        "account_ids": [CONSUMER, STRANGER],
        "copy_result": copy_result({REGION: IMAGE}),
        "consumer_copy_result": consumer_copy_result({CONSUMER: "available", STRANGER: "pending"}),
        "purge_launch_permissions": True,
    }
    done = Run(options, aws)
    assert done.writes == [
        f"ModifyImageAttribute {IMAGE} Add {STRANGER}",
        f"ModifyImageAttribute {IMAGE} Remove {CONSUMER}",
    ]


def test_an_account_with_a_copy_in_one_of_two_regions_keeps_its_access() -> None:
    images = {REGION: IMAGE, OTHER_REGION: OTHER_IMAGE}
    aws = aws_with(
        {region: shared(with_accounts(CONSUMER), {}, image_id=one) for region, one in images.items()}
    )
    options = {
        "account_ids": [CONSUMER],
        "copy_result": copy_result(images),
        "consumer_copy_result": consumer_copy_result({CONSUMER: "available"}, [REGION]),
        "purge_launch_permissions": True,
    }
    assert Run(options, aws).writes == []


def test_regions_that_failed_in_an_earlier_task_stay_shared() -> None:
    images = {REGION: IMAGE, OTHER_REGION: OTHER_IMAGE}
    aws = aws_with(
        {region: shared(with_accounts(CONSUMER), {}, image_id=one) for region, one in images.items()}
    )
    earlier = share_result(failed_regions=[OTHER_REGION], rejected_account_ids=[CONSUMER])
    options = {"account_ids": [CONSUMER], "copy_result": copy_result(images), "share_result": earlier}
    done = Run({**options, "state": "absent"}, aws)
    assert done.writes == [f"ModifyImageAttribute {IMAGE} Remove {CONSUMER}"]
    assert (done.result["images"], done.result["failed_regions"]) == ({REGION: IMAGE}, [OTHER_REGION])


DENIED = {"ModifyImageAttribute": "UnauthorizedOperation"}
COPY = {"copy_result": copy_result({REGION: IMAGE})}
NO_KEY = {**COPY, "grant_results": [grant_result(failed_regions=[REGION])]}


@pytest.mark.parametrize(
    ("options", "aws", "message"),
    [
        pytest.param(COPY, {}, "", id="shared"),
        pytest.param(COPY, {"refuse": DENIED}, "The image is shared in no region.", id="refused"),
        pytest.param(
            {"images": {REGION: IMAGE}}, {"refuse": DENIED}, "The image is shared in no", id="images"
        ),
        pytest.param(
            {**COPY, "best_effort_consumers": True},
            {"rejected": frozenset({CONSUMER})},
            "The image is shared in no region.",
            id="all consumers are rejected",
        ),
        pytest.param({**COPY, "state": "absent"}, {"refuse": DENIED}, "", id="unshared"),
        pytest.param(
            NO_KEY, {}, "The image is shared in no region, because access to its keys failed.", id="key"
        ),
        pytest.param(
            {"copy_result": copy_result({})},
            {},
            "The image is shared in no region, because no copy of it is available.",
            id="no copy",
        ),
    ],
)
def test_a_task_that_shares_no_image_fails(
    options: dict[str, Any], aws: dict[str, Any], message: str
) -> None:
    options = {"account_ids": [CONSUMER], "best_effort_regions": [REGION], **options}
    current = with_accounts(CONSUMER) if "state" in options else PRIVATE
    done = Run(options, aws_with(shared(current, {}), **aws))
    assert done.nothing_done.startswith(message)
    assert bool(done.nothing_done) is bool(message)
    assert (done.results == []) is (bool(message) or "state" in options)


def test_check_mode_fails_where_no_image_can_be_shared() -> None:
    options = {"account_ids": [CONSUMER], "best_effort_regions": [REGION], **COPY}
    done = Run(options, aws_with(shared(state="disabled")), check_mode=True)
    assert done.nothing_done == "The image is shared in no region. The result lists why."


@pytest.mark.parametrize(
    ("current", "listed"),
    [
        pytest.param(PRIVATE, [], id="no named account has access"),
        pytest.param(with_accounts(CONSUMER), [CONSUMER], id="a named account has access"),
    ],
)
def test_region_in_which_aws_rejects_all_accounts_that_are_added(current: Sharing, listed: list[str]) -> None:
    done = run(wanted(with_accounts(STRANGER, *listed)), shared(current, {}), rejected=frozenset({STRANGER}))
    changed = [one["changed"] for one in done.results]
    assert ([launch["account_ids"] for launch, _volumes in done.permissions.values()], changed) == (
        ([listed], [False]) if listed else ([], [])
    )


def test_region_in_which_something_else_fails_too_is_not_in_the_results() -> None:
    done = run(
        wanted(with_accounts(CONSUMER), purge_launch_permissions=True, share_snapshots=False),
        shared(with_accounts(CONSUMER, STRANGER), {"snap-1": with_accounts(STRANGER)}),
        rejected=frozenset({STRANGER}),
        refuse={"ModifySnapshotAttribute": "UnauthorizedOperation"},
    )
    assert failed(done) == [(REGION, "consumer_rejected"), (REGION, "UnauthorizedOperation")]
    assert done.results == []


def test_a_snapshot_without_an_image_is_unshared() -> None:
    held, private = "snap-0000000a", "snap-0000000b"
    aws = aws_with(shared(), snapshots={held: with_accounts(CONSUMER), private: PRIVATE})
    options = {"account_ids": [CONSUMER], "state": "absent", "snapshots": {REGION: [private, held]}}
    done = Run(options, aws)
    assert done.writes == [f"ModifySnapshotAttribute {held} Remove {CONSUMER}"]
    assert failed(done) == []
    (region,) = done.results
    nobody = {"account_ids": [], "public": False}
    assert (region["image_id"], region["changed"]) == (None, True)
    assert done.permissions[REGION] == (PRIVATE.to_dict(), {held: nobody, private: nobody})


def test_one_snapshot_may_stand_for_a_list() -> None:
    aws = aws_with(shared(), snapshots={"snap-0000000a": with_accounts(CONSUMER)})
    options = {"account_ids": [CONSUMER], "state": "absent", "snapshots": {REGION: "snap-0000000a"}}
    assert Run(options, aws).results[0]["snapshot_ids"] == ["snap-0000000a"]


def without_end(done: Run) -> str:
    """The remedy of the failure of a region of which it is not known how far it came."""

    def broken(_region: str) -> Any:
        raise RuntimeError

    assert done.plan.actions
    done.aws.ec2 = broken  # type: ignore[assignment, method-assign]
    (failure,) = done.outcome.failures
    assert done.results == []
    return str(failure.remedy)


def test_a_region_that_does_not_end_says_what_may_be_public() -> None:
    remedy = without_end(run(wanted(PUBLIC), shared()))
    assert f"Check whether {IMAGE}, snap-1 are public: they may be." in remedy
    assert f"Check whether {IMAGE} is public: it may be." in without_end(
        run(wanted(PUBLIC), shared(PRIVATE, {}))
    )
    assert "public" not in without_end(run(wanted(with_accounts(CONSUMER)), shared()))


TWO = {"snap-1": PRIVATE, "snap-2": PRIVATE}
OPENING = (OPEN_IMAGE, opening("snap-1"), opening("snap-2"))
CLOSING = {OPEN_IMAGE: CLOSE_IMAGE, **{opening(one): closing(one) for one in TWO}}
OPENED = {OPEN_IMAGE: IMAGE, **{opening(one): one for one in TWO}}


def test_without_a_failure_all_is_open() -> None:
    done = run(wanted(PUBLIC), shared(volumes_of=TWO))
    assert (done.writes, failed(done), done.outcome.warnings) == ([*OPENING], [], ())
    assert done.permissions[REGION][0]["public"]


@pytest.mark.parametrize("number", range(3), ids=["the image", "a snapshot", "the last snapshot"])
def test_whichever_call_is_refused_nothing_stays_open(number: int) -> None:
    done = run(wanted(PUBLIC), shared(volumes_of=TWO), refuse={OPENING[number]: REFUSAL})
    opened = OPENING[:number]
    # The image is closed last.
    closed = [CLOSING[one] for one in reversed(opened)]
    assert done.writes == [*opened, OPENING[number], *closed]
    (failure,) = done.outcome.failures
    assert failure.error_code == REFUSAL
    assert ("private again" in failure.remedy) == bool(number)
    assert all(OPENED[one] in failure.remedy for one in opened)
    assert len(done.outcome.performed) == 2 * number
    (image,) = done.ec2().images.values()
    assert not any(one.public for one in (image.launch, *image.volumes.values()))


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, f"This run opened {IMAGE} and made it private again."), (2, "and made them private again.")],
    ids=["one", "several"],
)
def test_a_failure_says_what_was_closed(number: int, said: str) -> None:
    done = run(wanted(PUBLIC), shared(volumes_of=TWO), refuse={OPENING[number]: REFUSAL})
    assert done.outcome.failures[0].remedy.endswith(said)


def test_only_what_this_run_opened_is_closed() -> None:
    done = run(
        wanted(PUBLIC),
        shared(PUBLIC, {"snap-1": PUBLIC, "snap-2": PRIVATE}),
        refuse={opening("snap-2"): REFUSAL},
    )
    assert done.writes == [opening("snap-2")]
    assert (done.outcome.performed, failed(done)) == ((), [(REGION, REFUSAL)])


def test_accounts_keep_what_was_shared_with_them() -> None:
    done = run(
        wanted(with_accounts(CONSUMER) | PUBLIC, purge_launch_permissions=True),
        shared(with_accounts(STRANGER), {"snap-1": with_accounts(STRANGER)}),
        refuse={f"ModifyImageAttribute {IMAGE} Remove {STRANGER}": REFUSAL},
    )
    assert done.writes == [
        f"ModifySnapshotAttribute snap-1 Add {CONSUMER}",
        f"ModifyImageAttribute {IMAGE} Add {CONSUMER}",
        OPEN_IMAGE,
        f"ModifyImageAttribute {IMAGE} Remove {STRANGER}",
        CLOSE_IMAGE,
    ]
    assert failed(done) == [(REGION, REFUSAL)]


def test_what_may_be_open_after_a_lost_answer_is_closed() -> None:
    done = run(wanted(PUBLIC), shared(volumes_of=TWO), refuse={opening("snap-1"): "InternalError"})
    assert done.writes == [*OPENING[:2], closing("snap-1"), CLOSE_IMAGE]
    (failure,) = done.outcome.failures
    assert f"opened {IMAGE}, snap-1 and made them private again" in failure.remedy


COMMANDS = {
    "ModifyImageAttribute": (
        f"aws ec2 modify-image-attribute --region {REGION} --image-id {IMAGE} "
        "--launch-permission 'Remove=[{Group=all}]'"
    ),
    "ModifySnapshotAttribute": (
        f"aws ec2 modify-snapshot-attribute --region {REGION} --snapshot-id snap-1 "
        "--attribute createVolumePermission --operation-type remove --group-names all"
    ),
}


@pytest.mark.parametrize(
    ("refuse", "begins", "command"),
    [
        pytest.param(
            {OPEN_IMAGE: "InternalError", CLOSE_IMAGE: REFUSAL},
            f"{IMAGE} may be public: this run may have opened it",
            "ModifyImageAttribute",
            id="an image that may be public",
        ),
        pytest.param(
            {opening("snap-2"): REFUSAL, CLOSE_IMAGE: REFUSAL},
            f"{IMAGE} is public: this run opened it",
            "ModifyImageAttribute",
            id="an image",
        ),
        pytest.param(
            {opening("snap-2"): REFUSAL, closing("snap-1"): REFUSAL},
            "snap-1 is public: this run opened it",
            "ModifySnapshotAttribute",
            id="a snapshot",
        ),
    ],
)
def test_what_cannot_be_closed_is_a_failure_with_a_command(
    refuse: dict[str, str], begins: str, command: str
) -> None:
    done = run(wanted(PUBLIC), shared(volumes_of=TWO), refuse=refuse)
    _first, left = done.outcome.failures
    assert (left.error_code, left.region) == ("still_public", REGION)
    assert left.message.startswith(begins)
    assert left.message.endswith(f"{REFUSAL}: No.")
    assert left.remedy == f"Make it private: {COMMANDS[command]}"


def test_the_rest_is_closed_if_something_cannot_be_closed() -> None:
    done = run(
        wanted(PUBLIC),
        shared(volumes_of=TWO),
        refuse={opening("snap-2"): REFUSAL, closing("snap-1"): "UnauthorizedOperation"},
    )
    assert done.writes == [*OPENING, closing("snap-1"), CLOSE_IMAGE]
    assert IMAGE in done.outcome.failures[0].remedy
    assert "snap-1" not in done.outcome.failures[0].remedy


def test_a_rejected_account_closes_nothing() -> None:
    done = run(
        wanted(with_accounts(CONSUMER) | PUBLIC), shared(volumes_of={}), rejected=frozenset({CONSUMER})
    )
    assert done.writes == [f"ModifyImageAttribute {IMAGE} Add {CONSUMER}", OPEN_IMAGE]
    assert failed(done) == [(REGION, "consumer_rejected")]


def test_what_is_public_in_a_region_without_a_result_is_named() -> None:
    """A removal that reads do not show is a failure of the region, in which all changes were made."""
    done = run(
        wanted(PUBLIC, purge_launch_permissions=True),
        shared(with_accounts(STRANGER)),
        refuse={"DescribeImageAttribute": "UnauthorizedOperation"},
    )
    assert failed(done) == [(REGION, "UnauthorizedOperation")]
    assert done.outcome.warnings == (f"{REGION}: Public since this run: {IMAGE}, snap-1.",)
    assert done.results == []


@pytest.mark.parametrize("lag", [0, 1, 5])
@pytest.mark.parametrize(
    ("options", "image"),
    [
        pytest.param(wanted(with_accounts(CONSUMER)), shared(PRIVATE, {}), id="added"),
        pytest.param(
            wanted(with_accounts(CONSUMER), state="absent"), shared(with_accounts(CONSUMER)), id="removed"
        ),
        pytest.param(
            wanted(with_accounts(CONSUMER), state="absent", snapshot_ids=["snap-1"]),
            shared(PRIVATE, {"snap-1": with_accounts(CONSUMER, STRANGER)}),
            id="a snapshot",
        ),
        pytest.param(
            wanted(with_accounts(CONSUMER), purge_launch_permissions=True, shared_tags={"a": "1"}),
            shared(with_accounts(STRANGER), {}),
            id="both, and tags",
        ),
    ],
)
def test_waits_until_the_new_permissions_are_returned(
    clock: Clock, options: dict[str, Any], image: AnImage, lag: int
) -> None:
    """(EC2 Developer Guide, "Eventual consistency in the Amazon EC2 API"; boto/boto3#721.)"""
    done, started = run(options, image, lag=lag), clock.now
    assert (failed(done), done.outcome.warnings) == ([], ())
    assert clock.now - started == lag


def test_what_is_opened_and_closed_again_is_waited_for_as_closed(clock: Clock) -> None:
    done = run(wanted(PUBLIC), shared(volumes_of=TWO), refuse={opening("snap-1"): REFUSAL}, lag=3)
    started = clock.now
    assert failed(done) == [(REGION, REFUSAL)]
    assert clock.now - started == 3


def test_what_is_closed_again_is_not_called_public_if_reads_do_not_show_it() -> None:
    done = run(wanted(PUBLIC), shared(volumes_of=TWO), refuse={opening("snap-1"): REFUSAL}, lag=99)
    assert failed(done) == [(REGION, REFUSAL), (REGION, "permission_not_removed")]
    assert done.outcome.warnings == ()


@pytest.mark.parametrize(
    ("state", "current", "code"),
    [
        pytest.param("absent", with_accounts(CONSUMER), "permission_not_removed", id="removed"),
        pytest.param("present", PRIVATE, None, id="added"),
    ],
)
def test_a_change_that_is_not_returned_is_a_failure_if_it_removes_and_a_warning_if_it_adds(
    clock: Clock, state: str, current: Sharing, code: str | None
) -> None:
    done, started = run(wanted(with_accounts(CONSUMER), state=state), shared(current, {}), lag=99), clock.now
    assert failed(done) == ([(REGION, code)] if code else [])
    texts = done.outcome.warnings or [one.message for one in done.outcome.failures]
    assert len(texts) == 1
    assert IMAGE in texts[0]
    assert clock.now - started == 60


@pytest.mark.parametrize(
    ("code", "seconds"),
    [("UnauthorizedOperation", 0), ("RequestExpired", 0), ("InternalError", 60)],
)
def test_a_read_of_the_new_permissions_that_stays_refused_is_named(
    clock: Clock, code: str, seconds: float
) -> None:
    """A removal that cannot be seen is a failure, an addition a warning."""
    refuse, started = {"DescribeImageAttribute": code}, clock.now
    done = run(
        wanted(with_accounts(CONSUMER), state="absent"), shared(with_accounts(CONSUMER), {}), refuse=refuse
    )
    (failure,) = done.outcome.failures
    assert (failure.error_code, failure.action, failure.region) == (code, "DescribeImageAttribute", REGION)
    assert failure.message.startswith(f"AWS accepted the change of {IMAGE}, but its permissions could not be")
    assert done.outcome.warnings == ()
    assert clock.now - started == seconds
    done = run(wanted(with_accounts(CONSUMER)), shared(PRIVATE, {}), refuse=refuse)
    (warning,) = done.outcome.warnings
    assert warning.startswith(f"{REGION}: AWS accepted the change of {IMAGE}")
    assert code in warning or "DescribeImageAttribute" in warning
    assert failed(done) == []


def test_nothing_is_read_again_without_a_change_of_permissions() -> None:
    done = run(wanted(with_accounts(CONSUMER), shared_tags={"a": "1"}), shared(with_accounts(CONSUMER), {}))
    assert done.writes == [f"CreateTags {IMAGE} ec2:SharedTag/a"]
    assert done.ec2().calls[-1] == done.writes[0]


def test_the_clients_for_the_reads_of_permissions_are_of_each_region() -> None:
    images = {REGION: IMAGE, OTHER_REGION: OTHER_IMAGE}
    aws = aws_with({region: shared(PRIVATE, {}, image_id=image_id) for region, image_id in images.items()})
    done = Run(wanted(with_accounts(CONSUMER), images=images), aws)
    assert failed(done) == []
    assert [done.ec2(region).calls[-1] for region in images] == [
        f"DescribeImageAttribute {image_id}" for image_id in images.values()
    ]

# SPDX-License-Identifier: GPL-3.0-or-later

"""What opens an image or snapshot to all, and what is said about it."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.plan import Action
from ansible_collections.golden.images.plugins.module_utils.share import public

from tests.unit.examples import CONSUMER, target_in
from tests.unit.share.examples import IMAGE, PUBLIC, REGION, planned, shared, wanted, with_accounts

HERE = target_in(REGION)
SNAPSHOT = "snap-1"
OPEN_IMAGE, OPEN_SNAPSHOT = planned(wanted(PUBLIC), shared()).actions
SHARE_SNAPSHOT, SHARE_IMAGE = planned(wanted(with_accounts(CONSUMER)), shared()).actions
CLOSE_IMAGE, CLOSE_SNAPSHOT = planned(
    wanted(PUBLIC, present=False), shared(PUBLIC, {SNAPSHOT: PUBLIC})
).actions
TAGS = Action(HERE, "CreateTags", {"Resources": [IMAGE], "Tags": []}, IMAGE)
REFUSED = Failure("No.", "Do this.", "OperationNotPermitted", "ModifyImageAttribute", REGION)


@pytest.mark.parametrize(
    ("action", "opens", "closes"),
    [
        (OPEN_IMAGE, True, False),
        (OPEN_SNAPSHOT, True, False),
        (CLOSE_IMAGE, False, True),
        (CLOSE_SNAPSHOT, False, True),
        (SHARE_IMAGE, False, False),
        (TAGS, False, False),
    ],
)
def test_what_opens_and_closes(action: Action, opens: bool, closes: bool) -> None:
    assert (public.opens(action), public.closes(action)) == (opens, closes)


def test_the_actions_that_open_are_split_from_the_others() -> None:
    given = [OPEN_SNAPSHOT, SHARE_SNAPSHOT, TAGS]
    assert public.split_opening(given) == ((SHARE_SNAPSHOT, TAGS), (OPEN_SNAPSHOT,))


@pytest.mark.parametrize(
    ("resource", "expected"), [(IMAGE, CLOSE_IMAGE), (SNAPSHOT, CLOSE_SNAPSHOT)], ids=["image", "snapshot"]
)
def test_closing_is_what_unsharing_from_all_does(resource: str, expected: Action) -> None:
    assert public.closing(HERE, resource) == expected


@pytest.mark.parametrize(
    ("actions", "left"),
    [
        ([], ()),
        ([SHARE_IMAGE, TAGS, CLOSE_IMAGE], ()),
        ([OPEN_IMAGE, OPEN_SNAPSHOT], (IMAGE, SNAPSHOT)),
        ([OPEN_IMAGE, OPEN_SNAPSHOT, CLOSE_SNAPSHOT], (IMAGE,)),
        ([CLOSE_SNAPSHOT, OPEN_SNAPSHOT], (SNAPSHOT,)),
    ],
)
def test_what_actions_leave_open(actions: list[Action], left: tuple[str, ...]) -> None:
    assert public.left_open(actions) == left


def test_a_failure_says_what_was_closed() -> None:
    found = public.with_closed(REFUSED, [SNAPSHOT, IMAGE])
    assert found.remedy == f"Do this. This run opened {IMAGE}, {SNAPSHOT} and made them private again."
    assert public.with_closed(REFUSED, [IMAGE]).remedy.endswith(f"opened {IMAGE} and made it private again.")


def test_a_failure_without_an_end_says_what_may_be_public() -> None:
    found = public.unknown_access(REFUSED, [IMAGE])
    assert found.remedy == f"Do this. Check whether {IMAGE} is public: it may be."
    assert public.unknown_access(REFUSED, [IMAGE, SNAPSHOT]).remedy.endswith(
        f"Check whether {IMAGE}, {SNAPSHOT} are public: they may be."
    )


@pytest.mark.parametrize(
    ("resource", "command"),
    [
        (
            IMAGE,
            (
                f"aws ec2 modify-image-attribute --region {REGION} --image-id {IMAGE} "
                "--launch-permission 'Remove=[{Group=all}]'"
            ),
        ),
        (
            SNAPSHOT,
            (
                f"aws ec2 modify-snapshot-attribute --region {REGION} --snapshot-id {SNAPSHOT} "
                "--attribute createVolumePermission --operation-type remove --group-names all"
            ),
        ),
    ],
)
def test_what_stays_public_is_a_failure_with_a_command(resource: str, command: str) -> None:
    unsure = public.still_public(HERE, resource, REFUSED, certain=False)
    assert unsure.message.startswith(f"{resource} may be public: this run may have opened it")
    found = public.still_public(HERE, resource, REFUSED, certain=True)
    assert (found.error_code, found.region) == ("still_public", REGION)
    assert found.message.startswith(f"{resource} is public")
    assert found.message.endswith("OperationNotPermitted: No.")
    assert found.remedy == f"Make it private: {command}"


def test_the_warning_names_what_is_public() -> None:
    expected = f"{REGION}: Public since this run: {IMAGE}, {SNAPSHOT}."
    assert public.public_warning(HERE, [SNAPSHOT, IMAGE]) == expected

# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a cleanup is a finding, and how severe it is."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.content import build_content
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.document import build_document
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.prices import Prices
from ansible_collections.golden.images.plugins.module_utils._reports.document import Document

from .examples import (
    BLOCKED,
    EU,
    GOES,
    KEPT,
    OFF,
    OVER_THE_LIMIT,
    RUNS,
    UNREAD,
    US,
    WAITS,
    cleaned,
    failure,
)

NO_PRICES = Prices()


def made(
    *results: dict[str, Any], prices: Prices = NO_PRICES, is_plan: bool = False, **more: Any
) -> Document:
    return build_document(build_content(cleaned(*results, **more), prices, is_plan))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (made(KEPT, RUNS, WAITS, GOES), []),
        (made(BLOCKED), [("cleanup_blocked", "low", EU, "ami-4")]),
        (
            made(OFF, actions=[], failures=[failure("DisableImage", region=US)]),
            [("step_failed", "medium", US, "DisableImage"), ("decision_not_applied", "medium", US, "ami-2")],
        ),
        # Without its tombstone no image goes, in whatever region.
        (
            made(OFF, actions=[], failures=[failure("tombstone_path", region=None)]),
            [
                ("step_failed", "medium", None, "tombstone_path"),
                ("decision_not_applied", "medium", US, "ami-2"),
            ],
        ),
        # Deleted before its stage, or due for another stage by then.
        (made(OFF, actions=[]), [("decision_not_applied", "low", US, "ami-2")]),
        (
            made({**KEPT, "evidence": [UNREAD]}, {**RUNS, "evidence": [UNREAD]}),
            [("unreadable", "low", EU, "DescribeInstances")],
        ),
        # It is named once where images are kept because of it alone.
        (
            made({**RUNS, "evidence": [UNREAD]}, unreadable=[failure("DescribeInstances", region=EU)]),
            [("unreadable", "medium", EU, "DescribeInstances")],
        ),
        (
            made({**RUNS, "evidence": [{**UNREAD, "kind": "unproven"}]}),
            [("use_unproven", "low", EU, "DescribeInstances")],
        ),
        (
            build_document(build_content(OVER_THE_LIMIT, NO_PRICES, is_plan=False)),
            [("cleanup_refused", "high", None, "max_deletions")],
        ),
        (
            build_document(build_content({}, NO_PRICES, is_plan=True)),
            [("cleanup_failed", "high", None, None)],
        ),
    ],
)
def test_findings_are_failures_and_blocked_images(found: Document, expected: list[Any]) -> None:
    assert [(item.code, item.severity, item.region, item.resource) for item in found.items] == expected
    assert all(item.message for item in found.items)


def test_what_cannot_be_read_says_of_how_many_images_it_counts_as_use() -> None:
    (item,) = made({**KEPT, "evidence": [UNREAD]}, {**RUNS, "evidence": [UNREAD]}).items
    assert item.message == "DescribeInstances: AccessDenied: No. This counts as use of 2 images there."
    assert made({**KEPT, "evidence": [UNREAD, UNREAD]}, {**RUNS, "evidence": [UNREAD]}).items == (item,)
    (item,) = made({**KEPT, "evidence": [{**UNREAD, "subject": "AssumeRole"}]}).items
    assert item.message.startswith("AssumeRole in a consumer account: AccessDenied: No. This counts ")


def test_the_end_of_a_message_from_aws_does_not_matter() -> None:
    (item,) = made({**KEPT, "evidence": [UNREAD]}, {**RUNS, "evidence": [UNREAD]}).items
    endless = {**UNREAD, "detail": UNREAD["detail"].removesuffix(".")}
    assert made({**KEPT, "evidence": [endless]}, {**RUNS, "evidence": [endless]}).items == (item,)


def test_the_command_for_protected_images_takes_their_protection() -> None:
    held = {
        **BLOCKED,
        "image_id": "ami-5",
        "reasons": [*BLOCKED["reasons"], "Its snapshot snap-1 is locked (x)."],
    }
    ending = {**BLOCKED, "image_id": "ami-6", "reasons": ["It is protected from deregistration (disabling)."]}
    groups = {
        group.command: group for group in made(BLOCKED, {**BLOCKED, "image_id": "ami-3"}, held, ending).groups
    }
    command = (
        f"aws ec2 disable-image-deregistration-protection --region {EU} \\\n  --image-id ami-3 &&\n"
        f"aws ec2 disable-image-deregistration-protection --region {EU} \\\n  --image-id ami-4"
    )
    assert {text: group.number for text, group in groups.items()} == {command: 2, "": 2}
    assert "at once" in groups[command].command_note


def test_a_command_names_only_a_few_images() -> None:
    (group,) = made(*({**BLOCKED, "image_id": f"ami-{number}"} for number in range(41))).groups
    assert (group.number, group.command) == (41, "")

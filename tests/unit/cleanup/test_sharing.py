# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared images are kept, unless it is shown that no other account uses them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.sharing import (
    FINAL_REPORT_AGE,
    REPORT_AGE,
    find_report_start,
    find_unchecked_sharing,
    is_unsupported_report,
    list_accounts_to_read,
    list_sharing_evidence,
    name_principals,
    needs_report,
    warn_of_unsupported_report,
)
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    Evidence,
    ImageUsage,
    SnapshotUsage,
)
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import Sharing

from tests.unit.cleanup.examples import NOW, REPORTED, USED, ago, own, report, shared
from tests.unit.examples import CONSUMER, ORG, OWNER, STRANGER

SHARED = "shared"
OTHER = "other_account"
UNREAD, UNPROVEN = "unreadable", "unproven"
PUBLIC = ImageUsage(sharing=Sharing(public=True))
TO_OWNER = shared(OWNER)
WITH_ORG = ImageUsage(sharing=Sharing(org_arns=frozenset({ORG})))
SECOND = timedelta(seconds=1)
SINCE = find_report_start(own(), NOW, trusted=True, age=REPORT_AGE)


def kinds(usage: ImageUsage, include_shared: bool = True) -> list[str]:
    return [one.kind for one in list_sharing_evidence(own(), usage, include_shared, SINCE)]


@pytest.mark.parametrize(
    ("usage", "who"),
    [
        (shared(CONSUMER, STRANGER), f"{CONSUMER}, {STRANGER}"),
        (PUBLIC, "the public"),
        (WITH_ORG, ORG),
        (shared(*(f"{number:012d}" for number in range(7))), "000000000004 and 2 more"),
    ],
)
def test_a_shared_image_is_kept_whatever_a_report_says(usage: ImageUsage, who: str) -> None:
    with_owner = replace(usage, sharing=usage.sharing | TO_OWNER.sharing, report=report())
    for one in (replace(usage, report=report()), with_owner):
        (evidence,) = list_sharing_evidence(own(), one, False, SINCE)
        assert (evidence.kind, evidence.firm) == (SHARED, True)
        assert evidence.subject.endswith(who)
        assert OWNER not in evidence.subject.split(", ")


@pytest.mark.parametrize("usage", [ImageUsage(), TO_OWNER], ids=["no permission", "the owner's own"])
def test_an_image_that_is_not_shared_has_no_evidence(usage: ImageUsage) -> None:
    """An owner can have a launch permission (Packer's ami_users), and needs none."""
    assert kinds(usage, False) == kinds(usage) == []
    assert needs_report(own(), usage, True, SINCE) is False


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        # A report that is finished, young, whole, and finds nothing.
        (shared(CONSUMER, report=report()), []),
        (replace(PUBLIC, report=report()), []),
        (replace(WITH_ORG, report=report()), []),
        (shared(CONSUMER, report=report(account_ids=frozenset({CONSUMER}))), []),
        (shared(CONSUMER, report=report(used_by={STRANGER: 0})), []),
        (shared(CONSUMER, OWNER, report=report(account_ids=frozenset({CONSUMER}))), []),
        (shared(CONSUMER, report=report(created=ago(days=8))), []),
        # A report that shows nothing, or shows use.
        (shared(CONSUMER), [UNPROVEN]),
        (shared(CONSUMER, report=report(state="pending")), [UNPROVEN]),
        (shared(CONSUMER, report=report(state="error")), [UNPROVEN]),
        (shared(CONSUMER, report=report(created=ago(days=8) - SECOND)), [UNPROVEN]),
        *((shared(CONSUMER, report=report(resource_types=REPORTED - {one})), [UNPROVEN]) for one in REPORTED),
        (shared(CONSUMER, report=report(template_versions=9_999)), [UNPROVEN]),
        (shared(CONSUMER, STRANGER, report=report(account_ids=frozenset({CONSUMER}))), [UNPROVEN]),
        (replace(PUBLIC, report=report(account_ids=frozenset({CONSUMER}))), [UNPROVEN]),
        (shared(CONSUMER, report=report(used_by={STRANGER: 2})), [OTHER]),
        (shared(CONSUMER, report=report(used_by={STRANGER: 2}, created=ago(days=20))), [OTHER]),
        # Every account was read.
        (shared(CONSUMER, consumers={CONSUMER: ()}), []),
        (shared(CONSUMER, OWNER, consumers={CONSUMER: ()}), []),
        (shared(CONSUMER, STRANGER, consumers={CONSUMER: (), STRANGER: ()}), []),
        (shared(CONSUMER, STRANGER, consumers={CONSUMER: ()}), [UNPROVEN]),
        (shared(CONSUMER, consumers={CONSUMER: (USED,)}), [OTHER]),
        (
            shared(CONSUMER, consumers={CONSUMER: (Evidence.unreadable("instances", "denied"),)}),
            [UNPROVEN, UNREAD],
        ),
        (replace(PUBLIC, consumers={CONSUMER: ()}), [UNPROVEN]),
        (replace(WITH_ORG, consumers={CONSUMER: ()}), [UNPROVEN]),
        # Where they disagree, use counts.
        (shared(CONSUMER, consumers={CONSUMER: (USED,)}, report=report()), [OTHER]),
        (shared(CONSUMER, consumers={CONSUMER: ()}, report=report(used_by={CONSUMER: 1})), [OTHER]),
        (
            shared(
                CONSUMER, consumers={CONSUMER: (Evidence.unreadable("instances", "denied"),)}, report=report()
            ),
            [],
        ),
    ],
)
def test_include_shared(usage: ImageUsage, found: list[str]) -> None:
    assert kinds(usage) == found


@pytest.mark.parametrize(
    ("launched", "age", "since"),
    [
        (None, REPORT_AGE, ago(days=8)),
        (None, FINAL_REPORT_AGE, ago(days=1)),
        # A report may miss the instances of the 24 hours before it.
        (ago(days=3), REPORT_AGE, ago(days=2)),
        (ago(days=3), FINAL_REPORT_AGE, ago(days=1)),
        (ago(days=1), FINAL_REPORT_AGE, NOW),
        (ago(days=30), REPORT_AGE, ago(days=8)),
    ],
)
def test_which_reports_count(launched: datetime | None, age: timedelta, since: datetime) -> None:
    """EC2 User Guide, "View your AMI usage": a report shows one point in time."""
    image = own(last_launched=launched)
    assert find_report_start(image, NOW, True, age) == since
    assert find_report_start(image, NOW, False, age) is None


def test_reports_that_are_not_trusted_show_use_only() -> None:
    """They do not cover parameters (botocore shape ImageUsageResourceTypeRequest)."""
    unused = shared(CONSUMER, report=report())
    (evidence,) = list_sharing_evidence(own(), unused, True, None)
    assert (evidence.kind, evidence.firm) == (UNPROVEN, False)
    assert evidence.detail == "Usage reports do not show parameters, and trust_usage_reports is not set."
    assert needs_report(own(), shared(CONSUMER), True, None) is False
    used = shared(CONSUMER, report=report(used_by={STRANGER: 2}))
    assert [one.kind for one in list_sharing_evidence(own(), used, True, None)] == [OTHER]
    read = shared(CONSUMER, consumers={CONSUMER: ()})
    assert list(list_sharing_evidence(own(), read, True, None)) == []


def test_a_report_that_does_not_count_says_why() -> None:
    old = shared(CONSUMER, report=report(created=ago(days=9)))
    (evidence, *_rest) = list_sharing_evidence(own(), old, True, SINCE)
    assert evidence.detail == "The usage report of 2026-11-15 12:00 is from before 2026-11-16 12:00."


def test_evidence_names_the_account_and_the_thing() -> None:
    usage = shared(CONSUMER, consumers={CONSUMER: (USED,)}, report=report(used_by={CONSUMER: 3}))
    assert tuple(list_sharing_evidence(own(), usage, True, SINCE)) == (
        Evidence(OTHER, CONSUMER, "3 uses in the usage report"),
        Evidence(OTHER, CONSUMER, "instance i-1"),
    )


@pytest.mark.parametrize(
    ("usage", "needed"),
    [
        (shared(CONSUMER), True),
        (shared(CONSUMER, report=report(state="error")), True),
        (shared(CONSUMER, report=report(created=ago(days=9))), True),
        (shared(CONSUMER, report=report()), False),
        (shared(CONSUMER, report=report(state="pending")), False),
        (
            replace(shared(CONSUMER), unread=(Evidence.unreadable("DescribeImageUsageReports", "denied"),)),
            False,
        ),
        (
            replace(
                shared(CONSUMER), unread=(Evidence.unreadable("DescribeImageUsageReportEntries", "denied"),)
            ),
            False,
        ),
        (replace(shared(CONSUMER), unread=(Evidence.unreadable("DescribeImageReferences", "denied"),)), True),
        (shared(CONSUMER, consumers={CONSUMER: ()}), False),
        (shared(CONSUMER, consumers={CONSUMER: (Evidence.unreadable("instances", "denied"),)}), True),
        (replace(PUBLIC, consumers={CONSUMER: ()}), True),
        (ImageUsage(), False),
    ],
)
def test_a_report_is_requested_if_it_could_settle_it(usage: ImageUsage, needed: bool) -> None:
    assert needs_report(own(), usage, True, SINCE) is needed
    assert needs_report(own(), usage, False, SINCE) is False


def refusal(action: str, code: str) -> Failure:
    return Failure("Value (x) is invalid.", "", code, action, "eu-west-1")


@pytest.mark.parametrize(
    ("action", "code", "unsupported"),
    [
        ("CreateImageUsageReport", "InvalidParameterValue", True),
        ("CreateImageUsageReport", "UnauthorizedOperation", False),
        ("CreateImageUsageReport", "ResourceLimitExceeded", False),
        ("CreateTags", "InvalidParameterValue", False),
    ],
)
def test_a_region_that_does_not_know_all_types_of_a_report(action: str, code: str, unsupported: bool) -> None:
    assert is_unsupported_report(refusal(action, code)) is unsupported


def test_the_warning_names_the_region_the_types_and_the_other_way() -> None:
    warning = warn_of_unsupported_report(refusal("CreateImageUsageReport", "InvalidParameterValue"))
    assert warning.startswith("eu-west-1: AWS refuses usage reports that cover ec2:Instance")
    assert "imagebuilder:ContainerRecipe" in warning
    assert "consumer_role_name" in warning
    assert warning.endswith("Value (x) is invalid.")


@pytest.mark.parametrize(
    ("state", "usage", "has_only_reports", "who"),
    [
        ("available", shared(CONSUMER), False, Sharing(frozenset({STRANGER}), public=True)),
        ("available", shared(CONSUMER), True, Sharing(frozenset({STRANGER}), public=True)),
        ("available", shared(CONSUMER, STRANGER), True, Sharing(public=True)),
        # Neither shows which accounts are checked, nor what they do with a snapshot.
        ("available", WITH_ORG, True, Sharing(frozenset({CONSUMER, STRANGER}), public=True)),
        ("available", PUBLIC, True, Sharing(frozenset({CONSUMER, STRANGER}), public=True)),
        # Disabling removed the launch permissions, but not those of the snapshots.
        ("disabled", ImageUsage(), False, Sharing(frozenset({CONSUMER, STRANGER}), public=True)),
        ("disabled", ImageUsage(consumers={CONSUMER: (), STRANGER: ()}), False, Sharing(public=True)),
        ("disabled", ImageUsage(), True, Sharing()),
    ],
)
def test_who_has_a_snapshot_and_was_not_checked(
    state: str, usage: ImageUsage, has_only_reports: bool, who: Sharing
) -> None:
    image = own(state=state)
    snapshot = SnapshotUsage(Sharing(frozenset({CONSUMER, STRANGER, image.image.owner_id}), public=True))
    assert find_unchecked_sharing(image, usage, snapshot, has_only_reports) == who


def test_many_accounts_are_not_all_named() -> None:
    assert name_principals(Sharing(frozenset({STRANGER}), org_arns=frozenset({ORG}), public=True)) == (
        f"{STRANGER}, {ORG}, the public"
    )
    many = Sharing(frozenset(f"{number:012d}" for number in range(7)))
    assert name_principals(many).endswith("000000000004 and 2 more")


@pytest.mark.parametrize(
    ("consumers", "since", "found"),
    [
        ({}, None, []),
        ({CONSUMER: ()}, None, []),
        ({CONSUMER: (USED,), STRANGER: (Evidence.unreadable("instances", "denied"),)}, None, [OTHER]),
        ({CONSUMER: (), STRANGER: (Evidence.unreadable("instances", "denied"),)}, None, [UNREAD]),
        # A clean report was enough while the image was available, although an account could not be read.
        ({CONSUMER: (Evidence.unreadable(CONSUMER, "denied"),)}, SINCE, []),
        ({CONSUMER: (USED,), STRANGER: (Evidence.unreadable(STRANGER, "denied"),)}, SINCE, [OTHER]),
    ],
)
def test_a_disabled_image_is_used_by_the_accounts_of_its_snapshots(
    consumers: dict[str, tuple[Evidence, ...]], since: datetime | None, found: list[str]
) -> None:
    """A disabled image has no launch permissions, so that no report is needed."""
    image, usage = own(state="disabled"), ImageUsage(consumers=consumers)
    assert [one.kind for one in list_sharing_evidence(image, usage, True, since)] == found
    assert needs_report(image, usage, True, since) is False


@pytest.mark.parametrize(
    ("state", "accounts"), [("available", {CONSUMER}), ("failed", {CONSUMER}), ("disabled", {STRANGER, "1"})]
)
def test_which_accounts_may_use_an_image(state: str, accounts: set[str]) -> None:
    image = own(state=state)
    with_owner = Sharing(frozenset({STRANGER, image.image.owner_id}), public=True)
    snapshots = [
        SnapshotUsage(with_owner),
        SnapshotUsage(Sharing(frozenset({"1"}))),
        SnapshotUsage(unread="denied"),
    ]
    launch = Sharing(frozenset({CONSUMER, image.image.owner_id}))
    assert list_accounts_to_read(image, launch, snapshots) == accounts

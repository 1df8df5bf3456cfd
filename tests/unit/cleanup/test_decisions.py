# SPDX-License-Identifier: GPL-3.0-or-later

"""The decision on an image, and what keeps it: each kind of evidence alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import Clocks, render_time
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    CleanupState,
    Evidence,
    ImageUsage,
    OwnImage,
    SnapshotUsage,
)
from ansible_collections.golden.images.plugins.module_utils._model import (
    ImageRef,
    Sharing,
    SnapshotRef,
)

from tests.unit.cleanup.examples import (
    NOW,
    REGION,
    USED,
    ago,
    own,
    planned,
    region_state,
    report,
    seen,
    shared,
)
from tests.unit.examples import CONSUMER, OWNER

OLD_ID = "ami-0123456789abcdef0"
OLD = own(OLD_ID, 100)
NEWEST = own("ami-00000000", 1)
REF = ImageRef(REGION, OLD_ID)
CHOSEN = {"golden.images:cleanup-chosen": render_time(ago(days=3))}


def decided(saw: CleanupState, **wants: Any) -> Any:
    """The decision on the old image."""
    return {one.ref: one for one in planned(saw, **wants).decisions}[REF]


def with_usage(usage: ImageUsage) -> CleanupState:
    return seen(region_state(OLD, NEWEST), usage={REF: usage})


COPY = own("ami-copy", 0, tags={}, state="pending", source_image_id=OLD_ID, source_region=REGION)

EVIDENCE: list[tuple[CleanupState, str, bool]] = [
    (seen(region_state(OLD, NEWEST, uses={OLD_ID: (USED,)})), "instance", True),
    (seen(region_state(OLD, NEWEST), region_state(COPY)), "running_copy", True),
    (
        seen(region_state(OLD, NEWEST, unread=(Evidence.unreadable("DescribeInstances", "denied"),))),
        "unreadable",
        False,
    ),
    (
        with_usage(ImageUsage(references=(Evidence("imagebuilder:ImageRecipe", "arn:x"),))),
        "imagebuilder:ImageRecipe",
        True,
    ),
    (
        with_usage(ImageUsage(unread=(Evidence.unreadable("DescribeImageReferences", "throttled"),))),
        "unreadable",
        False,
    ),
    (with_usage(shared(CONSUMER)), "shared", True),
    (with_usage(shared(CONSUMER, OWNER)), "shared", True),
]


@pytest.mark.parametrize(("saw", "kind", "firm"), EVIDENCE)
def test_each_kind_of_evidence_alone_keeps_an_image(saw: CleanupState, kind: str, firm: bool) -> None:
    found = decided(saw)
    assert (found.kind, found.reasons) == ("keep", ())
    assert [(one.kind, one.firm) for one in found.evidence] == [(kind, firm)]
    assert found.is_needed is firm
    assert decided(seen(region_state(OLD, NEWEST))).kind == "deregister"


def test_an_image_whose_usage_was_not_read_counts_as_used() -> None:
    saw = CleanupState("111122223333", NOW, {REGION: region_state(OLD, NEWEST)})
    found = decided(saw)
    assert (found.kind, [one.kind for one in found.evidence]) == ("keep", ["unreadable"])


def test_late_uses_that_were_not_read_block_a_deregistration() -> None:
    found = decided(replace(seen(region_state(OLD, NEWEST)), late_uses={}))
    assert (found.kind, [one.kind for one in found.unread]) == ("wait", ["unreadable"])


ROLE = "golden"
OWN_READ = Evidence.unreadable("DescribeImageReferences", "denied")
THEIR_READ = replace(Evidence.unreadable("DescribeInstances", "denied"), account_id=CONSUMER)


@pytest.mark.parametrize(
    ("trusted", "role", "used", "unread"),
    [
        pytest.param(True, ROLE, (), (OWN_READ,), id="a report can take the place of the other account"),
        pytest.param(True, None, (), (OWN_READ,), id="and does without a role"),
        pytest.param(False, ROLE, (), (OWN_READ, THEIR_READ), id="only the account can show it"),
        pytest.param(False, None, (), (), id="nothing can show it"),
        pytest.param(True, ROLE, (USED,), (), id="it is used"),
    ],
)
def test_what_was_not_read_matters_if_the_image_could_be_retired_with_it(
    trusted: bool, role: str | None, used: tuple[Evidence, ...], unread: tuple[Evidence, ...]
) -> None:
    usage = shared(CONSUMER, consumers={CONSUMER: (THEIR_READ,)}, unread=(OWN_READ,), references=used)
    found = decided(
        with_usage(usage), include_shared=True, trust_usage_reports=trusted, consumer_role_name=role
    )
    assert (found.kind, found.unread) == ("keep", unread)


@pytest.mark.parametrize("include_shared", [False, True])
def test_a_launch_permission_of_the_owner_keeps_no_image(include_shared: bool) -> None:
    found = decided(with_usage(shared(OWNER)), include_shared=include_shared)
    assert (found.kind, found.evidence, found.requests_report) == ("deregister", (), False)


@pytest.mark.parametrize(
    ("image", "clocks", "decision", "next_stage"),
    [
        (OLD, Clocks(deprecate=0), "deprecate", None),
        (OLD, Clocks(disable=0), "disable", None),
        (OLD, Clocks(deregister=0), "deregister", None),
        (OLD, Clocks(disable=2), "wait", "disable"),
        (OLD, Clocks(), "wait", None),
    ],
)
def test_decisions(image: OwnImage, clocks: Clocks, decision: str, next_stage: str | None) -> None:
    found = decided(seen(region_state(image, NEWEST)), clocks=clocks)
    assert (found.kind, found.step.next_stage) == (decision, next_stage)
    result = found.to_dict(image)
    assert (result["decision"], result["next_stage"]) == (decision, next_stage)
    assert (result["next_stage_at"] is None) == (next_stage is None)


def test_the_stages_after_the_next_one_are_results() -> None:
    found = decided(seen(region_state(OLD, NEWEST)), clocks=Clocks(disable=2, deregister=30))
    assert found.step.due is not None
    due = (found.step.due + timedelta(days=30)).isoformat()
    assert found.to_dict(OLD)["later_stages"] == [{"due": due, "stage": "deregister"}]


def test_a_blocked_deregistration_waits_and_its_clocks_go_on() -> None:
    protected = own(OLD_ID, protection="enabled-with-cooldown")
    found = decided(seen(region_state(protected, NEWEST)))
    assert (found.kind, found.is_needed) == ("wait", False)
    assert "enabled-with-cooldown" in found.reasons[0]
    assert decided(seen(region_state(protected, NEWEST)), clocks=Clocks(disable=0)).kind == "disable"


def test_what_blocks_a_deregistration_does_not_block_the_stages_before_it() -> None:
    protected = own(OLD_ID, protection="enabled-with-cooldown")
    disabled = own(OLD_ID, state="disabled", protection="enabled-with-cooldown")
    coded = replace(OLD, image=replace(OLD.image, product_codes=("p-1",)))
    clocks = Clocks(deprecate=0, disable=0, deregister=0)
    for image, kind, marks in (
        (protected, "disable", {"golden.images:cleanup-deprecated", "golden.images:cleanup-disabled"}),
        (disabled, "wait", {"golden.images:cleanup-deprecated", "golden.images:cleanup-disabled"}),
        (coded, "deprecate", {"golden.images:cleanup-deprecated"}),
    ):
        found = decided(seen(region_state(image, NEWEST)), clocks=clocks)
        assert (found.kind, set(found.step.marks)) == (kind, marks)
        assert len(found.reasons) == 1


SNAPSHOT = SnapshotRef(REGION, f"snap-{OLD_ID}")
BOTH = Sharing(account_ids=frozenset({CONSUMER}))
UNIT = Sharing(org_unit_arns=frozenset({"arn:aws:organizations::111122223333:ou/o-a/ou-b"}))


@pytest.mark.parametrize(
    ("image", "sharing", "by_snapshot", "include_shared", "decision"),
    [
        (OLD, Sharing(), SnapshotUsage(), False, "deregister"),
        (OLD, Sharing(), SnapshotUsage(BOTH), False, "wait"),
        (OLD, Sharing(), SnapshotUsage(Sharing(public=True)), False, "wait"),
        (OLD, Sharing(), SnapshotUsage(Sharing(account_ids=frozenset({OWNER}))), False, "deregister"),
        (OLD, Sharing(), SnapshotUsage(BOTH), True, "wait"),
        (OLD, BOTH, SnapshotUsage(BOTH), True, "deregister"),
        (OLD, UNIT, SnapshotUsage(), True, "deregister"),
        (OLD, UNIT, SnapshotUsage(BOTH), True, "wait"),
        (OLD, Sharing(public=True), SnapshotUsage(Sharing(public=True)), True, "wait"),
        (own(OLD_ID, state="disabled"), Sharing(), SnapshotUsage(BOTH), True, "deregister"),
        (own(OLD_ID, state="disabled"), Sharing(), SnapshotUsage(BOTH), False, "wait"),
        (OLD, Sharing(), SnapshotUsage(unread="denied"), True, "wait"),
        (OLD, Sharing(), None, True, "wait"),
    ],
)
def test_a_snapshot_shared_with_others_than_its_image_blocks_the_deregistration(
    image: OwnImage, sharing: Sharing, by_snapshot: SnapshotUsage | None, include_shared: bool, decision: str
) -> None:
    usage = {REF: ImageUsage(sharing=sharing, report=report())}
    saw = seen(region_state(image, NEWEST), usage=usage)
    saw = replace(saw, snapshot_usage={SNAPSHOT: by_snapshot} if by_snapshot else {})
    found = decided(saw, include_shared=include_shared)
    assert (found.kind, bool(found.reasons)) == (decision, decision == "wait")
    assert found.is_needed is False


@pytest.mark.parametrize(
    ("consumers", "trusts_reports", "decision", "unread"),
    [
        ({CONSUMER: ()}, False, "deregister", False),
        ({CONSUMER: (USED,)}, False, "keep", False),
        ({CONSUMER: (USED,)}, True, "keep", False),
        ({CONSUMER: (Evidence.unreadable(CONSUMER, "denied"),)}, False, "keep", True),
        # While it was available, a report was enough, although the account could not be read.
        ({CONSUMER: (Evidence.unreadable(CONSUMER, "denied"),)}, True, "deregister", False),
        # Its account was not read, for example because it was shared in between.
        ({}, False, "wait", False),
        ({}, True, "wait", False),
    ],
)
def test_a_disabled_image_is_kept_while_an_account_with_its_snapshots_may_use_it(
    consumers: dict[str, tuple[Evidence, ...]], trusts_reports: bool, decision: str, unread: bool
) -> None:
    usage = {REF: ImageUsage(consumers=consumers)}
    saw = seen(region_state(own(OLD_ID, state="disabled"), NEWEST), usage=usage)
    saw = replace(saw, snapshot_usage={SNAPSHOT: SnapshotUsage(BOTH)})
    role = "golden"
    found = decided(saw, include_shared=True, consumer_role_name=role, trust_usage_reports=trusts_reports)
    assert (found.kind, bool(found.unread)) == (decision, unread)
    assert found.is_needed is (consumers.get(CONSUMER) == (USED,))


def test_without_any_proof_a_disabled_image_with_a_shared_snapshot_stays() -> None:
    saw = seen(
        region_state(own(OLD_ID, state="disabled"), NEWEST), snapshot_usage={SNAPSHOT: SnapshotUsage(BOTH)}
    )
    assert decided(saw, include_shared=True, trust_usage_reports=False).kind == "wait"


def test_disabling_deletes_no_snapshot_but_needs_its_permissions_for_the_tombstone() -> None:
    def kind(usage: SnapshotUsage) -> str:
        saw = seen(region_state(OLD, NEWEST), snapshot_usage={SNAPSHOT: usage})
        return decided(saw, clocks=Clocks(disable=0)).kind

    assert kind(SnapshotUsage(BOTH)) == "disable"
    assert kind(SnapshotUsage(unread="denied")) == "wait"


@pytest.mark.parametrize(
    ("usage", "decision", "asks"),
    [
        (shared(CONSUMER), "keep", True),
        (shared(CONSUMER, report=report(state="pending")), "keep", False),
        (shared(CONSUMER, report=report(used_by={CONSUMER: 1})), "keep", False),
        (shared(CONSUMER, references=(Evidence("x", "y"),)), "keep", False),
        (shared(CONSUMER, report=report()), "deregister", False),
        # It suffices to choose the image; the final check takes a new one.
        (shared(CONSUMER, report=report(created=ago(days=7))), "deregister", True),
        (shared(CONSUMER, report=report(created=ago(days=7)), consumers={CONSUMER: ()}), "deregister", False),
    ],
)
def test_a_usage_report_is_asked_for_when_nothing_else_keeps_the_image(
    usage: ImageUsage, decision: str, asks: bool
) -> None:
    found = decided(with_usage(usage), include_shared=True)
    assert (found.kind, found.requests_report) == (decision, asks)


def test_the_final_check_takes_a_report_of_the_last_day() -> None:
    for created, kind, asks in ((ago(days=7), "keep", True), (ago(hours=23), "deregister", False)):
        usage = shared(CONSUMER, report=report(created=created))
        found = decided(replace(with_usage(usage), is_final=True), include_shared=True)
        assert (found.kind, found.requests_report) == (kind, asks)


def test_a_report_from_before_the_last_launch_does_not_count() -> None:
    launched = replace(OLD, last_launched=ago(days=3))
    usage = {ImageRef(REGION, launched.image.image_id): shared(CONSUMER, report=report(created=ago(days=7)))}
    found = decided(seen(region_state(launched, NEWEST), usage=usage), include_shared=True)
    assert (found.kind, found.requests_report) == ("keep", True)


def test_deprecating_takes_no_new_report() -> None:
    usage = shared(CONSUMER, report=report(created=ago(days=7)))
    found = decided(with_usage(usage), include_shared=True, clocks=Clocks(deprecate=0))
    assert (found.kind, found.requests_report) == ("deprecate", False)


@pytest.mark.parametrize(
    ("clocks", "kind"),
    [
        (Clocks(deprecate=0), "deprecate"),
        (Clocks(disable=0), "wait"),
        (Clocks(deregister=0), "wait"),
    ],
)
def test_an_image_with_a_product_code_is_deprecated_only(clocks: Clocks, kind: str) -> None:
    coded = replace(OLD, image=replace(OLD.image, product_codes=("p-1",)))
    found = decided(seen(region_state(coded, NEWEST)), clocks=clocks)
    assert found.kind == kind
    assert bool(found.reasons) == (kind == "wait")


def test_a_report_alone_retires_no_image_unless_it_is_trusted() -> None:
    found = decided(
        with_usage(shared(CONSUMER, report=report())), include_shared=True, trust_usage_reports=False
    )
    assert (found.kind, found.requests_report) == ("keep", False)
    read = with_usage(shared(CONSUMER, consumers={CONSUMER: ()}))
    found = decided(read, include_shared=True, trust_usage_reports=False)
    assert (found.kind, found.requests_report) == ("deregister", False)


def test_a_decision_names_its_image_and_the_size_of_its_snapshots() -> None:
    disks = [
        {"DeviceName": f"/dev/xvd{size}", "Ebs": {"SnapshotId": f"snap-{size}", "VolumeSize": size}}
        for size in (8, 20)
    ]
    # EC2 User Guide, "Block device mappings for volumes": an EBS volume without a snapshot is empty.
    empty = {"DeviceName": "/dev/sdc", "Ebs": {"VolumeSize": 500}}
    ephemeral = {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"}
    image = replace(OLD, described={"BlockDeviceMappings": [*disks, empty, ephemeral]})
    result = decided(seen(region_state(image, NEWEST))).to_dict(image)
    assert (result["name"], result["creation_date"], result["size_gib"]) == (
        f"web {OLD_ID}",
        ago(days=100).isoformat(),
        28,
    )


def test_a_parameter_in_another_region_names_an_image_as_well() -> None:
    """One region's parameter often maps all regions to their images."""
    named = {"ami-1": (Evidence("parameter", "/web"),), "ami-new": (Evidence("parameter", "/web"),)}
    saw = seen(region_state(own("ami-1"), own("ami-2"), own("ami-new", 1)), region_state(uses=named))
    found = {one.ref.image_id: one for one in planned(saw).decisions}
    assert [found[one].kind for one in ("ami-1", "ami-2")] == ["keep", "deregister"]
    assert found["ami-1"].evidence == (Evidence("parameter", "/web", "in us-east-1"),)


@pytest.mark.parametrize("action", ["DescribeParameters", "GetParameters", "GetParameterHistory"])
def test_parameters_that_cannot_be_read_in_another_region_may_name_any_image(action: str) -> None:
    saw = seen(region_state(OLD, NEWEST), region_state(unread=(Evidence.unreadable(action, "denied"),)))
    found = decided(saw)
    assert (found.kind, found.evidence) == ("keep", (Evidence.unreadable(action, "denied in us-east-1"),))
    for own_region in ("DescribeInstances", "GetParameter"):
        saw = seen(
            region_state(OLD, NEWEST), region_state(unread=(Evidence.unreadable(own_region, "denied"),))
        )
        assert decided(saw).kind == "deregister"

# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_kms_grant`` with AWS: what is read, in which order keys are opened and closed, and what may fail."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.write import Performed
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.keys import policy_statements as key_policy
from ansible_collections.golden.images.plugins.module_utils.kms_grant import flow as kms_grant
from ansible_collections.golden.images.plugins.module_utils.kms_grant.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.kms_grant.plan import GrantSeen, GrantWanted
from ansible_collections.golden.images.plugins.module_utils.model import ConsumerRole
from ansible_collections.golden.images.plugins.module_utils.plan import Action, Plan
from ansible_collections.golden.images.plugins.module_utils.progress import reporter
from ansible_collections.golden.images.plugins.module_utils.runner import Outcome

from tests.unit.copy.aws_in_steps import Clock
from tests.unit.examples import ORG, OWNER, SOURCE_ID, STRANGER, UNIT, place
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import ROOT, consumers, opened_to, own_access
from tests.unit.kms_grant.examples import A, B, C, root, scaling_role
from tests.unit.kms_grant.kms_in_memory import Kms, StoredKey, World, world
from tests.unit.wire import Wire

EU, US = "eu-west-1", "us-east-1"
SILENT = reporter(None, print)
SECRET = "golden-7f3a"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(kms_grant, "monotonic", clock.monotonic)
    monkeypatch.setattr(kms_grant, "sleep", clock.sleep)
    return clock


def wanted(*account_ids: str, regions: tuple[str, ...] = (EU,), **changes: Any) -> GrantWanted:
    keys: dict[str, str | None] = dict.fromkeys(regions, "alias/golden")
    return GrantWanted(**{"kms_key_ids": keys, "account_ids": frozenset(account_ids), **changes})


def planned(aws: World, want: GrantWanted) -> tuple[GrantSeen, Plan]:
    seen = FLOW.read(aws, want)
    return seen, FLOW.plan(want, seen)  # type: ignore[return-value]


def run(aws: World, want: GrantWanted) -> tuple[dict[str, Any], Outcome]:
    """The module's own result, and what became of the plan."""
    seen, plan = planned(aws, want)
    assert plan.refusals == ()
    outcome = FLOW.apply(aws, want, seen, plan, SILENT)
    return FLOW.result(want, seen, plan, outcome), outcome


def grantees(key: StoredKey) -> set[str]:
    return {grant["GranteePrincipal"] for grant in key.grants.values()}


def failures(outcome: Outcome) -> list[tuple[str | None, str, str]]:
    assert all(failure.remedy for failure in outcome.failures)
    return sorted((failure.region, failure.action, failure.error_code) for failure in outcome.failures)


# Reading.


def test_keys_are_read_by_whatever_they_are_called() -> None:
    aws = world(EU, US)
    want = wanted(A, regions=(US, EU))
    seen, _plan = planned(aws, want)
    assert (seen.account_id, seen.partition) == (OWNER, "aws")
    assert {target.region: [key.key.arn for key in keys] for target, keys in seen.keys.items()} == {
        EU: [key_arn("a", EU)],
        US: [key_arn("a", US)],
    }
    assert all(key.policy is None for keys in seen.keys.values() for key in keys)
    assert aws.writes() == []


def test_a_policy_is_read_where_it_matters() -> None:
    aws = world(EU)
    seen, _plan = planned(aws, wanted(org_arns=frozenset({ORG})))
    assert seen.keys[place(EU)][0].policy == aws.key(EU).policy


def test_a_region_without_a_key_is_unencrypted() -> None:
    aws = world(EU)
    seen, plan = planned(aws, GrantWanted(kms_key_ids={EU: None}, account_ids=frozenset({A})))
    assert seen.unencrypted == {place(EU)}
    assert len(plan.warnings) == 1
    assert aws.regions[EU].calls == []


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(StoredKey(key_arn(account_id=STRANGER)), id="another account's"),
        pytest.param(StoredKey(key_arn(), manager="AWS"), id="aws/ebs"),
    ],
)
def test_of_a_key_that_cannot_be_opened_nothing_more_is_asked(key: StoredKey) -> None:
    aws = World({EU: Kms({"alias/golden": key})})
    _seen, plan = planned(aws, wanted(A, org_arns=frozenset({ORG})))
    assert plan.refusals
    assert aws.regions[EU].operations() == ["DescribeKey"]


def test_every_region_that_cannot_be_read_is_told_and_nothing_is_opened() -> None:
    aws = world(EU, US, "ap-south-1")
    aws.regions[EU].refuse = {"DescribeKey": "NotFoundException"}
    aws.regions[US].refuse = {"ListGrants": "AccessDeniedException"}
    with pytest.raises(Refused) as caught:
        planned(aws, wanted(A, regions=(EU, US, "ap-south-1")))
    told = [(item.region, item.action, item.error_code, item.request_id) for item in caught.value.failures]
    assert sorted(told) == [
        (EU, "DescribeKey", "NotFoundException", "req-1"),
        (US, "ListGrants", "AccessDeniedException", "req-1"),
    ]
    assert aws.writes() == []


@pytest.fixture
def ec2() -> Iterator[Wire]:
    with Wire("ec2").spoken() as wire:
        yield wire


BY_ID = {"ImageIds": [SOURCE_ID], "IncludeDisabled": True, "IncludeDeprecated": True}


def image_with(ec2: Wire, *keys: str | None) -> World:
    """A world in which the image has a snapshot under each of these keys."""
    snapshots = [
        {"SnapshotId": f"snap-{number}", "State": "completed", **({"KmsKeyId": key} if key else {})}
        for number, key in enumerate(keys)
    ]
    devices = [
        {"DeviceName": f"/dev/sd{number}", "Ebs": {"SnapshotId": snapshot["SnapshotId"]}}
        for number, snapshot in enumerate(snapshots)
    ]
    item = {"ImageId": SOURCE_ID, "OwnerId": OWNER, "State": "available", "BlockDeviceMappings": devices}
    ec2.expect("describe_images", BY_ID, {"Images": [item]})
    ids = [snapshot["SnapshotId"] for snapshot in snapshots]
    request = {"Filters": [{"Name": "snapshot-id", "Values": ids}], "MaxResults": 1000}
    ec2.expect("describe_snapshots", request, {"Snapshots": snapshots})
    aws = World({EU: Kms({key: StoredKey(key) for key in keys if key})})
    aws.ec2_clients[EU] = ec2.client
    return aws


def of_images(image_id: str | None = SOURCE_ID) -> GrantWanted:
    return GrantWanted(images={EU: image_id}, account_ids=frozenset({A}))


def test_the_keys_of_an_image_are_those_that_its_snapshots_really_have(ec2: Wire) -> None:
    aws = image_with(ec2, key_arn("b"), key_arn("a"), key_arn("b"), None)
    result, outcome = run(aws, of_images())
    assert [action.resource for action in outcome.performed] == [key_arn("a"), key_arn("b")]  # type: ignore[attr-defined]
    assert [key["kms_key_arn"] for key in result["results"][0]["kms_keys"]] == [key_arn("a"), key_arn("b")]


def test_an_image_without_encryption_has_no_key(ec2: Wire) -> None:
    seen, plan = planned(image_with(ec2, None), of_images())
    assert seen.unencrypted == {place(EU)}
    assert plan.actions == ()


def test_an_image_that_is_not_there_is_refused(ec2: Wire) -> None:
    ec2.expect("describe_images", BY_ID, {"Images": []})
    aws = world(EU)
    aws.ec2_clients[EU] = ec2.client
    with pytest.raises(Refused) as caught:
        planned(aws, of_images())
    assert [failure.error_code for failure in caught.value.failures] == ["image_not_found"]


def test_an_image_that_is_only_planned_has_no_key_yet() -> None:
    seen, plan = planned(world(EU), of_images(None))
    assert seen.keys == {place(EU): ()}
    assert (seen.unencrypted, plan.warnings) == (frozenset(), ())


# Opening and closing.


def test_keys_are_opened_in_every_region_and_then_stay_so() -> None:
    aws = world(EU, US)
    want = wanted(
        A,
        B,
        regions=(EU, US),
        org_arns=frozenset({ORG}),
        org_unit_arns=frozenset({UNIT}),
        auto_scaling=True,
        consumer_role=ConsumerRole("golden-consumer"),
    )
    result, first = run(aws, want)
    assert first.failures == ()
    for region in (EU, US):
        key = aws.key(region)
        assert grantees(key) == {root(A), root(B), scaling_role(A), scaling_role(B)}
        assert len(key_policy.own_statements(key.policy)) == 4
    assert result["kms_key_arns"] == {EU: key_arn("a", EU), US: key_arn("a", US)}
    written = aws.writes()
    again, second = run(aws, want)
    assert (second.performed, second.failures, second.warnings) == ((), (), ())
    assert aws.writes() == written
    assert [item["changed"] for item in again["results"]] == [False, False]
    assert [item["kms_keys"] for item in again["results"]] == [item["kms_keys"] for item in result["results"]]


def test_what_is_returned_of_a_region() -> None:
    aws = world(EU)
    (region,) = run(aws, wanted(A))[0]["results"]
    (key,) = region.pop("kms_keys")
    assert region == {"account_id": OWNER, "changed": True, "region": EU}
    assert key["kms_key_arn"] == key_arn("a", EU)
    assert [grant["grantee"] for grant in key["grants"]] == [root(A)]
    assert "policy_statements" not in key


def test_closing_leaves_what_is_not_ours() -> None:
    aws = world(EU)
    run(aws, wanted(A, B, org_arns=frozenset({ORG})))
    key = aws.key(EU)
    key.grants["theirs"] = {"GranteePrincipal": root(A), "Operations": ["Decrypt"]}
    before = key.policy
    _result, outcome = run(aws, wanted(A, present=False, org_arns=frozenset({ORG})))
    assert outcome.failures == ()
    assert grantees(key) == {root(A), root(B)}
    assert [name for name, grant in key.grants.items() if grant["GranteePrincipal"] == root(A)] == ["theirs"]
    assert key_policy.own_statements(before)
    assert json.loads(key.policy)["Statement"] == [ROOT]


THEIRS = {
    "Sid": "Theirs",
    "Effect": "Allow",
    "Principal": {"AWS": C},
    "Action": "kms:Decrypt",
    "Resource": "*",
}


def test_a_statement_that_somebody_adds_meanwhile_survives() -> None:
    aws = world(EU)
    want = wanted(org_arns=frozenset({ORG}))
    seen, plan = planned(aws, want)
    key = aws.key(EU)

    def somebody_writes() -> None:
        key.policy = key_policy.with_own(key.policy, [THEIRS])

    aws.regions[EU].meanwhile["GetKeyPolicy"] = somebody_writes
    outcome = FLOW.apply(aws, want, seen, plan, SILENT)
    assert outcome.failures == ()
    statements = json.loads(key.policy)["Statement"]
    assert statements[:2] == [ROOT, THEIRS]
    assert [item["Sid"] for item in statements[2:]] == [
        "GoldenImagesOrganizations",
        "GoldenImagesOrganizationsGrants",
    ]


def test_own_access_that_another_run_adds_meanwhile_survives_an_addition() -> None:
    aws = world(EU)
    want = wanted(org_arns=frozenset({ORG}))
    seen, plan = planned(aws, want)
    aws.key(EU).policy = opened_to(consumers(C))
    FLOW.apply(aws, want, seen, plan, SILENT)
    assert own_access(aws.key(EU).policy).consumers == consumers(C, org_ids=("o-a1b2c3d4e5",))


def test_a_policy_is_read_again_right_before_it_is_written() -> None:
    aws = world(EU)
    run(aws, wanted(A, org_arns=frozenset({ORG})))
    operations = aws.regions[EU].operations()
    assert operations[operations.index("PutKeyPolicy") - 1] == "GetKeyPolicy"
    assert operations.count("GetKeyPolicy") == 2


def test_creating_comes_first_and_revoking_last() -> None:
    aws = world(EU)
    run(aws, wanted(C))
    done = len(aws.writes())
    run(aws, wanted(A, org_arns=frozenset({ORG}), purge=True))
    assert aws.writes()[done:] == ["CreateGrant", "PutKeyPolicy", "RevokeGrant"]


def opened_for(*account_ids: str, regions: tuple[str, ...] = (EU, US), **changes: Any) -> World:
    """Regions whose keys this collection has opened to these accounts."""
    aws = world(*regions)
    run(aws, wanted(*account_ids, regions=regions, **changes))
    return aws


@pytest.mark.parametrize("operation", ["CreateGrant", "PutKeyPolicy"])
def test_where_opening_fails_nothing_is_closed_and_the_others_are_done(operation: str) -> None:
    aws = opened_for(C)
    aws.regions[EU].refuse = {operation: "LimitExceededException"}
    want = wanted(A, B, regions=(EU, US), org_arns=frozenset({ORG}), purge=True)
    _result, outcome = run(aws, want)
    assert set(failures(outcome)) == {(EU, operation, "LimitExceededException")}
    assert root(C) in grantees(aws.key(EU))
    assert grantees(aws.key(US)) == {root(A), root(B)}
    aws.regions[EU].refuse = {}
    assert run(aws, want)[1].failures == ()
    assert grantees(aws.key(EU)) == {root(A), root(B)}


def test_what_was_done_before_a_failure_is_told() -> None:
    aws = world(EU, US)
    aws.regions[EU].refuse = {"PutKeyPolicy": "MalformedPolicyDocumentException"}
    _result, outcome = run(aws, wanted(A, regions=(EU, US), org_arns=frozenset({ORG})))
    done = [(item["region"], item["action"]) for item in (one.as_result() for one in outcome.performed)]
    assert sorted(done) == [(EU, "CreateGrant"), (US, "CreateGrant"), (US, "PutKeyPolicy")]


def test_a_grant_that_cannot_be_revoked_is_told() -> None:
    aws = opened_for(A, C)
    aws.regions[US].refuse = {"RevokeGrant": "AccessDeniedException"}
    _result, outcome = run(aws, wanted(A, regions=(EU, US), purge=True))
    assert failures(outcome) == [(US, "RevokeGrant", "AccessDeniedException")]
    assert grantees(aws.key(EU)) == {root(A)}


def test_an_account_that_moves_from_the_policy_to_a_grant_never_loses_access() -> None:
    aws = opened_for(A, regions=(EU,), access_method="key_policy")
    aws.regions[EU].refuse = {"CreateGrant": "LimitExceededException"}
    run(aws, wanted(A, purge=True))
    key = aws.key(EU)
    assert grantees(key) == {root(A)} or own_access(key.policy).consumers == consumers(A)


# Consumers' own grants.


def scaling(*account_ids: str, **changes: Any) -> GrantWanted:
    asked = {"auto_scaling": True, "consumer_role": ConsumerRole("golden-consumer", SECRET)}
    return wanted(*account_ids, **{**asked, **changes})


def consumer_calls(aws: World, account_id: str, region: str = EU) -> list[dict[str, Any]]:
    return aws.consumers[account_id][region].asked("CreateGrant")


def test_each_consumer_makes_its_grants_with_the_owners_token() -> None:
    aws = world(EU, US)
    run(aws, scaling(A, B, regions=(US, EU)))
    assert sorted(aws.assumed) == [
        (f"arn:aws:iam::{account}:role/golden-consumer", SECRET, EU) for account in (A, B)
    ]
    for account_id in (A, B):
        for region in (EU, US):
            (request,) = consumer_calls(aws, account_id, region)
            owners = aws.key(region).grants
            parent = [name for name, item in owners.items() if item["GranteePrincipal"] == root(account_id)]
            assert request["GrantTokens"] == [f"token-of-{parent[0]}"]
            assert request["GranteePrincipal"] == scaling_role(account_id)
            assert set(request["Operations"]) <= set(owners[parent[0]]["Operations"])
    assert {grant["GranteePrincipal"] for grant in aws.regions[EU].asked("CreateGrant")} == {root(A), root(B)}


def test_an_old_grant_needs_no_token() -> None:
    aws = opened_for(A, regions=(EU,), operations=frozenset(scaling(A).parent_operations))
    run(aws, scaling(A))
    (request,) = consumer_calls(aws, A)
    assert "GrantTokens" not in request


def test_nobody_is_assumed_who_has_nothing_to_do() -> None:
    aws = world(EU)
    run(aws, scaling(A))
    aws.assumed.clear()
    run(aws, scaling(A, B))
    assert [role for role, _external_id, _region in aws.assumed] == [f"arn:aws:iam::{B}:role/golden-consumer"]


def test_without_auto_scaling_nobody_is_assumed() -> None:
    aws = world(EU)
    run(aws, wanted(A, consumer_role=ConsumerRole("golden-consumer")))
    assert aws.assumed == []


def test_a_consumer_that_cannot_be_assumed_holds_up_nobody_and_loses_nothing() -> None:
    aws = opened_for(C)
    aws.closed = {A}
    _result, outcome = run(aws, scaling(A, B, regions=(EU, US), purge=True))
    assert failures(outcome) == [(EU, "AssumeRole", "AccessDenied"), (US, "AssumeRole", "AccessDenied")]
    for region in (EU, US):
        assert grantees(aws.key(region)) == {root(A), root(B), root(C), scaling_role(B)}


def test_a_consumer_that_fails_in_one_region_has_the_other() -> None:
    aws = opened_for(C)
    aws.consumers[A] = {name: Kms(kms.keys) for name, kms in aws.regions.items()}
    aws.consumers[A][EU].refuse = {"CreateGrant": "AccessDeniedException"}
    _result, outcome = run(aws, scaling(A, regions=(EU, US), purge=True))
    assert failures(outcome) == [(EU, "CreateGrant", "AccessDeniedException")]
    assert grantees(aws.key(EU)) == {root(A), root(C)}
    assert grantees(aws.key(US)) == {root(A), scaling_role(A)}


def test_a_consumers_failure_names_the_consumer() -> None:
    aws = world(EU)
    aws.closed = {A}
    _result, outcome = run(aws, scaling(A))
    assert [failure.account_id for failure in outcome.failures] == [A]


def test_the_external_id_is_in_no_result() -> None:
    aws = world(EU, US)
    aws.closed = {A}
    want = scaling(A, B, regions=(EU, US), org_arns=frozenset({ORG}))
    seen, plan = planned(aws, want)
    outcome = FLOW.apply(aws, want, seen, plan, SILENT)
    assert outcome.failures
    told = [
        FLOW.result(want, seen, plan, outcome),
        [action.as_result() for action in (*plan.actions, *outcome.performed)],
        [failure.as_result() for failure in outcome.failures],
        plan.before,
        plan.after,
        plan.warnings,
        outcome,
    ]
    assert SECRET not in repr(told)
    assert (SECRET in {external_id for _role, external_id, _region in aws.assumed}) is True


# Waiting until grants are listed.


def lagging(lists: int) -> World:
    aws = world(EU, US)
    aws.regions[EU].lag = lists
    return aws


def test_new_grants_are_waited_for(clock: Clock) -> None:
    aws = lagging(3)
    started = clock.now
    _result, outcome = run(aws, wanted(A, regions=(EU, US)))
    assert clock.now - started == 3.0
    # One list before anything was created, then one a second; the region that was ready is left in peace.
    assert len(aws.regions[EU].asked("ListGrants")) == 1 + 4
    assert len(aws.regions[US].asked("ListGrants")) == 1 + 1
    (warning,) = outcome.warnings
    assert "5 minutes" in warning
    assert outcome.failures == ()


def test_waiting_ends_after_a_minute_and_says_where(clock: Clock) -> None:
    aws = lagging(1_000)
    started = clock.now
    _result, outcome = run(aws, wanted(A, regions=(EU, US)))
    assert 60.0 <= clock.now - started <= 62.0
    (warning,) = outcome.warnings
    assert warning.startswith(f"{EU}: AWS does not list all new grants yet")
    assert (len(outcome.performed), outcome.failures) == (2, ())


def test_a_list_that_fails_meanwhile_is_looked_at_again() -> None:
    aws = world(EU)
    want = wanted(A)
    seen, plan = planned(aws, want)
    kms = aws.regions[EU]

    def throttle() -> None:
        kms.refuse = {"ListGrants": "ThrottlingException"}
        kms.meanwhile["ListGrants"] = kms.refuse.clear

    kms.meanwhile["ListGrants"] = throttle
    outcome = FLOW.apply(aws, want, seen, plan, SILENT)
    assert outcome.failures == ()
    assert len(kms.asked("ListGrants")) == 3
    assert "5 minutes" in outcome.warnings[0]


def test_where_nothing_is_created_nothing_is_waited_for(clock: Clock) -> None:
    aws = opened_for(A, regions=(EU,))
    started, lists = clock.now, len(aws.regions[EU].asked("ListGrants"))
    _result, outcome = run(aws, wanted(A, present=False))
    assert (clock.now, outcome.warnings) == (started, ())
    assert len(aws.regions[EU].asked("ListGrants")) == lists + 1


def test_grants_that_failed_are_not_waited_for(clock: Clock) -> None:
    aws = world(EU, US)
    aws.regions[EU].refuse = {"CreateGrant": "AccessDeniedException"}
    started = clock.now
    run(aws, wanted(A, regions=(EU, US)))
    assert clock.now == started


def test_a_run_that_was_killed_after_the_grants_is_finished_by_the_next() -> None:
    aws = world(EU)
    want = replace(scaling(A), org_arns=frozenset({ORG}))
    seen, plan = planned(aws, want)
    half = Plan((replace(plan.targets[0], actions=plan.targets[0].actions[:1]),))
    FLOW.apply(aws, replace(want, auto_scaling=False), seen, half, SILENT)
    assert grantees(aws.key(EU)) == {root(A)}
    _result, outcome = run(aws, want)
    assert outcome.failures == ()
    assert grantees(aws.key(EU)) == {root(A), scaling_role(A)}
    assert own_access(aws.key(EU).policy).consumers.org_ids == {"o-a1b2c3d4e5"}


def test_a_region_is_asked_for_few_grants_at_a_time_and_all_regions_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Otherwise AWS refuses most of them, until botocore's retry quota is used up.
    aws = world(EU, US)
    lock, running, most = threading.Lock(), Counter[str](), Counter[str]()
    together = 0
    perform = kms_grant.perform

    def counted(client: Any, action: Action) -> Performed:
        nonlocal together
        region = action.target.region
        with lock:
            running[region] += 1
            most[region] = max(most[region], running[region])
            together = max(together, running.total())
        time.sleep(0.005)
        try:
            return perform(client, action)
        finally:
            with lock:
                running[region] -= 1

    monkeypatch.setattr(kms_grant, "perform", counted)
    _result, outcome = run(aws, wanted(*(f"{number:012d}" for number in range(1, 31)), regions=(EU, US)))
    assert outcome.failures == ()
    assert len(outcome.performed) == 60
    assert max(most.values()) == 4
    assert together > 4

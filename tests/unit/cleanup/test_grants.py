# SPDX-License-Identifier: GPL-3.0-or-later

"""Grants go with the last image under their key that is shared with their account, and never before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.apply import perform_each
from ansible_collections.golden.images.plugins.module_utils._cleanup.confirmation import confirm
from ansible_collections.golden.images.plugins.module_utils._cleanup.dependencies import find_dependencies
from ansible_collections.golden.images.plugins.module_utils._cleanup.next_reads import find_next_reads
from ansible_collections.golden.images.plugins.module_utils._cleanup.options import CleanupOptions, Limit
from ansible_collections.golden.images.plugins.module_utils._cleanup.plan import plan
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    CleanupState,
    Evidence,
    KeyUsage,
    OwnSnapshot,
    RegionState,
    SnapshotUsage,
)
from ansible_collections.golden.images.plugins.module_utils._keys.needed import ConsumerResources
from ansible_collections.golden.images.plugins.module_utils._model import (
    Device,
    Grant,
    ImageRef,
    KeyRef,
    Sharing,
    SnapshotRef,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.cleanup.examples import (
    REGION,
    USED,
    Unchanged,
    ago,
    calls,
    own,
    region_state,
    report,
    seen,
    shared,
    wanted,
)
from tests.unit.examples import CONSUMER, OWNER, volumes
from tests.unit.wire import Wire

KEY = f"arn:aws:kms:{REGION}:{OWNER}:key/golden"
REF = KeyRef(REGION, KEY)
THEIRS = f"arn:aws:kms:{REGION}:{CONSUMER}:key/theirs"
OTHER = "444455556666"
OPERATIONS = frozenset({"Decrypt"})
NEW_GRANT = (
    "A grant of its account is not older than 24 hours, or has no date: an image may be about to be shared "
    "with it."
)
BOTH_READ = ConsumerResources({CONSUMER: (), OTHER: ()})
LONG_AGO = ago(hours=24)
ROOT = Grant("g-root", f"arn:aws:iam::{CONSUMER}:root", OPERATIONS, "golden-images:1", created=LONG_AGO)
ROLE = Grant(
    "g-role",
    f"arn:aws:iam::{CONSUMER}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
    OPERATIONS,
    "golden-images:2",
    created=LONG_AGO,
)
STALE = Grant("g-stale", "AROAEXAMPLE", OPERATIONS, "golden-images:3", created=LONG_AGO)
OLD, NEWEST = own("ami-1", 50), own("ami-new", 1)
UNIT = "arn:aws:organizations::111122223333:ou/o-a/ou-b"


def encrypted(*images: Any, key: str = KEY, **changes: Any) -> RegionState:
    """A region whose snapshots are all under one key."""
    region = region_state(*images, **changes)
    under = {one: replace(snapshot, kms_key_id=key) for one, snapshot in region.snapshots.items()}
    return replace(region, snapshots=under)


def saw(
    region: RegionState, *grants: Grant, newest: Sharing | None = None, unread: tuple[Evidence, ...] = ()
) -> CleanupState:
    """The old image is shared with an account without use of it; ``newest`` is the newest one's sharing."""
    usage = {ImageRef(REGION, "ami-1"): shared(CONSUMER, report=report())}
    key = KeyUsage(grants, {"ami-new": newest or Sharing()}, unread)
    return replace(seen(region, usage=usage), key_usage={REF: key}, consumer_resources={REF: BOTH_READ})


def asked(**changes: Any) -> CleanupOptions:
    return replace(wanted(include_shared=True, **changes), revoke_grants=True)


def revoked(of: CleanupState, **changes: Any) -> list[str]:
    made = plan(asked(**changes), of)
    return [str(one.resource) for one in made.actions if one.operation == "RevokeGrant"]


def test_grants_go_after_the_images_and_before_the_snapshots() -> None:
    of = saw(encrypted(OLD, NEWEST), ROOT, ROLE)
    made = plan(asked(), of)
    assert calls(made.destructive) == [
        ("CreateTags", "snap-ami-1"),
        ("DeregisterImage", "ami-1"),
        ("RevokeGrant", "g-root"),
        ("RevokeGrant", "g-role"),
        ("DeleteSnapshot", "snap-ami-1"),
    ]
    assert made.actions[1].parameters == {"ImageId": "ami-1"}
    assert made.actions[2].parameters == {"GrantId": "g-root", "KeyId": KEY}
    assert made.actions[2].service == "kms"
    assert made.warnings == ()
    assert (made.before[REGION]["grants"], made.after[REGION]["grants"]) == (["g-role", "g-root"], [])


def test_without_the_option_none_goes() -> None:
    of = saw(encrypted(OLD, NEWEST), ROOT)
    made = plan(replace(asked(), revoke_grants=False), of)
    assert calls(made.destructive) == [("CreateTags", "snap-ami-1"), ("DeregisterImage", "ami-1")]
    assert not find_next_reads(replace(asked(), revoke_grants=False), replace(of, key_usage={}))


@pytest.mark.parametrize(
    ("sharing", "goes"),
    [
        (Sharing(), True),
        (Sharing(account_ids=frozenset({OTHER})), True),
        (Sharing(account_ids=frozenset({OTHER, CONSUMER})), False),
    ],
)
def test_a_grant_stays_while_an_image_under_its_key_is_shared_with_its_account(
    sharing: Sharing, goes: bool
) -> None:
    of = saw(encrypted(OLD, NEWEST), ROOT, newest=sharing)
    assert revoked(of) == ["g-root"] * goes
    assert plan(asked(), of).warnings == ()


def test_a_volume_that_is_created_empty_has_no_key_that_could_be_unknown() -> None:
    # botocore shape EbsBlockDevice, Encrypted: true is possible for a new (empty) volume.
    empty = own("ami-x", 5, tags={}, devices=volumes(None, encrypted=True))
    of = saw(encrypted(OLD, NEWEST, empty), ROOT)
    assert revoked(of) == ["g-root"]
    assert plan(asked(), of).warnings == ()


@pytest.mark.parametrize(("associated", "goes"), [((THEIRS, KEY), False), ((THEIRS,), True), ((), True)])
def test_a_grant_stays_while_its_key_is_associated_with_a_shared_image(
    associated: tuple[str, ...], goes: bool
) -> None:
    """botocore operation AssociateKmsKeyId: the key gives access to the snapshot's data by itself."""
    region = encrypted(OLD, NEWEST)
    newest = replace(region.snapshots["snap-ami-new"], kms_key_id=THEIRS, associated_key_arns=associated)
    region = replace(region, snapshots={**region.snapshots, "snap-ami-new": newest})
    of = saw(region, ROOT, newest=Sharing(account_ids=frozenset({CONSUMER})))
    assert revoked(of) == ["g-root"] * goes


PENDING = own("ami-pending", 0, state="pending", tags={}, devices=())
FOREIGN = own("ami-x", 5, tags={}, devices=(Device("/dev/sda", "snap-unknown", True),))


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (replace(saw(encrypted(OLD, NEWEST)), key_usage={}), "not read"),
        (
            saw(encrypted(OLD, NEWEST), ROOT, newest=Sharing(org_unit_arns=frozenset({UNIT}))),
            "public, or shared with an organization or organizational unit",
        ),
        (saw(encrypted(OLD, NEWEST, PENDING), ROOT), "ami-pending"),
        (
            saw(
                replace(
                    encrypted(OLD, NEWEST, FOREIGN),
                    snapshots=encrypted(OLD, NEWEST).snapshots,
                ),
                ROOT,
            ),
            "ami-x",
        ),
        (saw(encrypted(OLD, NEWEST), STALE), "AROAEXAMPLE"),
    ],
)
def test_what_is_not_known_keeps_grants_with_a_warning(of: CleanupState, why: str) -> None:
    made = plan(asked(), of)
    assert revoked(of) == []
    (warning,) = made.warnings
    assert KEY in warning
    assert why in warning
    assert ("DeregisterImage", "ami-1") in calls(made.actions)


@pytest.mark.parametrize(
    ("created", "sharing", "goes"),
    [
        pytest.param(ago(hours=23), Sharing(), False, id="new and not shared"),
        pytest.param(ago(hours=23), Sharing(frozenset({OWNER})), False, id="shared with its owner"),
        pytest.param(None, Sharing(), False, id="of unknown age"),
        pytest.param(ago(hours=24), Sharing(), True, id="not new"),
        pytest.param(ago(hours=1), Sharing(frozenset({OTHER})), True, id="shared already"),
    ],
)
def test_grants_stay_while_a_new_image_under_their_key_is_shared_with_no_account(
    created: datetime | None, sharing: Sharing, goes: bool
) -> None:
    """A distribution has granted access, and waits for other regions before it shares its finished copy."""
    copy = replace(own("ami-copy", tags={"golden.images:source": "us-east-1/ami-9"}), created=created)
    of = saw(encrypted(OLD, NEWEST, copy), ROOT)
    key = of.key_usage[REF]
    of = replace(of, key_usage={REF: replace(key, sharing={**key.sharing, "ami-copy": sharing})})
    made = plan(asked(), of)
    assert revoked(of) == ["g-root"] * goes
    assert ["ami-copy" in one and KEY in one for one in made.warnings] == [True] * (not goes)
    held = made.keys[REF].to_dict(REF)["kept_access"]
    assert [(one["principal"], one["image_ids"]) for one in held] == [(CONSUMER, ["ami-copy"])] * (not goes)
    # Later runs find the key only if they delete other snapshots under it.
    assert ["ami_kms_grant, state: absent" in one for one in made.warnings] == [True] * (not goes)
    assert ("DeregisterImage", "ami-1") in calls(made.actions)
    without = replace(of, regions={REGION: encrypted(OLD, NEWEST)})
    assert revoked(without) == ["g-root"]


@pytest.mark.parametrize(
    ("created", "goes"),
    [
        pytest.param(ago(hours=23), False, id="new"),
        pytest.param(ago(hours=-1), False, id="by a clock that is ahead"),
        pytest.param(None, False, id="of unknown age"),
        pytest.param(ago(hours=24), True, id="not new"),
    ],
)
def test_the_grants_of_an_account_with_a_new_one_are_kept(created: datetime | None, goes: bool) -> None:
    """A distribution has granted access, and waits for other regions before it shares an older image."""
    of = saw(encrypted(OLD, NEWEST), replace(ROOT, created=created), ROLE, OTHERS)
    of = replace(
        of, consumer_resources={REF: replace(BOTH_READ, by_account={CONSUMER: (), OTHER: ("vol-1",)})}
    )
    made = plan(asked(), of)
    assert revoked(of) == ["g-root", "g-role"] * goes
    held = {one["principal"]: one["reason"] for one in made.keys[REF].to_dict(REF)["kept_access"]}
    assert held.pop(OTHER).startswith("It has volumes")
    assert held == ({} if goes else dict.fromkeys([CONSUMER, ROLE.grantee], NEW_GRANT))
    told = [one for one in made.warnings if NEW_GRANT in one]
    assert [CONSUMER in one and KEY in one and "state: absent" in one for one in told] == [True] * (not goes)
    assert ("DeregisterImage", "ami-1") in calls(made.actions)
    assert find_next_reads(asked(), replace(of, consumer_resources={})).resources == {
        REF: {OTHER, *[CONSUMER] * goes}
    }


def test_an_image_under_the_key_that_was_not_read_may_be_shared_with_any_account() -> None:
    of = saw(encrypted(OLD, NEWEST), ROOT)
    of = replace(of, key_usage={REF: KeyUsage((ROOT,))})
    assert revoked(of) == []
    assert len(plan(asked(), of).warnings) == 1


def test_only_keys_of_snapshots_to_delete_are_read_with_the_images_that_stay() -> None:
    of = saw(encrypted(OLD, NEWEST), ROOT)
    assert find_next_reads(asked(), replace(of, key_usage={})).keys == {REF: (NEWEST,)}
    used = saw(encrypted(OLD, NEWEST, uses={"ami-1": (USED,)}), ROOT)
    assert not find_next_reads(asked(), replace(used, key_usage={}))
    assert revoked(used) == []
    theirs = saw(encrypted(OLD, NEWEST, key=THEIRS), ROOT)
    assert not find_next_reads(asked(), replace(theirs, key_usage={}))


def test_a_run_that_ended_before_the_grants_went_is_finished_by_the_next() -> None:
    left = OwnSnapshot("snap-ami-1", tags={"golden.images:cleanup-image-ids": "ami-1"}, kms_key_id=KEY)
    region = encrypted(NEWEST)
    region = replace(region, snapshots={**region.snapshots, "snap-ami-1": left})
    of = saw(region, ROOT)
    assert calls(plan(asked(max_deletions=Limit(count=0)), of).actions) == [
        ("RevokeGrant", "g-root"),
        ("DeleteSnapshot", "snap-ami-1"),
    ]


def test_a_snapshot_that_an_image_left_stays_as_long_as_a_grant_on_its_key_could_not_be_revoked() -> None:
    """Only by the snapshot the next run finds the key again."""
    left = OwnSnapshot("snap-ami-1", tags={"golden.images:cleanup-image-ids": "ami-1"}, kms_key_id=KEY)
    region = encrypted(NEWEST)
    of = saw(replace(region, snapshots={**region.snapshots, "snap-ami-1": left}), ROOT)
    made = plan(asked(), of)
    kms = Wire("kms")
    kms.refuse("revoke_grant", {"GrantId": "g-root", "KeyId": KEY}, "ThrottlingException")
    with kms.spoken():
        depends_on = find_dependencies(of, (), made.actions)[REGION]
        done = perform_each(lambda _action: kms.client, made.actions, depends_on, Unchanged())
    assert done.actions == ()
    assert [failure.error_code for failure in done.failures] == ["ThrottlingException"]


def test_a_grant_stays_if_an_image_that_is_shared_with_its_account_is_skipped() -> None:
    of = saw(encrypted(OLD, NEWEST), ROOT)
    first = plan(asked(), of)
    key = KeyUsage((ROOT,), {"ami-new": Sharing(), "ami-1": Sharing(frozenset({CONSUMER}))})
    late = saw(encrypted(OLD, NEWEST, uses={"ami-1": (Evidence("instance", "i-1"),)}))
    final, _changed = confirm(first, plan(asked(), replace(late, key_usage={REF: key})))
    assert final.destructive == ()
    # What only the second reading would revoke is left to the next run.
    nothing = replace(of, key_usage={REF: KeyUsage()})
    final, _changed = confirm(plan(asked(), nothing), first)
    assert [one.operation for one in final.destructive] == ["CreateTags", "DeregisterImage"]


def test_a_grant_stays_if_only_the_second_reading_lets_an_image_go_that_needs_it() -> None:
    """That image stays until the next run."""
    second = own("ami-2", 60)
    region = encrypted(OLD, second, NEWEST)
    usage = {ImageRef(REGION, one): shared(CONSUMER, report=report()) for one in ("ami-1", "ami-2")}
    of = replace(saw(region), usage=usage, key_usage={REF: KeyUsage((ROOT,), {"ami-new": Sharing()})})
    before = replace(of, usage={**usage, ImageRef(REGION, "ami-2"): shared(report=report())})
    before = replace(before, regions={REGION: replace(region, uses={"ami-2": (USED,)})})
    key = KeyUsage((ROOT,), {"ami-new": Sharing(), "ami-2": Sharing()})
    first = plan(asked(), replace(before, key_usage={REF: key}))
    assert "g-root" in [one.resource for one in first.actions]
    final, _changed = confirm(first, plan(asked(), of))
    assert calls(final.destructive) == [
        ("CreateTags", "snap-ami-1"),
        ("DeregisterImage", "ami-1"),
        ("DeleteSnapshot", "snap-ami-1"),
    ]


THEIR_ROLE, OTHERS = (
    f"arn:aws:iam::{CONSUMER}:role/deploy",
    Grant("g-other", f"arn:aws:iam::{OTHER}:root", OPERATIONS, "golden-images:4", created=LONG_AGO),
)
DEPLOY = Grant("g-deploy", THEIR_ROLE, OPERATIONS, "golden-images:5", created=LONG_AGO)
NO_ROLE = "consumer_role_name is not set."
UNSEEN = ConsumerResources({OTHER: ()}, {CONSUMER: "Allow ec2:DescribeVolumes."})


@pytest.mark.parametrize(
    ("volumes", "with_role", "gone", "kept", "unseen"),
    [
        pytest.param(BOTH_READ, True, ["g-root", "g-deploy", "g-other"], [], [], id="nothing"),
        pytest.param(
            ConsumerResources({CONSUMER: ("vol-2", "vol-1"), OTHER: ()}),
            True,
            ["g-other"],
            [(THEIR_ROLE, ["vol-1", "vol-2"]), (CONSUMER, ["vol-1", "vol-2"])],
            [],
            id="an account with resources",
        ),
        pytest.param(
            ConsumerResources(unseen={CONSUMER: NO_ROLE, OTHER: NO_ROLE}),
            False,
            [],
            [(THEIR_ROLE, []), (CONSUMER, []), (OTHER, [])],
            [(CONSUMER, NO_ROLE), (OTHER, NO_ROLE)],
            id="no role",
        ),
        pytest.param(
            ConsumerResources({CONSUMER: ("snap-1",), OTHER: ()}, {CONSUMER: "Denied.", OTHER: "Denied."}),
            False,
            [],
            [(THEIR_ROLE, ["snap-1"]), (CONSUMER, ["snap-1"]), (OTHER, [])],
            [(CONSUMER, "Denied."), (OTHER, "Denied.")],
            id="not all was read",
        ),
        pytest.param(
            None,
            True,
            [],
            [(THEIR_ROLE, []), (CONSUMER, []), (OTHER, [])],
            [(CONSUMER, "It was not read."), (OTHER, "It was not read.")],
            id="nothing was read",
        ),
    ],
)
def test_accounts_with_something_under_the_key_keep_their_grants(
    volumes: ConsumerResources | None,
    with_role: bool,
    gone: list[str],
    kept: list[tuple[str, list[str]]],
    unseen: list[tuple[str, str]],
) -> None:
    of = saw(encrypted(OLD, NEWEST), ROOT, DEPLOY, OTHERS)
    of = replace(of, consumer_resources={REF: volumes} if volumes else {})
    asks = replace(asked(), consumer_role_name="golden" if with_role else None)
    made = plan(asks, of)
    assert [one.resource for one in made.actions if one.operation == "RevokeGrant"] == gone
    result = made.keys[REF].to_dict(REF)
    assert (result["kms_key_arn"], result["region"]) == (KEY, REGION)
    assert sorted((one["principal"], one["resource_ids"]) for one in result["kept_access"]) == sorted(kept)
    assert [(one["account_id"], one["reason"]) for one in result["unseen_accounts"]] == unseen
    warnings = " ".join(made.warnings)
    assert [one in warnings for one, _volumes in kept] == [True] * len(kept)
    assert bool(warnings) == bool(kept)
    assert all(len(one) <= 500 for one in made.warnings)


DENIED = Evidence.unreadable("ListGrants", f"{KEY}: AccessDeniedException: No.", "Allow ListGrants.")


@pytest.mark.parametrize(
    ("of", "account_id", "action", "why"),
    [
        pytest.param(
            saw(encrypted(OLD, NEWEST), unread=(DENIED,)), OWNER, "ListGrants", DENIED.detail, id="grants"
        ),
        pytest.param(
            replace(saw(encrypted(OLD, NEWEST), ROOT, OTHERS), consumer_resources={REF: UNSEEN}),
            CONSUMER,
            "DescribeVolumes",
            f"The grants of {CONSUMER} on {KEY} may be needed: Allow ec2:DescribeVolumes.",
            id="volumes",
        ),
    ],
)
def test_an_image_waits_until_it_is_known_which_grants_go_with_it(
    of: CleanupState, account_id: str, action: str, why: str
) -> None:
    """A later run would not find the key."""
    asks = replace(asked(), consumer_role_name="golden")
    made = plan(asks, of)
    assert not find_next_reads(asks, of)
    assert made.actions == ()
    assert [one.reasons for one in made.decisions if one.kind == "wait"] == [
        (f"{action} could not be read: {why}",)
    ]
    (failure,) = made.failures
    assert (failure.region, failure.account_id, failure.action) == (REGION, account_id, action)
    assert "Allow" in failure.remedy
    assert plan(replace(asks, fail_on="none"), of).failures == ()
    assert plan(replace(asks, revoke_grants=False), of).actions != ()


def test_a_snapshot_that_an_image_left_waits_for_the_grants_as_well() -> None:
    left = OwnSnapshot("snap-ami-1", tags={"golden.images:cleanup-image-ids": "ami-1"}, kms_key_id=KEY)
    region = encrypted(NEWEST)
    region = replace(region, snapshots={**region.snapshots, "snap-ami-1": left})
    made = plan(asked(), saw(region, unread=(DENIED,)))
    assert made.actions == ()
    (failure,) = made.failures
    assert (failure.action, failure.remedy) == ("ListGrants", "Allow ListGrants.")
    kept = f"{REGION}: snapshots of deregistered images are kept (snap-ami-1): {DENIED.could_not_be_read}"
    assert kept in made.warnings


def test_an_account_that_no_role_can_read_keeps_its_grants_and_no_image() -> None:
    of = replace(saw(encrypted(OLD, NEWEST), ROOT), consumer_resources={REF: UNSEEN})
    made = plan(asked(), of)
    assert ("DeregisterImage", "ami-1") in calls(made.actions)
    assert revoked(of) == []
    (warning,) = made.warnings
    assert "What it has under the key could not be read: Allow ec2:DescribeVolumes." in warning


def test_what_is_known_to_need_a_grant_lets_the_image_go_whatever_else_was_not_read() -> None:
    resources = ConsumerResources({CONSUMER: ("snap-1",)}, {CONSUMER: "Allow ec2:DescribeVolumes."})
    of = replace(saw(encrypted(OLD, NEWEST), ROOT), consumer_resources={REF: resources})
    made = plan(replace(asked(), consumer_role_name="golden"), of)
    assert ("DeregisterImage", "ami-1") in calls(made.actions)
    assert "RevokeGrant" not in {one.operation for one in made.actions}


@pytest.mark.parametrize(
    ("snapshot_id", "goes"), [("snap-left", False), ("snap-ami-1", True)], ids=["stays", "is deleted"]
)
def test_a_grant_stays_while_a_snapshot_without_an_image_is_shared_with_its_account(
    snapshot_id: str, goes: bool
) -> None:
    """AWS keeps the permissions of a snapshot when its image is deregistered."""
    of = saw(encrypted(OLD, NEWEST), ROOT, OTHERS)
    usage = replace(of.key_usage[REF], snapshots={snapshot_id: Sharing(frozenset({CONSUMER}))})
    assert revoked(replace(of, key_usage={REF: usage})) == ["g-root"] * goes + ["g-other"]


def test_a_grant_that_an_image_needs_is_kept_whatever_its_account_has() -> None:
    of = saw(encrypted(OLD, NEWEST), ROOT, OTHERS, newest=Sharing(account_ids=frozenset({CONSUMER})))
    of = replace(of, consumer_resources={})
    assert find_next_reads(asked(), of).resources == {REF: {OTHER}}
    assert not find_next_reads(replace(asked(), revoke_grants=False), of)


ACCOUNTS = st.frozensets(st.sampled_from([CONSUMER, OTHER]))
IMAGES = st.lists(st.tuples(ACCOUNTS, ACCOUNTS, st.booleans(), st.booleans()), min_size=1, max_size=5)


@given(IMAGES)
def test_an_account_keeps_its_grant_while_an_image_under_the_key_is_shared_with_it(images: Any) -> None:
    """Each image: who may use it and its snapshot, whether it is used and under the key."""
    region, usage, sharing = region_state(), {}, {}
    for number, (by_image, by_snapshot, used, under) in enumerate(images):
        image = own(f"ami-{number}", 10 + number)
        snapshot = OwnSnapshot(f"snap-ami-{number}", kms_key_id=KEY if under else None)
        region = replace(
            region,
            images=(*region.images, image),
            uses={**region.uses, **({f"ami-{number}": (USED,)} if used else {})},
            snapshots={**region.snapshots, snapshot.snapshot_id: snapshot},
        )
        usage[ImageRef(REGION, f"ami-{number}")] = shared(*by_image, report=report())
        sharing[f"ami-{number}"] = Sharing(by_image | by_snapshot)
    grants = tuple(
        Grant(f"g-{one}", f"arn:aws:iam::{one}:root", OPERATIONS, "golden-images:x", created=LONG_AGO)
        for one in (CONSUMER, OTHER)
    )
    of = replace(saw(region), usage=usage, key_usage={REF: KeyUsage(grants, sharing)})
    made = plan(asked(), of)
    gone = {one.resource for one in made.actions if one.operation == "DeregisterImage"}
    needed = {
        account
        for number, (by_image, by_snapshot, _used, under) in enumerate(images)
        if under and f"ami-{number}" not in gone
        for account in by_image | by_snapshot
    }
    under_key = any(under and f"ami-{number}" in gone for number, (*_rest, under) in enumerate(images))
    expected = {CONSUMER, OTHER} - needed if under_key else set()
    assert set(revoked(of)) == {f"g-{one}" for one in expected}


def test_the_snapshots_under_other_keys_go_with_their_image() -> None:
    second = own("ami-2", 60, devices=volumes("snap-plain"))
    region = encrypted(OLD, NEWEST)
    region = replace(
        region,
        images=(*region.images, second),
        snapshots={**region.snapshots, "snap-plain": OwnSnapshot("snap-plain")},
    )
    of = saw(region, ROOT)
    of = replace(
        of,
        usage={**of.usage, ImageRef(REGION, "ami-2"): shared(report=report())},
        snapshot_usage={**of.snapshot_usage, SnapshotRef(REGION, "snap-plain"): SnapshotUsage()},
    )
    deregistered = [one for one in plan(asked(), of).actions if one.operation == "DeregisterImage"]
    assert [one.parameters.get("DeleteAssociatedSnapshots") for one in deregistered] == [None, True]

# SPDX-License-Identifier: GPL-3.0-or-later

"""The removals for each finding, what follows from them, the scope, and what could not be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.golden.images.plugins.module_utils._audit.causes import NOT_ALLOWED
from ansible_collections.golden.images.plugins.module_utils._audit.state import (
    IMAGE_BLOCK,
    Listed,
    Problem,
    RegionState,
)
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import KeyState

from tests.unit.audit.examples import IMAGE, PRIVATE, PUBLIC, accounts, orgs, region, under_key
from tests.unit.examples import ORG, OWNER, SOURCE_ID, STRANGER, UNIT, volumes
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import ORG_ID, consumers, opened_to, policy_of
from tests.unit.keys.policies import UNIT as UNIT_IDS
from tests.unit.kms_grant.examples import DEPLOY, KEY, A, B, foreign, made, root, scaling_role
from tests.unit.remediation.examples import FAR, HERE, remediated, removed, resources

CHECKOUT = Path(__file__).resolve().parents[3]
SNAPSHOT = "snap-00000001"
OTHER = replace(IMAGE, image_id="ami-00000000", name="other")
GRANT, STATEMENT, WIDER = "grant_without_share", "statement_without_share", "snapshot_wider_than_image"
PARAMETER = "unknown_parameter_consumer"
REPAIRABLE = (GRANT, WIDER, STATEMENT, PARAMETER, *NOT_ALLOWED)
ALLOWING_A = {"allowed_account_ids": [A]}


@pytest.mark.parametrize(
    ("seen", "codes", "expected"),
    [
        pytest.param(region(PUBLIC), ["public"], [(SOURCE_ID, "all", ["public"])], id="public"),
        pytest.param(
            region(PUBLIC, PUBLIC),
            ["snapshot_public"],
            [(SNAPSHOT, "all", ["snapshot_public"])],
            id="a public snapshot, and not the image",
        ),
        pytest.param(
            region(accounts(A, B), accounts(B)),
            ["unknown_account"],
            [(SOURCE_ID, B, ["unknown_account"]), (SNAPSHOT, B, ["unknown_account"])],
            id="an account, from the image and the snapshot",
        ),
        pytest.param(
            region(orgs(ORG, units=[UNIT])),
            ["unknown_organizational_unit"],
            [(SOURCE_ID, UNIT, ["unknown_organizational_unit"])],
            id="a unit, and not the organization",
        ),
        pytest.param(
            region(orgs(ORG)),
            ["unknown_organization"],
            [(SOURCE_ID, ORG, ["unknown_organization"])],
            id="org",
        ),
        pytest.param(
            region(volume=accounts(A, B)),
            REPAIRABLE,
            [(SNAPSHOT, A, [WIDER]), (SNAPSHOT, B, [WIDER, "unknown_account"])],
            id="two findings, one removal",
        ),
        pytest.param(
            region(volume=accounts(OWNER), launch=accounts(B)),
            REPAIRABLE,
            [(SOURCE_ID, B, ["unknown_account"])],
            id="not from the owner, who needs no permission",
        ),
        pytest.param(
            under_key(PRIVATE, made(root(A)), foreign(root(A)), made(DEPLOY)),
            [GRANT],
            [(KEY.arn, A, [GRANT]), (KEY.arn, DEPLOY, [GRANT])],
            id="grants of this collection",
        ),
        pytest.param(
            under_key(PRIVATE, made(root(A)), policy=opened_to(consumers(A, org_ids=(ORG_ID,)))),
            [STATEMENT],
            [(KEY.arn, A, [GRANT, STATEMENT]), (KEY.arn, ORG_ID, [STATEMENT])],
            id="a statement with the grant",
        ),
        pytest.param(
            under_key(accounts(B), made(root(B)), made(scaling_role(B)), made(root(A))),
            ["unknown_account"],
            [
                (SOURCE_ID, B, ["unknown_account"]),
                (KEY.arn, B, [GRANT]),
                (KEY.arn, scaling_role(B), [GRANT]),
            ],
            id="the key access of accounts that lose the image only",
        ),
        pytest.param(
            under_key(orgs(units=[UNIT]), made(root(A)), policy=opened_to(consumers(units=(UNIT_IDS,)))),
            ["unknown_organizational_unit"],
            [
                (SOURCE_ID, UNIT, ["unknown_organizational_unit"]),
                (KEY.arn, UNIT_IDS[1], [STATEMENT]),
            ],
            id="the key access of the unit",
        ),
        pytest.param(
            under_key(
                orgs(ORG), made(root(A)), policy=opened_to(consumers(org_ids=(ORG_ID,), units=(UNIT_IDS,)))
            ),
            NOT_ALLOWED,
            [
                (SOURCE_ID, ORG, ["unknown_organization"]),
                (KEY.arn, ORG_ID, [STATEMENT]),
                (KEY.arn, UNIT_IDS[1], [STATEMENT]),
            ],
            id="the key access of the organization and its units, not of an allowed account",
        ),
        pytest.param(
            under_key(PUBLIC, made(root(A)), policy=opened_to(consumers(org_ids=(ORG_ID,)))),
            ["public", STATEMENT],
            [(SOURCE_ID, "all", ["public"]), (KEY.arn, ORG_ID, [STATEMENT])],
            id="what a next audit would find by the chosen codes",
        ),
        pytest.param(
            under_key(PRIVATE, made(root(A)), volume_permissions={SNAPSHOT: accounts(A)}),
            NOT_ALLOWED,
            [],
            id="allowed, but the image is not shared yet",
        ),
        pytest.param(region(accounts(A)), NOT_ALLOWED, [], id="no findings"),
    ],
)
def test_removals(seen: RegionState, codes: list[str], expected: list[Any]) -> None:
    assert removed(remediated(seen, audit=ALLOWING_A, finding_codes=codes)) == expected


@pytest.mark.parametrize(
    ("images", "codes", "expected"),
    [
        pytest.param([SOURCE_ID], [], [(HERE, SOURCE_ID), (HERE, SNAPSHOT)], id="an image"),
        pytest.param({HERE: SNAPSHOT}, [], [(HERE, SNAPSHOT)], id="a snapshot alone"),
        pytest.param(SNAPSHOT, [], [(HERE, SNAPSHOT), (FAR, SNAPSHOT)], id="a snapshot in any region"),
        pytest.param({FAR: OTHER.image_id}, ["public"], [], id="an image that has no such finding"),
        pytest.param(
            [
                {"region": FAR, "image_id": OTHER.image_id},
                {"region": HERE, "snapshot_id": f" {SNAPSHOT} "},
                {"region": HERE, "snapshot_id": SNAPSHOT},
            ],
            ["unknown_account", " unknown_account "],
            [(HERE, SNAPSHOT), (FAR, OTHER.image_id), (FAR, SNAPSHOT)],
            id="several, twice",
        ),
        pytest.param(
            {HERE: SNAPSHOT, FAR: [OTHER.image_id, SNAPSHOT]},
            [],
            [(HERE, SNAPSHOT), (FAR, OTHER.image_id), (FAR, SNAPSHOT)],
            id="several in a region",
        ),
        pytest.param(
            f"{SOURCE_ID}, ,", ["unknown_account"], [(HERE, SOURCE_ID), (HERE, SNAPSHOT)], id="text"
        ),
        pytest.param(
            None,
            ["unknown_account"],
            [(HERE, SOURCE_ID), (HERE, SNAPSHOT), (FAR, OTHER.image_id), (FAR, SNAPSHOT)],
            id="everything",
        ),
    ],
)
def test_images_choose_what_is_fixed(images: Any, codes: list[str], expected: list[Any]) -> None:
    both = accounts(STRANGER)
    seen = region(both, both), region(both, both, OTHER)
    assert resources(remediated(*seen, images=images, finding_codes=codes)) == expected


def _in_two_images(**changes: Any) -> RegionState:
    """Two images, both shared with ``B``."""
    values = {
        "images": (Listed(IMAGE), Listed(OTHER)),
        "sharing": {SOURCE_ID: accounts(B), OTHER.image_id: accounts(B)},
        **changes,
    }
    return under_key(PRIVATE, made(root(B)), **values)


def _under_second_key(**changes: Any) -> RegionState:
    """A key that nobody has access to, and one that only ``B`` has."""
    keys = {
        KEY.arn: KeyState(KEY, (), policy_of()),
        SECOND.arn: KeyState(SECOND, (made(root(B)),), policy_of()),
    }
    return region(keys=keys, key_of={SNAPSHOT: KEY.arn}, **changes)


SECOND = replace(KEY, arn=key_arn("b"))
UNDER_KEY = replace(IMAGE, name="base-1", devices=volumes(SNAPSHOT, encrypted=True))
UNDER_SECOND = replace(OTHER, name="secret-1", devices=volumes("snap-00000002", encrypted=True))


def test_access_to_a_key_that_another_image_needs_stays() -> None:
    private = {SNAPSHOT: PRIVATE, "snap-00000002": PRIVATE}
    seen = _in_two_images(volume_permissions=private)
    assert removed(remediated(seen, images=[SOURCE_ID])) == [(SOURCE_ID, B, ["unknown_account"])]
    assert (KEY.arn, B, [GRANT]) in removed(remediated(seen))


@pytest.mark.parametrize("associated", [True, False])
def test_access_to_a_key_stays_that_is_associated_with_an_image_that_stays_shared(associated: bool) -> None:
    """botocore operation AssociateKmsKeyId: an independent way to access the snapshot's data."""
    seen = replace(
        _under_second_key(
            images=(Listed(UNDER_KEY), Listed(UNDER_SECOND)),
            sharing={SOURCE_ID: accounts(B), OTHER.image_id: accounts(B)},
            volume_permissions={SNAPSHOT: PRIVATE, "snap-00000002": PRIVATE},
            associated_keys={SNAPSHOT: (SECOND.arn,)} if associated else {},
        ),
        key_of={SNAPSHOT: KEY.arn, "snap-00000002": SECOND.arn},
    )
    rule = {"account_ids": [B], "name_pattern": "base-*"}
    unshared = (OTHER.image_id, B, ["unknown_account"])
    revoked = [] if associated else [(SECOND.arn, B, [GRANT])]
    assert removed(remediated(seen, audit={"rules": [rule]})) == [unshared, *revoked]


def test_a_snapshot_is_unshared_when_it_becomes_wider_than_its_image() -> None:
    seen = region(
        images=(Listed(IMAGE), Listed(OTHER)),
        sharing={SOURCE_ID: accounts(B), OTHER.image_id: PRIVATE},
        volume=accounts(B),
    )
    # The rule for the other image allows the snapshot, but that image is not shared with the account.
    policy = {"rules": [{"account_ids": [B], "name_pattern": "other"}]}
    expected = [(SOURCE_ID, B, ["unknown_account"]), (SNAPSHOT, B, [WIDER])]
    chosen = [WIDER, "unknown_account"]
    assert removed(remediated(seen, audit=policy, finding_codes=chosen)) == expected
    assert removed(remediated(seen, audit=policy)) == expected[:1]


@pytest.mark.parametrize("state", ["available", "disabled"])
def test_the_snapshot_of_a_disabled_image_is_not_wider_than_it(state: str) -> None:
    image = replace(IMAGE, state=state)
    seen = region(accounts(B), accounts(A), image)
    policy = {"allowed_account_ids": [A]}
    wider = [(SNAPSHOT, A, [WIDER])] if state == "available" else []
    chosen = [WIDER, "unknown_account"]
    found = removed(remediated(seen, audit=policy, finding_codes=chosen))
    assert found == [(SOURCE_ID, B, ["unknown_account"]), *wider]


def test_key_access_is_revoked_with_a_named_snapshot() -> None:
    seen = under_key(PRIVATE, made(root(B)), volume_permissions={SNAPSHOT: accounts(B)})
    assert resources(remediated(seen, images=SNAPSHOT)) == [(HERE, SNAPSHOT), (HERE, KEY.arn)]


def test_a_named_snapshot_covers_the_keys_that_it_is_associated_with() -> None:
    seen = _under_second_key(image=UNDER_KEY, associated_keys={SNAPSHOT: (SECOND.arn,)})
    found = remediated(seen, images=SNAPSHOT, finding_codes=[GRANT])
    assert resources(found) == [(HERE, SECOND.arn)]


def test_a_named_snapshot_covers_the_key_that_encrypts_it() -> None:
    seen = under_key(PRIVATE, made(root(B)))
    found = remediated(seen, images=SNAPSHOT, finding_codes=[GRANT])
    assert resources(found) == [(HERE, KEY.arn)]


def test_a_snapshot_that_no_image_uses_is_unshared() -> None:
    seen = region(unused={"snap-00000008": accounts(A, B)})
    found = remediated(seen, audit=ALLOWING_A)
    assert found["removals"] == [
        {
            "finding_codes": ["unknown_account"],
            "image_id": None,
            "message": f"{HERE}: unshare snap-00000008, which no image uses, from {B}: unknown_account",
            "principal": B,
            "region": HERE,
            "resource": "snap-00000008",
        }
    ]
    named = remediated(seen, audit=ALLOWING_A, images={HERE: "snap-00000008"})
    assert named == {**found, "regions": [HERE]}


def test_the_message_of_a_removal() -> None:
    found = remediated(under_key(PUBLIC | accounts(B), made(root(B))))["removals"]
    assert [one["message"] for one in found[1:]] == [
        f"{HERE}: unshare {SOURCE_ID} (golden-web) from the public: public",
        f"{HERE}: revoke access to {KEY.arn} from {B}: {GRANT}",
    ]
    (snapshot,) = remediated(region(volume=PUBLIC))["removals"]
    assert snapshot == {
        "finding_codes": ["snapshot_public"],
        "image_id": SOURCE_ID,
        "message": f"{HERE}: unshare {SNAPSHOT}, a snapshot of {SOURCE_ID}, from the public: snapshot_public",
        "principal": "all",
        "region": HERE,
        "resource": SNAPSHOT,
    }


def failure(action: str, region: str = HERE) -> Failure:
    """Why something could not be read."""
    return Failure("You may not.", "Allow it.", "UnauthorizedOperation", action, region, OWNER)


UNLISTED = Problem("unused_snapshots_unreadable", HERE, failure("DescribeSnapshots"))


def test_what_could_not_be_read_is_reported_and_the_rest_is_fixed() -> None:
    problems = (
        Problem("image_unreadable", OTHER.image_id, failure("DescribeImageAttribute"), OTHER.image_id),
        Problem("snapshot_unreadable", "snap-00000002", failure("DescribeSnapshotAttribute"), SOURCE_ID),
        Problem("block_public_access_unreadable", IMAGE_BLOCK, failure(IMAGE_BLOCK)),
    )
    seen = _in_two_images(
        problems=problems, volume_permissions={SNAPSHOT: accounts(A)}, sharing={SOURCE_ID: accounts(A)}
    )
    seen = replace(seen, keys={KEY.arn: KeyState(KEY, (made(root(A)),), policy_of())})
    found = remediated(seen)
    # The other image may need the key.
    assert removed(found) == [
        (SOURCE_ID, A, ["unknown_account"]),
        (SNAPSHOT, A, ["unknown_account"]),
    ]
    assert [one.split(" could")[0] for one in found["unreadable"]] == [OTHER.image_id, "snap-00000002"]
    assert found["unshare_tasks"][0]["share_snapshots"] is False
    assert remediated(seen, images=OTHER.image_id)["unreadable"] == found["unreadable"]


@pytest.mark.parametrize("images", [None, SOURCE_ID, {HERE: SOURCE_ID}])
def test_a_snapshot_whose_key_is_not_known_may_need_every_key(images: Any) -> None:
    problem = Problem("key_unreadable", "snap-00000009", failure("DescribeSnapshots"), "ami-9")
    seen = under_key(accounts(A), made(root(A)), problems=(problem,))
    choice = {} if images is None else {"images": images}
    found = remediated(seen, **choice)
    assert len(found["unreadable"]) == 1
    assert resources(found) == [(HERE, SOURCE_ID)]


@pytest.mark.parametrize(
    ("images", "refused", "unreadable"),
    [
        pytest.param("ami-99999999", [], 1, id="in any region, one of which could not be read"),
        pytest.param({FAR: "ami-99999999"}, [], 1, id="in a region that could not be read"),
        pytest.param({HERE: "ami-99999999"}, ["images"], 0, id="not in a region that was read"),
        pytest.param({"sa-east-1": "ami-99999999"}, ["images"], 0, id="in an unaudited region"),
        pytest.param({HERE: "snap-00000009"}, ["images"], 0, id="no image has the snapshot"),
        pytest.param({HERE: "snap-00000008"}, [], 0, id="a private snapshot that no image uses"),
        pytest.param({HERE: "snap-00000007"}, [], 1, id="a snapshot that could not be read"),
        pytest.param(SOURCE_ID, [], 0, id="it was read"),
        pytest.param(None, [], 2, id="everything"),
    ],
)
def test_missing_named_images(images: Any, refused: list[str], unreadable: int) -> None:
    problem = Problem("snapshot_unreadable", "snap-00000007", failure("DescribeSnapshotAttribute"))
    here = region(accounts(A), unused={"snap-00000008": PRIVATE}, problems=(problem,))
    choice = {} if images is None else {"images": images}
    found = remediated(here, audit={"unread": {FAR: failure("DescribeImages", FAR)}}, **choice)
    assert [(one["action"], one["region"]) for one in found["failures"]] == [
        (option, next(iter(images))) for option in refused
    ]
    assert len(found.get("unreadable", ())) == unreadable


@pytest.mark.parametrize("where", [HERE, None])
def test_a_snapshot_is_not_refused_where_unused_ones_could_not_be_listed(where: str | None) -> None:
    seen = region(problems=(UNLISTED,)), region()
    found = remediated(*seen, images={where: "snap-00000009"} if where else "snap-00000009")
    assert (found["removals"], len(found["unreadable"])) == ([], 1)
    (refused,) = remediated(*seen, images={where: "ami-99999999"} if where else "ami-99999999")["failures"]
    assert "CreateImage" not in refused["remedy"]
    (refused,) = remediated(*seen, images={FAR: "snap-00000009"})["failures"]
    assert "CreateImage or CopyImage must have made it." in refused["remedy"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param("unknwon_account", "not the code of a finding", id="unknown"),
        pytest.param("missing_key_access", "is not fixed by removing permissions", id="fixed by granting"),
        pytest.param(
            "shared_but_disabled", "is not fixed by removing permissions", id="permissions may be allowed"
        ),
    ],
)
def test_codes_that_are_refused(code: str, said: str) -> None:
    (refusal,) = remediated(region(), finding_codes=["public", code])["failures"]
    assert said in refusal["message"]
    assert all(code in refusal["remedy"] for code in REPAIRABLE)


def test_more_than_the_cap_is_refused_with_examples() -> None:
    many = [f"2{number:011d}" for number in range(8)]
    seen = under_key(accounts(*many), *(made(root(one)) for one in many))
    assert len(remediated(seen, max_removals=16)["removals"]) == 16
    found = remediated(seen, max_removals=15)
    (refusal,) = found["failures"]
    names = f"{many[0]}, {many[1]} and 6 more"
    assert refusal["message"] == (
        "remediate_max_removals: the plan has 16 removals, and at most 15 are allowed: "
        f"8 removals of images from {names} (unknown_account); "
        f"8 removals of keys from {names} (grant_without_share)."
    )
    assert "set remediate_max_removals to 16 in check mode" in refusal["remedy"]
    assert "removals" not in found


def test_a_refusal_of_many_removals_begins_with_what_is_public() -> None:
    policy = opened_to(consumers(org_ids=(ORG_ID,)))
    seen = under_key(accounts(A), made(root(A)), made(root(B)), policy=policy), region(PUBLIC, PUBLIC)
    codes = ["unknown_account", "public", "snapshot_public", GRANT, STATEMENT]
    (refusal,) = remediated(*seen, finding_codes=codes, max_removals=0)["failures"]
    assert refusal["message"] == (
        "remediate_max_removals: the plan has 6 removals, and at most 0 are allowed: "
        "1 image from the public (public); 1 snapshot from the public (snapshot_public); "
        f"2 removals of keys from {A}, {B} (grant_without_share); 1 image from {A} (unknown_account); "
        "and 1 more."
    )


def test_the_role_accepts_the_codes_that_removing_permissions_fixes() -> None:
    role = CHECKOUT / "roles" / "remediate" / "meta" / "variables.yml"
    variables = yaml.safe_load(role.read_text(encoding="utf-8"))["variables"]
    assert variables["remediate_finding_codes"]["choices"] == sorted(REPAIRABLE)

# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings about launch and volume permissions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.state import Listed, RegionState
from ansible_collections.golden.images.plugins.module_utils._model import PublicAccessBlock, Sharing
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.examples import IMAGE, PUBLIC, accounts, allowing, audit_of, codes, orgs, region, rule
from tests.unit.examples import ORG, OWNER, SOURCE_ID, STRANGER, UNIT
from tests.unit.kms_grant.examples import A, B

OTHER_ORG = "arn:aws:organizations::111122223333:organization/o-zzzzzzzzzz"


OTHER_UNIT = "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-22222222"


DISABLED = replace(IMAGE, state="disabled")


BOTH = accounts(A) | orgs(ORG)


THROUGH = "access_remains_through_organization"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(region(PUBLIC), [("public", SOURCE_ID, "all")], id="public"),
        pytest.param(
            region(accounts(A, B)),
            [("unknown_account", SOURCE_ID, A), ("unknown_account", SOURCE_ID, B)],
            id="accounts",
        ),
        pytest.param(region(orgs(ORG)), [("unknown_organization", SOURCE_ID, ORG)], id="an organization"),
        pytest.param(
            region(orgs(units=[UNIT])), [("unknown_organizational_unit", SOURCE_ID, UNIT)], id="a unit"
        ),
        pytest.param(
            region(BOTH),
            [
                (THROUGH, SOURCE_ID, A),
                ("unknown_account", SOURCE_ID, A),
                ("unknown_organization", SOURCE_ID, ORG),
            ],
            id="an account and an organization",
        ),
        pytest.param(
            region(volume=PUBLIC), [("snapshot_public", "snap-00000001", "all")], id="a public snapshot"
        ),
        pytest.param(
            replace(region(volume=PUBLIC), snapshot_block=PublicAccessBlock("block-all-sharing")),
            [("snapshot_public_blocked", "snap-00000001", "all")],
            id="a public snapshot that is hidden",
        ),
        pytest.param(
            replace(region(volume=PUBLIC), snapshot_block=PublicAccessBlock("block-new-sharing")),
            [("snapshot_public", "snap-00000001", "all")],
            id="a public snapshot from before the block",
        ),
        pytest.param(
            region(volume=accounts(A)),
            [("snapshot_wider_than_image", "snap-00000001", A), ("unknown_account", "snap-00000001", A)],
            id="a snapshot only",
        ),
        pytest.param(
            region(volume=PUBLIC, image=DISABLED, snapshot_block=PublicAccessBlock("block-all-sharing")),
            [("snapshot_public_blocked", "snap-00000001", "all")],
            id="a hidden snapshot of a disabled image",
        ),
        pytest.param(
            region(volume=accounts(A), image=DISABLED),
            [("shared_but_disabled", SOURCE_ID, None), ("unknown_account", "snap-00000001", A)],
            id="a snapshot of a disabled image",
        ),
    ],
)
def test_what_is_not_allowed(seen: RegionState, expected: list[Any]) -> None:
    assert codes(audit_of(seen)) == expected


def test_a_snapshot_of_several_images_is_compared_with_all_of_them() -> None:
    other = replace(IMAGE, image_id="ami-00000000", name="edge")
    two = region(
        accounts(A),
        accounts(A, B),
        images=(Listed(other), Listed(IMAGE)),
        sharing={SOURCE_ID: accounts(A), other.image_id: accounts(B)},
    )
    wanted = allowing(A, rules=[rule(accounts(B), "edge")])
    assert codes(audit_of(two, **wanted)) == []
    stranger = replace(two, volume_permissions={"snap-00000001": accounts(A, STRANGER)})
    (wider, unknown) = audit_of(stranger, **wanted)["findings"]
    assert (wider["code"], unknown["code"]) == ("snapshot_wider_than_image", "unknown_account")
    assert wider["image_id"] == unknown["image_id"] == other.image_id


SHARINGS = st.builds(
    Sharing,
    st.frozensets(st.sampled_from([A, B, STRANGER, OWNER])),
    st.frozensets(st.sampled_from([ORG, OTHER_ORG])),
    st.frozensets(st.sampled_from([UNIT, OTHER_UNIT])),
    st.booleans(),
)


@given(SHARINGS, SHARINGS, SHARINGS)
def test_nothing_is_unknown_that_is_allowed(allowed: Sharing, launch: Sharing, volume: Sharing) -> None:
    seen = region(launch & allowed, (volume & allowed).accounts_only())
    found = [code for code, _resource, _principal in codes(audit_of(seen, **allowing(allowed)))]
    assert set(found) <= {"snapshot_wider_than_image"}


@given(SHARINGS, SHARINGS)
def test_all_that_is_not_allowed_is_found(allowed: Sharing, launch: Sharing) -> None:
    found = codes(audit_of(region(launch), **allowing(allowed)))
    named = {principal for code, _resource, principal in found if code.startswith(("unknown_", "public"))}
    unknown = launch - allowed
    units = frozenset() if ORG in allowed.org_arns else unknown.org_unit_arns
    expected = (unknown.account_ids - {OWNER}) | unknown.org_arns | units
    assert named == expected | ({"all"} if unknown.public else set())


@pytest.mark.parametrize(
    ("unused", "expected"),
    [
        (PUBLIC, [("snapshot_public", "snap-old", "all")]),
        (accounts(A, STRANGER, OWNER), [("unknown_account", "snap-old", STRANGER)]),
        (accounts(A), []),
    ],
)
def test_snapshots_that_no_image_uses(unused: Sharing, expected: list[Any]) -> None:
    # Rules are for images.
    wanted = allowing(A, rules=[rule(accounts(STRANGER) | PUBLIC, "*")])
    plan = audit_of(replace(region(), unused={"snap-old": unused}), **wanted)
    assert codes(plan) == expected
    assert all("snap-old, which no image uses" in found["message"] for found in plan["findings"])
    assert {found["image_id"] for found in plan["findings"]} <= {None}


def test_a_public_snapshot_that_no_image_uses_and_that_is_blocked() -> None:
    seen = replace(
        region(), unused={"snap-old": PUBLIC}, snapshot_block=PublicAccessBlock("block-all-sharing")
    )
    assert codes(audit_of(seen)) == [("snapshot_public_blocked", "snap-old", "all")]


@pytest.mark.parametrize("block", [None, PublicAccessBlock("block-all-sharing")])
def test_a_public_snapshot_is_closed_and_one_that_no_image_uses_can_be_deleted(
    block: PublicAccessBlock | None,
) -> None:
    seen = replace(region(volume=PUBLIC), unused={"snap-old": PUBLIC}, snapshot_block=block)
    remedies = {
        one["resource"]: one["remedy"].partition(" (ModifySnapshotAttribute)")[0]
        for one in audit_of(seen)["findings"]
        if one["code"].startswith("snapshot_public")
    }
    assert remedies == {
        "snap-00000001": "Remove the group all",
        "snap-old": "Delete it, or remove the group all",
    }


@pytest.mark.parametrize(
    ("block", "end"),
    [
        (None, ", then enable block public access."),
        (PublicAccessBlock("unblocked", "account"), ", then enable block public access."),
        (
            PublicAccessBlock("unblocked", "declarative-policy"),
            ", then change the declarative policy that allows public sharing: the account cannot.",
        ),
        (
            PublicAccessBlock("block-new-sharing", "account"),
            ". Block public access (block-new-sharing) keeps it private then.",
        ),
        (
            PublicAccessBlock("block-new-sharing", "declarative-policy"),
            ". Block public access (block-new-sharing, set by a declarative policy) keeps it private then.",
        ),
    ],
)
def test_what_keeps_something_from_becoming_public_again(block: PublicAccessBlock | None, end: str) -> None:
    seen = replace(
        region(PUBLIC, PUBLIC), image_block=block, snapshot_block=block, unused={"snap-old": PUBLIC}
    )
    remedies = [
        one["remedy"] for one in audit_of(seen)["findings"] if one["code"] in ("public", "snapshot_public")
    ]
    assert len(remedies) == 3
    assert all(remedy.endswith(end) for remedy in remedies)

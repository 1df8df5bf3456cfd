# SPDX-License-Identifier: GPL-3.0-or-later

"""What consumers lose that leave: all that names them in the selection, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.state import Listed, RegionState
from ansible_collections.golden.images.plugins.module_utils._remediation import flow as remediation_plan

from tests.unit.audit.examples import (
    ENCRYPTED,
    IMAGE,
    PRIVATE,
    PUBLIC,
    US,
    account_of,
    accounts,
    audit_of,
    audit_result,
    orgs,
    refused,
    region,
    under_key,
    unread,
)
from tests.unit.examples import ORG, OWNER, SOURCE_ID, UNIT, volumes
from tests.unit.in_process import returned
from tests.unit.keys.policies import ORG_ID, consumers, opened_to
from tests.unit.keys.policies import UNIT as UNIT_IDS
from tests.unit.kms_grant.examples import DEPLOY, KEY, A, B, foreign, made, root, scaling_role
from tests.unit.remediation.examples import FAR, HERE, performed, resources

SNAPSHOT = "snap-00000001"
OTHER = replace(IMAGE, image_id="ami-00000000", name="other", devices=volumes("snap-00000008"))
AWAY = {"account_ids": [A]}
ALL = {**AWAY, "all_images": True}


def departed(audit: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """What the module plans for an audit, by default for account ``A`` and all images."""
    return returned(remediation_plan, {**(options or ALL), "audit_result": audit})


def lost(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The resource and the principal of each removal."""
    assert not result.get("failed"), result["msg"]
    return [(one["resource"], one["principal"]) for one in result["removals"]]


def two(first: RegionState, second: RegionState) -> RegionState:
    """One region with the images of two."""
    return replace(
        first,
        images=(*first.images, *second.images),
        sharing={**first.sharing, **second.sharing},
        volume_permissions={**second.volume_permissions, **first.volume_permissions},
    )


@pytest.mark.parametrize(
    ("seen", "leaving", "expected"),
    [
        pytest.param(
            region(accounts(A, B), accounts(A, B)), AWAY, [(SOURCE_ID, A), (SNAPSHOT, A)], id="an account"
        ),
        pytest.param(region(accounts(B), accounts(A)), AWAY, [(SNAPSHOT, A)], id="its snapshot only"),
        pytest.param(region(accounts(B), accounts(B)), AWAY, [], id="nothing of others"),
        pytest.param(region(PUBLIC, PUBLIC), AWAY, [], id="not from the public"),
        pytest.param(
            region(orgs(ORG, units=[UNIT])), {"org_arns": [ORG]}, [(SOURCE_ID, ORG)], id="an organization"
        ),
        pytest.param(
            region(orgs(ORG, units=[UNIT])), {"org_unit_arns": [UNIT]}, [(SOURCE_ID, UNIT)], id="a unit"
        ),
        pytest.param(
            region(unused={"snap-00000009": accounts(A, B)}),
            AWAY,
            [("snap-00000009", A)],
            id="a snapshot that no image uses",
        ),
        pytest.param(
            under_key(accounts(A, B), made(root(A)), made(root(B)), made(scaling_role(A)), foreign(root(A))),
            AWAY,
            [(SOURCE_ID, A), (KEY.arn, A), (KEY.arn, scaling_role(A))],
            id="the grants of the account and of its roles",
        ),
        pytest.param(
            under_key(PRIVATE, made(root(B)), made(DEPLOY)),
            AWAY,
            [(KEY.arn, DEPLOY)],
            id="a grant that outlived its image",
        ),
        pytest.param(
            under_key(PRIVATE, policy=opened_to(consumers(A, B, org_ids=(ORG_ID,), units=(UNIT_IDS,)))),
            {"account_ids": [A], "org_unit_arns": [UNIT]},
            [(KEY.arn, A), (KEY.arn, UNIT_IDS[1])],
            id="statements of the account and the unit, not of the organization",
        ),
        pytest.param(
            under_key(PRIVATE, policy=opened_to(consumers(org_ids=(ORG_ID,), units=(UNIT_IDS,)))),
            {"org_arns": [ORG]},
            [(KEY.arn, ORG_ID)],
            id="the statement of the organization, not of its unit",
        ),
    ],
)
def test_all_that_names_who_leaves(
    seen: RegionState, leaving: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    result = departed(audit_of(seen), **leaving, all_images=True)
    assert lost(result) == expected
    assert all(one["finding_codes"] == [] and not one["message"].endswith(": ") for one in result["removals"])


def test_a_second_run_has_nothing_to_do() -> None:
    before = account_of(
        under_key(accounts(A, B), made(root(A)), made(root(B)), volume_permissions={SNAPSHOT: accounts(A)}),
        region(accounts(A), accounts(A, B)),
    )
    result = departed(audit_result(before, {}))
    assert {one["principal"] for one in result["removals"]} == {A}
    assert {one["region"] for one in result["removals"]} == {HERE, FAR}
    again = departed(audit_result(performed(before, result), {}))
    assert (lost(again), again["unshare_tasks"], again["revoke_tasks"]) == ([], [], [])


NAMED = {"images": {HERE: SOURCE_ID}}
SELECTIONS: tuple[tuple[dict[str, Any], set[str]], ...] = (
    ({"all_images": True}, {SOURCE_ID, OTHER.image_id}),
    (NAMED, {SOURCE_ID}),
    ({"images": [OTHER.image_id]}, {OTHER.image_id}),
    ({"images": [{"region": HERE, "image_id": SOURCE_ID, "name": "of a report"}]}, {SOURCE_ID}),
    ({"name_patterns": ["oth*"]}, {OTHER.image_id}),
    ({"name_patterns": ["oth*", "gold*"]}, {SOURCE_ID, OTHER.image_id}),
    ({"name_patterns": ["other"], **NAMED}, {SOURCE_ID, OTHER.image_id}),
)


@pytest.mark.parametrize(("selection", "expected"), SELECTIONS)
def test_only_what_is_selected(selection: dict[str, Any], expected: set[str]) -> None:
    both = two(region(accounts(A)), region(accounts(A), image=OTHER))
    assert {resource for resource, _who in lost(departed(audit_of(both), **AWAY, **selection))} == expected


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({**AWAY}, "images: no images are selected."),
        ({**AWAY, "images": {}}, "images: no images are selected."),
        ({**AWAY, "name_patterns": []}, "images: no images are selected."),
        ({**ALL, **NAMED}, "all_images: excludes images and name_patterns."),
        ({**ALL, "name_patterns": ["other"]}, "all_images: excludes images and name_patterns."),
        ({**AWAY, "name_patterns": ["othr*"]}, "name_patterns: no image has a name like 'othr*'."),
        ({**AWAY, "name_patterns": ["gold*", "othr"]}, "name_patterns: no image has a name like 'othr'."),
        ({**AWAY, "images": {HERE: "ami-0fedcba9876543210"}}, "images: the audit did not find ami-0fedc"),
        ({"account_ids": [A, OWNER], "all_images": True}, f"account_ids: {OWNER} owns the images"),
    ],
)
def test_a_selection_that_is_not_clear_is_refused(options: dict[str, Any], problem: str) -> None:
    result = departed(audit_of(region(accounts(A))), **options)
    assert result["failed"]
    assert problem in result["msg"]


def test_no_combination_selects_more_than_it_says() -> None:
    both = two(region(accounts(A, B)), region(accounts(A, B), image=OTHER))
    audit = audit_of(both)
    images: tuple[Any, ...] = (
        None,
        [],
        {},
        "",
        [""],
        [SOURCE_ID],
        {HERE: []},
        {FAR: SOURCE_ID},
        NAMED["images"],
    )
    patterns: tuple[Any, ...] = (None, [], [""], ["gold*"], ["*"], ["x*"])
    planned = 0
    for given, names, everything in product(images, patterns, (True, False)):
        options = {"images": given, "name_patterns": names, "all_images": everything}
        result = departed(
            audit, **AWAY, **{key: value for key, value in options.items() if value is not None}
        )
        if result.get("failed"):
            continue
        planned += 1
        assert {who for _resource, who in lost(result)} == {A}
        if OTHER.image_id in {resource for resource, _who in lost(result)}:
            assert everything or names == ["*"]
    assert planned


def test_a_region_that_was_not_read_may_have_the_family() -> None:
    audit = audit_of(region(accounts(A)), unread={US: refused(US)})
    result = departed(audit, **AWAY, name_patterns=["other*"])
    assert lost(result) == []
    assert [text for text in result["unreadable"] if US in text]


def test_what_could_not_be_read_is_not_removed_and_not_called_fine() -> None:
    seen = region(accounts(A), problems=(unread("image_unreadable", SOURCE_ID),), sharing={})
    result = departed(audit_of(seen))
    assert lost(result) == []
    assert len(result["unreadable"]) == 1


@pytest.mark.parametrize("through", [ORG, UNIT])
def test_access_through_an_organization_is_named(through: str) -> None:
    shared = orgs(ORG) if through == ORG else orgs(units=[UNIT])
    result = departed(audit_of(region(shared | accounts(A)), region(shared)))
    (access,) = result["other_access"]
    assert access["principal"] == through
    assert access["resources"] == {HERE: [SOURCE_ID], FAR: [SOURCE_ID]}
    assert access["message"].startswith(f"2 images in 2 regions stay shared with {through}: if {A} is in it")


@pytest.mark.parametrize(
    ("shared", "leaving", "principal", "why"),
    [
        (
            orgs(ORG, units=[UNIT]),
            {"org_arns": [ORG]},
            UNIT,
            "which is in an organization that leaves: its accounts",
        ),
        (
            orgs(ORG, units=[UNIT]),
            {"org_unit_arns": [UNIT]},
            ORG,
            f"if {UNIT} is in it, accounts that leave can",
        ),
        (PUBLIC | orgs(ORG), {"org_arns": [ORG]}, "all", "stays public: every account can use it"),
        (PUBLIC, {"org_unit_arns": [UNIT]}, "all", "stays public: every account can use it"),
    ],
)
def test_what_an_organization_or_a_unit_that_leaves_can_still_use(
    shared: Any, leaving: dict[str, Any], principal: str, why: str
) -> None:
    (access,) = departed(audit_of(region(shared)), **leaving, all_images=True)["other_access"]
    assert (access["principal"], access["resources"]) == (principal, {HERE: [SOURCE_ID]})
    assert why in access["message"]


def test_units_of_another_organization_are_not_those_of_one_that_leaves() -> None:
    other = UNIT.replace(ORG_ID, "o-other12345")
    result = departed(audit_of(region(orgs(units=[other]))), org_arns=[ORG], all_images=True)
    assert (other != UNIT, result["other_access"]) == (True, [])


def test_public_images_are_named() -> None:
    (access,) = departed(audit_of(region(PUBLIC | accounts(A))))["other_access"]
    assert access["message"].startswith("1 image in 1 region stays public: every account can use it")


def test_key_access_that_this_collection_did_not_give_is_named() -> None:
    seen = under_key(accounts(A), made(root(A)), foreign(root(A)), foreign(root(B)))
    (access,) = departed(audit_of(seen))["other_access"]
    assert (access["principal"], access["resources"]) == (A, {HERE: [KEY.arn]})
    assert "this collection did not make" in access["message"]


def test_a_key_that_other_images_need_is_kept() -> None:
    """Only the image is named; the other one under the key stays shared with the account."""
    second = replace(ENCRYPTED, image_id=OTHER.image_id, name="other")
    seen = under_key(accounts(A), made(root(A)))
    both = replace(
        seen,
        images=(*seen.images, Listed(second)),
        sharing={**seen.sharing, second.image_id: accounts(A)},
    )
    result = departed(audit_of(both), **AWAY, **NAMED)
    assert lost(result) == [(SOURCE_ID, A)]
    (kept,) = result["kept_access"]
    assert (kept["principal"], kept["resource"], kept["image_ids"]) == (A, KEY.arn, [second.image_id])
    assert lost(departed(audit_of(both), **AWAY, **NAMED, revoke_in_use=True)) == [
        (SOURCE_ID, A),
        (KEY.arn, A),
    ]
    assert lost(departed(audit_of(both))) == [(OTHER.image_id, A), (SOURCE_ID, A), (KEY.arn, A)]


def test_a_key_of_an_image_that_stays_shared_with_an_organization_is_kept() -> None:
    result = departed(audit_of(under_key(accounts(A) | orgs(ORG), made(root(A)))))
    assert lost(result) == [(SOURCE_ID, A)]
    assert [kept["image_ids"] for kept in result["kept_access"]] == [[SOURCE_ID]]


def test_many_images_of_an_account_are_no_reason_to_refuse() -> None:
    images = [replace(IMAGE, image_id=f"ami-{number:08x}", devices=()) for number in range(30)]
    seen = region(images=tuple(map(Listed, images)), sharing={one.image_id: accounts(A) for one in images})
    assert len(resources(departed(audit_of(seen)))) == 30

# SPDX-License-Identifier: GPL-3.0-or-later

"""The document of an audit: all access has a mark, and nothing unread looks clean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.causes import MEANINGS
from ansible_collections.golden.images.plugins.module_utils._audit.report.content import audit
from ansible_collections.golden.images.plugins.module_utils._audit.report.document import document
from ansible_collections.golden.images.plugins.module_utils._audit.state import Listed, Problem, RegionState
from ansible_collections.golden.images.plugins.module_utils._reports.document import (
    Document,
    Grid,
    Mark,
    expand_row,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.examples import (
    ENCRYPTED,
    EU,
    IMAGE,
    PRIVATE,
    PUBLIC,
    US,
    accounts,
    allowing,
    audit_of,
    orgs,
    refused,
    region,
    rule,
    under_key,
)
from tests.unit.audit.report.examples import policy, report
from tests.unit.examples import ORG, OWNER, SOURCE_ID, UNIT
from tests.unit.keys.policies import policy_of
from tests.unit.kms_grant.examples import KEY, A, B, made, root

NO_IMAGE = Problem("image_unreadable", SOURCE_ID, refused(action="DescribeImageAttribute"), SOURCE_ID)
NO_SNAPSHOT = Problem(
    "snapshot_unreadable", "snap-00000001", refused(action="DescribeSnapshotAttribute"), SOURCE_ID
)

ORG_ID, UNIT_ID = "o-a1b2c3d4e5", "ou-ab12-11111111"


def of(*seen: RegionState, **changes: Any) -> Document:
    return document(report(*seen, **changes))


def marks(shown: Document) -> dict[str, Mark]:
    """The marks of the only image."""
    assert shown.matrix is not None
    (row,) = shown.matrix.rows
    assert set(row.cells) <= set(shown.matrix.columns)
    assert set(row.cells.values()) <= set(shown.matrix.legend)
    return dict(row.cells)


@pytest.mark.parametrize(
    ("seen", "wanted", "expected"),
    [
        pytest.param(region(), {}, {}, id="private"),
        pytest.param(region(accounts(A)), allowing(A), {A: Mark.FULL}, id="allowed"),
        pytest.param(region(accounts(A)), allowing(B), {A: Mark.FOREIGN}, id="not allowed"),
        pytest.param(region(PUBLIC), {}, {"public": Mark.PUBLIC}, id="public"),
        pytest.param(region(PUBLIC), allowing(PUBLIC), {"public": Mark.FULL}, id="public, which is allowed"),
        pytest.param(region(volume=PUBLIC), allowing(A), {"public": Mark.PUBLIC}, id="a public snapshot"),
        pytest.param(region(volume=accounts(A)), allowing(A), {A: Mark.PARTIAL}, id="a snapshot, allowed"),
        pytest.param(
            region(volume=accounts(A)), allowing(B), {A: Mark.FOREIGN}, id="a snapshot, not allowed"
        ),
        pytest.param(
            region(orgs(ORG, units=[UNIT])),
            allowing(orgs(units=[UNIT])),
            {ORG_ID: Mark.FOREIGN, UNIT_ID: Mark.FULL},
            id="an organization and an organizational unit",
        ),
        pytest.param(
            under_key(accounts(A, B), made(root(A))),
            allowing(A, B),
            {A: Mark.FULL, B: Mark.BROKEN},
            id="one lacks the key",
        ),
        pytest.param(
            under_key(accounts(A), made(root(A)), key=replace(KEY, state="Disabled")),
            allowing(A),
            {A: Mark.BROKEN},
            id="the key is disabled",
        ),
        pytest.param(
            region(accounts(A), image=ENCRYPTED), allowing(A), {A: Mark.UNREADABLE}, id="the key is not known"
        ),
        pytest.param(
            region(sharing={}, volume=accounts(A), problems=(NO_IMAGE,)),
            allowing(A),
            {A: Mark.UNREADABLE, "others": Mark.UNREADABLE},
            id="the image could not be read",
        ),
        pytest.param(
            region(volume_permissions={"snap-00000002": PRIVATE}, problems=(NO_SNAPSHOT,)),
            allowing(A),
            {"others": Mark.UNREADABLE},
            id="a snapshot could not be read",
        ),
        pytest.param(
            region(accounts(A), volume_permissions={}),
            allowing(A, check_snapshots=False),
            {A: Mark.FULL},
            id="snapshots were not checked",
        ),
    ],
)
def test_the_mark_of_each_principal(
    seen: RegionState, wanted: dict[str, Any], expected: dict[str, Mark]
) -> None:
    assert marks(of(seen, **wanted)) == expected


def test_columns_are_public_organizations_units_and_accounts() -> None:
    unread = region(sharing={}, volume=PUBLIC | accounts(A), problems=(NO_IMAGE,))
    shown = of(region(accounts(B) | orgs(ORG, units=[UNIT])), unread)
    assert shown.matrix is not None
    assert shown.matrix.columns == ("public", ORG_ID, UNIT_ID, A, B, "others")
    assert [row.labels["region"] for row in shown.matrix.rows] == [EU, US]
    assert {tuple(row.labels) for row in shown.matrix.rows} == {
        tuple(column.key for column in shown.matrix.labels)
    }


def test_a_region_that_could_not_be_read_has_a_row() -> None:
    matrix = of(region(accounts(A)), unread={US: refused(US)}).matrix
    assert matrix is not None
    rows = {row.labels["region"]: (row.labels["name"], dict(row.cells)) for row in matrix.rows}
    assert rows[US] == ("The region could not be read", {"others": Mark.UNREADABLE})
    assert matrix.columns == (A, "others")


def test_who_is_allowed_is_in_the_report() -> None:
    rules = [rule(accounts(B), "golden-*", tags={"team": "web"}), rule(PUBLIC, "open-*")]
    shown = of(region(), **allowing(accounts(A) | orgs(ORG), rules=rules))
    assert ("Allowed", "1 account, 1 organization and 2 rules") in shown.facts
    rows = tables(shown)["Who is allowed"]
    assert [(row["images"], row.get("account_ids"), row.get("public")) for row in rows] == [
        ("all", [A], None),
        ("golden-* with the tags team=web", [B], False),
        ("open-*", [], True),
    ]
    assert "Who is allowed" not in tables(of(region()))


def test_there_is_a_record_for_each_image_and_principal() -> None:
    shown = of(region(accounts(A, B), accounts(A)), region(), **allowing(A))
    keys = [column.key for column in shown.records.columns]
    rows = [one for row in shown.records.rows for one in expand_row(row)]
    assert [{*row} <= {*keys} for row in rows] == [True, True, True]
    assert [(row["region"], row.get("principal"), row.get("allowed")) for row in rows] == [
        (EU, A, True),
        (EU, B, False),
        (US, None, None),
    ]
    assert rows[0]["snapshots"] == "some"
    # Not one row for each image.
    assert shown.records.title == "All images and principals"


def tables(shown: Document) -> dict[str, list[dict[str, Any]]]:
    return {table.title: [dict(row) for row in table.rows] for table in shown.tables}


def test_keys_are_listed_with_their_users() -> None:
    rows = tables(of(under_key(accounts(A), made(root(A))), under_key(PRIVATE)))["Keys and who may use them"]
    assert [
        (row["region"], row["principal"], row["through"], row["created_by_collection"]) for row in rows
    ] == [
        (EU, root(A), "grant", True),
        (US, None, None, None),
    ]
    assert {row["state"] for row in rows} == {"Enabled"}


def test_every_region_is_listed_with_whether_it_was_read() -> None:
    shown = of(region(PUBLIC), unread={US: refused(US)})
    regions = {row["region"]: row for row in tables(shown)["Regions"]}
    assert [(row["read"], row["images"]) for row in regions.values()] == [(True, 1), (False, None)]
    assert regions[EU]["image_block_public_access"] == "block-new-sharing"


def test_what_could_not_be_read_is_the_first_table() -> None:
    shown = of(region(), unread={US: refused(US)})
    assert shown.tables[0].title == "What could not be read"
    assert [row["error_code"] for row in shown.tables[0].rows] == ["UnauthorizedOperation"]
    assert "Not everything could be read" in shown.headline
    assert (shown.status, shown.complete) == ("incomplete", False)
    assert "What could not be read" not in tables(of(region()))


def test_a_copy_with_its_default_name_is_the_version_of_its_source() -> None:
    """CopyImage gets the name of the source and, behind it, the source's ID."""
    copy = replace(IMAGE, name=f"{IMAGE.name}-2026.11.1-{SOURCE_ID}")
    source = replace(IMAGE, name=f"{IMAGE.name}-2026.11.1")
    (picture,) = of(*(region(images=(Listed(one),)) for one in (source, copy))).pictures
    assert isinstance(picture, Grid)
    ((family, cells),) = picture.rows
    assert family == IMAGE.name
    assert [(one.text, one.mark) for one in cells if one] == [("2026.11.1", Mark.FULL)] * 2


def test_an_audit_without_results_is_incomplete() -> None:
    shown = document(audit({"failed": True, "msg": "No credentials."}, policy()))
    assert (shown.status, shown.title) == ("incomplete", "Who can use the images")
    assert "No credentials." in shown.headline
    assert [table.title for table in shown.tables] == ["What could not be read"]
    assert [(item.code, item.message) for item in shown.items] == [("account_unreadable", "No credentials.")]


def test_the_table_of_keys_has_statements_of_others_as_its_note_says() -> None:
    decrypts = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    of_others = ({**decrypts, "Principal": {"AWS": root(B)}}, {**decrypts, "Principal": "*"})
    shown = of(under_key(PRIVATE, policy=policy_of(*of_others)))
    (keys,) = [table for table in shown.tables if table.title == "Keys and who may use them"]
    assert [row["principal"] for row in keys.rows] == [B, "all"]
    assert keys.note.endswith("statements that name other accounts or organizations, or everyone.")


def test_what_was_not_checked_is_a_fact() -> None:
    left_out = of(region(volume_permissions={}), **allowing(check_snapshots=False))
    assert ("Left out", "snapshots: not checked") in left_out.facts
    assert of(region()).facts == (("Allowed", "nobody but the owner"),)


def test_every_finding_is_an_item_with_an_explanation() -> None:
    given = audit_of(region(PUBLIC, accounts(A)), unread={US: refused(US)})
    shown = document(audit(given, policy()))
    assert [
        {key: getattr(item, key) for key in finding}
        for item, finding in zip(shown.items, given["findings"], strict=True)
    ] == given["findings"]
    assert {item.code for item in shown.items} <= {*shown.explanations}
    assert shown.explanations == MEANINGS
    assert shown.kind == "audit"
    assert {item.account_id for item in shown.items} == {OWNER}


@given(
    st.lists(st.sets(st.sampled_from([A, B])), min_size=1, max_size=2),
    st.sets(st.sampled_from([A, B])),
    st.sets(st.sampled_from([A, B])),
)
def test_a_mark_is_foreign_where_there_is_a_finding_and_nowhere_else(
    launches: list[set[str]], volume: set[str], allowed: set[str]
) -> None:
    seen = [region(accounts(*launch), accounts(*volume)) for launch in launches]
    shown = of(*seen, **allowing(*allowed))
    assert shown.matrix is not None
    foreign = {
        (row.labels["region"], who)
        for row in shown.matrix.rows
        for who, mark in row.cells.items()
        if mark is Mark.FOREIGN
    }
    assert foreign == {
        (item.region, item.principal) for item in shown.items if item.code == "unknown_account"
    }
    marked = [len(row.cells) for row in shown.matrix.rows]
    assert marked == [len(launch | volume) for launch in launches]

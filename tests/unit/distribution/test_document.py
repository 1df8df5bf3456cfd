# SPDX-License-Identifier: GPL-3.0-or-later

"""The document of a distribution: each step in each region, and who has the image."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._distribution.document import (
    build_document,
    compare_reports,
)
from ansible_collections.golden.images.plugins.module_utils._reports.document import (
    Cell,
    Document,
    Grid,
    Mark,
)
from ansible_collections.golden.images.plugins.module_utils._reports.formats import render_all
from ansible_collections.golden.images.plugins.module_utils._verification.document import MEANINGS

from tests.unit.distribution.examples import (
    EU,
    US,
    copied,
    copy,
    failure,
    reported,
    shared,
    verification,
)
from tests.unit.examples import OWNER, SOURCE_ID
from tests.unit.reports.examples import PAGE_FILES

A, B = "222222222222", "333333333333"
ORG = "arn:aws:organizations::111111111111:organization/o-a1b2c3d4e5"
NOW, BEFORE = "2026-11-24T12:00:00+00:00", "2026-11-23T12:00:00+00:00"


def verified(account_id: str, region: str = EU, reached: bool = True, **changed: Any) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "findings": [],
        "image_id": f"ami-{region}",
        "level": "visible",
        "reached": reached,
        "region": region,
        **changed,
    }


def published(region: str, **changed: Any) -> dict[str, Any]:
    return {
        "account_id": A,
        "image_id": f"ami-{region}",
        "label": "4",
        "launch_templates": {"web": 7},
        "parameter": "/golden/web",
        "region": region,
        **changed,
    }


def of(*arguments: Any, **more: Any) -> Document:
    return build_document(reported(*arguments, **more))


def steps(shown: Document) -> dict[str, dict[str, tuple[str, Mark] | None]]:
    (grid,) = shown.pictures
    return {
        region: {
            column: (cell.text, cell.mark) if isinstance(cell, Cell) else None
            for column, cell in zip(grid.columns, cells, strict=True)
        }
        for region, cells in grid.rows
    }


def test_a_distribution_with_every_step() -> None:
    shown = of(
        copied(EU, US),
        {},
        shared(EU, US),
        verify_result=verification(verified(A), verified(A, US)),
        publish_result={"results": [published(EU), published(US)]},
    )
    assert shown.headline == (
        "The image is available in 2 of 2 regions, shared with 1 consumer in 2 regions, verified for 2 of "
        "2 account-region pairs and published in 1 account in 2 regions."
    )
    assert (shown.status, shown.complete, shown.items) == ("distributed", True, ())
    assert shown.title == "Distribution of golden"
    good = {"copied": "available", "key": "ok", "shared": "1 consumer"}
    good |= {"verified": "1 of 1", "published": "1 account"}
    assert steps(shown) == {
        region: {step: (text, Mark.FULL) for step, text in good.items()} for region in (EU, US)
    }
    assert shown.matrix is not None
    assert [dict(row.cells) for row in shown.matrix.rows] == [{A: Mark.FULL}, {A: Mark.FULL}]
    assert [table.title for table in shown.tables] == ["Where the image is published"]
    assert shown.tables[0].rows[0]["templates"] == ["web"]


@pytest.mark.parametrize(
    ("options", "title", "source"),
    [
        ({"source_image_id": SOURCE_ID}, SOURCE_ID, f"{SOURCE_ID} in {US}"),
        (
            {"source_parameter": "/golden/base"},
            "an image",
            f"the image that the parameter /golden/base names in {US}",
        ),
        (
            {"source_filters": {"name": ["web-*", "db-*"], "state": "available"}},
            "an image",
            f"the newest image with name = web-*, db-* and state = available in {US}",
        ),
    ],
)
def test_what_failed_at_its_first_step_says_what_was_asked_for(
    options: dict[str, Any], title: str, source: str
) -> None:
    refused = {"failed": True, "failures": [failure(None)]}
    given = {"source_region": US, "regions": [US, EU], "account_ids": [A, B], **options}
    shown = of(refused, {}, {}, **given)
    assert (shown.title, shown.headline) == (f"Distribution of {title}", "No region was completed.")
    assert shown.facts == (("Source", source), ("Regions", f"{US}, {EU}"), ("Share with", "2 consumers"))


def test_what_reached_a_part_of_what_was_wanted_is_not_done() -> None:
    permissions = [
        {"account_ids": [A], "regions": [EU, US]},
        {"account_ids": [B, "444444444444"], "regions": [US]},
    ]
    shown = of(
        copied(EU, US),
        {},
        shared(EU, US, launch_permissions=permissions),
        publish_result={
            "results": [published(EU), *(published(US, account_id=one) for one in (A, B, OWNER))]
        },
        account_ids=[A, B],
        publish_account_ids=[A, B],
    )
    assert {region: (found["shared"], found["published"]) for region, found in steps(shown).items()} == {
        EU: (("1 of 2", Mark.PARTIAL), ("1 of 3", Mark.PARTIAL)),
        US: (("2 of 2", Mark.FULL), ("3 of 3", Mark.FULL)),
    }
    assert shown.headline == (
        "The image is available in 2 of 2 regions, shared with all 2 consumers in 1 of 2 regions and "
        "published in all 3 accounts (the owner among them) in 1 of 2 regions."
    )


def test_an_owner_that_is_not_known_is_not_among_the_accounts() -> None:
    shown = of(copied(results=[copy(EU, account_id=None)]), {}, {}, publish_account_ids=[A, B])
    assert "published in all 2 accounts in 0 of 1 region." in shown.headline
    owned = of(copied(EU), {}, {}, publish_account_ids=[OWNER])
    assert "published in 1 account in 0 of 1 region." in owned.headline


def test_what_was_wanted_and_done_nowhere_is_not_left_out() -> None:
    shown = of(copied(EU), {}, {}, account_ids=[A], publish_account_ids=[A])
    assert steps(shown)[EU] == {
        "copied": ("available", Mark.FULL),
        "key": ("ok", Mark.FULL),
        "shared": ("0 of 1", Mark.BROKEN),
        "published": ("0 of 2", Mark.BROKEN),
    }
    assert shown.headline == (
        "The image is available in 1 of 1 region, shared with 1 consumer in 0 of 1 region and "
        "published in all 2 accounts (the owner among them) in 0 of 1 region. Copied and not shared yet: "
        f"ami-{EU} in {EU} (available). Rerun to complete the distribution: it continues with these copies."
    )


def test_the_owner_needs_no_permission() -> None:
    shown = of(copied(EU), {}, shared(EU), account_ids=[OWNER, A])
    assert steps(shown)[EU]["shared"] == ("1 of 1", Mark.FULL)


def test_a_key_that_could_not_be_read_is_not_ok() -> None:
    shown = of(copied(EU), {"failures": [failure(EU, action="DescribeKey")]}, shared(EU))
    assert steps(shown)[EU]["key"] == ("failed", Mark.BROKEN)


def test_how_long_each_copy_took() -> None:
    source = copy(US, origin="source", copy_seconds=None)
    consumers = copied(results=[copy(EU, account_id=A, copy_seconds=8)])
    found = copied(results=[source, copy(EU, copy_seconds=421)])
    shown = of(found, {}, shared(US, EU), consumer_copy_result=consumers)
    (grid,) = shown.pictures
    assert isinstance(grid, Grid)
    cells = {region: cells[0] for region, cells in grid.rows}
    assert cells == {
        US: Cell("available", Mark.FULL, f"ami-{US} is available."),
        EU: Cell("available", Mark.FULL, f"ami-{EU} is available. The copy took 7m.", "in 7m"),
    }
    assert [row["copied_in"] for row in shown.tables[0].rows] == ["8s"]
    assert [row["copy_seconds"] for row in shown.records.rows] == [None, 421]


def test_what_is_missing_in_a_region() -> None:
    pending = copy(US, state="pending", kms_key_arn=None)
    shown = of(
        copied(results=[copy(EU), pending], failures=[failure(US)]),
        {"failures": [failure(EU, action="CreateGrant")]},
        shared(EU),
        publish_result={"results": [published(EU)]},
    )
    assert steps(shown) == {
        EU: {
            "copied": ("available", Mark.FULL),
            "key": ("failed", Mark.BROKEN),
            "shared": ("1 consumer", Mark.FULL),
            "published": ("1 account", Mark.FULL),
        },
        US: {
            "copied": ("pending", Mark.BROKEN),
            "key": None,
            "shared": ("no", Mark.BROKEN),
            "published": ("no", Mark.BROKEN),
        },
    }
    assert "2 steps failed. Copied and not shared yet: " in shown.headline
    assert [(item.code, item.message, item.severity, item.region) for item in shown.items] == [
        ("operation_failed", "No (Refused).", "high", US),
        ("operation_failed", "No (Refused).", "high", EU),
    ]
    assert shown.complete is False


def test_a_failure_in_a_best_effort_region_is_less_severe() -> None:
    copies = copied(results=[copy(EU, best_effort=True)], failures=[failure(EU)])
    assert [item.severity for item in of(copies, {}, {}).items] == ["medium"]


def test_accounts_and_the_level_that_they_reached() -> None:
    permissions = {"account_ids": [A, B], "org_arns": [ORG], "org_unit_arns": [], "regions": [EU]}
    finding = {"code": "no_key", "message": "No key.", "remedy": "Grant it.", "severity": "medium"}
    shown = of(
        copied(EU),
        {},
        shared(EU, launch_permissions=[permissions]),
        verify_result=verification(
            verified(A), verified(B, reached=False, findings=[finding]), level="authorized"
        ),
    )
    assert (
        dict(shown.facts)["Verification"] == "authorized: a dry run succeeds, and the role can use the keys"
    )
    assert shown.matrix is not None
    (row,) = shown.matrix.rows
    assert row.cells == {A: Mark.FULL, B: Mark.BROKEN, "o-a1b2c3d4e5": Mark.PARTIAL}
    assert [(item.code, item.principal, item.severity) for item in shown.items] == [("no_key", B, "medium")]
    assert steps(shown)[EU]["verified"] == ("1 of 2", Mark.PARTIAL)
    assert [(one["principal"], one["verified"]) for one in shown.records.rows] == [
        (A, True),
        (B, False),
        (ORG, None),
    ]


def test_a_verification_without_a_reason_is_a_finding() -> None:
    shown = of(
        copied(EU), {}, shared(EU), verify_result=verification(verified(A, reached=False, image_id=None))
    )
    (item,) = shown.items
    assert (item.code, item.message) == (
        "level_not_reached",
        f"{A} has not reached the level with the image.",
    )
    assert shown.explanations == MEANINGS
    assert item.code in MEANINGS


def test_the_failure_that_sums_up_the_verification_is_not_repeated() -> None:
    error = "1 account is not verified."
    failed = verification(verified(A, reached=False), error=error)
    shown = of(copied(EU), {}, shared(EU), verify_result=failed)
    assert [item.code for item in shown.items] == ["level_not_reached"]
    shown = of(copied(EU), {}, shared(EU), verify_result=verification(error=error))
    assert [item.message for item in shown.items] == [error]


def test_the_title_names_the_image_as_it_is_called_in_its_own_region() -> None:
    source = copy(US, name="golden", image_id=SOURCE_ID)
    copies = [copy(EU, name="golden ami-1"), source]
    assert of(copied(results=copies), {}, {}).title == "Distribution of golden as golden ami-1"
    several = [*copies, copy("ap-south-1", name="golden ami-2")]
    assert of(copied(results=several), {}, {}).title == "Distribution of golden"
    same = [copy(EU, name="golden"), source]
    assert of(copied(results=same), {}, {}).title == "Distribution of golden"
    assert of(copied(results=[source]), {}, {}).title == "Distribution of golden"
    reencrypted = [copy(US, name="golden us"), copy(EU, name="golden eu")]
    assert of(copied(results=reencrypted), {}, {}).title == "Distribution of golden us"


def test_copies_that_accounts_own() -> None:
    shown = of(copied(EU), {}, {}, consumer_copy_result=copied(US))
    assert [table.title for table in shown.tables] == ["Copies that accounts own"]
    assert [len(shown.records.rows), shown.records.rows[0].get("principal")] == [1, None]


def test_nothing_was_distributed() -> None:
    shown = of({"failed": True, "msg": "No such image."}, {}, {})
    assert (shown.status, shown.headline, shown.pictures) == ("failed", "No region was completed.", ())
    assert [item.message for item in shown.items] == ["No such image."]
    assert all(dict(render_all(shown, NOW, PAGE_FILES)).values())


def test_changes_since_the_last_report() -> None:
    before = {**reported(copied(EU), {}, {}), "written_at": BEFORE}
    after = reported(copied(EU, US), {}, shared(EU), publish_result={"results": [published(EU)]})
    found = compare_reports(before, after)
    assert found.added == (
        f"{EU}: ami-{EU} is shared with {A}.",
        f"{US}: ami-{US} is available.",
        f"{EU}: ami-{EU} is published in /golden/web of {A}.",
    )
    assert (found.since, found.removed) == (BEFORE, ())


def test_an_uncertain_account_has_a_mark_of_its_own_and_is_counted_apart() -> None:
    finding = {"code": "direct_key_use_denied", "message": "No.", "remedy": "Allow.", "severity": "medium"}
    doubt = {"reached": False, "uncertain": True, "key_use": "uncertain", "findings": [finding]}
    proven = {"key_use": "proven", "principal": f"arn:aws:iam::{A}:role/launcher"}
    shown = of(
        copied(EU),
        {},
        shared(EU),
        verify_result=verification(verified(A, **proven), verified(B, **doubt), level="authorized"),
    )
    assert "verified for 1 of 2 account-region pairs (1 uncertain)" in shown.headline
    assert shown.status == "distributed"
    assert shown.matrix is not None
    assert dict(shown.matrix.rows[0].cells)[B] is Mark.SLIGHT
    assert "uncertain" in shown.matrix.legend[Mark.SLIGHT]
    assert [item.code for item in shown.items] == ["direct_key_use_denied"]
    assert "the role launcher in each account" in dict(shown.facts)["Keys"]
    (grid,) = shown.pictures
    cells = dict(zip(grid.columns, grid.rows[0][1], strict=True))
    assert (cells["verified"].text, cells["verified"].detail) == ("1 of 2", "1 uncertain")
    assert {row["principal"]: row["verified"] for row in shown.records.rows} == {
        **dict.fromkeys([A], True),
        B: "uncertain",
        **dict.fromkeys({row["principal"] for row in shown.records.rows} - {A, B}),
    }


def test_a_page_says_that_the_use_of_keys_is_not_checked() -> None:
    assert dict(of(copied(EU), {}, shared(EU)).facts)["Keys"] == "Key use not checked."
    plain = copied(results=[copy(EU, kms_key_arn=None)])
    assert "Keys" not in dict(of(plain, {}, shared(EU)).facts)


def test_the_item_of_a_region_that_is_kept_back() -> None:
    kept = {"error_code": "key_use_uncertain", "message": "Not published.", "remedy": "Set it."}
    (item,) = of(copied(EU), {}, shared(EU), verify_result=verification(kept_back=kept)).items
    assert (item.code, item.message, item.remedy) == ("key_use_uncertain", "Not published.", "Set it.")

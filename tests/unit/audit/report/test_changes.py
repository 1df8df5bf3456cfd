# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes between two audit reports; what was not read is never reported as removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.report.content import audit
from ansible_collections.golden.images.plugins.module_utils._audit.state import (
    SHARES_READ,
    Listed,
    Problem,
    RegionState,
    SharedParameter,
)
from ansible_collections.golden.images.plugins.module_utils._model import PublicAccessBlock, Sharing
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
    under_key,
)
from tests.unit.audit.report.examples import EARLIER, differences, policy, report
from tests.unit.examples import ORG, OWNER, SOURCE_ID, source_image, volumes
from tests.unit.kms_grant.examples import KEY, A, B, made, root

SNAPSHOT, UNKNOWN = "snap-00000001", "(unknown_account)"
WEB = f"{SOURCE_ID} (golden-web)"
DISABLED = replace(IMAGE, state="disabled")
NEW = source_image(image_id="ami-new", name="golden-db", devices=volumes("snap-new"))
ALL = allowing(accounts(A, B) | orgs(ORG) | PUBLIC)
LATER = "It may not be new: the last audit did not cover it."
NO_IMAGE = Problem("image_unreadable", SOURCE_ID, refused(action="DescribeImageAttribute"), SOURCE_ID)
PARAMETER = SharedParameter("/golden/web", IMAGE.image_id, accounts(A))
NO_KEY = Problem("key_unreadable", KEY.arn, refused(action="GetKeyPolicy"))
EMPTY = RegionState(
    image_block=PublicAccessBlock("block-new-sharing"), snapshot_block=PublicAccessBlock("block-new-sharing")
)


def with_new(launch: Sharing = PRIVATE) -> RegionState:
    """The image, and a new one that is shared like this."""
    return region(
        images=(Listed(IMAGE), Listed(NEW)),
        sharing={SOURCE_ID: PRIVATE, NEW.image_id: launch},
        volume_permissions={},
    )


@pytest.mark.parametrize(
    ("less", "more", "wanted", "added", "gone"),
    [
        pytest.param(
            region(accounts(A)),
            region(accounts(A, B)),
            ALL,
            f"{EU}: {WEB} is now shared with {B}.",
            f"{EU}: {WEB} is no longer shared with {B}.",
            id="an account that is allowed",
        ),
        pytest.param(
            region(),
            region(PUBLIC | orgs(ORG), PUBLIC),
            ALL,
            f"{EU}: {WEB} is now shared with the public, {ORG}.",
            f"{EU}: {WEB} is no longer shared with the public, {ORG}.",
            id="several at once, and their snapshots",
        ),
        pytest.param(
            region(accounts(A)),
            region(accounts(A), accounts(A)),
            ALL,
            f"{EU}: The snapshots of {WEB} are now shared with {A}.",
            f"{EU}: The snapshots of {WEB} are no longer shared with {A}.",
            id="snapshots only",
        ),
        pytest.param(
            region(),
            region(accounts(A), accounts(A)),
            {},
            [
                f"{EU}: {WEB} is shared with the account {A}. (unknown_account)",
                f"{EU}: {SNAPSHOT}, a snapshot of {SOURCE_ID}, is shared with the account {A}. {UNKNOWN}",
            ],
            [
                f"{EU}: {WEB} is shared with the account {A}. (unknown_account)",
                f"{EU}: {SNAPSHOT}, a snapshot of {SOURCE_ID}, is shared with the account {A}. {UNKNOWN}",
            ],
            id="findings only, for what is not allowed",
        ),
        pytest.param(
            region(volume_permissions={}),
            with_new(),
            ALL,
            f"{EU}: ami-new (golden-db) is a new image.",
            f"{EU}: ami-new (golden-db) no longer exists.",
            id="an image",
        ),
        pytest.param(
            region(volume_permissions={}),
            with_new(accounts(A, B)),
            ALL,
            f"{EU}: ami-new (golden-db) is a new image, shared with {A}, {B}.",
            f"{EU}: ami-new (golden-db) no longer exists; it was shared with {A}, {B}.",
            id="an image that is shared",
        ),
        pytest.param(
            under_key(accounts(A, B), made(root(A)), made(root(B), grant_id="g-1")),
            under_key(accounts(A, B), made(root(A)), made(root(B))),
            ALL,
            [],
            [],
            id="another grant of the same",
        ),
        pytest.param(
            under_key(accounts(A)),
            under_key(accounts(A), made(root(A))),
            allowing(accounts(A), rules=()),
            f"{EU}: The key {KEY.arn} can now be used by {root(A)}.",
            f"{EU}: The key {KEY.arn} can no longer be used by {root(A)}.",
            id="a key",
        ),
    ],
)
def test_added_and_removed_access(
    less: RegionState, more: RegionState, wanted: dict[str, Any], added: Any, gone: Any
) -> None:
    small, large = report(less, **wanted), report(more, **wanted)
    expected = {name: [text] if isinstance(text, str) else text for name, text in (("+", added), ("-", gone))}
    granted, revoked = differences(small, large), differences(large, small)
    assert granted.since == EARLIER
    keys = "missing_key_access"
    assert [one for one in granted.added if keys not in one] == expected["+"]
    assert [one for one in revoked.removed if keys not in one] == expected["-"]
    assert [one for one in (*granted.removed, *revoked.added) if keys not in one] == []


def test_granting_key_access_removes_the_finding() -> None:
    before = report(under_key(accounts(A)), **allowing(A))
    after = report(under_key(accounts(A), made(root(A))), **allowing(A))
    assert differences(before, after).removed == (
        f"{EU}: {SOURCE_ID} (golden-web) is shared with {A}, which cannot use its key. (missing_key_access)",
    )


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        pytest.param(
            region(),
            region(image_block=PublicAccessBlock("unblocked")),
            "Block public access of images is now unblocked, before block-new-sharing.",
            id="the block of images",
        ),
        pytest.param(
            region(),
            region(snapshot_block=PublicAccessBlock("unblocked")),
            "Block public access of snapshots is now unblocked, before block-new-sharing.",
            id="the block of snapshots",
        ),
        pytest.param(
            under_key(PRIVATE),
            under_key(PRIVATE, key=replace(KEY, state="PendingDeletion")),
            f"The key {KEY.arn} is now PendingDeletion, before Enabled.",
            id="a key",
        ),
    ],
)
def test_a_changed_state_is_added(before: RegionState, after: RegionState, says: str) -> None:
    changed = differences(report(before), report(after))
    assert (changed.added, changed.removed) == ((f"{EU}: {says}",), ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(region(accounts(A), accounts(B)), None, id="the region"),
        pytest.param(
            region(accounts(A), volume_permissions={}),
            region(sharing={}, volume_permissions={}, problems=(NO_IMAGE,)),
            id="the image",
        ),
        pytest.param(
            under_key(accounts(A)),
            under_key(accounts(A), keys={}, problems=(NO_KEY,)),
            id="the key",
        ),
        pytest.param(
            under_key(PRIVATE, made(root(A))),
            under_key(PRIVATE, made(root(A)), sharing={}, problems=(NO_IMAGE,)),
            id="an image under the key",
        ),
    ],
)
def test_what_was_not_read_is_not_removed(before: RegionState, after: RegionState | None) -> None:
    unread = {EU: refused()} if after is None else {}
    seen = () if after is None else (after,)
    check_added_as_perhaps_not_new(report(before), report(*seen, unread=unread))


@pytest.mark.parametrize(
    ("before", "after", "options"),
    [
        pytest.param(
            region(volume=accounts(A)),
            region(volume_permissions={}),
            {"check_snapshots": False},
            id="snapshots",
        ),
        pytest.param(
            region(volume=accounts(A), image=DISABLED),
            region(image=DISABLED, volume_permissions={}),
            {"check_snapshots": False},
            id="snapshots of a disabled image",
        ),
        pytest.param(
            under_key(accounts(A)),
            region(accounts(A), image=ENCRYPTED),
            {"check_keys": False},
            id="keys",
        ),
    ],
)
def test_what_was_not_checked_is_not_removed(
    before: RegionState, after: RegionState, options: dict[str, Any]
) -> None:
    check_added_as_perhaps_not_new(report(before), report(after, **allowing(**options)))


@pytest.mark.parametrize(
    ("problems", "checks", "removed"),
    [
        ((), True, True),
        ((), False, False),
        ((Problem("parameters_unreadable", SHARES_READ, refused()),), True, False),
        ((Problem("parameters_unreadable", PARAMETER.name, refused()),), True, False),
    ],
)
def test_a_parameter_is_taken_back_only_if_that_was_read(
    problems: tuple[Problem, ...], checks: bool, removed: bool
) -> None:
    before = report(region(parameters=(PARAMETER,)), check_parameters=True)
    after = report(region(problems=problems), check_parameters=checks)
    assert before["findings"]
    said = [PARAMETER.name in one for one in differences(before, after).removed]
    assert any(said) == removed


def check_added_as_perhaps_not_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Check that nothing was removed from the old report to the new one, which covers less."""
    assert old["findings"]
    assert differences(old, new).removed == ()
    # In the other direction it is added, and may not be new.
    back = differences(new, old)
    found = [one for one in back.added if one.endswith(LATER)]
    hidden = [one for one in old["findings"] if one not in new["findings"]]
    assert len(found) == len(hidden)
    assert [one for one in back.added if not one.endswith(LATER)] == []


def test_a_region_that_can_be_read_again_removes_the_finding() -> None:
    (changed,) = differences(report(unread={EU: refused()}), report(region())).removed
    assert changed.startswith(f"{EU}: {EU} could not be read")


def test_a_region_that_is_no_longer_audited_is_added_and_nothing_in_it_is_removed() -> None:
    changed = differences(report(region(), region(accounts(A))), report(region()))
    assert (changed.added, changed.removed) == ((f"{US}: This region is no longer audited.",), ())


def test_another_account_is_not_compared() -> None:
    other = {**report(region(PUBLIC)), "account_id": B}
    changed = differences(other, report(region()))
    assert (changed.added, changed.removed) == ((f"The last report was about account {B}.",), ())


def test_after_an_audit_that_read_nothing_every_finding_is_added() -> None:
    nothing, content = audit({"failed": True, "msg": "No."}, policy()), report(region(PUBLIC))
    there, back = differences(content, nothing), differences(nothing, content)
    assert (there.added, there.removed) == (("No. (account_unreadable)",), ())
    assert [one.endswith(LATER) for one in back.added] == [True]
    assert back.removed == ("No. (account_unreadable)",)


def test_a_principal_that_becomes_allowed_is_no_change_of_the_sharing() -> None:
    seen = region(accounts(A))
    changed = differences(report(seen), report(seen, **allowing(A)))
    assert changed.added == ()
    assert [one.endswith("(unknown_account)") for one in changed.removed] == [True]


def test_a_report_of_another_shape_is_refused() -> None:
    with pytest.raises(LookupError):
        differences({"findings": []}, report(region()))


SHARINGS = st.builds(
    Sharing,
    account_ids=st.frozensets(st.sampled_from([A, B, OWNER])),
    org_arns=st.frozensets(st.just(ORG)),
    public=st.booleans(),
)
VOLUMES = st.builds(Sharing, account_ids=st.frozensets(st.sampled_from([A, B, OWNER])), public=st.booleans())
PLAIN = st.builds(region, SHARINGS, VOLUMES)
GRANTS = st.sets(st.sampled_from([A, B])).map(lambda who: [made(root(one)) for one in sorted(who)])
KEYED = st.builds(lambda launch, grants: under_key(launch, *grants), SHARINGS, GRANTS)
READ = PLAIN | KEYED | st.just(EMPTY)
TROUBLED = READ | st.builds(lambda volume: region(volume=volume, sharing={}, problems=(NO_IMAGE,)), VOLUMES)
WANTED = st.sampled_from([{}, allowing(A), ALL])


@st.composite
def reports(draw: st.DrawFn, regions: st.SearchStrategy[RegionState] = TROUBLED) -> dict[str, Any]:
    """The report of two regions, each of them perhaps unreadable."""
    wanted = draw(WANTED)
    given = audit_of(draw(regions), draw(regions), **wanted)
    return audit(given, policy())


@given(reports())
def test_the_same_report_has_no_changes(content: dict[str, Any]) -> None:
    changed = differences(content, content)
    assert (changed.added, changed.removed) == ((), ())


def identities(content: dict[str, Any]) -> set[tuple[Any, ...]]:
    return {
        tuple(one[key] for key in ("region", "image_id", "resource", "code", "principal"))
        for one in content["findings"]
    }


def of_findings(sentences: tuple[str, ...]) -> list[str]:
    return [one for one in sentences if one.removesuffix(f" {LATER}").endswith(")")]


@given(reports(), reports())
def test_every_new_finding_is_added_once(before: dict[str, Any], after: dict[str, Any]) -> None:
    changed = of_findings(differences(before, after).added)
    assert len(changed) == len({*changed}) == len(identities(after) - identities(before))


@given(reports(READ), reports(READ))
def test_reversing_the_reports_reverses_the_changes(before: dict[str, Any], after: dict[str, Any]) -> None:
    there, back = differences(before, after), differences(after, before)
    assert of_findings(there.removed) == of_findings(back.added)
    assert of_findings(there.added) == of_findings(back.removed)
    # Each sentence about access has its opposite.
    opposites = {
        "is now shared with": "is no longer shared with",
        "are now shared with": "are no longer shared with",
        "can now be used by": "can no longer be used by",
        "is a new image, shared with": "no longer exists; it was shared with",
        "is a new image.": "no longer exists.",
    }

    def reverted(sentences: tuple[str, ...]) -> set[str]:
        texts = {*sentences} - {*of_findings(sentences)}
        for new, old in opposites.items():
            texts = {text.replace(new, old) for text in texts}
        return texts

    # For a removed image, access to its snapshots only is not listed.
    snapshots = {text for text in reverted(there.added) if "The snapshots of" in text}
    assert reverted(there.added) - snapshots <= {*back.removed} - {*of_findings(back.removed)}
    assert {*back.removed} - {*of_findings(back.removed)} <= reverted(there.added)


@given(reports(), reports())
def test_no_access_to_an_unreadable_image_is_removed(before: dict[str, Any], after: dict[str, Any]) -> None:
    unread = {one["region"] for one in after["findings"] if one["code"] == "image_unreadable"}
    gone = differences(before, after).removed
    assert [one for one in gone if one.split(":")[0] in unread and "(unknown_" in one] == []


UNUSED = region(unused={"snap-00000009": accounts(A)})
UNLISTED = region(problems=(Problem("unused_snapshots_unreadable", EU, refused(action="DescribeSnapshots")),))
NO_SNAPSHOT = Problem("snapshot_unreadable", "snap-00000009", refused(action="DescribeSnapshotAttribute"))
SHARED = f"{EU}: snap-00000009, which no image uses, is shared with the account {A}. (unknown_account)"


@pytest.mark.parametrize(
    ("former", "text"),
    [
        pytest.param(UNUSED, SHARED, id="a snapshot that no image uses"),
        pytest.param(
            region(PRIVATE, accounts(A), NEW),
            f"{EU}: snap-new, a snapshot of ami-new, is shared with the account {A}. (unknown_account)",
            id="a snapshot whose image is gone",
        ),
        pytest.param(region(problems=(NO_SNAPSHOT,)), "snap-00000009 could not be read", id="an unread one"),
    ],
)
def test_a_snapshot_is_not_removed_where_unused_ones_could_not_be_listed(
    former: RegionState, text: str
) -> None:
    found = differences(report(former), report(UNLISTED))
    assert [one for one in found.removed if text in one] == []
    assert [text in one for one in differences(report(former), report(region())).removed].count(True) == 1


def test_a_snapshot_may_not_be_new_where_unused_ones_could_not_be_listed() -> None:
    assert differences(report(UNLISTED), report(UNUSED)).added == (f"{SHARED} {LATER}",)
    assert differences(report(region()), report(UNUSED)).added == (SHARED,)


@pytest.mark.parametrize(
    ("problem", "skipping"),
    [
        (NO_SNAPSHOT, {"check_snapshots": False, "volume_permissions": {}}),
        (NO_KEY, {"check_keys": False, "volume_permissions": {"snap-00000001": PRIVATE}}),
    ],
)
def test_what_was_not_checked_is_not_readable_again(problem: Problem, skipping: dict[str, Any]) -> None:
    encrypted = {"images": (Listed(ENCRYPTED),), "volume_permissions": skipping.pop("volume_permissions")}
    before = report(under_key(PRIVATE, problems=(problem,)))
    text = f"{problem.resource} could not be read"
    found = differences(before, report(region(**encrypted), **allowing(**skipping)))
    assert [one for one in found.removed if text in one] == []
    assert [text in one for one in differences(before, report(under_key(PRIVATE))).removed] == [True]


@pytest.mark.parametrize(
    "former",
    [NO_KEY, Problem("key_unreadable", "snap-00000001", refused(action="DescribeSnapshots"), SOURCE_ID)],
)
def test_no_key_is_readable_again_where_no_snapshot_could_be_read(former: Problem) -> None:
    none = Problem("key_unreadable", "DescribeSnapshots", refused(action="DescribeSnapshots"))
    before, after = report(region(problems=(former,))), report(region(problems=(none,)))
    text = f"{former.resource} could not be read"
    assert [one for one in differences(before, after).removed if text in one] == []
    assert [text in one for one in differences(before, report(region())).removed] == [True]


def test_the_permissions_of_a_snapshot_whose_key_is_not_known_were_read() -> None:
    keyless = Problem("key_unreadable", "snap-00000001", refused(action="DescribeSnapshots"), SOURCE_ID)
    before = report(region(accounts(A), accounts(A), problems=(keyless,)), **allowing(A))
    after = report(region(accounts(A), accounts(A, B), problems=(keyless,)), **allowing(A))
    assert LATER not in "".join(differences(before, after).added)
    assert len(differences(after, before).removed) == len(differences(before, after).added) > 0

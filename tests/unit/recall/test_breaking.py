# SPDX-License-Identifier: GPL-3.0-or-later

"""Who could not launch a release any more, by what was read, and what that stops."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Sharing
from ansible_collections.golden.images.plugins.module_utils._recall.breaking import (
    ACCEPTED,
    ADOPTION_RESULT,
    WITHDRAWAL_RESULT,
    Adoption,
    Breaking,
    Use,
    Withdrawal,
    describe_uses,
    find_breaking,
    find_copies,
    refuse_adoption,
    refuse_breaking,
    warn_of_copies,
    warn_of_others,
    warn_of_unread_accounts,
    warn_of_uses,
)

from tests.unit.examples import OWNER
from tests.unit.recall.examples import AWAY, BAD, HOME, OTHER, SOURCE

ONE, TWO, ORG = (
    "012345678901",
    "444455556666",
    "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5",
)
FAR, NEAR = ImageRef(AWAY, BAD), ImageRef(HOME, SOURCE)


def refuse(problem: str, *_more: str) -> None:
    """Fail with the problem."""
    raise AssertionError(problem)


def use(account_id: str = ONE, ref: ImageRef = FAR, kind: str = "launch_template", **changes: Any) -> Any:
    """A use in a result of ``ami_adoption``."""
    given = {"account_id": account_id, "image_id": ref.image_id, "kind": kind, "region": ref.region}
    return {
        **given,
        "denied_by": [],
        "names": ["web (lt-1) version 2"],
        "number": 1,
        "origin": None,
        **changes,
    }


def adoption(*uses: Any, unread: dict[str, list[str]] | None = None, **changes: Any) -> dict[str, Any]:
    """A result of ``ami_adoption`` for both accounts in both regions."""
    accounts = [{"account_id": name, "unread_regions": (unread or {}).get(name, [])} for name in (ONE, TWO)]
    return {
        "account_id": OWNER,
        "accounts": accounts,
        "denied": [{"image_id": SOURCE}],
        "depth": "launches",
        "regions": [AWAY, HOME],
        "releases": [],
        "uses": [*uses],
        **changes,
    }


def read(result: dict[str, Any]) -> Adoption:
    """What the option makes of a result."""
    found = ADOPTION_RESULT.value(result, refuse)
    assert found is not None
    return found


def named(*accounts: str, **more: Any) -> Sharing:
    """The accounts, and more."""
    return Sharing(frozenset(accounts), **more)


BOTH = {FAR: named(ONE, TWO), NEAR: named(ONE)}


@pytest.mark.parametrize(
    ("losing", "result", "expected"),
    [
        ({}, adoption(use()), []),
        (BOTH, adoption(), []),
        (BOTH, adoption(use()), [(ONE, [AWAY], 1)]),
        # An instance runs on; another image, and the same image where it is not blocked, stay.
        (BOTH, adoption(use(kind="instance"), use(ref=ImageRef(AWAY, OTHER))), []),
        ({NEAR: named(ONE)}, adoption(use()), []),
        # The account launches it as one of an organization.
        ({FAR: named(org_arns=frozenset({ORG}))}, adoption(use()), [(ONE, [AWAY], 1), (ORG, [AWAY], 0)]),
        ({FAR: named(public=True)}, adoption(), [("all", [AWAY], 0)]),
        # It has lost the image by an earlier run.
        ({FAR: named(OWNER)}, adoption(use()), [(OWNER, [AWAY], 0)]),
        ({FAR: named(public=True)}, adoption(use()), [(ONE, [AWAY], 1), ("all", [AWAY], 0)]),
        # The owner launches an image that is not disabled without a permission.
        (BOTH, adoption(use(OWNER)), []),
        ({FAR: named(OWNER)}, adoption(use(OWNER)), [(OWNER, [AWAY], 1)]),
        (BOTH, None, [(ONE, [AWAY, HOME], 0), (TWO, [AWAY], 0)]),
        (BOTH, adoption(unread={ONE: [HOME]}), [(ONE, [HOME], 0)]),
        (BOTH, adoption(regions=[HOME]), [(ONE, [AWAY], 0), (TWO, [AWAY], 0)]),
        (BOTH, adoption(accounts=[]), [(ONE, [AWAY, HOME], 0), (TWO, [AWAY], 0)]),
        # The worst is first.
        (
            BOTH,
            adoption(use(ONE), use(TWO, number=5), unread={ONE: [HOME]}),
            [(TWO, [AWAY], 1), (ONE, [AWAY, HOME], 1)],
        ),
    ],
)
def test_who_breaks(
    losing: dict[ImageRef, Sharing], result: dict[str, Any] | None, expected: list[tuple[str, list[str], int]]
) -> None:
    found = find_breaking(OWNER, losing, read(result) if result else None, ())
    shown = [(item.consumer, sorted({*item.regions, *item.unread}), len(item.uses)) for item in found]
    assert shown == expected


def test_the_owner_launches_a_copy_of_a_consumer_only_by_a_permission() -> None:
    losing = {FAR: named(ONE, org_arns=frozenset({ORG}))}
    result = read(adoption(use(OWNER)))
    for copies, using in (((FAR,), [OWNER]), ((NEAR,), [])):
        found = find_breaking(OWNER, losing, result, (), copies)
        assert [item.consumer for item in found if item.uses] == using


def test_a_region_that_was_not_read_is_not_hidden_by_a_use_elsewhere() -> None:
    losing = {FAR: named(ONE), NEAR: named(ONE)}
    breaking = find_breaking(OWNER, losing, read(adoption(use(), unread={ONE: [HOME]})), ())
    (item,) = (item.to_dict() for item in breaking)
    assert (item["regions"], item["regions_not_looked_at"]) == ([AWAY], [HOME])
    failures = [*refuse_breaking(breaking, False)]
    assert [item.error_code for item in failures] == ["launches_would_break", "consumers_not_looked_at"]
    assert f"{ONE} ({HOME})" in failures[1].message
    assert [item.error_code for item in refuse_breaking(breaking, True)] == ["consumers_not_looked_at"]


def test_a_result_of_500_accounts_is_small() -> None:
    regions = [f"ap-southeast-{number}" for number in range(20)]
    names = [f"web-production-{number}" for number in range(3)]
    accounts = [f"{number:012}" for number in range(500)]
    uses = [
        Use(account_id, ImageRef(region, BAD), "auto_scaling_group", (*names,), 3)
        for account_id in accounts
        for region in regions
    ]
    losing = {ImageRef(region, BAD): named(*accounts) for region in regions}
    everywhere = dict.fromkeys(accounts, frozenset(regions))
    found = find_breaking(OWNER, losing, Adoption(OWNER, regions=everywhere, uses=(*uses,)), ())
    items = [item.to_dict() for item in found]
    assert items[0]["uses"] == [{"kind": "auto_scaling_group", "names": names, "number": 60}]
    assert len(json.dumps(items)) < 300_000


@pytest.mark.parametrize(
    ("names", "number", "text"),
    [
        (["a"], 1, "auto scaling group a"),
        (["web"], 3, "3 auto scaling groups (web)"),
        (["a", "b"], 2, "2 auto scaling groups (a, b)"),
        ([*"abcd"], 60, "60 auto scaling groups (such as a, b, c)"),
    ],
)
def test_uses_are_counted_and_not_their_names(names: list[str], number: int, text: str) -> None:
    assert describe_uses([{"kind": "auto_scaling_group", "names": names, "number": number}]) == text


def test_only_a_result_about_images_of_the_account_counts() -> None:
    (failure,) = refuse_adoption(read(adoption(account_id=ONE)), OWNER)
    assert ONE in failure.message
    assert [*refuse_adoption(read(adoption()), OWNER)] == []
    assert [*refuse_adoption(None, OWNER)] == []


@pytest.mark.parametrize(
    ("accepted", "codes", "in_check_mode"),
    [
        ((), ["launches_would_break", "consumers_not_looked_at"], ["consumers_not_looked_at"]),
        ((ONE,), ["consumers_not_looked_at"], ["consumers_not_looked_at"]),
        ((TWO, "all"), [], []),
        ((ONE, TWO), ["consumers_not_looked_at"], ["consumers_not_looked_at"]),
        ((ONE, TWO, ORG), [], []),
        ((TWO, ORG), ["launches_would_break"], []),
    ],
)
def test_each_consumer_that_breaks_must_be_confirmed(
    accepted: tuple[str, ...], codes: list[str], in_check_mode: list[str]
) -> None:
    losing = {FAR: named(ONE, TWO, org_arns=frozenset({ORG}))}
    breaking = find_breaking(OWNER, losing, read(adoption(use(), unread={TWO: [AWAY]})), accepted)
    assert [item.error_code for item in refuse_breaking(breaking, False)] == codes
    assert [item.error_code for item in refuse_breaking(breaking, True)] == in_check_mode
    assert len([*warn_of_uses(breaking)]) == ("launches_would_break" in codes)


def test_only_all_confirms_the_public() -> None:
    for accepted, stays in (((ONE, TWO, ORG), True), (("all",), False)):
        breaking = find_breaking(OWNER, {FAR: named(public=True)}, None, accepted)
        assert bool([*refuse_breaking(breaking, False)]) == stays


@pytest.mark.parametrize(("consumer", "can_look"), [(ONE, True), (ORG, False), ("all", False)])
def test_only_accounts_can_be_looked_into(consumer: str, can_look: bool) -> None:
    (failure,) = refuse_breaking([Breaking(consumer, unread=(AWAY,))], False)
    assert failure.remedy.startswith("Look into all" if can_look else "Confirm them with accept_breaking (")


def test_messages_name_the_worst_first_with_what_it_launches() -> None:
    uses = [use(number=1), use(kind="auto_scaling_group", names=["a", "b"], number=2)]
    breaking = find_breaking(OWNER, BOTH, read(adoption(*uses)), ())
    (failure,) = refuse_breaking(breaking, False)
    named = "launch template web (lt-1) version 2, 2 auto scaling groups (a, b)"
    assert f"{ONE} ({named} in {AWAY})" in failure.message
    many = [Breaking(f"{number:012}", unread=(AWAY, HOME)) for number in range(9)]
    (failure,) = refuse_breaking(many, False)
    assert "and 4 more" in failure.message
    assert "000000000000 (2 regions)" in failure.message


@pytest.mark.parametrize(
    ("origin", "is_copy"),
    [
        ({"evidence": "ancestry", "image_id": BAD, "region": AWAY}, True),
        # A fix keeps the watermark of the release, and so do copies of the fix.
        ({"evidence": "watermark", "image_id": SOURCE, "region": HOME}, False),
        # Whoever owns an image can change its tags.
        ({"evidence": "tag", "image_id": BAD, "region": AWAY}, False),
        # A fix that the owner has built from the release, or the same ID in another region.
        ({"evidence": "ancestry", "image_id": OTHER, "region": AWAY}, False),
        ({"evidence": "ancestry", "image_id": BAD, "region": HOME}, False),
        (None, False),
    ],
)
def test_only_what_aws_records_is_a_copy(origin: dict[str, str] | None, is_copy: bool) -> None:
    own = ImageRef(AWAY, "ami-0000c0de")
    result = adoption(use(ref=own, denied_by=[SOURCE], origin=origin), use(ref=FAR, origin=origin))
    assert find_copies(read(result), {FAR, NEAR}) == ({own: ONE} if is_copy else {})
    assert find_copies(None, {FAR, NEAR}) == {}


def test_images_of_the_accounts_themselves_are_named() -> None:
    own = use(ref=ImageRef(AWAY, OTHER), kind="instance", denied_by=[SOURCE])
    (warning,) = warn_of_copies(read(adoption(own, use(denied_by=[SOURCE]))), {FAR}, False)
    assert f"{AWAY}/{OTHER} in account {ONE}" in warning
    assert BAD not in warning
    assert "block_consumer_copies" in warning
    (warning,) = warn_of_copies(read(adoption(own)), {FAR}, True)
    assert "only a tag or a watermark says so" in warning
    assert [*warn_of_copies(None, {FAR}, False)] == []
    # Images of the owner that were made from the release, such as a fix.
    fixes = [{"images": [{"image_id": OTHER, "region": AWAY}]}]
    assert [*warn_of_copies(read(adoption(own, releases=fixes)), {FAR}, False)] == []
    assert [*warn_of_copies(read(adoption({**own, "account_id": OWNER})), {FAR}, False)] == []


def test_accounts_that_were_not_wholly_looked_at_for_copies_are_named() -> None:
    wholly, partly = read(adoption()), read(adoption(unread={TWO: [AWAY]}))
    assert [*warn_of_unread_accounts(wholly, [ONE, TWO])] == []
    assert [*warn_of_unread_accounts(partly, [ONE])] == []
    (warning,) = warn_of_unread_accounts(partly, [ONE, TWO, "777777777777"])
    assert f": {TWO} ({AWAY}), 777777777777 (all regions)." in warning
    (warning,) = warn_of_unread_accounts(None, [ONE])
    assert warning.startswith("1 account could not be wholly read, and copies of the release there")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (adoption(depth="instances"), "its depth is instances"),
        ({"changed": False}, "it is not a result of ami_adoption: account_id is missing"),
        ({**adoption(), "uses": None}, "it is not a result of ami_adoption: uses must be a list"),
    ],
)
def test_other_results_are_refused(given: dict[str, Any], problem: str) -> None:
    problems: list[str] = []
    ADOPTION_RESULT.value(given, lambda text, *_more: problems.append(text))
    assert [text.startswith(problem) for text in problems] == [True]


def test_a_result_whose_keys_a_report_replaces_says_so() -> None:
    remedies: list[str] = []
    given = {"depth": "launches", "report": {"accounts": []}}
    ADOPTION_RESULT.value(given, lambda _text, remedy, *_more: remedies.append(remedy))
    assert remedies == ["Set return_report: false of ami_adoption."]


REFUSED = Failure("No role.", "Set it.", "invalid_option", "consumer_role_name").to_dict()


def test_a_refused_reading_hands_on_why() -> None:
    read = ADOPTION_RESULT.value({"failures": [REFUSED], "msg": "No."}, refuse)
    assert read is not None
    assert [failure.to_dict() for failure in read.failures] == [REFUSED]
    with pytest.raises(AssertionError, match=r"failures\[0\].source must be text"):
        ADOPTION_RESULT.value({"failures": [{**REFUSED, "source": 1}]}, refuse)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ({"skipped": True}, None),
        ({"images": [], "results": [{"changed": False}]}, Withdrawal(has_images=False)),
        (
            {"images": [], "results": [{"changed": False}, {"changed": True}]},
            Withdrawal(True, has_images=False),
        ),
        ({"failures": [REFUSED], "msg": "No."}, Withdrawal(has_images=False)),
        (
            {
                "images": [
                    {"changed": True, "image_id": BAD, "region": AWAY},
                    {"changed": False, "image_id": SOURCE, "region": HOME},
                ],
                "results": [],
            },
            Withdrawal(tagged=frozenset({FAR})),
        ),
    ],
)
def test_what_an_earlier_task_changes(given: dict[str, Any] | None, expected: Withdrawal | None) -> None:
    assert WITHDRAWAL_RESULT.value(given, refuse) == expected


def test_a_result_without_images_is_no_withdrawal() -> None:
    with pytest.raises(AssertionError, match="it is not a result of ami_recall: images is missing"):
        WITHDRAWAL_RESULT.value({"results": []}, refuse)


def test_who_is_confirmed_and_does_not_break_may_be_misspelled() -> None:
    breaking = [Breaking(ONE, unread=(AWAY,), confirmed=True), Breaking(TWO, unread=(AWAY,))]
    (warning,) = warn_of_others(breaking, (ONE, "444455556667", ORG))
    assert f"has 444455556667, {ORG}, which would not break" in warning
    assert [*warn_of_others(breaking, (ONE, "all"))] == []


def test_a_task_that_was_skipped_has_looked_at_nothing() -> None:
    assert ADOPTION_RESULT.value({"skipped": True, "changed": False}, refuse) is None
    assert ADOPTION_RESULT.value(None, refuse) is None


def test_what_can_be_confirmed() -> None:
    assert ACCEPTED.value([ONE, ORG, "all ", ONE], refuse) == ("all", ONE, ORG)
    remedies: list[str] = []
    ACCEPTED.value(["All"], lambda _text, remedy, *_more: remedies.append(remedy))
    assert "[all] confirms everything" in remedies[0]
    with pytest.raises(AssertionError, match="neither an account ID nor"):
        ACCEPTED.value(["web-prod"], refuse)

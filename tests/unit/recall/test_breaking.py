# SPDX-License-Identifier: GPL-3.0-or-later

"""Who could not launch a release any more, by what was read, and what that stops."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Sharing
from ansible_collections.golden.images.plugins.module_utils._recall.breaking import (
    ACCEPTED,
    ADOPTION_RESULT,
    Adoption,
    Breaking,
    find_breaking,
    refuse_breaking,
    warn_of_copies,
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
    return {**given, "denied_by": [], "names": ["lt-1 version 2"], "number": 1, **changes}


def adoption(*uses: Any, unread: dict[str, list[str]] | None = None, **changes: Any) -> dict[str, Any]:
    """A result of ``ami_adoption`` for both accounts in both regions."""
    accounts = [{"account_id": name, "unread_regions": (unread or {}).get(name, [])} for name in (ONE, TWO)]
    return {"accounts": accounts, "depth": "launches", "regions": [AWAY, HOME], "uses": [*uses], **changes}


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
            [(TWO, [AWAY], 1), (ONE, [AWAY], 1)],
        ),
    ],
)
def test_who_breaks(
    losing: dict[ImageRef, Sharing], result: dict[str, Any] | None, expected: list[tuple[str, list[str], int]]
) -> None:
    found = find_breaking(OWNER, losing, read(result) if result else None, ())
    assert [(item.consumer, [*item.regions], len(item.uses)) for item in found] == expected
    assert all(item.to_dict()["looked_at"] == bool(item.uses) for item in found)


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
    assert len([*warn_of_uses(breaking, True)]) == ("launches_would_break" in codes)
    assert [*warn_of_uses(breaking, False)] == []


def test_only_all_confirms_the_public() -> None:
    for accepted, stays in (((ONE, TWO, ORG), True), (("all",), False)):
        breaking = find_breaking(OWNER, {FAR: named(public=True)}, None, accepted)
        assert bool([*refuse_breaking(breaking, False)]) == stays


def test_messages_name_the_worst_first_with_what_it_launches() -> None:
    uses = [use(number=1), use(kind="auto_scaling_group", names=["a", "b"], number=2)]
    breaking = find_breaking(OWNER, BOTH, read(adoption(*uses)), ())
    (failure,) = refuse_breaking(breaking, False)
    assert (
        f"{ONE} (launch template lt-1 version 2, 2 auto scaling groups (a, b) in {AWAY})" in failure.message
    )
    many = [Breaking(f"{number:012}", (AWAY, HOME)) for number in range(9)]
    (failure,) = refuse_breaking(many, False)
    assert "and 4 more" in failure.message
    assert "000000000000 (2 regions)" in failure.message


def test_images_of_the_accounts_themselves_are_named() -> None:
    own = use(ref=ImageRef(AWAY, OTHER), kind="instance", denied_by=[SOURCE])
    (warning,) = warn_of_copies(read(adoption(own, use(denied_by=[SOURCE]))), {FAR})
    assert f"{AWAY}/{OTHER} in account {ONE}" in warning
    assert BAD not in warning
    assert [*warn_of_copies(None, {FAR})] == []


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (adoption(depth="instances"), "its depth is instances"),
        ({"changed": False}, "it is not a result of ami_adoption: accounts is missing"),
        ({**adoption(), "uses": None}, "it is not a result of ami_adoption: uses must be a list"),
    ],
)
def test_other_results_are_refused(given: dict[str, Any], problem: str) -> None:
    problems: list[str] = []
    ADOPTION_RESULT.value(given, lambda text, *_more: problems.append(text))
    assert [text.startswith(problem) for text in problems] == [True]


def test_a_task_that_was_skipped_has_looked_at_nothing() -> None:
    assert ADOPTION_RESULT.value({"skipped": True, "changed": False}, refuse) is None
    assert ADOPTION_RESULT.value(None, refuse) is None


def test_what_can_be_confirmed() -> None:
    assert ACCEPTED.value([ONE, ORG, "all", ONE], refuse) == ("all", ONE, ORG)
    with pytest.raises(AssertionError, match="neither an account ID nor"):
        ACCEPTED.value(["web-prod"], refuse)

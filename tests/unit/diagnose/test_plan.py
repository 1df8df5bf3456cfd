# SPDX-License-Identifier: GPL-3.0-or-later

"""The diagnosis of an image and an account, and the failures of the task."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils._diagnose.state import (
    ConsumerView,
    OwnerView,
)
from ansible_collections.golden.images.plugins.module_utils._model import Key, Sharing, Target

from tests.unit.diagnose.examples import (
    ENCRYPTED,
    IMAGE,
    IMAGE_NOT_VISIBLE,
    UNREADABLE,
    codes,
    consumer,
    diagnosed,
    encrypted,
    of_encrypted,
    owner,
    seen,
)
from tests.unit.examples import CONSUMER, ORG, OWNER, STRANGER, UNIT
from tests.unit.keys.examples import key_arn
from tests.unit.kms_grant.examples import KEY

PUBLIC, PRIVATE = Sharing(public=True), Sharing()


IN_UNIT, IN_ORG = Sharing(org_unit_arns=frozenset({UNIT})), Sharing(org_arns=frozenset({ORG}))


BLIND = IMAGE_NOT_VISIBLE


B, U, N = "blocking", "unknown", "harmless"


UNREADABLE_KEY = owner(image=ENCRYPTED, key_problems={KEY.arn: UNREADABLE})
FOREIGN = Key(key_arn("theirs", account_id=STRANGER))


def test_an_unreadable_key_fails_the_task_once_for_all_accounts() -> None:
    found = diagnosed(seen(UNREADABLE_KEY), account_ids=[CONSUMER, STRANGER])
    assert [codes(one) for one in found["results"]] == [
        [("key_unreadable", U)],
        [("not_shared", B), ("key_unreadable", U)],
    ]
    assert [(one["error_code"], one["message"]) for one in found["failures"]] == [
        (UNREADABLE.error_code, UNREADABLE.message)
    ]


def test_a_copy_that_is_only_planned() -> None:
    (found,) = diagnosed(seen(OwnerView(), image_id=None))["results"]
    assert codes(found) == [("image_planned", U)]


def test_an_account_with_its_own_copy_is_diagnosed_for_that_one_only() -> None:
    targets = {Target(account_id, "eu-west-1"): owner() for account_id in (OWNER, CONSUMER)}
    saw = replace(seen(owner()), owners=targets, images=dict.fromkeys(targets, IMAGE.image_id))
    found = diagnosed(saw, account_ids=[CONSUMER, STRANGER])["results"]
    assert [(one["account_id"], one["owner_id"]) for one in found] == [
        (CONSUMER, CONSUMER),
        (STRANGER, OWNER),
    ]


@pytest.mark.parametrize(
    ("of_owner", "of_consumer", "fail_on", "expected"),
    [
        pytest.param(owner(PRIVATE), BLIND, "none", [], id="none: findings fail nothing"),
        pytest.param(owner(PRIVATE), BLIND, "blocking", ["not_shared"], id="blocking: a blocking one"),
        pytest.param(owner(PRIVATE), BLIND, "unknown", ["not_shared"], id="unknown: a blocking one, too"),
        pytest.param(owner(IN_UNIT), None, "blocking", [], id="blocking: not an unknown one"),
        pytest.param(owner(PUBLIC), consumer(), "unknown", [], id="harmless ones never do"),
        pytest.param(
            owner(IN_UNIT), None, "unknown", ["shared_through_organization"], id="unknown: an unknown one"
        ),
        pytest.param(
            owner(),
            ConsumerView(problem=UNREADABLE),
            "none",
            ["UnauthorizedOperation"],
            id="unreadable: always fails",
        ),
        pytest.param(
            OwnerView(problem=UNREADABLE),
            None,
            "unknown",
            ["UnauthorizedOperation"],
            id="unreadable owner: fails once",
        ),
        *(
            pytest.param(
                UNREADABLE_KEY, None, fail_on, ["UnauthorizedOperation"], id=f"unreadable key: {fail_on}"
            )
            for fail_on in ("none", "unknown")
        ),
        pytest.param(
            UNREADABLE_KEY, of_encrypted(), "none", [], id="unreadable key that the account proves it can use"
        ),
        *(
            pytest.param(encrypted(key=FOREIGN), None, fail_on, expected, id=f"foreign key: {fail_on}")
            for fail_on, expected in {"none": [], "unknown": ["key_unreadable"]}.items()
        ),
    ],
)
def test_what_fails_the_task(
    of_owner: OwnerView, of_consumer: ConsumerView | None, fail_on: str, expected: list[str]
) -> None:
    found = diagnosed(seen(of_owner, of_consumer), fail_on=fail_on)
    assert [failure["error_code"] for failure in found["failures"]] == expected
    assert (found["actions"], bool(found.get("failed"))) == ([], bool(expected))

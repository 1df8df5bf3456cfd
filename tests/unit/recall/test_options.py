# SPDX-License-Identifier: GPL-3.0-or-later

"""Which options of a recall do not fit the others: none that is ignored looks like a block."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._recall.breaking import Adoption, Withdrawal

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.recall.examples import NAME, OTHER, SOURCE, options

READ = Adoption(OWNER, frozenset({SOURCE}))
COPIES = {"block_consumer_copies": True, "consumer_role_name": "golden"}
LOOKING_INTO = {"level": "block", "withdraw_only": True, "parameter": "", "launch_templates": ()}
SEVERAL = {**LOOKING_INTO, "account_ids": (CONSUMER, OWNER)}


@pytest.mark.parametrize(
    ("account_ids", "given", "refused"),
    [
        ((CONSUMER,), {}, ["consumer_role_name"]),
        ((OWNER,), {}, []),
        ((), {}, []),
        ((CONSUMER,), {"consumer_role_name": "golden"}, []),
        # The accounts were read before.
        ((CONSUMER,), {"withdraw_only": False}, []),
        ((CONSUMER,), {"level": "withdraw"}, []),
        ((CONSUMER,), {"state": "absent"}, []),
    ],
)
def test_an_account_to_look_into_needs_a_role_unless_it_is_that_of_the_credentials(
    account_ids: tuple[str, ...], given: dict[str, Any], refused: list[str]
) -> None:
    chosen = options(**{**LOOKING_INTO, "account_ids": account_ids, **given})
    assert [problem.option for problem in chosen.missing_role(OWNER)] == refused


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"block_method": "unshare"}, ["block_method"]),
        ({"block_method": "disable", "accept_breaking": ("all",)}, ["block_method", "accept_breaking"]),
        (
            {"adoption_result": READ, "withdrawal_result": Withdrawal()},
            ["adoption_result", "withdrawal_result"],
        ),
        ({"level": "block"}, []),
        ({"level": "block", "block_method": "disable", "accept_breaking": ("all",)}, []),
        ({"level": "block", "adoption_result": READ, "withdrawal_result": Withdrawal()}, []),
        (
            {"level": "block", "withdraw_only": True, "block_method": "disable", "accept_breaking": ("all",)},
            [],
        ),
        ({"withdraw_only": True, "block_method": "disable"}, ["block_method"]),
        # Without a parameter, the accounts are only looked into.
        ({"level": "block", "parameter": "", "launch_templates": (), "account_ids": (CONSUMER,)}, []),
        ({"level": "block", "account_ids": (CONSUMER,)}, ["consumer_role_name"]),
        # Nothing reads several accounts without a role, and the block would fail after the withdrawal.
        (SEVERAL, ["consumer_role_name"]),
        ({**SEVERAL, "accept_breaking": ("all",)}, ["consumer_role_name"]),
        ({**SEVERAL, "consumer_role_name": "golden"}, []),
        # It can be the account of the credentials.
        ({**LOOKING_INTO, "account_ids": (OWNER,)}, []),
        ({**SEVERAL, "level": "withdraw"}, ["parameter", "consumer_role_name"]),
        # The accounts were read before.
        ({**SEVERAL, "withdraw_only": False}, []),
        ({**SEVERAL, "parameter": NAME}, ["consumer_role_name"]),
        ({**SEVERAL, "block_consumer_copies": True}, ["consumer_role_name"]),
        ({**SEVERAL, "state": "absent"}, []),
        ({"block_consumer_copies": True}, ["block_consumer_copies"]),
        ({"level": "block", "block_consumer_copies": True}, ["consumer_role_name", "adoption_result"]),
        (
            {"level": "block", "block_consumer_copies": True, "withdraw_only": True},
            ["consumer_role_name", "account_ids"],
        ),
        # Nothing else shows what accounts have made from the release.
        ({"level": "block", **COPIES}, ["adoption_result"]),
        ({"level": "block", **COPIES, "adoption_result": READ}, []),
        ({"level": "block", **COPIES, "withdrawal_result": Withdrawal(has_images=False)}, []),
        ({"state": "absent", "block_consumer_copies": True}, []),
        # It was about other images: what uses those of this release is not in it.
        ({"level": "block", "adoption_result": Adoption(OWNER)}, ["adoption_result"]),
        ({"level": "block", "adoption_result": Adoption(OWNER, frozenset({OTHER}))}, ["adoption_result"]),
        # A recall is taken back with the variables that it was made with.
        ({"state": "absent", "block_method": "disable", "accept_breaking": ("all",)}, []),
        ({"state": "absent", "level": "block", "adoption_result": Adoption(OWNER)}, []),
    ],
)
def test_what_only_a_block_uses(given: dict[str, Any], refused: list[str]) -> None:
    assert [problem.option for problem in options(**given).problems()] == refused


def test_the_option_that_says_where_the_record_is() -> None:
    assert options().tombstone_option == "tombstone_path"
    in_s3 = options(tombstone_path=None, tombstone_s3_uri="s3://recalls/golden")
    assert in_s3.tombstone_option == "tombstone_s3_uri"

# SPDX-License-Identifier: GPL-3.0-or-later

"""How grants of this collection and deleted principals are recognized."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils.keys.grants import DELETED_PRINCIPAL, is_own

from tests.unit.kms_grant.examples import DEPLOY, A, foreign, made, root


@pytest.mark.parametrize("name", ["", "theirs", "golden-images", "Golden-images:0", "my-golden-images:0"])
def test_grants_with_other_names_are_not_own(name: str) -> None:
    assert is_own(foreign(root(A), name)) is False


def test_is_own() -> None:
    assert is_own(made(root(A))) is True


@pytest.mark.parametrize(
    ("grantee", "deleted"),
    [
        ("AROAEXAMPLEID", True),
        ("AIDAEXAMPLEID", True),
        (DEPLOY, False),
        (f"arn:aws:iam::{A}:role/AROAMA", False),
        (A, False),
    ],
)
def test_deleted_principals(grantee: str, deleted: bool) -> None:
    assert bool(DELETED_PRINCIPAL.fullmatch(grantee)) is deleted

# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images and snapshots another AWS service manages."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.managed import is_managed, manager

from tests.unit.cleanup.examples import own

BACKUP = {"aws:backup:source-resource": "x"}
LIFECYCLE = {"aws:dlm:lifecycle-policy-id": "policy-1", "family": "web"}


@pytest.mark.parametrize(
    ("tags", "service"),
    [
        ({}, None),
        ({"family": "web"}, None),
        # A user's tags.
        ({"dlm:managed": "x", "my-aws:backup:tag": "x"}, None),
        ({"aws:cloudformation:stack-name": "x"}, None),
        (BACKUP, "AWS Backup"),
        (LIFECYCLE, "Amazon Data Lifecycle Manager"),
    ],
)
def test_the_tags_of_a_service_show_that_it_manages_a_resource(
    tags: dict[str, str], service: str | None
) -> None:
    assert manager(tags) == service


@pytest.mark.parametrize(
    ("changes", "managed"),
    [
        ({}, False),
        ({"tags": BACKUP}, True),
        ({"tags": LIFECYCLE}, True),
        ({"alias": "aws-backup-vault"}, True),
        ({"alias": "aws-marketplace"}, False),
        ({"name": "AwsBackup_i-1_1"}, True),
        ({"name": "web AwsBackup_i-1_1"}, False),
    ],
)
def test_managed_images(changes: dict[str, Any], managed: bool) -> None:
    assert is_managed(own(**changes)) is managed

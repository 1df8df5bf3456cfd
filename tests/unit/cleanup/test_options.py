# SPDX-License-Identifier: GPL-3.0-or-later

"""How the options of ``ami_cleanup`` are read, and what is refused before AWS is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.options import CleanupOptions, Limit
from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import Clocks
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import ConsumerRole


def params(**changes: Any) -> dict[str, Any]:
    """What Ansible passes for a task that deprecates."""
    defaults = {name: spec.get("default") for name, spec in CleanupOptions.argument_spec().items()}
    return {**defaults, "family_tag": "family", "deprecate_after_days": 0, **changes}


def refused(**changes: Any) -> list[str]:
    """The options that are refused."""
    with pytest.raises(ValidationError) as caught:
        CleanupOptions.read(params(**changes), False)
    assert all(failure.remedy for failure in caught.value.failures)
    return [failure.action for failure in caught.value.failures]


def test_a_plain_task() -> None:
    wanted = CleanupOptions.read(params(), False)
    assert (wanted.by.tag, wanted.by.name_pattern, wanted.by.source) == ("family", None, False)
    assert (wanted.latest, wanted.states) == (1, ("available", "disabled"))
    assert (wanted.clocks, wanted.max_deletions) == (Clocks(deprecate=0), Limit(percent=10))
    assert (wanted.include_shared, wanted.orphan_snapshots, wanted.revoke_grants) == (False, False, False)
    assert wanted.include_image_builder is False
    assert wanted.regions == ()


def test_reports_can_only_be_trusted_where_shared_images_are_included() -> None:
    assert refused(trust_usage_reports=True) == ["trust_usage_reports"]
    wanted = CleanupOptions.read(params(include_shared=True, trust_usage_reports=True), False)
    assert wanted.trust_usage_reports
    assert not CleanupOptions.read(params(include_shared=True), False).trust_usage_reports


@pytest.mark.parametrize("purpose", ["include_shared", "revoke_grants"])
def test_a_consumer_role_has_two_purposes(purpose: str) -> None:
    wanted = CleanupOptions.read(params(consumer_role_name="golden", **{purpose: True}), False)
    assert wanted.consumer_role == ConsumerRole("golden")
    assert wanted.reads_accounts is (purpose == "include_shared")


@pytest.mark.parametrize(
    ("options", "has_only_reports"),
    [
        ({"include_shared": True}, False),
        ({"include_shared": True, "trust_usage_reports": True}, True),
        ({"include_shared": True, "trust_usage_reports": True, "consumer_role_name": "golden"}, False),
    ],
)
def test_whether_usage_reports_are_the_only_proof(options: dict[str, Any], has_only_reports: bool) -> None:
    assert CleanupOptions.read(params(**options), False).has_only_reports is has_only_reports


def test_a_full_task(tmp_path: Path) -> None:
    path = str(tmp_path / "tombstones")
    wanted = CleanupOptions.read(
        params(
            family_name_pattern="(web)-.*",
            protect_tags=["keep", "stage=prod=1"],
            deregister_after_days=3,
            max_deletions="50%",
            tombstone_path=path,
            regions=["eu-west-1", "eu-west-1"],
            include_image_builder=True,
        ),
        False,
    )
    assert wanted.include_image_builder
    assert wanted.by.name_pattern is not None
    assert wanted.by.name_pattern.pattern == "(web)-.*"
    assert wanted.protect_tags == (("keep", None), ("stage", "prod=1"))
    assert (wanted.clocks.deregister, wanted.max_deletions) == (3, Limit(percent=50))
    assert (wanted.tombstone_path, wanted.regions) == (path, ("eu-west-1",))


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"family_tag": None}, ["family_tag"]),
        ({"family_name_pattern": "(web"}, ["family_name_pattern"]),
        ({"family_tag": "x" * 104}, ["family_tag"]),
        ({"keep_latest": -1}, ["keep_latest"]),
        ({"max_age_days": -1, "unused_for_days": -1}, ["max_age_days", "unused_for_days"]),
        ({"deprecate_after_days": -1}, ["deprecate_after_days"]),
        ({"max_age_days": 10**9, "unused_for_days": 36_501}, ["max_age_days", "unused_for_days"]),
        ({"protect_tags": ["=production"]}, ["protect_tags"]),
        ({"protect_tags": ["legal: hold"]}, ["protect_tags"]),
        ({"max_deletions": "many"}, ["max_deletions"]),
        ({"max_deletions": "101%"}, ["max_deletions"]),
        ({"deprecate_after_days": None}, ["deregister_after_days"]),
        ({"disable_after_days": 0}, ["tombstone_path"]),
        ({"deregister_after_days": 0}, ["tombstone_path"]),
        ({"tombstone_s3_uri": "bucket/folder"}, ["tombstone_s3_uri"]),
        ({"tombstone_s3_bucket_owner": "1234"}, ["tombstone_s3_bucket_owner"]),
        ({"tombstone_ssm_path": "golden"}, ["tombstone_ssm_path"]),
        ({"states": []}, ["states"]),
        ({"consumer_role_name": "golden"}, ["consumer_role_name"]),
    ],
)
def test_what_is_refused(changes: dict[str, Any], options: list[str]) -> None:
    assert refused(**changes) == options


def test_a_tag_that_protects_does_so_whatever_is_around_the_sign() -> None:
    wanted = CleanupOptions.read(params(protect_tags=["stage = prod"], max_age_days=36_500), False)
    assert wanted.protect_tags == (("stage", "prod"),)


@pytest.mark.parametrize("by", [{"family_by_source": True}, {"family_name_pattern": ".*"}])
def test_any_one_way_to_form_families_will_do(by: dict[str, Any]) -> None:
    CleanupOptions.read(params(family_tag=None, **by), False)


@pytest.mark.parametrize(
    "where",
    [
        {"tombstone_s3_uri": "s3://bucket"},
        {"tombstone_s3_uri": "s3://bucket/a/b"},
        {"tombstone_ssm_path": "/a/b"},
    ],
)
def test_tombstones_may_be_kept_where_no_disk_is(where: dict[str, str]) -> None:
    CleanupOptions.read(params(deregister_after_days=0, **where), False)

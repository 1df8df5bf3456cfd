# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluating the images that other accounts share: their age, their keys, and their order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from ansible_collections.golden.images.plugins.module_utils._model import Snapshot, Target
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome
from ansible_collections.golden.images.plugins.module_utils._shared_info.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._shared_info.options import SharedInfoOptions
from ansible_collections.golden.images.plugins.module_utils._shared_info.state import (
    OwnKeyAccess,
    RegionKeys,
    SharedImage,
    SharedInfoState,
)
from ansible_collections.golden.images.plugins.modules.ami_shared_info import RETURN
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HERE = Target(CONSUMER, "eu-west-1")
KEY, OTHER = (f"arn:aws:kms:eu-west-1:{OWNER}:key/{number}" for number in (1, 2))
UNDECIDED = Snapshot("snap-1", "completed", 100, KEY, associated_key_arns=("arn:other",))
# EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot", as calls: ReEncrypt needs both of
# ReEncryptFrom and ReEncryptTo.
OPERATIONS = ("DescribeKey", "CreateGrant", "Decrypt", "GenerateDataKeyWithoutPlaintext", "ReEncrypt")
WANTED = SharedInfoOptions()


def image(**changes: Any) -> SharedImage:
    return SharedImage(**{"image_id": SOURCE_ID, "owner_id": OWNER, **changes})


def encrypted(*snapshot_ids: str) -> SharedImage:
    return image(encrypted=True, encrypted_snapshots=snapshot_ids, snapshot_ids=snapshot_ids)


def seen(*images: SharedImage, keys: RegionKeys | None = None) -> SharedInfoState:
    return SharedInfoState(CONSUMER, NOW, {HERE: images}, {HERE: keys} if keys else {})


def results(wanted: SharedInfoOptions, saw: SharedInfoState) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = FLOW.result(wanted, saw, FLOW.plan(wanted, saw), Outcome())["results"]
    return found


def key_access(one: SharedImage, keys: RegionKeys) -> tuple[str, str]:
    """Whether the result says that the image's keys can be used, and why."""
    (found,) = results(WANTED, seen(one, keys=keys))
    return found["key_access"], found["key_access_reason"]


def result_of(one: SharedImage, wanted: SharedInfoOptions = WANTED) -> dict[str, Any]:
    (found,) = results(wanted, seen(one))
    return found


@pytest.mark.parametrize(
    ("made", "days"),
    [
        ("2026-11-24T11:59:59.000Z", 0),
        ("2026-11-23T12:00:00.000Z", 1),
        ("2026-11-23T12:00:01.000Z", 0),
        ("2025-11-24T12:00:00.000Z", 365),
        ("2026-11-24T12:00:05.000Z", 0),
        (None, None),
    ],
)
def test_age(made: str | None, days: int | None) -> None:
    assert result_of(image(creation_date=made))["age_days"] == days


@pytest.mark.parametrize(
    ("time", "deprecated"),
    [(None, False), ("2026-11-24T12:00:00.000Z", True), ("2026-11-24T12:01:00.000Z", False)],
)
def test_deprecation(time: str | None, deprecated: bool) -> None:
    found = result_of(image(deprecation_time=time))
    assert (found["deprecated"], found["deprecation_time"]) == (deprecated, time)


def test_a_result_is_as_documented() -> None:
    assert {*result_of(image())} == {*yaml.safe_load(RETURN)["results"]["contains"]}


def test_results_are_sorted_by_region_name_and_age() -> None:
    old, new = (image(image_id=f"ami-{year}", name="b", creation_date=f"{year}-01-01T00:00:00.000Z")
                for year in (2025, 2026))  # fmt: skip
    first = image(image_id="ami-first", name="a")
    away = Target(CONSUMER, "af-south-1")
    found = SharedInfoState(CONSUMER, NOW, {HERE: (new, old, first), away: (new,)})
    assert [(one["region"], one["image_id"]) for one in results(WANTED, found)] == [
        ("af-south-1", "ami-2026"),
        ("eu-west-1", "ami-first"),
        ("eu-west-1", "ami-2025"),
        ("eu-west-1", "ami-2026"),
    ]


ALLOWED = OwnKeyAccess("Enabled")
# IAM User Guide, "Troubleshoot access denied error messages".
EXPLICIT = "You may not, with an explicit deny in a service control policy"
IMPLICIT = "You may not, because no identity-based policy allows the kms:Decrypt action"


def denying(*operations: str, message: str = "No.") -> OwnKeyAccess:
    """An enabled key with which KMS denies these operations."""
    return OwnKeyAccess("Enabled", dict.fromkeys(operations, message))


@pytest.mark.parametrize(
    ("one", "keys", "access", "reason"),
    [
        pytest.param(image(), RegionKeys(problem="Broken."), "not_needed", "No snapshot", id="unencrypted"),
        pytest.param(
            encrypted("snap-1"), RegionKeys({"snap-1": KEY}, {KEY: ALLOWED}), "yes", "allows", id="allowed"
        ),
        pytest.param(encrypted("snap-1"), RegionKeys(), "unknown", "snap-1", id="snapshot not shared"),
        pytest.param(encrypted(), RegionKeys(), "unknown", "not shared", id="pending"),
        pytest.param(
            encrypted("snap-1", "snap-2"),
            RegionKeys({"snap-1": KEY}, {KEY: ALLOWED}),
            "unknown",
            "snap-2",
            id="one of two snapshots shared",
        ),
        pytest.param(
            encrypted("snap-1", "snap-2"),
            RegionKeys({"snap-1": KEY}, {KEY: OwnKeyAccess("Disabled")}),
            "no",
            "Disabled",
            id="one snapshot not shared, the key of the other disabled",
        ),
        pytest.param(
            encrypted("snap-1", "snap-2"),
            RegionKeys(
                {"snap-1": KEY, "snap-2": OTHER}, {KEY: ALLOWED, OTHER: denying("Decrypt", message=EXPLICIT)}
            ),
            "no",
            OTHER,
            id="one of two keys denied",
        ),
        pytest.param(
            encrypted("snap-1"),
            RegionKeys({"snap-1": KEY}, {KEY: OwnKeyAccess("PendingDeletion")}),
            "no",
            "PendingDeletion",
            id="key pending deletion",
        ),
        pytest.param(
            encrypted("snap-1"),
            RegionKeys(
                {"snap-1": KEY},
                {KEY: OwnKeyAccess(None, {"DescribeKey": "No."}, unusable="DisabledException: Off.")},
            ),
            "no",
            "DisabledException: Off.",
            id="key that may not be described, and is disabled",
        ),
        pytest.param(
            encrypted("snap-1"),
            RegionKeys({"snap-1": KEY}, {KEY: denying("ReEncrypt")}),
            "unknown",
            "ReEncrypt",
            id="a further operation denied",
        ),
        pytest.param(
            encrypted("snap-1"),
            RegionKeys({"snap-1": KEY}, {KEY: denying("CreateGrant", message=EXPLICIT)}),
            "unknown",
            "kms:GrantIsForAWSResource",
            id="CreateGrant denied",
        ),
        pytest.param(
            encrypted("snap-1"),
            RegionKeys({"snap-1": KEY}, {KEY: denying("CreateGrant", "Decrypt", message=EXPLICIT)}),
            "no",
            f"CreateGrant and Decrypt with {KEY} with an explicit deny in the service control policy.",
            id="all that is required explicitly denied",
        ),
        pytest.param(
            encrypted("snap-1"),
            RegionKeys({"snap-1": KEY}, {KEY: denying("CreateGrant", "Decrypt")}),
            "unknown",
            "CreateGrant and Decrypt",
            id="denied in direct calls, for an unknown reason",
        ),
        pytest.param(
            encrypted("snap-1"),
            RegionKeys({"snap-1": KEY}, {KEY: denying("Decrypt", message=IMPLICIT)}),
            "unknown",
            "because no identity-based policy allows it. A launch still works",
            id="not allowed in direct calls",
        ),
        pytest.param(
            encrypted("snap-1"),
            RegionKeys({"snap-1": KEY}, {KEY: OwnKeyAccess(problem="ThrottlingException")}),
            "unknown",
            "ThrottlingException",
            id="one key not determined",
        ),
        pytest.param(
            encrypted("snap-1"),
            RegionKeys({"snap-1": KEY}, {KEY: OwnKeyAccess("Disabled")}, undecided={"snap-1": UNDECIDED}),
            "unknown",
            "is in the state Disabled. arn:other, associated with snap-1, can give access to it, too.",
            id="key disabled, and another associated",
        ),
        pytest.param(
            encrypted("snap-1", "snap-2"),
            RegionKeys(
                {"snap-1": KEY, "snap-2": KEY},
                {KEY: OwnKeyAccess("Disabled")},
                undecided={"snap-1": UNDECIDED},
            ),
            "no",
            f"{KEY} is in the state Disabled.",
            id="key disabled, and another associated with one of two snapshots",
        ),
        pytest.param(
            encrypted("snap-1"),
            RegionKeys({"snap-1": KEY}, {KEY: ALLOWED}, undecided={"snap-1": UNDECIDED}),
            "yes",
            "allows",
            id="allowed, and another associated",
        ),
        pytest.param(
            encrypted("snap-1"), RegionKeys(problem="Denied."), "unknown", "Denied.", id="no key determined"
        ),
    ],
)
def test_key_access(one: SharedImage, keys: RegionKeys, access: str, reason: str) -> None:
    found = key_access(one, keys)
    assert found[0] == access
    assert reason in found[1]


def test_an_image_has_the_keys_of_its_encrypted_snapshots_as_far_as_they_are_known() -> None:
    arns = {"snap-1": "key-b", "snap-2": "key-a", "snap-3": "key-b", "snap-other": "key-c"}
    keys = RegionKeys(arns, dict.fromkeys(arns.values(), ALLOWED))
    (found,) = results(WANTED, seen(encrypted("snap-1", "snap-2", "snap-3", "snap-hidden"), keys=keys))
    assert found["kms_key_arns"] == ["key-a", "key-b"]
    (found,) = results(WANTED, seen(image(), keys=keys))
    assert found["kms_key_arns"] == []


def test_keys_are_unknown_without_check_key_access() -> None:
    wanted = SharedInfoOptions(check_key_access=False)
    (found,) = results(wanted, seen(encrypted("snap-1")))
    assert (found["key_access"], found["key_access_reason"]) == ("unknown", "check_key_access is false.")


tried = st.builds(
    OwnKeyAccess,
    st.sampled_from([None, "Enabled", "Disabled"]),
    st.dictionaries(st.sampled_from(OPERATIONS), st.sampled_from(["No.", IMPLICIT, EXPLICIT])),
    st.sampled_from([None, None, "DisabledException: Off."]),
    st.sampled_from([None, None, "Broken."]),
)


@given(st.lists(tried, min_size=1, max_size=3), st.booleans())
def test_key_access_is_yes_only_if_all_is_allowed(keys: list[OwnKeyAccess], hidden: bool) -> None:
    ids = [f"snap-{number}" for number in range(len(keys))]
    of_snapshot = {one: f"{KEY}{one}" for one in ids}
    one = encrypted(*ids, *(["snap-hidden"] if hidden else []))
    access, _reason = key_access(
        one, RegionKeys(of_snapshot, {of_snapshot[name]: key for name, key in zip(ids, keys, strict=True)})
    )
    clear = [key for key in keys if not key.problem]
    off = [key for key in clear if key.state == "Disabled" or key.unusable]
    certain = off + [key for key in clear if key.denied.get("Decrypt", "") == EXPLICIT]
    assert (access == "no") == bool(certain)
    all_allowed = not off and all(not key.problem and not key.denied for key in keys)
    assert (access == "yes") == (all_allowed and not hidden)

# SPDX-License-Identifier: GPL-3.0-or-later

"""Examples for the diagnosis' tests: an image in its owner's account and in a consumer account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from ansible_collections.golden.images.plugins.module_utils._diagnose.checks import CAUSES
from ansible_collections.golden.images.plugins.module_utils._diagnose.state import (
    DRY_RUN_SUCCEEDED,
    AllowedImages,
    Case,
    ConsumerView,
    DiagnosisState,
    OwnerView,
)
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._keys.access import KeyDryRun
from ansible_collections.golden.images.plugins.module_utils._model import (
    KeyState,
    Sharing,
    Snapshot,
)
from ansible_collections.golden.images.plugins.modules import ami_share_diagnose

from tests.unit.examples import CONSUMER, OWNER, source_image, target_in, volumes
from tests.unit.in_process import returned
from tests.unit.keys.policies import policy_of
from tests.unit.kms_grant.examples import KEY, made, root

NOW = datetime(2026, 11, 24, tzinfo=UTC)
IMAGE = source_image()
ENCRYPTED = source_image(devices=volumes("snap-1", "snap-2", encrypted=True))
SHARED = Sharing(frozenset({CONSUMER}))
TRIED = KeyDryRun(
    frozenset({"CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "ReEncrypt"})
)
CASE = Case(target_in(), CONSUMER)
ACCEPTED = (DRY_RUN_SUCCEEDED, "Request would have succeeded, but DryRun flag is set.")
IMAGE_NOT_VISIBLE = ConsumerView(allowed_images=AllowedImages("disabled"))
UNDECIDED = Snapshot("snap-1", "completed", 100, KEY.arn, associated_key_arns=("arn:other",))
"""A snapshot that another key can give access to, too."""
DECLARED = {
    (cause.code, effect.value)
    for cause in CAUSES
    for effect in (cause.blocks_launch, cause.otherwise)
    if effect is not None
}
UNREADABLE = Failure("It may not.", "Let it.", "UnauthorizedOperation", "DescribeImages")


def owner(launch: Sharing | None = SHARED, **changes: Any) -> OwnerView:
    """An unencrypted image that is shared with the account, as are its snapshots."""
    image = changes.get("image", IMAGE)
    given = {
        "image": image,
        "launch": launch,
        "volume_permissions": dict.fromkeys(image.snapshot_ids, SHARED) if image else {},
        **changes,
    }
    return OwnerView(**given)


def encrypted(*grants: Any, policy: str | None = None, **changes: Any) -> OwnerView:
    """A shared encrypted image whose key has these grants and this policy."""
    key = KeyState(changes.pop("key", KEY), grants, policy or policy_of())
    return owner(**{"image": ENCRYPTED, "keys": (key,), **changes})


GRANTED = encrypted(made(root(CONSUMER)))


def consumer(**changes: Any) -> ConsumerView:
    """The account sees the image, and the dry run of a launch succeeds."""
    return replace(ConsumerView(image=IMAGE, dry_run=ACCEPTED), **changes)


def of_encrypted(**changes: Any) -> ConsumerView:
    """The same for the encrypted image, with a key that the account may use."""
    return consumer(**{"image": ENCRYPTED, "keys": {KEY.arn: TRIED}, **changes})


def seen(
    of_owner: OwnerView,
    of_consumer: ConsumerView | None = None,
    image_id: str | None = IMAGE.image_id,
    account_id: str = CONSUMER,
) -> DiagnosisState:
    """The state of one image and one account."""
    consumers = {Case(target_in(), account_id): of_consumer} if of_consumer is not None else {}
    return DiagnosisState(OWNER, {target_in(): image_id}, {target_in(): of_owner}, consumers, "golden", NOW)


def diagnosed(state: DiagnosisState, **options: Any) -> dict[str, Any]:
    """What ``ami_share_diagnose`` returns for this state, by default for one image and one account."""
    given = {"images": {target_in().region: IMAGE.image_id}, "account_ids": [CONSUMER], **options}
    found = returned(ami_share_diagnose, {"consumer_role_name": "golden", **given}, state)
    effects = {(one["code"], one["blocks_launch"]) for one in found.get("findings", ())}
    assert effects <= DECLARED, "a finding with an effect on a launch that its cause does not declare"
    return found


def diagnosis(
    of_owner: OwnerView, of_consumer: ConsumerView | None = None, account_id: str = CONSUMER
) -> dict[str, Any]:
    """The result for one image and one account."""
    state = seen(of_owner, of_consumer, account_id=account_id)
    (found,) = diagnosed(state, account_ids=[account_id])["results"]
    return cast("dict[str, Any]", found)


def codes(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Code and blocks_launch of each finding."""
    return [(finding["code"], finding["blocks_launch"]) for finding in found["findings"]]

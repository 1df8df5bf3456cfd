# SPDX-License-Identifier: GPL-3.0-or-later

"""Short ways to build the options and the images in the tests of the copy room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._copy import plan as copy
from ansible_collections.golden.images.plugins.module_utils._copy.options import CopyOptions
from ansible_collections.golden.images.plugins.module_utils._copy.state import CopyState
from ansible_collections.golden.images.plugins.module_utils._keys.encryption import Encryption
from ansible_collections.golden.images.plugins.module_utils._model import Image, Snapshot
from ansible_collections.golden.images.plugins.module_utils._plan import Action, TargetPlan

from tests.unit.examples import OWNER, SOURCE_ID, SOURCE_REGION, source_image, target_in

REGION = "eu-west-1"


def wanted(encryption: Encryption | None = None, **changes: Any) -> CopyOptions:
    """A copy of the golden image to one region."""
    values: dict[str, Any] = {
        "source_region": SOURCE_REGION,
        "regions": (REGION,),
        "source_image_id": SOURCE_ID,
        **(_options_of(encryption) if encryption else {}),
        **changes,
    }
    return CopyOptions(**values)


def _options_of(encryption: Encryption) -> dict[str, Any]:
    return {
        "encrypted": encryption.encrypted,
        "kms_key_id": encryption.key,
        "kms_key_ids": encryption.keys,
        "allow_default_key": encryption.allow_default,
        "reencrypt_source": encryption.reencrypt_source,
    }


def seen(*images: Image, source: Image | None = None, snapshots: tuple[Snapshot, ...] = ()) -> CopyState:
    """These images in the one region."""
    return seen_in({REGION: images}, source=source, snapshots={REGION: snapshots})


def seen_in(
    images: Mapping[str, tuple[Image, ...]],
    source: Image | None = None,
    snapshots: Mapping[str, tuple[Snapshot, ...]] | None = None,
) -> CopyState:
    """These images in each region."""
    return CopyState(
        account_id=OWNER,
        source=source or source_image(),
        copies={target_in(region): found for region, found in images.items()},
        snapshots={target_in(region): found for region, found in (snapshots or {}).items()},
    )


def planned(want: CopyOptions, saw: CopyState) -> TargetPlan:
    """The plan of the only target."""
    (target,) = copy.plan(want, saw).targets
    return target


def calls(actions: tuple[Action, ...]) -> list[tuple[str, str | None]]:
    """The operations and their resources, in order."""
    return [(action.operation, action.resource) for action in actions]

# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge whether the accounts can use the keys of their earlier images, as far as the owner of both can see.

Policies of the accounts themselves are not known. An account sees an image of another one only if its Allowed
AMIs let it launch the image (EC2 API Reference, EnableAllowedImagesSettings), so that is proven by its view.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .._failures import Failure
from .._keys.access import Access, access_of_consumers
from .._listing import join_texts
from .._model import Image, ImageRef, KeyState, Sharing
from .state import ImageKeys, RecallState, Unit

# Accounts that a warning names.
_NAMED = 5
_OPTION = "require_usable_key"
_WITHOUT = f"set {_OPTION}: false (recall_{_OPTION} of the role)"


@dataclass(frozen=True)
class EarlierImage:
    """An encrypted image of the owner, and the other accounts whose pointers go back to it."""

    image: Image
    consumers: Sharing


@dataclass(frozen=True)
class KeyAccess:
    """A key, and the access of each account whose pointers go back to an image under it."""

    key: KeyState
    accounts: Mapping[str, Access]


def list_earlier_images(account_id: str, units: Iterable[Unit]) -> dict[ImageRef, EarlierImage]:
    """Return the encrypted images of the owner, ``account_id``, that pointers go back to."""
    found: dict[ImageRef, EarlierImage] = {}
    for unit in units:
        image = unit.state.image
        if not unit.pointers or unit.failures or image is None or image.owner_id != account_id:
            continue
        if image.encrypted:
            ref = ImageRef(unit.target.region, image.image_id)
            others = Sharing(frozenset({unit.target.account_id} - {account_id}))
            earlier = found.get(ref, EarlierImage(image, Sharing()))
            found[ref] = replace(earlier, consumers=earlier.consumers | others)
    return found


def evaluate_keys(current: RecallState) -> dict[ImageRef, tuple[KeyAccess, ...]]:
    """Return the access to each key of the images, once for all accounts: a key can have 50,000 grants."""

    def evaluate(key: KeyState, consumers: Sharing) -> KeyAccess:
        if key.key.account_id != current.account_id and not key.key.aws_managed:
            # Only its owner can read the grants and the policy of another account's key.
            return KeyAccess(key, dict.fromkeys({current.account_id, *consumers.account_ids}, Access.UNKNOWN))
        return KeyAccess(key, access_of_consumers(key, consumers))

    images = list_earlier_images(current.account_id, current.units)
    return {
        ref: tuple(evaluate(key, images[ref].consumers) for key in known.keys)
        for ref, known in current.keys.items()
    }


def refuse_unusable(
    unit: Unit, keys: Mapping[ImageRef, ImageKeys], access: Mapping[ImageRef, Sequence[KeyAccess]]
) -> Iterator[Failure]:
    """Yield why a target certainly cannot use the keys of its earlier image, or why they are not known."""
    ref, account_id = ImageRef(unit.target.region, unit.state.image_id or ""), unit.target.account_id
    image = f"the earlier image {ref.image_id}"
    known = keys.get(ref, ImageKeys())
    if known.failure:
        message = f"The keys of {image} could not be read: {known.failure.message}"
        yield replace(
            known.failure, message=message, remedy=f"{known.failure.remedy} Or {_WITHOUT}. Then rerun."
        )
    for item in access.get(ref, ()):
        arn = item.key.key.arn
        if not item.key.key.is_enabled:
            yield Failure(
                f"{arn}, the key of {image}, is in the state {item.key.key.state}.",
                "Enable the key or cancel its deletion, or set previous_source_image_id. Then rerun.",
                "key_not_enabled",
                _OPTION,
                ref.region,
                item.key.key.account_id,
            )
        elif item.accounts.get(account_id) is Access.DENIED:
            yield Failure.at(
                unit.target,
                _OPTION,
                "missing_key_access",
                f"Account {account_id} cannot use {arn}, the key of {image}.",
                f"Grant it access to the key (ami_kms_grant), or {_WITHOUT}. Then rerun.",
            )


def warn_of_unproven(
    current: RecallState, moving: Iterable[Unit], access: Mapping[ImageRef, Sequence[KeyAccess]]
) -> Iterator[str]:
    """Yield a warning for each reason why it is not proven that accounts can use their earlier images."""
    reasons: dict[str, dict[str, None]] = {}
    account_id = current.account_id
    for unit in moving:
        image, target = unit.state.image, unit.target
        ref = ImageRef(target.region, unit.state.image_id or "")
        if image is not None and image.encrypted and image.owner_id != account_id:
            reasons.setdefault(f"these images are not of account {account_id}", {})[target.account_id] = None
        if unproven := current.keys.get(ref, ImageKeys()).unproven:
            reasons.setdefault(unproven, {})[target.account_id] = None
        for item in access.get(ref, ()):
            if item.accounts.get(target.account_id) is Access.UNKNOWN:
                owner = item.key.key.account_id
                reason = "the keys let single roles, organizations or requests with conditions use them"
                if owner != account_id:
                    reason = f"only account {owner} can read who can use its keys"
                reasons.setdefault(reason, {})[target.account_id] = None
    for reason, accounts in reasons.items():
        names = join_texts(sorted(accounts), _NAMED)
        yield f"It is not proven that {names} can use the keys of their earlier images: {reason}."

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
    """An encrypted image of the owner, and who else launches it by pointers that go back to it."""

    image: Image
    consumers: Sharing


@dataclass(frozen=True)
class KeyAccess:
    """A key, and the access of each account, organization and unit that launches an image under it."""

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
            others = (unit.consumers | Sharing(frozenset({unit.target.account_id}))).without(account_id)
            earlier = found.get(ref, EarlierImage(image, Sharing()))
            found[ref] = replace(earlier, consumers=earlier.consumers | others)
    return found


def evaluate_keys(current: RecallState) -> dict[ImageRef, tuple[KeyAccess, ...]]:
    """Return the access to each key of the images, once for all accounts: a key can have 50,000 grants."""

    def evaluate(key: KeyState, consumers: Sharing) -> KeyAccess:
        if key.key.account_id != current.account_id and not key.key.aws_managed:
            # Only its owner can read the grants and the policy of another account's key.
            users = {current.account_id, *consumers.names}
            return KeyAccess(key, dict.fromkeys(users, Access.UNKNOWN))
        return KeyAccess(key, access_of_consumers(key, consumers))

    images = list_earlier_images(current.account_id, current.units)
    return {
        ref: tuple(evaluate(key, images[ref].consumers) for key in known.keys)
        for ref, known in current.keys.items()
    }


def refuse_unusable(
    unit: Unit, keys: Mapping[ImageRef, ImageKeys], access: Mapping[ImageRef, Sequence[KeyAccess]]
) -> Iterator[Failure]:
    """Yield why accounts of a target certainly cannot use the keys of its image, or why that is not known.

    Of an organization or a unit that a key does not name, single accounts may use the key all the same.
    """
    ref = ImageRef(unit.target.region, unit.state.image_id or "")
    account_ids = sorted({unit.target.account_id, *unit.consumers.account_ids})
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
        elif denied := [name for name in account_ids if item.accounts.get(name) is Access.DENIED]:
            yield Failure.at(
                unit.target,
                _OPTION,
                "missing_key_access",
                f"{join_texts(denied, _NAMED)} cannot use {arn}, the key of {image}.",
                f"Grant access to the key (ami_kms_grant), or {_WITHOUT}, after which they cannot launch the "
                "image. Then rerun.",
            )


def warn_of_unproven(
    current: RecallState, moving: Iterable[Unit], access: Mapping[ImageRef, Sequence[KeyAccess]]
) -> Iterator[str]:
    """Yield a warning for each reason why it is not proven that accounts can use their earlier images."""
    reasons: dict[str, set[str]] = {}
    for unit in moving:
        for reason, users in _list_unproven(current, unit, access):
            reasons.setdefault(reason, set()).update(users)
    for reason, users in reasons.items():
        if users:
            names = join_texts(sorted(users), _NAMED)
            yield f"It is not proven that {names} can use the keys of their earlier images: {reason}."


def _list_unproven(
    current: RecallState, unit: Unit, access: Mapping[ImageRef, Sequence[KeyAccess]]
) -> Iterator[tuple[str, set[str]]]:
    """Yield why it is not proven that the image's keys can be used, and the users that this is about."""
    image, ref = unit.state.image, ImageRef(unit.target.region, unit.state.image_id or "")
    users = {unit.target.account_id, *unit.consumers.names}
    if image is not None and image.encrypted and image.owner_id != current.account_id:
        yield f"these images are not of account {current.account_id}", users
    if unproven := current.keys.get(ref, ImageKeys()).unproven:
        yield unproven, users
    for item in access.get(ref, ()):
        owner = item.key.key.account_id
        unknown = "the keys let single roles, organizations or requests with conditions use them"
        if owner != current.account_id:
            unknown = f"only account {owner} can read who can use its keys"
        yield unknown, {user for user in users if item.accounts.get(user) is Access.UNKNOWN}
        # An account that is denied has refused the unit.
        denied = {user for user in users if item.accounts.get(user) is Access.DENIED}
        yield "the keys do not let all accounts of organizations or units use them", denied

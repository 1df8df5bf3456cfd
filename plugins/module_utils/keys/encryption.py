# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides which key a copy is encrypted under, and whether that key will do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..failures import Failure, invalid_option
from ..model import Image, Key, Snapshot, Target
from ..tags import KEY_TAG, SOURCE_TAG

# A reason rather than a rule: EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot".
_CANNOT_BE_SHARED = "Snapshots under an AWS-managed key can never be shared with another account."


@dataclass(frozen=True)
class Encryption:
    """What the user said of encryption. ``encrypted`` None follows the source."""

    encrypted: bool | None = None
    key: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    allow_default: bool = False
    reencrypt_source: bool = False

    def named(self, region: str) -> str | None:
        """The key that is named for a region: id, ARN or alias."""
        return self.keys.get(region, self.key)

    def encrypts(self, region: str, source: Image) -> bool:
        """Whether the copy in this region is to be encrypted, as far as the user and the source say."""
        if self.encrypted is not None:
            return self.encrypted
        return self.named(region) is not None or source.encrypted


def check_options(encryption: Encryption, regions: Iterable[str]) -> tuple[Failure, ...]:
    """Refuse what cannot work whatever AWS says."""
    known = sorted(set(regions))
    failures = [
        invalid_option(
            "kms_key_ids",
            f"kms_key_ids: '{region}' is not among the regions.",
            "Add it to regions as well.",
        )
        for region in sorted(encryption.keys.keys() - set(known))
    ]
    if encryption.encrypted is False and any(encryption.named(region) for region in known):
        failures.append(
            invalid_option("encrypted", "encrypted: false, yet a key is named.", "Leave one of them out.")
        )
    return (*failures, *(failure for region in known for failure in _check_region_of_key(encryption, region)))


def _check_region_of_key(encryption: Encryption, region: str) -> tuple[Failure, ...]:
    key = encryption.named(region)
    if key is None or not key.startswith("arn:") or _region(key) == region:
        return ()
    option = "kms_key_ids" if region in encryption.keys else "kms_key_id"
    return (
        invalid_option(
            option,
            f"{option}: {key} is a key of {_region(key)}.",
            "A copy needs a key of its own region: use kms_key_ids, or an alias that all have.",
            region=region,
        ),
    )


def check_source(encryption: Encryption, source: Image) -> tuple[Failure, ...]:
    """Refuse to decrypt: AWS cannot copy an encrypted image to an unencrypted one."""
    if not (source.encrypted and encryption.encrypted is False):
        return ()
    return (
        invalid_option(
            "encrypted",
            f"encrypted: {source.image_id} is encrypted, and AWS makes no unencrypted copy of it.",
            "Leave encrypted out, and name a key.",
        ),
    )


def check_key(
    encryption: Encryption, target: Target, source: Image, key: Key | None, by_default: bool
) -> tuple[Failure, ...]:
    """Refuse a copy whose key is left to AWS, or is one that EBS cannot use.

    ``key`` is the named key, or where that is allowed the default one; ``by_default`` is the account's
    encryption by default in that region (GetEbsEncryptionByDefault).
    """
    if key is None:
        if not encryption.encrypts(target.region, source) and not by_default:
            return ()
        why = "encryption by default is on" if by_default else "the copy is to be encrypted"
        return (
            Failure.at(
                target,
                "CopyImage",
                "default_key",
                f"{why[0].upper()}{why[1:]}, and no key is named: it would land on the default key, "
                f"usually aws/ebs. {_CANNOT_BE_SHARED}",
                "Name a key in kms_key_id or kms_key_ids, or set allow_default_key: true.",
            ),
        )
    if key.aws_managed and not encryption.allow_default:
        return (
            Failure.at(
                target,
                "CopyImage",
                "default_key",
                f"{key.arn} is managed by AWS. {_CANNOT_BE_SHARED}",
                "Name a customer-managed key, or set allow_default_key: true.",
            ),
        )
    if key.state != "Enabled":
        return (
            Failure.at(
                target,
                "CopyImage",
                "key_not_enabled",
                f"{key.arn} is in the state {key.state}.",
                "Enable the key or cancel its deletion, or name another one.",
            ),
        )
    if key.spec != "SYMMETRIC_DEFAULT" or key.usage != "ENCRYPT_DECRYPT":
        return (
            Failure.at(
                target,
                "CopyImage",
                "unsupported_key_type",
                f"{key.arn} is a key for {key.usage} of kind {key.spec}.",
                "EBS takes symmetric encryption keys only: name one.",
            ),
        )
    return ()


def is_under(image: Image, snapshots: Iterable[Snapshot], key: Key | None, encrypted: bool) -> bool:
    """Whether an image is encrypted as wanted: under ``key``, under any key if None, or not at all.

    ``snapshots`` are the image's, if they are known. Where nothing is known the image gets the benefit of
    the doubt, so that nothing is copied twice.
    """
    found = _keys_of(image, snapshots)
    if found is None:
        return True
    if not encrypted:
        return found == {None}
    return found == {key.arn} if key is not None else None not in found


def _keys_of(image: Image, snapshots: Iterable[Snapshot]) -> set[str | None] | None:
    """The keys of an image's volumes, a None among them for an unencrypted one; None if not known."""
    keys = {snapshot.kms_key_id for snapshot in snapshots}
    if keys:
        return keys
    if SOURCE_TAG in image.tags and (image.encrypted or image.state != "available"):
        # A pending image may not tell its snapshots; its copy was started with this tag.
        return {image.tags.get(KEY_TAG)}
    return {None} if image.state == "available" and not image.encrypted else None


def _region(arn: str) -> str:
    return arn.split(":")[3] if arn.count(":") >= 5 else "no region"

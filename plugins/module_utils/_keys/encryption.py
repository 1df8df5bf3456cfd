# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which KMS key encrypts a copy, and whether that key can be used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .. import _arns as arns
from .._failures import Failure, invalid_option
from .._model import Image, Key, Snapshot, Target
from .._tags import KEY_TAG, SOURCE_TAG

# EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot".
_CANNOT_BE_SHARED = "Snapshots encrypted under an AWS managed key cannot be shared with other accounts."
_NEVER_SHARED = "Only for images that are never shared, ami_copy_regions has allow_default_key: true."
# KMS API Reference: pattern of AliasName, and the forms of KeyId in DescribeKey. Its parts have no other
# characters (KMS Developer Guide, "Key identifiers (KeyId)").
_NAME = r"[A-Za-z0-9-]+"
_ALIAS = r"alias/[A-Za-z0-9/_-]+"
_KEY = re.compile(rf"{_NAME}|{_ALIAS}|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{{12}}:(?:key/{_NAME}|{_ALIAS})")
_AWS_MANAGED = re.compile(r"(?:arn:.*:)?alias/aws/.*")


def names_aws_managed_key(key: str) -> bool:
    """Whether an alias, or its ARN, is that of an AWS managed key. A key's ID or ARN does not show it."""
    return _AWS_MANAGED.fullmatch(key) is not None


@dataclass(frozen=True)
class Encryption:
    """Encryption options. With ``encrypted`` None, a copy is encrypted if its key is set or its source is."""

    encrypted: bool | None = None
    key: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    allow_default: bool = False
    reencrypt_source: bool = False

    def key_for(self, region: str) -> str | None:
        """Return the ID, ARN or alias of the key that is set for a region."""
        return self.keys.get(region, self.key)

    def encrypts(self, region: str, source: Image) -> bool:
        """Whether the options or the source make the copy in this region encrypted."""
        if self.encrypted is not None:
            return self.encrypted
        return self.key_for(region) is not None or source.encrypted


def check_options(encryption: Encryption, regions: Iterable[str]) -> tuple[Failure, ...]:
    """Refuse combinations of options that cannot work."""
    known = sorted(set(regions))
    failures = [
        invalid_option(
            "kms_key_ids",
            f"kms_key_ids: '{region}' is not in the option regions.",
            "Add it there, or remove its key.",
        )
        for region in sorted(encryption.keys.keys() - set(known))
    ]
    if encryption.encrypted is False and any(encryption.key_for(region) for region in known):
        failures.append(
            invalid_option(
                "encrypted", "encrypted: false cannot be combined with a key.", "Remove one of them."
            )
        )
    # Keys only: a key for all regions is refused once.
    key_failures = {failure: None for region in known for failure in _check_key_option(encryption, region)}
    return (*failures, *key_failures)


def _check_key_option(encryption: Encryption, region: str) -> Iterator[Failure]:
    key = encryption.key_for(region)
    option = "kms_key_ids" if region in encryption.keys else "kms_key_id"
    place = region if region in encryption.keys else None
    if key is None:
        return
    if not _KEY.fullmatch(key):
        yield invalid_option(
            option,
            f"{option}: '{key}' is not the ID, ARN or alias of a KMS key.",
            "Use an alias such as alias/golden, which can exist in each region, or a key ID or ARN.",
            place,
        )
    elif names_aws_managed_key(key) and not encryption.allow_default:
        yield Failure(
            f"{option}: {key} is the alias of an AWS managed key. {_CANNOT_BE_SHARED}",
            f"Set a customer managed key. {_NEVER_SHARED}",
            "default_key",
            option,
            place,
        )
    else:
        yield from _check_region_of_key(encryption, region)


def _check_region_of_key(encryption: Encryption, region: str) -> tuple[Failure, ...]:
    key = encryption.key_for(region)
    if key is None or not key.startswith("arn:") or _region(key) == region:
        return ()
    option = "kms_key_ids" if region in encryption.keys else "kms_key_id"
    return (
        invalid_option(
            option,
            f"{option}: {key} is a key in {_region(key)}.",
            "A copy needs a key in its own region: use kms_key_ids, or an alias that exists in each region.",
            region=region,
        ),
    )


def check_source(encryption: Encryption, source: Image) -> tuple[Failure, ...]:
    """Refuse to decrypt: AWS cannot make an unencrypted copy of an encrypted image."""
    if not (source.encrypted and encryption.encrypted is False):
        return ()
    return (
        invalid_option(
            "encrypted",
            f"encrypted: {source.image_id} is encrypted, and AWS cannot make an unencrypted copy of it.",
            "Remove encrypted, and set a key.",
        ),
    )


def default_key_failure(target: Target, action: str, image_id: str, key_arn: str, remedy: str) -> Failure:
    """Return the refusal to share an image that is encrypted under an AWS managed key.

    EBS User Guide, "Share an Amazon EBS snapshot": nor can its snapshots be shared.
    """
    return Failure.at(
        target,
        action,
        "default_key",
        f"{image_id} is encrypted under the AWS managed key {key_arn}: it cannot be shared.",
        remedy,
    )


def check_key(
    encryption: Encryption, target: Target, source: Image, key: Key | None, by_default: bool
) -> tuple[Failure, ...]:
    """Refuse a copy for which AWS would choose the key, or whose key EBS cannot use.

    ``key`` is the key that is set, or the default key if that is allowed. ``by_default`` is the account's
    encryption by default in that region (GetEbsEncryptionByDefault).
    """
    if key is None:
        if not encryption.encrypts(target.region, source) and not by_default:
            return ()
        why = "Encryption by default is on" if by_default else "The copy will be encrypted"
        return (
            Failure.at(
                target,
                "CopyImage",
                "default_key",
                f"{why}, and no key is set: AWS would use the default key, usually aws/ebs. "
                f"{_CANNOT_BE_SHARED}",
                f"Set a key in kms_key_id or kms_key_ids. {_NEVER_SHARED}",
            ),
        )
    if key.aws_managed and not encryption.allow_default:
        return (
            Failure.at(
                target,
                "CopyImage",
                "default_key",
                f"{_describe_key(encryption, target, key)} is an AWS managed key. {_CANNOT_BE_SHARED}",
                f"Set a customer managed key. {_NEVER_SHARED}",
            ),
        )
    if not key.is_enabled:
        return (
            Failure.at(
                target,
                "CopyImage",
                "key_not_enabled",
                f"{_describe_key(encryption, target, key)} is in the state {key.state}.",
                "Enable the key or cancel its deletion, or set another key.",
            ),
        )
    if key.spec != "SYMMETRIC_DEFAULT" or key.usage != "ENCRYPT_DECRYPT":
        return (
            Failure.at(
                target,
                "CopyImage",
                "unsupported_key_type",
                f"{_describe_key(encryption, target, key)} has the key usage {key.usage} and the key spec "
                f"{key.spec}.",
                "Set a symmetric encryption key: EBS supports no other keys.",
            ),
        )
    return ()


def _describe_key(encryption: Encryption, target: Target, key: Key) -> str:
    """Return the key as the option has it, with its ARN."""
    option = encryption.key_for(target.region)
    return key.arn if option in (None, key.arn) else f"{option} ({key.arn})"


def key_warnings(key: Key | None) -> tuple[str, ...]:
    """Return a warning if the key of a copy could not be checked."""
    if key is None or key.described:
        return ()
    warning = (
        f"KMS denies DescribeKey on {key.arn}, so that its state and type were not checked. "
        "The copy fails unless the credentials may use the key through EC2 (kms:ViaService)."
    )
    return (warning,)


def is_under(image: Image, snapshots: Iterable[Snapshot], key: Key | None, encrypted: bool) -> bool:
    """Whether an image is encrypted as requested: under ``key``, under any key if None, or not at all.

    ``snapshots`` are the image's, if they are known. If the keys are unknown the result is True, so that
    nothing is copied twice.
    """
    keys = _keys_of(image, snapshots)
    if keys is None:
        return True
    if not encrypted:
        return keys == {None}
    return keys == {key.arn} if key is not None else None not in keys


def _keys_of(image: Image, snapshots: Iterable[Snapshot]) -> set[str | None] | None:
    """Return the key ARNs of an image's volumes, None for an unencrypted volume; None if they are unknown."""
    keys = {snapshot.kms_key_id for snapshot in snapshots}
    if keys:
        return keys
    if SOURCE_TAG in image.tags and (image.encrypted or image.state != "available"):
        # AWS may not list the snapshots of a pending image; this tag was set when the copy started.
        return {image.tags.get(KEY_TAG)}
    return {None} if image.state == "available" and not image.encrypted else None


def _region(arn: str) -> str:
    return arns.parse(arn).region if arns.is_arn(arn) else "no region"

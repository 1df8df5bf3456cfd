# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_recall``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from .._listing import join_texts
from .._model import ImageRef
from .._option import (
    ACCOUNT_ID,
    ACCOUNT_IDS,
    FLAG,
    IMAGE_ID,
    NUMBER,
    PATH,
    REGION,
    REGIONS,
    TEXT,
    Kind,
    Problem,
    choice,
    option,
)
from .._option_groups import ConsumerRoleOptions, ProgressOptions, is_s3_folder
from .._parameter_names import name_problem
from .._publish.options import DEFAULT, LATEST, TEMPLATES, PublishOptions
from .._wording import render_value
from .breaking import ACCEPTED, ADOPTION_RESULT, WITHDRAWAL_RESULT, Adoption, Withdrawal
from .record import LONGEST_NAME

PRESENT, ABSENT = "present", "absent"
WITHDRAW, BLOCK = "withdraw", "block"
UNSHARE, DISABLE = "unshare", "disable"


@dataclass(frozen=True, kw_only=True)
class RecallOptions(ProgressOptions, ConsumerRoleOptions):
    """The options of ``ami_recall``.

    Those about pointers mean what they mean for ``ami_publish``. ``ABSENT`` takes them from the record, and
    all regions with it. ``parameter`` is empty, and ``previous_source_image_id`` None, if they are not set.
    ``block_method`` None is ``UNSHARE``. ``withdraw_only`` leaves the block to a later task, which has the
    result of this one as ``withdrawal_result``.
    """

    argument_rules = MappingProxyType(
        {
            "mutually_exclusive": [("tombstone_path", "tombstone_s3_uri")],
            "required_one_of": [("tombstone_path", "tombstone_s3_uri")],
        }
    )

    state: str = option(choice(PRESENT, ABSENT), default=PRESENT)
    source_image_id: str = option(IMAGE_ID, required=True)
    source_region: str = option(REGION, required=True)
    regions: tuple[str, ...] = option(REGIONS)
    parameter: str = option(Kind(TEXT.spec, lambda given, _refuse: (given or "").strip()))
    launch_templates: tuple[str, ...] = option(TEMPLATES)
    launch_template_base_version: str | None = option(choice(DEFAULT, LATEST))
    # An empty text counts as not set.
    previous_source_image_id: str | None = option(
        Kind(IMAGE_ID.spec, lambda given, refuse: IMAGE_ID.value(given or None, refuse))
    )
    account_ids: tuple[str, ...] = option(ACCOUNT_IDS)
    require_shared: bool = option(FLAG, default=True)
    require_usable_key: bool = option(FLAG, default=True)
    level: str = option(choice(WITHDRAW, BLOCK), default=WITHDRAW)
    withdraw_only: bool = option(FLAG, default=False)
    block_method: str | None = option(choice(UNSHARE, DISABLE))
    adoption_result: Adoption | None = option(ADOPTION_RESULT)
    accept_breaking: tuple[str, ...] = option(ACCEPTED)
    block_consumer_copies: bool = option(FLAG, default=False)
    withdrawal_result: Withdrawal | None = option(WITHDRAWAL_RESULT)
    wait_timeout: int = option(NUMBER, default=300)
    tombstone_path: str | None = option(PATH)
    tombstone_s3_uri: str | None = option(TEXT)
    tombstone_s3_bucket_owner: str | None = option(ACCOUNT_ID)

    @property
    def is_recall(self) -> bool:
        """Whether the release is recalled, and no recall taken back."""
        return self.state == PRESENT

    @property
    def blocks(self) -> bool:
        """Whether this task blocks the images of the release, too."""
        return self.is_recall and self.level == BLOCK and not self.withdraw_only

    @property
    def has_nothing_to_block(self) -> bool:
        """Whether the earlier task has found no image of the release, or was refused."""
        return self.blocks and self.withdrawal_result is not None and not self.withdrawal_result.has_images

    @property
    def published_account_ids(self) -> tuple[str, ...]:
        """Return the accounts in which pointers move. A block without a parameter only looks into them."""
        return self.account_ids if self.parameter or self.level == WITHDRAW else ()

    @property
    def tombstone_option(self) -> str:
        """Return the option that says where the record is."""
        return "tombstone_s3_uri" if self.tombstone_s3_uri else "tombstone_path"

    @property
    def source(self) -> ImageRef:
        """Return the source image of the release."""
        return ImageRef(self.source_region, self.source_image_id)

    def publishing(self, parameter: str, regions: tuple[str, ...], **own: Any) -> PublishOptions:
        """Return the options to publish earlier images in ``parameter``: those of a rollback."""
        return PublishOptions(
            check_mode=self.check_mode,
            parameter=parameter,
            regions=regions,
            require_shared=self.require_shared,
            wait_timeout=self.wait_timeout,
            account_ids=self.account_ids,
            consumer_role_name=self.consumer_role_name,
            external_id=self.external_id,
            **own,
        )

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        if self.parameter:
            problem, remedy = name_problem(self.parameter, self.regions)
            if problem:
                yield Problem("parameter", problem, remedy)
        elif self.is_recall and (self.launch_templates or self.published_account_ids):
            yield Problem(
                "parameter",
                "it is required with launch_templates and account_ids.",
                "Set the parameter in which the release was published: its history has the earlier images.",
            )
        if self.is_recall and self.published_account_ids and not self.consumer_role_name:
            yield Problem(
                "consumer_role_name",
                "it is required with account_ids.",
                "Set the role to assume in these accounts, or remove account_ids.",
            )
        if self.is_recall:
            yield from self._block_problems()
        if self.previous_source_image_id == self.source_image_id:
            yield Problem(
                "previous_source_image_id",
                f"{self.source_image_id} is the release that is recalled.",
                "Set the source of an earlier release, or remove it.",
            )
        if self.wait_timeout < 0:
            yield Problem(
                "wait_timeout",
                f"must be 0 or greater (got {self.wait_timeout}).",
                "Use a number of seconds such as 300.",
            )
        if self.tombstone_s3_uri and not is_s3_folder(self.tombstone_s3_uri, len(LONGEST_NAME)):
            yield Problem(
                "tombstone_s3_uri",
                f"{render_value(self.tombstone_s3_uri)} is not a valid S3 URI.",
                "Use a URI such as s3://bucket/folder, of at most 900 bytes.",
            )

    def missing_role(self, own_account_id: str = "") -> Iterator[Problem]:
        """Yield the problem if accounts are only looked into before the block, and no role can read them.

        ``ami_adoption`` reads the account of the credentials, ``own_account_id``, without a role.
        """
        only_looks = not (self.published_account_ids or self.block_consumer_copies)
        others = [account_id for account_id in self.account_ids if account_id != own_account_id]
        is_read_first = self.is_recall and self.level == BLOCK and self.withdraw_only and only_looks
        if is_read_first and others and not self.consumer_role_name:
            yield Problem(
                "consumer_role_name",
                f"it is missing, and the accounts {join_texts(others)} are to be looked into before the "
                "block.",
                "Set the role to assume in these accounts. Or remove account_ids, and confirm with "
                "accept_breaking all who can launch the release.",
            )

    def _block_problems(self) -> Iterator[Problem]:
        given = {
            "block_method": self.block_method,
            "adoption_result": self.adoption_result,
            "accept_breaking": self.accept_breaking,
            "withdrawal_result": self.withdrawal_result,
            "block_consumer_copies": self.block_consumer_copies,
        }
        for name in [name for name, value in given.items() if value and self.level != BLOCK]:
            yield Problem(
                name,
                f"it is only for level: {BLOCK}, and no image is blocked without that.",
                f"Set level: {BLOCK}, or remove {name}.",
            )
        if len(self.account_ids) > 1:
            yield from self.missing_role()
        if self.block_consumer_copies and self.level == BLOCK:
            if not (self.consumer_role_name or self.published_account_ids):
                yield Problem(
                    "consumer_role_name",
                    "it is required with block_consumer_copies.",
                    "Set the role to assume in the accounts of the copies, or remove block_consumer_copies.",
                )
            if self.withdraw_only and not self.account_ids:
                yield Problem(
                    "account_ids",
                    "it is required with block_consumer_copies.",
                    "Set the accounts to look into for copies, or remove block_consumer_copies.",
                )
            if self.blocks and self.adoption_result is None and not self.has_nothing_to_block:
                yield Problem(
                    "adoption_result",
                    "it is required with block_consumer_copies.",
                    "Set the result of ami_adoption, which has the copies, or remove block_consumer_copies.",
                )
        adoption = self.adoption_result
        is_read = adoption is not None and not adoption.failures
        if adoption and is_read and self.level == BLOCK and self.source_image_id not in adoption.denied:
            yield Problem(
                "adoption_result",
                f"it does not have all that uses {self.source_image_id}.",
                f"Set deny_images: [{self.source_image_id}] of ami_adoption.",
            )

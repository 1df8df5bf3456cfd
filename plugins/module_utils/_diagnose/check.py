# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a check of the diagnosis is: the causes that it can find, with their words, and how it finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from .._finding import BlocksLaunch, Finding, Severity
from .._model import Image, Sharing
from .keys import KeyEvidence
from .state import Case, ConsumerView, OwnerView

# The tables of docs/diagnosing.md, by their headings.
IMAGE, SHARING, ACCOUNT = "The image", "Sharing", "The account"
KEYS = "Keys, by their grants and policies"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why an account cannot launch an image, may not be able to, or what else is wrong.

    ``code`` is stable: scripts match on it. ``meaning`` is what reports say of the code. The ``table`` of
    docs/diagnosing.md goes on with ``details``, and ``remedy`` is what to do in general. ``otherwise`` is the
    effect on a launch in the case that ``details`` describe. ``severity`` is that of the effect if not set.
    """

    code: str
    table: str
    blocks_launch: BlocksLaunch
    otherwise: BlocksLaunch | None = None
    meaning: str
    details: str = ""
    remedy: str
    severity: Severity | None = None

    def finding(
        self,
        message: str,
        remedy: str,
        blocks_launch: BlocksLaunch | None = None,
        error_code: str | None = None,
    ) -> Finding:
        """Return a finding with the words of the case at hand."""
        effect = blocks_launch or self.blocks_launch
        severity = self.severity or effect.severity
        return Finding(self.code, severity, message, remedy, blocks_launch=effect, error_code=error_code)


@dataclass(frozen=True)
class Evidence:
    """What is known of one image and one account that would launch it.

    ``consumer`` is what was read in the account, None if it was not checked. The ``role`` was assumed for
    that, unless it is the account of the credentials.
    """

    case: Case
    image_id: str | None
    owner: OwnerView
    consumer: ConsumerView | None
    role: str | None
    now: datetime

    @property
    def account_id(self) -> str:
        """The account that would launch the image."""
        return self.case.account_id

    @property
    def region(self) -> str:
        """The region of the image."""
        return self.case.image_target.region

    @property
    def checked(self) -> ConsumerView | None:
        """What was read in the account, None if it was not checked or could not be."""
        return self.consumer if self.consumer is not None and self.consumer.problem is None else None

    @property
    def is_visible(self) -> bool | None:
        """Whether the account sees the image, None if it was not asked."""
        return None if self.checked is None else self.checked.image is not None

    @property
    def is_own(self) -> bool:
        """Whether the image belongs to the account."""
        return self.owner.image is not None and self.owner.image.owner_id == self.account_id

    @property
    def image(self) -> Image | None:
        """The image as its owner has it, None if it was not read there."""
        return self.owner.image if self.is_own or self.owner.launch is not None else None

    @property
    def launch(self) -> Sharing | None:
        """The launch permissions that matter, None if the image is the account's own or they are unknown."""
        return None if self.is_own else self.owner.launch

    @property
    def keys(self) -> Iterator[KeyEvidence]:
        """The keys of the image that could be described."""
        if self.owner.image is not None:
            for key in self.owner.keys:
                yield KeyEvidence(self.case, self.owner.image, self.owner, key, self.checked)


def _nothing(_evidence: object) -> Iterator[Finding]:
    yield from ()


@dataclass(frozen=True)
class Check:
    """One question that a diagnosis asks, of the image and the account or of each key of the image."""

    causes: tuple[Cause, ...]
    find: Callable[[Evidence], Iterator[Finding]] = _nothing
    find_of_key: Callable[[KeyEvidence], Iterator[Finding]] = _nothing

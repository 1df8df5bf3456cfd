# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of a check of the diagnosis: its causes, the evidence, and the functions that find them."""

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
PARAMETER = "The parameter"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A reason why an account cannot launch an image, may not be able to, or has another problem.

    ``code`` is stable: scripts match on it. Reports have its ``meaning``, to which the ``table`` of
    docs/diagnosing.md adds ``details``; ``remedy`` is the general one. ``otherwise`` is the effect on a
    launch in the case that ``details`` describe. ``severity`` is by default the severity of the effect.
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
    """The known facts about one image and one account that would launch it.

    ``consumer`` is the view of the account, None if it was not checked. The ``role`` was assumed to read it,
    unless it is the account of the credentials.
    """

    case: Case
    image_id: str | None
    owner: OwnerView
    consumer: ConsumerView | None
    role: str | None
    now: datetime

    @property
    def account_id(self) -> str:
        """Return the account that would launch the image."""
        return self.case.account_id

    @property
    def region(self) -> str:
        """Return the region of the image."""
        return self.case.image_target.region

    @property
    def checked(self) -> ConsumerView | None:
        """Return the view of the account; None if it was not checked or could not be read."""
        return self.consumer if self.consumer is not None and self.consumer.problem is None else None

    @property
    def is_visible(self) -> bool | None:
        """Whether the account sees the image; None if it was not checked."""
        return None if self.checked is None else self.checked.image is not None

    @property
    def is_own(self) -> bool:
        """Whether the image belongs to the account."""
        return self.owner.image is not None and self.owner.image.owner_id == self.account_id

    @property
    def image(self) -> Image | None:
        """Return the image as read in its owner's account; None if it was not read there."""
        return self.owner.image if self.is_own or self.owner.launch is not None else None

    @property
    def launch(self) -> Sharing | None:
        """Return the launch permissions; None if they are unknown, or if the account owns the image."""
        return None if self.is_own else self.owner.launch

    @property
    def keys(self) -> Iterator[KeyEvidence]:
        """Yield the keys of the image that could be described."""
        if self.owner.image is not None:
            for key in self.owner.keys:
                yield KeyEvidence(self.case, self.owner.image, self.owner, key, self.checked)


def _find_nothing(_evidence: object) -> Iterator[Finding]:
    yield from ()


@dataclass(frozen=True)
class Check:
    """A check of the diagnosis, of the image and the account, or of each key of the image."""

    causes: tuple[Cause, ...]
    find: Callable[[Evidence], Iterator[Finding]] = _find_nothing
    find_of_key: Callable[[KeyEvidence], Iterator[Finding]] = _find_nothing

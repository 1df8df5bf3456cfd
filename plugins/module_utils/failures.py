# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, as values: the same shape for a bad option and for a refused AWS call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .model import Target


@dataclass(frozen=True)
class Failure:
    """One thing that could not be done, and what the reader can do about it.

    ``action`` is the AWS operation (``CopyImage``) or the option (``account_ids``) that failed,
    ``error_code`` is AWS's code where AWS answered and ours otherwise, ``remedy`` is a sentence.
    """

    message: str
    remedy: str
    error_code: str
    action: str
    region: str | None = None
    account_id: str | None = None
    request_id: str | None = None

    @classmethod
    def at(cls, target: Target, action: str, error_code: str, message: str, remedy: str) -> Failure:
        """A failure of one target."""
        return cls(message, remedy, error_code, action, target.region, target.account_id)

    def sentence(self) -> str:
        """The failure for a person: where, what, and what to do."""
        return f"{self.region}: {self.text()}" if self.region else self.text()

    def text(self) -> str:
        """``sentence`` without the place."""
        return f"{self.message} {self.remedy}".strip()

    def as_result(self) -> dict[str, str | None]:
        """The failure as every module returns it in ``failures``."""
        return {
            "account_id": self.account_id,
            "action": self.action,
            "error_code": self.error_code,
            "message": self.message,
            "region": self.region,
            "remedy": self.remedy,
            "request_id": self.request_id,
        }


class Refused(Exception):
    """The task cannot be done as asked; nothing has been changed."""

    def __init__(self, failures: Iterable[Failure]) -> None:
        self.failures = tuple(failures)
        super().__init__(summary(self.failures))


class TargetFailed(Exception):
    """Work on one target failed; the other targets go on."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.sentence())


def invalid_option(option: str, message: str, remedy: str, region: str | None = None) -> Failure:
    """A failure for an option whose value cannot be used."""
    return Failure(message=message, remedy=remedy, error_code="invalid_option", action=option, region=region)


def summary(failures: Iterable[Failure]) -> str:
    """All failures as one message: a sentence if there is one, a list if there are more.

    Regions that failed for the same reason share a line, so that a refusal in twenty regions stays readable.
    """
    places: dict[str, dict[str, None]] = {}
    for failure in failures:
        places.setdefault(failure.text(), {}).update({failure.region: None} if failure.region else {})
    lines = [f"{', '.join(regions)}: {text}" if regions else text for text, regions in places.items()]
    if len(lines) == 1:
        return lines[0]
    return "\n".join([f"{len(lines)} problems:", *(f"- {line}" for line in lines)])

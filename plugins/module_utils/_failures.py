# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures as values: invalid options and AWS errors have the same form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Literal

from ._listing import join_texts
from ._model import Target

Source = Literal["aws", "sdk", "collection"]
# The code of each consumer that AWS rejects, whichever of its codes AWS returned for that.
CONSUMER_REJECTED = "consumer_rejected"
_REJECTION_OF_ACCOUNT = re.compile("AWS rejected ([0-9]{12}):")
# The remedy for credentials that AWS does not accept.
CHECK_CREDENTIALS = "Check the credentials: profile, keys and session token, and whether they have expired."
# Characters of a line, of a message with its remedy, and of a message whose remedy is long.
_LINE = 500
_LONGEST = 480
_SHORTEST = 200
# Characters of a problem with an option's value: enough for any ARN and the sentence around it.
_LONGEST_PROBLEM = 270
# Characters of a word that is not cut.
_WORD = 20
# Lines of a message about several failures. Invalid options are fixed all at once, before the next run.
_MOST_LINES = 5
_MOST_OPTIONS = 20
LONGEST_MESSAGE = 3500
"""Characters of a message: Ansible displays it as one line, of which terminals and logs may show 4,096."""
# Regions that a line names.
_MOST_REGIONS = 20
RESULT = "the failures of the task's result, which -vvv shows"
"""Where the failures of a module are that its message does not list."""


@dataclass(frozen=True)
class Failure:
    """One failed operation, and what the user can do about it.

    ``action`` is the AWS operation (``CopyImage``) or the option (``account_ids``) that failed. ``remedy`` is
    a sentence.

    ``source`` is ``aws`` if AWS returned an error, ``sdk`` if botocore failed before a response (network,
    credentials, parameters), else ``collection``. ``error_code`` is in snake_case if this collection
    chose it, else it is AWS's code or the name of botocore's exception. With ``repeated``, botocore sent the
    call more than once, and an earlier one may have had an effect.
    """

    message: str
    remedy: str
    error_code: str
    action: str
    region: str | None = None
    account_id: str | None = None
    request_id: str | None = None
    source: Source = "collection"
    repeated: bool = False

    @classmethod
    def at(cls, target: Target, action: str, error_code: str, message: str, remedy: str) -> Failure:
        """Return a failure of this collection in one target."""
        return cls(message, remedy, error_code, action, target.region, target.account_id)

    @classmethod
    def from_result(cls, result: Mapping[str, Any]) -> Failure:
        """Return the failure that ``to_dict`` returned.

        It has no ``request_id`` in a report, and only a message if a task had no failures of its own.
        """
        return cls(
            str(result["message"]),
            str(result["remedy"] or ""),
            str(result["error_code"] or ""),
            str(result["action"] or ""),
            result["region"],
            result["account_id"],
            result.get("request_id"),
            result["source"] or "collection",
        )

    def to_rejection(self, consumer: str, remedy: str) -> Failure:
        """Return the failure as the rejection of one consumer: an account ID, or an ARN."""
        return replace(
            self,
            error_code=CONSUMER_REJECTED,
            message=f"{_rejection_of(consumer)} {self.message}",
            remedy=remedy,
        )

    def rejects(self, consumer: str) -> bool:
        """Whether the failure is the rejection of this consumer."""
        return self.error_code == CONSUMER_REJECTED and self.message.startswith(_rejection_of(consumer))

    @property
    def rejected_account_id(self) -> str | None:
        """Return the account that AWS rejected, None if it is not the rejection of a whole account."""
        rejection = _REJECTION_OF_ACCOUNT.match(self.message)
        return rejection[1] if rejection and self.error_code == CONSUMER_REJECTED else None

    def sentence(self) -> str:
        """Return the region, the message and the remedy."""
        return f"{self.region}: {self.text()}" if self.region else self.text()

    def text(self) -> str:
        """Return the message and the remedy, cut if they are long, without the region.

        AWS's message has its code. The traceback of a bug is not cut.
        """
        message = with_code(self.message, self.error_code) if self.source == "aws" else self.message.rstrip()
        # Many of AWS's messages end without a full stop.
        if self.remedy and message and message[-1] not in ".!?:":
            message += "."
        remedy = self.remedy
        if self.error_code != "unexpected_error":
            message = cut(message, max(_SHORTEST, _LONGEST - len(remedy) - 1))
            remedy = cut(remedy, _LONGEST - len(message) - 1)
        return f"{message} {remedy}".strip()

    def to_dict(self) -> dict[str, str | None]:
        """Return the failure as every module returns it in ``failures``."""
        return {
            "account_id": self.account_id,
            "action": self.action,
            "error_code": self.error_code,
            "message": self.message,
            "region": self.region,
            "remedy": self.remedy,
            "request_id": self.request_id,
            "source": self.source,
        }


class ValidationError(Exception):
    """A task was refused because its options cannot be carried out. Nothing was changed."""

    def __init__(self, failures: Iterable[Failure]) -> None:
        self.failures = tuple(failures)
        super().__init__(summary(self.failures))


class TargetFailed(Exception):
    """Work on one target failed. Other targets are not affected."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.sentence())


def _rejection_of(consumer: str) -> str:
    return f"AWS rejected {consumer}:"


def invalid_option(option: str, message: str, remedy: str, region: str | None = None) -> Failure:
    """Return a failure for an option whose value cannot be used."""
    return Failure(message=message, remedy=remedy, error_code="invalid_option", action=option, region=region)


def invalid_value(option: str, problem: str, remedy: str) -> Failure:
    """Return a failure for an option whose value cannot be used. A problem with a long value is cut."""
    return invalid_option(option, f"{option}: {cut(problem, _LONGEST_PROBLEM)}", remedy)


def incomplete_response(operation: str, member: str, target: Target | None = None) -> Failure:
    """Return the failure for an answer of AWS that lacks a member, and says nothing without it."""
    return Failure(
        message=f"AWS's response to {operation} lacks {member}.",
        remedy="Rerun. If the response lacks it again, update botocore and boto3: they return only what they "
        "support.",
        error_code="incomplete_response",
        action=operation,
        region=target.region if target else None,
        account_id=target.account_id if target else None,
    )


def with_code(message: str, code: str | None) -> str:
    """Return AWS's message with its error code, for searches in documentation, unless it has the code."""
    if not code or code in message:
        return message
    return f"{message.rstrip().removesuffix('.')} ({code})".lstrip()


def cut(text: str, longest: int) -> str:
    """Return the text, or its beginning and its end if it has more characters than ``longest``.

    Words stay whole, apart from long ones: an ARN, a value without spaces.
    """
    if len(text) <= longest:
        return text
    end = longest // 4
    beginning, ending = text[: longest - end - 3], text[-end:]
    words, _space, last_word = beginning.rpartition(" ")
    first_word, _space, other_words = ending.partition(" ")
    return (
        f"{words if words and len(last_word) <= _WORD else beginning} … "
        f"{other_words if other_words and len(first_word) <= _WORD else ending}"
    )


def sentences(failures: Iterable[Failure]) -> tuple[str, ...]:
    """Return a text for each failure. Regions with the same failure share one: twenty stay readable."""
    return tuple(
        _line(text, regions)
        for text, regions in combine_regions((failure.region, failure.text()) for failure in failures)
    )


def combine_regions(texts: Iterable[tuple[str | None, str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the texts, each with its regions. Texts that differ only in the region are one.

    Such a text has ``there`` instead of ``in eu-west-1``, and ``{region}`` in other places of the region. A
    text of no region has none.
    """
    texts_by_region: dict[str, dict[str, str]] = {}
    for region, text in texts:
        general = _general(text, region) if region else text
        texts_by_region.setdefault(general, {}).update({region: text} if region else {})
    return tuple(
        (next(iter(by_region.values())) if len(by_region) == 1 else general, tuple(by_region))
        for general, by_region in texts_by_region.items()
    )


def _general(text: str, region: str) -> str:
    without_region = re.sub(rf"(?<=\w) in {re.escape(region)}(?![\w-])", " there", text)
    return without_region.replace(region, "{region}")


def _line(text: str, regions: Sequence[str]) -> str:
    """Return the text after its regions: as many as fit into the line, but at least one."""
    if not regions:
        return text
    space = _LINE - len(text) - len(": ")
    places = (join_texts(regions, most) for most in range(_MOST_REGIONS, 1, -1))
    place = next((place for place in places if len(place) <= space), join_texts(regions, 1))
    # A traceback stays whole: it is of one region, or longer than any line.
    return f"{place}: {text if len(text) > _LONGEST else cut(text, _LINE - len(place) - len(': '))}"


def summary(failures: Iterable[Failure], rest: str = RESULT) -> str:
    """Return all failures as one message: a sentence for one failure, a list for several (``sentences``).

    ``rest`` says where the failures are that a long list leaves out.
    """
    all_failures = list(failures)
    lines = sentences(all_failures)
    if len(lines) == 1:
        return lines[0]
    most = (
        _MOST_OPTIONS
        if all(failure.error_code == "invalid_option" for failure in all_failures)
        else _MOST_LINES
    )
    items = [f"- {line}" for line in lines[:most]]
    lengths = accumulate(len(line) + 1 for line in items)
    number = max(1, sum(length <= LONGEST_MESSAGE for length in lengths))
    more = [f"{len(lines) - number} more in {rest}."] if len(lines) > number else []
    return "\n".join([f"{len(lines)} problems:", *items[:number], *more])

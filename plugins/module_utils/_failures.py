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

from ._causes import Occurrence, find_causes
from ._model import Target
from ._wording import shorten, shorten_quoted

Source = Literal["aws", "sdk", "collection"]
# The code of each consumer that AWS rejects, whichever of its codes AWS returned for that.
CONSUMER_REJECTED = "consumer_rejected"
# The code of each refusal of an image that was recalled, which a best-effort region does not tolerate.
IMAGE_RECALLED = "image_recalled"
_REJECTION = re.compile(r"AWS rejected (\S+):(?: |\Z)")
_ACCOUNT = re.compile("[0-9]{12}")
# The remedy for credentials that AWS does not accept.
CHECK_CREDENTIALS = "Check the credentials: profile, keys and session token, and whether they have expired."
# Characters of a message that is not the traceback of a bug: more than any of AWS's has.
_LONGEST = 2500
# Characters of a problem with an option: values without quotes, or with quotes in them, can be long.
_LONGEST_PROBLEM = 500
# Causes in a message about several failures. Invalid options are fixed all at once, before the next run.
_MOST_CAUSES = 5
_MOST_OPTIONS = 20
# Characters of a message: Ansible displays it as one line, of which terminals and logs may show 4,096.
_LONGEST_LIST = 3500
NOTHING_CHANGED = "This task changed nothing."
"""What the message of a task ends with that was refused."""
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
    call more than once, and an earlier one may have had an effect. With ``of_server``, the HTTP status says
    that a server has failed.
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
    of_server: bool = False

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
        consumer = find_rejected(self.message) if self.error_code == CONSUMER_REJECTED else None
        return consumer if consumer and _ACCOUNT.fullmatch(consumer) else None

    def sentence(self) -> str:
        """Return the region, the message and the remedy."""
        return f"{self.region}: {self.text()}" if self.region else self.text()

    def text(self) -> str:
        """Return the message and the remedy, without the region. AWS's message has its code.

        What is as long as no message of AWS is cut at its end, unless it is the traceback of a bug.
        """
        longest = len(self.message) if self.error_code == "unexpected_error" else _LONGEST
        message = shorten(self.message.rstrip(), longest)
        if self.source == "aws":
            message = with_code(message, self.error_code)
        return join_remedy(message, shorten(self.remedy, _LONGEST))

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

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to make it again in another process, from what it was made."""
        return type(self), (self.failures,), self.__dict__


class TargetFailed(Exception):
    """Work on one target failed. Other targets are not affected."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.sentence())

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to make it again in another process, from what it was made."""
        return type(self), (self.failure,), self.__dict__


def join_remedy(message: str, remedy: str) -> str:
    """Return the message and the remedy as sentences. Many of AWS's messages end without a full stop."""
    stop = "." if remedy and message and message[-1] not in ".!?:" else ""
    return f"{message}{stop} {remedy}".strip()


def _rejection_of(consumer: str) -> str:
    return f"AWS rejected {consumer}:"


def invalid_option(option: str, message: str, remedy: str, region: str | None = None) -> Failure:
    """Return a failure for an option whose value cannot be used. A long value in quotes is cut at its end."""
    message = shorten(shorten_quoted(message), _LONGEST_PROBLEM)
    return Failure(message=message, remedy=remedy, error_code="invalid_option", action=option, region=region)


def invalid_value(option: str, problem: str, remedy: str) -> Failure:
    """Return a failure for an option whose value cannot be used: ``problem`` follows the option's name."""
    return invalid_option(option, f"{option}: {problem}", remedy)


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


def find_rejected(message: str) -> str | None:
    """Return the consumer that AWS rejected, an account ID or an ARN; None if it is no such message."""
    rejection = _REJECTION.match(message)
    return rejection[1] if rejection else None


def sentences(failures: Iterable[Failure], rest: str = RESULT) -> tuple[str, ...]:
    """Return a text for each cause, with its regions and accounts.

    ``rest`` says where these are if they are too many to be named.
    """
    occurrences = (
        Occurrence(failure.text(), failure.region, find_rejected(failure.message) or failure.account_id)
        for failure in failures
    )
    return tuple(f"{cause.place}{cause.text}" for cause in find_causes(occurrences, rest))


def summary(failures: Iterable[Failure], rest: str = RESULT) -> str:
    """Return all failures as one message: a sentence for one cause, a list for several (``sentences``).

    ``rest`` says where the failures are that a long list leaves out.
    """
    all_failures = list(failures)
    is_about_options = all(failure.error_code == "invalid_option" for failure in all_failures)
    most = _MOST_OPTIONS if is_about_options else _MOST_CAUSES
    return list_problems(sentences(all_failures, rest), rest, most)


def list_problems(texts: Sequence[str], rest: str, most: int = _MOST_CAUSES) -> str:
    """Return texts about problems as one message: as many as fit, each whole, and the number of others."""
    if len(texts) < 2:
        return "".join(texts)
    items, further = list_items(texts, rest, most)
    number = f"{len(items)} of {len(texts):,}" if further else f"{len(items)}"
    return "\n".join([f"{number} problems:", *items, *further])


def list_items(texts: Sequence[str], rest: str, most: int = _MOST_CAUSES) -> tuple[list[str], list[str]]:
    """Return the first texts as items of a list, and the line that counts the others, if there are any."""
    items = [f"- {text}" for text in texts[:most]]
    lengths = accumulate(len(item) + 1 for item in items)
    # The first one is there even if it is a traceback.
    number = max(1, sum(length <= _LONGEST_LIST for length in lengths))
    left = len(texts) - number
    return items[:number], [f"{left:,} more in {rest}."] if left > 0 else []

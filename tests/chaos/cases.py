# SPDX-License-Identifier: GPL-3.0-or-later

"""All cases of a scenario, from the calls of its undisturbed run: what strikes, and what the run must do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulated_aws.http.record import RecordedCall
from simulated_aws.resource_arns import S3_ACTIONS

# What a run must do that is struck: succeed all the same, fail, or either, whichever is right for the call.
SURVIVE, FAIL, EITHER = "survive", "fail", "either"
# A call that AWS refuses for a reason that no retry helps.
_REFUSED = {"code": "OperationNotPermitted", "message": "Refused for good.", "status": 400}
# IAM User Guide, "Actions that cannot be denied": STS API Reference, GetCallerIdentity needs no permission.
_UNDENIABLE = frozenset({("sts", "GetCallerIdentity")})
_READ_BY_OTHERS = frozenset(
    {
        ("iam", "ListAccountAliases"),
        ("logs", "ListTagsLogGroup"),
        ("sns", "ListSubscriptionsByTopic"),
        ("sns", "ListTagsForResource"),
    }
)
"""What the modules of amazon.aws and community.aws in the role monitor do without, and do not name.

The role uses no alias and no tag. Without the subscriptions of the topic, sns_topic lists those of the
account.
"""
_BEFORE_THE_ANSWER = frozenset({("s3", "ListBucket")})
"""What is read only to refuse earlier: S3 answers PutObject for a bucket that does not exist with that."""
_PROVEN_BY_CONSUMERS = frozenset(
    (scenario, "kms", action)
    for scenario in ("diagnose", "verify")
    for action in ("DescribeKey", "GetKeyPolicy", "ListGrants")
)
"""What these scenarios need not read of the owner's keys: KMS allows the consumer's dry runs."""
_EXPIRED = {
    "ec2": {"code": "RequestExpired", "message": "Request has expired.", "status": 400},
    "kms": {"code": "ExpiredTokenException", "message": "The security token has expired", "status": 400},
    "s3": {"code": "ExpiredToken", "message": "The provided token has expired.", "status": 400},
    "ssm": {"code": "ExpiredTokenException", "message": "The security token has expired", "status": 400},
    "sts": {"code": "ExpiredToken", "message": "The security token has expired", "status": 403},
}
"""How services refuse expired credentials.

("Error codes for the Amazon EC2 API", RequestExpired; "Error responses" of S3, ExpiredToken; "Common errors"
of the others, ExpiredTokenException.)
"""
_SLOW_SECONDS = 60.0
"""How long an answer of a slow region takes: as long as botocore waits for one, before it repeats the call.

One answer of a run: if all were as slow, no call would be answered in time.
"""
# An hour of these runs: sessions end after one, and copies take two.
_HOUR_SECONDS = 30.0


@dataclass(frozen=True)
class Denied:
    """A denied action, and the regions in which the undisturbed run uses it."""

    service: str
    action: str
    regions: frozenset[str]


@dataclass(frozen=True)
class Failed:
    """A step of the run, in one region and account, whose calls all fail."""

    region: str
    account_id: str
    action: str


@dataclass(frozen=True)
class Case:
    """One case; ``id`` is ``scenario/family/which``.

    ``kill_at``: the process tree is killed before or after (``when``) the n-th call that changes something.
    ``faults`` and ``settings`` are those of the simulated AWS during the first run. ``twice``: a second
    process runs at the same time. ``failed``: the step that the other regions have to reach all the same.
    ``session``: the first run has credentials that expire.
    """

    scenario: str
    family: str
    which: str
    expected: str = EITHER
    kill_at: int = 0
    when: str = ""
    faults: Sequence[Mapping[str, Any]] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    twice: bool = False
    denied: Denied | None = None
    failed: Failed | None = None
    session: bool = False

    @property
    def id(self) -> str:
        """The name by which it can be selected."""
        return f"{self.scenario}/{self.family}/{self.which}"


def cases(scenario: str, calls: Sequence[RecordedCall], *, beside: bool = False) -> list[Case]:
    """All cases of a scenario whose undisturbed run made these calls."""
    if beside:
        return [Case(scenario, "beside", str(number)) for number in range(1, 6)]
    changes = [call for call in calls if call.changes]
    return [
        Case(scenario, "undisturbed", "again", SURVIVE),
        *_kills(scenario, len(changes)),
        *_once(scenario, len(changes)),
        *_denials(scenario, calls),
        *_regions(scenario, calls),
        *_expiries(scenario, calls),
        *_weather(scenario, calls),
    ]


def _kills(scenario: str, number: int) -> Iterator[Case]:
    for nth in range(1, number + 1):
        for when in ("before", "after"):
            yield Case(scenario, "kill", f"{when}-{nth:02}", kill_at=nth, when=when)


def _once(scenario: str, number: int) -> Iterator[Case]:
    """Each call that changes something fails once, in a way that a retry helps."""
    strikes: dict[str, dict[str, Any]] = {
        "drop": {"kind": "drop", "when": "after"},
        "page": {"kind": "page", "status": 503},
        "throttled": {
            "kind": "error",
            "code": "RequestLimitExceeded",
            "message": "Request limit exceeded.",
            "status": 503,
        },
    }
    for family, strike in strikes.items():
        for nth in range(1, number + 1):
            fault = {**strike, "changes": True, "after": nth - 1}
            yield Case(scenario, family, f"{nth:02}", SURVIVE, faults=[fault])


def _denials(scenario: str, calls: Sequence[RecordedCall]) -> Iterator[Case]:
    used = sorted({(call.account_id, call.service, call.action) for call in calls})
    for account_id, service, action in used:
        if (service, action) in _UNDENIABLE:
            continue
        regions = {
            call.region
            for call in calls
            if (call.account_id, call.service, call.action) == (account_id, service, action)
        }
        fault = {
            "kind": "denied",
            "service": service,
            "action": action,
            "account_id": account_id,
            "times": 0,
        }
        is_proven = (scenario, service, action) in _PROVEN_BY_CONSUMERS and account_id == calls[0].account_id
        operation = _operation(service, action)
        is_needless = (service, operation) in _READ_BY_OTHERS | _BEFORE_THE_ANSWER
        names = not is_needless and not is_proven
        denied = Denied(service, operation, frozenset(regions)) if names else None
        which = f"{account_id}-{service}-{operation}"
        if service == "s3":
            which += f"-{action.rpartition('/')[2]}"
        yield Case(scenario, "denied", which, faults=[fault], denied=denied)


def _operation(service: str, action: str) -> str:
    """An action of a record as policies name it: ListRules for POST /list-rules, PutObject for PUT /b/key."""
    if service == "s3":
        method, _, path = action.partition(" ")
        return S3_ACTIONS[method, "/" in path.removeprefix("/")]
    return "".join(part[:1].upper() + part[1:] for part in action.rpartition("/")[2].split("-"))


def _regions(scenario: str, calls: Sequence[RecordedCall]) -> Iterator[Case]:
    # A bucket's objects are not a step in a region.
    steps = sorted(
        {
            (call.region, call.account_id, call.service, call.action)
            for call in calls
            if call.changes and call.service != "s3"
        }
    )
    first = calls[0].account_id if calls else ""
    for region, account_id, service, action in steps:
        fault = {
            **_REFUSED,
            "kind": "error",
            "service": service,
            "action": action,
            "region": region,
            "account_id": account_id,
            "times": 0,
        }
        failed = Failed(region, account_id, action)
        which = f"{region}-{action}" if account_id == first else f"{region}-{account_id}-{action}"
        yield Case(scenario, "region", which, FAIL, faults=[fault], failed=failed)
    for region in sorted({region for region, *_step in steps}):
        fault = {"kind": "error", "service": "ec2", "region": region, "times": 0, **_REFUSED}
        yield Case(scenario, "region", f"{region}-all", EITHER, faults=[fault])


def _expiries(scenario: str, calls: Sequence[RecordedCall]) -> Iterator[Case]:
    """The credentials expire before the first call that changes something, in the middle, before the last.

    Or they are those of a session of an hour, while a copy takes two.
    """
    places = [number for number, call in enumerate(calls) if call.changes]
    for which, place in zip(
        ("first", "middle", "last"), (places[:1], _middle(places), places[-1:]), strict=True
    ):
        for at in place:
            yield Case(scenario, "expire", which, faults=_expired(calls[:at]))
    if any(call.action == "CopyImage" for call in calls):
        hours = {"session_seconds_factor": _HOUR_SECONDS / 3600, "copy_seconds": 2 * _HOUR_SECONDS}
        yield Case(scenario, "expire", "two-hour-copy", FAIL, settings=hours, session=True)


def _middle(places: Sequence[int]) -> Sequence[int]:
    return places[len(places) // 2 :][:1]


def _expired(before: Sequence[RecordedCall]) -> list[dict[str, Any]]:
    return [
        {
            "kind": "error",
            "service": service,
            "after": sum(call.service == service for call in before),
            "times": 0,
            **error,
        }
        for service, error in _EXPIRED.items()
    ]


def _weather(scenario: str, calls: Sequence[RecordedCall]) -> Iterator[Case]:
    for seconds in (2.0, 20.0):
        yield Case(scenario, "lag", f"{seconds:.0f}s", settings=_lag(seconds))
    yield Case(scenario, "rate", "tenth", SURVIVE, settings={"request_rate_factor": 0.1})
    for region in sorted({call.region for call in calls if call.changes}):
        slow = {"kind": "delay", "region": region, "seconds": _SLOW_SECONDS}
        yield Case(scenario, "slow", f"{region}-first", SURVIVE, faults=[slow])
        yield Case(scenario, "slow", f"{region}-change", SURVIVE, faults=[{**slow, "changes": True}])
    # Both have read everything before either changes something.
    yield Case(scenario, "twice", "together", twice=True, kill_at=2, when="before")
    yield Case(scenario, "twice", "loose", twice=True)


def _lag(seconds: float) -> dict[str, float]:
    settings = ("image_visible", "launch_permissions_visible", "volume_permissions_visible")
    of_keys = ("grant_listed", "grant_usable", "key_policy_visible")
    return {f"{one}_after_seconds": seconds for one in (*settings, *of_keys)}

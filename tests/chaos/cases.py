# SPDX-License-Identifier: GPL-3.0-or-later

"""All cases of a scenario, from the calls of its undisturbed run: what strikes, and what the run must do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session

from simulated_aws.http.record import RecordedCall
from simulated_aws.http.throttling import bucket
from simulated_aws.resource_arns import S3_ACTIONS

# What a run must do that is struck: succeed all the same, fail, or either, whichever is right for the call.
# Whenever it succeeds, the world has to be that of an undisturbed run.
SURVIVE, FAIL, EITHER = "survive", "fail", "either"
UNDISTURBED = "undisturbed"
"""The family of the case in which nothing strikes: its second run has nothing left to do."""
# A call that AWS refuses for a reason that no retry helps.
_REFUSED = {"code": "OperationNotPermitted", "message": "Refused for good.", "status": 400}
# IAM User Guide, "Actions that cannot be denied": STS API Reference, GetCallerIdentity needs no permission.
_UNDENIABLE = frozenset({("sts", "GetCallerIdentity")})
_READ_BY_OTHERS = frozenset(
    {
        ("iam", "ListAccountAliases"),
        ("logs", "ListTagsLogGroup"),
        ("sns", "ListTagsForResource"),
    }
)
"""What the modules of amazon.aws and community.aws in the role monitor do without, and do not name.

The role uses no alias and no tag.
"""
_BEFORE_THE_ANSWER = "HEAD /"
"""What is read only to refuse earlier: S3 answers PutObject for a bucket that does not exist with that."""
_NOT_REQUIRED = frozenset({("failed-copy", "DeregisterImage")})
"""What a run leaves undone with a warning if it cannot do it: to remove a failed copy that it has replaced.

(docs/how-it-works.md, docs/iam/README.md.)
"""
_PROVEN_BY_CONSUMERS = frozenset(
    (scenario, "kms", action)
    for scenario in ("diagnose", "verify")
    for action in ("DescribeKey", "GetKeyPolicy", "ListGrants")
)
"""What these scenarios need not read of the owner's keys: KMS allows the consumer's dry runs."""
_ONLY_FOR_DELETIONS = frozenset(
    (scenario, service, action)
    for scenario in ("deprecate", "disable", "request-reports")
    for service, action in (
        ("ec2", "DescribeLockedSnapshots"),
        ("ec2", "DescribeSnapshotTierStatus"),
        ("ec2", "DescribeSnapshots"),
        ("ec2", "ListImagesInRecycleBin"),
        ("rbin", "ListRules"),
    )
)
"""What a cleanup need not read unless it deletes."""
_NO_MATTER = frozenset(
    {
        # Only the permissions of what is retired are needed, and the report takes the place of the account.
        ("request-reports", "ec2", "DescribeSnapshotAttribute"),
        ("request-reports", "sts", "AssumeRole"),
        # They show until when an image can be restored.
        ("orphans", "rbin", "ListRules"),
        # The tags of images in the Recycle Bin: tombstones have them, too.
        ("restore", "ec2", "DescribeTags"),
        ("restore-public", "ec2", "DescribeTags"),
        # To delete a topic, community.aws.sns_topic lists all subscriptions instead.
        ("monitor-absent", "sns", "ListSubscriptionsByTopic"),
    }
)
"""What these scenarios read, and nothing depends on it."""
_IN_ONE_REGION = frozenset({("disable", "PutParameter")})
"""Tombstones of all regions, which are written to the default region: without them nothing is disabled."""
_OPENING = frozenset({"enable-public", "public", "restore-public"})
"""The scenarios that make something public: each of their calls is refused in turn."""
UNMARKED = frozenset({("restore-public", "CreateTags")})
"""Calls without which an image that a run has made private again stays so.

Only the tag shows a rerun that an image from the Recycle Bin was public (docs/restoring.md).
"""
_ONE_AT_A_TIME = frozenset({"recall"})
"""Scenarios of which one run at a time changes anything: the other one fails before that, and says so."""
_BOTH_FAIL = frozenset({"recall-back"})
"""Scenarios of which two runs at once can both fail, each because of what the other one has put.

Nothing is lost then, and a rerun completes them (docs/recalling.md, "The tombstone").
"""
MEETING = frozenset({"recall-back-beside", "recall-beside"})
"""Scenarios of two commands that put versions of one parameter.

Each can fail because of what the other one has put, and a rerun completes it (docs/recalling.md).
"""
_HELD_SECONDS = 4.0
"""Step by which the first of these versions is put later from case to case."""
_LAG = (
    "image_visible_after_seconds",
    "image_settles_after_seconds",
    "deregistered_image_known_seconds",
    "snapshot_in_use_seconds",
    "launch_permissions_visible_after_seconds",
    "volume_permissions_visible_after_seconds",
    "permissions_reach_accounts_after_seconds",
    "grant_listed_after_seconds",
    "grant_usable_after_seconds",
    "key_policy_visible_after_seconds",
    "parameter_validation_seconds",
)
"""The settings for how long reads show an earlier state."""
_SHORT_LAG_SECONDS = 2.0
"""Reads that lag behind for so long are AWS's everyday: no run may fail of them."""
_UNIQUE_ID_SECONDS = 60.0
"""How long KMS shows a new role by its unique ID (aws/aws-sdk-go#1718). The roles are older than the lag."""
_LAGGING = frozenset({"ec2", "kms", "ssm"})
"""The services with such settings."""
_RATES = (0.1, 0.03, 0.01)
"""Factors of AWS's request rates. The calls of most scenarios fit into a tenth of a bucket."""
_EXPIRED = r"RequestExpired|ExpiredToken"
"""The error codes of services for expired credentials."""
NOT_OF_A_REGION = frozenset({"s3", "sts"})
"""Services that are called in a region of their own choice, not in that in which the work is done."""
OF_ALL_REGIONS = frozenset({"DescribeRegions"})
"""Operations that return the same in each region, so that a failure in one says nothing of it."""
_PREFIXES = {"monitoring": "cloudwatch"}
"""Signing names of services that differ from the prefix of their actions in policies."""
_SLOW_SECONDS = 60.0
"""How long an answer of a slow region takes: as long as botocore waits for one, before it repeats the call.

One answer of a run: if all were as slow, no call would be answered in time.
"""
_LATE_SECONDS = 5.0
"""Time in which a run reads the version that it has put, or labels it."""
_WAITS = {"refresh": ("StartInstanceRefresh", "DescribeInstanceRefreshes", {"instance_refresh_seconds": 8.0})}
"""Scenarios that wait for what a call has started: the call, the reads of it, and how long it then takes."""
# An hour of these runs: sessions end after one, and copies take two.
_HOUR_SECONDS = 30.0


@dataclass(frozen=True)
class Denied:
    """A denied action."""

    service: str
    action: str


@dataclass(frozen=True)
class Failed:
    """A step of the run, in one region and account, whose calls all fail."""

    region: str
    account_id: str
    action: str


@dataclass(frozen=True)
class Case:
    """One case; ``id`` is ``scenario/family/which``.

    ``kill_at``: the process tree is killed before or after (``when``) the n-th call that changes something,
    or of the operation ``kill_action``.
    ``faults`` and ``settings`` are those of the simulated AWS during the first run; one of the faults at
    least has to strike. ``twice``: a second process runs at the same time; ``together``: neither changes
    anything before the other one has read everything. With ``faults``, the call that they freeze waits for
    one of each process that they hold up, and each fault has to strike. ``failed``: the step that the other
    regions have to reach all the same. ``says``: what a failure must say, as a regular expression.
    ``session``: the first run has credentials that expire. ``throttled``: a call of the run has to be
    throttled. ``is_left``: a run that succeeds leaves undone what the fault strikes. ``lag``: seconds for
    which reads show an earlier state of what a run has changed, but not of the world that it finds.
    """

    scenario: str
    family: str
    which: str
    expected: str = EITHER
    kill_at: int = 0
    when: str = ""
    kill_action: str = ""
    faults: Sequence[Mapping[str, Any]] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    twice: bool = False
    together: bool = False
    denied: Denied | None = None
    failed: Failed | None = None
    says: str = ""
    session: bool = False
    throttled: bool = False
    is_left: bool = False
    lag: float = 0.0

    @property
    def id(self) -> str:
        """The name by which it can be selected."""
        return f"{self.scenario}/{self.family}/{self.which}"


def cases(scenario: str, calls: Sequence[RecordedCall], *, beside: bool = False) -> list[Case]:
    """All cases of a scenario whose undisturbed run made these calls."""
    if beside:
        return [*_beside(scenario)]
    changes = [call for call in calls if call.changes]
    return [
        Case(scenario, UNDISTURBED, "again", SURVIVE),
        *_kills(scenario, len(changes)),
        *_kills_of_waits(scenario, calls),
        *_once(scenario, len(changes)),
        *_refusals(scenario, len(changes)),
        *_denials(scenario, calls),
        *_regions(scenario, calls),
        *_expiries(scenario, calls),
        *_weather(scenario, calls),
    ]


def _beside(scenario: str) -> Iterator[Case]:
    """Two commands at the same time, several times."""
    for number in range(1, 6):
        if scenario in MEETING:
            late = {"kind": "delay", "action": "PutParameter", "seconds": number * _HELD_SECONDS}
            yield Case(scenario, "beside", str(number), faults=[late])
        else:
            yield Case(scenario, "beside", str(number), SURVIVE)


def _kills(scenario: str, number: int) -> Iterator[Case]:
    for nth in range(1, number + 1):
        for when in ("before", "after"):
            yield Case(scenario, "kill", f"{when}-{nth:02}", kill_at=nth, when=when)


def _kills_of_waits(scenario: str, calls: Sequence[RecordedCall]) -> Iterator[Case]:
    """The process tree is killed at the first reads of what it waits for, which goes on without it."""
    if scenario not in _WAITS:
        return
    started, read, settings = _WAITS[scenario]
    first = next(number for number, call in enumerate(calls) if call.action == started)
    before = sum(call.action == read for call in calls[:first])
    for nth in (1, 2):
        yield Case(
            scenario,
            "kill",
            f"waiting-{nth:02}",
            kill_at=before + nth,
            when="after",
            kill_action=read,
            settings=settings,
        )


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


def _refusals(scenario: str, number: int) -> Iterator[Case]:
    """Each call that changes something is refused: alone, or with all that come after it."""
    if scenario not in _OPENING:
        return
    for nth in range(1, number + 1):
        fault = {**_REFUSED, "kind": "error", "changes": True, "after": nth - 1}
        yield Case(scenario, "refused", f"{nth:02}", FAIL, faults=[fault])
        yield Case(scenario, "refused", f"{nth:02}-and-later", FAIL, faults=[{**fault, "times": 0}])


def _denials(scenario: str, calls: Sequence[RecordedCall]) -> Iterator[Case]:
    used = sorted({(call.account_id, call.service, _action(call)) for call in calls})
    for account_id, service, action in used:
        if (service, action) in _UNDENIABLE:
            continue
        fault = {
            "kind": "denied",
            "service": service,
            "action": action,
            "account_id": account_id,
            "times": 0,
        }
        is_proven = (scenario, service, action) in _PROVEN_BY_CONSUMERS and account_id == calls[0].account_id
        operation = operation_of(service, action)
        is_needless = (service, operation) in _READ_BY_OTHERS or action.startswith(_BEFORE_THE_ANSWER)
        is_other = (scenario, service, operation) in _ONLY_FOR_DELETIONS | _NO_MATTER
        names = not is_needless and not is_proven and not is_other
        denied = Denied(prefix_of(service), operation) if names else None
        which = f"{account_id}-{service}-{operation}"
        if action.startswith(_BEFORE_THE_ANSWER):
            which += "-before"
        expected = EITHER if names else SURVIVE
        is_left = (scenario, operation) in _NOT_REQUIRED
        yield Case(scenario, "denied", which, expected, faults=[fault], denied=denied, is_left=is_left)


def _action(call: RecordedCall) -> str:
    """The action by which a fault selects the call in each run: the names of objects hold IDs and times."""
    method, _, path = call.action.partition(" /")
    bucket_name, is_object, _name = path.partition("/")
    return f"{method} /{bucket_name}/*" if call.service == "s3" and is_object else call.action


def operations(calls: Iterable[RecordedCall]) -> frozenset[str]:
    """The operations that change something and succeeded, such as ec2:CopyImage."""
    return frozenset(
        f"{prefix_of(call.service)}:{operation_of(call.service, call.action)}"
        for call in calls
        if call.changes and call.status == 200
    )


def prefix_of(service: str) -> str:
    """The prefix of a service's actions in policies."""
    return _PREFIXES.get(service, service)


def operation_of(service: str, action: str) -> str:
    """An action of a record as policies name it: ListRules for POST /list-rules, PutObject for PUT /b/key."""
    if service == "s3":
        method, _, path = action.partition(" ")
        return S3_ACTIONS[method, "/" in path.removeprefix("/")]
    if service == "ram":
        return _operations_of_ram()[action.rpartition("/")[2]]
    return "".join(part[:1].upper() + part[1:] for part in action.rpartition("/")[2].split("-"))


@cache
def _operations_of_ram() -> dict[str, str]:
    """The operations of AWS RAM by their paths, which have no hyphens."""
    names = botocore.session.get_session().get_service_model("ram").operation_names
    return {name.lower(): name for name in names}


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
        operation = operation_of(service, action)
        failed = Failed(region, account_id, operation)
        which = f"{region}-{operation}" if account_id == first else f"{region}-{account_id}-{operation}"
        if (scenario, action) in _NOT_REQUIRED:
            says = re.escape(region)
            yield Case(scenario, "region", which, SURVIVE, faults=[fault], says=says, is_left=True)
        elif (scenario, action) in _IN_ONE_REGION:
            yield Case(scenario, "region", which, FAIL, faults=[fault], says=re.escape(region))
        else:
            yield Case(scenario, "region", which, FAIL, faults=[fault], failed=failed)
    for region in sorted({region for region, *_step in steps}):
        services = sorted({call.service for call in calls if call.region == region} - NOT_OF_A_REGION)
        faults = [
            {"kind": "error", "service": service, "region": region, "times": 0, **_REFUSED}
            for service in services
        ]
        yield Case(scenario, "region", f"{region}-all", FAIL, faults=faults, says=re.escape(region))


def _expiries(scenario: str, calls: Sequence[RecordedCall]) -> Iterator[Case]:
    """The credentials expire before the first call that changes something, in the middle, before the last.

    Or they are those of a session of an hour, while a copy takes two.
    """
    places = [number for number, call in enumerate(calls) if call.changes]
    for which, place in zip(
        ("first", "middle", "last"), (places[:1], _middle(places), places[-1:]), strict=True
    ):
        for at in place:
            yield Case(scenario, "expire", which, FAIL, faults=_expired(calls[:at]), says=_EXPIRED)
    if any(call.action == "CopyImage" for call in calls):
        hours = {"session_seconds_factor": _HOUR_SECONDS / 3600, "copy_seconds": 2 * _HOUR_SECONDS}
        yield Case(scenario, "expire", "two-hour-copy", FAIL, settings=hours, says=_EXPIRED, session=True)


def _middle(places: Sequence[int]) -> Sequence[int]:
    return places[len(places) // 2 :][:1]


def _expired(before: Sequence[RecordedCall]) -> list[dict[str, Any]]:
    """All calls fail from this one on; at the latest from the change that it is.

    Threads and polls make the number of the calls before it vary, but not that of the changes.
    """
    fault = {"kind": "expired", "times": 0}
    changes = sum(call.changes for call in before)
    return [{**fault, "changes": True, "after": changes}, {**fault, "after": len(before)}]


def _weather(scenario: str, calls: Sequence[RecordedCall]) -> Iterator[Case]:
    if any(call.changes and call.service in _LAGGING for call in calls):
        for seconds in (_SHORT_LAG_SECONDS, 20.0):
            settings = dict.fromkeys(_LAG, seconds) | {"new_grantee_by_unique_id_seconds": _UNIQUE_ID_SECONDS}
            expected = SURVIVE if seconds == _SHORT_LAG_SECONDS else EITHER
            yield Case(scenario, "lag", f"{seconds:.0f}s", expected, settings=settings, lag=seconds)
    for rate in [one for one in _RATES if _is_throttled(calls, one)][:1]:
        settings = {"request_rate_factor": rate}
        yield Case(scenario, "rate", f"{rate:g}", SURVIVE, settings=settings, throttled=True)
    for region in sorted({call.region for call in calls if call.changes}):
        slow = {"kind": "delay", "when": "after", "region": region, "seconds": _SLOW_SECONDS}
        yield Case(scenario, "slow", f"{region}-first", SURVIVE, faults=[slow])
        yield Case(scenario, "slow", f"{region}-change", SURVIVE, faults=[{**slow, "changes": True}])
    if scenario in _BOTH_FAIL:
        return
    if any(call.changes for call in calls):
        yield Case(scenario, "twice", "together", twice=True, together=True)
    yield Case(scenario, "twice", "loose", twice=True)
    labels = {(call.account_id, call.region) for call in calls if call.action == "LabelParameterVersion"}
    for account_id, region in sorted(labels)[:1] if scenario not in _ONE_AT_A_TIME else []:
        faults = _late_label(account_id, region)
        yield Case(scenario, "twice", "late-label", SURVIVE, faults=faults, twice=True, together=True)


def _late_label(account_id: str, region: str) -> list[dict[str, Any]]:
    """Of two runs that put a version each, the one with the older version labels it last.

    The first put is held up until the second run makes its own, so that both have read the same parameter.
    The second put is held up until the first run has read its version.
    """
    where = {"service": "ssm", "account_id": account_id, "region": region, "when": "before"}
    return [
        {**where, "kind": "freeze", "action": "PutParameter"},
        {**where, "kind": "delay", "action": "PutParameter", "after": 1, "seconds": _LATE_SECONDS},
        {**where, "kind": "delay", "action": "LabelParameterVersion", "seconds": 2 * _LATE_SECONDS},
    ]


def _is_throttled(calls: Sequence[RecordedCall], factor: float) -> bool:
    """Whether these calls exceed the request rates by far: they would if they took four times as long."""
    begun = min((call.time for call in calls), default=0.0)
    tokens: dict[tuple[str, ...], tuple[float, float]] = {}
    for call in calls:
        found = bucket(call.service, call.action, call.parameters)
        if found is None:
            continue
        now, rate = 4 * (call.time - begun), found[1].scaled(factor)
        key = (call.account_id, call.region, call.service, found[0])
        left, since = tokens.get(key, (rate.size, now))
        left = min(rate.size, left + (now - since) * rate.per_second) - 1
        if left < 0:
            return True
        tokens[key] = (left, now)
    return False

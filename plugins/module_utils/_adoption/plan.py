# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges every use by the release of its image, and decides the findings and the failures of the task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from .._failures import Failure
from .._finding import Finding
from .._listing import count, join_texts
from .._model import Target
from .._plan import PlanWithoutTargets
from . import causes
from .options import AdoptionOptions
from .releases import DEPRECATED, DEREGISTERED, DISABLED, RECALLED
from .state import (
    ASSUME_ROLE,
    INSTANCE,
    OF_RELEASE,
    OF_SOME_VERSION,
    OTHER,
    REPORTED_INSTANCE,
    UNKNOWN_ORIGIN,
    UNKNOWN_RELEASE,
    USAGE_REPORTS,
    AdoptionState,
    ImageUse,
    Release,
    Use,
    name_no_use,
)
from .usage_reports import REQUEST, list_pending, list_requests

# Uses that a finding names; the report has all of them.
_NAMED = 3
_SEVERE = ("CRITICAL", "HIGH")
_SOME_VERSION = " Some version names it: usage reports do not tell whether launches take that version."


@dataclass(frozen=True)
class JudgedUse:
    """A use in an account and a region, and how it compares with the releases of its family.

    ``behind`` is the number of newer releases that can be launched, ``behind_since`` the creation of the
    first of these. ``withdrawn`` is why its image or release should not be launched, else empty. ``denied``
    is whether ``deny_images`` names it.
    """

    target: Target
    use: Use
    behind: int = 0
    behind_since: datetime | None = None
    withdrawn: str = ""
    denied_by: tuple[str, ...] = ()

    @property
    def release(self) -> Release | None:
        """Return the release, None if it is not known."""
        return self.use.release

    @property
    def image_use(self) -> ImageUse:
        """Return the uses of the image."""
        return self.use.use

    @property
    def number(self) -> int:
        """Return the number of uses."""
        return self.image_use.number

    @property
    def denied(self) -> bool:
        """Whether ``deny_images`` names the image, or one that it was copied or made from."""
        return bool(self.denied_by)

    @property
    def is_current(self) -> bool:
        """Whether the image is one of the newest release that can be launched, and nothing is against it."""
        return self.use.standing == OF_RELEASE and not (self.behind or self.withdrawn or self.denied)

    @property
    def is_counted(self) -> bool:
        """Whether the use is of a family that the task is about, or may be."""
        return self.use.standing != OTHER or self.denied

    @property
    def is_behind(self) -> bool:
        """Whether the use is known to be of another release than the current one, or is denied."""
        is_other = self.denied or (self.use.standing == OF_RELEASE and not self.is_current)
        return is_other and not self.is_of_some_version

    @property
    def is_unknown(self) -> bool:
        """Whether it cannot be told which release it is of."""
        may_be_old = self.is_of_some_version and self.is_counted and not self.is_current
        return self.has_unknown_image or may_be_old

    @property
    def has_unknown_image(self) -> bool:
        """Whether it cannot be told which release the image is of."""
        return self.use.standing in (UNKNOWN_RELEASE, UNKNOWN_ORIGIN) and not self.denied

    @property
    def is_of_some_version(self) -> bool:
        """Whether only some version of what uses the image names it, so that launches may not take it."""
        return self.image_use.kind in OF_SOME_VERSION


@dataclass(frozen=True, kw_only=True)
class AdoptionPlan(PlanWithoutTargets):
    """What every use was judged to be, and the findings. The actions request usage reports."""

    judged: tuple[JudgedUse, ...] = ()
    findings: tuple[Finding, ...] = ()


def plan(options: AdoptionOptions, current: AdoptionState) -> AdoptionPlan:
    """Judge every use, and plan the requests of the usage reports that lack.

    What these will show is judged once they are there.
    """
    judged = judge_all(options, current)
    if options.depth != USAGE_REPORTS:
        return judged
    unread = {failure.region for failure in current.report_failures if failure.action != REQUEST}
    requests = tuple(
        action
        for action in list_requests(current.catalog, current.reports, current.now)
        if action.target.region not in unread
    )
    if options.check_mode or not (requests or list_pending(current.catalog, current.reports)):
        return replace(judged, actions=requests)
    return replace(judged, actions=requests, failures=())


def judge_all(options: AdoptionOptions, current: AdoptionState) -> AdoptionPlan:
    """Judge every use of every account and region, and list what could not be read."""
    judged = tuple(
        judge(options, current, target, use)
        for target, look in sorted(current.looks.items(), key=lambda item: item[0])
        for use in look.uses
    )
    unread = tuple(_list_unread(current))
    findings = tuple(
        sorted(
            (
                *_find_unread(current, unread),
                *_find(options, current, judged),
            ),
            key=lambda finding: finding.order,
        )
    )
    selected = (
        finding.as_failure("fail_on")
        for finding in findings
        if options.fail_on is not None
        and finding.severity >= options.fail_on
        and finding.code != causes.UNREADABLE.code
    )
    return AdoptionPlan(judged=judged, findings=findings, failures=(*unread, *selected))


def judge(options: AdoptionOptions, current: AdoptionState, target: Target, use: Use) -> JudgedUse:
    """Compare a use with the releases of its family."""
    catalog, release = current.catalog, use.release
    denied_by = _list_denying(options, current, use)
    if release is None:
        return JudgedUse(target, use, denied_by=denied_by)
    newer = catalog.newer(release)
    dates = [other.created for other in newer if other.created is not None]
    withdrawn = _find_withdrawal(current, use, release)
    is_open = not newer and not withdrawn and catalog.lacks_order(release)
    return JudgedUse(
        target,
        replace(use, standing=UNKNOWN_RELEASE) if is_open else use,
        behind=len(newer),
        behind_since=min(dates, default=None),
        withdrawn=withdrawn,
        denied_by=denied_by,
    )


def _list_denying(options: AdoptionOptions, current: AdoptionState, use: Use) -> tuple[str, ...]:
    """Return the IDs in ``deny_images`` of the image, its release, or what it was copied or made from."""
    image, release = use.use.image, use.release
    links = {image.ref, *use.chain, *((release.ref, *release.images) if release else ())}
    named = {*(link.image_id for link in links), *(mark.source_image_id for mark in image.watermarks)}
    named.update(image_id for link in links for image_id in current.catalog.denied.get(link, ()))
    return tuple(image_id for image_id in options.deny_images if image_id in named)


def _find_withdrawal(current: AdoptionState, use: Use, release: Release) -> str:
    """Return why the image should not be launched: it, or all images of its release."""
    image = use.use.image
    if release.withdrawn == RECALLED:
        return RECALLED
    if image.ref in current.catalog.own:
        return current.catalog.withdrawn.get(image.ref, "") or release.withdrawn
    if image.state in (DEREGISTERED, DISABLED):
        return image.state
    if image.deprecated is not None and image.deprecated <= current.now:
        return DEPRECATED
    # The owner's images in this region were read: a source that is not among them is gone.
    if not image.state and image.ref in current.catalog.release_of:
        return DEREGISTERED
    return release.withdrawn


def _list_unread(current: AdoptionState) -> Iterator[Failure]:
    """Yield why accounts and regions were not read; that a role cannot be assumed once for an account.

    That reports lack in a region is one failure, whatever the number of accounts.
    """
    refused: set[str | None] = set()
    unread = [failure for _target, failure in sorted(current.unread.items(), key=lambda item: item[0])]
    looks = [look for _target, look in sorted(current.looks.items(), key=lambda item: item[0])]
    of_looks = (failure for look in looks for failure in look.failures)
    for failure in dict.fromkeys((*current.report_failures, *unread, *of_looks)):
        if failure.action != ASSUME_ROLE:
            yield failure
        elif failure.account_id not in refused:
            refused.add(failure.account_id)
            yield replace(failure, region=None)


def _find_unread(current: AdoptionState, failures: Iterable[Failure]) -> Iterator[Finding]:
    for failure in failures:
        where = f" in {failure.region}" if failure.region else ""
        if failure in current.report_failures:
            who = "the accounts use"
        else:
            who = f"account {failure.account_id} uses"
        yield causes.UNREADABLE.finding(
            Target(failure.account_id or "", failure.region or ""),
            f"What {who}{where} could not be read: {failure.error_code}: {failure.message}",
            failure.remedy,
            failure.action,
        )


class _Reason(NamedTuple):
    """Why a use is a finding: ``image`` is what it is of, ``text`` what is wrong with that."""

    cause: causes.Cause
    image: str
    text: str


def _find(options: AdoptionOptions, current: AdoptionState, judged: Iterable[JudgedUse]) -> Iterator[Finding]:
    """Yield the findings about uses: one for each account, release and reason, whatever the regions."""
    groups: dict[tuple[str, _Reason], list[JudgedUse]] = defaultdict(list)
    for use in judged:
        for reason in _list_reasons(options, current, use):
            groups[use.target.account_id, reason].append(use)
    for (account_id, reason), uses in groups.items():
        regions = sorted({use.target.region for use in uses})
        where = regions[0] if len(regions) == 1 else count(len(regions), "region")
        is_compared = uses[0].release is not None and not uses[0].has_unknown_image
        remedy = _remedy(options, current, uses, regions) if is_compared else reason.cause.remedy
        finding = reason.cause.finding(
            Target(account_id, regions[0] if len(regions) == 1 else ""),
            f"Account {account_id} in {where}: {_describe(uses)} of {reason.image}, {reason.text}"
            f"{_SOME_VERSION if any(use.is_of_some_version for use in uses) else ''}",
            remedy,
            image_id=uses[0].image_use.image.ref.image_id,
        )
        may_be_denied = bool(options.deny_images) and reason.cause in (causes.UNKNOWN, causes.UNKNOWN_ORIGIN)
        yield replace(finding, severity=causes.DENIED_IMAGE.severity) if may_be_denied else finding


def _describe(uses: Iterable[JudgedUse]) -> str:
    """Return what uses an image, for a message: ``3 instances (i-1, i-2, i-3), 1 fleet (fleet-1)``."""
    numbers: dict[str, int] = defaultdict(int)
    names: dict[str, list[str]] = defaultdict(list)
    for use in uses:
        numbers[use.image_use.kind] += use.number
        names[use.image_use.kind] += use.image_use.names
    return ", ".join(
        count(number, kind.replace("_", " "))
        + (f" ({join_texts(names[kind], _NAMED)})" if names[kind] else "")
        for kind, number in numbers.items()
    )


def _list_reasons(options: AdoptionOptions, current: AdoptionState, judged: JudgedUse) -> Iterator[_Reason]:
    """Yield the reasons for findings about a use."""
    image, release = judged.image_use.image, judged.release
    name = f"{image.ref.image_id}{f' ({image.name})' if image.name else ''}"
    if judged.denied:
        yield _Reason(causes.DENIED_IMAGE, release.label if release else name, _explain_denial(judged))
    if release is not None:
        label = f"{release.label} of the family {release.family}"
        for cause, text in _list_reasons_of_release(options, current, judged, release):
            yield _Reason(cause, label, text)
        if judged.has_unknown_image:
            yield _Reason(
                causes.UNKNOWN, label, "whose releases have no dates: nothing tells which one is current."
            )
    elif judged.has_unknown_image:
        is_owners = judged.use.standing == UNKNOWN_RELEASE
        cause = causes.UNKNOWN if is_owners else causes.UNKNOWN_ORIGIN
        yield _Reason(cause, name, "whose release is not known.")


def _explain_denial(judged: JudgedUse) -> str:
    """Return whether ``deny_images`` names the image or its release, or something that it comes from."""
    release = judged.release
    refs = (judged.image_use.image.ref, *((release.ref, *release.images) if release else ()))
    if {ref.image_id for ref in refs} & {*judged.denied_by}:
        return "which deny_images names."
    return f"which was copied or made from {join_texts(judged.denied_by, _NAMED)}, which deny_images names."


def find_fault(options: AdoptionOptions, current: AdoptionState, release: Release) -> str:
    """Return why nobody should change to a release: ``is denied``, for example; empty if nothing is."""
    refs = (release.ref, *release.images)
    if any(ref in current.catalog.denied or ref.image_id in options.deny_images for ref in refs):
        return "is denied"
    return "has findings of Amazon Inspector" if release.severity in _SEVERE else ""


def _list_reasons_of_release(
    options: AdoptionOptions, current: AdoptionState, judged: JudgedUse, release: Release
) -> Iterator[tuple[causes.Cause, str]]:
    if judged.withdrawn:
        is_recalled = judged.withdrawn == RECALLED
        yield (
            causes.RECALLED if is_recalled else causes.WITHDRAWN,
            f"which {'was' if is_recalled else 'is'} {judged.withdrawn}.",
        )
    if release.severity in _SEVERE:
        severity = release.severity.lower()
        yield causes.VULNERABLE, f"in which Amazon Inspector has found something of the severity {severity}."
    limit = options.max_releases_behind
    if limit is not None and judged.behind > limit:
        yield (
            causes.TOO_FAR_BEHIND,
            f"which {count(judged.behind, 'newer release')} followed (max_releases_behind: {limit}).",
        )
    days = options.max_age_days
    if days is not None and release.created and release.created < current.now - timedelta(days=days):
        yield causes.TOO_OLD, f"created on {release.created:%Y-%m-%d} (max_age_days: {days})."


def _remedy(
    options: AdoptionOptions, current: AdoptionState, uses: Sequence[JudgedUse], regions: Sequence[str]
) -> str:
    """Return what to replace the uses by: the newest release without a fault, where a region has it."""
    release = uses[0].release
    others = current.catalog.replacements(release) if release else ()
    if not others:
        return "Distribute a newer release, then replace them."
    best = next((other for other in others if not find_fault(options, current, other)), None)
    if best is None:
        fault = find_fault(options, current, others[0])
        return f"Distribute a fixed release first: {others[0].label} {fault}. Then replace them by it."
    launchable = (ref for ref in best.images if ref not in current.catalog.withdrawn)
    there = {ref.region: ref.image_id for ref in launchable}
    if missing := [region for region in regions if region not in there]:
        return f"Distribute {best.label} to {join_texts(missing)}, then replace them."
    image = f"{there[regions[0]]} ({best.name})" if len(regions) == 1 else f"{best.name} there"
    if all(use.image_use.kind in (INSTANCE, REPORTED_INSTANCE) for use in uses):
        return f"Replace them with instances of {image}."
    return f"Change them, so that they launch {image}, and replace instances."


@dataclass(frozen=True)
class AccountAdoption:
    """What an account uses in all regions. ``unread`` are the regions that were not read, or not wholly.

    ``worst`` is the use furthest behind, None if none is behind. ``owners`` are the values of tags of such
    uses. ``denied`` are those of them that ``deny_images`` is about. ``no_use`` is the status of an account
    without any use.
    """

    account_id: str
    current: int = 0
    behind: int = 0
    unknown: int = 0
    other: int = 0
    regions: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    worst: JudgedUse | None = None
    owners: tuple[str, ...] = ()
    denied: int = 0
    no_use: str = "unused"

    @property
    def total(self) -> int:
        """Return the number of uses that are of a release, or may be."""
        return self.current + self.behind + self.unknown

    @property
    def status(self) -> str:
        """Return one word; an account that was not wholly read is never current or unused."""
        if self.behind:
            return "behind"
        if self.unread:
            return "unreadable"
        if self.unknown:
            return "unknown"
        return "current" if self.current else self.no_use


def sum_up(current: AdoptionState, judged: Iterable[JudgedUse], depth: str) -> tuple[AccountAdoption, ...]:
    """Return every account, those behind first, of these the worst first."""
    by_account: dict[str, list[JudgedUse]] = defaultdict(list)
    for use in judged:
        by_account[use.target.account_id].append(use)
    unread: dict[str, dict[str, None]] = defaultdict(dict)
    for target in current.unread:
        unread[target.account_id][target.region] = None
    for target, look in current.looks.items():
        if look.failures:
            unread[target.account_id][target.region] = None
    account_ids = {target.account_id for target in (*current.looks, *current.unread)}
    no_use = name_no_use(depth)
    accounts = (_sum_up_account(name, by_account[name], unread[name], no_use) for name in sorted(account_ids))
    return tuple(sorted(accounts, key=_urgency))


def _sum_up_account(
    account_id: str, judged: Iterable[JudgedUse], unread: Mapping[str, None], no_use: str
) -> AccountAdoption:
    uses = list(judged)
    behind = [use for use in uses if use.is_behind]
    return AccountAdoption(
        account_id,
        current=sum(use.number for use in uses if use.is_counted and use.is_current),
        behind=sum(use.number for use in behind),
        unknown=sum(use.number for use in uses if use.is_unknown),
        other=sum(use.number for use in uses if not use.is_counted),
        regions=tuple(sorted({use.target.region for use in behind})),
        unread=tuple(sorted(unread)),
        worst=min(behind, key=_badness, default=None),
        owners=tuple(dict.fromkeys(owner for use in behind for owner in use.image_use.owners)),
        denied=sum(use.number for use in behind if use.denied),
        no_use=no_use,
    )


def _badness(judged: JudgedUse) -> tuple[bool, bool, int, float]:
    since = judged.behind_since.timestamp() if judged.behind_since else 0.0
    return not judged.denied, not judged.withdrawn, -judged.behind, since


def _urgency(account: AccountAdoption) -> tuple[bool, tuple[bool, bool, int, float], int, bool, bool, str]:
    worst = _badness(account.worst) if account.worst else (True, True, 0, 0.0)
    return (
        account.worst is None,
        worst,
        -account.behind,
        not account.unread,
        not account.unknown,
        account.account_id,
    )

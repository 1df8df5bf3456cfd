# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the accounts that an image is shared with may still use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from .._failures import Failure
from .._keys.needed import examples_of
from .._model import Sharing
from .state import Evidence, ImageUsage, OwnImage, SnapshotUsage, UsageReport

SHARED, CONSUMER = "shared", "other_account"

INSTANCES, TEMPLATES = "ec2:Instance", "ec2:LaunchTemplate"
# botocore shape ImageUsageResourceTypeRequest: all types that a report can cover.
RECIPES = ("imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe")
REPORTED_TYPES = (INSTANCES, TEMPLATES, *RECIPES)
# The operations that read usage reports.
READS_REPORTS = ("DescribeImageUsageReports", "DescribeImageUsageReportEntries")
# botocore shapes ImageUsageResourceTypeOptionRequest and ResourceTypeOption: the most versions of a launch
# template that a usage report can cover, by default 20, and that can be searched for references.
ALL_VERSIONS = 10_000
# EC2 User Guide, "View your AMI usage", lists only instances and launch templates: the types of Image Builder
# are newer. AWS does not document how a region without them refuses; these codes refuse the request as such.
_UNSUPPORTED = frozenset(
    {"InvalidParameter", "InvalidParameterCombination", "InvalidParameterValue", "UnsupportedOperation"}
)
# A report that one weekly run requests has to count in the next one.
REPORT_AGE = timedelta(days=8)
# A report shows one point in time, so the final check takes a new one, or one of an earlier run on that day.
FINAL_REPORT_AGE = timedelta(days=1)
# EC2 User Guide, "View your AMI usage": instances of the last 24 hours may be missing, and launch templates
# of the last few days.
_REPORT_MISSES = timedelta(hours=24)


def find_report_start(own: OwnImage, now: datetime, trusted: bool, age: timedelta) -> datetime | None:
    """Return from when on a usage report shows that the image is not used, None if not ``trusted``.

    Reports older than ``age`` are too old, and so are those from before the last launch, by any account: they
    may miss the instance.
    """
    if not trusted:
        return None
    since = now - age
    return max(since, own.last_launched + _REPORT_MISSES) if own.last_launched else since


def list_sharing_evidence(
    own: OwnImage, usage: ImageUsage, include_shared: bool, since: datetime | None
) -> Iterator[Evidence]:
    """Yield the evidence that other accounts use the image.

    Usage reports count if they were created ``since`` that moment.

    Sharing alone is evidence, unless the user includes shared images and either a usage report or a read of
    every account shows that no account uses the image. A use that either shows always counts.

    A disabled image is not shared, and no report counts for it: evidence is what was read in the accounts of
    its snapshots (``list_accounts_to_read``). What could not be read there is evidence too, unless reports
    are trusted (``since`` is not None): then it does not keep an available image either.
    """
    others = usage.sharing.without(own.image.owner_id)
    if others and not include_shared:
        yield Evidence(SHARED, name_principals(others))
        return
    used = [*_list_reported_uses(usage.report), *_list_consumer_uses(usage)]
    yield from used
    if used or _has_read_all_accounts(others, usage):
        return
    if others:
        problem = _find_report_problem(usage.report, others, since)
        if not problem:
            return
        yield Evidence.unproven("usage of other accounts", problem)
    elif since is not None:
        return
    for _account_id, evidence in sorted(usage.consumers.items()):
        yield from evidence


def list_accounts_to_read(
    own: OwnImage, sharing: Sharing, snapshots: Iterable[SnapshotUsage]
) -> frozenset[str]:
    """Return the other accounts that may use an image and can be read.

    Disabling an image removes its launch permissions, but not those of its snapshots (EC2 API Reference,
    DisableImage). For a disabled image, these are the accounts that one of its ``snapshots`` is shared with.
    """
    shared = [sharing] if own.image.state != "disabled" else [snapshot.sharing for snapshot in snapshots]
    return frozenset(account_id for permissions in shared for account_id in permissions.account_ids) - {
        own.image.owner_id
    }


def needs_report(own: OwnImage, usage: ImageUsage, include_shared: bool, since: datetime | None) -> bool:
    """Whether a usage report could settle the use: none counts, none is pending, and it can be read."""
    others = usage.sharing.without(own.image.owner_id)
    if not (others and include_shared) or since is None or _has_read_all_accounts(others, usage):
        return False
    if any(item.subject in READS_REPORTS for item in usage.unread):
        return False
    pending = usage.report is not None and usage.report.state == "pending"
    return not pending and bool(_find_report_problem(usage.report, others, since))


def is_unsupported_report(failure: Failure) -> bool:
    """Whether a region refused a usage report because it does not know all of its resource types."""
    return failure.action == "CreateImageUsageReport" and failure.error_code in _UNSUPPORTED


def warn_of_unsupported_report(failure: Failure) -> str:
    """Return the warning for a refused usage report."""
    types = ", ".join(REPORTED_TYPES)
    return (
        f"{failure.region}: AWS refuses usage reports that cover {types}. Shared images there are kept, "
        f"unless consumer_role_name shows that no account uses them. AWS's response: {failure.message}"
    )


def find_unchecked_sharing(
    own: OwnImage, image: ImageUsage, snapshot: SnapshotUsage, has_only_reports: bool
) -> Sharing:
    """Return who would lose a snapshot of the image although their use of it was not checked.

    These are the public, and the accounts that the snapshot is shared with and the image itself is not,
    unless they were read: no usage report shows what they do with a snapshot. An organization that the image
    is shared with does not cover them, because its accounts are not known. If usage reports are the only
    proof, none of them counts once the image is disabled: it may have been shared with them when the last
    report counted.
    """
    if own.image.state == "disabled" and has_only_reports:
        return Sharing()
    checked = {own.image.owner_id, *image.sharing.account_ids, *image.consumers}
    return snapshot.sharing - Sharing(account_ids=frozenset(checked))


def name_principals(sharing: Sharing) -> str:
    """Return the principals that something is shared with, for a message."""
    names = [*sorted(sharing.account_ids), *sorted(sharing.org_arns), *sorted(sharing.org_unit_arns)]
    return examples_of([*names, *(["the public"] if sharing.public else [])])


def _list_reported_uses(report: UsageReport | None) -> Iterator[Evidence]:
    for account_id, count in sorted((report.used_by if report else {}).items()):
        if count:
            yield Evidence(CONSUMER, account_id, f"{count} uses in the usage report")


def _list_consumer_uses(usage: ImageUsage) -> Iterator[Evidence]:
    for account_id, evidence in sorted(usage.consumers.items()):
        yield from (
            Evidence(CONSUMER, account_id, f"{item.kind} {item.subject}") for item in evidence if item.firm
        )


def _find_report_problem(report: UsageReport | None, sharing: Sharing, since: datetime | None) -> str:
    """Return why a report does not show that the image is not used; empty if it does."""
    if since is None:
        # botocore shape ImageUsageResourceTypeRequest has no parameters.
        return "Usage reports do not show parameters, and trust_usage_reports is not set."
    if report is None:
        return "There is no usage report."
    if report.state != "available":
        return f"The usage report is {report.state}."
    if report.created < since:
        return f"The usage report of {report.created:%Y-%m-%d %H:%M} is from before {since:%Y-%m-%d %H:%M}."
    missing = [
        resource_type for resource_type in REPORTED_TYPES if resource_type not in report.resource_types
    ]
    if missing:
        return f"The usage report does not cover {', '.join(missing)}."
    if report.template_versions < ALL_VERSIONS:
        return f"The usage report covers only the latest {report.template_versions} versions of templates."
    if report.account_ids and (sharing - Sharing(account_ids=report.account_ids)):
        return "The usage report does not cover all accounts that the image is shared with."
    return ""


def _has_read_all_accounts(others: Sharing, usage: ImageUsage) -> bool:
    """Whether all accounts were read completely; those of organizations and the public are not known."""
    read = Sharing(account_ids=frozenset(usage.consumers))
    return not others - read and all(item.firm for evidence in usage.consumers.values() for item in evidence)

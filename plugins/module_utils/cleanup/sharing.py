# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether those with whom an image is shared may still need it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ..model import Sharing
from .state import CloserLook, Evidence, OwnImage, SnapshotLook, UsageReport, unreadable

SHARED, CONSUMER = "shared", "other_account"

INSTANCES, TEMPLATES = "ec2:Instance", "ec2:LaunchTemplate"
# Made for a run that found none, it must still count in the next weekly one. EC2 User Guide, "View your AMI
# usage": it may miss the last day of instances, and some days of templates.
REPORT_COUNTS_FOR = timedelta(days=8)


def sharing_evidence(look: CloserLook, include_shared: bool, now: datetime) -> Iterator[Evidence]:
    """What speaks for use by others.

    Sharing alone does, unless the user includes shared images and either a usage report or a look into every
    account shows that nobody uses it. Whatever shows a use counts.
    """
    if not look.sharing:
        return
    if not include_shared:
        yield Evidence(SHARED, _who(look.sharing))
        return
    used = [*_used_by_report(look.report), *_used_by_accounts(look)]
    yield from used
    problem = _report_problem(look.report, look.sharing, now)
    if used or not problem or _looked_into_all(look):
        return
    yield unreadable("usage of other accounts", problem)
    for account_id in sorted(look.sharing.account_ids):
        yield from look.consumers.get(account_id, ())


def needs_report(look: CloserLook, include_shared: bool, now: datetime) -> bool:
    """Whether a usage report would tell more: none that counts is there or under way."""
    if not (look.sharing and include_shared) or _looked_into_all(look):
        return False
    pending = look.report is not None and look.report.state == "pending"
    return not pending and bool(_report_problem(look.report, look.sharing, now))


def only_by_snapshot(
    own: OwnImage, sharing: Sharing, look: SnapshotLook, include_shared: bool
) -> tuple[str, ...]:
    """Those who would lose a snapshot of the image without their use of the image having been judged.

    These are accounts that it is shared with and the image is not. No report tells of what is made of a
    snapshot, so that they keep the image, too, unless the user includes shared images and they may once have
    been among those that the image was shared with: members of its organizations, or anybody if it is
    disabled, which took its launch permissions but not those of its snapshots.
    """
    hidden = own.image.state == "disabled" or sharing.org_arns or sharing.org_unit_arns or sharing.public
    if include_shared and hidden:
        return ()
    left = look.sharing - sharing - Sharing(account_ids=frozenset({own.image.owner_id}))
    return (*sorted(left.account_ids), *(["everybody"] if left.public else []))


def _used_by_report(report: UsageReport | None) -> Iterator[Evidence]:
    for account_id, count in sorted((report.used_by if report else {}).items()):
        if count:
            yield Evidence(CONSUMER, account_id, f"{count} uses in the usage report")


def _used_by_accounts(look: CloserLook) -> Iterator[Evidence]:
    for account_id, found in sorted(look.consumers.items()):
        yield from (Evidence(CONSUMER, account_id, f"{one.kind} {one.subject}") for one in found if one.firm)


def _report_problem(report: UsageReport | None, sharing: Sharing, now: datetime) -> str:
    """Why a report does not show that the image is unused; empty if it does."""
    if report is None:
        return "There is no usage report."
    if report.state != "available":
        return f"The usage report is {report.state}."
    if report.created + REPORT_COUNTS_FOR < now:
        return f"The usage report is of {report.created:%Y-%m-%d}, too old."
    if not {INSTANCES, TEMPLATES} <= report.resource_types:
        return "The usage report leaves out instances or launch templates."
    if report.account_ids and (sharing - Sharing(account_ids=report.account_ids)):
        return "The usage report leaves out some of those with whom the image is shared."
    return ""


def _looked_into_all(look: CloserLook) -> bool:
    """Whether everything was seen everywhere. Of an organization or the public the accounts are not known."""
    seen = (account_id for account_id, found in look.consumers.items() if all(one.firm for one in found))
    return not (look.sharing - Sharing(account_ids=frozenset(seen)))


def _who(sharing: Sharing) -> str:
    named = [*sorted(sharing.account_ids), *sorted(sharing.org_arns), *sorted(sharing.org_unit_arns)]
    named += ["everybody"] if sharing.public else []
    return ", ".join(named) if len(named) <= 5 else f"{', '.join(named[:5])} and {len(named) - 5} more"

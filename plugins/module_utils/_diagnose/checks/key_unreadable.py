# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether access to the keys of the image could be read or tested."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import BlocksLaunch, Finding
from ..._keys.access import other_access
from ..check import KEYS, Cause, Check, Evidence
from ..keys import ONLY_A_LAUNCH_SHOWS, KeyEvidence, list_unread_keys, may_use

_UNREADABLE = Cause(
    code="key_unreadable",
    table=KEYS,
    blocks_launch=BlocksLaunch.UNKNOWN,
    meaning="The key could not be read, or access to it could not be tested.",
    details=(
        "The task fails if it could not be read. The code also means that the key belongs to another account "
        "than the image, that another key is associated with the snapshot, or that the account could not "
        "test its access: KMS did not answer a dry run, or returned an error, or this botocore lacks dry "
        "runs of KMS. There is no such finding if the account's dry runs allow everything, and none for the "
        "image's owner if its own key could be described."
    ),
    remedy="Allow `kms:DescribeKey`, `kms:ListGrants` and `kms:GetKeyPolicy`, and diagnose again",
)
_NO_DRY_RUNS = "this botocore does not support dry runs of KMS: update botocore and boto3."


def _find_of_key(evidence: KeyEvidence) -> Iterator[Finding]:
    key, dry_run = evidence.key.key, evidence.dry_run
    if evidence.is_of_third_account and not may_use(dry_run):
        reason = f"It belongs to account {key.account_id}, and only that account can read who may use it."
        yield _to_finding(evidence.case.account_id, key.arn, reason)
    if evidence.is_decided and dry_run is not None and (dry_run.problem is not None or not dry_run.supported):
        yield _UNREADABLE.finding(
            f"Account {evidence.case.account_id} could not test its access to {key.arn}: "
            f"{dry_run.problem or _NO_DRY_RUNS}",
            ONLY_A_LAUNCH_SHOWS,
        )


def _find(evidence: Evidence) -> Iterator[Finding]:
    owner, checked = evidence.owner, evidence.checked
    if owner.image is None:
        return
    for arn, problem in list_unread_keys(evidence.case, owner, checked).items():
        yield _to_finding(evidence.account_id, arn, f"{problem.message} {problem.remedy}", problem.error_code)
    dry_runs = checked.keys if checked is not None else {}
    for arn, snapshot in owner.undecided_keys.items():
        if not may_use(dry_runs.get(arn)):
            yield _to_finding(evidence.account_id, arn, other_access(snapshot))


def _to_finding(account_id: str, arn: str, reason: str, error_code: str | None = None) -> Finding:
    return _UNREADABLE.finding(
        f"Whether account {account_id} may use {arn} is unknown: {reason}",
        "Allow these credentials to call kms:DescribeKey, kms:ListGrants and kms:GetKeyPolicy, or ask the "
        "key's owner.",
        error_code=error_code,
    )


CHECK = Check((_UNREADABLE,), _find, _find_of_key)

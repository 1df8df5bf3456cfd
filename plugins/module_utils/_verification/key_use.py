# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use of an image's keys in a verification: proven, refused or uncertain by account.

The diagnosis decides between these; only the level ``launched`` proves the use beyond doubt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import _arns as arns
from .._diagnose.key_use import PROVEN, REFUSED, UNCERTAIN
from .._listing import count, join_texts

KEY_USE_UNCERTAIN = "key_use_uncertain"
NOT_CHECKED = "not_checked"
NOT_CHECKED_SENTENCE = "Key use not checked."
# A message lists at most this many accounts.
_MOST_ACCOUNTS = 10

Row = Mapping[str, Any]


def lower_level(level: str | None, key_use: str | None) -> str | None:
    """Return the level that is proven: an encrypted image cannot be launched without its keys."""
    return "visible" if level == "authorized" and key_use in (UNCERTAIN, REFUSED) else level


def is_uncertain(required: str, level: str | None, key_use: str | None) -> bool:
    """Whether only the uncertain use of keys keeps an account from the level."""
    return required == level == "authorized" and key_use == UNCERTAIN


def judge_key_use(required: str, level: str | None, key_use: str | None) -> str | None:
    """Return the use of keys that a verification shows; None if no key is needed or no account was asked."""
    if key_use is None:
        return None
    if level == "launched":
        return PROVEN
    return NOT_CHECKED if required == "visible" else key_use


def is_failed(row: Row) -> bool:
    """Whether an account has certainly not reached the level."""
    return not (row["reached"] or row.get("uncertain"))


def format_counts(rows: Sequence[Row]) -> str:
    """Return the number that reached the level, and of uncertain ones: ``49/50, 1 uncertain``."""
    uncertain = sum(bool(row.get("uncertain")) for row in rows)
    uncertain_text = f", {uncertain} uncertain" if uncertain else ""
    return f"{sum(bool(row['reached']) for row in rows)}/{len(rows)}{uncertain_text}"


def list_doubts(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the findings that make the use of keys uncertain, each with its region and remedy."""
    return [
        {
            "region": row["region"],
            "account_id": row["account_id"],
            "message": finding["message"],
            "remedy": finding["remedy"],
        }
        for row in rows
        if row.get("uncertain")
        for finding in row["findings"]
    ]


def describe_key_use(rows: Sequence[Row]) -> list[str]:
    """Return a sentence on whose key use was checked, or that none was; nothing without encryption."""
    rows_with_keys = [row for row in rows if row.get("key_use")]
    if any(row["key_use"] == NOT_CHECKED for row in rows_with_keys):
        return [NOT_CHECKED_SENTENCE]
    roles = _list_roles(rows_with_keys)
    return [f"Key use is that of {roles}, not of Auto Scaling's or another role there."] if roles else []


def describe_key_use_of_distribution(report: Mapping[str, Any]) -> list[str]:
    """Return these sentences for the report of a distribution, which may have no verification."""
    rows = report.get("verified", ())
    is_encrypted = any(region["kms_key_arn"] for region in report["regions"])
    return describe_key_use(rows) if rows or not is_encrypted else [NOT_CHECKED_SENTENCE]


def _list_roles(rows: Iterable[Row]) -> str:
    """Return the roles or users that were checked, as text; empty if none was."""
    names = dict.fromkeys(
        arns.parse(row["principal"]).resource.replace("/", " ", 1) for row in rows if row.get("principal")
    )
    return f"the {join_texts([*names], 2)} in each account" if names else ""


def keep_back(rows: Iterable[Row], accepted: bool | Sequence[str]) -> dict[str, Any]:
    """Return the regions that uncertain accounts keep from being published, with message and remedy.

    ``accepted`` are the accounts that may be uncertain, or whether all of them may.
    """
    accepted_accounts = [] if isinstance(accepted, bool) else [*accepted]
    rows = [row for row in rows if row.get("uncertain") and accepted is not True]
    unaccepted = [row for row in rows if row["account_id"] not in accepted_accounts]
    if not unaccepted:
        return {}
    regions = sorted({row["region"] for row in unaccepted})
    accounts = sorted({row["account_id"] for row in unaccepted})
    return {
        "error_code": KEY_USE_UNCERTAIN,
        "message": f"The image is not published in {join_texts(regions, 3)}: whether "
        f"{_name_accounts(accounts)} can use its keys is uncertain.",
        "regions": regions,
        "remedy": "Remove the uncertainty as the findings say, or verify with the level launched. To publish "
        f"nevertheless, set publish_uncertain: {_render_accounts([*accepted_accounts, *accounts])}.",
    }


def _name_accounts(accounts: Sequence[str]) -> str:
    return f"account {accounts[0]}" if len(accounts) == 1 else count(len(accounts), "account")


def _render_accounts(accounts: Sequence[str]) -> str:
    """Return the value of ``publish_uncertain`` in YAML, which needs account IDs in quotes."""
    if len(accounts) > _MOST_ACCOUNTS:
        return "true"
    return json.dumps([*accounts])

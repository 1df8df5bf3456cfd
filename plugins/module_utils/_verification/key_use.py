# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use of an image's keys in a verification: who can, who cannot, and of whom that is not certain.

Whether it is certain is decided by ``ami_share_diagnose``; only the level ``launched`` proves it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import _arns as arns
from .._diagnose.keys import PROVEN, REFUSED, UNCERTAIN
from .._listing import count, join_texts

KEY_USE_UNCERTAIN = "key_use_uncertain"
NOT_CHECKED = "not_checked"
NOT_CHECKED_SENTENCE = "Key use not checked."
# More accounts than these are not listed in the value that a message prints.
_MOST_ACCOUNTS = 10

Row = Mapping[str, Any]


def lowered(level: str | None, key_use: str | None) -> str | None:
    """Return the level that is proven: an encrypted image cannot be launched without its keys."""
    return "visible" if level == "authorized" and key_use in (UNCERTAIN, REFUSED) else level


def is_uncertain(wanted: str, level: str | None, key_use: str | None) -> bool:
    """Whether only the use of keys keeps an account from the level, and may not keep it from launching."""
    return wanted == level == "authorized" and key_use == UNCERTAIN


def of_row(wanted: str, level: str | None, key_use: str | None) -> str | None:
    """Return what a verification shows of the use of keys; None if it needs none, or no account was asked."""
    if key_use is None:
        return None
    if level == "launched":
        return PROVEN
    return NOT_CHECKED if wanted == "visible" else key_use


def is_failed(row: Row) -> bool:
    """Whether an account has certainly not reached the level."""
    return not (row["reached"] or row.get("uncertain"))


def counts(rows: Sequence[Row]) -> str:
    """Return how many have reached the level, and how many are uncertain: ``49/50, 1 uncertain``."""
    uncertain = sum(bool(row.get("uncertain")) for row in rows)
    too = f", {uncertain} uncertain" if uncertain else ""
    return f"{sum(bool(row['reached']) for row in rows)}/{len(rows)}{too}"


def doubts(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return why the use of keys is uncertain, for a screen: each finding with its place and remedy."""
    return [
        {"region": row["region"], "message": finding["message"], "remedy": finding["remedy"]}
        for row in rows
        if row.get("uncertain")
        for finding in row["findings"]
    ]


def sentences(rows: Sequence[Row]) -> list[str]:
    """Return that key use was not checked, or whose was; nothing if no image is encrypted."""
    used = [row for row in rows if row.get("key_use")]
    if any(row["key_use"] == NOT_CHECKED for row in used):
        return [NOT_CHECKED_SENTENCE]
    who = _roles(used)
    return [f"Key use is that of {who}, not of Auto Scaling's or another role there."] if who else []


def sentences_of(report: Mapping[str, Any]) -> list[str]:
    """Return the same of the report of a distribution, which may not have verified the image."""
    rows = report.get("verified", ())
    is_encrypted = any(region["kms_key_arn"] for region in report["regions"])
    return sentences(rows) if rows or not is_encrypted else [NOT_CHECKED_SENTENCE]


def _roles(rows: Iterable[Row]) -> str:
    """Return the roles or users that were checked, of which there is one in most runs; empty if none was."""
    names = dict.fromkeys(
        arns.parse(row["principal"]).resource.replace("/", " ", 1) for row in rows if row.get("principal")
    )
    return f"the {join_texts([*names], 2)} in each account" if names else ""


def kept_back(rows: Iterable[Row], accepted: bool | Sequence[str]) -> dict[str, Any]:
    """Return the regions that uncertain accounts keep from being published, why, and what would publish them.

    ``accepted`` are the accounts that need not be certain, or whether none has to be.
    """
    named = [] if isinstance(accepted, bool) else [*accepted]
    rows = [row for row in rows if row.get("uncertain") and accepted is not True]
    keeping = [row for row in rows if row["account_id"] not in named]
    if not keeping:
        return {}
    regions = sorted({row["region"] for row in keeping})
    accounts = sorted({row["account_id"] for row in keeping})
    return {
        "error_code": KEY_USE_UNCERTAIN,
        "message": f"The image is not published in {join_texts(regions, 3)}: whether {_accounts(accounts)} "
        "can use its keys is uncertain.",
        "regions": regions,
        "remedy": "Remove the uncertainty as the findings say, or verify with the level launched. To publish "
        f"nevertheless, set publish_uncertain: {_value([*named, *accounts])}.",
    }


def _accounts(accounts: Sequence[str]) -> str:
    return f"account {accounts[0]}" if len(accounts) == 1 else count(len(accounts), "account")


def _value(accounts: Sequence[str]) -> str:
    """Return the value of ``publish_uncertain`` in YAML; digits in quotes are no number."""
    if len(accounts) > _MOST_ACCOUNTS:
        return "true"
    return json.dumps([*accounts])

# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks into the accounts with which images are shared, by a role of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..aws.accounts import Accounts
from ..aws.clients import Clients
from ..aws.errors import failure
from ..aws.read import Caller
from ..fanout import each
from ..model import ConsumerRole, ImageRef, Target
from . import read_usage as image_use
from .decisions import CleanupSeen
from .state import CloserLook, Evidence, unreadable


def look_into_accounts(
    clients: Clients, role: ConsumerRole, seen: CleanupSeen, looks: Mapping[ImageRef, CloserLook]
) -> dict[ImageRef, CloserLook]:
    """The looks, with what is found in every account that an image is shared with.

    An account that cannot be looked into counts as one that uses the image.
    """
    accounts = Accounts(clients, Caller(seen.account_id, seen.partition), role, clients.home)
    wanted: dict[str, dict[str, list[str]]] = {}
    for ref, look in looks.items():
        for account_id in look.sharing.account_ids:
            wanted.setdefault(account_id, {}).setdefault(ref.region, []).append(ref.image_id)

    def work(account_id: str) -> dict[ImageRef, tuple[Evidence, ...]]:
        of_account = accounts.clients(account_id)
        for service in ("autoscaling", "ec2"):
            of_account.open(service, wanted[account_id])
        return {
            ImageRef(region, image_id): evidence
            for region, image_ids in wanted[account_id].items()
            for image_id, evidence in image_use.used_in(of_account, region, image_ids).items()
        }

    done, failed = each(wanted, work)
    problems = {
        account_id: unreadable(account_id, failure(exception, Target(account_id, ""), "AssumeRole").text())
        for account_id, exception in failed.items()
    }

    def found(ref: ImageRef, account_id: str) -> tuple[Evidence, ...]:
        return done[account_id][ref] if account_id in done else (problems[account_id],)

    return {
        ref: replace(look, consumers={one: found(ref, one) for one in sorted(look.sharing.account_ids)})
        for ref, look in looks.items()
    }

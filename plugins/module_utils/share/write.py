# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Perform the actions of one image, and take public access back if not all of them succeed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..aws.lost_answers import is_unknown
from ..aws.write import Performed, merge, perform
from ..model import Target
from ..plan import Action
from .public import closing, left_open, opens, still_public, with_closed

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


def perform_or_close(ec2: EC2Client, actions: Iterable[Action]) -> Performed:
    """Perform the actions in order, like ``perform_all``; at a failure, close what they opened to all."""
    done = Performed()
    for action in actions:
        part = perform(ec2, action)
        done = merge(done, part)
        if part.stops:
            unknown = opens(action) and any(is_unknown(failure) for failure in part.failures)
            return close(ec2, action.target, done, [action.resource] if unknown and action.resource else [])
    return done


def close(ec2: EC2Client, target: Target, done: Performed, others: Iterable[str] = ()) -> Performed:
    """Close what performed actions opened, and ``others`` that may be open; the failures say what is closed.

    The last that was opened is closed first, so that no snapshot is public whose image is not.
    """
    opened = left_open(done.actions)
    to_close = [*others, *reversed(opened)]
    attempts = [(resource, perform(ec2, closing(target, resource))) for resource in to_close]
    closed = [resource for resource, attempt in attempts if not attempt.failures]
    failures = done.failures
    if closed:
        failures = (*failures[:-1], with_closed(failures[-1], closed))
    left = [
        still_public(target, resource, one.failures[0], certain=resource in opened)
        for resource, one in attempts
        if one.failures
    ]
    taken_back = merge(*(attempt for _resource, attempt in attempts))
    return replace(merge(done, taken_back), failures=(*failures, *left))

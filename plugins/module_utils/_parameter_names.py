# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the names of SSM parameters (Systems Manager API Reference, PutParameter, Name)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from . import _arns as arns
from ._wording import render_value

_LONGEST = 1011
_MOST_LEVELS = 15
_OTHER_CHARACTERS = re.compile(r"[^A-Za-z0-9_.\-/]")
_RESERVED = re.compile(r"/?(?:aws|ssm)", re.IGNORECASE)
# The account has 12 digits. The names of other partitions are longer than aws.
_ARN = "arn:aws:ssm:{region}:111122223333:parameter/"


def name_problem(name: str, regions: Iterable[str]) -> tuple[str, str]:
    """Return the problem with a parameter's name in these regions, and its remedy; both empty without one.

    The name counts with its ARN. In partitions other than aws, ARNs are longer, so that a name that is a few
    characters too long passes this check.
    """
    broken = _find_broken_rule(name)
    if broken:
        return f"{render_value(name)} is not a valid parameter name.", broken
    most = _LONGEST - max((len(_ARN.format(region=region)) for region in regions), default=0)
    length = len(name.removeprefix("/"))
    if length > most:
        problem = f"{render_value(name)} is too long: it has {length} characters after the leading /."
        return problem, f"Use at most {most}: with its ARN, a name has at most {_LONGEST} characters."
    return "", ""


def _find_broken_rule(name: str) -> str:
    """Return the remedy for the first rule that the name breaks; empty if it breaks none."""
    if not name.strip("/"):
        return "Use a name such as /golden/web."
    wrong = sorted(set(_OTHER_CHARACTERS.findall(name)))
    if wrong:
        return f"It has {' '.join(map(render_value, wrong))}: use letters, digits and . - _ / only."
    if "//" in name or name.endswith("/"):
        return "Leave out the / at its end and each / that follows another one."
    if "/" in name and not name.startswith("/"):
        return f"Begin it with a /, since it has levels: /{name}."
    if _RESERVED.match(name):
        return "AWS reserves names that begin with aws or ssm: begin it with another word."
    levels = name.strip("/").count("/") + 1
    return f"It has {levels} levels: use at most {_MOST_LEVELS}." if levels > _MOST_LEVELS else ""


def name_in_arn(text: str, account_id: str, region: str) -> str:
    """Return the name of the parameter with this ARN; empty if it is not one of this account and region.

    EC2 takes names and ARNs in ``resolve:ssm:`` (botocore shape RequestLaunchTemplateData, ImageId). The ARN
    of a name with a leading slash has one slash between ``parameter`` and the name. With a version or a label
    after a colon, it is no name.
    """
    if not arns.is_arn(text):
        return ""
    arn = arns.parse(text)
    kind, _slash, name = arn.resource.partition("/")
    if (arn.service, arn.region, arn.account_id, kind) != ("ssm", region, account_id, "parameter"):
        return ""
    return "" if ":" in name else name


def is_named(name: str, by: str) -> bool:
    """Whether the name in an ARN is that of the parameter. A leading slash is no part of an ARN."""
    return bool(by) and name.removeprefix("/") == by.removeprefix("/")

# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SSM parameters that name images."""

from __future__ import annotations

from collections.abc import Iterator

from ..._aws.answers import require_member
from ..._aws.errors import ClientError
from ..._aws.parameters import is_missing
from ..._plan import batches
from ..tombstone import is_tombstone_parameter
from .read import Place, Read, Source
from .users import Parameter, find_image_ids, list_selectors

_KIND = "parameter"
# SSM API Reference: parameters per page of DescribeParameters, versions per page of GetParameterHistory, and
# parameters per GetParameters.
_PAGE = 50
_BATCH = 10
# EC2 does not resolve a SecureString (Systems Manager User Guide, "Native parameter support for AMI IDs").
_TEXTS = ["String", "StringList"]


def _make_parameter(name: str, value: str, version: int = 0, data_type: str = "text") -> Parameter:
    return Parameter(_KIND, name, find_image_ids(value), value=value, version=version, data_type=data_type)


def _read_latest(place: Place) -> Iterator[Parameter]:
    """Yield every parameter that is not encrypted, with its value, but no tombstones."""
    pages = place.ssm.get_paginator("describe_parameters").paginate(
        ParameterFilters=[{"Key": "Type", "Values": _TEXTS}], PaginationConfig={"PageSize": _PAGE}
    )
    all_names = [
        require_member(item, "Name", "DescribeParameters")
        for page in pages
        for item in require_member(page, "Parameters", "DescribeParameters")
    ]
    names = [name for name in all_names if not is_tombstone_parameter(place.tombstone_path, name)]
    for batch in batches(names, _BATCH):
        answer = place.ssm.get_parameters(Names=batch)
        for item in require_member(answer, "Parameters", "GetParameters"):
            yield _make_parameter(
                require_member(item, "Name", "GetParameters"),
                require_member(item, "Value", "GetParameters"),
                require_member(item, "Version", "GetParameters"),
                item.get("DataType", "text"),
            )


def _read_labeled(place: Place) -> Iterator[Parameter]:
    """Yield the earlier versions with a label of the parameters that name an image, by ``NAME:LABEL``.

    EC2 launches ``resolve:ssm:NAME:LABEL`` (EC2 User Guide, "Use a Systems Manager parameter instead of an
    AMI ID"), and a rollback publishes the version with the label of its source again. A parameter that is
    deleted in the meantime has none.
    """
    for user in tuple(place.by_kind[_KIND]):
        if isinstance(user, Parameter) and user.may_have_labels:
            yield from _read_labeled_versions(place, user)


def _read_labeled_versions(place: Place, latest: Parameter) -> Iterator[Parameter]:
    operation = "GetParameterHistory"
    pages = place.ssm.get_paginator("get_parameter_history").paginate(
        Name=latest.name, PaginationConfig={"PageSize": _PAGE}
    )
    try:
        for page in pages:
            for item in require_member(page, "Parameters", operation):
                version = require_member(item, "Version", operation)
                labels = item.get("Labels", ()) if version != latest.version else ()
                for label in labels:
                    value = require_member(item, "Value", operation)
                    yield _make_parameter(f"{latest.name}:{label}", value, version, latest.data_type)
    except ClientError as exception:
        if not is_missing(exception):
            raise


def _read_selected(place: Place) -> Iterator[Parameter]:
    """Yield what launches select: ``NAME:VERSION``, ``NAME:LABEL``, or the ARN of a shared parameter.

    A selector of an own parameter that does not exist selects an empty value. A shared parameter that is not
    found may exist: it is left out.
    """
    for name in list_selectors(place.users):
        try:
            answer = require_member(place.ssm.get_parameter(Name=name), "Parameter", "GetParameter")
            yield _make_parameter(name, require_member(answer, "Value", "GetParameter"))
        except ClientError as exception:
            if not is_missing(exception):
                raise
            if not name.startswith("arn:"):
                yield _make_parameter(name, "")


SOURCE = Source(
    _KIND,
    "not encrypted, of any region; parameters that launch templates resolve; labeled versions of a parameter "
    "whose value is an image",
    (
        Read(_read_latest, ("ssm:DescribeParameters", "ssm:GetParameters")),
        Read(_read_labeled, ("ssm:GetParameterHistory",)),
    ),
    (Read(_read_selected, ("ssm:GetParameter",)),),
)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of parameters, labels and tags that moto lacks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.ssm.models import Parameter

from ..exceptions import NotSimulated
from .errors import not_valid, ssm_error

EC2_IMAGE = "aws:ec2:image"
# botocore shape PutParameterRequest, DataType.
DATA_TYPES = (
    *("text", EC2_IMAGE, "aws:ssm:integration", "aws:region", "aws:account:id", "boolean", "integer"),
    *("float", "binary", "hostname", "email", "ipv4-address", "ipv6-address", "url", "json", "jsonc"),
)
TYPES = ("String", "StringList", "SecureString")
STANDARD, ADVANCED, INTELLIGENT = "Standard", "Advanced", "Intelligent-Tiering"
LONGEST_STANDARD_VALUE, LONGEST_VALUE = 4096, 8192
MOST_LEVELS, LONGEST_NAME = 15, 1011
MOST_TAGS = 50

_NAME = re.compile(r"[a-zA-Z0-9_.\-/]+")
_RESERVED_NAME = re.compile(r"/?(aws|ssm)", re.IGNORECASE)
_RESERVED_LABEL = re.compile(r"aws|ssm", re.IGNORECASE)


def require_name(name: str, arn: str) -> None:
    """Reject an invalid name of a new parameter (botocore shape PutParameterRequest, Name)."""
    if not _NAME.fullmatch(name):
        raise not_valid(
            "Parameter name: only a mix of letters, numbers and the symbols .-_ and / is allowed."
        )
    if "/" in name and not name.startswith("/"):
        raise not_valid("Parameter name must be a fully qualified name: it begins with / if it holds one.")
    if _RESERVED_NAME.match(name):
        raise not_valid('Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).')
    if len(arn) > LONGEST_NAME:
        raise not_valid(f"Parameter name: with its ARN at most {LONGEST_NAME} characters.")
    if name.strip("/").count("/") + 1 > MOST_LEVELS:
        message = f"A hierarchy can have a maximum of {MOST_LEVELS} levels."
        raise ssm_error("HierarchyLevelLimitExceededException", message)


def require_type(request: Mapping[str, Any], present: Parameter | None) -> None:
    """Reject a type that is unknown, missing, or different from the existing parameter's.

    That the data type can't be changed either is not documented: hashicorp/terraform-provider-aws#35959.
    """
    kind, data_type = request.get("Type"), request.get("DataType", "text")
    if kind is not None and kind not in TYPES:
        raise not_valid(f"Value '{kind}' at 'type' must be one of {', '.join(TYPES)}")
    if data_type not in DATA_TYPES:
        raise not_valid(f"The following data type is not supported: {data_type}")
    if present is None:
        if kind is None:
            raise not_valid("A parameter type is required when you create a parameter.")
    elif kind is not None and kind != present.parameter_type:
        message = f"The parameter type can't be changed from {present.parameter_type} to {kind}."
        raise ssm_error("HierarchyTypeMismatchException", message)
    elif "DataType" not in request and present.data_type != "text":
        raise NotSimulated(f"PutParameter without DataType over a parameter of {present.data_type}")
    elif data_type != present.data_type:
        raise not_valid(f"The data type can't be changed from {present.data_type} to {data_type}.")
    if data_type == EC2_IMAGE and (kind or getattr(present, "parameter_type", "")) != "String":
        raise not_valid(f"The data type {EC2_IMAGE} is for parameters of type String.")


def tier(request: Mapping[str, Any], present: Parameter | None) -> str:
    """The tier of the parameter; it can't be downgraded (botocore shape PutParameterRequest)."""
    wanted = request.get("Tier")
    if wanted not in (None, STANDARD, ADVANCED, INTELLIGENT):
        raise not_valid(f"Value '{wanted}' at 'tier' must be one of {STANDARD}, {ADVANCED}, {INTELLIGENT}")
    if present is not None and present.tier == ADVANCED and wanted != ADVANCED:
        if wanted == STANDARD:
            raise not_valid(
                "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
                "advanced-parameter tier to the standard-parameter tier."
            )
        # AWS documents neither the effect of the account's default tier nor of intelligent tiering.
        raise NotSimulated(f"PutParameter with tier {wanted} over an advanced parameter")
    if len(request["Value"]) > LONGEST_STANDARD_VALUE:
        if wanted in (None, STANDARD):
            raise not_valid(f"Standard tier parameters hold at most {LONGEST_STANDARD_VALUE} characters.")
        if len(request["Value"]) > LONGEST_VALUE:
            raise not_valid(f"Advanced tier parameters hold at most {LONGEST_VALUE} characters.")
        return ADVANCED
    return ADVANCED if wanted == ADVANCED else STANDARD


def split_labels(labels: list[str]) -> tuple[list[str], list[str]]:
    """Labels for moto to check, and labels with a reserved prefix, in any case of letters.

    (botocore operation LabelParameterVersion.)
    """
    if not 1 <= len(labels) <= 10:
        raise not_valid("1 validation error detected: 'labels' must have 1 to 10 members")
    reserved = [label for label in labels if _RESERVED_LABEL.match(label)]
    return [label for label in labels if label not in reserved], reserved


def require_tags(present: Mapping[str, str], tags: Mapping[str, str]) -> None:
    """Reject reserved tag keys and too many tags (botocore operation AddTagsToResource)."""
    for key in tags:
        if key.lower().startswith("aws:"):
            raise not_valid(f"aws: prefixed tag key names are not allowed for external use: {key}")
    if len({**present, **tags}) > MOST_TAGS:
        raise ssm_error("TooManyTagsError", f"A parameter has at most {MOST_TAGS} tags.")

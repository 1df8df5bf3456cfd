# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out whether AWS made a change although the call failed.

The answer was lost, or another process made the change first. If a connection breaks after AWS has made a
change, botocore repeats the call, and AWS refuses the repeated one: an image is deregistered only once. AWS
uses the same codes for what never existed, so the state is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .._failures import Failure
from .._plan import Action
from . import read
from .errors import AWS_ERRORS, REMEDIES, SERVER_ERRORS

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_kms import KMSClient

# EC2 Developer Guide, "Error codes for the Amazon EC2 API": an image that is deregistered, or in another
# state than the call requires.
_IMAGE = frozenset({"InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"})
_SNAPSHOT = frozenset({"InvalidSnapshot.NotFound"})
# KMS API Reference, RevokeGrant: also the code of a key that does not exist.
_GRANT = frozenset({"NotFoundException"})
# Exceptions of botocore from before the call is sent.
_NOT_SENT = frozenset({"NoCredentialsError", "ParamValidationError"})


class _Change(NamedTuple):
    """Codes of a call whose change was made already, and the read that shows whether it was."""

    codes: frozenset[str]
    is_made: Callable[[Any, Mapping[str, Any]], bool]


def is_refused_as_made(action: Action, problem: Failure) -> bool:
    """Whether AWS's code says that the change may have been made before this call."""
    change = _CHANGES.get(action.operation)
    return change is not None and problem.error_code in change.codes


def is_unknown(problem: Failure) -> bool:
    """Whether the failure leaves open whether AWS performed the call.

    Errors with a known code say that AWS did not, unless it is one for failed servers. Some have the HTTP
    status of these, too, such as those of throttling.
    """
    is_of_server = problem.of_server and problem.error_code not in REMEDIES
    is_lost = problem.source == "sdk" and problem.error_code not in _NOT_SENT
    return problem.error_code in SERVER_ERRORS or is_of_server or is_lost


def may_be_made(action: Action, problem: Failure) -> bool:
    """Whether the failure leaves open that AWS made a change that can be read."""
    return is_refused_as_made(action, problem) or (is_unknown(problem) and action.operation in _CHANGES)


def is_made(client: Any, action: Action) -> bool:
    """Whether a read shows that the change of the action is made. False if that cannot be read."""
    try:
        return _CHANGES[action.operation].is_made(client, action.parameters)
    except AWS_ERRORS:
        return False


def _image_state(ec2: EC2Client, parameters: Mapping[str, Any]) -> str | None:
    """Return the image's state, None if it is deregistered. Lists may still show it for a while."""
    image = read.named_images(ec2, [parameters["ImageId"]]).get(parameters["ImageId"])
    return None if image is None or image.state == "deregistered" else image.state


def _is_deregistered(ec2: EC2Client, parameters: Mapping[str, Any]) -> bool:
    return _image_state(ec2, parameters) is None


def _is_disabled(ec2: EC2Client, parameters: Mapping[str, Any]) -> bool:
    return _image_state(ec2, parameters) == "disabled"


def _is_enabled(ec2: EC2Client, parameters: Mapping[str, Any]) -> bool:
    return _image_state(ec2, parameters) == "available"


def _is_registered(ec2: EC2Client, parameters: Mapping[str, Any]) -> bool:
    return _image_state(ec2, parameters) is not None


def _is_deleted(ec2: EC2Client, parameters: Mapping[str, Any]) -> bool:
    return not read.snapshots(ec2, [parameters["SnapshotId"]])


def _exists(ec2: EC2Client, parameters: Mapping[str, Any]) -> bool:
    return bool(read.snapshots(ec2, [parameters["SnapshotId"]]))


def _is_revoked(kms: KMSClient, parameters: Mapping[str, Any]) -> bool:
    return all(grant.grant_id != parameters["GrantId"] for grant in read.grants(kms, parameters["KeyId"]))


_CHANGES = {
    "DeleteSnapshot": _Change(_SNAPSHOT, _is_deleted),
    "DeregisterImage": _Change(_IMAGE, _is_deregistered),
    "DisableImage": _Change(_IMAGE, _is_disabled),
    "EnableImage": _Change(_IMAGE, _is_enabled),
    "RestoreImageFromRecycleBin": _Change(_IMAGE, _is_registered),
    "RestoreSnapshotFromRecycleBin": _Change(_SNAPSHOT, _exists),
    "RevokeGrant": _Change(_GRANT, _is_revoked),
}

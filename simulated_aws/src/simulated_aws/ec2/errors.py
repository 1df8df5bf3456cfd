# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of EC2, with its codes and messages."""

from __future__ import annotations

from moto.ec2.exceptions import EC2ClientError


class Ec2Error(EC2ClientError):
    """An error of EC2: `code` and `message` of its error document, and the HTTP `status`.

    It is a subclass of moto's error, since moto's services call parts of this package too.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message)
        self.status = status


def image_not_found(*image_ids: str) -> Ec2Error:
    """The image doesn't exist, or is not shared with the caller."""
    if len(image_ids) == 1:
        return Ec2Error("InvalidAMIID.NotFound", f"The image id '[{image_ids[0]}]' does not exist")
    return Ec2Error("InvalidAMIID.NotFound", f"The image ids '[{', '.join(image_ids)}]' do not exist")


def image_unavailable(image_id: str, state: str) -> Ec2Error:
    """The image exists, but its state allows neither a launch nor a change of attributes."""
    if state == "deregistered":
        return Ec2Error("InvalidAMIID.Unavailable", f"The image ID '{image_id}' is no longer available")
    message = f"The AMI ID '{image_id}' is currently {state} and may not be used for this operation"
    return Ec2Error("InvalidAMIID.Unavailable", message)


def snapshot_not_found(snapshot_id: str) -> Ec2Error:
    """The snapshot doesn't exist, or is not shared with the caller."""
    return Ec2Error("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")


def not_authorized(kind: str, resource_id: str) -> Ec2Error:
    """The caller can see the resource but doesn't own it."""
    return Ec2Error("AuthFailure", f"Not authorized for {kind}:{resource_id}", 403)


def invalid_value(parameter: str, value: object, why: str = "") -> Ec2Error:
    """A parameter value that is not valid by its documentation."""
    message = f"Value ({value}) for parameter {parameter} is invalid."
    return Ec2Error("InvalidParameterValue", f"{message} {why}".rstrip())


def missing_parameter(name: str) -> Ec2Error:
    """A required parameter is missing."""
    return Ec2Error("MissingParameter", f"The request must contain the parameter {name}")


def parameter_mismatch() -> Ec2Error:
    """A client token of a request with other parameters (EC2 Developer Guide, Ensuring idempotency)."""
    message = "Arguments on this idempotent request are inconsistent with those of previous request(s)."
    return Ec2Error("IdempotentParameterMismatch", message)


def dry_run() -> Ec2Error:
    """The response of a successful dry run (botocore shape CopyImageRequest, DryRun)."""
    return Ec2Error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)

# SPDX-License-Identifier: GPL-3.0-or-later
"""What moto's instances lack: client tokens, the state `pending`, and the check of architectures."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Instance, InstanceState, Reservation

from ..settings import SETTINGS
from . import state
from .access import Caller
from .errors import Ec2Error, invalid_value, parameter_mismatch
from .state import Image

LONGEST_TOKEN = 64
"""ASCII characters (botocore shape RunInstancesRequest, ClientToken)."""
_NO_TOKEN = (None, "ABCDE")
"""moto's values for a request without a client token."""


class Starting(InstanceState):
    """Pending for some seconds, then running, unless another state is set."""

    def __init__(self, seconds: float) -> None:
        super().__init__("running", 16)
        self._until = state.now() + timedelta(seconds=seconds)

    @property
    def name(self) -> str:
        return "pending" if self._pending else self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def code(self) -> int:
        return 0 if self._pending else self._code

    @code.setter
    def code(self, value: int) -> None:
        self._code = value

    @property
    def _pending(self) -> bool:
        return self._name == "running" and state.now() < self._until


def start(instance: Instance) -> None:
    """Keep a started instance pending for the time in the settings."""
    if SETTINGS.launch_seconds:
        instance._state = Starting(SETTINGS.launch_seconds)


def require_fitting_type(image: Image, instance_type: str) -> None:
    """Reject a type that the image does not support.

    EC2 User Guide, Instance type requirements (architectures), AMI allowed instance types; for ENA
    hashicorp/terraform#19763; for boot modes EC2 User Guide, Instance launch behavior with Amazon EC2 boot
    modes, and RhinoSecurityLabs/cloudgoat#247. An image without a boot mode gets the default of the type.
    """
    known: Any = INSTANCE_TYPES.get(instance_type)
    if known is None:
        raise invalid_value("instanceType", instance_type)
    architectures = known["ProcessorInfo"]["SupportedArchitectures"]
    if image.architecture not in architectures:
        raise Ec2Error(
            "InvalidParameterValue",
            f"The architecture '{','.join(architectures)}' of the specified instance type does not match the "
            f"architecture '{image.architecture}' of the specified AMI. Specify an instance type and an AMI "
            "that have matching architectures, and try again.",
        )
    if known["NetworkInfo"]["EnaSupport"] == "required" and not image.ena_support:
        raise Ec2Error(
            "InvalidParameterCombination",
            "Enhanced networking with the Elastic Network Adapter (ENA) is required for the "
            f"'{instance_type}' instance type. Ensure that you are using an AMI that is enabled for ENA.",
        )
    _require_fitting_root(image, instance_type, known)
    _require_fitting_firmware(image, instance_type, known)
    supported = not image.supported_types or _matches(instance_type, image.supported_types)
    if not supported or _matches(instance_type, image.unsupported_types):
        # Only the code is documented (botocore operation ReplaceImageInstanceTypeSpecification).
        message = f"The instance type '{instance_type}' is not compatible with the AMI '{image.id}'."
        raise Ec2Error("InvalidParameterCombination", message)


def _require_fitting_root(image: Image, instance_type: str, known: Any) -> None:
    """Reject a type without the image's virtualization or kind of root volume.

    For virtualization BD2KGenomics/cgcloud#10. For root volumes only the requirement is documented (EC2 User
    Guide, Root volumes for your instances): code and message are a guess.
    """
    if image.virtualization_type not in known["SupportedVirtualizationTypes"]:
        (required,) = known["SupportedVirtualizationTypes"]
        message = f"Virtualization type '{required}' is required for instances of type '{instance_type}'."
        raise Ec2Error("InvalidParameterCombination", message)
    if image.root_device_type not in known["SupportedRootDeviceTypes"]:
        message = (
            f"The instance type '{instance_type}' does not support {image.root_device_type} root devices."
        )
        raise Ec2Error("InvalidParameterCombination", message)


def _require_fitting_firmware(image: Image, instance_type: str, known: Any) -> None:
    """Reject a type without the image's boot mode or without its NitroTPM.

    Of NitroTPM's error only the message is reported, by users (EC2 User Guide, Requirements for using
    NitroTPM with Amazon EC2 instances): the code is a guess, that for boot modes.
    """
    if image.boot_mode in ("uefi", "legacy-bios") and image.boot_mode not in known["SupportedBootModes"]:
        mode = {"uefi": "UEFI", "legacy-bios": "Legacy BIOS"}[image.boot_mode]
        raise Ec2Error(
            "InvalidParameterValue",
            f"The {instance_type} instance type does not support an AMI with a boot mode of {mode}. Specify "
            f"an instance type that supports {mode}, and try again.",
        )
    if image.tpm_support and known["NitroTpmSupport"] != "supported":
        raise Ec2Error(
            "InvalidParameterValue",
            f"The {instance_type} instance type does not support an AMI with TPM version "
            f"{image.tpm_support}. Specify an instance type that supports TPM version {image.tpm_support}, "
            "and try again.",
        )


def _matches(instance_type: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(instance_type, pattern) for pattern in patterns)


def launched_before(caller: Caller, token: str | None, fingerprint: str) -> Reservation | None:
    """The reservation of an earlier request with this client token, in whatever state it is now.

    (EC2 Developer Guide, Ensuring idempotency: valid for at least 24 hours after the instance's termination.)
    """
    if token in _NO_TOKEN or token is None:
        return None
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise invalid_value("clientToken", token, f"At most {LONGEST_TOKEN} ASCII characters.")
    use = state.account_region(*caller).launch_tokens.get(token)
    if use is None:
        return None
    if use.fingerprint != fingerprint:
        raise parameter_mismatch()
    reservation: Reservation = use.reservation
    return reservation


def remember(caller: Caller, token: str | None, fingerprint: str, reservation: Reservation) -> None:
    """Store the reservation of a client token."""
    if token not in _NO_TOKEN and token is not None:
        state.account_region(*caller).launch_tokens[token] = state.LaunchUse(fingerprint, reservation)


def fingerprint(*parameters: Any) -> str:
    """A hash of the parameters, which must be the same for the same client token."""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).hexdigest()

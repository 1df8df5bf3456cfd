# SPDX-License-Identifier: GPL-3.0-or-later
"""RunInstances as a dry run, which checks the caller's permissions and what the request names.

(botocore shape RunInstancesRequest, DryRun; EC2 User Guide, Launch an instance: dry run.) KMS keys are not
checked, as they are not before a real launch is accepted.
"""

from __future__ import annotations

from moto.core.exceptions import ServiceException

from ..http.fast_path import FastPathRequest
from ..iam import condition_keys, identity_policies
from ..iam.current_principal import current_principal
from ..iam.policies import Request
from .access import Caller
from .dispatch import error_response
from .errors import Ec2Error, dry_run
from .instances import require_fitting_type
from .launch import launchable_image
from .regions import require_opted_in

# Whatever else a request may name is known to moto's backend of the account and Region alone, which takes a
# second to make.
_PARAMETERS_WITHOUT_BACKEND = frozenset(
    {"Action", "Version", "DryRun", "ImageId", "InstanceType", "MaxCount", "MinCount", "ClientToken"}
)


def answer(request: FastPathRequest) -> tuple[int, bytes] | None:
    """HTTP status and document of a dry run that needs no backend of moto's; None for all other launches."""
    if request.params.get("DryRun") != "true" or set(request.params) - _PARAMETERS_WITHOUT_BACKEND:
        return None
    caller = Caller(request.account_id, request.region)
    try:
        require_opted_in(request.region)
        image_id = request.params.get("ImageId")
        require_authorized(caller, image_id)
        require_launchable(caller, image_id, request.params.get("InstanceType"))
        raise dry_run()
    except ServiceException as error:
        return error_response(error, request.request_id)


def require_launchable(caller: Caller, image_id: str | None, instance_type: str | None) -> None:
    """Refuse an image that the caller can't launch, or not as this type."""
    image = launchable_image(caller, image_id)
    if instance_type:
        require_fitting_type(image, instance_type)


def require_authorized(caller: Caller, image_id: str | None) -> None:
    """Refuse a launch that the caller's own policies don't allow.

    Service Authorization Reference, Amazon EC2: RunInstances is about an image and an instance, among others.
    """
    principal = current_principal(caller.account_id)
    prefix = f"arn:{principal.partition}:ec2:{caller.region}"
    resources = (f"{prefix}::image/{image_id}", f"{prefix}:{caller.account_id}:instance/*")
    for resource in resources:
        context = condition_keys.of_principal(principal)
        decision = identity_policies.evaluate(Request(principal, "ec2:RunInstances", resource, context))
        if decision.denies or not decision.allows:
            why = (
                "with an explicit deny in an identity-based policy"
                if decision.denies
                else "because no identity-based policy allows the ec2:RunInstances action"
            )
            raise Ec2Error(
                "UnauthorizedOperation",
                "You are not authorized to perform this operation. "
                f"User: {principal.caller_arn} is not authorized to perform: ec2:RunInstances "
                f"on resource: {resource} {why}",
                403,
            )

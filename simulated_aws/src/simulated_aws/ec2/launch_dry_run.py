# SPDX-License-Identifier: GPL-3.0-or-later
"""RunInstances as a dry run: checks the caller's permissions, image, instance type and network.

(botocore shape RunInstancesRequest, DryRun; EC2 User Guide, Launch an instance: dry run.) KMS keys are not
checked, since a real launch checks them only after it is accepted.
"""

from __future__ import annotations

from moto.core.exceptions import ServiceException

from ..http.fast_path import FastPathRequest
from .access import Caller
from .authorization import require_launch
from .dispatch import error_response
from .errors import dry_run
from .instances import require_fitting_type
from .launch import launchable_image
from .launch_network import require_default_subnet

# Other parameters need moto's backend of the account and Region, whose creation takes a second.
HTTP_TOKENS = "MetadataOptions.HttpTokens"
_PARAMETERS_WITHOUT_BACKEND = frozenset(
    {
        *("Action", "Version", "DryRun", "ImageId", "InstanceType", "MaxCount", "MinCount", "ClientToken"),
        HTTP_TOKENS,
    }
)


def answer(request: FastPathRequest) -> tuple[int, bytes] | None:
    """Handle a dry run that needs no backend of moto; None for all other launches."""
    if request.params.get("DryRun") != "true" or set(request.params) - _PARAMETERS_WITHOUT_BACKEND:
        return None
    caller = Caller(request.account_id, request.region)
    try:
        image_id = request.params.get("ImageId")
        require_launch(caller, image_id, request.params.get(HTTP_TOKENS), {})
        require_launchable(caller, image_id, request.params.get("InstanceType"))
        require_default_subnet(caller)
        raise dry_run()
    except ServiceException as error:
        return error_response(error, request.request_id)


def require_launchable(caller: Caller, image_id: str | None, instance_type: str | None) -> None:
    """Reject an image that the caller can't launch, or not with this instance type."""
    image = launchable_image(caller, image_id)
    if instance_type:
        require_fitting_type(image, instance_type)

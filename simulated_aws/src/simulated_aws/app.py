# SPDX-License-Identifier: GPL-3.0-or-later
"""The application: connects the services, moto, the HTTP pipeline and the control API.

Importing this module imports moto, which reads its environment variables at that time.
"""

from __future__ import annotations

import asyncio

from . import (
    autoscaling,
    call_authorization,
    cloudformation,
    cloudtrail,
    ec2,
    events,
    iam,
    image_users,
    imagebuilder,
    kms,
    organizations,
    rbin,
    s3,
    sns,
    sqs,
    ssm,
    sts,
)
from .control_api import PREFIX, ControlApi
from .ec2.fast_path import HANDLERS as EC2_HANDLERS
from .http.connection import Request, Response
from .http.moto_app import MotoApp
from .http.pipeline import Pipeline
from .iam.simulation import HANDLERS as IAM_HANDLERS
from .kms.fast_path import HANDLERS as KMS_HANDLERS
from .ram import dispatch as ram


class App:
    """Handles every request of one server."""

    def __init__(self) -> None:
        iam.patch_moto()
        sts.patch_moto()
        organizations.patch_moto()
        kms.patch_moto()
        ssm.patch_moto()
        s3.patch_moto()
        sns.patch_moto()
        sqs.patch_moto()
        events.patch_moto()
        cloudtrail.patch_moto()
        ec2.patch_moto()
        autoscaling.patch_moto()
        image_users.patch_moto()
        self._pipeline = Pipeline(
            {
                **cloudformation.HANDLERS,
                **EC2_HANDLERS,
                **IAM_HANDLERS,
                **image_users.HANDLERS,
                **KMS_HANDLERS,
            },
            MotoApp(),
            {"imagebuilder": imagebuilder.answer, "ram": ram.answer, "rbin": rbin.answer},
            call_authorization.denial,
        )
        self.control = ControlApi(self._pipeline)

    async def answer(self, request: Request, gone: asyncio.Event) -> Response | None:
        """Handle a control call or an AWS API call; see Pipeline.answer."""
        if request.target.startswith(PREFIX):
            return self.control.answer(request)
        return await self._pipeline.answer(request, gone)

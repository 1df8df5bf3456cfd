# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the parameter by which accounts launch an image: in its owner's account, and in those that launch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .._aws import errors, parameters
from .._aws.resource_shares import other_shares
from .._denial import DENIED
from .._model import Target
from .._parameter_share import parameter_arn
from .state import ParameterContent, ParameterRead, ParameterView

if TYPE_CHECKING:
    from .._aws.clients import Clients

_READ, _SHARES, _TIER = "GetParameter", "GetResourceShareAssociations", "GetParameterHistory"


def read_owned_parameter(clients: Clients, target: Target, partition: str, name: str) -> ParameterView:
    """Read the parameter and its resource shares in its owner's account. A failure is a part of the view."""
    view = ParameterView(name, parameter_arn(partition, target, name))
    ssm, action = clients.ssm(target.region), _READ
    try:
        current = parameters.current(ssm, view.arn)
        if current is None:
            return view
        view, action = replace(view, content=_content(current)), _SHARES
        view = replace(view, shares=other_shares(clients.client("ram", target.region), view.arn, ()))
        if view.shares:
            return view
        action = _TIER
        return replace(view, tier=parameters.tier(ssm, name))
    except errors.AWS_ERRORS as exception:
        return replace(view, problem=errors.failure(exception, target, action))


def read_as_launch(clients: Clients, target: Target, arn: str) -> ParameterRead:
    """Read the parameter in an account that would launch by it.

    Raises:
        ClientError: the account's role cannot be assumed.
    """
    try:
        current = parameters.read_by_arn(clients.ssm(target.region), arn)
    except errors.AWS_ERRORS as exception:
        problem = errors.failure(exception, target, "GetParameters")
        if problem.action == "AssumeRole":
            raise
        return (
            ParameterRead(refusal=problem) if problem.error_code in DENIED else ParameterRead(problem=problem)
        )
    return ParameterRead(content=None if current is None else _content(current))


def _content(parameter: parameters.CurrentParameter) -> ParameterContent:
    obstacle = parameter.not_an_image()
    return ParameterContent(parameter.value) if obstacle is None else ParameterContent(obstacle=obstacle)

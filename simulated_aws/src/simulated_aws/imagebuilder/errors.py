# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of EC2 Image Builder, by the error shapes of botocore's service model `imagebuilder`."""

from __future__ import annotations

from ..exceptions import AwsError


class ImageBuilderError(AwsError):
    """An error of Image Builder."""


def not_valid(message: str) -> ImageBuilderError:
    """A parameter value that is not valid by its documentation."""
    return ImageBuilderError("InvalidParameterValueException", message)


def not_found(arn: str) -> ImageBuilderError:
    """A resource that does not exist."""
    return ImageBuilderError("ResourceNotFoundException", f"The resource {arn} does not exist", 404)


def already_exists(arn: str) -> ImageBuilderError:
    """A recipe version can be created once (Image Builder User Guide, Manage recipes), like a policy."""
    return ImageBuilderError("ResourceAlreadyExistsException", f"The resource {arn} already exists")

# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this collection uses of boto3 and botocore, which may not be installed.

Without them, AnsibleAWSModule ends a module before any of this is used. The exceptions exist then too: other
classes are derived from them when they are imported.
"""

from __future__ import annotations

__all__ = [
    "AWS_ERRORS",
    "AssumeRoleCredentialFetcher",
    "BotoCoreError",
    "ClientError",
    "Config",
    "CredentialProvider",
    "CredentialResolver",
    "Credentials",
    "DeferredRefreshableCredentials",
    "EndpointConnectionError",
    "Loader",
    "NoCredentialsError",
    "ParamValidationError",
    "ReadOnlyCredentials",
    "ResponseParserError",
    "WaiterError",
    "boto3",
    "botocore",
    "create_loader",
    "xform_name",
]

try:
    import boto3
    import botocore.session
    from botocore import xform_name
    from botocore.config import Config
    from botocore.credentials import (
        AssumeRoleCredentialFetcher,
        CredentialProvider,
        CredentialResolver,
        Credentials,
        DeferredRefreshableCredentials,
        ReadOnlyCredentials,
    )
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        NoCredentialsError,
        ParamValidationError,
        WaiterError,
    )
    from botocore.loaders import Loader, create_loader
    from botocore.parsers import ResponseParserError

    AWS_ERRORS: tuple[type[Exception], ...] = (BotoCoreError, ClientError, ResponseParserError)
except ImportError:
    boto3 = None  # type: ignore[assignment]

    # Distinct classes: pylint reports handlers of the same exception.
    class BotoCoreError(Exception):  # type: ignore[no-redef]
        """Replaces botocore's exception if botocore is not installed."""

    class ClientError(Exception):  # type: ignore[no-redef]
        """Replaces botocore's exception if botocore is not installed."""

    class EndpointConnectionError(BotoCoreError):  # type: ignore[no-redef]
        """Replaces botocore's exception if botocore is not installed."""

    class NoCredentialsError(BotoCoreError):  # type: ignore[no-redef]
        """Replaces botocore's exception if botocore is not installed."""

    class ParamValidationError(BotoCoreError):  # type: ignore[no-redef]
        """Replaces botocore's exception if botocore is not installed."""

    class WaiterError(BotoCoreError):  # type: ignore[no-redef]
        """Replaces botocore's exception if botocore is not installed."""

    class ResponseParserError(Exception):  # type: ignore[no-redef]
        """Replaces botocore's exception if botocore is not installed."""

    # Nothing raises these classes, and pylint would not take a tuple of them for exceptions.
    AWS_ERRORS = ()

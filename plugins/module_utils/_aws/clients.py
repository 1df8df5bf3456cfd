# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create boto3 sessions and clients; nothing else does."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from .._failures import ValidationError
from .._fanout import MAX_THREADS
from . import sdk
from .errors import unreadable
from .iam_actions import name_actions
from .managed_resources import include_managed_resources
from .operations import with_called_only
from .rate_limit import RateLimits
from .web_pages import refuse_web_pages

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

USER_AGENT = "golden.images"
# CloudTrail of the account with the role records it.
SESSION_NAME = "golden.images"
# Botocore's names of what it reads for each client, and the services that nearly all tasks call. Their
# paginators are read by the first page: by all regions' threads at once, if they were not read before.
_DATA = ("_retry", "endpoints", "partitions", "sdk-default-configuration")
_MODELS = ("service-2", "endpoint-rule-set-1", "paginators-1")
_SERVICES = ("ec2", "kms", "sts")


@dataclass(frozen=True)
class Connection:
    """How to reach AWS, from the module's options and the environment. ``repr`` hides the credentials."""

    credentials: dict[str, Any] = field(default_factory=dict, repr=False)
    profile_name: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    verify: bool | str | None = None
    config: sdk.Config | None = None
    max_calls_per_second: float | None = None
    """The most calls of one operation in one region; None if only AWS limits them."""


def organizations_config() -> sdk.Config:
    """Return the botocore settings for Organizations: more attempts, since all callers share its quotas."""
    return sdk.Config(retries={"mode": "adaptive", "total_max_attempts": 10}, connect_timeout=10)


def lookup_config() -> sdk.Config:
    """Return the botocore settings for a few reads on the controller."""
    return sdk.Config(
        retries={"mode": "standard", "total_max_attempts": 8}, connect_timeout=10, user_agent_extra=USER_AGENT
    )


def optional_config() -> sdk.Config:
    """Return the botocore settings for a read that can fail: a silent service costs seconds."""
    return sdk.Config(
        retries={"mode": "standard", "total_max_attempts": 2},
        connect_timeout=3,
        read_timeout=10,
        user_agent_extra=USER_AGENT,
    )


def preload() -> None:
    """Read botocore's models of the services that nearly all tasks call, for this process and its forks.

    Nothing is read without boto3.
    """
    if sdk.boto3 is None:
        return
    loader = _loader(os.environ.get("AWS_DATA_PATH"))
    for name in _DATA:
        loader.load_data(name)
    for service in _SERVICES:
        for kind in _MODELS:
            loader.load_service_model(service, kind)


@cache
def _loader(data_path: str | None) -> sdk.Loader:
    """Return the loader of botocore's models for all sessions: it keeps what it has read, which is large."""

    class Loader(sdk.Loader):
        """Botocore's loader, without operations that nothing calls."""

        def load_service_model(
            self, service_name: str, type_name: str, api_version: str | None = None
        ) -> dict[str, Any]:
            model: dict[str, Any] = super().load_service_model(service_name, type_name, api_version)
            return with_called_only(service_name, model) if type_name == "service-2" else model

    paths = sdk.create_loader(data_path).search_paths
    return Loader(paths, include_default_search_paths=False)


class Clients:
    """AWS clients by service and region, of one session.

    Clients are thread-safe, sessions are not: ``open`` the clients before threads start.
    """

    def __init__(
        self,
        connection: Connection,
        session: sdk.boto3.session.Session | None = None,
        limited_operation: str | None = None,
        limits: RateLimits | None = None,
    ) -> None:
        self._connection = connection
        self._limited_operation = limited_operation
        self._limits = limits or RateLimits(connection.max_calls_per_second)
        self._session = session or _session(connection)
        # Also for the clients that botocore creates, to assume the role of a profile.
        refuse_web_pages(self._session.events)
        include_managed_resources(self._session.events)
        name_actions(self._session.events)
        # With botocore's retries, 8 attempts span about a minute of throttling. The timeout detects a region
        # that cannot be reached within seconds.
        config = sdk.Config(
            retries={"mode": "standard", "total_max_attempts": 8},
            connect_timeout=10,
            max_pool_connections=MAX_THREADS,
            user_agent_extra=USER_AGENT,
        )
        self._config = config.merge(connection.config) if connection.config else config
        # IAM User Guide, "Manage AWS STS in an AWS Region": session tokens of the global endpoint, which is
        # the default of older botocore, are not valid in opt-in regions.
        if not self._sets("sts_regional_endpoints", "AWS_STS_REGIONAL_ENDPOINTS"):
            self._session._session.set_config_variable("sts_regional_endpoints", "regional")
        self._clients: dict[tuple[str, str], Any] = {}
        self.caller = ""
        """The ARN of the user or the session of a role, once it was read."""
        self._assumed: dict[tuple[str, str | None, str], sdk.Credentials] = {}
        self._rate_limited: dict[str, Clients] = {}
        self._without_retries: Clients | None = None

    def describe(self) -> dict[str, str]:
        """Return the version of botocore, and the caller, as evidence for reports."""
        return {"botocore": sdk.botocore.__version__, "caller": self.caller}

    def _sets(self, setting: str, variable: str) -> bool:
        """Whether the user sets a setting of botocore, in the profile or the environment."""
        return variable in os.environ or setting in self._session._session.get_scoped_config()

    def open(self, service: str, regions: Iterable[str]) -> None:
        """Create the clients of ``service`` in ``regions`` that do not exist yet.

        Raises:
            ValidationError: the endpoint of the service in the user's settings is no URL, or the credentials,
                which botocore reads for the first client, cannot be read.
        """
        for region in regions:
            if (service, region) not in self._clients:
                client = self._create(service, region)
                refuse_web_pages(client.meta.events, client.meta.endpoint_url)
                self._limit_rate(client)
                self._clients[service, region] = client

    def _create(self, service: str, region: str) -> Any:
        try:
            return self._session.client(
                service,  # type: ignore[call-overload]
                region_name=region,
                endpoint_url=self._connection.endpoint_url,
                verify=self._connection.verify,
                config=self._config,
            )
        except sdk.BotoCoreError:
            # Some are ValueErrors, too.
            raise
        except ValueError as exception:
            raise ValidationError([unreadable(exception, service)]) from exception

    def _limit_rate(self, client: Any) -> None:
        """Let a client send the limited operation as fast as AWS lets it."""
        operation, model = self._limited_operation, client.meta.service_model
        if operation and operation in model.operation_names:
            limit = self._limits.of(model.service_name, client.meta.region_name, operation)
            of_operation = f"{model.service_id.hyphenize()}.{operation}"
            client.meta.events.register(f"request-created.{of_operation}", limit.before)
            client.meta.events.register(f"needs-retry.{of_operation}", limit.after)

    def rate_limited(self, operation: str) -> Clients:
        """Return clients of the same session for thousands of calls of one operation; they are created once.

        They call it at the rate that AWS admits, which all clients of this account share, and repeat a call
        more often. The user's retry settings take precedence.
        """
        if operation not in self._rate_limited:
            retries = sdk.Config(retries={"mode": "standard", "total_max_attempts": 12})
            user_config = self._connection.config
            config = retries.merge(user_config) if user_config else retries
            connection = replace(self._connection, config=config)
            self._rate_limited[operation] = Clients(connection, self._session, operation, self._limits)
        return self._rate_limited[operation]

    def without_retries(self) -> Clients:
        """Return clients of the same session that send each call once, since each has an effect of its own.

        They keep the user's retry mode, since the adaptive one also limits the rate.
        """
        if self._without_retries is None:
            # boto3's stubs lack the attributes of Config.
            settings: Any = self._config
            retries: Any = {**settings.retries, "total_max_attempts": 1}
            once = sdk.Config(retries=retries)
            user_config = self._connection.config
            config = user_config.merge(once) if user_config else once
            connection = replace(self._connection, config=config)
            self._without_retries = Clients(connection, self._session, self._limited_operation, self._limits)
        return self._without_retries

    def close_connections(self) -> None:
        """Close all connections to AWS; a client that is used again opens a new one."""
        for client in self._clients.values():
            client.close()
        for others in (*self._rate_limited.values(), self._without_retries):
            if others:
                others.close_connections()

    def of_fork(self) -> Clients:
        """Return clients of the same session for a fork of this process, which uses none of its parent's."""
        return Clients(self._connection, self._session)

    def role_credentials(self, role_arn: str, external_id: str | None, region: str) -> sdk.Credentials:
        """Return the credentials of another account's role. Their first read assumes it.

        Botocore renews them before they expire. They are cached, so that each role is assumed once, and stay
        inside this process. The STS client of ``region`` must be open.
        """
        role = (role_arn, external_id, region)
        if role in self._assumed:
            return self._assumed[role]
        extra = {"RoleSessionName": SESSION_NAME, **({"ExternalId": external_id} if external_id else {})}
        sts = self.sts(region)
        fetcher = sdk.AssumeRoleCredentialFetcher(
            client_creator=lambda *_service, **_credentials: sts,
            source_credentials=self._session.get_credentials(),
            role_arn=role_arn,
            extra_args=extra,
        )

        credentials = sdk.DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        # If two threads arrive at the same time, both get the credentials of the first.
        return self._assumed.setdefault(role, credentials)

    def credentials(self) -> sdk.Credentials | None:
        """Return the credentials of the session; None if there are none."""
        return self._session.get_credentials()

    def with_credentials(self, credentials: sdk.Credentials) -> Clients:
        """Return clients with these credentials, in a session of their own with the same profile.

        The profile sets, for example, ``use_fips_endpoint`` and ``ca_bundle``. Its credentials are not used.
        """
        session = sdk.botocore.session.Session(profile=self._connection.profile_name)
        session.register_component("data_loader", self._session._session.get_component("data_loader"))
        session.register_component("credential_provider", sdk.CredentialResolver([_provider(credentials)]))
        return Clients(self._connection, sdk.boto3.session.Session(botocore_session=session))

    def ec2(self, region: str) -> EC2Client:
        """Return the EC2 client of an opened region."""
        client: EC2Client = self._clients["ec2", region]
        return client

    def kms(self, region: str) -> KMSClient:
        """Return the KMS client of an opened region."""
        client: KMSClient = self._clients["kms", region]
        return client

    def ssm(self, region: str) -> SSMClient:
        """Return the SSM client of an opened region."""
        client: SSMClient = self._clients["ssm", region]
        return client

    def sts(self, region: str) -> STSClient:
        """Return the STS client of an opened region."""
        client: STSClient = self._clients["sts", region]
        return client

    def client(self, service: str, region: str) -> Any:
        """Return the client of a service that is used in one place only, of an opened region."""
        return self._clients[service, region]

    @property
    def default_region(self) -> str:
        """Return the set or the assumed region, for calls with the same result in every region."""
        return self._connection.region or "us-east-1"

    @property
    def is_region_set(self) -> bool:
        """Whether the default region is set, and not only assumed."""
        return bool(self._connection.region)

    def is_known(self, region: str) -> bool:
        """Whether botocore knows a region of this name. It may not know the newest."""
        partition = self.partition_of(region)
        return partition is not None and region in self._session.get_available_regions("ec2", partition)

    def lacks(self, service: str, region: str) -> bool:
        """Whether botocore's data has the region, and the service in other regions of its partition only.

        The data can be old, and has no regions of some services, such as Image Builder.
        """
        partition = self.partition_of(region)
        offered = self._session.get_available_regions(service, partition) if partition else []
        return bool(offered) and region not in offered and self.is_known(region)

    def partition_of(self, region: str) -> str | None:
        """Return the partition by the form of a region's name; None for another form. It may not exist."""
        try:
            partition: str = self._session.get_partition_for_region(region)
        except sdk.BotoCoreError:
            return None
        return partition

    def partitions(self) -> dict[str, str]:
        """Return the regions that the installed botocore knows with their partitions, for error messages."""
        return {
            region: partition
            for partition in self._session.get_available_partitions()
            for region in self._session.get_available_regions("ec2", partition)
        }


def _session(connection: Connection) -> sdk.boto3.session.Session:
    session = sdk.botocore.session.Session(profile=connection.profile_name)
    loader = _loader(session.get_config_variable("data_path"))
    session.register_component("data_loader", loader)
    return sdk.boto3.session.Session(botocore_session=session, **connection.credentials)


def _provider(credentials: sdk.Credentials) -> sdk.CredentialProvider:
    """Return a botocore credential provider that returns these credentials."""

    class StaticProvider(sdk.CredentialProvider):
        METHOD = "assume-role"

        def load(self) -> sdk.Credentials:
            return credentials

    return StaticProvider()

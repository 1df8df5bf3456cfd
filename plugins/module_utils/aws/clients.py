# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only place that makes boto3 sessions and clients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..fanout import MAX_THREADS

try:
    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.credentials import (
        AssumeRoleCredentialFetcher,
        CredentialProvider,
        CredentialResolver,
        Credentials,
        DeferredRefreshableCredentials,
    )
except ImportError:
    # AnsibleAWSModule has already told the user before any of this is used.
    pass

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

USER_AGENT = "golden.images"
# Shown in the CloudTrail of the account whose role is assumed.
SESSION_NAME = "golden.images"


@dataclass(frozen=True)
class Connection:
    """How to reach AWS, as the user's module options and environment say it. Its text shows no secret."""

    credentials: dict[str, Any] = field(default_factory=dict, repr=False)
    profile_name: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    verify: bool | str | None = None
    config: Config | None = None


def organizations_config() -> Config:
    """How to call Organizations: slower when throttled, and patiently, since others call it too."""
    return Config(retries={"mode": "adaptive", "total_max_attempts": 10}, connect_timeout=10)


class Clients:
    """AWS clients by service and region, of one session.

    Clients can be used by many threads, sessions cannot: ``open`` what is needed before threads start.
    """

    def __init__(self, connection: Connection, session: boto3.session.Session | None = None) -> None:
        self._connection = connection
        self._session = session or boto3.session.Session(
            profile_name=connection.profile_name, **connection.credentials
        )
        # botocore's own retries: 8 attempts span about a minute of throttling. A region that cannot be
        # reached is found out in seconds.
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 8},
            connect_timeout=10,
            max_pool_connections=MAX_THREADS,
            user_agent_extra=USER_AGENT,
        )
        self._config = config.merge(connection.config) if connection.config else config
        self._clients: dict[tuple[str, str], Any] = {}
        self._assumed: dict[tuple[str, str | None, str], Credentials] = {}
        self._adaptive: dict[str, Clients] = {}

    def open(self, service: str, regions: Iterable[str]) -> None:
        """Make the clients of ``service`` in ``regions`` that do not exist yet."""
        for region in regions:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._session.client(
                    service,  # type: ignore[call-overload]
                    region_name=region,
                    endpoint_url=self._connection.endpoint_url,
                    verify=self._connection.verify,
                    config=self._config,
                )

    def adaptive(self) -> Clients:
        """Clients of the same session for thousands of calls of one kind.

        Once AWS throttles one, botocore holds it to the rate that AWS takes (its adaptive mode). AWS counts
        the calls of each kind apart, so that each kind needs clients of its own. Retries that the user has
        configured go before.
        """
        pace = Config(retries={"mode": "adaptive", "total_max_attempts": 8})
        given = self._connection.config
        config = pace.merge(given) if given else pace
        return Clients(replace(self._connection, config=config), self._session)

    def adaptive_for(self, operation: str) -> Clients:
        """The ``adaptive`` clients for one kind of call, the same ones each time."""
        if operation not in self._adaptive:
            self._adaptive[operation] = self.adaptive()
        return self._adaptive[operation]

    def with_role(self, role_arn: str, external_id: str | None, region: str) -> Clients:
        """Clients of another account's role, of a session of their own that no other thread uses.

        The role is assumed at the first call, and again before its credentials expire. They stay inside this
        process. The STS client of ``region`` has to be open.
        """
        return self.with_credentials(self.role_credentials(role_arn, external_id, region))

    def role_credentials(self, role_arn: str, external_id: str | None, region: str) -> Credentials:
        """The credentials of another account's role, which is assumed when they are first asked for.

        Botocore renews them before they expire. The same role's are the same, so that it is assumed once. The
        STS client of ``region`` has to be open.
        """
        role = (role_arn, external_id, region)
        if role in self._assumed:
            return self._assumed[role]
        extra = {"RoleSessionName": SESSION_NAME, **({"ExternalId": external_id} if external_id else {})}
        sts = self.sts(region)
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=lambda *_service, **_credentials: sts,
            source_credentials=self._session.get_credentials(),
            role_arn=role_arn,
            extra_args=extra,
        )
        new = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        # Of two threads that come at the same time one wins.
        return self._assumed.setdefault(role, new)

    def credentials(self) -> Credentials | None:
        """What the clients sign with; None if the user has none."""
        return self._session.get_credentials()

    def with_credentials(self, credentials: Credentials) -> Clients:
        """Clients that sign with these credentials, of a session of their own."""
        session = botocore.session.Session()
        # Service descriptions are large: read once for all sessions.
        session.register_component("data_loader", self._session._session.get_component("data_loader"))
        session.register_component("credential_provider", CredentialResolver([_provider(credentials)]))
        return Clients(self._connection, boto3.session.Session(botocore_session=session))

    def ec2(self, region: str) -> EC2Client:
        """The EC2 client of a region that was opened."""
        client: EC2Client = self._clients["ec2", region]
        return client

    def kms(self, region: str) -> KMSClient:
        """The KMS client of a region that was opened."""
        client: KMSClient = self._clients["kms", region]
        return client

    def ssm(self, region: str) -> SSMClient:
        """The SSM client of a region that was opened."""
        client: SSMClient = self._clients["ssm", region]
        return client

    def sts(self, region: str) -> STSClient:
        """The STS client of a region that was opened."""
        client: STSClient = self._clients["sts", region]
        return client

    def client(self, service: str, region: str) -> Any:
        """The client of a service that is used in one place only, and of a region that was opened."""
        return self._clients[service, region]

    @property
    def default_region(self) -> str:
        """The region that options, environment and profile name, to ask there what is the same everywhere."""
        return self._connection.region or "us-east-1"

    def partitions(self) -> dict[str, str]:
        """Every region that the installed botocore knows, with its partition, to explain a refusal with."""
        return {
            region: partition
            for partition in self._session.get_available_partitions()
            for region in self._session.get_available_regions("ec2", partition)
        }


def _provider(credentials: Credentials) -> CredentialProvider:
    """A botocore credential provider that has just these."""

    class StaticProvider(CredentialProvider):
        METHOD = "assume-role"

        def load(self) -> Credentials:
            return credentials

    return StaticProvider()

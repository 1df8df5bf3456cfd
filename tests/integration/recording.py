# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS Config that records instances in accounts, and an aggregator of what it has recorded."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from simulated_aws.client import SimulatedAws

from .fixture import HOME


def record(aws: SimulatedAws, *accounts: str) -> None:
    """Record all resources of these accounts in their home region."""
    for account in accounts:
        config = aws.client("config", account, HOME)
        role = f"arn:aws:iam::{aws.account_id(account)}:role/config"
        config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "config"})
        config.start_configuration_recorder(ConfigurationRecorderName="default")


def aggregate(
    aws: SimulatedAws, name: str, account: str, sources: Iterable[str], regions: Iterable[str] = (HOME,)
) -> None:
    """Make an aggregator in an account, and let it take data from others."""
    account_ids = [aws.account_id(source) for source in sources]
    regions = [*regions]
    for source, region in product(account_ids, regions):
        aws.client("config", source, region).put_aggregation_authorization(
            AuthorizedAccountId=aws.account_id(account), AuthorizedAwsRegion=HOME
        )
    aws.client("config", account, HOME).put_configuration_aggregator(
        ConfigurationAggregatorName=name,
        AccountAggregationSources=[{"AccountIds": account_ids, "AwsRegions": regions}],
    )

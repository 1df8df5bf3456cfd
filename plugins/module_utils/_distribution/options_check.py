# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``distribution_check``, which are those of a distribution's steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .._copy.options import CopyOptions
from .._diagnose.options import DiagnosisOptions
from .._kms_grant.options import GrantOptions
from .._launch_probe.options import ProbeOptions
from .._option import FLAG, TEXT, Kind, Options, as_given, choice, is_region, option
from .._publish.options import PublishOptions
from .._share.options import ShareOptions
from .._verification.report import LEVELS
from .options_report import DistributionReportOptions

# The copies do not exist yet. In which regions they will be matters to some steps only.
_PLANNED_IMAGES: Mapping[str, None] = {"us-east-1": None}
# The options of a step, and its parameters.
Step = tuple[type[Options], dict[str, Any]]


def _of(step: type[Options], name: str, **spec: Any) -> Any:
    """Declare an option of a step, which validates it; the step may not run, so that none is required."""
    declared = {key: value for key, value in step.argument_spec()[name].items() if key != "required"}
    return option(Kind(declared, as_given), **spec)


@dataclass(frozen=True, kw_only=True)
class DistributionOptions(Options):
    """The options of ``distribution_check``, as they are given: ``steps`` validate those of the steps."""

    account_ids: Sequence[str] = _of(ShareOptions, "account_ids")
    org_arns: Sequence[str] = _of(ShareOptions, "org_arns")
    org_unit_arns: Sequence[str] = _of(ShareOptions, "org_unit_arns")
    consumer_role_name: str | None = _of(GrantOptions, "consumer_role_name")
    external_id: str | None = _of(GrantOptions, "external_id")
    subnet_ids: Mapping[str, Any] = _of(ProbeOptions, "subnet_ids")
    security_group_ids: Mapping[str, Any] = _of(ProbeOptions, "security_group_ids")
    launch_tags: Mapping[str, Any] | None = _of(ProbeOptions, "launch_tags")
    source_image_id: str | None = _of(CopyOptions, "source_image_id")
    source_parameter: str | None = _of(CopyOptions, "source_parameter")
    source_filters: Mapping[str, Any] | None = _of(CopyOptions, "source_filters")
    source_owners: Sequence[str] = _of(CopyOptions, "source_owners")
    source_region: str | None = _of(CopyOptions, "source_region")
    best_effort_regions: Sequence[str] = _of(CopyOptions, "best_effort_regions")
    name: str | None = _of(CopyOptions, "name")
    tags: Mapping[str, Any] | None = _of(CopyOptions, "tags")
    kms_key_id: str | None = _of(CopyOptions, "kms_key_id")
    kms_key_ids: Mapping[str, Any] | None = _of(CopyOptions, "kms_key_ids")
    reencrypt_source: bool = _of(CopyOptions, "reencrypt_source")
    consumer_kms_key_id: str | None = _of(CopyOptions, "kms_key_id")
    copy_wait_timeout: int = _of(CopyOptions, "wait_timeout")
    shared_tags: Mapping[str, Any] | None = _of(ShareOptions, "shared_tags")
    share_snapshots: bool = _of(ShareOptions, "share_snapshots")
    purge_launch_permissions: bool = _of(ShareOptions, "purge_launch_permissions")
    principals: Sequence[str] = _of(GrantOptions, "principals")
    access_method: str = _of(GrantOptions, "access_method")
    auto_scaling: bool = _of(GrantOptions, "auto_scaling")
    auto_scaling_roles: Sequence[str] = _of(GrantOptions, "auto_scaling_roles")
    purge_grants: bool = _of(GrantOptions, "purge_grants")
    publish_parameter: str | None = _of(PublishOptions, "parameter")
    parameter_tags: Mapping[str, Any] | None = _of(PublishOptions, "parameter_tags")
    launch_templates: Sequence[str] = _of(PublishOptions, "launch_templates")
    launch_template_base_version: str | None = _of(PublishOptions, "launch_template_base_version")
    copy_into_accounts: bool = option(FLAG)
    verify_level: str = option(choice("none", *LEVELS), default="none")
    host_account_id: str | None = option(TEXT, context={"type": "account_id"})
    instance_type: str | None = _of(ProbeOptions, "instance_type")
    verify_wait_timeout: int = _of(ProbeOptions, "wait_timeout")
    regions: Sequence[str] = _of(CopyOptions, "regions", default=[])
    unshare_after_copy: bool = option(FLAG)
    report_path: str | None = _of(DistributionReportOptions, "report_path")
    report_dir: str | None = _of(DistributionReportOptions, "report_dir")
    report_s3_uri: str | None = _of(DistributionReportOptions, "report_s3_uri")
    report_s3_bucket_owner: str | None = _of(DistributionReportOptions, "report_s3_bucket_owner")
    account_names: Mapping[str, str] = _of(DistributionReportOptions, "account_names")
    planned_copies: Any = option(Kind({"type": "list", "elements": "dict"}, as_given))

    @property
    def verifies(self) -> bool:
        """Whether the distribution verifies what consumers can do with the image."""
        return self.verify_level != "none"

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        """Return the accounts of ``account_ids``, each once."""
        return tuple(dict.fromkeys(self.account_ids))

    @cached_property
    def region_names(self) -> tuple[str, ...]:
        """Return ``regions`` without surrounding space and blank items."""
        return tuple(text for item in self.regions or () if (text := str(item).strip()))

    def steps(self) -> Iterator[Step]:
        """Yield the steps that these options ask for, with the parameters that each declares."""
        given = {**vars(self), "images": _PLANNED_IMAGES, "kms_key_ids": None}
        # The copies refuse a region that is not valid.
        planned = dict.fromkeys(filter(is_region, self.region_names)) or _PLANNED_IMAGES
        if self.source_region is not None:
            # An empty mapping of a role's variable is an option that is not set.
            filters = self.source_filters or None
            copies = {"wait_timeout": self.copy_wait_timeout, "account_ids": [], "source_filters": filters}
            yield _step(CopyOptions, {**vars(self), **copies})
        yield _step(ShareOptions, given)
        yield _step(GrantOptions, given)
        if self.publish_parameter:
            # Its regions are those of a rollback, not those of the distribution.
            named = {"parameter": self.publish_parameter, "regions": []}
            yield _step(PublishOptions, {**given, **named, "images": planned})
        if self.verifies:
            yield _step(DiagnosisOptions, given)
        if self.verify_level == "launched":
            launches = {"images": planned, "wait_timeout": self.verify_wait_timeout}
            yield _step(ProbeOptions, {**given, **launches})
        yield _step(DistributionReportOptions, {**given, "copy_result": {}})


def _step(options: type[Options], given: Mapping[str, Any]) -> Step:
    """Return a step with a parameter for each of its options: the given one, else its default."""
    declared = options.argument_spec()
    return options, {
        name: given[name] if name in given else spec.get("default") for name, spec in declared.items()
    }

# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every source of uses, in the order of the evidence."""

from __future__ import annotations

from . import (
    read_auto_scaling_groups,
    read_batch_environments,
    read_codebuild_fleets,
    read_emr_clusters,
    read_export_tasks,
    read_fleets,
    read_hyperpod_clusters,
    read_instances,
    read_launch_configurations,
    read_launch_templates,
    read_parameters,
    read_pcs_node_groups,
    read_rds_engine_versions,
    read_spot_fleets,
    read_spot_requests,
    read_store_tasks,
)

SOURCES = (
    read_instances.SOURCE,
    read_launch_templates.SOURCE,
    read_auto_scaling_groups.SOURCE,
    read_fleets.SOURCE,
    read_spot_fleets.SOURCE,
    read_spot_requests.SOURCE,
    read_launch_configurations.SOURCE,
    read_store_tasks.SOURCE,
    read_export_tasks.SOURCE,
    read_parameters.SOURCE,
    read_batch_environments.SOURCE,
    read_emr_clusters.SOURCE,
    read_hyperpod_clusters.SOURCE,
    read_pcs_node_groups.SOURCE,
    read_codebuild_fleets.SOURCE,
    read_rds_engine_versions.SOURCE,
)
IN_BULK = tuple(source for source in SOURCES if not source.is_late)
LATE = tuple(source for source in SOURCES if source.is_late)
OF_CONSUMERS = tuple(source for source in SOURCES if not source.only_of_owner)

# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network and the tags of launches: documents ``option_groups.LaunchOptions``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  subnet_ids:
    description:
      - Mapping of region to subnet ID or, if each account has its own subnet, to a mapping of account ID to subnet ID.
      - Quote each account ID.
      - M(golden.images.ami_launch_probe) needs a subnet for every region. If others have none, AWS uses the default VPC.
        M(golden.images.ami_share_diagnose) tries the account's subnets where it has no default VPC.
    type: dict
    default: {}
  security_group_ids:
    description:
      - Mapping of region to a list of security group IDs, or to a mapping of account ID to such a list.
      - By default, AWS uses the default security group of the subnet's VPC.
    type: dict
    default: {}
  launch_tags:
    description:
      - Tags with which the instance, its volumes and its network interface are launched, or would be in a dry run.
      - Set those that a policy requires of launches, for example a service control policy of the organization. Without them, AWS
        denies the launch, although launches with these tags are allowed.
      - Keys that begin with C(aws:) or C(golden.images:) are refused.
    type: dict
"""

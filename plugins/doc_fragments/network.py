# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The subnets and security groups of instances: documents ``arguments.NETWORK_SPEC``."""

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
"""

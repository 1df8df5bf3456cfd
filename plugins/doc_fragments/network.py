# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where instances are launched: documents ``arguments.NETWORK_SPEC``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  subnet_ids:
    description:
      - Mapping of region to a subnet's id or, where accounts have subnets of their own, to a mapping of account to subnet.
      - Put each account in quotes.
    type: dict
    default: {}
  security_group_ids:
    description:
      - Mapping of region to a list of security groups' ids, or to a mapping of account to such a list.
      - Where none is named AWS takes the default group of the subnet's VPC.
    type: dict
    default: {}
"""

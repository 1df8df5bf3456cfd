# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rate of calls: documents ``option_groups.RateOptions``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  max_calls_per_second:
    description:
      - The most calls per second of each limited operation in each region. Calls are spread over the second, from the start;
        at most a tenth of a second's calls, or one, are sent at once.
      - Limited are C(DescribeImageAttribute) and C(DescribeSnapshotAttribute), which read the permissions of each image and
        snapshot. M(golden.images.ami_kms_grant) makes these calls only where consumers would lose access.
        M(golden.images.ami_restore) also limits C(GetParameterHistory). M(golden.images.ami_cleanup) also limits
        C(DescribeImageReferences), C(PutParameter), and each operation that changes images, snapshots or grants.
        M(golden.images.ami_adoption) only limits C(CreateImageUsageReport). No other operation is limited.
      - By default the module is as fast as AWS admits calls, and other callers in the account share what AWS admits. Set it to
        leave them a part of it.
    type: float
"""

# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The number of processes: documents ``option_groups.ProcessesOptions``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  max_processes:
    description:
      - The most processes that read in parallel, at least 1. There are never more than 8, nor more than the CPUs that the
        module may use.
      - Only a run with thousands of calls uses more than one. M(golden.images.ami_share_diagnose) and
        M(golden.images.ami_verify) divide accounts if they read about a thousand images in accounts, each account and region
        counted, M(golden.images.ami_adoption) if there are about four thousand accounts and regions, or five hundred with
        its depth V(launches). M(golden.images.ami_share_audit) divides regions if at least two have more than 100 images, or all
        together have about two thousand. M(golden.images.ami_cleanup) divides regions if it reads the permissions of four
        thousand images and snapshots.
    type: int
    default: 8
"""

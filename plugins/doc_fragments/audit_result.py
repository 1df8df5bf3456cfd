# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options with the result of an audit."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  audit_result:
    description:
      - The result of M(golden.images.ami_share_audit), whether that succeeded or failed. This or O(audit_result_var) is required.
    type: dict
  audit_result_var:
    description:
      - The name of the variable with the result of M(golden.images.ami_share_audit). Ansible evaluates each part of
        O(audit_result), which for thousands of images takes longer than the module itself.
    type: str
"""

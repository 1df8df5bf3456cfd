# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of options in messages: documents ``runner.VARIABLE_NAMES_SPEC``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  variable_names:
    description:
      - Mapping of option to variable. Messages of failures name the variable instead of the option.
      - For roles and playbooks, whose users know their variables and not the options of this module.
    type: dict
    default: {}
"""

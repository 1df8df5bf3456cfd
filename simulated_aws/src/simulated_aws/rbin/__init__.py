# SPDX-License-Identifier: GPL-3.0-or-later
"""Recycle Bin: the retention rules, which moto lacks. ec2/recycle_bin.py retains the resources."""

from .dispatch import answer

__all__ = ["answer"]

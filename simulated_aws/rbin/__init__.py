# SPDX-License-Identifier: GPL-3.0-or-later
"""The Recycle Bin's retention rules, which moto lacks; what they retain is EC2's (ec2/recycle_bin.py)."""

from .dispatch import answer

__all__ = ["answer"]

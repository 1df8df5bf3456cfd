# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFormation: stacks of IAM roles, managed policies, KMS keys and aliases, and StackSets of these.

moto's CloudFormation needs packages that nothing else of it needs. Other resources are not simulated, nor is
their deletion; an update changes policies, the trust of roles, and StackSets.
"""

from .operations import HANDLERS, reset

__all__ = ["HANDLERS", "reset"]

# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFormation: new stacks of IAM roles, managed policies, KMS keys and aliases, and StackSets of these.

moto's CloudFormation needs packages that nothing else of it needs. Other resources, and updates of stacks,
are not simulated.
"""

from .operations import HANDLERS, reset

__all__ = ["HANDLERS", "reset"]

# SPDX-License-Identifier: GPL-3.0-or-later
"""What every AWS API call passes: HTTP, authentication, record, faults, throttling, and then its service."""

# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of the property tests."""

from hypothesis import HealthCheck, settings

# A shared machine may stall for longer than any deadline that would be worth having.
settings.register_profile(
    "golden.images", max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("golden.images")

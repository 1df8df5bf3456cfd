# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of the property tests."""

from hypothesis import HealthCheck, settings

# A shared machine may stall for longer than any deadline that would be worth having. The examples are the
# same each time, since what fails must fail again; new ones: pytest --hypothesis-profile=default
settings.register_profile(
    "golden.images",
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("golden.images")

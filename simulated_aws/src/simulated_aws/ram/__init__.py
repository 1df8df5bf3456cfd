# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS RAM: resource shares of parameters. moto has RAM without its refusals, and without effects.

`dispatch` handles the requests. `state.shares_parameter` tells Parameter Store and EC2 what an account can
read.
"""

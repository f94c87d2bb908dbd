"""Which set of kernels is being compiled: all of them, or those that networks without convolution need.

Convolution is half of the code, and what large dense layers ask for is a third of the rest. A first training of the
book's dense network need not wait for either. The compiler sees constants and leaves out what stands behind them.
"""

import os

KERNEL_SET = os.environ.get("DIGITLAB_KERNELS", "all")  # "dense", "large" or "all": Plan.kernel_set in plan.py
CONVOLUTION = KERNEL_SET == "all"
LARGE = KERNEL_SET != "dense"

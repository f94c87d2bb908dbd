"""Which piece of the kernels is being compiled: all of them, or those that networks without convolution need.

Convolution is half of the code. A first training of the book's dense network need not wait for it.
The compiler sees CONVOLUTION as a constant and leaves out what stands behind it.
"""

import os

CONVOLUTION = os.environ.get("DIGITLAB_KERNELS") != "dense"

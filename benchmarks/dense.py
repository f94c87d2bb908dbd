"""Seconds per epoch of [784, 30, 10] in batches of 10: digitlab beside what a user would pick instead, in one run.

    python benchmarks/dense.py [--repeats 5]

The first row of speed.py by itself: the compiled and the readable engine, NumPy example by example, scikit-learn, and
PyTorch's eager loop at each thread count.
"""

import sys

from speed import main

if __name__ == "__main__":
    sys.argv[1:1] = ["--rows", "dense"]
    main()

"""What kernels compute with: vectors of eight floats, small matrix products, and functions of vectors."""

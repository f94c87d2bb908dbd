"""The operations: what each one plans, and its kernels."""

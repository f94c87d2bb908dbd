"""The operations: each one's plan and kernels."""

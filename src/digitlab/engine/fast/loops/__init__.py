"""The functions that Python calls, and their loops over batches, operations and parameters."""

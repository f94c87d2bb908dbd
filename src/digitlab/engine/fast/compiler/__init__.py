"""How the kernels become machine code: compiled once per machine in a process of their own, then loaded."""

"""The experiments: one module a chapter, whose EXPERIMENTS the catalogue collects; the texts in a TOML file beside it.

A new module in this folder is found by itself. An experiment needs a name, its tasks, a query and a drawing; texts can
be given to `Experiment` directly, or stand in a TOML file (books/chapter.py).
"""

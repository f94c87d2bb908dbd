"""The experiments: one module a chapter, whose EXPERIMENTS the catalogue collects, and its texts in a TOML file.

The catalogue finds every module in this folder. An experiment has a name, tasks, a query and a drawing. Its texts are
arguments of `Experiment`, or in the TOML file (books/chapter.py). See docs/extending.md.
"""

"""What digitlab promises when files, signals and disks are hostile: a file for each promise, its number in its name.

`pytest tests/attacks` makes a few attempts at each, `pytest tests/attacks --long` many; both print the counts.
docs/security.md lists the promises with the counts of a long run.
"""

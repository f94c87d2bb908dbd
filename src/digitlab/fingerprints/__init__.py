"""Whether the readable code is still the code that its compiled twin was tested against.

A kernel computes what a readable function says, and tests hold the two together. When you change the function, in
its file or in a running program, your code must run instead: before a kernel computes, `what_changed` compares.

    table.json    the fingerprint of every readable function that has a kernel, as it was when the twin tests passed;
                  tests/engine/renew_fingerprints.py runs these tests and writes it
    source.py     the fingerprint of a function's text: comments, docstrings, types and messages do not count
    module.py     the text of a file, and what it compiles to
    check.py      `what_changed`: files and the functions in memory, compared with the table
"""

from digitlab.fingerprints.check import Part, tell, what_changed

__all__ = ["Part", "tell", "what_changed"]

"""Messages that quote the errors of other libraries: one line, escaped, bounded."""

import pytest

from digitlab.errors import in_brief


@pytest.mark.parametrize(
    "error, said",
    [
        (ValueError("plain"), "plain"),
        (ValueError("two\nlines\t here"), "two lines here"),
        (KeyError("name"), "'name'"),
        (ValueError(), "ValueError"),
        (ValueError("  \n "), "ValueError"),
        (ValueError("\x1b[2J\x07 \u202egnp"), "\\x1b[2J\\x07 \\u202egnp"),
        (ValueError("größe"), "größe"),
        (ValueError("x" * 10**6), "x" * 199 + "…"),
        (ValueError("\0" * 10**6), ("\\x00" * 50)[:199] + "…"),
    ],
)
def test_what_another_library_says(error, said):
    assert in_brief(error) == said

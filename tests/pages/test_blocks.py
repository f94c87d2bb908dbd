"""Blocks of a page are found, and told apart."""

from pages.blocks import arguments, blocks

PAGE = """# A page

Text with `code`.

    digitlab train --epochs 2      # a note
    digitlab test

    12 images
      digitlab is faster

1. a list
   that goes on

<!-- not run: it takes an hour -->

    python benchmarks/speed.py

```python
x = 1

y = 2
```

    $ digitlab read drawing.png
    error: drawing.png: is text

```sh
for s in 1 2; do
  digitlab train --seed $s \\
                 --run "r $s"
done
```

    digitlab search --space a=1 \\
        --space b=2
"""


def test_blocks_of_a_page():
    found = blocks(PAGE)
    assert [(b.language, b.line, b.why_not) for b in found] == [
        ("", 5, ""),
        ("", 16, "it takes an hour"),
        ("python", 19, ""),
        ("", 24, ""),
        ("sh", 28, ""),
        ("", 34, ""),
    ]
    assert found[0].commands == ["digitlab train --epochs 2      # a note", "digitlab test"]
    assert found[2].text == "x = 1\n\ny = 2\n" and found[2].commands == []
    assert (found[3].commands, found[3].error) == (["digitlab read drawing.png"], "error: drawing.png: is text")
    assert [arguments(command) for command in found[4].commands] == [
        ["digitlab", "train", "--seed", s, "--run", f"r {s}"] for s in "12"
    ]
    assert arguments(found[5].commands[0]) == ["digitlab", "search", "--space", "a=1", "--space", "b=2"]


def test_a_note_is_no_argument():
    assert arguments('digitlab fit "sin(x) + x"   # a curve') == ["digitlab", "fit", "sin(x) + x"]

"""Photos of handwriting: opening them, finding the digits, bringing these to MNIST's form, scoring what was read.

    page = find_digits(open_photo("photo.jpg"))
    page.images          uint8 (N, 28, 28), in reading order
    page.marks[0].box    the position of the first one

opening.py     a picture file, checked before it is decoded
repeats.py     a picture enlarged by repeating its pixels, at its own size
paper.py       the paper's colour around each pixel
ink.py         how much ink there is, and where: threshold
sheet.py       a sheet of paper on a desk, straightened
rules.py       ruled lines
boxes.py       boxes and rings around digits, whose sides lie on one line
pale_rules.py  those of small pictures that are paler than the writing
mark.py        a piece of ink
marks.py       connected ink, the parts of broken digits
cuts.py        where digits that touch may be cut
neighbours.py  all marks as arrays: which are beside, inside or across one
lines.py       lines of writing, reading order
mnist_form.py  20×20 in 28×28, as MNIST was made
page.py        all of it, every stage kept
scene.py       a picture of things rather than of writing
crops.py       a crop cut to its ink, with each of its two colours as paper
one_digit.py   a picture of a single digit
scoring.py     digits found, read correctly, missed
What a network says of them: digitlab/reading/.
"""

from digitlab.data.photos.mark import Mark
from digitlab.data.photos.mnist_form import mnist_form
from digitlab.data.photos.one_digit import is_picture, read_digit
from digitlab.data.photos.opening import open_photo
from digitlab.data.photos.page import Page, find_digits

__all__ = ["Mark", "Page", "find_digits", "is_picture", "mnist_form", "open_photo", "read_digit"]

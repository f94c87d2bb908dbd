"""From a photo to digits that a network can read; where they are, not what they are.

    page = find_digits(open_photo("photo.jpg"))
    page.images          uint8 (N, 28, 28), in reading order
    page.marks[0].box    where the first one stands

photo.py       a picture file, checked before it is decoded
ink.py         ink and paper: background, threshold
rules.py       ruled lines
marks.py       connected ink, broken and touching digits, reading order
mnist_form.py  20×20 in 28×28, as MNIST was made
page.py        all of it, every stage kept
"""

from digitlab.data.photos.marks import Mark
from digitlab.data.photos.mnist_form import mnist_form
from digitlab.data.photos.opening import open_photo
from digitlab.data.photos.page import Page, find_digits

__all__ = ["Mark", "Page", "find_digits", "mnist_form", "open_photo"]

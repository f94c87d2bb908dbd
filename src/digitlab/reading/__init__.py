"""Reading a photo: data/photos finds the ink, and a network says which digits it is.

    reading = read_photo(network, open_photo("photo.jpg"))
    reading.text                  "314\\n159"
    reading.digits[0].label, reading.digits[0].confidence, reading.digits[0].box

photo.py      read_photo: all of it
partition.py  which parts of the ink make a digit: joined and cut as the network likes best
segments.py   what may be one digit: parts joined, pieces cut, and what each costs
chains.py     zeros that overlap, divided by the paper that each encloses
frames.py     rings, boxes and tables around digits
prior.py      how common digits are on the page, and what that makes of the network's answers
answers.py    the network's answers and where their marks are
context.py    what the page says of its marks: the height of the writing, edges, texture
drawings.py   marks in drawings and in pictures of things
dates.py      the slashes of dates
signs.py      brackets, percent signs
words.py      marks among letters
crops.py      of the ways to see a crop cut to its ink, the surest
grid.py       read_grid: forms of rows and columns, cell by cell
results.py    Read, Reading
"""

from digitlab.reading.grid import read_grid
from digitlab.reading.photo import MIN_CONFIDENCE, read_photo, sees_colour
from digitlab.reading.results import Read, Reading

__all__ = ["MIN_CONFIDENCE", "Read", "Reading", "read_grid", "read_photo", "sees_colour"]

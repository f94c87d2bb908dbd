"""Objects as fragments of HTML, shown by notebooks: pictures, curves, tables and drawings, without matplotlib.

A class is shown here if it has `_repr_html_ = notebook_html` (notebook_html.py) and views.py has a function for it,
found by the class's name, so that no view imports the package that it shows. A fragment has a transparent
background, takes its colours from the text around it, and is escaped.

views.py        what is shown of each class
parts.py        tables, tiles, bars and curves, from templates/notebook/
drawing.py      a network's drawing as SVG
live.py         a training's progress as a table and curves that grow
"""

from digitlab.viz.notebook.live import LiveTable, epoch_display, in_notebook
from digitlab.viz.notebook.views import html

__all__ = ["LiveTable", "epoch_display", "html", "in_notebook"]

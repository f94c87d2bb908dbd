"""`digitlab play`: a local server and the page that it serves.

server.py    the routes, and the server from start to Ctrl-C
safety.py    who may ask, how much and how often
images.py    images of data sets by number, and digits read from a photo
bundle.py    the page and its networks as one file
page/        the page: HTML, CSS and JavaScript modules, which also make the one file of `digitlab export --to html`

The page computes with its own engine (page/js/engine) from the network's safetensors file. The server is asked for
what needs Python: data sets, photos, training, runs.
"""

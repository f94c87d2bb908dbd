"""html: the page of `digitlab play` as one file, with the network in it."""

from pathlib import Path

from digitlab.exporting.format import ExportFormat
from digitlab.files import write_text
from digitlab.nn import Network
from digitlab.web.bundle import html_page


def write(network: Network, path: Path) -> list[Path]:
    """Write the page of `digitlab play` with this network as one HTML file; return its path."""
    write_text(path, html_page({path.stem: network}, title=f"{path.stem} · digitlab"))
    return [path]


FORMAT = ExportFormat("html", ".html", "a page to draw on, open up, teach and break the network, in one file", write)

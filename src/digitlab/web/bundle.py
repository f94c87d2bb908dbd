"""The page as one HTML file with networks in it: modules, styles and weights; it needs no server and no network.

The modules of page/js are put one after another into one script, each as a function that returns what it exports,
without its comments. The networks are compressed with gzip, which browsers unpack.
A Content-Security-Policy in the file allows that script and the styles by their hashes, and nothing else: the page
cannot reach anything outside. So it works from a memory stick and in a sandboxed frame.
"""

import base64
import gzip
import hashlib
import html
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

from digitlab.arguments import checked
from digitlab.errors import ConfigError
from digitlab.nn.io.files import network_bytes
from digitlab.nn.network import Network

PAGE = Path(__file__).with_name("page")
START = "js/one-file.js"  # the module that begins
IMPORT = re.compile(r'^import\s+(?:\{([^}]*)\}|\* as (\w+))\s+from\s+"(\.[^"]+)";\n', re.MULTILINE)
COMMENT = re.compile(r"^ *(?://.*|/\*(?:[^*]|\*(?!/))*\*/)\n", re.MULTILINE)  # whole lines
EXPORT = re.compile(r"^export (?=(?:async )?(?:const|function\*?|class) (\w+))", re.MULTILINE)


@checked
def html_page(networks: Mapping[str, Network], *, title: str = "digitlab") -> str:
    """HTML with these networks, by the names it shows. With several, the page begins with all of them side by side."""
    if isinstance(networks, Mapping) and not networks:
        raise ConfigError("html_page: got no network, expected at least one")
    icon = "data:image/svg+xml;base64," + encoded((PAGE / "icon.svg").read_bytes())
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)">\n', page)
    style = "\n".join((PAGE / sheet).read_text(encoding="utf-8") for sheet in sheets).replace("../icon.svg", icon)
    code = script(START)
    policy = (
        f"default-src 'none'; script-src {digest(code)}; style-src {digest(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{html.escape(title)}</title>\n"
        f'<link rel="icon" href="{icon}">\n<style>{style}</style>\n'
    )
    data = "".join(
        f'<script type="application/gzip" data-name="{html.escape(name)}">'
        f"{encoded(gzip.compress(network_bytes(network), mtime=0))}</script>\n"  # the same file at any time
        for name, network in networks.items()
    )
    page = re.sub(r"<title>.*</title>\n|<link [^>]*>\n|<script [^>]*></script>\n", "", page)
    page = page.replace("</head>", head + "</head>", 1)
    return page.replace("</body>", f"{data}<script>{code}</script>\n</body>", 1)


def script(start: str) -> str:
    """One script of a module and all that it imports."""
    parts = [f"// {module}\n{wrapped(module, text)}" for module, text in in_order(start).items()]
    return '"use strict";\nconst $modules = {};\n' + "\n".join(parts)


def in_order(module: str) -> dict[str, str]:
    """The texts of a module and of all that it imports, each after those that it imports."""
    text = (PAGE / module).read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for _, _, path in IMPORT.findall(text):
        found = found | {name: each for name, each in in_order(beside(module, path)).items() if name not in found}
    return found | {module: text}


def beside(module: str, path: str) -> str:
    """The module that an import of another one names: "js/screens/open.js", "../ui/dom.js" → "js/ui/dom.js"."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(module), path))


def wrapped(module: str, text: str) -> str:
    """A module as a function that is called at once; imports become reads of what other modules returned."""

    def read(found: re.Match[str]) -> str:
        names, whole, path = found.groups()
        what = whole or "{" + names.replace(" as ", ": ") + "}"
        return f'const {what} = $modules["{beside(module, path)}"];\n'

    text = COMMENT.sub("", text)
    body, exports = EXPORT.sub("", IMPORT.sub(read, text)), EXPORT.findall(text)
    if left := re.search(r"^(?:import|export)\b.*|</script|<!--", body, re.MULTILINE):
        raise ValueError(f"{module}: cannot put {left[0]!r} into one file")
    return f'$modules["{module}"] = (() => {{\n{body}\nreturn {{ {", ".join(exports)} }};\n}})();\n'


def digest(text: str) -> str:
    """The hash of an inline script or style, as a Content-Security-Policy names it."""
    return f"'sha256-{encoded(hashlib.sha256(text.encode()).digest())}'"


def encoded(data: bytes) -> str:
    """Bytes in base64, as text."""
    return base64.b64encode(data).decode("ascii")

"""`digitlab docs`: read the documentation of this version in the browser, without a network connection."""

import click


@click.command("docs")
@click.argument("page", required=False, default="index")
@click.option("--browser/--no-browser", default=True, help="Open the page in the browser, or only print its address.")
def command(page: str, browser: bool) -> None:
    """Read the documentation in the browser, without a network connection.

    PAGE is the name of a page, such as getting-started, glossary or resume-a-run. [default: the first page] The site
    is in the package; a server on this computer shows it, since browsers do not search pages opened from a folder.
    Ctrl-C stops it.
    """
    import webbrowser
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from pathlib import Path

    import digitlab
    from digitlab.cli.shared.console import say
    from digitlab.errors import ConfigError, did_you_mean

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    site = Path(digitlab.__file__).parent / "site"
    if not (site / "index.html").is_file():
        raise ConfigError(
            "this installation from the source has no documentation: read it at https://digitlab.github.io/digitlab/, "
            "or build it in the checkout: pip install -e .[docs], then python docs/build.py"
        )
    pages = sorted(path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html"))
    name = page.removesuffix(".md").removesuffix(".html")
    found = [path for path in pages if path == name or path.endswith(f"/{name}")]  # resume-a-run is in how-to/
    if not found:
        names = [path for path in pages if not path.startswith(("experiments/", "reference/")) and path != "404"]
        raise ConfigError(f"no page {page!r}{did_you_mean(name, pages)}; there are: {', '.join(names)}")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        address = f"http://127.0.0.1:{server.server_port}/{min(found, key=len)}.html"
        say(f"digitlab docs: {address}")
        say("Ctrl-C stops it")
        if browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("stopped")

"""`digitlab docs`: a page is found by its name, and shown by a server of this computer."""

import urllib.request
from http.server import ThreadingHTTPServer
from threading import Thread

import pytest

import digitlab
from digitlab.cli import run


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site of three pages in a package of its own."""
    for name in ("index", "glossary", "how-to/index", "how-to/resume-a-run"):
        path = tmp_path / "site" / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}")
    monkeypatch.setattr(digitlab, "__file__", str(tmp_path / "__init__.py"))
    return tmp_path / "site"


@pytest.mark.parametrize(
    ("page", "file"),
    [
        ((), "index"),
        (("glossary",), "glossary"),
        (("glossary.md",), "glossary"),
        (("resume-a-run",), "how-to/resume-a-run"),
        (("how-to/index",), "how-to/index"),
    ],
)
def test_a_page_is_served_until_ctrl_c(site, page, file, monkeypatch, capsys):
    served = []

    def visit(server):
        Thread(target=server.handle_request, daemon=True).start()
        address = capsys.readouterr().out.partition("digitlab docs: ")[2].split()[0]
        served.append(urllib.request.urlopen(address, timeout=10).read().decode())
        raise KeyboardInterrupt

    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", visit)
    assert run(["docs", *page, "--no-browser"]) == 0
    assert served == [f"this is {file}"]
    assert capsys.readouterr().out == "stopped\n"


def test_an_unknown_page_names_one_that_is_near(site, capsys):
    assert run(["docs", "glosary", "--no-browser"]) == 1
    assert "no page 'glosary' (did you mean 'glossary'?)" in capsys.readouterr().err


def test_an_installation_without_the_site_says_where_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(digitlab, "__file__", str(tmp_path / "__init__.py"))
    assert run(["docs"]) == 1
    message = " ".join(capsys.readouterr().err.split())
    assert "https://digitlab.github.io/digitlab/" in message and "python docs/build.py" in message

"""The page as one file: without a server or a network, from a disk, in a sandboxed frame."""

import base64
import gzip
import html
import re
import runpy
from pathlib import Path

import pytest

import digitlab
from digitlab.exporting import export_network
from digitlab.nn import load_network
from digitlab.nn.io.files import network_bytes
from digitlab.shipped import PATH
from digitlab.web.bundle import html_page, in_order, wrapped

SCREENS = ["draw", "open", "step", "break", "imagine"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The shipped network as a file."""
    path = tmp_path_factory.mktemp("file") / "digits.html"
    assert export_network(load_network(PATH), path, "html") == [path]
    return path


@pytest.fixture
def opened(browser, file):
    """A page that may not reach anything but files, and fails the test for any error in the console."""
    errors, requests = [], []
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    yield page
    context.close()
    assert not errors, errors
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


def test_a_file_is_smaller_than_a_megabyte_and_names_no_address(file):
    text = file.read_text(encoding="utf-8")
    assert len(text.encode()) < 1_000_000
    assert html_page({"digits": load_network(PATH)}, title="digits · digitlab") == text  # no time of day in it
    (packed,) = re.findall(r'<script type="application/gzip" data-name="digits">([^<]*)</script>', text)
    assert gzip.decompress(base64.b64decode(packed)) == network_bytes(load_network(PATH))
    loads = re.findall(r'(?:src|href)="(?!data:|#)([^"]+)"', re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL))
    assert loads == []


def test_modules_come_after_what_they_import_and_every_export_is_returned():
    order = list(in_order("js/one-file.js"))
    assert order.index("js/engine/tensor.js") < order.index("js/engine/network.js") < order.index("js/one-file.js")
    assert "js/api.js" not in order
    text = 'import { a, b as c } from "../x.js";\nexport const d = a;\nexport async function e() {}\n'
    text += "export class F {}\n"
    found = wrapped("js/ui/y.js", text)
    assert 'const { a, b: c } = $modules["js/x.js"];' in found
    assert "return { d, e, F };" in found
    text = "// a\n/** b\n * c ** d */\nf(); // e\n  /* g */ h();\n  /* i */\nreturn `\n  j`;\n"
    assert wrapped("x.js", text).splitlines()[1:5] == ["f(); // e", "  /* g */ h();", "return `", "  j`;"]
    for wrong in ("export default 3;", 'import "x";', "const s = '</script>';"):
        with pytest.raises(ValueError, match="into one file"):
            wrapped("js/y.js", wrong)


def test_a_file_needs_a_network():
    with pytest.raises(digitlab.errors.ConfigError, match="no network"):
        html_page({})


@pytest.mark.web
@pytest.mark.slow
def test_every_screen_works_from_a_file(opened, file):
    for screen in SCREENS:
        opened.goto(f"{file.as_uri()}#/{screen}")
        opened.wait_for_selector(f"html[data-ready][data-screen={screen}]")
        opened.wait_for_selector(".panel h2")
        assert opened.locator("nav a").count() == len(SCREENS)
    opened.click("nav a[href='#/draw']")
    opened.click("button[aria-label='Example 7']")
    opened.wait_for_selector(".answer b:text-is('7')")


@pytest.mark.web
@pytest.mark.slow
def test_it_works_in_a_sandboxed_frame(opened, file, tmp_path):
    """Neither storage nor an address of its own, as in a viewer of attachments."""
    frame = html.escape(file.read_text(encoding="utf-8"))
    outer = tmp_path / "outer.html"
    outer.write_text(
        f'<title>x</title><iframe sandbox="allow-scripts" width=1200 height=900 srcdoc="{frame}"></iframe>'
    )
    opened.goto(outer.as_uri())
    inner = opened.frame_locator("iframe")
    inner.locator("button[aria-label='Example 4']").click()
    inner.locator(".answer b:text-is('4')").wait_for()
    inner.locator("nav a[href='#/open']").click()
    inner.locator(".chain li").first.wait_for()
    inner.locator("button[title='Light or dark (t)']").click()


@pytest.mark.web
@pytest.mark.slow
def test_several_networks_are_side_by_side(opened, tmp_path):
    path = tmp_path / "three.html"
    small = digitlab.mlp([784, 5, 10])
    rows = digitlab.Network([digitlab.nn.SimpleRNN(6), digitlab.Dense(10)], (28, 28), "log-likelihood")
    path.write_text(html_page({"small": small, "rows & more": rows, "eight": digitlab.mlp([64, 10])}))
    opened.goto(path.as_uri())
    opened.wait_for_selector("html[data-ready][data-screen=gallery]")
    assert opened.locator(".answer b").count() == 3
    opened.click("text=Explore it >> nth=1")
    opened.wait_for_selector("html[data-screen=draw]")
    assert opened.text_content("#network-name b") == "rows & more"
    opened.wait_for_selector("text=states after 28 steps")


@pytest.mark.web
@pytest.mark.slow
def test_the_gallery_of_the_docs_reads_the_examples(opened, tmp_path):
    """Three trained networks, none of which has seen such strokes, and each right about most of them."""
    build = runpy.run_path(str(Path(__file__).parents[2] / "docs/build.py"))
    (tmp_path / "gallery.html").write_text(build["gallery"](), encoding="utf-8")
    opened.goto((tmp_path / "gallery.html").as_uri())
    opened.wait_for_selector("html[data-ready][data-screen=gallery]")
    right = []
    for digit in range(10):
        opened.click(f"button[aria-label='Example {digit}']")
        opened.wait_for_timeout(80)
        right += [text == str(digit) for text in opened.locator(".answer b").all_text_contents()]
    assert len(right) == 30
    assert sum(right) >= 24

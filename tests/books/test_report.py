"""The page: figures, pictures, commands, what was not run; as Markdown and as one HTML file."""

import json
import re
import shutil
from dataclasses import asdict

import pytest

from digitlab.books.catalogue import CATALOGUE
from digitlab.books.compare import Comparison
from digitlab.books.experiment import MODES, Experiment, Reported, Result
from digitlab.books.pages import inline, write_html, write_markdown
from digitlab.books.probe import of_training
from digitlab.books.report import everyday, explained, make_report
from digitlab.books.results import ExperimentResult
from digitlab.books.runner import execute
from digitlab.books.schedule import schedule
from digitlab.errors import DigitlabError
from digitlab.nn import describe_network, mlp
from digitlab.statistics import summarize
from digitlab.train import RunConfig

ROWS = ["average-darkness", "single-neuron", "helix"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    results = tmp_path_factory.mktemp("report") / "results"
    experiments = [CATALOGUE[name] for name in ROWS]
    assert execute(schedule(experiments, scale="quick", seeds=1, source="digits"), results, log=str) == []
    default = schedule([CATALOGUE["single-neuron"]], seeds=1, source="digits")
    assert execute(default, results, log=str) == []
    return results


@pytest.mark.slow
def test_markdown(ran, tmp_path):
    write_markdown(make_report(ran, quick=True), tmp_path / "page.md")
    index = (tmp_path / "page.md").read_text()
    assert "| [`average-darkness`](experiments/average-darkness.md) |" in index
    assert {path.stem for path in (tmp_path / "experiments").glob("*.md")} == set(ROWS)
    text = (tmp_path / "experiments" / "average-darkness.md").read_text()
    assert text.startswith("# average-darkness: classification by mean darkness alone\n\n**What it shows.** ")
    assert "**Setting.** [Chapter 1](http://neuralnetworksanddeeplearning.com/chap1.html): mean darkness" in text
    assert "\n[All experiments](../page.md) | [How to read the figures](../page.md#how-to-read-the-figures)\n" in text
    assert "\n## How to read the figures\n" in index
    assert re.search(
        r"\| accuracy \| test \| 22\.25 % \| \d+\.\d\d % \(n = 1\) \| \*\*[+−]\d+\.\d\d\*\* \| ± 0\.01 \|", text
    )
    assert "`digitlab reproduce run average-darkness --quick`" in text
    assert "Images: scikit-learn's digits" in text
    assert "Quick runs" in index
    (target,) = re.findall(r"!\[[^]]{10,}\]\(([^)]+)\)", text)
    assert (tmp_path / "experiments" / target).is_file()
    for name in set(CATALOGUE) - set(ROWS):
        assert f"| `{name}` |" in index.partition("## Not run yet")[2]


@pytest.mark.slow
def test_a_mode_that_was_not_run_is_named(tmp_path):
    runs = schedule([CATALOGUE["rashid-own-images"]], scale="quick", seeds=1, mode="corrected", source="digits")
    assert execute(runs, tmp_path, log=str) == []
    write_markdown(make_report(tmp_path, quick=True), tmp_path / "page.md")
    waiting = (tmp_path / "page.md").read_text().partition("## Not run yet")[2]
    run = (tmp_path / "experiments" / "rashid-own-images.md").read_text()
    assert "`digitlab reproduce run rashid-own-images --mode corrected --quick --seeds 1`" in run
    assert "| `rashid-own-images` | as-written |" in waiting
    assert "| `rashid-own-images` | corrected |" not in waiting


def test_the_modes_have_causes_of_their_own():
    reported = (Reported("x/test", 90.0, text="it"),)
    texts = {"cause": "one run", "corrected": "another rule"}
    experiment = Experiment("r", dict, None, None, reported=reported, modes=MODES, **texts)

    def result(mode, *values):
        seeds = {str(i): Result({"x/test": value}) for i, value in enumerate(values)}
        return ExperimentResult("r", mode, "default", 1, {}, seeds, {})

    assert explained(experiment, [result("as-written", 89.9, 90.2), result("corrected", 96.0, 96.1)]) == [
        "Differs (corrected) by more than chance explains: it. Another rule."
    ]
    assert explained(experiment, [result("as-written", 95.0)]) == [
        "Differs (as-written) by more than chance explains: it. One run."
    ]
    assert explained(experiment, [result("as-written", 90.0, 90.1)]) == ["One run."]


@pytest.mark.slow
def test_the_experiment_files_alone_are_enough(ran, tmp_path):
    experiments = ran / "rows" / "quick"
    alone = tmp_path / "rows" / "quick"
    alone.mkdir(parents=True)
    for path in experiments.glob("*.json"):
        shutil.copy(path, alone)
    write_markdown(make_report(tmp_path, quick=True), tmp_path / "page.md")
    write_markdown(make_report(ran, quick=True), tmp_path / "whole" / "page.md")
    for page in ("page.md", *(f"experiments/{name}.md" for name in ROWS)):
        assert (tmp_path / page).read_text() == (tmp_path / "whole" / page).read_text()
    assert sorted(p.name for p in alone.glob("*.png")) == sorted(p.name for p in experiments.glob("*.png"))


@pytest.mark.slow
def test_quick_figures_do_not_get_into_a_report_of_real_ones(ran, tmp_path):
    report = make_report(ran)
    assert list(report.figures) == ["single-neuron"]
    write_markdown(report, tmp_path / "page.md")
    assert "Quick runs" not in (tmp_path / "page.md").read_text()


@pytest.mark.slow
def test_html_needs_nothing_else(ran, tmp_path):
    write_html(make_report(ran, quick=True), tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    sources = re.findall(r'src="([^"]*)"', text)
    assert len(sources) == 3 and all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http:" not in text and "https:" not in text
    assert text.count("<table>") == text.count("</table>") > 3
    assert "<code>digitlab reproduce run helix --quick</code>" in text
    assert '<a href="#helix"><code>helix</code></a>' in text and '<h3 id="helix">' in text


@pytest.mark.slow
def test_a_deviation_comes_with_its_cause(ran):
    (section,) = [s for s in make_report(ran).sections if s.title.startswith("single-neuron")]
    told = [block for block in section.blocks if isinstance(block, str) and "Differs" in block]
    assert told and CATALOGUE["single-neuron"].cause in told[0]


@pytest.mark.slow
def test_everyday_accuracy_goes_on_top(ran, tmp_path):
    runs = [{"seed": s, "valid": 96.0 + s, "test": 95.0, "seconds": 10.0} for s in (0, 1, 2)]
    (tmp_path / "accuracy.json").write_text(json.dumps({"a": {"setting": "[784,30,10]", "epochs": 30, "runs": runs}}))
    report = make_report(ran, accuracy=tmp_path / "accuracy.json")
    (section,) = [s for s in report.sections if s.title == "What `digitlab train` reaches"]
    assert section.blocks[1].rows == [["[784,30,10]", "97.00 ± 1.00", "95.00 ± 0.00", "3", "10 s", "unrecorded"]]


def test_everyday_accuracy_of_other_code_is_marked(tmp_path):
    config = RunConfig(describe_network(mlp([784, 5, 10], seed=None)), epochs=1)
    runs = [{"seed": 0, "valid": 96.0, "test": 95.0, "seconds": 10.0}]

    def marked(**code):
        entry = {"setting": "small", "config": config.table(), "code": code, "runs": runs}
        (tmp_path / "a.json").write_text(json.dumps({"a": entry}))
        return everyday(tmp_path / "a.json").blocks[1].rows[0][-1]

    now = asdict(of_training(config))
    assert marked(**now) == ""
    assert marked(**{**now, "numerics": "0123456789ab"}) == "older"
    assert marked(**{**now, "processor": "another kind"}) == "other processor"


def test_markdown_in_html():
    assert inline("a < b, `x < y`, *so*, **very**, [`n`](experiments/n.md), [Chapter 1](http://b.org), 1 % [M]") == (
        "a &lt; b, <code>x &lt; y</code>, <em>so</em>, <strong>very</strong>, "
        '<a href="#n"><code>n</code></a>, Chapter 1, 1 % [M]'
    )


def test_differences_that_are_none():
    assert Comparison(Reported("x", 0.025, unit=""), summarize([0.1 / 4 + 1e-18])).difference_text == "0"
    assert Comparison(Reported("x", 97.42), summarize([97.4199])).difference_text == "0.00"
    assert Comparison(Reported("x", 97.42), summarize([97.2])).difference_text == "−0.22"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "is no text in UTF-8"),
        (b"[1, 2]", "holds no accuracies; expected a file of benchmarks/accuracy.py"),
        (b'{"a": 3}', "holds no accuracies"),
        (b'{"a": {"runs": [{}]}}', "holds no accuracies"),
    ],
)
def test_a_damaged_table_of_accuracies(content, message, tmp_path):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DigitlabError, match=rf"a\.json: {message}") as caught:
        everyday(tmp_path / "a.json")
    assert "object" not in str(caught.value)

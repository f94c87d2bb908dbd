"""A notebook executed by a kernel of Jupyter: what its cells show, and a table that is updated while a cell trains."""

from xml.etree import ElementTree

import pytest

CELLS = (
    "import sys, digitlab\ntrain, valid, test = digitlab.load('digits')\ntrain",
    "net = digitlab.Net([64, 12, 10])\nhistory = net.train(train, 3.0, epochs=12, valid=valid, engine='reference')",
    "net",
    "train[7]",
    "net.network.parameters()['0.W']",
    "net.explain(test[0])",
    "net.imagine(3, 'three.png')",
    "digitlab.predict(net.network, test.images[:1])",
    "digitlab.SGD(0.1)",
    "digitlab.EarlyStopping()",
    "print('IPython.core.pylabtools' in sys.modules)",
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """The outputs of each cell."""
    import nbclient
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    folder = tmp_path_factory.mktemp("notebook")
    nbclient.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(folder)}}).execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the programs that run the kernel
def test_cells_show_pictures_and_tables(outputs):
    pictures = [0, 2, 3, 4, 5, 6, 7]
    for place in pictures:
        shown = outputs[place][-1]["data"]
        root = ElementTree.fromstring(shown["text/html"])
        drawn = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert root.get("class") == "digitlab" and drawn & {"img", "svg", "table"}
    assert (
        outputs[0][-1]["data"]["text/plain"] == "Digits: 1,197 images 8×8, 10 classes (0–9), scikit-learn digits train"
    )
    assert outputs[3][-1]["data"]["text/plain"] == "Example: image 8×8, label 7"
    assert all(" at 0x" not in str(cell) for cell in outputs)
    assert outputs[8][-1]["data"] == {"text/plain": "SGD(learning_rate=0.1)"}
    assert outputs[9][-1]["data"] == {"text/plain": "EarlyStopping(patience=10)"}
    assert outputs[10][-1]["text"] == "False\n"  # nothing asked for %matplotlib


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_training_shows_one_table_that_was_updated(outputs):
    (shown,) = outputs[1]
    root = ElementTree.fromstring(shown["data"]["text/html"])
    rows = [[cell.text for cell in row] for row in root.iter("tr")]
    assert root.find("p/strong").text == "12 epochs done"
    assert rows[0] == ["epoch", "train_loss", "valid_loss", "valid_accuracy (%)", "seconds"]
    assert [row[0].split()[0] for row in rows[1:]] == list(map(str, range(5, 13)))

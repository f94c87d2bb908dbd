"""Three small networks side by side on one page: dense, convolutional, recurrent.

    python examples/gallery.py [--out gallery.html] [--networks FOLDER] [--epochs 5]

Trains each on MNIST, prints the test accuracies and writes the page, which needs no server. --networks saves the
networks too: the page of the documentation is built from those in examples/gallery/, without training.
"""

import argparse
from pathlib import Path

from digitlab import Conv2D, Dense, Flatten, LogLikelihood, MaxPool2D, Net, Network, ReLU, SimpleRNN, load
from digitlab.files import write_text
from digitlab.web.bundle import html_page


def networks() -> dict[str, Network]:
    """The networks with their first weights, by the names that the page shows."""
    convolutional = [Conv2D(6, 5), MaxPool2D(2), ReLU(), Conv2D(8, 5), MaxPool2D(2), ReLU(), Flatten(), Dense(10)]
    return {
        "16 neurons": Network([Dense(16), ReLU(), Dense(10)], 784, LogLikelihood()),
        "6 and 8 maps": Network(convolutional, (28, 28, 1), LogLikelihood()),
        "row by row": Network([SimpleRNN(32), Dense(10)], (28, 28), LogLikelihood()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("gallery.html"))
    parser.add_argument("--networks", type=Path, help="Folder for the trained networks.")
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    train, valid, test = load("mnist")
    trained = {}
    for name, network in networks().items():
        net = Net(network)
        net.train(train, 0.002, epochs=options.epochs, batch_size=64, optimizer="adam", valid=valid, verbose=0)
        _, accuracy = net.evaluate(test)
        print(f"{name}: {100 * accuracy:.2f} % of the test images")
        trained[name] = net.network
        if options.networks is not None:
            options.networks.mkdir(parents=True, exist_ok=True)
            net.network.save(options.networks / f"{name.replace(' ', '-')}.safetensors")
    write_text(options.out, html_page(trained, title="Three networks side by side · digitlab"))
    print(f"{options.out}, {options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

"""A browser page with the engine's modules and no server; arrays travel to it as base64."""

import base64
from pathlib import Path
from typing import Any

import numpy as np

import digitlab
from digitlab.nn import Network
from digitlab.nn.io.files import network_bytes

PAGE = Path(digitlab.__file__).parent / "web" / "page"
HERE = Path(__file__).parent


class Engine:
    """`engine.run("(m, a, b) => m.f(a, b)", "digits.js", a, b)` calls a function of one of the engine's modules."""

    def __init__(self, browser: Any) -> None:
        self.page = browser.new_page()
        self.page.set_default_timeout(600_000)
        self.page.route("http://engine.test/**", self.answer)
        self.page.goto("http://engine.test/")

    def answer(self, route: Any) -> None:
        """A module of the page, or compare.js; the address itself is an empty page."""
        path = route.request.url.removeprefix("http://engine.test/")
        if not path:
            route.fulfill(body="<!doctype html><title>engine</title>", content_type="text/html")
            return
        file = HERE / path if path == "compare.js" else PAGE / path
        route.fulfill(body=file.read_text(encoding="utf-8"), content_type="text/javascript")

    def run(self, function: str, module: str, *arguments: Any) -> Any:
        path = "/compare.js" if module == "compare.js" else f"/js/engine/{module}"
        return self.page.evaluate(
            f"async ([path, args]) => {{ const f = {function}; return f(await import(path), ...args); }}",
            [path, list(arguments)],
        )

    def compare(
        self,
        network: Network,
        x: np.ndarray,
        targets: np.ndarray | None,
        *,
        outputs_only: bool = False,
        training: bool = False,
    ) -> dict[str, Any]:
        """How far JavaScript's numbers are from Python's: {"differences": {name: [farthest, largest]}, "ms"}."""
        labels = targets is not None and targets.ndim == 1
        file, drawn = encoded(network_bytes(network)), Drawn()
        if training:
            for _, layer in network.named_layers():
                layer.rng = drawn
        expected = expected_arrays(network, x, targets, training=training)
        if outputs_only:
            expected = {name: array for name, array in expected.items() if not name.startswith("y ")}
        table = {
            "network": file,
            "drawn": drawn.numbers if training else None,
            "x": encoded(np.asarray(x, network.dtype).tobytes()),
            "targets": None if targets is None else targets.tolist() if labels else encoded(targets.tobytes()),
            "shape": None if targets is None or labels else list(targets.shape),
            "expected": {name: encoded(np.asarray(a, network.dtype).tobytes()) for name, a in expected.items()},
        }
        return self.run("(m, table) => m.compare(table)", "compare.js", table)


class Drawn:
    """A random generator that keeps the numbers that it draws."""

    def __init__(self) -> None:
        self.rng, self.numbers = np.random.default_rng(7), []

    def random(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        found = self.rng.random(shape, dtype=dtype)
        self.numbers += found.ravel().tolist()
        return found


def expected_arrays(
    network: Network, x: np.ndarray, targets: np.ndarray | None, *, training: bool = False
) -> dict[str, np.ndarray]:
    """Python's numbers: every layer's output, with targets every gradient, and in training the buffers after it."""
    found, caches, seen = {}, [], x
    for i, layer in enumerate(network.layers):
        seen, cache = layer.forward(seen, training=training)
        found[f"y {i}"] = seen
        caches.append(cache)
    found |= {"logits": seen, "outputs": network.loss.activation(seen)}
    if targets is not None:
        found["loss"], cache = network.loss.forward(seen, targets)
        found["grad δ"] = network.loss.backward(cache)
        found["grad x"] = network.backward(found["grad δ"], caches)
        found |= {f"grad {name}": p.grad for name, p in network.parameters().items()}
    if training:
        for name, layer in network.named_layers():
            found |= {f"buffer {name}.{key}": buffer for key, buffer in layer.buffers.items()}
    return found


def stirred(network: Network, seed: int = 5, scale: float = 0.1) -> Network:
    """The network with random numbers wherever new networks have zeros and ones."""
    rng = np.random.default_rng(seed)
    for _, layer in network.named_layers():
        for key, p in layer.params.items():
            p.value = (p.value + scale * rng.standard_normal(p.value.shape)).astype(network.dtype)
            if key == "W" and hasattr(layer, "connected"):
                p.value = layer.connected(p.value)
        for key, low, high in (("running_mean", -0.2, 0.2), ("running_var", 0.5, 1.5)):
            if key in layer.buffers:
                layer.buffers[key] = rng.uniform(low, high, layer.buffers[key].shape).astype(network.dtype)
    return network


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def apart(result: dict[str, Any]) -> dict[str, float]:
    """Differences as a share: of the largest number in a gradient, of the largest or 1 in values."""
    return {
        name: far / (most if name.startswith("grad") and most else max(1.0, most))
        for name, (far, most) in result["differences"].items()
    }

"""The loss around a solution, along two random directions."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from digitlab.errors import ConfigError
from digitlab.nn.network import Network
from digitlab.train.evaluation import evaluate
from digitlab.viz.figures import Array, Figure, new_figure


class Surface(NamedTuple):
    """L(θ + a d₁ + b d₂) on a grid; the middle is the network as it is."""

    a: Array  # (size,)
    b: Array  # (size,)
    losses: Array  # (size of b, size of a)


def filter_normalized(network: Network, rng: np.random.Generator) -> dict[str, Array]:
    """A random direction through parameter space, by parameter, each filter with the norm of the network's filter.

    A filter is everything that leads into one neuron or map: W[..., j]. Biases and other vectors stay where they are.
    See Li et al. 2018, "Visualizing the loss landscape of neural nets", sec. 4.
    """
    direction = {}
    for name, p in network.parameters().items():
        if p.value.ndim < 2:
            direction[name] = np.zeros_like(p.value)
            continue
        d = rng.standard_normal(p.value.shape)
        axes = tuple(range(p.value.ndim - 1))
        own = np.sqrt((np.asarray(p.value, np.float64) ** 2).sum(axis=axes))
        direction[name] = (d * (own / np.sqrt((d**2).sum(axis=axes)))).astype(p.value.dtype)
    return direction


def loss_surface(
    network: Network,
    x: Array,
    y: Array,
    rng: np.random.Generator,
    *,
    size: int = 15,
    reach: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
) -> Surface:
    """The mean loss over x, y at size × size points, −reach … reach along two filter-normalized directions.

    The network stays unchanged. `progress` is called with (done, total). Raises ConfigError for an even or small size.
    """
    if size < 3 or size % 2 == 0:
        raise ConfigError(f"size: got {size}, expected an odd number of at least 3, so that the middle is the network")
    first, second = filter_normalized(network, rng), filter_normalized(network, rng)
    twin, steps = network.copy(), np.linspace(-reach, reach, size)
    values = {name: p.value for name, p in network.parameters().items()}
    losses = np.empty((size, size))
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(size * size):
            i, j = divmod(k, size)
            for name, p in twin.parameters().items():
                # The steps are NumPy's float64 numbers; the parameters keep their type.
                p.value = (values[name] + steps[j] * first[name] + steps[i] * second[name]).astype(values[name].dtype)
            losses[i, j] = evaluate(twin, x, y).loss
            if progress is not None:
                progress(k + 1, size * size)
    return Surface(steps, steps, losses)


def surface_figure(surface: Surface, *, title: str = "Loss around the solution") -> Figure:
    """The loss as contours and as a surface; the dot is the network."""
    figure = new_figure(11.0, 4.8)
    figure.suptitle(title)
    finite = np.isfinite(surface.losses)
    losses = np.where(finite, surface.losses, surface.losses[finite].max())
    middle = losses[len(surface.b) // 2, len(surface.a) // 2]
    axes = figure.add_subplot(1, 2, 1)
    flat = losses.max() - losses.min() < 1e-12
    filled = axes.contourf(surface.a, surface.b, losses, 20 if not flat else [middle - 1, middle + 1], cmap="viridis")
    axes.plot(0, 0, "o", color="white", markeredgecolor="black")
    axes.annotate(f"{middle:.3g}", (0, 0), textcoords="offset points", xytext=(6, 6), color="white")
    figure.colorbar(filled, ax=axes, label="mean loss per example")
    axes.set(xlabel="first direction", ylabel="second direction")
    solid = figure.add_subplot(1, 2, 2, projection="3d")
    solid.computed_zorder = False  # else the surface hides the point
    solid.plot_surface(*np.meshgrid(surface.a, surface.b), losses, cmap="viridis", linewidth=0.2, edgecolor="#0004")
    solid.plot([0], [0], [middle], "o", color="black", label=f"the network: {middle:.3g}", zorder=10)
    solid.legend(loc="upper left", fontsize=8)
    solid.view_init(elev=50, azim=-60)
    solid.set(xlabel="first direction", ylabel="second direction", zlabel="mean loss")
    solid.set_box_aspect(None, zoom=0.85)  # else its third label is outside the figure
    solid.locator_params(nbins=4)
    return figure

"""What a user would pick instead: PyTorch, scikit-learn, and NumPy one example at a time, doing the same work."""

import itertools
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

Work = Callable[[], float]


def floats(x: np.ndarray) -> np.ndarray:
    """Pixel bytes as float32 from 0 to 1, and no float64 on the way, whose memory would count as the peer's."""
    values = x.astype(np.float32)
    values /= 255
    return values


def per_example_numpy(x: np.ndarray, y: np.ndarray, hidden: int, batch: int, rate: float) -> Work:
    """The first program many people write: one image after another, gradients summed over the batch."""
    rng = np.random.default_rng(0)
    images = floats(x).reshape(len(x), -1, 1)
    targets = np.eye(10, dtype=np.float32)[y][:, :, None]
    sizes = [images.shape[1], hidden, 10]
    weights = [rng.standard_normal((b, a), np.float32) for a, b in itertools.pairwise(sizes)]
    biases = [rng.standard_normal((b, 1), np.float32) for b in sizes[1:]]

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-z))

    def epoch() -> float:
        began = time.perf_counter()
        order = rng.permutation(len(x))
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            sum_w, sum_b = [np.zeros_like(w) for w in weights], [np.zeros_like(b) for b in biases]
            for i in chosen:
                middle = sigmoid(weights[0] @ images[i] + biases[0])
                output = sigmoid(weights[1] @ middle + biases[1])
                error = (output - targets[i]) * output * (1 - output)
                back = weights[1].T @ error * middle * (1 - middle)
                for k, (delta, a) in enumerate(((back, images[i]), (error, middle))):
                    sum_w[k] += delta @ a.T
                    sum_b[k] += delta
            for k in range(2):
                weights[k] -= rate / len(chosen) * sum_w[k]
                biases[k] -= rate / len(chosen) * sum_b[k]
        return time.perf_counter() - began

    return epoch


def sklearn_mlp(x: np.ndarray, y: np.ndarray, hidden: int, batch: int) -> Work:
    """MLPClassifier, one epoch per call. It has no quadratic loss; its log-likelihood costs the same."""
    from sklearn.neural_network import MLPClassifier

    flat = floats(x).reshape(len(x), -1)
    model = MLPClassifier(
        (hidden,),
        activation="logistic",
        solver="sgd",
        alpha=0,
        batch_size=batch,
        learning_rate_init=0.5,
        momentum=0,
        max_iter=1,
        warm_start=True,
    )

    def epoch() -> float:
        began = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns that one iteration has not converged, which is the point
            model.fit(flat, y)
        return time.perf_counter() - began

    return epoch


def torch_loop(model: Any, x: Any, y: Any, loss: Any, optimizer: Any, batch: int, threads: int) -> Work:
    """PyTorch's plain eager loop over tensors that are in memory already; a new order every epoch."""
    import torch

    def epoch() -> float:
        torch.set_num_threads(threads)
        began = time.perf_counter()
        order = torch.randperm(len(x))
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            optimizer.zero_grad()
            loss(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
        return time.perf_counter() - began

    return epoch


def torch_dense(x: np.ndarray, y: np.ndarray, hidden: int | list[int], batch: int, rate: float, threads: int) -> Work:
    """[784, hidden ..., 10] with sigmoids and the quadratic loss."""
    import torch

    flat = torch.from_numpy(floats(x).reshape(len(x), -1))
    targets = torch.nn.functional.one_hot(torch.from_numpy(y), 10).float()
    sizes = [flat.shape[1], *([hidden] if isinstance(hidden, int) else hidden), 10]
    layers = [(torch.nn.Linear(a, b), torch.nn.Sigmoid()) for a, b in itertools.pairwise(sizes)]
    model = torch.nn.Sequential(*itertools.chain(*layers))

    def quadratic(outputs: Any, wanted: Any) -> Any:
        return ((outputs - wanted) ** 2).sum() / (2 * len(outputs))

    return torch_loop(model, flat, targets, quadratic, torch.optim.SGD(model.parameters(), lr=rate), batch, threads)


def torch_conv(filters: list[tuple[int, int]], dense: int) -> Any:
    """Convolutions (filters, size) with pooling and ReLU after each, then a dense layer and the outputs."""
    import torch

    layers: list[Any] = []
    channels, side = 1, 28
    for count, size in filters:
        layers += [torch.nn.Conv2d(channels, count, size), torch.nn.MaxPool2d(2), torch.nn.ReLU()]
        channels, side = count, (side - size + 1) // 2
    layers += [torch.nn.Flatten(), torch.nn.Linear(channels * side * side, dense), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(dense, 10))


def torch_images(x: np.ndarray) -> Any:
    """uint8 images as the float tensor (N, 1, 28, 28) that PyTorch's convolutions take."""
    import torch

    return torch.from_numpy(floats(x)[:, None])


def torch_convolutional(
    x: np.ndarray, y: np.ndarray, filters: list[tuple[int, int]], dense: int, batch: int, rate: float, threads: int
) -> Work:
    """Convolution, pooling, ReLU, dense, log-likelihood, SGD."""
    import torch

    model = torch_conv(filters, dense)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    loss = torch.nn.functional.cross_entropy
    return torch_loop(model, torch_images(x), torch.from_numpy(y), loss, optimizer, batch, threads)


def torch_vmap_dense(
    x: np.ndarray, y: np.ndarray, hidden: int, batch: int, rate: float, count: int, threads: int
) -> Work:
    """`count` networks [784, hidden, 10] in one batched program: torch.func.vmap over their stacked parameters."""
    import torch
    from torch.func import functional_call, grad, stack_module_state, vmap

    flat = torch.from_numpy(floats(x).reshape(len(x), -1))
    targets = torch.nn.functional.one_hot(torch.from_numpy(y), 10).float()

    def model() -> Any:
        return torch.nn.Sequential(
            torch.nn.Linear(flat.shape[1], hidden), torch.nn.Sigmoid(), torch.nn.Linear(hidden, 10), torch.nn.Sigmoid()
        )

    parameters, _ = stack_module_state([model() for _ in range(count)])
    parameters = {name: value.detach() for name, value in parameters.items()}
    base = model()

    def loss(values: Any, inputs: Any, wanted: Any) -> Any:
        return ((functional_call(base, values, (inputs,)) - wanted) ** 2).sum() / (2 * len(inputs))

    gradients = vmap(grad(loss), in_dims=(0, 0, 0))

    def epoch() -> float:
        nonlocal parameters
        torch.set_num_threads(threads)
        began = time.perf_counter()
        orders = torch.stack([torch.randperm(len(flat)) for _ in range(count)])
        for start in range(0, len(flat), batch):
            chosen = orders[:, start : start + batch]
            steps = gradients(parameters, flat[chosen], targets[chosen])
            parameters = {name: value - rate * steps[name] for name, value in parameters.items()}
        return time.perf_counter() - began

    return epoch

"""The learning rule of Rashid's book, which is nearly backpropagation: kept as a separate rule."""

from dataclasses import dataclass

from digitlab.arrays import Array
from digitlab.gradients.base import Gradient
from digitlab.gradients.batch import Batch
from digitlab.nn.network import Dense, Layer, Network, Quadratic, Sigmoid

__all__ = ["RashidRule"]


@dataclass(frozen=True, repr=False)
class RashidRule(Gradient):
    """Errors go back through the weights alone; each layer then takes its own σ', but no σ' of the layers after it.

    Formula    e = (o − t)/N at the outputs; in every dense layer, from the last to the first:
               δ = e σ'(z),  ∂L/∂W ≈ xᵀ δ,  ∂L/∂b ≈ Σₙ δₙ,  and e Wᵀ is the e of the layer before
    Cost       3 forward passes, as backpropagation
    Error      the last layer is exact. Before it backpropagation has δ Wᵀ (BP2) where this has e Wᵀ: the factor
               σ' = o(1 − o) is missing once for every layer passed. As it is at most ¼, those layers take steps
               that are at least four times too large for each, and in another direction
    Source     Rashid 2016, "Make Your Own Neural Network": hidden_errors = dot(who.T, output_errors)

    The rule still learns, since each wrong output changes weights in the right direction; but it is the gradient of no
    loss, and `check_gradients(..., tested=RashidRule())` says so. It supports chains of Dense and Sigmoid with the
    quadratic loss, as the book has them; a network without a hidden layer gets its true gradient.
    """

    def compute(self, network: Network, batch: Batch) -> Array:
        self.require(network)
        logits, caches = network.forward(batch.x, training=batch.training)
        loss, (outputs, difference) = network.loss.forward(logits, batch.targets, batch.weights)
        error = difference / outputs.shape[0]  # (N, out)
        for layer, cache in zip(reversed(network.layers), reversed(caches)):
            if isinstance(layer, Sigmoid):
                outputs = cache  # (N, out) of the dense layer that we come to next
            else:
                layer.backward(error * outputs * (1 - outputs), cache)
                error = error @ layer.params["W"].value.T  # (N, in)
        return loss

    def evaluations(self, network: Network) -> int:
        return 3

    def unsupported_reason(self, network: Network) -> str | None:
        """Names what differs from Dense and Sigmoid layers in turn with the quadratic loss."""
        if type(network.loss) is not Quadratic:
            return f"{network.loss!r}: Rashid's rule is about the quadratic loss; use it, or Backpropagation()"
        for i, layer in enumerate(network.layers):
            wanted: type[Layer] = Sigmoid if i % 2 else Dense
            if type(layer) is not wanted or (isinstance(layer, Dense) and layer.connections is not None):
                return (
                    f"layer {i}, {layer!r}: Rashid's rule knows Dense and Sigmoid layers in turn; use Backpropagation()"
                )
        if len(network.layers) % 2 == 0:
            return (
                f"layer {len(network.layers) - 1}: a Sigmoid at the end comes twice, for the loss has one; "
                "leave it out, or use Backpropagation()"
            )
        return None

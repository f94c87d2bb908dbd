"""Dense layers on images in colour."""

import math

from digitlab.doctor.ailment import Ailment, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.symptoms import percent
from digitlab.nn.io.description import describe_network
from digitlab.nn.zoo import find_recipe, recommended_net

SHOWN = 10
SETTINGS = ("optimizer", "schedule", "batch_size")  # of the recipe, which go with its network


class DenseOnColours(Ailment):
    """Images in colour and no convolution, with a poor result."""

    title = "Dense layers on colours"
    words = (
        "The images are in colour, and the first layer sees their pixels as a row of numbers. Where ink and paper may "
        "have any colour, no pixel says anything by itself: what counts is how neighbours differ, which convolutions "
        "see."
    )
    advice = "a convolutional network"

    def find(self, case: Case) -> Finding | None:
        if "train" not in case.sets or case.accuracy is None or not case.poor or len(case.network.input_shape) > 1:
            return None
        shape = case.sets["train"][0].shape[1:]
        better = recommended_net(shape)
        recipe = find_recipe(better) if better else None
        if recipe is None:
            return None
        network = recipe.build(input_shape=shape, classes=case.classes)
        settings = {name: value for name, value in recipe.training.table().items() if name in SETTINGS}
        labels = case.labels("train")
        names = [case.class_names[i] for i in labels[:SHOWN]] if labels is not None else []
        return self.finding(
            f"{percent(case.accuracy)} are correct after {len(case.rows)} epochs on images of "
            f"{'×'.join(map(str, shape))} numbers, by dense layers alone",
            "numbers of an image",
            math.prod(shape),
            case.pictures("Training images", "train", slice(0, SHOWN), names),
            cause="dense layers alone learn little from images in colour, where ink and paper may have any colour",
            advice=f"--net {better}",
            changes={"network": describe_network(network), **settings},
        )

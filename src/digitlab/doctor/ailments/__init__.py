"""The ailments, in the order in which a doctor thinks of them: what was wrong from the start first, symptoms last.

A run may have several; the first one found is the likeliest cause of the others. A learning rate is blamed only after
the data and the network.
"""

from digitlab.doctor.ailment import Ailment
from digitlab.doctor.ailments.batch_larger_than_data import BatchLargerThanData
from digitlab.doctor.ailments.class_imbalance import ClassImbalance
from digitlab.doctor.ailments.curve_not_learned import CurveNotLearned
from digitlab.doctor.ailments.dead_relus import DeadReLUs
from digitlab.doctor.ailments.dense_on_colours import DenseOnColours
from digitlab.doctor.ailments.diverging import Diverging
from digitlab.doctor.ailments.double_activation import DoubleActivation
from digitlab.doctor.ailments.equal_weights import EqualWeights
from digitlab.doctor.ailments.exploding_gradients import ExplodingGradients
from digitlab.doctor.ailments.inputs_scaled_twice import InputsScaledTwice
from digitlab.doctor.ailments.inputs_unscaled import InputsUnscaled
from digitlab.doctor.ailments.labels_shifted import LabelsShifted
from digitlab.doctor.ailments.labels_shuffled import LabelsShuffled
from digitlab.doctor.ailments.leakage import Leakage
from digitlab.doctor.ailments.noisy_gradient import NoisyGradient
from digitlab.doctor.ailments.not_a_number import NotANumber
from digitlab.doctor.ailments.one_class_predicted import OneClassPredicted
from digitlab.doctor.ailments.overfitting import Overfitting
from digitlab.doctor.ailments.rate_too_large import RateTooLarge
from digitlab.doctor.ailments.rate_too_small import RateTooSmall
from digitlab.doctor.ailments.saturated_neurons import SaturatedNeurons
from digitlab.doctor.ailments.sorted_data import SortedData
from digitlab.doctor.ailments.stopped_too_early import StoppedTooEarly
from digitlab.doctor.ailments.test_set_chosen_on import TestSetChosenOn
from digitlab.doctor.ailments.vanishing_gradients import VanishingGradients
from digitlab.doctor.ailments.weight_decay import WeightDecay

AILMENTS: tuple[Ailment, ...] = (
    NotANumber(),
    EqualWeights(),
    DoubleActivation(),
    InputsUnscaled(),
    InputsScaledTwice(),
    ExplodingGradients(),
    TestSetChosenOn(),
    Leakage(),
    SortedData(),
    DenseOnColours(),
    LabelsShifted(),
    LabelsShuffled(),
    BatchLargerThanData(),
    ClassImbalance(),
    OneClassPredicted(),
    SaturatedNeurons(),
    WeightDecay(),
    NoisyGradient(),
    DeadReLUs(),
    VanishingGradients(),
    Diverging(),
    RateTooLarge(),
    RateTooSmall(),
    CurveNotLearned(),
    Overfitting(),
    StoppedTooEarly(),
)

"""The readable engine: layers, losses, and networks made of them. Start with network.py."""

from digitlab.nn import describe
from digitlab.nn.activations import *
from digitlab.nn.bias import *
from digitlab.nn.bidirectional import *
from digitlab.nn.chains import *
from digitlab.nn.combine import *
from digitlab.nn.containers import *
from digitlab.nn.conv import *
from digitlab.nn.dropout import *
from digitlab.nn.initializers import *
from digitlab.nn.io.building import *
from digitlab.nn.io.description import *
from digitlab.nn.io.freezing import *
from digitlab.nn.io.loading import *
from digitlab.nn.losses import *
from digitlab.nn.masks import *
from digitlab.nn.network import *
from digitlab.nn.normalization import *
from digitlab.nn.per_neuron import *
from digitlab.nn.pooling import *
from digitlab.nn.recurrent import *
from digitlab.nn.repeat import *
from digitlab.nn.reshaping import *
from digitlab.nn.slices import *
from digitlab.nn.step import *
from digitlab.nn.subnetwork import *
from digitlab.nn.zoo import *

__all__ = describe.export(__name__, globals())

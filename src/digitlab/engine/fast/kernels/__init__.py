"""What the compiled engine computes with, from the ground up; each module names its readable twin.

jit, piece, simd           how kernels are compiled, which of them a network needs; eight floats at once
tiles, products, maths     small matrix products in registers, large ones made of them; exp, tanh, σ
sync, masks                where threads wait for each other; weights that are frozen or not connected
dense                      the dense layer on dense input, and three ways to do less:
  pixels, sparse             on pictures, as lists of the pixels that are not zero
  skipping                   behind a ReLU, most of whose outputs are zero
  shared                     large layers in small batches: threads share out the weights
pooled_conv, windows       convolutions with the max-pool behind them; all others, and pools by themselves
frame                      the border that padding asks for
activation, loss, update   and their derivatives; the optimizers
through, steps             a batch's examples through all operations and back; the parameters, one step on
train, predict, entries    whole trainings, predictions, and the functions that Python calls
"""

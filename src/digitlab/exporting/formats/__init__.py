"""Formats of exported networks: each module writes one, and its `FORMAT` says which (see ../format.py).

onnx.py                        for every program that runs ONNX; onnx_layers/ has the operators of each layer
pytorch.py  keras.py           weights, and a readable file that builds the model
numpy_script.py                a program that predicts with NumPy alone
json.py                        Nielsen's network2
safetensors.py  npz.py  csv.py the arrays by name
"""

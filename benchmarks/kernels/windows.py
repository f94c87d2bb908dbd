"""LeNet-5, whose convolutions and pools run as windows laid out in rows: both engines, µs per image, one thread.

python benchmarks/ops/windows.py
"""

import os

os.environ |= {"DIGITLAB_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import digitlab
from digitlab import Adam, Trainer
from digitlab.nn.zoo import build_named

train = digitlab.load("mnist", part="train").first(3000)
for engine in ("fast", "reference"):
    trainer = Trainer(build_named("lenet5"), Adam(0.001), batch_size=64, engine=engine, keep="last")
    seconds = trainer.fit(train, epochs=4).column("seconds")
    print(f"{engine:9} {1e6 * min(seconds) / len(train):6.1f} µs per image (least of {len(seconds)} epochs)")

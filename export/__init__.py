"""From a trained game to a directory that TensorFlow Serving can serve, checked before it is there.

`python -m export MODEL --out served/NAME` publishes the next version; `python -m export.doctor DIR`
examines one that is there.
"""

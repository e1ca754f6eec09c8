"""Arithmetic of a training step, and the rate at which this machine does matrix products."""

import time

import tensorflow as tf


def of_step(game, shape: tuple) -> int:
    """Floating-point operations of the products of one step: 2 for a multiplication and addition.

    Counts the matrix products and convolutions on which a result or a variable's update depends.
    TensorFlow's graph holds others, which are never run. Those inside of functions and loops, which
    the steps of our methods do not have, are not counted.

    Args:
        game: a compiled game.
        shape: shape of a batch.
    """
    step = tf.function(game.train_step).get_concrete_function(tf.TensorSpec(shape)).graph
    wanted = {tensor.op for tensor in step.outputs} | set(step.control_outputs)
    open_ends = list(wanted)
    while open_ends:
        op = open_ends.pop()
        before = {tensor.op for tensor in op.inputs} | set(op.control_inputs)
        open_ends += before - wanted
        wanted |= before
    return sum(2 * PRODUCTS[op.type](op) for op in wanted if op.type in PRODUCTS)


def _of_matmul(op):
    inner = op.inputs[0].shape[0 if op.get_attr("transpose_a") else 1]
    return op.outputs[0].shape.num_elements() * inner


def _of_convolution(places, kernel):
    """`places`: the side of the strided map; `kernel`: (height, width, inputs, outputs)."""
    return places.shape.num_elements() * kernel.shape[:3].num_elements()


PRODUCTS = {
    "MatMul": _of_matmul,
    "Conv2D": lambda op: _of_convolution(op.outputs[0], op.inputs[1]),
    "Conv2DBackpropInput": lambda op: _of_convolution(op.inputs[2], op.inputs[1]),
    "Conv2DBackpropFilter": lambda op: _of_convolution(op.inputs[2], op.outputs[0]),
}


def products(side: int):
    """(a function that multiplies two float32 matrices side × side, operations of a call)."""
    a = tf.random.normal((side, side))
    multiply = tf.function(lambda: tf.matmul(a, a))
    multiply()
    return lambda: multiply().numpy(), 2 * side**3


def matmul_rate(seconds: float) -> float:
    """float32 operations per second of products of 1024 × 1024, over so many seconds."""
    multiply, operations = products(1024)
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        multiply()
        done += operations
    return done / (time.perf_counter() - began)

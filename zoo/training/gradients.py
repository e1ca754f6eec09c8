"""Gradients with respect to inputs, for the penalties of WGAN-GP and its relatives.

Methods and losses use `keras.ops`, which has no gradient, so the backends differ here.
"""

import keras
from keras import ops


def input_gradient(function, x):
    """d function(x)_i / d x_i for every example i, itself differentiable in the weights.

    Args, limits and errors are those of `values_and_input_gradient`.

    Returns:
        float, of the shape of x.
    """
    return values_and_input_gradient(function, x)[1]


def values_and_input_gradient(function, x):
    """function(x), and d function(x)_i / d x_i for every example i, of one forward pass.

    Layers that mix examples (batch norm) have no gradient of one example, and layers that change
    their weights when called (batch norm, spectral norm) cannot be in `function` on JAX.

    Args:
        function: x (n, ...) → (n, 1) or (n,), one number for each example, such as a critic.
        x: float (n, ...).

    Returns:
        function(x), and the gradient, float, of the shape of x.

    Raises:
        ValueError: Keras has a backend other than TensorFlow and JAX.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(x)
            values = function(x)
            total = ops.sum(values)
        return values, tape.gradient(total, x)
    if backend == "jax":
        import jax

        def total_and_values(inputs):
            values = function(inputs)
            return ops.sum(values), values

        gradient, values = jax.grad(total_and_values, has_aux=True)(x)
        return values, gradient
    raise ValueError(f"input_gradient needs KERAS_BACKEND=tensorflow or jax; got {backend!r}")


def gradient_penalty(function, x):
    """Mean over the examples of (|d function / d x|₂ − 1)² (Gulrajani et al. 2017).

    arXiv:1704.00028; there x are points on lines between real and generated examples.
    """
    gradient = input_gradient(function, x)
    squares = ops.sum(ops.square(ops.reshape(gradient, (ops.shape(x)[0], -1))), axis=1)
    # The root has no derivative at zero.
    return ops.mean(ops.square(ops.sqrt(squares + 1e-12) - 1))

"""Products with the Jacobian J of a function of each example, in TensorFlow and in JAX."""

_NO_GRADIENT = "lipschitz: no gradient flows from the function's input to its output"


def power_step(function, shape):
    """One step of power iteration on JᵀJ, compiled: (x, v) → JᵀJ v, |J v| and the residual, for v
    scaled to length 1.

    Args:
      function: as for `zoo.metrics.lipschitz`.
      shape: of x and v, (b, ...).

    Raises:
      ValueError: at the first step, no gradient flows.
    """
    import keras

    def step(x, v):
        v = keras.ops.divide_no_nan(v, _norms(v))
        pushed, product = products(function, x, v)
        value, product = _norms(pushed), keras.ops.cast(product, "float32")
        squared = keras.ops.reshape(value**2, [-1] + [1] * (len(shape) - 1))
        residual = keras.ops.divide_no_nan(_norms(product - squared * v), squared)
        return product, keras.ops.reshape(value, [-1]), keras.ops.reshape(residual, [-1])

    if keras.backend.backend() == "jax":
        import jax

        products = _products_of_jax
        return jax.jit(step)
    import tensorflow as tf

    products = _products_of_tensorflow
    spec = tf.TensorSpec(shape, tf.float32)
    return tf.function(step, input_signature=(spec, spec), autograph=False)


def _products_of_tensorflow(function, x, v):
    """J v and JᵀJ v, of one forward pass."""
    import tensorflow as tf

    # Differentiated twice only: outside the outer tape nothing but u is watched.
    with tf.GradientTape(watch_accessed_variables=False) as outer:
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as inner:
            inner.watch(x)
            y = tf.convert_to_tensor(function(x))
        u = tf.zeros_like(y)
        outer.watch(u)
        pulled = inner.gradient(y, x, u)
    if pulled is None:
        raise ValueError(_NO_GRADIENT)
    pushed = outer.gradient(pulled, u, v)
    return pushed, inner.gradient(y, x, pushed)


def _products_of_jax(function, x, v):
    """The same; Jᵀ is J transposed, so that here too one forward pass serves for both."""
    import jax

    try:
        _, push = jax.linearize(function, x)
    except jax.errors.TracerArrayConversionError:
        raise ValueError(_NO_GRADIENT) from None
    pushed = push(v)
    (product,) = jax.linear_transpose(push, x)(pushed)
    return pushed, product


def _norms(x):
    """float32 L2 norm of each example, with axes kept for broadcasting."""
    from keras import ops

    squares = ops.cast(x, "float32") ** 2
    return ops.sqrt(ops.sum(squares, axis=tuple(range(1, len(x.shape))), keepdims=True))

"""Networks of a trained game in inference mode, as compiled functions.

Called from Python, Keras runs a network one operation after another. As a graph (TensorFlow) or
compiled (JAX) it gives the same numbers to rounding, sooner. `encode`, `decode` and methods built
on them call `apply`, which compiles a network at the first call with inputs of a kind:

- TensorFlow traces it once for each dtype and shape of an example; batches of any size, a last
  short one too, use the same graph. JAX also compiles again for each batch size.
- Weights are no part of the compiled function: after training or loading the next call uses the new
  ones. A layer that was given another dtype policy, or other variables, compiles again.
- Functions belong to the network and are kept outside of it, so games are saved, copied and
  pickled without them, and they end with the network.
"""

import weakref

import keras
import numpy as np

# Network → kind of call → function of its inputs.
_FUNCTIONS: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def itself(network):
    """The network, for `apply`."""
    return network


def apply(network, inputs, part=itself, eager: bool = False):
    """`part(network)(inputs, training=False)`.

    Args:
        network: a built `keras.Model`; another function of the same arguments is called as it is.
        inputs: tensors or arrays (n, ...), one or a list as the network takes them.
        part: network → model of its layers, always the same function for the same part.
        eager: whether to compile nothing, as of a game compiled with `run_eagerly=True`.

    Returns:
        The network's outputs. Noise that its layers draw continues from call to call.

    Raises:
        ValueError: the inputs do not fit the network.
    """
    # A function in the place of a network has no variables to identify the compiled function by.
    if eager or not isinstance(network, keras.Model):
        return part(network)(inputs, training=False)
    variables = network.variables
    if not _compilable(variables, inputs):
        return part(network)(inputs, training=False)
    kind = (
        part,
        str(keras.tree.map_structure(_kind, inputs)),
        tuple(layer.dtype_policy.name for layer in network.layers),
        tuple(map(id, variables)),
    )
    functions = _FUNCTIONS.setdefault(network, {})
    if kind not in functions:
        # The network itself would keep its own entry alive.
        functions[kind] = _compiled(weakref.ref(network), variables, inputs, part)
    return functions[kind](inputs)


def _compilable(variables, inputs):
    """Whether this is an eager call on numbers, the weights being those of the variables."""
    flat = keras.tree.flatten(inputs)
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return all(isinstance(x, np.ndarray | jax.Array) for x in flat)
    if backend != "tensorflow":
        return False
    import tensorflow as tf

    # In a `keras.StatelessScope` a variable has the value of the scope, which is a tensor.
    return (
        tf.executing_eagerly()
        and all(isinstance(x, np.ndarray | tf.Tensor) for x in flat)
        and all(isinstance(v.value, tf.Variable) for v in variables)
    )


def _kind(x):
    return keras.backend.standardize_dtype(x.dtype), *x.shape[1:]


def _compiled(network, variables, inputs, part):
    if keras.backend.backend() == "jax":
        return _of_jax(network, variables, part)
    import tensorflow as tf

    return tf.function(
        lambda x: part(network())(x, training=False),
        input_signature=[
            keras.tree.map_structure(lambda x: tf.TensorSpec((None, *x.shape[1:]), x.dtype), inputs)
        ],
        autograph=False,
    )


def _of_jax(network, variables, part):
    import jax

    @jax.jit
    def outputs_and_state(values, inputs):
        with keras.StatelessScope(list(zip(variables, values, strict=True))) as scope:
            before = [scope.get_current_value(v) for v in variables]
            outputs = part(network())(inputs, training=False)
            after = [scope.get_current_value(v) for v in variables]
        moved = {i: b for i, (a, b) in enumerate(zip(before, after, strict=True)) if a is not b}
        return outputs, moved

    def run(inputs):
        outputs, moved = outputs_and_state([v.value for v in variables], inputs)
        for i, value in moved.items():
            variables[i].assign(value)
        return outputs

    return run

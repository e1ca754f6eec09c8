"""Session configuration of servables."""

from export.server import text_configs


def config(options, batching=None):
    """A `ConfigProto` from flags and --tensorflow_session_config_file, flags first.

    Unless they set it, a run stays in its own thread: handing small operations from thread to
    thread costs a request of one image a quarter of its time. Intra-op threads do not spin while
    they wait, because requests need the CPU.

    Args:
        options: from `flags.parse`.
        batching: `Parameters`, or None.

    Raises:
        ValueError: the file cannot be read.
    """
    from tensorflow.core.protobuf.config_pb2 import ConfigProto

    found = ConfigProto(inter_op_parallelism_threads=-1, allow_soft_placement=True)
    if options.tensorflow_session_config_file:
        file = text_configs.read(options.tensorflow_session_config_file, "ConfigProto")
        found.MergeFrom(file)
    # In proto3, a bool that is false looks like one that is unset; its message field does not.
    if not found.HasField("experimental"):
        found.experimental.disable_thread_spinning = True
    if options.per_process_gpu_memory_fraction:
        fraction = options.per_process_gpu_memory_fraction
        found.gpu_options.per_process_gpu_memory_fraction = fraction
    both = options.tensorflow_session_parallelism
    if intra := options.tensorflow_intra_op_parallelism or both:
        found.intra_op_parallelism_threads = intra
    if inter := options.tensorflow_inter_op_parallelism or both:
        # If there are fewer threads than runs, TensorFlow makes one run wait for another.
        runs = batching.num_batch_threads if batching else 0
        found.inter_op_parallelism_threads = max(inter, runs)
    return found

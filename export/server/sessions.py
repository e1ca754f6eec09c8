"""How the sessions of servables run."""

from export.server import text_configs


def config(options, batching=None):
    """A `ConfigProto` of what flags and --tensorflow_session_config_file say, flags first.

    Where they leave it open, a run stays in its own thread: handing small operations from thread to
    thread costs a request of one image a quarter of its time. Nor do threads inside an operation
    spin while they wait: requests want the processor.

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
    # A switch of proto3 that is off cannot be told from one that is not there; its part can.
    if not found.HasField("experimental"):
        found.experimental.disable_thread_spinning = True
    if options.per_process_gpu_memory_fraction:
        fraction = options.per_process_gpu_memory_fraction
        found.gpu_options.per_process_gpu_memory_fraction = fraction
    both = options.tensorflow_session_parallelism
    if intra := options.tensorflow_intra_op_parallelism or both:
        found.intra_op_parallelism_threads = intra
    if inter := options.tensorflow_inter_op_parallelism or both:
        # With fewer threads than runs, TensorFlow makes one run wait for another.
        runs = batching.num_batch_threads if batching else 0
        found.inter_op_parallelism_threads = max(inter, runs)
    return found

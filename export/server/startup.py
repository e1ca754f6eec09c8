"""TensorFlow's start without the lines that it logs on every machine."""

import contextlib
import os
import re
import sys
import tempfile

# Logged by TensorFlow's libraries while they are loaded, before its log level is read: processor
# features, and that there is no GPU. Everything else is an error or news, and is printed.
USUAL = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|[IW]\d{4} .*\] "
    rb"|E\d{4} .*(failed call to cuInit|Unable to register cu|computation placer already)"
    rb"|To enable the following instructions"
)


def load_tensorflow() -> None:
    """Import TensorFlow and look for GPUs; print its log lines, the usual ones left out."""
    with _without_the_usual():
        import tensorflow as tf

        tf.config.list_physical_devices("GPU")  # does not reserve memory


@contextlib.contextmanager
def _without_the_usual():
    # Native code writes to the file descriptor, not to `sys.stderr`.
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            for line in file:
                if line.strip() and not USUAL.match(line):
                    os.write(2, line)

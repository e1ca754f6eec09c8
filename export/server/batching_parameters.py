"""TensorFlow Serving's batching parameters."""

import dataclasses
import os


@dataclasses.dataclass(frozen=True)
class Parameters:
    """TensorFlow Serving's batching parameters, with its defaults."""

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = dataclasses.field(default_factory=lambda: os.cpu_count() or 1)
    thread_pool_name: str = "batch_threads"
    allowed_batch_sizes: tuple = ()
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int = 0  # 0: as max_batch_size

    def __post_init__(self):
        for name, least in (
            ("max_batch_size", 1),
            ("batch_timeout_micros", 0),
            ("max_enqueued_batches", 1),
            ("num_batch_threads", 1),
            ("max_execution_batch_size", 0),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be {least} or more; got {getattr(self, name)}")
        if self.max_execution_batch_size > self.max_batch_size:
            raise ValueError(
                f"max_execution_batch_size must be at most max_batch_size "
                f"({self.max_batch_size}); got {self.max_execution_batch_size}"
            )
        sizes = list(self.allowed_batch_sizes)
        if sizes and (sizes != sorted(set(sizes)) or sizes[-1] != self.largest or sizes[0] < 1):
            raise ValueError(
                f"allowed_batch_sizes must ascend and end with {self.largest}; got {sizes}"
            )

    @property
    def largest(self) -> int:
        """Most rows of one run."""
        split = self.enable_large_batch_splitting and self.max_execution_batch_size
        return split or self.max_batch_size

    @classmethod
    def from_proto(cls, proto) -> "Parameters":
        """From a `BatchingParameters` message; fields that are not set keep their default."""
        found = {}
        for field, value in proto.ListFields():
            if field.name == "pad_variable_length_inputs":
                continue  # requests of different shapes never share a batch
            if field.name == "allowed_batch_sizes":
                found[field.name] = tuple(value)
            else:
                found[field.name] = value.value
        return cls(**found)

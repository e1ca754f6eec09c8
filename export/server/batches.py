"""The run of one batch: all its requests together, or in halves if one of them is at fault."""

import asyncio
import dataclasses

import numpy as np

from export.server.batching_parameters import Parameters
from export.server.errors import ServingError
from export.server.errors import from_exception


@dataclasses.dataclass(slots=True)
class Task:
    """Rows of one request that wait for their run."""

    feeds: dict
    rows: int
    shapes: tuple  # of one row of every input
    future: asyncio.Future
    queued: float


def run(signature, parameters: Parameters, batch: list) -> list:
    """One answer, {alias: array} or an exception, for every task of the batch."""
    try:
        return _together(signature, parameters, batch)
    except Exception as error:
        if len(batch) == 1:
            return [from_exception(error)]
    # One bad request among 32 is found in 10 more runs; one by one it would take 32.
    half = len(batch) // 2
    return run(signature, parameters, batch[:half]) + run(signature, parameters, batch[half:])


def _together(signature, parameters, batch):
    rows = sum(task.rows for task in batch)
    feeds = {
        alias: value if len(batch) == 1 else np.concatenate([t.feeds[alias] for t in batch])
        for alias, value in batch[0].feeds.items()
    }
    sizes = parameters.allowed_batch_sizes if rows else ()
    padded = next((n for n in sizes if n >= rows), rows)
    if padded > rows:
        feeds = {
            alias: np.concatenate([value, np.repeat(value[:1], padded - rows, axis=0)])
            for alias, value in feeds.items()
        }
    found = signature.run(feeds, signature.outputs)
    for value in found.values():
        if value.ndim == 0 or len(value) != padded:
            raise ServingError(
                "FAILED_PRECONDITION",
                "Batched output tensor's 0th dimension does not equal the sum of the 0th "
                "dimension sizes of the input tensors",
            )
    answers, start = [], 0
    for task in batch:
        answers.append({a: value[start : start + task.rows] for a, value in found.items()})
        start += task.rows
    return answers

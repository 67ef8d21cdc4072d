"""Where a run stands, in a file: parameters, moments and place, as tensors and JSON only."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gsfm.errors import FormatError
from gsfm.io.files import atomic_path
from gsfm.sets import GeneSets

KEY = "gsfm-checkpoint"


def identity(
    config: Any,
    sets: GeneSets,
    weights: NDArray[np.floating],
    random_state: int,
    dtype: torch.dtype,
) -> dict[str, Any]:
    """Everything that the result depends on: a checkpoint of anything else is refused."""
    return {
        "config": dataclasses.asdict(config),
        "seed": random_state,
        "precision": str(dtype),
        "vocabulary": sets.vocabulary.hash,
        "sets": len(sets),
        "members": len(sets.indices),
        "content": zlib.crc32(np.ascontiguousarray(sets.indices).data),
        "weights": zlib.crc32(np.ascontiguousarray(weights).data),
    }


def write(
    path: Path,
    parameters: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
    place: Mapping[str, Any],
    averages: Mapping[str, Tensor] = MappingProxyType({}),
) -> None:
    """Write `parameters`, their moments, and `place`: with the seed, the rest follows from them.

    `averages`, if there are any, are those of the parameters over the steps.
    `place` holds the run's ``identity``, the number of its last ``step``, and what else is JSON.
    """
    tensors = {}
    for name, p in parameters.items():
        state = optimizer.state[p]
        tensors[name] = p.detach()
        tensors[f"{name}|exp_avg"] = state["exp_avg"]
        tensors[f"{name}|exp_avg_sq"] = state["exp_avg_sq"]
    tensors |= {f"{name}|average": mean for name, mean in averages.items()}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={KEY: json.dumps(place)})


def resume(
    path: Path,
    parameters: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
    identity: Mapping[str, Any],
    averages: Mapping[str, Tensor] = MappingProxyType({}),
) -> dict[str, Any]:
    """Take up a checkpoint in place; return what `write` was given as ``place``.

    Raises
    ------
    FormatError
        If the file is no checkpoint, or one of a run with another `identity`.
    """
    try:
        with safe_open(path, "pt") as stored:
            place: dict[str, Any] = json.loads((stored.metadata() or {})[KEY])
            theirs = place["identity"]
            differs = [key for key in identity if theirs.get(key) != identity[key]]
            if differs:
                raise FormatError(
                    path,
                    f"this checkpoint is of another run (its {differs[0]} differs); "
                    "remove it, or start without resuming",
                )
            with torch.no_grad():
                for name, p in parameters.items():
                    p.copy_(stored.get_tensor(name))
                    optimizer.state[p] = {
                        "step": torch.tensor(float(place["step"]), device=p.device),
                        "exp_avg": stored.get_tensor(f"{name}|exp_avg").to(p.device),
                        "exp_avg_sq": stored.get_tensor(f"{name}|exp_avg_sq").to(p.device),
                    }
                for name, mean in averages.items():
                    mean.copy_(stored.get_tensor(f"{name}|average"))
    except (SafetensorError, KeyError, ValueError) as error:
        raise FormatError(path, f"not a checkpoint of gsfm ({error})") from error
    return place

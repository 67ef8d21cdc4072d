"""The state of a fit in a file: parameters, moments and progress, as tensors and JSON only."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
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
MOMENTS = ("exp_avg", "exp_avg_sq")


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
    state: Mapping[str, Any],
    averages: Mapping[str, Tensor],
) -> None:
    """Write the parameters, their moments, their running averages if any, and `state`.

    `state` has the ``identity`` of the run, the number of its last ``step``, and other JSON.
    """
    tensors = {name: p.detach() for name, p in parameters.items()}
    for name, p in parameters.items():
        tensors |= {f"{name}|{moment}": optimizer.state[p][moment] for moment in MOMENTS}
    tensors |= {f"{name}|average": mean for name, mean in averages.items()}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={KEY: json.dumps(state)})


def resume(
    path: Path,
    parameters: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
    identity: Mapping[str, Any],
    averages: Mapping[str, Tensor],
) -> dict[str, Any]:
    """Read a checkpoint into the parameters, moments and averages; return its ``state``.

    Raises
    ------
    FormatError
        If the file is not a checkpoint, or is one of a run with another `identity`.
    """
    try:
        with safe_open(path, "pt") as stored:
            state: dict[str, Any] = json.loads((stored.metadata() or {})[KEY])
            differs = [k for k in identity if state["identity"].get(k) != identity[k]]
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
                        "step": torch.tensor(float(state["step"]), device=p.device),
                        **{m: stored.get_tensor(f"{name}|{m}").to(p.device) for m in MOMENTS},
                    }
                for name, mean in averages.items():
                    mean.copy_(stored.get_tensor(f"{name}|average"))
    except (SafetensorError, KeyError, ValueError) as error:
        raise FormatError(path, f"not a checkpoint of gsfm ({error})") from error
    return state

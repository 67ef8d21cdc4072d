"""The state of a fit in a file: parameters, moments and progress, as tensors and JSON only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from gsfm.errors import FormatError, require
from gsfm.io import strict_json
from gsfm.io.files import atomic_path

if TYPE_CHECKING:
    from gsfm.training.loop import Learner

KEY = "gsfm-checkpoint"
MOMENTS = ("exp_avg", "exp_avg_sq")


def write(path: Path, learner: Learner, state: dict[str, Any]) -> None:
    """Write parameters, moments, running averages, and `state`, with the last ``step`` in it."""
    tensors = {name: p.detach() for name, p in learner.parameters.items()}
    for name, p in learner.parameters.items():
        tensors |= {f"{name}|{moment}": learner.optimizer.state[p][moment] for moment in MOMENTS}
    tensors |= {f"{name}|average": mean for name, mean in learner.averages.items()}
    state = {**state, "identity": learner.identity, "learner": learner.state()}
    with atomic_path(path, parents=True) as temporary:
        save_file(tensors, temporary, metadata={KEY: json.dumps(state)})


def resume(path: Path, learner: Learner) -> dict[str, Any]:
    """Continue from a checkpoint: set the learner, and return the ``state``."""

    def take(name: str, like: torch.Tensor) -> torch.Tensor:
        tensor: torch.Tensor = stored.get_tensor(name)
        same = tensor.shape == like.shape and tensor.dtype == like.dtype
        require(same, f"{name} is {tensor.dtype} {tuple(tensor.shape)}, not {tuple(like.shape)}")
        return tensor

    try:
        with safe_open(path, "pt") as stored:
            state: dict[str, Any] = strict_json.loads(
                (stored.metadata() or {})[KEY], constants=True
            )
            for key, wanted in learner.identity.items():
                if state["identity"].get(key) != wanted:
                    message = f"this checkpoint is of another run (its {key} differs); remove it"
                    raise FormatError(path, f"{message}, or start without resuming")
            step, steps = state["step"], learner.steps
            inside = type(step) is int and 1 <= step <= steps
            require(inside, f"its step is {step!r}, and the fit has {steps}")
            whole = isinstance(state["curve"], list) and isinstance(state["seconds"], int | float)
            require(whole, "its learning curve or its time is missing")
            with torch.no_grad():
                for name, p in learner.parameters.items():
                    p.copy_(take(name, p))
                    learner.optimizer.state[p] = {
                        "step": torch.tensor(float(step), device=p.device),
                        **{m: take(f"{name}|{m}", p).to(p.device) for m in MOMENTS},
                    }
                for name, mean in learner.averages.items():
                    mean.copy_(take(f"{name}|average", mean))
        learner.restore(state["learner"])
    except (
        *(SafetensorError, LookupError, ValueError),
        AttributeError,
        TypeError,
        RuntimeError,
    ) as error:
        raise FormatError(path, f"not a checkpoint of gsfm ({error})") from error
    return state

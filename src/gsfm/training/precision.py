"""The precision of matrix products in training."""

from __future__ import annotations

from pathlib import Path

import torch


def choose_dtype(precision: str, device: torch.device | None = None) -> torch.dtype:
    """Return the precision; auto is bf16 where the device multiplies it faster than float32."""
    if precision == "auto" and device is not None and device.type == "cuda":
        precision = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    elif precision == "auto":
        capabilities = torch.backends.cpu.get_cpu_capability()
        flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
        fast = "AVX512" in capabilities and ("amx_bf16" in flags or "avx512_bf16" in flags)
        precision = "bf16" if fast else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32

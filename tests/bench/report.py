# SPDX-License-Identifier: MIT
"""How the benchmarks keep what they measured, each in a JSON file beside;
the lab of the boot tests is on the path after this."""
from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
sys.path.insert(0, str(HERE.parent / "boot"))

from lab import images, tools  # noqa: E402


def spread(values: Sequence[float | None]) -> dict | None:
    """None when one of them is missing."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    return {"median": round(statistics.median(known), 2), "min": round(min(known), 2), "max": round(max(known), 2)}


def save(name: str, boots: int, what: str, kernel: str, loads: list[float], packages: dict[str, str],
         rows: dict) -> None:
    """The medians with the command that made them and the machine that they are of; `loads` are the host's."""
    def line(*command: object) -> str:
        return tools.run(*command).decode().splitlines()[0].strip()

    program = images.installation().tree / "usr/sbin/earlyseed"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({
        "command": f"tests/bench/{name} --boots {boots} --save",
        "what": what,
        "boots": boots,
        "kernel": kernel,
        "qemu": line("qemu-system-x86_64", "--version"),
        "processors_of_the_host": os.cpu_count(),
        "load_of_the_host": spread(loads),
        "earlyseed": {"version": line(program, "--version").split()[1], "bytes": program.stat().st_size},
        "packages_of_Debian_12": packages,
        "rows": rows}, indent=1) + "\n")

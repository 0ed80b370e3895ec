# SPDX-License-Identifier: MIT
"""Power cuts at random instants: a short run of what `tests/boot/powercut` does."""
from __future__ import annotations

import secrets

from lab import images, powercut, tools
from lab.scenario import Lab, scenario
from scenarios import INITRAMFS_TOOLS, PATIENCE


@scenario(INITRAMFS_TOOLS)
def power_cuts(_lab: Lab, generator: str) -> dict[str, powercut.Ledger]:
    """Eight boots. Another seed each time: a run that failed can be had again."""
    seed = secrets.randbits(32)
    tools.say(f"power cuts: seed {seed}")
    ledger = powercut.Ledger()
    image = images.image(generator, conf=PATIENCE)
    powercut.play(image, 8, seed, ledger, lambda text: tools.say(f"power cuts: {text}"))
    return {"ledger": ledger}

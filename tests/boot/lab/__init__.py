# SPDX-License-Identifier: MIT
"""The boot lab: real Debian machines in QEMU, for tests/boot and the demo.

Modules depend downward only: `scenario` -> `machine` -> `images`, `disks`, `qemu`, `record` -> `fetch` -> `tools`.
Standard library only, but for `scenario`, which needs pytest; mmdebstrap, QEMU, e2fsprogs,
mtools and util-linux do the work.
"""

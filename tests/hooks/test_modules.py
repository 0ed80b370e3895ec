# SPDX-License-Identifier: MIT
"""The modules of ext4 and of hardware RNGs, which Debian's usual kernel has and the lab's, for virtual machines,
has built in or not at all."""
from __future__ import annotations

import pytest

from conftest import images, tools

pytestmark = pytest.mark.long

FILE = "UUID=e5eed000-0000-4000-8000-000000000002:/earlyseed/seed"
# ext4 and what it needs; its checksums are asked for by name at the mount, so no symbol leads to them.
EXT4 = {"ext4", "jbd2", "mbcache", "crc16", "crc32c_generic"}
RANDOM = {"virtio-rng", "amd-rng"}
FULL_KERNEL = images.Generator("full-kernel", ("initramfs-tools", "linux-image-amd64"), (), "")


@pytest.fixture(params=["initramfs_machine", "dracut_machine"])
def machine(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def kernel(machine):
    """Debian's usual kernel in the machine's tree, as far as file systems go; its version."""
    parts = ["modules.*", "kernel/fs/*", "kernel/drivers/char/*", "kernel/lib/*", "kernel/crypto/*",
             "kernel/arch/x86/crypto/*"]
    tools.run("tar", "-C", machine.root, "-x", "-f", images._base(FULL_KERNEL), "--wildcards", "--exclude=*-cloud-*",
              "./boot/config-*", *(f"./usr/lib/modules/*/{part}" for part in parts))
    version, = {path.name for path in machine.path("/usr/lib/modules").iterdir()} - {machine.kernel}
    assert machine.run("depmod", version).status == 0
    yield version
    tools.remove_tree(machine.path(f"/usr/lib/modules/{version}"))
    machine.path(f"/boot/config-{version}").unlink()


def test_modules(machine, kernel):
    commands = {
        "initramfs-tools": ["sh", "-c", f'echo MODULES=list > /etc/initramfs-tools/conf.d/no-drivers && '
                                        f'mkinitramfs -o "$0" {kernel}'],
        "dracut": ["dracut", "--quiet", "--force", "--hostonly", "--kver", kernel],
    }
    command = commands[machine.root.name]
    with_file, with_partition = machine.build(command, FILE), machine.build(command, "PARTLABEL=earlyseed")
    assert (with_file.made.status, with_partition.made.status) == (0, 0)
    assert EXT4 <= with_file.modules()
    assert not EXT4 & with_partition.modules() - {"crc16", "crc32c_generic"}
    assert RANDOM <= with_partition.modules()

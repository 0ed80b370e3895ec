# SPDX-License-Identifier: MIT
"""What is in an initrd that the real generators make: the program and its configuration, never a seed."""
import os

import pytest

from lab import images, initrd
from scenarios import DRACUT, DRACUT_PLAIN, INITRAMFS_TOOLS

STORE = "/var/lib/earlyseed/seed"


@pytest.fixture(scope="module", params=[
    INITRAMFS_TOOLS, pytest.param(DRACUT, marks=pytest.mark.long), pytest.param(DRACUT_PLAIN, marks=pytest.mark.long)])
def with_seed(request):
    """The initrd's files, and the seed of the machine that it was made on."""
    seed = b"\x01\x02earlyseed-test" + bytes(range(256)) * 31 + bytes(240)
    image = images.image(request.param, conf=f"store = {STORE}\n", files={STORE: seed})
    return initrd.files(image.initrd), seed


def test_p6_no_seed_in_the_image(with_seed):
    """P6: the store named in the configuration exists on the machine, and is not in the image of its initrd."""
    files, seed = with_seed
    assert len(files) > 100, "the image was not read to its end"
    assert STORE.lstrip("/") not in files
    assert [name for name, content in files.items() if seed[:16] in content or seed[256:512] in content] == []


def test_p4_the_program_in_the_image_is_the_installed_one(with_seed):
    """P4: the image has what the boot scripts call, and the configuration that they go by."""
    files, _ = with_seed
    program = next(content for name, content in files.items() if name in ("usr/sbin/earlyseed", "sbin/earlyseed"))
    assert program == (images.installation().tree / "usr/sbin/earlyseed").read_bytes()
    assert files["etc/earlyseed.conf"] == f"store = {STORE}\n".encode()


def test_the_reader_reads_an_image_as_cpio_does(with_seed):
    """The reading above is no better than its reader: a program that every image must have is found whole."""
    files, _ = with_seed
    assert any(os.path.basename(name) == "modprobe" or name.endswith("/kmod") for name in files)
    assert any(name.endswith("/virtio_blk.ko") for name in files)

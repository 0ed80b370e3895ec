#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut's pre-udev hook, in an initrd without systemd: jitter, and what the CPU has. No disk is there yet.

earlyseed_pre_udev() {
    getargbool 1 rd.earlyseed || return 0
    [ -x /usr/sbin/earlyseed ] || return 0
    /usr/sbin/earlyseed load --early
}

earlyseed_pre_udev
:

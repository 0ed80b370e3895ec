#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut's pre-pivot hook, in an initrd without systemd: the last call, with the root mounted.

earlyseed_pre_pivot() {
    getargbool 1 rd.earlyseed || return 0
    [ -x /usr/sbin/earlyseed ] || return 0
    /usr/sbin/earlyseed load --root "$NEWROOT"
}

earlyseed_pre_pivot
:

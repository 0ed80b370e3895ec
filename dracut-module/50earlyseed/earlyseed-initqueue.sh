#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut's initqueue hook, in an initrd without systemd: called again and again while the root's disk is awaited or
# unlocked. A store on a partition is used as soon as it is there; nothing is mounted, as resume may be to come.

earlyseed_initqueue() {
    getargbool 1 rd.earlyseed || return 0
    [ -x /usr/sbin/earlyseed ] || return 0
    /usr/sbin/earlyseed load --early
}

earlyseed_initqueue
:

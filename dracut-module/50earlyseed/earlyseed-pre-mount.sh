#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut's pre-mount hook, in an initrd without systemd: resume has been tried, so a store that is a file may be
# mounted.

earlyseed_pre_mount() {
    getargbool 1 rd.earlyseed || return 0
    [ -x /usr/sbin/earlyseed ] || return 0
    /usr/sbin/earlyseed load
}

earlyseed_pre_mount
:

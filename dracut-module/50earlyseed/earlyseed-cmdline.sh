#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut's cmdline hook, in an initrd with systemd: `earlyseed.store=` gets its udev rule before udev starts. The file
# has the name of the configured store's rule, and /etc takes precedence, so it replaces that one.

earlyseed_cmdline() {
    getarg earlyseed.store= > /dev/null || return 0
    # shellcheck source=../../hooks/store.sh # in the image
    . /usr/lib/earlyseed/store.sh
    # What is wrong with the command line is said by load.
    earlyseed_read_store '' 2> /dev/null || return 0
    mkdir -p /etc/udev/rules.d
    earlyseed_store_rule '' > /etc/udev/rules.d/69-earlyseed.rules \
        || warn "earlyseed: no udev rule can be made for the store $earlyseed_store"
}

earlyseed_cmdline
:

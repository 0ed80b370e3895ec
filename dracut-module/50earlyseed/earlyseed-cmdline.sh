#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut's cmdline hook, in an initrd with systemd: `earlyseed.store=` gets its udev rule before udev starts. The file
# has the name of the configured store's rule, and /etc takes precedence, so it replaces that one.

earlyseed_cmdline() {
    _earlyseed_store=$(getarg earlyseed.store=) || return 0
    [ -n "$_earlyseed_store" ] || return 0
    # shellcheck source=/dev/null # in the image
    . /lib/dracut/earlyseed-store.sh
    mkdir -p /etc/udev/rules.d
    earlyseed_store_rule "$_earlyseed_store" > /etc/udev/rules.d/69-earlyseed.rules \
        || warn "earlyseed: no udev rule can be made for earlyseed.store=$_earlyseed_store"
}

earlyseed_cmdline
:

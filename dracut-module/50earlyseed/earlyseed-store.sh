#!/bin/sh
# SPDX-License-Identifier: MIT
# What a store setting (`store =`, `earlyseed.store=`) means to udev. Sourced by module-setup.sh when the image is
# built and by the cmdline hook when it boots, and by the build hooks of other generators; so POSIX, with prefixed names.

# Prints the store that a configuration names, or the default.
earlyseed_configured_store() {
    _earlyseed_store=$(sed -n 's/[[:space:]]*#.*//; s/[[:space:]]*$//; s/^[[:space:]]*store[[:space:]]*=[[:space:]]*//p' \
        "$1" 2> /dev/null | tail -n 1)
    echo "${_earlyseed_store:-PARTLABEL=earlyseed}"
}

# Prints `partition`, `file` (on a file system that load mounts) or `root` (a file in the root file system).
earlyseed_store_kind() {
    case $1 in
        *:/*) echo file ;;
        /dev/* | *=*) echo partition ;;
        /*) echo root ;;
    esac
}

# Prints the udev rules that start the right unit when the store's device appears, or do what $2 says in udev's syntax;
# nothing for a store in the root file system. Fails for a setting that udev's syntax cannot carry or that is none.
#
# The unit is wanted by the device and not the other way round: nobody waits for a device that is not there.
earlyseed_store_rule() {
    case $(earlyseed_store_kind "$1") in
        partition) _earlyseed_does='ENV{SYSTEMD_WANTS}+="earlyseed-initrd-store.service"' ;;
        file) _earlyseed_does='ENV{SYSTEMD_WANTS}+="earlyseed-initrd-file.service"' ;;
        root) return 0 ;;
        *) return 1 ;;
    esac
    _earlyseed_does=${2:-$_earlyseed_does}
    _earlyseed_device=${1%%:/*}
    case $_earlyseed_device in
        *[!A-Za-z0-9._/:=+@-]*) return 1 ;; # a quote, a pattern, or what links to devices spell as \x20
        PARTLABEL=?*)
            # The kernel's own name too: no link is made when the partition table is not GPT.
            earlyseed_store_rule_line "ENV{PARTNAME}==\"${_earlyseed_device#*=}\""
            earlyseed_store_rule_line "SYMLINK==\"disk/by-partlabel/${_earlyseed_device#*=}\""
            ;;
        PARTUUID=?*) earlyseed_store_rule_line "SYMLINK==\"disk/by-partuuid/${_earlyseed_device#*=}\"" ;;
        UUID=?*) earlyseed_store_rule_line "SYMLINK==\"disk/by-uuid/${_earlyseed_device#*=}\"" ;;
        LABEL=?*) earlyseed_store_rule_line "SYMLINK==\"disk/by-label/${_earlyseed_device#*=}\"" ;;
        /dev/?*)
            earlyseed_store_rule_line "KERNEL==\"${_earlyseed_device#/dev/}\""
            earlyseed_store_rule_line "SYMLINK==\"${_earlyseed_device#/dev/}\""
            ;;
        *) return 1 ;;
    esac
}

earlyseed_store_rule_line() {
    printf 'SUBSYSTEM=="block", ACTION!="remove", %s, %s\n' "$1" "$_earlyseed_does"
}

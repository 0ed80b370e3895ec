#!/bin/sh
# SPDX-License-Identifier: MIT
# What shell scripts know of the configured store. Installed as /usr/lib/earlyseed/store.sh; sourced by the build hooks of
# initramfs-tools, dracut and mkinitcpio, by cloud-init's, and in the initrd by dracut's cmdline hook. POSIX, with
# prefixed names.

# Sets earlyseed_kind to `partition`, `file` (on a file system that load mounts) or `root` (a file in the root file system),
# earlyseed_store and earlyseed_device as `earlyseed store` of the tree $1 ('' for /) says; see earlyseed(8). The other
# arguments are options of that command. Fails, with all three empty, when the program cannot be run.
# shellcheck disable=SC2034 # earlyseed_store is for those who source this
earlyseed_read_store() {
    earlyseed_kind='' earlyseed_store='' earlyseed_device=''
    _earlyseed_root=$1
    shift
    _earlyseed_lines=$("$_earlyseed_root/usr/sbin/earlyseed" store --config "$_earlyseed_root/etc/earlyseed.conf" "$@") ||
        return 1
    # Not `IFS== read`, which drops a '=' at the end.
    while IFS= read -r _earlyseed_line; do
        case $_earlyseed_line in
            KIND=*) earlyseed_kind=${_earlyseed_line#*=} ;;
            STORE=*) earlyseed_store=${_earlyseed_line#*=} ;;
            DEVICE=*) earlyseed_device=${_earlyseed_line#*=} ;;
        esac
    done << EOF
$_earlyseed_lines
EOF
}

# Prints the udev rules that start the right unit when the store's device appears, or, unless $1 is empty, do what $1
# says in udev's syntax; nothing for a store in the root file system. Fails for a store that udev's syntax cannot carry,
# and when none was read.
#
# The unit is wanted by the device and not the other way round: nobody waits for a device that is not there.
earlyseed_store_rule() {
    case $earlyseed_kind in
        partition) _earlyseed_does='ENV{SYSTEMD_WANTS}+="earlyseed-initrd-store.service"' ;;
        file) _earlyseed_does='ENV{SYSTEMD_WANTS}+="earlyseed-initrd-file.service"' ;;
        root) return 0 ;;
        *) return 1 ;;
    esac
    _earlyseed_does=${1:-$_earlyseed_does}
    case $earlyseed_device in
        *[!A-Za-z0-9._/:=+@-]*) return 1 ;; # a quote, a pattern, or what links to devices spell as \x20
        PARTLABEL=*)
            # The kernel's own name too: no link is made when the partition table is not GPT.
            earlyseed_store_rule_line "ENV{PARTNAME}==\"${earlyseed_device#*=}\""
            earlyseed_store_rule_line "SYMLINK==\"disk/by-partlabel/${earlyseed_device#*=}\""
            ;;
        PARTUUID=*) earlyseed_store_rule_line "SYMLINK==\"disk/by-partuuid/${earlyseed_device#*=}\"" ;;
        UUID=*) earlyseed_store_rule_line "SYMLINK==\"disk/by-uuid/${earlyseed_device#*=}\"" ;;
        LABEL=*) earlyseed_store_rule_line "SYMLINK==\"disk/by-label/${earlyseed_device#*=}\"" ;;
        /dev/?*)
            earlyseed_store_rule_line "KERNEL==\"${earlyseed_device#/dev/}\""
            earlyseed_store_rule_line "SYMLINK==\"${earlyseed_device#/dev/}\""
            ;;
        *) return 1 ;;
    esac
}

earlyseed_store_rule_line() {
    printf 'SUBSYSTEM=="block", ACTION!="remove", %s, %s\n' "$1" "$_earlyseed_does"
}

#!/bin/bash
# SPDX-License-Identifier: MIT
# Puts earlyseed into the initrd that dracut builds: the program, its configuration, what calls it at boot, and, when
# the store is a file, the modules of the file systems that it can be on. Never a seed: nothing that `store =` names
# is copied. With systemd, units and a udev rule do the calling; without, dracut's hooks.

# shellcheck disable=SC2154 # dracut sets dracutsysrootdir, moddir, initdir, udevdir and systemdsystemunitdir

# called by dracut
check() {
    require_binaries /usr/sbin/earlyseed || return 1
    return 0
}

# called by dracut
depends() {
    return 0
}

earlyseed_configured_store() {
    # shellcheck source=../../hooks/store.sh
    . "$dracutsysrootdir/usr/lib/earlyseed/store.sh"
    earlyseed_read_store "$dracutsysrootdir" --no-command-line
}

# called by dracut
installkernel() {
    local device
    earlyseed_configured_store

    # `hostonly=`, because neither file system need be in use on this machine. vfat wants its default code page and
    # character set: Debian's kernels say ascii, others iso8859-1.
    [[ $earlyseed_kind == file ]] && hostonly='' instmods ext4 vfat nls_cp437 nls_ascii nls_iso8859-1

    # Of hardware RNGs, a virtual machine's among them, and of TPMs, which have one. udev loads what fits.
    hostonly='' instmods '=drivers/char/hw_random' tpm_crb tpm_tis

    # A host-only image has the drivers of the disks that the host's file systems are on; the store may be elsewhere.
    if [[ $hostonly ]]; then
        device=$earlyseed_device
        case $device in
            PARTLABEL=* | PARTUUID=* | UUID=* | LABEL=*) device=$(blkid -l -t "$device" -o device) ;;
        esac
        # shellcheck disable=SC2046 # one word a module
        [[ -b $device ]] && hostonly='' instmods $(get_dev_module "$device")
    fi
    return 0
}

# called by dracut
install() {
    local shared=/usr/lib/earlyseed

    inst_multiple /usr/sbin/earlyseed || return 1
    inst_multiple -o /etc/earlyseed.conf

    if ! dracut_module_included systemd; then
        # initqueue, not initqueue/settled: the jobs of the former come first, and one of them may sit and ask for a
        # passphrase. pre-mount runs after 10-resume.
        inst_hook pre-udev 00 "$moddir/earlyseed-pre-udev.sh"
        inst_hook initqueue 00 "$moddir/earlyseed-initqueue.sh"
        inst_hook pre-mount 20 "$moddir/earlyseed-pre-mount.sh"
        inst_hook pre-pivot 10 "$moddir/earlyseed-pre-pivot.sh"
        return 0
    fi

    earlyseed_configured_store

    inst_simple "$shared/earlyseed-initrd.service" "$systemdsystemunitdir/earlyseed-initrd.service"
    # dracut 051 (Debian 11) does not set SYSTEMCTL.
    "${SYSTEMCTL:-systemctl}" -q --root "$initdir" add-wants sysinit.target earlyseed-initrd.service

    # These two are started by the udev rule: of the configured store from the image, or of `earlyseed.store=`,
    # which the cmdline hook writes in its place.
    inst_simple "$shared/earlyseed-initrd-store.service" "$systemdsystemunitdir/earlyseed-initrd-store.service"
    inst_simple "$shared/earlyseed-initrd-file.service" "$systemdsystemunitdir/earlyseed-initrd-file.service"
    mkdir -p "$initdir$udevdir/rules.d"
    earlyseed_store_rule '' > "$initdir$udevdir/rules.d/69-earlyseed.rules" \
        || dwarn "earlyseed: no udev rule can be made for the store '$earlyseed_store':" \
            "its seed is used when the system is up"
    inst_simple "$shared/store.sh"
    inst_hook cmdline 50 "$moddir/earlyseed-cmdline.sh"

    inst_simple "$shared/earlyseed-initrd-root.service" "$systemdsystemunitdir/earlyseed-initrd-root.service"
    "${SYSTEMCTL:-systemctl}" -q --root "$initdir" add-wants initrd.target earlyseed-initrd-root.service
    if [[ $earlyseed_kind != root ]]; then
        mkdir -p "$initdir$systemdsystemunitdir/earlyseed-initrd-root.service.d"
        printf '[Unit]\nConditionKernelCommandLine=earlyseed.store\n' \
            > "$initdir$systemdsystemunitdir/earlyseed-initrd-root.service.d/not-configured.conf"
    fi
    return 0
}

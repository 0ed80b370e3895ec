// SPDX-License-Identifier: MIT
#include "commands/missed_sources.hpp"

#include "system/kernel.hpp"

namespace earlyseed {

namespace {

bool exists(const char* path) { return static_cast<bool>(kernel::file_info(path, true)); }

// What there is on the virtio bus.
struct Virtio {
    bool any = false;
    bool entropy_device = false;
};

Virtio look_at_virtio() {
    Virtio found;
    [[maybe_unused]] Status listed =
        kernel::for_each_name("/sys/bus/virtio/devices", &found, [](void* context, std::string_view name) {
            auto& virtio = *static_cast<Virtio*>(context);
            virtio.any = true;
            // Device ID 4 (virtio 1.2, 5.4).
            char id[16];
            Path file("/sys/bus/virtio/devices/");
            virtio.entropy_device |= read_field(file.add(name, "/device").c_str(), id) == "0x0004";
            return true;
        });
    return found;
}

// systemd-boot has been here, and keeps no token that a seed could be made with (systemd's boot loader interface).
bool systemd_boot_without_seed() {
#define LOADER(variable) "/sys/firmware/efi/efivars/Loader" variable "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
    char buffer[64];
    auto info = kernel::read_text(LOADER("Info"), buffer);
    // Four bytes of attributes, then UTF-16. Other boot loaders fill this variable too.
    return info && contains(*info, {"s\0y\0s\0t\0e\0m\0d", 13}) && !exists(LOADER("SystemToken"));
#undef LOADER
}

}  // namespace

void for_each_unused(const Config& config, const Report& report, const Machine& machine, void* context,
                     void (*visit)(void* context, const Unused& unused)) {
    auto say = [&](const Unused& unused) { visit(context, unused); };
    // Ready before anybody could do anything, the kernel has trusted one of these.
    bool late = !report.ready.empty() && report.ready_by.view() != "kernel";
    if (late && report[Source::cpu].reason.view() == explain(Reason::never_credited).what) {
        say({"cpu", "it has a generator, and the kernel does not trust it",
             "if you do, add random.trust_cpu=on to the kernel command line"});
    }
    if (late && exists("/sys/firmware/devicetree/base/chosen")) {
        say({"rng-seed", "the boot loader gave none that the kernel trusts",
             "have it fill /chosen/rng-seed (U-Boot: CONFIG_BOARD_RNG_SEED), with random.trust_bootloader=on"});
    }
    // bootctl makes no token in a virtual machine.
    if (!machine.is_virtual && systemd_boot_without_seed()) say({"systemd-boot", "it passes no seed", "run 'bootctl random-seed'"});

    Virtio virtio = look_at_virtio();
    char buffer[256];
    bool has_driver = contains(read_field("/sys/class/misc/hw_random/rng_available", buffer), "virtio_rng");
    if (machine.is_virtual && virtio.any && !has_driver) {
        if (virtio.entropy_device)
            say({"virtio-rng", "its driver is missing", "load the module virtio_rng"});
        else
            say({"virtio-rng", "this virtual machine has none",
                 "give it one: QEMU -device virtio-rng-pci, libvirt <rng model='virtio'>"});
    }
    if (exists("/sys/firmware/acpi/tables/TPM2") && !exists("/sys/class/tpm/tpm0")) {
        say({"TPM", "its driver is missing", "load it: tpm_crb, tpm_tis or the like"});
    }
    constexpr const char* gave_nothing = "it gave nothing in this boot, or nobody asked";
    std::string_view driver = read_field("/sys/class/misc/hw_random/rng_current", buffer);
    if (!driver.empty() && driver != "none" && report[Source::hwrng].done == 0) {
        say({"hwrng", gave_nothing, "run 'earlyseed load' as root"});
    }
    const SourceReport* extra = &report[Source::extra];
    for (const SourceSpec& source : config.sources) {
        if (!source.path.empty() && extra->done == 0) {
            say({source.path.c_str(), gave_nothing, "run 'earlyseed load' as root when it is there"});
        }
        extra++;
    }
}

}  // namespace earlyseed

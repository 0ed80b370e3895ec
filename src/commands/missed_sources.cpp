// SPDX-License-Identifier: MIT
#include "commands/missed_sources.hpp"

#include "base/text.hpp"
#include "system/files.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

namespace {

using Visit = FunctionRef<void(const MissedSource&)>;

bool exists(const char* path) { return static_cast<bool>(kernel::file_info(path, true)); }

// The generator became ready after others could have acted: before that, the kernel has trusted one of these sources.
bool was_ready_late(const Report& report) { return !report.ready.empty() && report.ready_by.view() != "kernel"sv; }

void look_at_cpu(const Report& report, Visit visit) {
    if (!was_ready_late(report)) return;
    if (report[Source::cpu].reason.view() != explain(Reason::never_credited).what) return;
    visit({"cpu", "it has a generator that the kernel does not trust",
           "if you do, add random.trust_cpu=on to the kernel command line"});
}

void look_at_boot_loader(const Report& report, const Machine& machine, Visit visit) {
    if (was_ready_late(report) && exists("/sys/firmware/devicetree/base/chosen")) {
        visit({"rng-seed", "the boot loader gave none that the kernel trusts",
               "have it fill /chosen/rng-seed (U-Boot: CONFIG_BOARD_RNG_SEED), with random.trust_bootloader=on"});
    }
    // systemd-boot has been here, and keeps no token that a seed could be made with (systemd's boot loader interface).
    // bootctl makes no token in a virtual machine.
#define LOADER(variable) "/sys/firmware/efi/efivars/Loader" variable "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
    if (machine.is_virtual) return;
    char buffer[64];
    auto info = kernel::read_text(LOADER("Info"), buffer);
    // Four bytes of attributes, then UTF-16. Other boot loaders fill this variable too.
    constexpr std::string_view systemd("s\0y\0s\0t\0e\0m\0d", 13);
    if (!info || !contains(*info, systemd) || exists(LOADER("SystemToken"))) return;
#undef LOADER
    visit({"systemd-boot", "it passes no seed", "run 'bootctl random-seed'"});
}

void look_at_virtio(const Machine& machine, Visit visit) {
    if (!machine.is_virtual) return;
    char buffer[256];
    if (contains(read_field("/sys/class/misc/hw_random/rng_available", buffer), "virtio_rng"sv)) return;
    bool has_virtio = false, has_entropy_device = false;
    ignore(kernel::for_each_name("/sys/bus/virtio/devices", [&](std::string_view name) {
        has_virtio = true;
        // Device ID 4 (virtio 1.2, 5.4).
        Path file("/sys/bus/virtio/devices/");
        has_entropy_device |= read_field(file.add(name, "/device").c_str(), buffer) == "0x0004"sv;
        return true;
    }));
    if (has_entropy_device) {
        visit({"virtio-rng", "its driver is missing", "load the module virtio_rng"});
    } else if (has_virtio) {
        visit({"virtio-rng", "this virtual machine has none",
               "give it one: QEMU -device virtio-rng-pci, libvirt <rng model='virtio'>"});
    }
}

void look_at_tpm(Visit visit) {
    if (!exists("/sys/firmware/acpi/tables/TPM2") || exists("/sys/class/tpm/tpm0")) return;
    visit({"TPM", "its driver is missing", "load the module tpm_crb, tpm_tis or the one for this TPM"});
}

void look_at_devices(const Config& config, const Report& report, Visit visit) {
    constexpr const char* gave_nothing = "it gave nothing in this boot, or was not read";
    char buffer[256];
    std::string_view driver = read_field("/sys/class/misc/hw_random/rng_current", buffer);
    if (!driver.empty() && driver != "none"sv && report[Source::hwrng].done == 0) {
        visit({"hwrng", gave_nothing, "run 'earlyseed load' as root"});
    }
    for (std::size_t i = 0; i < config.sources.size(); i++) {
        const SourceSpec& source = config.sources[i];
        if (source.path.empty() || report.sources[static_cast<std::size_t>(Source::extra) + i].done != 0) continue;
        visit({source.path.c_str(), gave_nothing, "run 'earlyseed load' as root when it is there"});
    }
}

}  // namespace

void for_each_missed_source(const Config& config, const Report& report, const Machine& machine, Visit visit) {
    look_at_cpu(report, visit);
    look_at_boot_loader(report, machine, visit);
    look_at_virtio(machine, visit);
    look_at_tpm(visit);
    look_at_devices(config, report, visit);
}

}  // namespace earlyseed

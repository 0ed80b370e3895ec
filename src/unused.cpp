// SPDX-License-Identifier: MIT
#include "unused.hpp"

#include "kernel.hpp"

namespace earlyseed {

namespace {

bool exists(const char* path) { return static_cast<bool>(kernel::file_info(path, true)); }

// A file of one line below /sys; empty when it is not there.
Text<256> attribute(const char* path) {
    char buffer[255];
    auto text = kernel::read_text(path, buffer);
    return text ? trim(*text) : std::string_view{};
}

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
            auto id = attribute(Path("/sys/bus/virtio/devices/").add(name, "/device").c_str());
            virtio.entropy_device = virtio.entropy_device || id.view() == "0x0004";
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

void for_each_unused(const Report& report, void* context, void (*visit)(void* context, const Unused& unused)) {
    auto say = [&](const Unused& unused) { visit(context, unused); };
    // Ready before anybody could do anything, the kernel has trusted one of these.
    bool late = !report.ready.empty() && report.ready_by.view() != "kernel";
    std::uint64_t word[1];
    if (late && kernel::cpu_random(word) != 0) {
        say({"cpu", "it has a generator, and the kernel does not trust it",
             "if you do, add random.trust_cpu=on to the kernel command line"});
    }
    if (late && exists("/sys/firmware/devicetree/base/chosen")) {
        say({"rng-seed", "the boot loader gave none that the kernel trusts",
             "have it fill /chosen/rng-seed (U-Boot: CONFIG_BOARD_RNG_SEED)"});
    }
    if (systemd_boot_without_seed()) say({"systemd-boot", "it passes no seed", "run 'bootctl random-seed'"});

    auto drivers = attribute("/sys/class/misc/hw_random/rng_available");
    Virtio virtio = look_at_virtio();
    if (virtio.any && !contains(drivers.view(), "virtio_rng")) {
        if (virtio.entropy_device)
            say({"virtio-rng", "its driver is missing", "load the module virtio_rng"});
        else
            say({"virtio-rng", "this virtual machine has none",
                 "give it one: QEMU -device virtio-rng-pci, libvirt <rng model='virtio'>"});
    }
    if (exists("/sys/firmware/acpi/tables/TPM2") && !exists("/sys/class/tpm/tpm0")) {
        say({"TPM", "its driver is missing", "load the module tpm_crb or tpm_tis"});
    }
    if (!drivers.empty() && report.sources[static_cast<std::size_t>(Source::hwrng)].done == 0) {
        say({"hwrng", "it was not read in this boot", "run 'earlyseed load'"});
    }
}

}  // namespace earlyseed

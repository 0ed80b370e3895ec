// SPDX-License-Identifier: MIT
#include "machine/identity.hpp"

#include <array>
#include <string_view>

#include "base/fixed_string.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "system/cpu.hpp"
#include "system/files.hpp"

namespace earlyseed {

namespace {

constexpr char kIdentityFiles[][48] = {
    "/sys/class/dmi/id/product_uuid",
    "/sys/class/dmi/id/product_serial",
    "/sys/class/dmi/id/board_serial",
    "/sys/class/dmi/id/chassis_serial",
    "/sys/firmware/devicetree/base/serial-number",
};

constexpr char kProductFiles[][48] = {
    "/sys/class/dmi/id/sys_vendor",   "/sys/class/dmi/id/product_name",           "/sys/class/dmi/id/bios_vendor",
    "/sys/class/dmi/id/board_vendor", "/sys/firmware/devicetree/base/compatible",
};

constexpr char kHypervisorFiles[][56] = {
    "/sys/firmware/devicetree/base/hypervisor/compatible",
    "/sys/hypervisor/type",
};

// In lower case, without blanks and punctuation; the long numbers are UUIDs that many boards share.
constexpr std::string_view kPlaceholders =
    "none|na|notspecified|notavailable|notapplicable|tobefilledbyoem|tobefilled|defaultstring|default|"
    "systemserialnumber|serialnumber|baseboardserialnumber|chassisserialnumber|boardserialnumber|unknown|"
    "unspecified|invalid|empty|null|oem|test|type2boardserialnumber|sernum0|0x00000000|bsn12345678901234567|"
    "mb1234567890|bss0123456789|nb1234567890|123456|1234567|12345678|123456789|1234567890|0123456789|"
    "0123456789abcdef|03000200040005000006000700080009|00020003000400050006000700080009|"
    "123456781234567890abcddeefaabbcc";

// Parts of the names that hypervisors give their machines.
constexpr std::string_view kVirtualProducts =
    "QEMU|KVM|Bochs|VMware|VMW|innotek GmbH|VirtualBox|Xen|Parallels|BHYVE|OpenStack|Virtual Machine|"
    "Google Compute Engine|Amazon EC2|Apple Virtualization|linux,dummy-virt|Hyper-V|Nutanix AHV|crosvm|"
    "Firecracker|KubeVirt|Alibaba Cloud|vServer|Droplet";

}  // namespace

std::string_view read_field(const char* path, std::span<char> buffer) {
    auto text = kernel::read_text(path, buffer);
    if (!text) return {};
    std::string_view value = *text;
    // Device-tree strings end with a NUL; a list of them has NULs inside, and stays.
    while (!value.empty() && value.back() == '\0') value.remove_suffix(1);
    return trim(value);
}

bool is_placeholder(std::string_view value) {
    Word plain;
    bool varied = false;
    for (char c : value) {
        c = lower(c);
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) continue;
        plain.add(c);
        varied = varied || c != plain.view().front();
    }
    if (!varied) return true;  // nothing at all, all zeros, all F, all X
    for (std::string_view rest = kPlaceholders; !rest.empty();) {
        if (take_until(rest, '|') == plain.view()) return true;
    }
    return false;
}

bool is_virtual_product(std::string_view name) {
    for (std::string_view rest = kVirtualProducts; !rest.empty();) {
        if (contains(name, take_until(rest, '|'))) return true;
    }
    return false;
}

Machine identify_machine() {
    Machine machine;
    char buffer[256];

    Hash tag(label::kMachineTag, machine.tag.size());
    bool known = false;
    for (const char* file : kIdentityFiles) {
        std::string_view value = read_field(file, buffer);
        if (is_placeholder(value)) continue;
        tag.add(bytes_of(std::string_view(file))).add(bytes_of(value));
        known = true;
    }
    if (known) tag.finish(machine.tag);

    machine.is_virtual = kernel::cpu_reports_hypervisor();
    for (const char* file : kProductFiles) {
        machine.is_virtual = machine.is_virtual || is_virtual_product(read_field(file, buffer));
    }
    for (const char* file : kHypervisorFiles) {
        machine.is_virtual = machine.is_virtual || !read_field(file, buffer).empty();
    }
    machine.sysfs_missing = !kernel::file_info("/sys/class", true);
    return machine;
}

}  // namespace earlyseed

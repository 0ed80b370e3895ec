// SPDX-License-Identifier: MIT
// Which machine is this: what counts as an identity, what does not, and what gives a virtual machine away.
#include "machine/identity.hpp"

#include <set>
#include <string>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "catch.hpp"
#include "fake_kernel.hpp"

using namespace earlyseed;

namespace {

constexpr const char* kIdentityFiles[] = {
    "/sys/class/dmi/id/product_uuid",
    "/sys/class/dmi/id/product_serial",
    "/sys/class/dmi/id/board_serial",
    "/sys/class/dmi/id/chassis_serial",
    "/sys/firmware/devicetree/base/serial-number",
};

std::string hex(const MachineTag& tag) { return std::string(Line().add(Hex{tag}).view()); }

void a_laptop() {
    fake::reset();
    fake::put_text("/sys/class/dmi/id/product_uuid", "4c4c4544-0035-3510-8054-b9c04f4d3432\n");
    fake::put_text("/sys/class/dmi/id/product_serial", "PF2XK4LP\n");
    fake::put_text("/sys/class/dmi/id/board_serial", "L1HF0BC01AB\n");
    fake::put_text("/sys/class/dmi/id/chassis_serial", "PF2XK4LP\n");
    fake::put_text("/sys/class/dmi/id/sys_vendor", "LENOVO\n");
    fake::put_text("/sys/class/dmi/id/product_name", "20XWCTO1WW\n");
    fake::put_text("/sys/class/dmi/id/bios_vendor", "LENOVO\n");
    fake::put_text("/sys/class/dmi/id/board_vendor", "LENOVO\n");
}

void a_board() {
    fake::reset();
    fake::put_text("/sys/firmware/devicetree/base/serial-number", std::string_view("10000000abcdef12\0", 17));
    fake::put_text("/sys/firmware/devicetree/base/compatible",
                   std::string_view("raspberrypi,4-model-b\0brcm,bcm2711\0", 35));
}

}  // namespace

TEST_CASE("P2: what manufacturers leave in a field is no identity") {
    for (const char* value : {"",
                              " ",
                              "0",
                              "00000000",
                              "00000000-0000-0000-0000-000000000000",
                              "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
                              "ffffffff-ffff-ffff-ffff-ffffffffffff",
                              "fFfFfFfF",
                              "XXXXXXXX",
                              "1111111",
                              "............",
                              "---",
                              "N/A",
                              "n/a",
                              "None",
                              "NONE",
                              "Not Specified",
                              "not specified",
                              "Not Available",
                              "Not Applicable",
                              "To Be Filled By O.E.M.",
                              "To be filled by O.E.M.",
                              "To Be Filled By OEM",
                              "Default string",
                              "Default",
                              "System Serial Number",
                              "SystemSerialNumb"
                              "er",
                              "Serial Number",
                              "Base Board Serial Number",
                              "Chassis Serial Number",
                              "Board Serial Number",
                              "Unknown",
                              "unspecified",
                              "INVALID",
                              "Empty",
                              "OEM",
                              "O.E.M.",
                              "Test",
                              "1234567",
                              "12345678",
                              "123456789",
                              "1234567890",
                              "0123456789",
                              "0123456789ABCDEF",
                              "0123456789abcdef",
                              "03000200-0400-0500-0006-000700080009",
                              "00020003-0004-0005-0006-000700080009",
                              "12345678-1234-5678-90AB-CDDEEFAABBCC",
                              "BSN12345678901234567",
                              "MB-1234567890",
                              "BSS-0123456789",
                              "NB-1234567890",
                              "Type2 - Board Serial Number",
                              "SerNum0",
                              "NULL",
                              "0x00000000",
                              "123456"}) {
        INFO("'" << value << "'");
        CHECK(is_placeholder(value));
    }
}

TEST_CASE("P2: real serial numbers and UUIDs are an identity") {
    for (const char* value :
         {"PF2XK4LP", "5CG0123ABC", "CN0123456789AB", "4c4c4544-0035-3510-8054-b9c04f4d3432", "10000000abcdef12",
          "VMware-56 4d 2f 1e 5a", "C02XL0ABJGH5", "01234567890123", "00000001", "FFFFFFFE", "123456780", "Unknown-7",
          "NotSpecified1", "OEM1234", "TEST0001", "e", "ec2e2c0a-ffff-ffff-ffff-ffffffffffff"}) {
        INFO("'" << value << "'");
        CHECK(is_placeholder(value) == (std::string_view(value) == "e"));  // one character says nothing
    }
    // Longer than what is compared.
    CHECK_FALSE(is_placeholder(std::string(200, 'A') + "B"));
    CHECK_FALSE(is_placeholder("NotSpecified" + std::string(100, '7')));
}

TEST_CASE("P2: equal machines have equal tags") {
    a_laptop();
    MachineTag tag = identify_machine().tag;
    CHECK_FALSE(all_zero(tag));
    a_laptop();
    CHECK(hex(identify_machine().tag) == hex(tag));
    // A moved disk, another boot, another kernel command line: not part of it.
    fake::reboot();
    fake::put_text("/proc/cmdline", "quiet");
    CHECK(hex(identify_machine().tag) == hex(tag));
    // How the kernel ends the line does not matter.
    fake::put_text("/sys/class/dmi/id/product_serial", "PF2XK4LP");
    CHECK(hex(identify_machine().tag) == hex(tag));
}

TEST_CASE("P2: the tag depends on each of the files, and on which file says what") {
    std::set<std::string> tags;
    for (const char* file : kIdentityFiles) {
        fake::reset();
        fake::put_text(file, "PF2XK4LP\n");
        tags.insert(hex(identify_machine().tag));
        fake::put_text(file, "PF2XK4LQ\n");
        tags.insert(hex(identify_machine().tag));
        fake::put_text(file, "Not Specified\n");
        CHECK(all_zero(identify_machine().tag));
    }
    CHECK(tags.size() == 2 * std::size(kIdentityFiles));

    a_laptop();
    fake::put_text("/sys/firmware/devicetree/base/serial-number", "10000000abcdef12");
    std::string whole = hex(identify_machine().tag);
    for (const char* file : kIdentityFiles) {
        INFO(file);
        std::string content = fake::text_of(file);
        for (const char* other : {"another1", "Not Specified", ""}) {
            fake::put_text(file, other);
            CHECK(hex(identify_machine().tag) != whole);
        }
        fake::put_text(file, content);
        CHECK(hex(identify_machine().tag) == whole);
    }
}

TEST_CASE("P2: a placeholder beside a real value changes nothing") {
    fake::reset();
    fake::put_text("/sys/class/dmi/id/product_uuid", "4c4c4544-0035-3510-8054-b9c04f4d3432\n");
    MachineTag tag = identify_machine().tag;
    fake::put_text("/sys/class/dmi/id/board_serial", "To Be Filled By O.E.M.\n");
    fake::put_text("/sys/class/dmi/id/chassis_serial", "Default string\n");
    CHECK(hex(identify_machine().tag) == hex(tag));
}

TEST_CASE("P2: the tag is the hash of each file's path and value, under its own label") {
    a_board();
    Bytes<32> expected;
    Hash(label::kMachineTag, expected.size())
        .add(bytes_of(std::string_view("/sys/firmware/devicetree/base/serial-number")))
        .add(bytes_of(std::string_view("10000000abcdef12")))
        .finish(expected);
    CHECK(hex(identify_machine().tag) == hex(expected));
}

TEST_CASE("P2: a machine without identity has a tag of zeros") {
    fake::reset();
    CHECK(all_zero(identify_machine().tag));
    CHECK_FALSE(identify_machine().is_virtual);
    for (const char* file : kIdentityFiles) fake::put_text(file, "0123456789\n");
    CHECK(all_zero(identify_machine().tag));
}

TEST_CASE("P3: real machines are not taken for virtual ones") {
    a_laptop();
    CHECK_FALSE(identify_machine().is_virtual);
    a_board();
    CHECK_FALSE(identify_machine().is_virtual);
    for (const char* name : {"", "LENOVO", "Dell Inc.", "PowerEdge R640", "HP", "ASUSTeK COMPUTER INC.", "Supermicro",
                             "Raspberry Pi 4 Model B Rev 1.4", "raspberrypi,4-model-b", "Apple Inc.", "MacBookPro16,1",
                             "Microsoft Corporation", "Surface Pro 7", "Google", "Oracle Corporation", "Amazon"}) {
        INFO(name);
        CHECK_FALSE(is_virtual_product(name));
    }
}

TEST_CASE("P3: virtual products are known by their names") {
    for (const char* name : {"QEMU",
                             "KVM",
                             "Standard PC (Q35 + ICH9, 2009) QEMU",
                             "QEMU Virtual Machine",
                             "Bochs",
                             "VMware, Inc.",
                             "VMW201.00V",
                             "VMware Virtual Platform",
                             "innotek GmbH",
                             "VirtualBox",
                             "Xen",
                             "HVM domU Xen",
                             "Parallels Software",
                             "BHYVE",
                             "OpenStack Nova",
                             "Virtual Machine",
                             "Google Compute Engine",
                             "Amazon EC2",
                             "Apple Virtualization Generic Platform",
                             "linux,dummy-virt",
                             "Hyper-V UEFI Release v4.1",
                             "Nutanix AHV",
                             "crosvm",
                             "Firecracker",
                             "KubeVirt",
                             "Alibaba Cloud ECS",
                             "vServer",
                             "Droplet"}) {
        INFO(name);
        CHECK(is_virtual_product(name));
    }
}

TEST_CASE("P3: each sign of a virtual machine is enough") {
    struct Sign {
        const char* path;
        std::string content;
    };
    for (const Sign& sign : {
             Sign{"/sys/class/dmi/id/sys_vendor", "QEMU\n"},
             Sign{"/sys/class/dmi/id/product_name", "Virtual Machine\n"},
             Sign{"/sys/class/dmi/id/bios_vendor", "innotek GmbH\n"},
             Sign{"/sys/class/dmi/id/board_vendor", "Amazon EC2\n"},
             Sign{"/sys/firmware/devicetree/base/compatible", std::string("linux,dummy-virt\0", 17)},
             Sign{"/sys/firmware/devicetree/base/compatible", std::string("some,board\0linux,dummy-virt\0", 28)},
             Sign{"/sys/firmware/devicetree/base/hypervisor/compatible", std::string("xen,xen-4.11\0", 13)},
             Sign{"/sys/hypervisor/type", "xen\n"},
         }) {
        INFO(sign.path);
        a_laptop();
        fake::put_text(sign.path, sign.content);
        CHECK(identify_machine().is_virtual);
    }
    a_laptop();
    fake::state().hypervisor = true;  // CPUID alone
    CHECK(identify_machine().is_virtual);
    // Its identity is still its own.
    MachineTag tag = identify_machine().tag;
    a_laptop();
    CHECK(hex(identify_machine().tag) == hex(tag));
}

TEST_CASE("P8: /sys that is not mounted is noticed") {
    a_laptop();
    CHECK_FALSE(identify_machine().sysfs_missing);
    fake::state().files.clear();
    CHECK(identify_machine().sysfs_missing);
}

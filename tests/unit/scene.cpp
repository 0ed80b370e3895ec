// SPDX-License-Identifier: MIT
#include "scene.hpp"

#include <algorithm>

namespace earlyseed::scene {

void give_identity(std::string_view uuid) {
    fake::put_text("/sys/class/dmi/id/product_uuid", std::string(uuid) + "\n");
    fake::put_text("/sys/class/dmi/id/product_serial", "To Be Filled By O.E.M.\n");
}

void machine(std::string_view config) {
    fake::reset();
    give_identity("4c4c4544-0042-3510-8057-b3c04f564433");
    fake::put_text("/sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
    fake::put_text("/sys/class/dmi/id/product_name", "PowerEdge R240\n");
    fake::put_text("/etc/earlyseed.conf", config);
}

fake::Entry& empty_partition(std::size_t bytes) { return fake::put_partition("vda1", bytes, 0xfe01, "earlyseed"); }

fake::Entry& seeded_partition() {
    fake::Entry& store = empty_partition();
    put_seed(store, 0, {.generation = 1, .fill = 0x31});
    put_seed(store, 1, {.generation = 2, .fill = 0x52});
    return store;
}

fake::Entry& empty_file(const std::string& path) {
    fake::put_text(path, std::string(8192, '\0'));
    fake::Entry& file = *fake::find(path);
    file.permissions = 0600;
    return file;
}

fake::Buffer seed_bytes(std::uint8_t fill) {
    fake::Buffer bytes(kSeedBytes);
    for (std::size_t i = 0; i < bytes.size(); i++)
        bytes[i] = static_cast<std::uint8_t>(fill + 37 * i + (i >> 3) * fill);
    return bytes;
}

fake::Buffer record_of(const Seed& seed) {
    Record record;
    record.creditable = seed.creditable;
    record.generation = seed.generation;
    record.saved_at_s = 1'780'000'000;
    record.boot_id = seed.boot_id;
    if (seed.bound) record.machine_tag = identify_machine().tag;
    fake::Buffer bytes = seed_bytes(seed.fill);
    record.seed.copy_from(std::span<const std::uint8_t, kSeedBytes>(bytes.data(), kSeedBytes));
    fake::Buffer block(kernel::kBlockBytes);
    encode(record, std::span<std::uint8_t, kRecordBytes>(block.data(), kRecordBytes));
    return block;
}

void put_seed(fake::Entry& store, int slot, const Seed& seed) {
    fake::set_content(store, static_cast<std::size_t>(slot) * kernel::kBlockBytes, record_of(seed));
}

Found slot(const fake::Buffer& content, int slot) {
    Record record;
    const std::uint8_t* at = content.data() + static_cast<std::size_t>(slot) * kernel::kBlockBytes;
    SlotState state = decode(std::span<const std::uint8_t, kRecordBytes>(at, kRecordBytes), record);
    auto seed = record.seed.span();
    return {
        state,         record.generation, record.creditable, fake::Buffer(seed.begin(), seed.end()), record.machine_tag,
        record.boot_id};
}

SlotState slot_state(const fake::Buffer& content, int number) { return slot(content, number).state; }

Found newest(const fake::Buffer& content) {
    Found first = slot(content, 0), second = slot(content, 1);
    return second.generation > first.generation ? second : first;
}

int run_load(bool early, std::string_view root) {
    LoadOptions options;
    options.early = early;
    options.root = root;
    return load(options);
}

int run_save() { return save(SaveOptions()); }

std::string report(std::string_view key) {
    std::string text = "\n" + fake::text_of(kReportPath);
    std::string start = "\n" + std::string(key) + " = ";
    std::size_t at = text.find(start);
    if (at == std::string::npos) return {};
    at += start.size();
    return text.substr(at, text.find('\n', at) - at);
}

std::string said() {
    std::string text;
    for (const fake::LogLine& line : fake::state().kernel_log) text += line.text + "\n";
    return text + fake::state().out + fake::state().err;
}

std::vector<std::string> ritual() { return fake::journal_of({"write", "flush", "read", "add_entropy", "reseed"}); }

std::vector<unsigned> credits() {
    std::vector<unsigned> bits;
    for (const fake::Feed& feed : fake::state().feeds) bits.push_back(feed.bits);
    return bits;
}

bool contains(const fake::Buffer& content, const fake::Buffer& part) {
    return std::search(content.begin(), content.end(), part.begin(), part.end()) != content.end();
}

static std::string hex_of(const std::string& bytes) {
    std::string hex;
    for (char c : bytes) {
        hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
        hex += "0123456789abcdef"[c & 15];
    }
    return hex;
}

std::string leak(const std::vector<fake::Buffer>& more_secrets) {
    fake::State& state = fake::state();
    std::vector<fake::Buffer> secrets = more_secrets;
    secrets.insert(secrets.end(), state.outputs.begin(), state.outputs.end());
    for (const fake::Feed& feed : state.feeds) secrets.push_back(feed.bytes);
    auto look_into = [&](const fake::Entry& entry) {
        for (const fake::Buffer* content : {&entry.cached, &entry.durable}) {
            if (content->size() < kStoreBytes) continue;
            for (int i = 0; i < 2; i++) {
                if (Found found = slot(*content, i); found.state == SlotState::valid) secrets.push_back(found.seed);
            }
        }
    };
    for (auto& [path, entry] : state.files) look_into(entry);
    for (auto& [device, file_system] : state.file_systems) {
        for (auto& [path, entry] : file_system.files) look_into(entry);
    }
    std::string open = fake::everything_public();
    std::string lower = open;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c | 0x20) : c; });
    for (const fake::Buffer& secret : secrets) {
        for (std::size_t at = 0; at + 8 <= secret.size(); at += 8) {
            std::string part(secret.begin() + static_cast<std::ptrdiff_t>(at),
                             secret.begin() + static_cast<std::ptrdiff_t>(at + 8));
            if (part == std::string(8, '\0')) continue;
            if (open.find(part) != std::string::npos) return "raw " + hex_of(part);
            if (lower.find(hex_of(part)) != std::string::npos) return "hex " + hex_of(part);
        }
    }
    return {};
}

}  // namespace earlyseed::scene

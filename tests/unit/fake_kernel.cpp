// SPDX-License-Identifier: MIT
#include "fake_kernel.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "credit/pool.hpp"
#include "system/clock.hpp"
#include "system/cpu.hpp"
#include "system/mounts.hpp"
#include "system/process.hpp"
#include "system/random.hpp"

namespace earlyseed {

namespace fake {

namespace {

State global;

bool starts_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

bool is_below(const std::string& path, const std::string& folder) {
    return folder.empty() || path == folder || starts_with(path, folder + "/");
}

// Which file system a path is on, and its name there.
struct Place {
    Files* files;
    std::string device;  // empty = the root
    std::string path;
    bool read_only;
};

Place place_of(const std::string& path) {
    for (auto& [target, mount] : global.mounts) {
        if (is_below(path, target)) {
            return {&global.file_systems[mount.device].files, mount.device, path.substr(target.size()),
                    mount.read_only};
        }
    }
    bool read_only = std::any_of(global.read_only_trees.begin(), global.read_only_trees.end(),
                                 [&](const std::string& tree) { return is_below(path, tree); });
    return {&global.files, "", path, read_only};
}

Entry* look_up(const Place& place) {
    auto at = place.files->find(place.path);
    return at == place.files->end() ? nullptr : &at->second;
}

bool is_folder(const std::string& path) {
    Place place = place_of(path);
    if (place.path.empty() || place.path == "/") return true;
    if (Entry* entry = look_up(place)) return entry->kind == kernel::FileKind::directory;
    auto below = place.files->lower_bound(place.path + "/");
    return below != place.files->end() && starts_with(below->first, place.path + "/");
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// The path after its links, at most 8 of them; the last component's only.
std::string followed(std::string path) {
    for (int i = 0; i < 8; i++) {
        Entry* entry = find(path);
        if (!entry || entry->kind != kernel::FileKind::symbolic_link) break;
        path = entry->target;
    }
    return path;
}

// Notes the call; its scripted failure, or 0.
Failure* journal(const std::string& line) {
    if (global.before_call) global.before_call();
    global.journal.push_back(line);
    std::string_view call = std::string_view(line).substr(0, line.find(' '));
    Failure* hit = nullptr;
    for (Failure& failure : global.failures) {
        if (failure.call != call || line.find(failure.only) == std::string::npos) continue;
        failure.seen++;
        if (failure.nth == 0 || failure.seen == failure.nth) hit = &failure;
    }
    return hit;
}

State::Handle& handle_of(const kernel::File& file) { return global.handles.at(file.descriptor()); }

Entry* entry_of(const State::Handle& handle) {
    Files& files = handle.file_system.empty() ? global.files : global.file_systems[handle.file_system].files;
    auto at = files.find(handle.path);
    return at == files.end() ? nullptr : &at->second;
}

kernel::File open_place(const Place& place, bool writable) {
    int descriptor = global.next_descriptor++;
    State::Handle handle;
    handle.file_system = place.device;
    handle.path = place.path;
    handle.writable = writable;
    global.handles[descriptor] = handle;
    return kernel::File(descriptor);
}

bool may_read(const Entry& entry) { return global.root || (entry.permissions & 0004) != 0; }

std::string slot_name(std::uint64_t offset) {
    std::uint64_t block = offset / kernel::kBlockBytes;
    return (block < 2 ? "slot " : "block ") + std::to_string(block);
}

bool crng_is_ready() {
    switch (global.crng) {
        case Crng::never:
            return false;
        case Crng::by_credit:
            return global.credited_bits >= 256;
        case Crng::by_time:
            return global.now_ns >= global.crng_ready_at_ns;
        case Crng::ready:
            return true;
    }
    return false;
}

// SplitMix64: every output another, the same in each run.
void fill_random(std::span<std::uint8_t> out) {
    std::uint64_t word = 0;
    global.random_calls++;
    for (std::size_t i = 0; i < out.size(); i++) {
        if (i % 8 == 0) {
            word = (global.random_calls << 20 | i) * 0x9e3779b97f4a7c15;
            word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9;
            word = (word ^ word >> 27) * 0x94d049bb133111eb;
            word ^= word >> 31;
        }
        out[i] = static_cast<std::uint8_t>(word >> 8 * (i % 8));
    }
    global.outputs.emplace_back(out.begin(), out.end());
}

void set_boot_id() {
    char id[64];
    std::snprintf(id, sizeof id, "b007b007-0000-4000-8000-%012x\n", global.boots + 1);
    put_text("/proc/sys/kernel/random/boot_id", id);
}

void settle(Entry& entry, bool keep_pending) {
    if (keep_pending) entry.durable = entry.cached;
    entry.cached = entry.durable;
    entry.pending.clear();
}

void boot_again(bool clean) {
    for (auto& [path, entry] : global.files) settle(entry, clean);
    for (auto& [device, file_system] : global.file_systems) {
        for (auto& [path, entry] : file_system.files) settle(entry, clean);
    }
    for (auto at = global.files.begin(); at != global.files.end();) {
        at = starts_with(at->first, "/run/") ? global.files.erase(at) : std::next(at);
    }
    global.mounts.clear();
    global.mounts_private = false;
    global.handles.clear();
    global.lock_held = false;
    global.credited_bits = 0;
    global.feeds.clear();
    global.failures.clear();
    global.journal.clear();
    global.kernel_log.clear();
    global.out.clear();
    global.err.clear();
    global.now_ns = 1'000'000'000;
    global.epoch_s += 3600;
    global.read_back_differs = global.hangs = false;
    global.boots++;
    set_boot_id();
}

}  // namespace

State& state() { return global; }

void reset() {
    global = State();
    for (const char* folder : {"/run", "/etc", "/dev", "/proc", "/sys/class/block", "/var/lib", "/boot"})
        put_folder(folder);
    put_text("/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro quiet\n");
    set_boot_id();
}

void put_text(const std::string& path, std::string_view text) {
    Entry entry;
    entry.permissions = 0644;
    entry.cached.assign(text.begin(), text.end());
    entry.durable = entry.cached;
    Place place = place_of(path);
    (*place.files)[place.path] = entry;
}

void put_folder(const std::string& path) {
    Entry entry;
    entry.kind = kernel::FileKind::directory;
    entry.permissions = 0755;
    global.files[path] = entry;
}

Entry& put_device(const std::string& path, std::size_t bytes, std::uint64_t number) {
    Entry entry;
    entry.kind = kernel::FileKind::block_device;
    entry.number = number;
    entry.permissions = 0660;
    entry.cached.assign(bytes, 0);
    entry.durable = entry.cached;
    return global.files[path] = entry;
}

Entry& put_partition(const std::string& name, std::size_t bytes, std::uint64_t number, const std::string& part_name,
                     const std::string& part_uuid) {
    std::string uevent = "MAJOR=8\nMINOR=1\nDEVNAME=" + name + "\nDEVTYPE=partition\nPARTN=1\n";
    if (!part_name.empty()) uevent += "PARTNAME=" + part_name + "\n";
    if (!part_uuid.empty()) uevent += "PARTUUID=" + part_uuid + "\n";
    put_text("/sys/class/block/" + name + "/uevent", uevent);
    return put_device("/dev/" + name, bytes, number);
}

void put_link(const std::string& path, const std::string& target) {
    Entry entry;
    entry.kind = kernel::FileKind::symbolic_link;
    entry.permissions = 0777;
    entry.target = target;
    global.files[path] = entry;
}

void put_stream(const std::string& path, const Buffer& bytes, int end_code) {
    Entry entry;
    entry.kind = kernel::FileKind::other;
    entry.cached = entry.durable = bytes;
    entry.stream = true;
    entry.end_code = end_code;
    global.files[path] = entry;
}

FileSystem& put_file_system(const std::string& device, std::string_view type) {
    Entry* entry = find(device);
    if (type == "ext4") {
        set_content(*entry, 0x438, {0x53, 0xef});
    } else if (type == "vfat") {
        set_content(*entry, 82, {'F', 'A', 'T', '3', '2'});
        set_content(*entry, 510, {0x55, 0xaa});
    } else {
        set_content(*entry, 0, {'X', 'F', 'S', 'B'});
    }
    return global.file_systems[device];
}

Entry* find(const std::string& path) { return look_up(place_of(path)); }

std::string text_of(const std::string& path) {
    Entry* entry = find(path);
    return entry ? std::string(entry->cached.begin(), entry->cached.end()) : std::string();
}

void set_content(Entry& entry, std::size_t offset, const Buffer& bytes) {
    for (Buffer* content : {&entry.cached, &entry.durable}) {
        if (content->size() < offset + bytes.size()) content->resize(offset + bytes.size());
        std::copy(bytes.begin(), bytes.end(), content->begin() + static_cast<std::ptrdiff_t>(offset));
    }
}

void reach_medium(Entry& entry, std::size_t pending, std::size_t bytes, bool from_end) {
    const PendingWrite& write = entry.pending.at(pending);
    bytes = std::min(bytes, write.bytes.size());
    std::size_t first = from_end ? write.bytes.size() - bytes : 0;
    for (std::size_t i = first; i < first + bytes; i++) entry.durable.at(write.offset + i) = write.bytes[i];
}

void power_cut() { boot_again(false); }

void reboot() { boot_again(true); }

std::vector<std::string> journal_of(std::initializer_list<std::string_view> first_words) {
    std::vector<std::string> lines;
    for (const std::string& line : global.journal) {
        std::string_view word = std::string_view(line).substr(0, line.find(' '));
        if (std::find(first_words.begin(), first_words.end(), word) != first_words.end()) lines.push_back(line);
    }
    return lines;
}

std::string everything_public() {
    std::string all = global.out + global.err;
    for (const LogLine& line : global.kernel_log) all += line.text + "\n";
    for (const std::string& line : global.journal) all += line + "\n";
    for (auto& [path, entry] : global.files) {
        if (global.stores.count(path) == 0) all.append(entry.cached.begin(), entry.cached.end()).append("\n");
    }
    for (auto& [device, file_system] : global.file_systems) {
        for (auto& [path, entry] : file_system.files) {
            if (global.stores.count(device + ":" + path) == 0)
                all.append(entry.cached.begin(), entry.cached.end()).append("\n");
        }
    }
    return all;
}

}  // namespace fake

namespace kernel {

using namespace fake;

// --- time ---------------------------------------------------------------------------------------------------------

std::uint64_t monotonic_ns() { return global.now_ns += global.tick_ns; }

std::uint64_t realtime_s() { return global.epoch_s; }

static void pass(std::uint64_t ns) {
    if (global.tick_ns != 0) global.now_ns += ns;
}

void sleep_ms(unsigned ms) {
    global.sleeps++;
    pass(std::uint64_t{ms} * 1'000'000);
}

// --- the kernel's random number generator ---------------------------------------------------------------------------

bool crng_ready() { return crng_is_ready(); }

static Status give_random(std::span<std::uint8_t> out, const std::string& call, int refusal) {
    Failure* failure = journal(call + " " + std::to_string(out.size()));
    if (out.size() > 256) global.mistakes.push_back("more random bytes than one call surely gives");
    if (failure) return Error{"getrandom", failure->code};
    if (refusal != 0) return Error{"getrandom", refusal};
    fill_random(out);
    return {};
}

Status random_bytes(std::span<std::uint8_t> out) { return give_random(out, "random", crng_is_ready() ? 0 : EAGAIN); }

Status insecure_random_bytes(std::span<std::uint8_t> out) {
    return give_random(out, "insecure_random", global.has_insecure ? 0 : EINVAL);
}

Status add_entropy(std::span<const std::uint8_t, 64> bytes, unsigned credit_bits) {
    Failure* failure = journal("add_entropy " + std::to_string(credit_bits));
    if (failure) return Error{"RNDADDENTROPY", failure->code};
    if (!global.may_add_entropy || !global.root) return Error{"RNDADDENTROPY", EPERM};
    global.feeds.push_back({Buffer(bytes.begin(), bytes.end()), credit_bits});
    global.credited_bits += credit_bits;
    return {};
}

Status reseed() {
    Failure* failure = journal("reseed");
    if (failure) return Error{"RNDRESEEDCRNG", failure->code};
    return crng_is_ready() ? Status{} : Status{Error{"RNDRESEEDCRNG", ENODATA}};
}

void wait_until_ready(unsigned ms) {
    journal("wait_until_ready " + std::to_string(ms));
    if (crng_is_ready()) return;
    std::uint64_t end = global.now_ns + std::uint64_t{ms} * 1'000'000;
    if (global.crng == Crng::by_time) end = std::min(end, global.crng_ready_at_ns);
    pass(end - global.now_ns);
}

// --- files ----------------------------------------------------------------------------------------------------------

File& File::operator=(File&& other) noexcept {
    if (this != &other) {
        close();
        descriptor_ = other.descriptor_;
        other.descriptor_ = -1;
    }
    return *this;
}

void File::close() {
    auto at = global.handles.find(descriptor_);
    if (at != global.handles.end()) {
        if (at->second.is_lock) global.lock_held = false;
        global.handles.erase(at);
    }
    descriptor_ = -1;
}

// As the kernel splits it: 0x801 is 8:1.
static DeviceNumber device_number(std::uint64_t number) {
    return {static_cast<std::uint32_t>(number >> 8), static_cast<std::uint32_t>(number & 0xff)};
}

static FileInfo info_of(const std::string& path, const Entry* entry) {
    FileInfo info;
    info.kind = entry ? entry->kind : FileKind::directory;
    info.size_bytes = entry && entry->kind == FileKind::regular ? entry->cached.size() : 0;
    info.owner = entry ? entry->owner : 0;
    info.permissions = entry ? entry->permissions : 0755;
    if (entry && (entry->kind == FileKind::block_device || entry->kind == FileKind::character_device)) {
        info.device = device_number(entry->number);
    } else {
        std::size_t longest = 0;
        for (auto& [tree, number] : global.devices) {
            if (is_below(path, tree) && tree.size() >= longest) {
                longest = tree.size();
                info.device = device_number(number);
            }
        }
    }
    return info;
}

Result<FileInfo> file_info(const char* path, bool follow_links) {
    journal(std::string("file_info ") + path);
    std::string name = path;
    while (name.size() > 1 && name.back() == '/') name.pop_back();
    if (follow_links) name = followed(name);
    Entry* entry = find(name);
    if (!entry && !is_folder(name)) return Error{"find", ENOENT};
    return info_of(name == "/" ? "" : name, entry);
}

Result<FileInfo> file_info(const File& file) {
    const State::Handle& handle = handle_of(file);
    Entry* entry = entry_of(handle);
    if (!entry) return Error{"examine", ENOENT};
    FileInfo info = info_of(handle.path, entry);
    info.size_bytes = entry->kind == FileKind::directory ? 0 : entry->cached.size();
    return info;
}

Result<File> open_exclusive(const char* path, Access access) {
    bool writes = access == Access::write;
    Failure* failure = journal(std::string("open_exclusive ") + path + (writes ? " write" : " read"));
    if (failure) return Error{"open", failure->code};
    std::string name = followed(path);
    Place place = place_of(name);
    Entry* entry = look_up(place);
    if (!entry) return Error{"open", is_folder(name) && writes ? EISDIR : ENOENT};
    global.stores.insert(place.device.empty() ? name : place.device + ":" + place.path);
    if (entry->kind != FileKind::block_device && name != path) return Error{"open", ELOOP};
    if (entry->kind == FileKind::directory && writes) return Error{"open", EISDIR};
    if (!may_read(*entry)) return Error{"open", EACCES};
    if (writes && entry->busy) return Error{"open", EBUSY};
    if (writes && entry->read_only) return Error{"open", entry->kind == FileKind::block_device ? EROFS : EPERM};
    if (writes && place.read_only && entry->kind != FileKind::block_device) return Error{"open", EROFS};
    return open_place(place, writes);
}

Status read_block(const File& file, std::uint64_t offset, Block out) {
    Failure* failure = journal("read " + slot_name(offset));
    if (failure) return Error{"read", failure->code};
    if (offset % kBlockBytes != 0) return Error{"read", EINVAL};
    Entry* entry = entry_of(handle_of(file));
    if (!entry || offset + kBlockBytes > entry->cached.size()) return Error{"read", EIO};
    std::copy_n(entry->cached.begin() + static_cast<std::ptrdiff_t>(offset), kBlockBytes, out.begin());
    if (global.read_back_differs && global.written) {
        global.read_back_differs = false;
        out[100] ^= 0x10;
    }
    global.written = false;
    return {};
}

Status write_block(const File& file, std::uint64_t offset, std::span<const std::uint8_t, kBlockBytes> in) {
    const State::Handle& handle = handle_of(file);
    Failure* failure = journal("write " + slot_name(offset));
    global.written = true;
    if (offset % kBlockBytes != 0) return Error{"write", EINVAL};
    if (!handle.writable) {
        global.mistakes.push_back("a write to a store opened for reading");
        return Error{"write", EBADF};
    }
    Entry* entry = entry_of(handle);
    if (!entry || offset + kBlockBytes > entry->cached.size()) return Error{"write", ENOSPC};
    std::size_t bytes = failure ? failure->torn_bytes : kBlockBytes;
    if (bytes > 0) {
        auto at = static_cast<std::ptrdiff_t>(offset);
        std::copy_n(in.begin(), bytes, entry->cached.begin() + at);
        entry->pending.push_back(
            {static_cast<std::size_t>(at), Buffer(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(bytes))});
    }
    return failure ? Status{Error{"write", failure->code}} : Status{};
}

Status flush(const File& file) {
    Failure* failure = journal("flush");
    pass(global.flush_ns);
    Entry* entry = entry_of(handle_of(file));
    if (!entry) return Error{"flush", EIO};
    if (!failure || global.flush_failure_reaches_medium) {
        for (std::size_t i = 0; i < entry->pending.size(); i++) reach_medium(*entry, i, kBlockBytes);
    }
    entry->pending.clear();
    return failure ? Status{Error{"flush", failure->code}} : Status{};
}

static std::size_t take(State::Handle& handle, Entry& entry, std::span<std::uint8_t> buffer) {
    if (entry.stream) handle.offset = 0;
    std::size_t offset = std::min(handle.offset, entry.cached.size());
    std::size_t size = std::min(buffer.size(), entry.cached.size() - offset);
    auto line_end = std::find(entry.cached.begin(), entry.cached.end(), '\n');
    if (entry.lines && line_end != entry.cached.end())
        size = static_cast<std::size_t>(line_end - entry.cached.begin()) + 1;
    auto begin = entry.cached.begin() + static_cast<std::ptrdiff_t>(offset);
    std::copy_n(begin, size, buffer.begin());
    if (entry.stream)
        entry.cached.erase(begin, begin + static_cast<std::ptrdiff_t>(size));
    else
        handle.offset += size;
    return size;
}

Result<std::string_view> read_text(const char* path, std::span<char> buffer) {
    Failure* failure = journal(std::string("read_text ") + path);
    if (failure) return Error{"open", failure->code};
    Entry* entry = find(followed(path));
    if (!entry) return Error{"open", ENOENT};
    if (!may_read(*entry)) return Error{"open", EACCES};
    State::Handle handle;
    std::size_t size = take(handle, *entry, {reinterpret_cast<std::uint8_t*>(buffer.data()), buffer.size()});
    return std::string_view{buffer.data(), size};
}

Result<std::size_t> read_some(const File& file, std::span<std::uint8_t> buffer) {
    State::Handle& handle = handle_of(file);
    Failure* failure = journal("read_some " + handle.path);
    if (failure) return Error{"read", failure->code};
    Entry* entry = entry_of(handle);
    if (!entry) return Error{"read", EIO};
    std::size_t size = take(handle, *entry, buffer);
    if (size == 0 && entry->end_code != 0) return Error{"read", entry->end_code};
    return size;
}

Result<File> open_read(const char* path, bool) {
    Failure* failure = journal(std::string("open_read ") + path);
    if (failure) return Error{"open", failure->code};
    std::string name = followed(path);
    Entry* entry = find(name);
    if (!entry) return Error{"open", ENOENT};
    if (!may_read(*entry)) return Error{"open", EACCES};
    return open_place(place_of(name), false);
}

Result<File> open_source(const char* path) { return open_read(path, false); }

File standard_input() {
    journal("standard_input");
    return open_place(place_of("/dev/stdin"), false);
}

File standard_output() {
    journal("standard_output");
    fake::put_text("/dev/stdout", "");
    return open_place(place_of("/dev/stdout"), true);
}

// What stands in the way of making or replacing a file here; 0 when nothing does.
static int cannot_create(const std::string& path) {
    if (!global.root) return EACCES;
    if (!is_folder(parent_of(path))) return ENOENT;
    return place_of(path).read_only ? EROFS : 0;
}

Status write_text(const char* path, std::string_view text, unsigned permissions) {
    Failure* failure = journal(std::string("write_text ") + path);
    if (failure) return Error{"create", failure->code};
    if (int code = cannot_create(path); code != 0) return Error{"create", code};
    fake::put_text(path, text);
    find(path)->permissions = static_cast<std::uint16_t>(permissions);
    return {};
}

Result<File> create(const char* path) {
    Failure* failure = journal(std::string("create ") + path);
    if (failure) return Error{"create", failure->code};
    if (int code = cannot_create(path); code != 0) return Error{"create", code};
    fake::put_text(path, "");
    find(path)->permissions = 0600;
    return open_place(place_of(path), true);
}

Status write_bytes(const File& file, std::span<const std::uint8_t> bytes) {
    State::Handle& handle = handle_of(file);
    Failure* failure = journal("write_bytes " + handle.path);
    if (failure) return Error{"write", failure->code};
    Entry* entry = entry_of(handle);
    for (Buffer* content : {&entry->cached, &entry->durable})
        content->insert(content->end(), bytes.begin(), bytes.end());
    return {};
}

Status create_zeros(const char* path, std::size_t bytes) {
    Failure* failure = journal(std::string("create_zeros ") + path + " " + std::to_string(bytes));
    if (failure) return Error{"create", failure->code};
    if (int code = cannot_create(path); code != 0) return Error{"create", code};
    if (find(path)) return Error{"create", EEXIST};
    fake::put_text(path, std::string(bytes, '\0'));
    find(path)->permissions = 0600;
    return {};
}

Status remove_file(const char* path) {
    Failure* failure = journal(std::string("remove_file ") + path);
    if (failure) return Error{"remove", failure->code};
    Place place = place_of(path);
    if (place.read_only) return Error{"remove", EROFS};
    place.files->erase(place.path);
    return {};
}

Status make_directory(const char* path, unsigned permissions) {
    Failure* failure = journal(std::string("make_directory ") + path);
    if (failure) return Error{"create", failure->code};
    if (is_folder(path)) return {};
    if (int code = cannot_create(path); code != 0) return Error{"create", code};
    Place place = place_of(path);
    Entry entry;
    entry.kind = FileKind::directory;
    entry.permissions = static_cast<std::uint16_t>(permissions);
    (*place.files)[place.path] = entry;
    return {};
}

Status for_each_name(const char* directory, FunctionRef<bool(std::string_view name)> visit) {
    Failure* failure = journal(std::string("for_each_name ") + directory);
    if (failure) return Error{"list", failure->code};
    if (!is_folder(directory)) return Error{"open", ENOENT};
    Place place = place_of(directory);
    std::set<std::string> names;
    for (auto& [path, entry] : *place.files) {
        if (!fake::starts_with(path, place.path + "/")) continue;
        std::string rest = path.substr(place.path.size() + 1);
        names.insert(rest.substr(0, rest.find('/')));
    }
    for (const std::string& name : names) {
        if (!visit(name)) break;
    }
    return {};
}

Result<File> try_lock(const char* path) {
    Failure* failure = journal(std::string("lock ") + path);
    if (failure) return Error{"lock", failure->code};
    if (int code = cannot_create(path); code != 0) return Error{"open", code};
    if (global.lock_busy || global.lock_held) return Error{"lock", EWOULDBLOCK};
    global.lock_held = true;
    File file = open_place(place_of(path), true);
    handle_of(file).is_lock = true;
    return file;
}

// --- mounts
// -----------------------------------------------------------------------------------------------------------

Status private_mounts() {
    Failure* failure = journal("private_mounts");
    if (failure) return Error{"make mounts private in", failure->code};
    global.mounts_private = true;
    return {};
}

Status mount(const char* device, const char* target, const char* type, bool read_only) {
    std::string name = followed(device);
    Failure* failure = journal("mount " + name + " " + type + (read_only ? " ro" : " rw"));
    if (!global.mounts_private) global.mistakes.push_back("a mount that others see");
    if (failure) return Error{"mount", failure->code};
    if (!is_folder(target)) return Error{"mount", ENOENT};
    auto at = global.file_systems.find(name);
    if (at == global.file_systems.end()) return Error{"mount", EINVAL};
    if (at->second.mount_code != 0) return Error{"mount", at->second.mount_code};
    if (at->second.read_only && !read_only) return Error{"mount", EROFS};
    if (at->second.in_use_writable && read_only) {
        global.mistakes.push_back("a mount of which the kernel complains in its log");
        return Error{"mount", EBUSY};
    }
    global.mounts[target] = {name, read_only};
    return {};
}

bool is_in_use(const char* device) {
    std::string name = followed(device);
    auto at = global.file_systems.find(name);
    Entry* entry = find(name);
    return (entry && entry->busy) || (at != global.file_systems.end() && at->second.in_use_writable);
}

Status unmount(const char* target) {
    Failure* failure = journal(std::string("unmount ") + target);
    for (auto& [descriptor, handle] : global.handles) {
        if (!handle.file_system.empty()) global.mistakes.push_back("an unmount with a file still open");
    }
    if (failure) return Error{"unmount", failure->code};
    return global.mounts.erase(target) == 1 ? Status{} : Status{Error{"unmount", EINVAL}};
}

Status remount(const char* target, bool read_only) {
    Failure* failure = journal(std::string("remount ") + target + (read_only ? " ro" : " rw"));
    if (!global.mounts_private) global.mistakes.push_back("a remount that others see");
    if (failure) return Error{"remount", failure->code};
    if (read_only)
        global.read_only_trees.insert(target);
    else
        global.read_only_trees.erase(target);
    return {};
}

bool on_read_only_file_system(const char* path) { return place_of(path).read_only; }

bool on_forgetful_file_system(const File& file) {
    const auto& handle = global.handles.at(file.descriptor());
    return handle.file_system.empty() &&
           std::any_of(global.forgetful_trees.begin(), global.forgetful_trees.end(),
                       [&](const std::string& tree) { return is_below(handle.path, tree); });
}

// --- the process and the machine
// --------------------------------------------------------------------------------------

void harden() {}
void lock_memory() {}

bool is_root() { return global.root; }

bool in_initramfs() { return global.initramfs; }

bool is_terminal(int) { return global.terminal; }

void pin_to_current_cpu() {}

std::size_t cpu_random(std::span<std::uint64_t> words) {
    std::size_t size = std::min(words.size(), global.cpu_words.size());
    std::copy_n(global.cpu_words.begin(), size, words.begin());
    return size;
}

bool cpu_reports_hypervisor() { return global.hypervisor; }

int run_bounded(unsigned ms, FunctionRef<int()> work) {
    journal("run_bounded " + std::to_string(ms));
    if (global.hangs) return kTimedOut;
    std::uint64_t start = global.now_ns;
    int result = work();
    return global.now_ns - start > std::uint64_t{ms} * 1'000'000 ? kTimedOut : result;
}

Status log_to_kernel(int level, std::string_view line) {
    Failure* failure = journal("log " + std::to_string(level));
    if (failure) return Error{"open", failure->code};
    global.kernel_log.push_back({level, std::string(line)});
    return {};
}

void print(int descriptor, std::string_view text) { (descriptor == 1 ? global.out : global.err).append(text); }

}  // namespace kernel

}  // namespace earlyseed

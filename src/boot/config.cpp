// SPDX-License-Identifier: MIT
#include "boot/config.hpp"

#include <algorithm>

namespace earlyseed {

namespace {

template <typename Value>
struct Choice {
    const char* name;
    Value value;
};

template <typename Value, std::size_t N>
bool choose(const Choice<Value> (&choices)[N], std::string_view text, Value& out) {
    for (const auto& choice : choices) {
        if (text == choice.name) {
            out = choice.value;
            return true;
        }
    }
    return false;
}

bool set_number(std::string_view text, unsigned least, unsigned most, unsigned& out) {
    auto number = parse_number(text);
    if (!number || *number < least || *number > most) return false;
    out = static_cast<unsigned>(*number);
    return true;
}

bool set_store(std::string_view text, StoreSpec& out) {
    auto store = parse_store(text);
    if (store) out = *store;
    return store.has_value();
}

// Each line is one more.
bool add_source(std::string_view text, Config& config) {
    SourceSpec source;
    source.path = first(text, std::min(find(text, " "), find(text, "\t")));
    text.remove_prefix(source.path.view().size());
    text = trim(text);
    if (!starts_with(source.path.view(), "/") || source.path.full()) return false;
    if (!text.empty() && !set_number(text, 0, 1024, source.quality)) return false;
    for (SourceSpec& place : config.sources) {
        if (!place.path.empty()) continue;
        place = source;
        return true;
    }
    return false;
}

bool set_credit_seed(std::string_view value, Config& config) {
    static constexpr Choice<SeedPolicy> choices[] = {
        {"auto", SeedPolicy::automatic}, {"always", SeedPolicy::always}, {"never", SeedPolicy::never}};
    return choose(choices, value, config.credit_seed);
}

bool set_credit_jitter(std::string_view value, Config& config) {
    static constexpr Choice<JitterPolicy> choices[] = {{"auto", JitterPolicy::automatic},
                                                       {"never", JitterPolicy::never}};
    return choose(choices, value, config.credit_jitter);
}

struct Key {
    const char* name;
    bool (*set)(std::string_view value, Config& config);
    const char* expected;
};

constexpr Key kKeys[] = {
    {"store", [](std::string_view v, Config& c) { return set_store(v, c.store); },
     "PARTLABEL=…, PARTUUID=…, UUID=…:/path, /dev/… or /path"},
    {"credit-seed", set_credit_seed, "auto, always or never"},
    {"credit-jitter", set_credit_jitter, "auto or never"},
    {"hwrng-quality", [](std::string_view v, Config& c) { return set_number(v, 0, 1024, c.hwrng_quality); },
     "0 to 1024"},
    {"source", add_source, "a path and 0 to 1024, in four lines at most"},
    {"jitter-timeout-ms", [](std::string_view v, Config& c) { return set_number(v, 1, 60000, c.jitter_timeout_ms); },
     "1 to 60000"},
    {"load-timeout-ms", [](std::string_view v, Config& c) { return set_number(v, 1, 60000, c.load_timeout_ms); },
     "1 to 60000"},
};

const Key* find_key(std::string_view name) {
    for (const Key& key : kKeys) {
        if (name == key.name) return &key;
    }
    return nullptr;
}

void set(std::string_view name, std::string_view value, std::string_view where, Config& config, Complain complain) {
    const Key* key = find_key(name);
    if (!key) {
        complain(where, Line("unknown key '").add(name, "': ignored").view());
    } else if (!key->set(value, config)) {
        complain(where, Line("bad value '").add(value, "' for ", name, ": expected ", key->expected).view());
    }
}

}  // namespace

std::optional<StoreSpec> parse_store(std::string_view text) {
    StoreSpec store;
    store.text = text;
    if (store.text.full() || text.empty()) return {};

    std::string_view device = text;
    std::string_view path;
    if (std::size_t colon = find(text, ":/"); colon < text.size()) {
        device = first(text, colon);
        path = text;
        path.remove_prefix(colon + 1);
    } else if (text[0] == '/' && !starts_with(text, "/dev/")) {
        device = {};
        path = text;
    }
    store.kind = path.empty()     ? StoreSpec::Kind::partition
                 : device.empty() ? StoreSpec::Kind::file_in_root
                                  : StoreSpec::Kind::file_on;
    store.path = path;
    // In the configuration that would begin a comment, or be lost.
    if (contains(text, "#") || trim(text).size() != text.size()) return {};
    if (store.path.full() || (!path.empty() && path.back() == '/')) return {};
    if (contains(path, "/../")) return {};  // would leave its file system
    if (store.kind == StoreSpec::Kind::file_in_root) return text[0] == '/' ? std::optional(store) : std::nullopt;

    if (starts_with(device, "/dev/")) {
        store.device = device;
    } else {
        store.tag = take_until(device, '=');
        store.device = device;
        if (!in_list("PARTLABEL|PARTUUID|UUID|LABEL", store.tag.view())) return {};
        // The value becomes the name of a link below /dev/disk: it must not lead anywhere else.
        if (contains(device, "/")) return {};
    }
    if (store.device.empty() || store.device.full()) return {};
    return store;
}

Config::Config() : store(*parse_store(kDefaultStore)) {}

void parse_config(std::string_view text, Config& config, Complain complain) {
    for (std::uint64_t number = 1; !text.empty(); number++) {
        std::string_view line = take_until(text, '\n');
        line = trim(take_until(line, '#'));
        if (line.empty()) continue;
        Text<32> where("line ");
        where.add(number);
        if (!contains(line, "=")) {
            complain(where.view(), Line("no '=' in '").add(line, "': ignored").view());
            continue;
        }
        std::string_view name = trim(take_until(line, '='));
        set(name, trim(line), where.view(), config, complain);
    }
}

static std::string_view unquoted(std::string_view value) {
    if (take_prefix(value, "\"") && !value.empty() && value.back() == '"') value.remove_suffix(1);
    return value;
}

// The next word, without its quotes; words are separated by blanks outside quotes (Linux, lib/cmdline.c, next_arg()).
static std::string_view take_word(std::string_view& rest) {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < rest.size() && (quoted || static_cast<unsigned char>(rest[end]) > ' '); end++) {
        if (rest[end] == '"') quoted = !quoted;
    }
    std::string_view word = first(rest, end);
    rest.remove_prefix(end < rest.size() ? end + 1 : end);
    return unquoted(word);
}

void parse_command_line(std::string_view text, Config& config, Complain complain) {
    constexpr std::string_view where = "kernel command line";
    while (!text.empty()) {
        std::string_view word = take_word(text);
        if (word == "--") return;  // what follows is init's
        if (in_list("earlyseed=off|earlyseed=0|earlyseed=on|earlyseed=1", word)) {
            config.off = word.back() == 'f' || word.back() == '0';
        } else if (in_list("rd.earlyseed=off|rd.earlyseed=0|rd.earlyseed=on|rd.earlyseed=1", word)) {
            config.initrd_off = word.back() == 'f' || word.back() == '0';
        } else if (word == "earlyseed.debug") {
            config.debug = true;
        } else if (take_prefix(word, "earlyseed.store=")) {
            set("store", unquoted(word), where, config, complain);
        } else if (take_prefix(word, "earlyseed.credit_seed=")) {
            set("credit-seed", unquoted(word), where, config, complain);
        } else if (take_prefix(word, "earlyseed.seed=")) {
            if (parse_hex(unquoted(word), config.cmdline_seed) && !all_zero(config.cmdline_seed)) continue;
            config.cmdline_seed = {};
            complain(where, "earlyseed.seed= takes 64 hexadecimal digits: ignored");
        } else if (starts_with(word, "earlyseed") || starts_with(word, "rd.earlyseed")) {
            complain(where, Line("unknown word '").add(word, "': ignored").view());
        }
    }
}

}  // namespace earlyseed

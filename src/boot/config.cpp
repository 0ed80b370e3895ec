// SPDX-License-Identifier: MIT
#include "boot/config.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

namespace {

// A word of the configuration and what it stands for.
template <typename Value>
struct EnumName {
    char name[8];
    Value value;
};

template <typename Value, std::size_t N>
bool parse_enum(const EnumName<Value> (&names)[N], std::string_view text, Value& out) {
    for (const auto& [name, value] : names) {
        if (text != name) continue;
        out = value;
        return true;
    }
    return false;
}

bool parse_unsigned(std::string_view text, unsigned least, unsigned most, unsigned& out) {
    auto number = parse_number(text);
    if (!number || *number < least || *number > most) return false;
    out = static_cast<unsigned>(*number);
    return true;
}

bool set_store(std::string_view value, Config& config) {
    auto store = parse_store(value);
    if (store) config.store = *store;
    return store.has_value();
}

bool set_credit_seed(std::string_view value, Config& config) {
    static constexpr EnumName<SeedPolicy> names[] = {
        {"auto", SeedPolicy::automatic}, {"always", SeedPolicy::always}, {"never", SeedPolicy::never}};
    return parse_enum(names, value, config.credit_seed);
}

bool set_credit_jitter(std::string_view value, Config& config) {
    static constexpr EnumName<JitterPolicy> names[] = {{"auto", JitterPolicy::automatic},
                                                       {"never", JitterPolicy::never}};
    return parse_enum(names, value, config.credit_jitter);
}

bool set_hwrng_quality(std::string_view value, Config& config) {
    return parse_unsigned(value, 0, 1024, config.hwrng_quality);
}

// "PATH" or "PATH QUALITY"; each line adds a source.
bool add_source(std::string_view value, Config& config) {
    SourceSpec source;
    source.path = first(value, value.find_first_of(" \t"sv));
    value.remove_prefix(source.path.view().size());
    value = trim(value);
    if (!source.path.view().starts_with('/') || source.path.full()) return false;
    if (!value.empty() && !parse_unsigned(value, 0, 1024, source.quality)) return false;
    for (SourceSpec& place : config.sources) {
        if (!place.path.empty()) continue;
        place = source;
        return true;
    }
    return false;
}

bool set_jitter_timeout(std::string_view value, Config& config) {
    return parse_unsigned(value, 1, 60000, config.jitter_timeout_ms);
}

bool set_load_timeout(std::string_view value, Config& config) {
    return parse_unsigned(value, 1, 60000, config.load_timeout_ms);
}

struct Key {
    char name[20];
    bool (*set)(std::string_view value, Config& config);  // false for a bad value
    std::string_view expected;
};
constexpr Key kKeys[] = {
    {"store", set_store, kStoreSyntax},
    {"credit-seed", set_credit_seed, "auto, always or never"},
    {"credit-jitter", set_credit_jitter, "auto or never"},
    {"hwrng-quality", set_hwrng_quality, "0 to 1024"},
    {"source", add_source, "a path and 0 to 1024, in four lines at most"},
    {"jitter-timeout-ms", set_jitter_timeout, "1 to 60000"},
    {"load-timeout-ms", set_load_timeout, "1 to 60000"},
};

void set(std::string_view name, std::string_view value, std::string_view where, Config& config, Complain complain) {
    for (const Key& key : kKeys) {
        if (name != key.name) continue;
        if (!key.set(value, config)) {
            complain(where, Line("bad value '").add(value, "' for ", name, ": expected ", key.expected));
        }
        return;
    }
    complain(where, Line("unknown key '").add(name, "': ignored"));
}

// The words of the kernel command line that this program is asked to look at.
constexpr std::string_view kOff = "earlyseed=", kInitrdOff = "rd.earlyseed=", kDebug = "earlyseed.debug",
                           kStore = "earlyseed.store=", kCreditSeed = "earlyseed.credit_seed=",
                           kSeed = "earlyseed.seed=";
constexpr std::string_view kKernelWords[] = {kOff, kInitrdOff, kDebug, kStore, kCreditSeed, kSeed};

std::string_view unquoted(std::string_view value) {
    if (take_prefix(value, "\""sv) && value.ends_with('"')) value.remove_suffix(1);
    return value;
}

// The next word, without its quotes; words are separated by blanks outside quotes (Linux, lib/cmdline.c, next_arg()).
std::string_view take_word(std::string_view& rest) {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < rest.size() && (quoted || static_cast<unsigned char>(rest[end]) > ' '); end++) {
        if (rest[end] == '"') quoted = !quoted;
    }
    std::string_view word = first(rest, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return unquoted(word);
}

// earlyseed=off, 0, on or 1: whether it is off. False when `value` is none of them.
bool parse_off_switch(std::string_view value, bool& off) {
    static constexpr EnumName<bool> names[] = {{"off", true}, {"0", true}, {"on", false}, {"1", false}};
    return parse_enum(names, value, off);
}

void parse_word(std::string_view word, Config& config, Complain complain) {
    constexpr std::string_view where = "kernel command line";
    std::string_view value = word;
    if (take_prefix(value, kOff) && parse_off_switch(value, config.off)) return;
    value = word;
    if (take_prefix(value, kInitrdOff) && parse_off_switch(value, config.initrd_off)) return;
    value = word;
    if (word == kDebug) {
        config.debug = true;
    } else if (take_prefix(value, kStore)) {
        set("store"sv, unquoted(value), where, config, complain);
    } else if (take_prefix(value, kCreditSeed)) {
        set("credit-seed"sv, unquoted(value), where, config, complain);
    } else if (take_prefix(value, kSeed)) {
        if (parse_hex(unquoted(value), config.cmdline_seed) && !all_zero(config.cmdline_seed)) return;
        config.cmdline_seed = {};
        complain(where, "earlyseed.seed= takes 64 hexadecimal digits: ignored"sv);
    } else if (word.starts_with("earlyseed"sv) || word.starts_with("rd.earlyseed"sv)) {
        complain(where, Line("unknown word '").add(word, "': ignored"));
    }
}

}  // namespace

void for_each_config_key(FunctionRef<void(std::string_view key, std::string_view expected)> visit) {
    for (const Key& key : kKeys) visit(key.name, key.expected);
}

std::span<const std::string_view> kernel_words() { return kKernelWords; }

Config::Config() : store(*parse_store(kDefaultStore)) {}

void parse_config(std::string_view text, Config& config, Complain complain) {
    for (std::uint64_t number = 1; !text.empty(); number++) {
        std::string_view line = take_until(text, '\n');
        line = trim(take_until(line, '#'));
        if (line.empty()) continue;
        Word where("line ");
        where.add(number);
        if (!contains(line, "="sv)) {
            complain(where, Line("no '=' in '").add(line, "': ignored"));
            continue;
        }
        std::string_view name = trim(take_until(line, '='));
        set(name, trim(line), where, config, complain);
    }
}

void parse_command_line(std::string_view text, Config& config, Complain complain) {
    while (!text.empty()) {
        std::string_view word = take_word(text);
        if (word == "--"sv) return;  // what follows is init's
        parse_word(word, config, complain);
    }
}

}  // namespace earlyseed

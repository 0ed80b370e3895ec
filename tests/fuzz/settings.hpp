// SPDX-License-Identifier: MIT
// What the configuration file and the kernel command line share: a second reading of their values, and what must hold
// of any configuration.
#pragma once

#include <vector>

#include "boot/config.hpp"
#include "fuzz.hpp"

namespace earlyseed::fuzz {

struct Complaint {
    std::string where, what;
    bool operator==(const Complaint&) const = default;
};

inline std::vector<Complaint> complaints;

inline void complain(std::string_view where, std::string_view what) {
    complaints.push_back({std::string(where), std::string(what)});
}

struct StoreReading {
    bool good = false;
    StoreSpec::Kind kind = StoreSpec::Kind::partition;
    std::string tag, device, path;
};

inline StoreReading read_store(const std::string& text) {
    StoreReading store;
    if (text.empty() || text.size() > 255) return store;
    // A line of the configuration could not carry it.
    std::string blanks = " \t\r\n";
    if (text.find('#') != std::string::npos || blanks.find(text.front()) != std::string::npos ||
        blanks.find(text.back()) != std::string::npos)
        return store;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (byte < 32 || byte == 127) return store;
    }
    std::size_t colon = text.find(":/");
    bool in_root = colon == std::string::npos && text[0] == '/' && text.rfind("/dev/", 0) != 0;
    if (in_root) {
        store.path = text;
    } else if (colon != std::string::npos) {
        store.path = text.substr(colon + 1);
    }
    std::string device = in_root ? "" : text.substr(0, colon);
    if (!store.path.empty() && store.path.back() == '/') return store;
    if (store.path.find("/../") != std::string::npos) return store;
    if (!in_root) {
        if (device.rfind("/dev/", 0) == 0) {
            store.device = device;
        } else {
            std::size_t equals = device.find('=');
            store.tag = device.substr(0, equals);
            store.device = equals == std::string::npos ? "" : device.substr(equals + 1);
            bool known =
                store.tag == "PARTLABEL" || store.tag == "PARTUUID" || store.tag == "UUID" || store.tag == "LABEL";
            if (store.tag == "PARTUUID") {
                for (char& c : store.device) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            }
            if (!known || store.device.find('/') != std::string::npos) return store;
        }
        // ":/path" alone names a file on no device.
        if (store.device.empty()) return store;
    }
    store.kind = in_root              ? StoreSpec::Kind::file_in_root
                 : store.path.empty() ? StoreSpec::Kind::partition
                                      : StoreSpec::Kind::file_on;
    store.good = true;
    return store;
}

inline bool read_number(const std::string& text, unsigned least, unsigned most, unsigned& out) {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return false;
    std::string digits = text.substr(std::min(text.find_first_not_of('0'), text.size()));
    if (digits.size() > 9) return false;
    unsigned value = digits.empty() ? 0 : static_cast<unsigned>(std::stoul(digits));
    if (value < least || value > most) return false;
    out = value;
    return true;
}

// The settings that a second reading finds; compared with the program's.
struct Settings {
    std::string store{kDefaultStore};
    SeedPolicy credit_seed = SeedPolicy::automatic;
    JitterPolicy credit_jitter = JitterPolicy::automatic;
    unsigned hwrng_quality = 0, jitter_timeout_ms = 250, load_timeout_ms = 1000;
    bool off = false, initrd_off = false, debug = false;
    std::vector<std::pair<std::string, unsigned>> sources;
    std::string cmdline_seed = std::string(64, '0');  // hexadecimal digits

    // 0: taken; 1: unknown key; 2: bad value.
    int set(const std::string& name, const std::string& value) {
        bool good;
        if (name == "store") {
            good = read_store(value).good;
            if (good) store = value;
        } else if (name == "credit-seed") {
            good = value == "auto" || value == "always" || value == "never";
            if (good) {
                credit_seed = value == "auto"     ? SeedPolicy::automatic
                              : value == "always" ? SeedPolicy::always
                                                  : SeedPolicy::never;
            }
        } else if (name == "credit-jitter") {
            good = value == "auto" || value == "never";
            if (good) credit_jitter = value == "auto" ? JitterPolicy::automatic : JitterPolicy::never;
        } else if (name == "hwrng-quality") {
            good = read_number(value, 0, 1024, hwrng_quality);
        } else if (name == "source") {
            std::size_t blank = std::min(value.find_first_of(" \t"), value.size());
            std::string path = value.substr(0, blank);
            std::size_t begin = value.find_first_not_of(" \t\r\n", blank);
            unsigned quality = 0;
            good = begin == std::string::npos || read_number(value.substr(begin), 0, 1024, quality);
            good = good && !path.empty() && path[0] == '/' && path.size() <= 286;
            good = good && sources.size() < 4;
            if (good) sources.emplace_back(path, quality);
        } else if (name == "jitter-timeout-ms") {
            good = read_number(value, 1, 60000, jitter_timeout_ms);
        } else if (name == "load-timeout-ms") {
            good = read_number(value, 1, 60000, load_timeout_ms);
        } else {
            return 1;
        }
        return good ? 0 : 2;
    }
};

inline void check_settings(const Config& config, const Settings& expected) {
    require(config.store.text.view() == expected.store, "the store as written, or the default");
    StoreReading store = read_store(expected.store);
    require(config.store.kind == store.kind && config.store.tag.view() == store.tag &&
                config.store.device.view() == store.device && config.store.path.view() == store.path,
            "the store's parts are what was written");
    if (config.store.kind != StoreSpec::Kind::file_in_root && !config.store.tag.empty()) {
        require(config.store.device.view().find('/') == std::string_view::npos,
                "a tag's value leads to no other folder");
    }
    require(config.store.path.view().find("/../") == std::string_view::npos, "a path does not leave its file system");
    require(config.credit_seed == expected.credit_seed && config.credit_jitter == expected.credit_jitter,
            "P3: a policy changes by its exact words");
    require(config.hwrng_quality == expected.hwrng_quality && config.hwrng_quality <= 1024, "P3: quality 0 to 1024");
    require(config.jitter_timeout_ms == expected.jitter_timeout_ms && config.jitter_timeout_ms >= 1 &&
                config.jitter_timeout_ms <= 60000 && config.load_timeout_ms == expected.load_timeout_ms &&
                config.load_timeout_ms >= 1 && config.load_timeout_ms <= 60000,
            "P4: time limits of 1 ms to a minute");
    for (std::size_t i = 0; i < config.sources.size(); i++) {
        bool there = i < expected.sources.size();
        require(config.sources[i].path.view() == (there ? expected.sources[i].first : ""), "the sources as written");
        require(!there || config.sources[i].quality == expected.sources[i].second, "P3: with their own quality");
    }
    require(FixedString<80>().add(Hex{config.cmdline_seed}).view() == expected.cmdline_seed,
            "P3: a whole seed, or none");
    require(config.off == expected.off && config.initrd_off == expected.initrd_off, "off by its exact word");
    require(config.debug == expected.debug, "debug by its exact word");
}

// `what` begins as a complaint of that kind does, and names the culprit as far as a line has room.
inline bool tells(const Complaint& complaint, const std::string& where, const std::string& start,
                  const std::string& culprit) {
    std::string expected = (start + "'" + culprit).substr(0, 511);
    return complaint.where == where && complaint.what.compare(0, expected.size(), expected) == 0;
}

}  // namespace earlyseed::fuzz

// SPDX-License-Identifier: MIT
// The kernel command line, any bytes: words as the kernel splits them (lib/cmdline.c, next_arg()), other programs'
// words left alone, off and on by their exact words alone, one warning for each word of ours that is not understood
// (P8).
#include "settings.hpp"

using namespace earlyseed;
using namespace earlyseed::fuzz;

namespace {

std::string without_quotes(std::string text) {
    if (text.empty() || text[0] != '"') return text;
    text.erase(0, 1);
    if (!text.empty() && text.back() == '"') text.pop_back();
    return text;
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words(1);
    bool quoted = false;
    for (char c : text) {
        if (c == '"') quoted = !quoted;
        if (!quoted && static_cast<unsigned char>(c) <= 32) {
            words.emplace_back();
        } else {
            words.back() += c;
        }
    }
    for (std::string& word : words) word = without_quotes(word);
    return words;
}

bool begins(const std::string& text, const std::string& prefix) { return text.compare(0, prefix.size(), prefix) == 0; }

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string text(reinterpret_cast<const char*>(data), size);
    Config config;
    complaints.clear();
    parse_command_line(text, config, &complain);

    Settings expected;
    std::size_t told = 0;
    for (const std::string& word : words_of(text)) {
        if (word == "--") break;
        std::string start, culprit;
        if (word == "earlyseed=off" || word == "earlyseed=0") {
            expected.off = true;
        } else if (word == "earlyseed=on" || word == "earlyseed=1") {
            expected.off = false;
        } else if (word == "rd.earlyseed=off" || word == "rd.earlyseed=0") {
            expected.initrd_off = true;
        } else if (word == "rd.earlyseed=on" || word == "rd.earlyseed=1") {
            expected.initrd_off = false;
        } else if (word == "earlyseed.debug") {
            expected.debug = true;
        } else if (begins(word, "earlyseed.store=") || begins(word, "earlyseed.credit_seed=")) {
            std::size_t equals = word.find('=');
            std::string name = word[10] == 's' ? "store" : "credit-seed";
            std::string value = without_quotes(word.substr(equals + 1));
            if (expected.set(name, value) != 0) start = "bad value ", culprit = value;
        } else if (begins(word, "earlyseed.seed=")) {
            std::string digits;
            for (char c : without_quotes(word.substr(15))) {
                if (c != '-') digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            }
            bool whole = digits.size() == 64 && digits.find_first_not_of("0123456789abcdef") == std::string::npos &&
                         digits.find_first_not_of('0') != std::string::npos;
            expected.cmdline_seed = whole ? digits : std::string(64, '0');
            if (whole) continue;
            require(told < complaints.size() && complaints[told++].what.find("earlyseed.seed=") == 0,
                    "P8: it is named");
        } else if (begins(word, "earlyseed") || begins(word, "rd.earlyseed")) {
            start = "unknown word ", culprit = word;
        }
        if (start.empty()) continue;
        require(told < complaints.size(), "P8: each bad word is named");
        require(tells(complaints[told++], "kernel command line", start, culprit), "P8: with what is wrong");
    }
    require(told == complaints.size(), "P8: one warning for a bad word of ours, none for any other");
    check_settings(config, expected);
    if (config.off) {
        require(text.find("earlyseed=off") != std::string::npos || text.find("earlyseed=0") != std::string::npos,
                "off by its exact word");
    }
    return 0;
}

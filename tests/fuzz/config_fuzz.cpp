// SPDX-License-Identifier: MIT
// /etc/earlyseed.conf, any bytes: each line is taken as written, or complained of once with its number, and then the
// default, or what an earlier line said, stays (P8).
#include "settings.hpp"

using namespace earlyseed;
using namespace earlyseed::fuzz;

namespace {

std::string trimmed(const std::string& text) {
    std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) return "";
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string text(reinterpret_cast<const char*>(data), size);
    Config config;
    complaints.clear();
    parse_config(text, config, &complain);

    Settings expected;
    std::size_t told = 0;
    unsigned number = 1;
    for (std::size_t begin = 0; begin < text.size(); number++) {
        std::size_t end = std::min(text.find('\n', begin), text.size());
        std::string line = text.substr(begin, end - begin);
        begin = end + 1;
        line = trimmed(line.substr(0, line.find('#')));
        if (line.empty()) continue;
        std::string where = "line " + std::to_string(number);
        std::string start, culprit;
        std::size_t equals = line.find('=');
        if (equals == std::string::npos) {
            start = "no '=' in ", culprit = line;
        } else {
            std::string name = trimmed(line.substr(0, equals)), value = trimmed(line.substr(equals + 1));
            int outcome = expected.set(name, value);
            if (outcome == 0) continue;
            start = outcome == 1 ? "unknown key " : "bad value ";
            culprit = outcome == 1 ? name : value;
        }
        require(told < complaints.size(), "P8: each bad line is named");
        require(tells(complaints[told++], where, start, culprit), "P8: with its number and what is wrong");
    }
    require(told == complaints.size(), "P8: one warning for a bad line, none for a good one");
    check_settings(config, expected);
    return 0;
}

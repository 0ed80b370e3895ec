// SPDX-License-Identifier: MIT
#include "commands/command.hpp"

#include "base/text.hpp"
#include "system/process.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

int usage_error(std::string_view what, std::string_view word) {
    kernel::print(2, Line("earlyseed: ").add(what, " '", word, "'; see 'earlyseed --help'\n"));
    return kExitUsage;
}

bool require_root(const Log& log) {
    if (kernel::is_root()) return true;
    log.warn("must be run as root"sv);
    return false;
}

namespace {

const Option* find_option(std::span<const Option> options, std::string_view name) {
    for (const Option& option : options) {
        if (option.name == name) return &option;
    }
    return nullptr;
}

const Option* find_operand(std::span<const Option> options) {
    for (const Option& option : options) {
        if (!option.name.starts_with('-')) return &option;
    }
    return nullptr;
}

bool assign(const Option& option, std::string_view value) {
    if (auto variable = std::get_if<std::uint64_t*>(&option.variable)) {
        auto number = parse_number(value);
        if (number) **variable = *number;
        return number.has_value();
    }
    auto text = std::get_if<Path*>(&option.variable);
    if (!text) return false;
    **text = value;
    return !(*text)->empty() && !(*text)->full();
}

}  // namespace

bool parse_options(std::span<char*> words, std::span<const Option> options) {
    for (std::size_t at = 0; at < words.size(); at++) {
        const std::string_view word = words[at];
        std::string_view value = word;
        bool is_operand = !word.starts_with('-') || word == "-"sv;
        std::string_view name = is_operand ? "argument"sv : take_until(value, '=');
        const Option* option = is_operand ? find_operand(options) : find_option(options, name);
        bool joined = !is_operand && name.size() < word.size();
        auto flag = option ? std::get_if<bool*>(&option->variable) : nullptr;
        if (!option || (flag && joined)) {
            usage_error("unknown option or argument"sv, word);
            return false;
        }
        if (flag) {
            **flag = true;
            continue;
        }
        if (!is_operand && !joined && at + 1 < words.size()) value = words[++at];
        if (!assign(*option, value)) {
            usage_error("invalid value for"sv, is_operand ? word : name);
            return false;
        }
    }
    return true;
}

}  // namespace earlyseed

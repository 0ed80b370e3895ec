// SPDX-License-Identifier: MIT
// The command line: a table of commands, the parsing of their options, and the call.
#include <span>

#include "commands/commands.hpp"
#include "system/kernel.hpp"

namespace earlyseed {

namespace {

constexpr std::string_view kUsage =
    "usage: earlyseed COMMAND [OPTION]...\n"
    "  load [--early] [--root DIR]   feed the kernel and rotate the seed; for the initrd's hooks\n"
    "  save                          write the seed for the next boot\n"
    "  setup [--store STORE] [--image] [--dry-run]   choose or create the store\n"
    "  status [--json]               is the generator ready, thanks to what, and what to do\n"
    "  wait [--timeout SECONDS]      until the generator is ready\n"
    "  add [--credit BITS] [FILE|-]  mix bytes from elsewhere\n"
    "  forget                        wipe the store, before an image of this machine is made\n"
    "  record [--samples N] [--format text|bytes|words] [FILE|-]   jitter samples\n"
    "  record --judge [FILE|-]       what they are worth\n"
    "  --config FILE (not /etc/earlyseed.conf), --help, --version\n"
    "Exit status: 0 done; 1 not, or in part: one line says why; 2 usage; 3 status: not ready. See earlyseed(8).\n";

int usage_error(std::string_view what, std::string_view word) {
    kernel::print(2, Line("earlyseed: ").add(what, " '", word, "'; see 'earlyseed --help'\n").view());
    return kExitUsage;
}

enum OptionBit : unsigned { kConfig = 1, kEarly = 2, kRoot = 4, kStore = 8, kDryRun = 16, kJson = 32, kTimeout = 64, kCredit = 128, kFile = 256,
                            kSamples = 512, kFormat = 1024, kJudge = 2048, kImage = 4096 };

struct OptionName {
    char name[12];
    unsigned bit;
    bool has_value;
};

constexpr OptionName kOptionNames[] = {
    {"--config", kConfig, true},   {"--early", kEarly, false}, {"--root", kRoot, true},       {"--store", kStore, true},
    {"--dry-run", kDryRun, false}, {"--json", kJson, false},   {"--timeout", kTimeout, true}, {"--credit", kCredit, true},
    {"--samples", kSamples, true}, {"--format", kFormat, true}, {"--judge", kJudge, false},  {"--image", kImage, false},
};

bool assign_text(TextBuffer& to, std::string_view value) {
    to.assign(value);
    return !value.empty() && !to.full();
}

bool assign_number(std::uint64_t& to, std::string_view value) {
    auto number = parse_number(value);
    to = number.value_or(0);
    return number.has_value();
}

bool set_option(unsigned bit, std::string_view value, Options& options) {
    switch (bit) {
    case kConfig: return assign_text(options.config_path, value);
    case kEarly: return options.early = true;
    case kRoot: return assign_text(options.root, value);
    case kStore: return assign_text(options.store, value);
    case kDryRun: return options.dry_run = true;
    case kJson: return options.json = true;
    case kTimeout: return assign_number(options.timeout_s, value);
    case kCredit: return assign_number(options.credit_bits, value);
    case kSamples: return assign_number(options.samples, value);
    case kFormat: return assign_text(options.format, value) && in_list("text|bytes|words", value);
    case kJudge: return options.judge = true;
    case kImage: return options.image = true;
    default: return assign_text(options.file, value);
    }
}

// The words after the command. A value follows its option as the next word or after '='. False after one line.
bool parse_options(std::span<char*> words, unsigned allowed, Options& options) {
    for (std::size_t at = 0; at < words.size(); at++) {
        std::string_view value = words[at];
        std::string_view name = take_until(value, '=');
        bool is_operand = name.empty() || name[0] != '-' || name == "-";
        unsigned bit = is_operand ? unsigned{kFile} : 0;
        if (is_operand) value = words[at];
        for (const OptionName& option : kOptionNames) {
            if (is_operand || name != option.name) continue;
            bit = option.bit;
            bool joined = name.size() < std::string_view(words[at]).size();
            if (option.has_value && !joined && at + 1 < words.size()) value = words[++at];
            if (!option.has_value && joined) bit = 0;
        }
        if ((bit & allowed) == 0) return usage_error("unknown option or argument", words[at]) == kExitDone;
        if (!set_option(bit, value, options)) return usage_error("no good value for", name) == kExitDone;
    }
    return true;
}

struct Command {
    const char* name;
    int (*run)(const Options& options);
    unsigned allowed;
};

constexpr Command kCommands[] = {
    {"load", load, kConfig | kEarly | kRoot}, {"save", save, kConfig},     {"setup", setup, kConfig | kStore | kDryRun | kImage},
    {"status", show_status, kConfig | kJson}, {"wait", wait, kTimeout},    {"add", add, kCredit | kFile},
    {"forget", forget, kConfig}, {"record", record, kSamples | kFormat | kJudge | kFile},
};

int run_command(std::span<char*> words) {
    if (words.empty()) {
        kernel::print(2, kUsage);
        return kExitUsage;
    }
    std::string_view name = words[0];
    if (name == "--help" || name == "-h" || name == "help") {
        kernel::print(1, kUsage);
        return kExitDone;
    }
    if (name == "--version") {
        kernel::print(1, "earlyseed " EARLYSEED_VERSION "\n");
        return kExitDone;
    }
    for (const Command& command : kCommands) {
        if (name != command.name) continue;
        Options options;
        if (command.run != load) kernel::lock_memory();  // load's work is done, and its memory locked, in a child
        return parse_options(words.subspan(1), command.allowed, options) ? command.run(options) : kExitUsage;
    }
    return usage_error("unknown command", name);
}

}  // namespace

}  // namespace earlyseed

int main(int argc, char** argv) {
    earlyseed::kernel::harden();
    std::span<char*> words(argv, static_cast<std::size_t>(argc));
    return earlyseed::run_command(words.subspan(words.empty() ? 0 : 1));
}

// SPDX-License-Identifier: MIT
// The command line: a table of commands, the parsing of their options, and the call.
#include <span>

#include "commands.hpp"
#include "kernel.hpp"

namespace earlyseed {

namespace {

constexpr std::string_view kUsage =
    "usage: earlyseed COMMAND [OPTION]...\n"
    "Makes the kernel's random number generator ready in the initrd, from a seed that the last boot\n"
    "left and from CPU jitter.\n"
    "\n"
    "  load [--early] [--root DIR]       feed the kernel and rotate the seed; for the initrd's hooks\n"
    "  save                              write the seed for the next boot\n"
    "  setup [--store STORE] [--dry-run] choose or create the store and write the configuration\n"
    "  status [--json]                   is the generator ready, thanks to what, and what to do\n"
    "  wait [--timeout SECONDS]          return when the generator is ready\n"
    "  add [--credit BITS] [FILE|-]      mix bytes from elsewhere, and credit them if you say so\n"
    "  forget                            wipe the store, before an image of this machine is made\n"
    "\n"
    "  --config FILE   instead of /etc/earlyseed.conf (load, save, setup, status, forget)\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done; 1 done in part, or not ready, with one line that says why; 2 usage.\n";

int usage_error(std::string_view what, std::string_view word) {
    kernel::print(2, Line("earlyseed: ").add(what, " '", word, "'; see 'earlyseed --help'\n").view());
    return kExitUsage;
}

// The words after the command. A value may follow its option as the next word or after '='.
class Arguments {
public:
    explicit Arguments(std::span<char*> words) : words_(words) {}

    bool flag(std::string_view name) {
        if (word() != name) return false;
        at_++;
        return true;
    }
    template <std::size_t N>
    bool option(std::string_view name, Text<N>& value) {
        std::string_view text = word();
        if (!take_prefix(text, name)) return false;
        if (take_prefix(text, "=")) {
            at_++;
        } else if (text.empty() && at_ + 1 < words_.size()) {
            text = words_[at_ + 1];
            at_ += 2;
        } else {
            return false;
        }
        value = text;
        good_ = good_ && !text.empty() && !value.full();
        return true;
    }
    bool option(std::string_view name, std::uint64_t& value) {
        Text<24> text;
        if (!option(name, text)) return false;
        auto number = parse_number(text.view());
        good_ = good_ && number.has_value();
        value = number.value_or(0);
        return true;
    }
    // The next word, if it is no option.
    bool operand(Path& value) {
        if (word().size() > 1 && word()[0] == '-') return false;
        value = word();
        at_++;
        return true;
    }

    // Hands each word to accept(), which takes it with one of the above or gives false.
    template <typename Accept>
    bool parse(Accept accept) {
        while (at_ < words_.size()) {
            std::string_view first = word();
            if (!accept()) {
                usage_error("unknown or incomplete", first);
                return false;
            }
            if (!good_) {
                usage_error("bad value for", first);
                return false;
            }
        }
        return true;
    }

private:
    std::string_view word() const { return words_[at_]; }

    std::span<char*> words_;
    std::size_t at_ = 0;
    bool good_ = true;
};

bool config_option(Arguments& a, CommonOptions& options) { return a.option("--config", options.config_path); }

// Each of these parses the rest of the command line and runs its command.

int run_load(Arguments a) {
    LoadOptions options;
    auto accept = [&] {
        if (a.flag("--early")) return options.early = true;
        return a.option("--root", options.root) || config_option(a, options.common);
    };
    return a.parse(accept) ? load(options) : kExitUsage;
}

int run_save(Arguments a) {
    CommonOptions options;
    return a.parse([&] { return config_option(a, options); }) ? save(options) : kExitUsage;
}

int run_setup(Arguments a) {
    SetupOptions options;
    auto accept = [&] {
        if (a.flag("--dry-run")) return options.dry_run = true;
        return a.option("--store", options.store) || config_option(a, options.common);
    };
    return a.parse(accept) ? setup(options) : kExitUsage;
}

int run_status(Arguments a) {
    StatusOptions options;
    auto accept = [&] {
        if (a.flag("--json")) return options.json = true;
        return config_option(a, options.common);
    };
    return a.parse(accept) ? show_status(options) : kExitUsage;
}

int run_wait(Arguments a) {
    WaitOptions options;
    std::uint64_t seconds = 0;
    auto accept = [&] {
        if (!a.option("--timeout", seconds)) return false;
        options.timeout_s = seconds;
        return true;
    };
    return a.parse(accept) ? wait(options) : kExitUsage;
}

int run_add(Arguments a) {
    AddOptions options;
    auto accept = [&] { return a.option("--credit", options.credit_bits) || a.operand(options.file); };
    return a.parse(accept) ? add(options) : kExitUsage;
}

int run_forget(Arguments a) {
    CommonOptions options;
    return a.parse([&] { return config_option(a, options); }) ? forget(options) : kExitUsage;
}

struct Command {
    std::string_view name;
    int (*run)(Arguments arguments);
};

constexpr Command kCommands[] = {
    {"load", run_load}, {"save", run_save}, {"setup", run_setup},   {"status", run_status},
    {"wait", run_wait}, {"add", run_add},   {"forget", run_forget},
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
        if (command.name == name) return command.run(Arguments(words.subspan(1)));
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

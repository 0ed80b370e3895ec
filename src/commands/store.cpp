// SPDX-License-Identifier: MIT
// Plain lines and no quoted assignments: a script reads them with `read -r`, so that nothing that stands in the
// configuration is ever run. No value contains a line end, since parse_store() refuses it.
#include "commands/store.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

const Command kStoreCommand{
    "store", "[--no-command-line]", "print which store is configured, for shell scripts", [](std::span<char*> words) {
        StoreOptions options;
        const Option table[] = {{"--config"sv, options.config_path}, {"--no-command-line"sv, options.no_command_line}};
        return parse_options(words, table) ? print_store(options) : kExitUsage;
    }};

int print_store(const StoreOptions& options) {
    const Log log("store", Log::Audience::person);
    Config config;
    if (options.no_command_line) {
        read_config_file(options.config_path, log, config);
    } else {
        config = read_config(options.config_path, log);
    }
    const StoreSpec& store = config.store;
    print_line(Line("KIND=").add(store.kind == StoreSpec::Kind::partition ? "partition"
                                 : store.kind == StoreSpec::Kind::file_on ? "file"
                                                                          : "root"));
    print_line(Line("STORE=").add(store.text));
    print_line(Line("DEVICE=").add(store.tag, store.tag.empty() ? "" : "=", store.device));
    print_line(Line("FILE=").add(store.path));
    return kExitDone;
}

}  // namespace earlyseed

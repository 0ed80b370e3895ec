# SPDX-License-Identifier: MIT
# Completion of earlyseed's command line in fish.

complete -c earlyseed -f

complete -c earlyseed -n __fish_use_subcommand -s h -l help -d 'Print a summary of the commands'
complete -c earlyseed -n __fish_use_subcommand -l version -d 'Print the version'
complete -c earlyseed -n __fish_use_subcommand -a load -d 'Feed the kernel and rotate the seed'
complete -c earlyseed -n __fish_use_subcommand -a save -d 'Write the seed for the next boot'
complete -c earlyseed -n __fish_use_subcommand -a setup -d 'Choose or create the store and write the configuration'
complete -c earlyseed -n __fish_use_subcommand -a status -d 'Is the generator ready, thanks to what, and what to do'
complete -c earlyseed -n __fish_use_subcommand -a wait -d 'Return when the generator is ready'
complete -c earlyseed -n __fish_use_subcommand -a add -d 'Mix bytes from elsewhere'
complete -c earlyseed -n __fish_use_subcommand -a forget -d 'Wipe the store, before an image is made'
complete -c earlyseed -n __fish_use_subcommand -a record -d 'Raw jitter samples'
complete -c earlyseed -n __fish_use_subcommand -a store -d 'Print which store is configured'
complete -c earlyseed -n __fish_use_subcommand -a help -d 'Print a summary of the commands'

complete -c earlyseed -n '__fish_seen_subcommand_from load save setup status forget store' -l config -rF -d 'Read this configuration'
complete -c earlyseed -n '__fish_seen_subcommand_from load' -l early -d 'Mount nothing'
complete -c earlyseed -n '__fish_seen_subcommand_from load' -l root -xa '(__fish_complete_directories)' -d 'Where the root is mounted'
complete -c earlyseed -n '__fish_seen_subcommand_from setup' -l store -rFa PARTLABEL=earlyseed -d 'Use this store'
complete -c earlyseed -n '__fish_seen_subcommand_from setup' -l image -d 'For other machines to run: without a seed'
complete -c earlyseed -n '__fish_seen_subcommand_from setup' -l dry-run -d 'Do nothing'
complete -c earlyseed -n '__fish_seen_subcommand_from status' -l json -d 'One JSON object'
complete -c earlyseed -n '__fish_seen_subcommand_from wait' -l timeout -x -d 'Give up after this many seconds'
complete -c earlyseed -n '__fish_seen_subcommand_from add' -l credit -x -d 'Credit as many bits'
complete -c earlyseed -n '__fish_seen_subcommand_from record' -l samples -x -d 'How many'
complete -c earlyseed -n '__fish_seen_subcommand_from record' -l format -xa 'text bytes words' -d 'How they are written'
complete -c earlyseed -n '__fish_seen_subcommand_from record' -l judge -d 'What the tests say of such a text'
complete -c earlyseed -n '__fish_seen_subcommand_from store' -l no-command-line -d 'Ignore the kernel command line'
complete -c earlyseed -n '__fish_seen_subcommand_from add record' -F

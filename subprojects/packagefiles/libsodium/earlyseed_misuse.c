/* SPDX-License-Identifier: MIT
 * libsodium calls this on arguments that break its contract. The original is in core.c with sodium_init(), which must
 * not be linked in. */
void sodium_misuse(void);
void sodium_misuse(void) { __builtin_trap(); }

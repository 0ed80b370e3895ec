# SPDX-License-Identifier: MIT
"""What the product must be, whatever the toolchain: static, small, hardened, without a heap, and without a way to
libsodium's random source, which waits for the pool that earlyseed is there to fill (P4).

Each check is a function that returns what is wrong. It is run on the product, where that is nothing, and on something
bad, made on the spot with the product's own compiler flags, where it is not: a check that cannot fail checks nothing.
Symbols are read from the objects and the linked program, all else from the file that README's own line installs.
"""

import functools
import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("EARLYSEED_BUILD", REPOSITORY / "build"))
PRODUCT = BUILD / "earlyseed"
SIZE_LIMIT_BYTES = 96 * 1024  # as installed, on x86-64: it is in every initrd
GZIP_LIMIT_BYTES = 47 * 1024  # the same as gzip -9 makes it: initrds are compressed; 44 is the goal (docs/decisions.md)

HEAP = (r"(malloc|calloc|realloc|reallocarray|free|aligned_alloc|posix_memalign|memalign|strdup|strndup"
        r"|_Zn[wa]\w+|_Zd[la]\w+)")
CXX_RUNTIME = r"(__cxa_\w+|__gxx_\w+|_Unwind_\w+|__dynamic_cast|_ZTVN10__cxxabiv1\w+|_ZSt\w+|_ZNS[ast]\w+)"
SODIUM_RANDOM = r"(sodium_init|sodium_malloc|randombytes\w*|crypto_generichash_\w*keygen)"


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def machine(path):
    return re.findall(r"Machine: +(.+)", output("readelf", "--file-header", path))[0]


def is_x86_64(path):
    return machine(path) == "Advanced Micro Devices X86-64"


# --- the checks ------------------------------------------------------------------------------------------------------


def symbols(path, defined):
    """Names in the symbol table that are defined (True) or only referred to (False)."""
    rows = (line.split() for line in output("readelf", "--symbols", "--wide", path).splitlines())
    return {row[7].split("@")[0] for row in rows
            if len(row) > 7 and row[0].rstrip(":").isdigit() and (row[6] != "UND") == defined}


def matching(names, pattern):
    return sorted(name for name in names if re.fullmatch(pattern, name))


def refers_to_heap(path):
    return matching(symbols(path, defined=False), HEAP)


def refers_to_cxx_runtime(path):
    return matching(symbols(path, defined=False), CXX_RUNTIME)


def refers_to_sodium_random(path):
    return matching(symbols(path, defined=False), SODIUM_RANDOM)


def constructs_globals(path):
    return re.findall(r"\s(\.(?:pre)?init_array\S*|\.fini_array\S*|\.[cd]tors\S*)\s",
                      output("readelf", "--section-headers", "--wide", path))


def contains_heap(path):
    return matching(symbols(path, defined=True), HEAP)


def contains_sodium_random(path):
    return matching(symbols(path, defined=True), SODIUM_RANDOM)


def is_not_static(path):
    """An interpreter, a shared library, a symbol that is looked up at run time."""
    return (re.findall(r"^ *(INTERP)\b", output("readelf", "--program-headers", "--wide", path), re.MULTILINE)
            + re.findall(r"\((NEEDED)\)", output("readelf", "--dynamic", "--wide", path))
            + matching(symbols(path, defined=False), r".+"))


def has_unresolved_relocations(path):
    """Any but those that only add the program's address: musl's start code leaves the others as they are."""
    kinds = re.findall(r"^\w+ +\w+ (R_\w+)", output("readelf", "--relocs", "--wide", path), re.MULTILINE)
    return [kind for kind in kinds if not kind.endswith("_RELATIVE")]


def contains_glibc(path):
    return re.findall(rb"[ -~]*GLIBC[ -~]*", path.read_bytes())


# How control flow is protected: what each object says in its .note.gnu.property, and the option to do without it. The
# linked program says nothing, because musl's objects have no such note, and then the linker drops it. So the landing
# pads are there, but no kernel enforces them; on aarch64, return addresses are signed all the same.
CONTROL_FLOW = {
    "Advanced Micro Devices X86-64": (("IBT", "SHSTK"), "-fcf-protection=none"),
    "Intel 80386": (("IBT", "SHSTK"), "-fcf-protection=none"),
    "AArch64": (("BTI", "PAC"), "-mbranch-protection=none"),
}


def lacks_control_flow_protection(path):
    wanted, _ = CONTROL_FLOW[machine(path)]
    found = re.findall(r"\w+", "".join(re.findall(r"feature: (.+)", output("readelf", "--notes", path))))
    return [f"{path.name} has no {feature}" for feature in wanted if feature not in found]


def lacks_stack_protector(*objects):
    """No function has a canary, though some have buffers."""
    named = set().union(*(symbols(path, defined=False) for path in objects))
    return [] if matching(named, r"__stack_chk_fail(_local)?") else ["no reference to __stack_chk_fail"]


def dynamic(path):
    return output("readelf", "--dynamic", "--wide", path)


def segments(path):
    """(type, offset, address, size in the file, size in memory, flags) of each."""
    return [(kind, *(int(number, 16) for number in (offset, address, in_file, in_memory)), flags.replace(" ", ""))
            for kind, offset, address, in_file, in_memory, flags in re.findall(
                r"^ *(\w+) +0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) 0x(\w+) ([R ][W ][E ])",
                output("readelf", "--program-headers", "--wide", path), re.MULTILINE)]


def sections(path):
    """(name, type, address, offset, size, flags) of each that is in memory."""
    return [(name, kind, int(address, 16), int(offset, 16), int(size, 16), flags)
            for name, kind, address, offset, size, flags in re.findall(
                r"^ *\[ *\d+\] (\S+) +(\w+) +(\w+) (\w+) (\w+) \w\w +([A-Zo]*A[A-Zo]*) ",
                output("readelf", "--section-headers", "--wide", path), re.MULTILINE)]


def is_not_position_independent(path):
    wrong = [] if re.search(r"Flags:.* PIE\b", dynamic(path)) else ["not a PIE"]
    return wrong + re.findall("TEXTREL", dynamic(path))


def has_bad_segments(path):
    """Memory or a stack that can be written and executed; anything but code in pages that can be executed."""
    page = 0x1000
    wrong = [f"{kind} can be written and executed" for kind, *_, flags in segments(path)
             if "W" in flags and "E" in flags]
    if not any(kind == "GNU_STACK" for kind, *_ in segments(path)):
        wrong.append("the stack may be executable (no GNU_STACK)")
    for kind, start, _, size, _, flags in segments(path):
        if kind == "LOAD" and "E" in flags:
            first, last = start // page, (start + size - 1) // page
            wrong += [f"{name} can be executed" for name, kind, _, offset, size, flags in sections(path)
                      if "X" not in flags and kind != "NOBITS" and size
                      and offset // page <= last and (offset + size - 1) // page >= first]
    return wrong


def is_not_relro(path):
    """Addresses that can be written after the start: a table outside GNU_RELRO, symbols bound later than that."""
    wrong = [] if re.search(r"\bBIND_NOW\b", dynamic(path)) else ["not bound at the start"]
    protected = [(start, start + size) for kind, _, start, _, size, _ in segments(path) if kind == "GNU_RELRO"]
    return wrong + [f"{name} stays writable" for name, _, address, _, size, flags in sections(path)
                    if re.fullmatch(r"\.data\.rel\.ro.*|\.dynamic|\.got.*|\.(init|fini)_array", name) and "W" in flags
                    and not any(start <= address and address + size <= end for start, end in protected)]


def sizes(path):
    """In bytes: as it is, and as gzip -9 makes it."""
    with path.open("rb") as file:
        compressed = subprocess.run(["gzip", "-9"], stdin=file, stdout=subprocess.PIPE, check=True).stdout
    return path.stat().st_size, len(compressed)


def is_too_big(path):
    return [f"{size} bytes of {limit}" for size, limit in zip(sizes(path), (SIZE_LIMIT_BYTES, GZIP_LIMIT_BYTES))
            if size > limit]


# --- the product, and how it is made ---------------------------------------------------------------------------------


class Toolchain:
    """The product's own commands, as ninja knows them: what is bad must be caught under these very flags."""

    def __init__(self):
        commands = output("ninja", "-C", BUILD, "-t", "commands", "earlyseed").splitlines()
        self.compile_main = next(line for line in commands if line.endswith("src/main.cpp"))
        self.link_product = next(line for line in commands if " -o earlyseed " in line)
        self.compiler = shlex.split(self.link_product.split(" -o ")[0])

    def compile(self, folder, text, *more):
        """An object file of `text`, compiled as the product's files are."""
        source, made = folder / "bad.cpp", folder / "bad.o"
        source.write_text(text)
        words = shlex.split(self.compile_main)
        for option, value in (("-o", made), ("-c", source), ("-MF", folder / "bad.d"), ("-MQ", made)):
            words[words.index(option) + 1] = str(value)
        subprocess.run([*words, "-w", *more], cwd=BUILD, check=True)
        return made

    def link(self, folder, text, *more):
        """The product with a main() of `text`, compiled and linked as the product is but for the options in `more`."""
        made = folder / "bad"
        words = shlex.split(self.link_product)
        words[words.index("-o") + 1] = str(made)
        main = next(i for i, word in enumerate(words) if word.endswith("src_main.cpp.o"))
        words[main] = str(self.compile(folder, text, *more))
        subprocess.run([*words, *more], cwd=BUILD, check=True)
        return made

    def ordinary(self, folder, text, *options):
        """A program as the compiler makes it for this system, with its own C library."""
        source, made = folder / "bad.cpp", folder / "bad"
        source.write_text(text)
        subprocess.run([*self.compiler, *options, "-o", made, source], check=True)
        return made


@functools.cache
def toolchain():
    return Toolchain()


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The program as README's line, word for word, installs it; in a DESTDIR, and from this build."""
    line, = re.findall(r"^meson install [^#\n]*", (REPOSITORY / "README.md").read_text(), re.MULTILINE)
    folder = tmp_path_factory.mktemp("install")
    (folder / "build").symlink_to(BUILD.resolve(strict=True))
    subprocess.run(["sh", "-c", line], cwd=folder, env={**os.environ, "DESTDIR": str(folder / "root")}, check=True,
                   stdout=subprocess.DEVNULL)
    program, = (path for path in (folder / "root").rglob("earlyseed")
                if path.is_file() and path.read_bytes().startswith(b"\x7fELF"))
    return program


def own_objects():
    objects = sorted((BUILD / "earlyseed.p").glob("src_*.o"))
    defined = set().union(*(symbols(path, defined=True) for path in objects))
    assert "main" in defined, "the objects' symbols cannot be read (link-time optimisation?)"
    return objects


OBJECT_CHECKS = [refers_to_heap, refers_to_cxx_runtime, refers_to_sodium_random, constructs_globals]
LINKED_CHECKS = [contains_heap, contains_sodium_random]
INSTALLED_CHECKS = [constructs_globals, is_not_static, contains_glibc, is_not_position_independent, is_not_relro,
                    has_bad_segments, has_unresolved_relocations]


@pytest.mark.parametrize("check", OBJECT_CHECKS)
def test_own_objects(check):
    assert {path.name: wrong for path in own_objects() if (wrong := check(path))} == {}


def test_control_flow_is_protected():
    """Of libsodium's objects too."""
    if machine(PRODUCT) not in CONTROL_FLOW:
        pytest.skip(f"GCC has no control-flow protection for {machine(PRODUCT)}")
    objects = list((BUILD / "earlyseed.p").glob("*.o"))
    assert len(objects) > len(own_objects())
    assert sum(map(lacks_control_flow_protection, objects), []) == []


def test_the_stack_is_protected():
    assert lacks_stack_protector(*own_objects()) == []


@pytest.mark.parametrize("check", LINKED_CHECKS)
def test_linked(check):
    assert check(PRODUCT) == []


@pytest.mark.parametrize("check", INSTALLED_CHECKS)
def test_installed(check, installed):
    assert check(installed) == []


def test_installed_size(installed, record_property):
    record_property("bytes, as installed and as gzip -9 makes it", sizes(installed))
    if not is_x86_64(installed):
        pytest.skip("the limit is for x86-64")
    assert is_too_big(installed) == []


def test_installed_runs(installed):
    """The start file, the relocations and main() work: it prints the version that Meson knows."""
    version = re.findall(r"version: '(.+)'", (REPOSITORY / "meson.build").read_text())[0]
    assert run(installed, "--version") == (0, f"earlyseed {version}\n")


def run(program, *arguments):
    try:
        done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except OSError as error:
        pytest.skip(f"built for another machine: {error}")
    return done.returncode, done.stdout


# Changes byte AT of 8, behind which the canary is; exit status 1 if that was never set.
OVERFLOW = """[[gnu::noinline]] int overflow() {
    char buffer[8] = {};
    volatile char* volatile start = buffer;
    int canary = 0;
    for (unsigned i = 0; i < sizeof(void*); i++) canary |= start[sizeof buffer + i];
    start[AT] = char(start[AT] ^ 1);
    return canary == 0;
}
int main() { return overflow(); }
"""


def test_an_overflow_ends_the_program(tmp_path):
    """musl has set the canary up before main(), and a wrong one is a trap."""
    assert run(toolchain().link(tmp_path, OVERFLOW, "-DAT=7")) == (0, "")
    status, _ = run(toolchain().link(tmp_path, OVERFLOW, "-DAT=8"))
    assert status in (-signal.SIGSEGV, -signal.SIGILL, -signal.SIGTRAP)


# Writes to a table that the start has relocated.
RELOCATED = """namespace earlyseed::kernel { void harden(); }
[[gnu::section(".data.rel.ro")]] const volatile void* volatile table = &table;
int main() {
    if (HARDEN) earlyseed::kernel::harden();
    table = nullptr;
    return 0;
}
"""


def test_relocated_tables_cannot_be_written(tmp_path):
    """What musl leaves undone, and kernel::harden() does."""
    assert run(toolchain().link(tmp_path, RELOCATED, "-DHARDEN=0")) == (0, "")
    assert run(toolchain().link(tmp_path, RELOCATED, "-DHARDEN=1")) == (-signal.SIGSEGV, "")


# --- each check catches what it is for -------------------------------------------------------------------------------

MAIN = "int main() { return 0; }\n"
BAD_OBJECTS = {
    "new": (refers_to_heap, "int* f() { return new int; }"),
    "delete": (refers_to_heap, "void f(int* p) { delete p; }"),
    "malloc": (refers_to_heap, "#include <stdlib.h>\nvoid* f() { return malloc(7); }"),
    "free": (refers_to_heap, "#include <stdlib.h>\nvoid f(void* p) { free(p); }"),
    "virtual destructor": (refers_to_heap, "struct S { virtual ~S(); }; S::~S() {}"),
    "pure virtual": (refers_to_cxx_runtime, "struct S { virtual void f() = 0; S(); }; S::S() {}"),
    "static destructor": (refers_to_cxx_runtime, "struct S { ~S(); }; void f() { static S s; }"),
    "array::at": (refers_to_cxx_runtime,
                  "#include <array>\nint f(std::array<int, 3>& a, unsigned i) { return a.at(i); }"),
    "sodium_init": (refers_to_sodium_random, "#include <sodium/core.h>\nint f() { return sodium_init(); }"),
    "randombytes_buf": (refers_to_sodium_random,
                        "#include <sodium/randombytes.h>\nvoid f(void* p) { randombytes_buf(p, 8); }"),
    "keygen": (refers_to_sodium_random,
               "#include <sodium/crypto_generichash.h>\nvoid f(unsigned char* p) { crypto_generichash_keygen(p); }"),
    "global constructor": (constructs_globals, "int g(); int value = g();"),
}


@pytest.mark.parametrize("name", BAD_OBJECTS)
def test_bad_object_is_caught(name, tmp_path):
    check, text = BAD_OBJECTS[name]
    assert check(toolchain().compile(tmp_path, text)) != []


def test_objects_without_protection_are_caught(tmp_path):
    made = toolchain().compile(tmp_path, OVERFLOW, "-DAT=8", "-fno-stack-protector")
    assert lacks_stack_protector(made) != []
    if machine(made) in CONTROL_FLOW:
        _, without = CONTROL_FLOW[machine(made)]
        made = toolchain().compile(tmp_path, MAIN, without)
        assert lacks_control_flow_protection(made) != []


BAD_PRODUCTS = {
    "heap through the C library": (contains_heap,
                                   "#include <dirent.h>\nint main() { return opendir(\"/\") == nullptr; }", ()),
    "sodium_malloc": (contains_sodium_random,
                      "#include <sodium/utils.h>\nextern \"C\" void randombytes_buf(void*, size_t) {}\n"
                      "int main() { return sodium_malloc(8) == nullptr; }", ()),
    "global constructor": (constructs_globals,
                           "#include <unistd.h>\nint value = getpid();\nint main() { return value; }", ()),
    "executable stack": (has_bad_segments, MAIN, ("-Wl,-z,execstack",)),
    "code that can be written": (has_bad_segments, MAIN, ("-Wl,--omagic",)),
    "constants beside the code": (has_bad_segments, MAIN, ("-Wl,-z,noseparate-code",)),
    "no RELRO": (is_not_relro, MAIN, ("-Wl,-z,norelro",)),
    "bound when used": (is_not_relro, MAIN, ("-Wl,-z,lazy",)),
    "too big": (is_too_big, f"char big[{SIZE_LIMIT_BYTES}] = {{1}};\nint main(int i, char**) {{ return big[i]; }}",
                ("-Wl,--strip-all",)),
}


@pytest.mark.parametrize("name", BAD_PRODUCTS)
def test_bad_product_is_caught(name, tmp_path):
    check, text, options = BAD_PRODUCTS[name]
    assert check(toolchain().link(tmp_path, text, *options)) != []


# As the compiler makes them for this system, with its own C library.
BAD_PROGRAMS = {
    "shared library": (is_not_static, ()),
    "a symbol that is looked up": (has_unresolved_relocations, ()),
    "glibc": (contains_glibc, ("-static",)),
    "at a fixed address": (is_not_position_independent, ("-static", "-no-pie")),
}


@pytest.mark.parametrize("name", BAD_PROGRAMS)
def test_bad_program_is_caught(name, tmp_path):
    check, options = BAD_PROGRAMS[name]
    assert check(toolchain().ordinary(tmp_path, MAIN, *options)) != []


def test_a_program_with_its_symbols_is_too_big():
    """What README's line would install without --strip."""
    assert is_too_big(PRODUCT) != []


def test_random_source_does_not_link(tmp_path):
    """The link itself refuses what would reach libsodium's random source: those files are not built."""
    with pytest.raises(subprocess.CalledProcessError):
        toolchain().link(tmp_path, "#include <sodium/randombytes.h>\nint main() { return int(randombytes_random()); }")

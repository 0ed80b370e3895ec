# SPDX-License-Identifier: MIT
"""What the linked product must be, whatever the toolchain: static, small, hardened, without a heap, and without a way
to libsodium's random source, which waits for the pool that earlyseed is there to fill (P4).

Each check is a function that returns what is wrong. It is run on the product, where that is nothing, and on something
bad, made on the spot with the product's own compiler flags, where it is not: a check that cannot fail checks nothing.
"""

import functools
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("EARLYSEED_BUILD", REPOSITORY / "build"))
PRODUCT = BUILD / "earlyseed"
SIZE_LIMIT_BYTES = 64 * 1024  # stripped, on x86-64: it is in every initrd

HEAP = (r"(malloc|calloc|realloc|reallocarray|free|aligned_alloc|posix_memalign|memalign|strdup|strndup"
        r"|_Zn[wa]\w+|_Zd[la]\w+)")
CXX_RUNTIME = r"(__cxa_\w+|__gxx_\w+|_Unwind_\w+|__dynamic_cast|_ZTVN10__cxxabiv1\w+|_ZSt\w+|_ZNS[ast]\w+)"
SODIUM_RANDOM = r"(sodium_init|sodium_malloc|randombytes\w*|crypto_generichash_\w*keygen)"


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def is_x86_64(path):
    return "X86-64" in output("readelf", "--file-header", path)


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


def contains_glibc(path):
    return re.findall(rb"[ -~]*GLIBC[ -~]*", stripped(path).read_bytes())


def is_not_hardened(path):
    """A segment or a stack that can be written and executed, a table of addresses that stays writable.

    musl makes no RELRO segment of a static program read-only, so on x86-64 there must be nothing that would need it.
    On aarch64 musl's libc.a has a small GOT, which stays writable.
    """
    segments = output("readelf", "--program-headers", "--wide", path)
    wrong = [f"{kind} can be written and executed"
             for kind, flags in re.findall(r"^ *(\w+)(?: +0x\w+){5} ([R ][W ][E ])", segments, re.MULTILINE)
             if "W" in flags and "E" in flags]
    if not re.search(r"^ *GNU_STACK ", segments, re.MULTILINE):
        wrong.append("the stack may be executable (no GNU_STACK)")
    tables = r"\.data\.rel\.ro\S*" + (r"|\.got\S*" if is_x86_64(path) else "")
    wrong += re.findall(rf" ({tables}) ", output("readelf", "--section-headers", "--wide", path))
    if "TEXTREL" in output("readelf", "--dynamic", "--wide", path):
        wrong.append("relocations in the code")
    return wrong


def is_too_big(path):
    size = stripped(path).stat().st_size
    return [f"{size} bytes"] if size > SIZE_LIMIT_BYTES else []


# --- the product, and how it is made ---------------------------------------------------------------------------------


class Toolchain:
    """The product's own commands, as ninja knows them: what is bad must be caught under these very flags."""

    def __init__(self):
        commands = output("ninja", "-C", BUILD, "-t", "commands", "earlyseed").splitlines()
        self.compile_main = next(line for line in commands if line.endswith("src/main.cpp"))
        self.link_product = next(line for line in commands if " -o earlyseed " in line)
        self.compiler = shlex.split(self.link_product.split(" -o ")[0])

    def compile(self, folder, text):
        """An object file of `text`, compiled as the product's files are."""
        source, made = folder / "bad.cpp", folder / "bad.o"
        source.write_text(text)
        words = shlex.split(self.compile_main)
        for option, value in (("-o", made), ("-c", source), ("-MF", folder / "bad.d"), ("-MQ", made)):
            words[words.index(option) + 1] = str(value)
        subprocess.run([*words, "-w"], cwd=BUILD, check=True)
        return made

    def link(self, folder, text, *more):
        """The product with a main() of `text`, linked as the product is but for the options in `more`."""
        made = folder / "bad"
        words = shlex.split(self.link_product)
        words[words.index("-o") + 1] = str(made)
        main = next(i for i, word in enumerate(words) if word.endswith("src_main.cpp.o"))
        words[main] = str(self.compile(folder, text))
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


def stripped(path):
    """What is installed: the file without its debug information."""
    made = Path(f"{path}.stripped")
    strip = output(*toolchain().compiler, "-print-prog-name=strip").strip()
    output(strip, "--remove-section=.comment", "-o", made, path)  # as dh_strip does
    return made


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    """A link in a folder of our own, so that nothing is written next to the product."""
    link = tmp_path_factory.mktemp("product") / "earlyseed"
    link.symlink_to(PRODUCT.resolve(strict=True))
    return link


def own_objects():
    objects = sorted((BUILD / "earlyseed.p").glob("src_*.o"))
    defined = set().union(*(symbols(path, defined=True) for path in objects))
    assert "main" in defined, "the objects' symbols cannot be read (link-time optimisation?)"
    return objects


OBJECT_CHECKS = [refers_to_heap, refers_to_cxx_runtime, refers_to_sodium_random, constructs_globals]
PRODUCT_CHECKS = [contains_heap, contains_sodium_random, constructs_globals, is_not_static, contains_glibc,
                  is_not_hardened, is_too_big]


@pytest.mark.parametrize("check", OBJECT_CHECKS)
def test_own_objects(check):
    assert {path.name: wrong for path in own_objects() if (wrong := check(path))} == {}


@pytest.mark.parametrize("check", PRODUCT_CHECKS)
def test_product(check, product, record_property):
    if check is is_too_big:
        record_property("bytes, stripped", stripped(product).stat().st_size)
        if not is_x86_64(product):
            pytest.skip("the limit is for x86-64")
    assert check(product) == []


def test_product_runs(product):
    """The start file, the relocations and main() work: it prints the version that Meson knows."""
    version = re.search(r"version: '(.+)'", (REPOSITORY / "meson.build").read_text()).group(1)
    try:
        done = subprocess.run([product, "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except OSError as error:
        pytest.skip(f"built for another machine: {error}")
    assert (done.returncode, done.stdout) == (0, f"earlyseed {version}\n")


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


BAD_PRODUCTS = {
    "heap through the C library": (contains_heap,
                                   "#include <dirent.h>\nint main() { return opendir(\"/\") == nullptr; }", ()),
    "sodium_malloc": (contains_sodium_random,
                      "#include <sodium/utils.h>\nextern \"C\" void randombytes_buf(void*, size_t) {}\n"
                      "int main() { return sodium_malloc(8) == nullptr; }", ()),
    "global constructor": (constructs_globals,
                           "#include <unistd.h>\nint value = getpid();\nint main() { return value; }", ()),
    "shared library": (is_not_static, MAIN, None),
    "static, but with glibc": (contains_glibc, MAIN, ("-static",)),
    "executable stack": (is_not_hardened, MAIN, ("-Wl,-z,execstack",)),
    "table of addresses that can be written": (
        is_not_hardened, "[[gnu::section(\".data.rel.ro\")]] const volatile void* volatile table = &table;\n"
        "int main() { return table == nullptr; }", ()),
    "code that can be written": (is_not_hardened, MAIN, ("-Wl,--omagic",)),
    "too big": (is_too_big, f"char big[{SIZE_LIMIT_BYTES}] = {{1}};\nint main(int i, char**) {{ return big[i]; }}", ()),
}


@pytest.mark.parametrize("name", BAD_PRODUCTS)
def test_bad_product_is_caught(name, tmp_path):
    check, text, options = BAD_PRODUCTS[name]
    made = (toolchain().ordinary(tmp_path, text, *(options or ())) if "glibc" in name or options is None
            else toolchain().link(tmp_path, text, *options))
    assert check(made) != []


def test_random_source_does_not_link(tmp_path):
    """The link itself refuses what would reach libsodium's random source: those files are not built."""
    with pytest.raises(subprocess.CalledProcessError):
        toolchain().link(tmp_path, "#include <sodium/randombytes.h>\nint main() { return int(randombytes_random()); }")

"""What the compiler and the linker were to do for the daemon, read from the program itself."""
import platform
import re
import subprocess

import pytest

from lib import BINARY, environment


def tool(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          env=environment()).stdout


@pytest.fixture(scope="module", name="segments")
def fixture_segments():
    """Flags by type, as `readelf -l` has them."""
    found = re.findall(r"^  ([A-Z_]+) +0x\S+ 0x\S+ 0x\S+ 0x\S+ 0x\S+ (R?) ?(W?) ?(E?)",
                       tool("readelf", "-lW", BINARY), re.MULTILINE)
    assert found
    return [(kind, "".join(flags)) for kind, *flags in found]


@pytest.fixture(scope="module", name="imports")
def fixture_imports():
    found = re.findall(r" U (\w+)", tool("nm", "-D", BINARY))
    assert found
    return set(found)


@pytest.fixture(scope="module", name="dynamic")
def fixture_dynamic():
    return tool("readelf", "-dW", BINARY)


def test_it_is_loaded_anywhere(dynamic):
    assert re.search(r"Type: +DYN", tool("readelf", "-hW", BINARY))
    assert re.search(r"\(FLAGS_1\).*\bPIE\b", dynamic)


def test_what_is_linked_is_bound_at_start_and_then_read_only(dynamic, segments):
    assert "GNU_RELRO" in dict(segments)
    assert re.search(r"\(FLAGS_1\).*\bNOW\b", dynamic)


def test_nothing_is_written_to_and_executed(segments, dynamic):
    assert not [segment for segment in segments if {"W", "E"} <= set(segment[1])]
    assert dict(segments)["GNU_STACK"] == "RW"
    assert "TEXTREL" not in dynamic


def test_code_is_alone_in_its_pages(segments):
    loaded = [flags for kind, flags in segments if kind == "LOAD"]
    assert loaded[0] == "R" and loaded.count("RE") == 1, loaded


def test_libraries_come_from_where_the_machine_has_them(dynamic):
    assert not re.search(r"\((RPATH|RUNPATH)\)", dynamic)


def test_the_stack_and_buffers_are_guarded(imports):
    assert "__stack_chk_fail" in imports
    if "__asan_init" in imports:
        pytest.skip("a sanitizer guards buffers in this build")
    checked = {name for name in imports if re.fullmatch(r"__\w+_chk", name)}
    assert {"__memcpy_chk", "__snprintf_chk"} <= checked, checked


def test_branches_lead_to_marked_places_alone():
    marks = {"x86_64": r"\bendbr64\b", "aarch64": r"\b(bti\s+c|paciasp)\b"}
    mark = marks.get(platform.machine()) or pytest.skip("this processor has no such thing")
    code = tool("objdump", "-d", "--no-show-raw-insn", "--disassemble=main", BINARY)
    first = re.search(r"<main>:\n +[0-9a-f]+:\s+(.*)", code)
    assert re.search(mark, first[1]), code

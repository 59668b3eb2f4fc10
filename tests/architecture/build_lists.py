"""Every source and every test is in a CMake list, so that no test can be forgotten there and rot in sight."""
import re
import unittest
from pathlib import PurePosixPath

import tree


def unrolled(text):
    """`text` with each innermost foreach(NAME words...) written out once a word; other forms of foreach stay."""
    def write_out(loop):
        name, words, body = loop.groups()
        return "".join(body.replace("${%s}" % name, word) for word in words.split())

    loop = r"\bforeach\s*\(\s*(\w+)(?!\s+(?:IN|RANGE)\b)((?:\s+[\w.-]+)+)\s*\)((?:(?!foreach).)*)endforeach\s*\(\s*\)"
    return re.sub(loop, write_out, text, flags=re.DOTALL)


def named_files(folder, cmake_text):
    """The files that a CMakeLists.txt in `folder` (relative to the root) names, relative to the root."""
    text = unrolled(re.sub(r"#.*", "", cmake_text))
    text = text.replace("${CMAKE_CURRENT_SOURCE_DIR}/", "").replace("${CMAKE_CURRENT_LIST_DIR}/", "")
    found = set()
    for word in re.findall(r"[^\s()\";]+\.(?:cpp|cc|c|cu|py)\b", text):
        root_relative = re.match(r"\$\{(?:PROJECT|CMAKE)_SOURCE_DIR\}/(.*)", word)
        path = PurePosixPath(root_relative.group(1)) if root_relative else folder / word
        parts = []
        for part in path.parts:
            if part == "..":
                parts.pop()
            elif part != ".":
                parts.append(part)
        found.add("/".join(parts))
    return found


def unlisted(files, lists):
    """Those of `files` (relative to the root) that none of `lists` ({folder: text of its CMakeLists.txt}) names."""
    named = set()
    for folder, text in lists.items():
        named |= named_files(PurePosixPath(folder), text)
    return sorted(set(files) - named)


class BuildLists(unittest.TestCase):
    def test_every_source_and_test_is_in_a_list(self):
        files = tree.source_files("src", "tools", "tests", "benchmarks", suffixes=(".cpp", ".cc", ".c", ".cu"))
        # tests/consumer/project is built from the installed tree; its list is read like any other.
        files += [path for path in tree.source_files("tests/architecture", suffixes=(".py",)) if path.name != "tree.py"]
        names = [path.relative_to(tree.ROOT).as_posix() for path in files]
        lists = {}
        for folder in ("src", "tools", "tests", "benchmarks"):
            for path in (tree.ROOT / folder).rglob("CMakeLists.txt"):
                lists[path.parent.relative_to(tree.ROOT).as_posix()] = path.read_text(encoding="utf-8")

        missing = unlisted(names, lists)

        self.assertGreater(len(names), 0, "found no source file: is this the root of the repository?")
        self.assertEqual(missing, [], "\nin no CMakeLists.txt, so never built:\n" + "\n".join(missing))

    def test_a_file_outside_every_list_is_seen(self):
        lists = {"tests/base": "espalier_add_test(base SOURCES a.cpp # b.cpp\n)"}

        self.assertEqual(unlisted(["tests/base/a.cpp", "tests/base/b.cpp"], lists), ["tests/base/b.cpp"])

    def test_a_file_of_the_same_name_elsewhere_does_not_count(self):
        lists = {"tests/base": "add_executable(x a.cpp)"}

        self.assertEqual(unlisted(["tests/text/a.cpp"], lists), ["tests/text/a.cpp"])

    def test_paths_into_other_folders_are_followed(self):
        lists = {"tests/x": "add_executable(x ../y/a.cpp ${PROJECT_SOURCE_DIR}/tools/b.cpp sub/c.cpp)"}

        self.assertEqual(unlisted(["tests/y/a.cpp", "tools/b.cpp", "tests/x/sub/c.cpp"], lists), [])

    def test_a_loop_names_the_file_of_each_word_and_of_no_other(self):
        lists = {"tests/x": "foreach(topic a b)\n  add_test_of(${topic} SOURCES ${topic}_test.cpp)\nendforeach()"}

        self.assertEqual(unlisted([f"tests/x/{name}_test.cpp" for name in "abc"], lists), ["tests/x/c_test.cpp"])


if __name__ == "__main__":
    tree.main()

"""Writes the Python package as a wheel (a zip file with a list of its files and their sha256), with nothing but the
standard library. The same inputs give the same bytes.

usage: make_wheel.py --version V --platform linux_x86_64 --module FOLDER --libraries FOLDER --licenses FOLDER --out FOLDER

module: the folder of __init__.py. libraries: a lib folder as `cmake --install` lays it down; it goes into the package as it is,
because libespalier.so.1 finds oneDNN by a path from its own place. licenses: ours and those of what is carried along.
Prints the path of the wheel."""
import argparse
import base64
import hashlib
import zipfile
from pathlib import Path

METADATA = """Metadata-Version: 2.1
Name: espalier
Version: {version}
Summary: Runs compressed BERT models from one .espl file
License: Apache-2.0
Requires-Python: >=3.8
Provides-Extra: numpy
Requires-Dist: numpy; extra == "numpy"
"""
# py3-none: ctypes needs no certain Python. The platform is the plain one, no manylinux: libutf8proc, libgomp, libstdc++ and
# libc are those of the system that built it.
WHEEL = """Wheel-Version: 1.0
Generator: espalier
Root-Is-Purelib: false
Tag: {tag}
"""


def package_files(module, libraries):
    """{name in the wheel: bytes}. Of links to a library only the one named as programs look for it."""
    files = {f"espalier/{path.name}": path.read_bytes() for path in module.glob("*.py")}
    for path in libraries.rglob("*.so.*"):
        if path.is_symlink() or not path.name.startswith("libespalier"):
            files[f"espalier/lib/{path.relative_to(libraries).as_posix()}"] = path.read_bytes()
    return files


def record(files, own_name):
    """RECORD: a line for each file with its hash and size; its own has neither."""
    lines = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(content)}\n")
    return "".join(lines) + f"{own_name},,\n"


def main():
    parser = argparse.ArgumentParser()
    for name in ("version", "platform"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("module", "libraries", "licenses", "out"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    given = parser.parse_args()
    tag = f"py3-none-{given.platform}"
    info = f"espalier-{given.version}.dist-info"
    files = dict(sorted(package_files(given.module, given.libraries).items()))
    if not any(name.startswith("espalier/lib/libespalier.so.") for name in files):
        parser.error(f"{given.libraries} holds no libespalier.so.*")
    for path in sorted(given.licenses.rglob("*")):
        if path.is_file():
            files[f"{info}/licenses/{path.relative_to(given.licenses).as_posix()}"] = path.read_bytes()
    files[f"{info}/METADATA"] = METADATA.format(version=given.version).encode()
    files[f"{info}/WHEEL"] = WHEEL.format(tag=tag).encode()
    files[f"{info}/RECORD"] = record(files, f"{info}/RECORD").encode()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"espalier-{given.version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)  # of 1980, its default: no time of this build
            entry.external_attr = (0o755 if ".so." in name else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, content)
    print(path)


main()

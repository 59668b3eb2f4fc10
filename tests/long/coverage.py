"""Which lines of the loaders (format reader, verify, safetensors reader) tests and the inputs of the fuzzers reach.

Usage: coverage.py BUILD FOUND PROGRAM...   BUILD: a folder built with the preset coverage, whose bin/ has the programs;
                                            FOUND: what tests/long/fuzz.py keeps, which need not be there.
Prints each file with its share and the lines that nothing reached. Exits 1 below 95 % in all."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEAST_PERCENT = 95
LOADERS = [*(f"src/format/{name}.cpp" for name in ("checksum", "header_reader", "reader", "scan", "verify", "verify_self_test",
                                                   "verify_tensor")),
           "src/format/data_cursor.hpp", "src/format/refuse.hpp",
           "src/compress/checkpoint/safetensors.cpp", "src/compress/checkpoint/safetensors_header.cpp"]


def inputs_of(program, found):
    """The folders that a replay program replays beside its own seeds."""
    name = program.removeprefix("replay_")
    folders = [ROOT / "tests" / "fuzz" / "corpus" / name, found / name / "corpus"]
    return [folder for folder in folders if folder.is_dir()]


def run_all(build, found, programs, profiles):
    for program in programs:
        arguments, text = [], b""
        if program.startswith("replay_"):
            arguments = inputs_of(program, found)
        elif program == "safetensors_verdict":
            data = os.environ.get("ESPALIER_DATA")
            files = sorted((Path(data) / "hostile" / "safetensors").glob("*.safetensors")) if data else []
            text = "\n".join(map(str, files)).encode()
        subprocess.run([build / "bin" / program, *arguments], check=True, input=text, stdout=subprocess.DEVNULL,
                       env={**os.environ, "LLVM_PROFILE_FILE": str(profiles / f"{program}-%p.profraw")})


def exported(build, programs, profiles):
    """What llvm-cov says of the loaders' files, as it exports it."""
    merged = profiles / "all.profdata"
    subprocess.run(["llvm-profdata", "merge", "-sparse", "-o", merged, *profiles.glob("*.profraw")], check=True)
    objects = [word for program in programs[1:] for word in ("-object", build / "bin" / program)]
    printed = subprocess.run(["llvm-cov", "export", f"-instr-profile={merged}", build / "bin" / programs[0], *objects,
                              *(ROOT / file for file in LOADERS)], check=True, stdout=subprocess.PIPE).stdout
    return {entry["filename"]: entry for entry in json.loads(printed)["data"][0]["files"]}


def unreached(entry):
    """Line numbers that begin a region which was never run."""
    return sorted({line for line, _, count, has_count, is_entry, _ in entry["segments"] if has_count and is_entry and not count})


def main():
    build, found, programs = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3:]
    with tempfile.TemporaryDirectory() as folder:
        profiles = Path(folder)
        run_all(build, found, programs, profiles)
        files = exported(build, programs, profiles)
    n_lines = n_reached = 0
    for file in LOADERS:
        entry = files.get(str(ROOT / file))
        if entry is None:
            sys.exit(f"llvm-cov says nothing of {file}; is it still there, and in a program?")
        lines = entry["summary"]["lines"]
        n_lines += lines["count"]
        n_reached += lines["covered"]
        print(f"{file:<52}{lines['covered']:>6} of {lines['count']:>5} lines {lines['percent']:7.2f} %  not: "
              f"{', '.join(map(str, unreached(entry))) or 'none'}")
    percent = 100 * n_reached / n_lines
    print(f"result: {percent:.2f} % of {n_lines} lines of the loaders reached, at least {LEAST_PERCENT} asked for")
    sys.exit(percent < LEAST_PERCENT)


if __name__ == "__main__":
    main()

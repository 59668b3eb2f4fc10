"""Runs the tests of the C interface, and one answer of each kind of model, under valgrind's memcheck.

Usage: memcheck.py PROGRAMS TEST...     PROGRAMS is the folder with espalier, make_tiny_checkpoint and the tests named.
Exits 1 when memory is read before it is written, used after it is freed, or lost."""
import concurrent.futures
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# A program may have an operator new of its own: memcheck then watches the malloc below it.
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect",
            "--show-leak-kinds=definite,indirect", "--soname-synonyms=somalloc=nouserintercepts", "--num-callers=30",
            f"--suppressions={Path(__file__).with_suffix('.supp')}"]
# What valgrind can run; oneDNN asks the processor by itself.
LIMITS = {"ESPALIER_MAX_ISA": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
TEXTS = ["the film is good", "", "john lives in berlin, near the river bank. " * 12, "今天 很好 and 42 unknown ☂"]


def check(command, what):
    """(what, exit status, what valgrind and the program said)."""
    done = subprocess.run([*VALGRIND, *command], env={**os.environ, **LIMITS}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return what, done.returncode, done.stdout.decode("utf-8", "replace")


def model_runs(programs, folder):
    """(command, what) of an answer of each task and precision; the models are made without valgrind."""
    runs = []
    for kind in ("sequence", "tokens", "embedding"):
        checkpoint = folder / kind
        subprocess.run([programs / "make_tiny_checkpoint", checkpoint, kind], check=True)
        for precision in ("int8", "fp32"):
            model = folder / f"{kind}.{precision}.espl"
            subprocess.run([programs / "espalier", "convert", checkpoint, "-o", model, "--precision", precision], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            texts = [word for text in TEXTS for word in ("--text", text)]
            for arguments in (["run", model, *texts, "-t", "2"], ["verify", model]):
                runs.append(([programs / "espalier", *arguments], f"{arguments[0]} of {model.stem}"))
    return runs


def main():
    programs, tests = Path(sys.argv[1]).resolve(), sys.argv[2:]
    n_failed = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = [([programs / test], test) for test in tests] + model_runs(programs, Path(folder))
        for what, status, said in pool.map(lambda run: check(*run), runs):
            print(f"{'ok' if status == 0 else f'FAILED ({status})':<12} {what}", flush=True)
            if status != 0:
                n_failed += 1
                reports = [line for line in said.splitlines() if line.startswith("==")]
                print("\n".join(reports) if reports else said[-20000:])
    print(f"result: {len(runs)} programs under memcheck, {n_failed} failed")
    sys.exit(n_failed > 0 or not tests)


if __name__ == "__main__":
    main()

"""Fuzzes every target for a while, from its seeds, its committed inputs and what earlier runs found, and adds up what was run.

Usage: fuzz.py BUILD [--seconds S] [--jobs N] [--target NAME]...
       fuzz.py BUILD --summary

BUILD is a folder built with the preset asan. Below it fuzz/ keeps, from run to run, NAME/corpus (inputs that reach something
new), NAME/crashes (inputs that break something) and executions.tsv (target, executions, seconds, a
line a run). Exits 1 when a run found something or an earlier find still lies there."""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
from pathlib import Path

COMMITTED = Path(__file__).resolve().parents[1] / "fuzz" / "corpus"
# Longer inputs say nothing that is new. What hangs does so for a minute as well, and on a busy machine ten seconds are few.
LIMITS = ["-timeout=60", "-rss_limit_mb=2048", "-max_len=32768", "-print_final_stats=1"]


class Target:
    def __init__(self, build, name):
        self.name = name
        self.program = build / "bin" / f"fuzz_{name}"
        self.replay = build / "bin" / f"replay_{name}"
        self.folder = build / "fuzz" / name
        self.corpus, self.crashes = self.folder / "corpus", self.folder / "crashes"

    def finds(self):
        """Names of what broke something; an input that was only slow is kept as slow-unit-... and is none."""
        names = sorted(path.name for path in self.crashes.iterdir()) if self.crashes.exists() else []
        return [name for name in names if not name.startswith("slow-unit-")]

    def run(self, seconds):
        """(executions, what the fuzzer printed); its exit status is seen in what lies in crashes afterwards."""
        for folder in (self.corpus, self.crashes):
            folder.mkdir(parents=True, exist_ok=True)
        seeds = self.folder / "seeds"
        subprocess.run([self.replay, "--write", seeds], check=True, stdout=subprocess.DEVNULL)
        folders = [self.corpus, seeds] + [COMMITTED / self.name] * (COMMITTED / self.name).exists()
        done = subprocess.run([self.program, f"-max_total_time={seconds}", *LIMITS, f"-artifact_prefix={self.crashes}/",
                               *folders], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        printed = done.stdout.decode("utf-8", "replace")
        (self.folder / "last.log").write_text(printed)
        executed = re.search(r"number_of_executed_units: *(\d+)", printed)
        if done.returncode != 0 and not self.finds():  # out of memory at start, say: nothing to keep but the words
            raise RuntimeError(f"fuzz_{self.name} ended with {done.returncode}:\n{printed[-4000:]}")
        return int(executed.group(1)) if executed else 0, printed


def read_log(log):
    """{target: (executions, seconds)} of all runs so far."""
    totals = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        name, executions, seconds = line.split("\t")
        before = totals.get(name, (0, 0))
        totals[name] = before[0] + int(executions), before[1] + int(seconds)
    return totals


def show(targets, now, log):
    totals = read_log(log)
    print(f"{'target':<16}{'this run':>12}{'so far':>14}{'seconds so far':>16}{'inputs':>8}{'finds':>7}")
    for target in targets:
        executions, seconds = totals.get(target.name, (0, 0))
        inputs = len(list(target.corpus.iterdir())) if target.corpus.exists() else 0
        print(f"{target.name:<16}{now.get(target.name, 0):>12,}{executions:>14,}{seconds:>16,}{inputs:>8,}"
              f"{len(target.finds()):>7}")
    print(f"{'sum':<16}{sum(now.values()):>12,}{sum(total[0] for total in totals.values()):>14,}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at a time")
    parser.add_argument("--target", action="append", help="only this one; may be repeated")
    parser.add_argument("--summary", action="store_true", help="run nothing")
    options = parser.parse_args()
    build = options.build.resolve()
    names = sorted(path.name.removeprefix("fuzz_") for path in (build / "bin").glob("fuzz_*"))
    if not names:
        sys.exit(f"no fuzz_* in {build / 'bin'}; build the preset asan first")
    if unknown := set(options.target or []) - set(names):
        sys.exit(f"no target {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    targets = [Target(build, name) for name in options.target or names]
    log, now, broken = build / "fuzz" / "executions.tsv", {}, []
    log.parent.mkdir(exist_ok=True)
    if not options.summary:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            runs = {pool.submit(target.run, options.seconds): target for target in targets}
            for run in concurrent.futures.as_completed(runs):
                name = runs[run].name
                try:
                    now[name], _ = run.result()
                except RuntimeError as error:
                    broken.append(name)
                    print(error)
                    continue
                with log.open("a") as file:
                    file.write(f"{name}\t{now[name]}\t{options.seconds}\n")
    show(targets, now, log)
    found = [f"{target.crashes / name}" for target in targets for name in target.finds()]
    for path in found:
        print("found:", path)
    idle = [name for name, executions in now.items() if executions == 0]
    if idle:
        print("ran nothing:", ", ".join(sorted(idle)))
    total = sum(totals[0] for totals in read_log(log).values())
    print(f"result: {sum(now.values()):,} executions of {len(now)} targets ({total:,} so far), {len(found)} finds")
    sys.exit(bool(found or broken or idle))


if __name__ == "__main__":
    main()

"""A powercap tree of a test's own whose one counter moves when it has been read a given number of times: what a
program reads is then known exactly, however busy the machine is."""
import ctypes
import os
import struct
import threading

# Of <sys/inotify.h>: a reader is done, and somebody begins. Both are watched because events of one kind in a row become one.
CLOSE_NOWRITE, OPEN = 0x10, 0x20
RANGE_UJ = 262_143_328_850


class CounterTree:
    """additions: {reads done: microjoules to add then}. A context manager; folder goes into ESPALIER_POWERCAP."""

    def __init__(self, folder, start_uj, additions):
        self.folder = folder / "powercap"
        zone = self.folder / "intel-rapl:0"
        zone.mkdir(parents=True)
        (zone / "name").write_text("package-0\n")
        (zone / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
        self._counter, self._value, self._additions = zone / "energy_uj", start_uj, additions
        self.n_reads = 0
        self._write()

    def _write(self):
        # In place and of one width: a reader sees the old number or the new one.
        with open(self._counter, "r+b" if self._counter.exists() else "wb", buffering=0) as file:
            file.write(b"%012d\n" % self._value)

    def __enter__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        self._events = libc.inotify_init()
        if self._events < 0 or libc.inotify_add_watch(self._events, os.fsencode(self._counter), CLOSE_NOWRITE | OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        self._end, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()
        return self

    def __exit__(self, *_):
        os.close(self._wake)
        self._thread.join()
        os.close(self._events)
        os.close(self._end)

    def _follow(self):
        import select
        while True:
            ready, _, _ = select.select([self._events, self._end], [], [])
            if self._events not in ready:  # the end, and every event before it was seen
                return
            events = os.read(self._events, 65536)
            while events:
                _, mask, _, length = struct.unpack_from("iIII", events)  # length: of the name that follows
                events = events[16 + length:]
                if not mask & CLOSE_NOWRITE:
                    continue
                self.n_reads += 1
                if self.n_reads in self._additions:
                    self._value = (self._value + self._additions[self.n_reads]) % RANGE_UJ
                    self._write()

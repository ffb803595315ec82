"""A process of its own that carries out approved notes until it is stopped.

``python -m support.writing_process FOLDER URL TIME_US ID...``; for each it prints state, code and how long it has worked
so far, in nanoseconds of its own processor time. The last one it leaves alone until it reads a line. It ends with the
first one that it may not write.
"""

import sys
import time

from support.note_process import gate


def main() -> None:
    folder, url, time_us, *proposals = sys.argv[1:]
    opened = gate(folder, url, int(time_us), {})
    for proposal in proposals:
        if proposal == proposals[-1]:
            sys.stdin.readline()
        result = opened.execute(proposal)
        sys.stdout.write(f"{result.state.value} {result.code} {time.process_time_ns()}\n")
        sys.stdout.flush()
        if result.code != "written":
            return


if __name__ == "__main__":
    main()

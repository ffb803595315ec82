"""Keeps one child process (arguments: FOLDER PROGRAM ARG...), and takes it and its private folder along when it goes.

Rules: the child runs until standard input closes, then it is killed and FOLDER removed; the kernel kills it too should
this process end in any other way (``PR_SET_PDEATHSIG``, which follows the thread that made the child: this process has
one only). The process id of the child is the one line written to standard output; what the child writes goes to
standard error. The child gets no environment. It is not reaped before standard input closes, so its id cannot come to
name another process in the meantime.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from functools import partial

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Start the program named by the arguments and wait for the end of standard input."""
    folder, *program = sys.argv[1:]
    child = subprocess.Popen(
        program,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        env={},
        close_fds=False,
        preexec_fn=partial(die_with, os.getpid()),  # noqa: PLW1509 - no other thread runs in this process
    )
    with child:
        sys.stdout.write(f"{child.pid}\n")
        sys.stdout.flush()
        sys.stdin.buffer.read()
        child.kill()
    shutil.rmtree(folder, ignore_errors=True)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends.

    Raises:
        OSError: the kernel refuses.
        ProcessLookupError: the parent has ended already.

    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        raise ProcessLookupError("the parent has ended")

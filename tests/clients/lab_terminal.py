"""Types lines at a shell's prompt in a terminal, as a person does: COMMAND LINE...

Prints what the terminal shows. Each line is typed when the prompt is there, and `exit` at the end.
"""

import os
import pty
import select
import sys

PROMPT = b"/home # "
PATIENCE = 60


def main() -> int:
    command, *lines = sys.argv[1:]
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("sh", ["sh", "-c", f"stty cols 200; exec {command}"])
    shown = b""
    ahead = [*lines, "exit"]
    mark = 0
    while True:
        ready, _, _ = select.select([terminal], [], [], PATIENCE)
        if not ready:
            shown += b"\n(nothing more is printed)\n"
            break
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            chunk = b""
        if not chunk:
            break
        shown += chunk
        if ahead and shown.find(PROMPT, mark) >= 0:
            mark = len(shown)
            os.write(terminal, ahead.pop(0).encode() + b"\r")
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    sys.stdout.write(shown.decode(errors="replace").replace("\r\n", "\n"))
    return os.waitstatus_to_exitcode(status)


sys.exit(main())

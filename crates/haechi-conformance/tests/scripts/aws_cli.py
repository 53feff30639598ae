"""The AWS CLI, loaded once. Its start takes ten times the CPU of most commands, and the tests give hundreds:
so each command here is the CLI's own program in a fork of this process, which had loaded its modules.

A line of JSON on standard input is a command: `arguments`, and `environment`, the changes to this
process's (null takes a variable away). A line on standard output answers it: `code` (null when a
signal ended it), `stdout` and `stderr`."""

import json
import os
import sys
import tempfile
import traceback

import awscli.clidriver

# What the CLI loads at its start, whatever the command is.
import awscli.handlers  # noqa: F401


def become(command, stdout, stderr):
    """Makes this process the CLI; does not return."""
    code = 255
    try:
        stdin = os.open(os.devnull, os.O_RDONLY)
        for opened, wanted in ((stdin, 0), (stdout.fileno(), 1), (stderr.fileno(), 2)):
            os.dup2(opened, wanted)
        for name, value in command["environment"].items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        sys.argv = ["aws", *command["arguments"]]
        code = awscli.clidriver.main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def run(command):
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        child = os.fork()
        if child == 0:
            become(command, stdout, stderr)
        _, status = os.waitpid(child, 0)
        texts = []
        for file in (stdout, stderr):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    code = os.waitstatus_to_exitcode(status)
    return {"code": code if code >= 0 else None, "stdout": texts[0], "stderr": texts[1]}


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)

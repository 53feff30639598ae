"""Bad functions: what they try does no harm, and the next invocation is answered."""

import os

from functions import invoke, new_function

from harness import equal, main

RUN = """
import os, sys, time, subprocess, socket
def handler(event, context):
    scope = {**globals(), "result": None}
    exec(event, scope)
    return scope["result"]
"""


def new():
    return new_function(RUN, Timeout=5, MemorySize=256)["FunctionName"]


def goes_on(name):
    equal(invoke(name, "result = 'well'")[0], "well")


def test_one_that_hangs():
    name = new()
    told, answer = invoke(name, "time.sleep(1000)")
    assert "Task timed out after 5.00 seconds" in told["errorMessage"], told
    goes_on(name)


def test_one_that_crashes():
    name = new()
    told, _ = invoke(name, "import ctypes; ctypes.string_at(0)")
    assert "signal" in told["errorMessage"] or "exit status" in told["errorMessage"], told
    goes_on(name)


def test_one_that_floods_its_log():
    name = new()
    told, answer = invoke(name, "while True: sys.stdout.write('x' * 65536)", LogType="Tail")
    assert "Task timed out" in told["errorMessage"], told
    goes_on(name)
    data = os.environ["HAECHI_DATA_OF_TEST"]
    sizes = [
        os.path.getsize(os.path.join(folder, file))
        for folder, _, files in os.walk(os.path.join(data, "functions/logs"))
        for file in files
        if name in file
    ]
    assert sizes and sum(sizes) < 2_000_000, sizes


def test_one_that_forks_without_end():
    name = new()
    bomb = "count = 0\ntry:\n    while True:\n        if os.fork() == 0: time.sleep(1000)\n        count += 1\nexcept OSError: pass\nresult = count"
    told, answer = invoke(name, bomb)
    assert answer.get("FunctionError") or told < 400, told
    goes_on(name)


def test_one_that_reads_the_data_directory_or_writes_outside():
    name, data = new(), os.environ["HAECHI_DATA_OF_TEST"]
    assert os.path.isdir(data)
    equal(invoke(name, f"result = os.path.exists({data!r})")[0], False)
    equal(invoke(name, "result = sorted(os.listdir('/'))")[0].count("home"), 0)
    for path in ["/var/task/x", "/usr/bin/x", "/etc/x", "/x"]:
        told, answer = invoke(name, f"open({path!r}, 'w')")
        equal((path, answer.get("FunctionError")), (path, "Unhandled"))
        assert told["errorType"] in ("OSError", "PermissionError"), told
    goes_on(name)


def test_one_that_connects_elsewhere():
    name = new()
    told, answer = invoke(name, "socket.create_connection(('127.0.0.1', 22), 2)")
    equal(told["errorType"], "ConnectionRefusedError")
    told, answer = invoke(name, "socket.create_connection(('192.0.2.1', 80), 2)")
    equal(answer["FunctionError"], "Unhandled")


def test_one_that_fills_its_disk_and_its_memory():
    name = new()
    fill = "with open('/tmp/x', 'wb') as f:\n    while True: f.write(bytes(1 << 20))"
    told, answer = invoke(name, fill)
    equal(answer["FunctionError"], "Unhandled")
    goes_on(name)
    told, answer = invoke(name, "x = bytearray(4 << 30)\nfor i in range(0, len(x), 4096): x[i] = 1")
    equal(answer["FunctionError"], "Unhandled")
    goes_on(name)


main()

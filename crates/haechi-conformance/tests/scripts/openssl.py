"""openssl as a second opinion: runs the command in a folder of its own."""

import pathlib
import subprocess
import tempfile


class Scratch:
    """Files for openssl; `with Scratch() as scratch`."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def path(self, name):
        return pathlib.Path(self.folder.name, name)

    def write(self, name, data):
        self.path(name).write_bytes(data)

    def read(self, name):
        return self.path(name).read_bytes()

    def must(self, words):
        """Runs `openssl` with these words; it must succeed. Answers what it wrote."""
        done = self.run(words)
        assert done.returncode == 0, f"openssl {words}: {done.stderr.decode()}"
        return done.stdout

    def can(self, words):
        """Whether `openssl` with these words succeeds."""
        return self.run(words).returncode == 0

    def run(self, words):
        """Runs `openssl` with these words."""
        return subprocess.run(
            ["openssl", *words.split()], cwd=self.folder.name, capture_output=True, check=False
        )

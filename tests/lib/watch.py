# SPDX-License-Identifier: Apache-2.0
"""watch: a live session of privd and the analyzer, for tests in Python."""
import json
import signal
import subprocess
import tempfile

from check import skip, within


class Watch:
    """Runs the analyzer with JSON alerts. The rules must have one named Ready, which matches a command line with `mark`."""

    def __init__(self, privd, analyzer, rules, mark, *options):
        self.out, self.errors = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([privd, "--exec", "--", analyzer, "-r", rules, "--json", *options],
                                        stdout=self.out, stderr=self.errors)
        within(60, lambda: self._is_ready(mark))
        if self.process.poll() is not None:
            self.errors.seek(0)
            skip("no driver works here: " + self.errors.read().strip().replace("\n", "; ")[-300:])

    def _is_ready(self, mark):
        subprocess.run(["/bin/true", mark], check=False)
        return '"Ready"' in self.text() or self.process.poll() is not None

    def text(self):
        self.out.seek(0)
        return self.out.read()

    def end(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait()

    def alerts(self, rule):
        """Returns the output fields of the rule's alerts."""
        return [json.loads(line)["output_fields"] for line in self.text().splitlines() if f'"{rule}"' in line]

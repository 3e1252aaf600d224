"""Simulators that the steps themselves start, stop and start again."""

import contextlib
import os
import subprocess
import urllib.parse

from vmware_nsxlib import v3
from vmware_nsxlib.v3 import config
from vmware_nsxlib.v3 import constants

USER, PASSWORD = os.environ["NSX_SIM_USER"], os.environ["NSX_SIM_PASSWORD"]


class Manager:
    """A simulator of its own, with an empty world and the flags given."""

    def __init__(self, *flags):
        self.flags = flags
        self.url = None
        self.process = None
        self.start("127.0.0.1:0")

    def start(self, listen):
        """Starts it and waits until it answers."""
        self.process = subprocess.Popen(
            [os.environ["NSX_SIM_BIN"], "serve", "--listen", listen, "--world", "empty",
             "--user", USER, "--password", PASSWORD, *self.flags],
            stdout=subprocess.PIPE, text=True,
        )
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise AssertionError(f"the simulator did not start: {line!r}")
        self.url = line.removeprefix("listening on ").strip()

    def kill(self):
        """Ends it as a power cut does."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def start_again(self):
        """Starts it where it was, knowing nothing of before."""
        self.start(urllib.parse.urlsplit(self.url).netloc)


@contextlib.contextmanager
def managers(count, *flags):
    """Simulators that end with the block."""
    with contextlib.ExitStack() as stack:
        started = []
        for _ in range(count):
            started.append(Manager(*flags))
            stack.callback(started[-1].kill)
        yield started


def connect(urls, **options):
    """The library as its users start it, keeping a record of each endpoint's calls."""
    return v3.NsxLib(
        config.NsxLibConfig(
            nsx_api_managers=urls,
            username=USER,
            password=options.pop("password", PASSWORD),
            insecure=True,
            api_log_mode=constants.API_CALL_LOG_PER_ENDPOINT,
            plugin_scope="nsx-sim-clients",
            plugin_tag="python",
            plugin_ver="1",
            **options,
        )
    )


def statuses(nsxlib):
    """The statuses that each endpoint answered with since last asked, by its address."""
    return {
        collector.provider: [record.status for record in collector.pop_all_records()]
        for collector in nsxlib.cluster.api_call_collectors
    }

"""A manager that is asked too much: 429 and 503, and the library's patience with both."""

import base64
import contextlib
import socket
import ssl
import threading
import urllib.parse

from vmware_nsxlib.v3 import constants
from vmware_nsxlib.v3 import exceptions

from managers import PASSWORD, USER, connect, managers, statuses
from steps import equal, refused


@contextlib.contextmanager
def call_under_way(url):
    """A call of the administrator's that does not end before the block: its body never comes.

    The manager says that it waits for the body when the call is under way, so this is no race.
    """
    address = urllib.parse.urlsplit(url)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    known = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    with socket.create_connection((address.hostname, address.port)) as plain:
        with context.wrap_socket(plain, server_hostname=address.hostname) as connection:
            connection.sendall(
                f"POST /api/v1/ip-sets HTTP/1.1\r\nHost: {address.netloc}\r\n"
                f"Authorization: Basic {known}\r\nContent-Type: application/json\r\n"
                "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n".encode()
            )
            answer = connection.recv(100)
            equal(answer.startswith(b"HTTP/1.1 100 "), True, f"the answer {answer!r}")
            yield connection


def run(steps):
    rate(steps)
    for flags, status, kind in ((["--client-concurrency", "1"], 503, "ServiceUnavailable"),
                                (["--client-concurrency", "1", "--concurrency-429"], 429,
                                 "TooManyRequests")):
        concurrency(steps, flags, status, kind)


def rate(steps):
    with managers(1, "--client-rate", "5") as (manager,):
        with steps("more calls than the manager takes in a second: 429 is waited out, none fails"):
            nsxlib = connect([manager.url], max_attempts=20)
            statuses(nsxlib)
            for _ in range(12):
                nsxlib.client.url_get("node")
            (answers,) = statuses(nsxlib).values()
            equal(answers.count(200), 12, "answers")
            equal(set(answers), {200, 429}, "statuses")
        with steps("without patience the library raises TooManyRequests"):
            hasty = connect([manager.url], max_attempts=1)
            with refused(exceptions.TooManyRequests, 429, 102):
                for _ in range(200):
                    hasty.client.url_get("node")
        with steps("429 alone leaves the endpoint UP"):
            endpoint = next(iter(hasty.cluster.endpoints.values()))
            equal(endpoint.state, "UP")
        with steps("a library that feels its way to a rate (AIMD) meets no 429 in the end"):
            adaptive = connect([manager.url], max_attempts=20, api_rate_limit_per_endpoint=4,
                               api_rate_mode=constants.API_RATE_MODE_AIMD)
            statuses(adaptive)
            for _ in range(8):
                adaptive.client.url_get("node")
            (answers,) = statuses(adaptive).values()
            equal(answers[-4:], [200] * 4, "the last answers")


def concurrency(steps, flags, status, kind):
    with managers(1, *flags) as (manager,):
        with steps(f"more calls at a time than the manager takes: {status} is tried again"):
            nsxlib = connect([manager.url], max_attempts=20)
            statuses(nsxlib)
            with call_under_way(manager.url) as connection:
                # The call is let go only while the library is waiting to try again.
                threading.Timer(1, connection.close).start()
                nsxlib.client.url_get("node")
            (answers,) = statuses(nsxlib).values()
            equal(answers[0], status, "the first answer")
            equal(set(answers[:-1]), {status}, "answers before the last")
            equal(answers[-1], 200, "the last answer")
        with steps(f"without patience the library raises {kind}"):
            hasty = connect([manager.url], max_attempts=1)
            with call_under_way(manager.url):
                with refused(getattr(exceptions, kind), status):
                    hasty.client.url_get("node")

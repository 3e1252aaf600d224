"""A cluster of two managers, of which one goes and comes back.

The two simulators share nothing. The library does not notice: it is the library's own part that is
tried here, which endpoint it chooses and what it makes of one that is gone.
"""

import time

import eventlet

from vmware_nsxlib.v3 import cluster
from vmware_nsxlib.v3 import exceptions

from managers import connect, managers, statuses
from steps import equal

# Seconds between the library's probes of an endpoint that nothing is asked of.
KEEPALIVE = 1
# Seconds within which a probe must have come; many times what it takes.
PATIENCE = 60


def states(nsxlib):
    """The state of each endpoint, in the order in which they were named."""
    return [endpoint.state for endpoint in nsxlib.cluster.endpoints.values()]


def await_health(nsxlib, wanted):
    """Lets the library's own probes run until the cluster's health is as wanted."""
    deadline = time.monotonic() + PATIENCE
    while nsxlib.cluster.health != wanted and time.monotonic() < deadline:
        eventlet.sleep(0.1)
    equal(nsxlib.cluster.health, wanted, "the cluster's health")


def run(steps):
    up, down = cluster.EndpointState.UP, cluster.EndpointState.DOWN
    health = cluster.ClusterHealth
    with managers(2) as (first, second):
        urls = [first.url, second.url]
        with steps("two managers make a cluster that is GREEN, and both are asked in turn"):
            nsxlib = connect(urls, conn_idle_timeout=KEEPALIVE)
            equal(nsxlib.cluster.health, health.GREEN)
            statuses(nsxlib)
            for _ in range(6):
                nsxlib.client.url_get("node")
            equal([len(asked) for asked in statuses(nsxlib).values()], [3, 3], "calls")
        with steps("one manager is killed: no call fails, its endpoint is DOWN, the cluster ORANGE"):
            first.kill()
            for _ in range(6):
                nsxlib.client.url_get("node")
            equal(states(nsxlib), [down, up])
            equal(nsxlib.cluster.health, health.ORANGE)
            equal(list(statuses(nsxlib).values()), [[], [200] * 6], "answers")
        with steps("writes go on at the manager that is left"):
            made = nsxlib.ip_set.create("py-failover", ip_addresses=["10.11.0.1"])
            equal(nsxlib.ip_set.read(made["id"])["ip_addresses"], ["10.11.0.1"])
        with steps("the manager comes back: a probe finds it, and both are asked again"):
            first.start_again()
            await_health(nsxlib, health.GREEN)
            statuses(nsxlib)
            for _ in range(6):
                nsxlib.client.url_get("node")
            # Its sessions are gone with it; the library logs in anew where it is told so.
            asked = list(statuses(nsxlib).values())
            equal([answers.count(200) for answers in asked], [3, 3], f"answers {asked}")
        with steps("both are killed: the cluster is RED and calls are ServiceClusterUnavailable"):
            first.kill()
            second.kill()
            try:
                nsxlib.client.url_get("node")
            except exceptions.ServiceClusterUnavailable:
                equal(nsxlib.cluster.health, health.RED)
            else:
                raise AssertionError("it was answered")
        with steps("both come back, and the same library works again"):
            first.start_again()
            second.start_again()
            await_health(nsxlib, health.GREEN)
            equal(nsxlib.client.url_get("node")["node_version"].startswith("2.5.1"), True)
        with steps("a single manager that comes back is found by the next call"):
            alone = connect([first.url])
            first.kill()
            try:
                alone.client.url_get("node")
            except exceptions.ServiceClusterUnavailable:
                equal(states(alone), [down])
            else:
                raise AssertionError("it was answered")
            first.start_again()
            alone.client.url_get("node")
            equal(states(alone), [up])
        with steps("a cluster whose password is wrong has no endpoint that is UP"):
            stranger = connect(urls, password="wrong", max_attempts=2)
            equal(stranger.cluster.health, health.RED)

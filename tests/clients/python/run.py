"""Drives a manager with VMware's own Python client, vmware-nsxlib, as OpenStack does.

The manager is named by the environment: NSX_SIM_URL, NSX_SIM_USER, NSX_SIM_PASSWORD. Steps that
need managers of their own start them with NSX_SIM_BIN.
"""

import logging
import os
import sys
import warnings

from vmware_nsxlib import v3
from vmware_nsxlib.v3 import config

import balancing
import failover
import firewall
import grouping
import limits
import races
import startup
import switching
import traceflow
from steps import Steps


def connect():
    """The library as its users start it: session, health check and tag limits come from inside."""
    return v3.NsxLib(
        config.NsxLibConfig(
            nsx_api_managers=[os.environ["NSX_SIM_URL"]],
            username=os.environ["NSX_SIM_USER"],
            password=os.environ["NSX_SIM_PASSWORD"],
            insecure=True,
            max_attempts=3,
            plugin_scope="nsx-sim-clients",
            plugin_tag="python",
            plugin_ver="1",
        )
    )


def main():
    # A bundle of certificates in the environment outdoes the `insecure` that the library sets.
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        os.environ.pop(name, None)
    # The library warns of every refusal that the steps ask for, and urllib3 of the certificate.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    steps = Steps()
    nsxlib = None
    with steps("NsxLib starts: session, health, tag limits"):
        nsxlib = connect()
    if nsxlib is not None:
        for chapter in (startup, switching, grouping, firewall, balancing, traceflow):
            chapter.run(steps, nsxlib)
        startup.absent(nsxlib)
    races.run(steps, os.environ["NSX_SIM_URL"])
    limits.run(steps)
    failover.run(steps)
    return 0 if steps.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())

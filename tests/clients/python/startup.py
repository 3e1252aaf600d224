"""What the library asks before its first real call."""

import contextlib
import copy
import hashlib
import os
import ssl
import types
import urllib.parse

import requests

from vmware_nsxlib.v3 import client
from vmware_nsxlib.v3 import cluster
from vmware_nsxlib.v3 import exceptions
from vmware_nsxlib.v3 import nsx_constants

from steps import equal, note

OVERLAY_ZONE = "1-transportzone"

# Collections and services that the library has methods for and these tests do not need.
ABSENT = (
    "search?query=resource_type:LogicalPort", "transport-nodes", "edge-clusters",
    "fabric/virtual-machines", "fabric/vifs", "logical-routers", "logical-router-ports",
    "pools/ip-pools", "pools/ip-blocks", "dhcp/servers", "dhcp/server-profiles", "md-proxies",
    "loadbalancer/services", "loadbalancer/monitors", "trust-management/certificates",
    "trust-management/principal-identities", "cluster/nodes", "node/services/http",
)


def new_session(nsxlib, password, pinned=None):
    """A connection as the library's pool makes one, with what it will send on every call.

    With a thumbprint, no other certificate than that one's is accepted.
    """
    address, user = os.environ["NSX_SIM_URL"], os.environ["NSX_SIM_USER"]
    provider = cluster.Provider("another", address, user, password, None, pinned)
    api = types.SimpleNamespace(nsxlib_config=copy.copy(nsxlib.nsxlib_config))
    api.nsxlib_config.insecure = pinned is None
    return cluster.NSXRequestsHTTPProvider().new_connection(api, provider)


def thumbprint():
    """The SHA-256 of the certificate that the manager shows."""
    address = urllib.parse.urlsplit(os.environ["NSX_SIM_URL"])
    shown = ssl.get_server_certificate((address.hostname, address.port))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest()


def url(path):
    """The whole address of a path of the API."""
    return f"{os.environ['NSX_SIM_URL']}/api/v1/{path}"


def error_of(reply):
    """The class of the library's error for a reply."""
    return type(client.init_http_exception_from_response(reply))


def run(steps, nsxlib):
    with steps("the endpoint is UP and the cluster GREEN"):
        equal(nsxlib.cluster.health, cluster.ClusterHealth.GREEN)
    with steps("session/create gives the cookie and the token that the library looks for"):
        session = new_session(nsxlib, os.environ["NSX_SIM_PASSWORD"])
        headers = session.default_headers
        equal(headers["Cookie"].startswith("JSESSIONID="), True, "a session cookie")
        equal(bool(headers["X-XSRF-TOKEN"]), True, "a token")
    with steps("the session alone, without basic authentication, is let in"):
        session.auth = None
        reply = session.get(url("node"), headers=headers)
        equal(reply.status_code, 200, "status")
    with steps("a session without its token is the library's BadXSRFToken"):
        cookie = {"Cookie": headers["Cookie"]}
        reply = session.post(url("ip-sets"), headers=cookie, json={})
        equal(error_of(reply), exceptions.BadXSRFToken)
    with steps("a wrong password gives no session and is the library's InvalidCredentials"):
        stranger = new_session(nsxlib, "wrong")
        equal("Cookie" in stranger.default_headers, False, "a session cookie")
        equal(error_of(stranger.get(url("node"))), exceptions.InvalidCredentials)
    with steps("the version opens the features of 2.5 and none of 3.0"):
        equal(nsxlib.get_version().startswith("2.5.1"), True, nsxlib.get_version())
        equal(nsxlib.feature_supported(nsx_constants.FEATURE_IPV6), True, "IPv6")
        later = nsx_constants.FEATURE_GET_TZ_FROM_SWITCH
        equal(nsxlib.feature_supported(later), False, "a feature of 3.0")
    with steps("the limits of tags are read from the manager's schema"):
        for name in ("Tag", "ManagedResource"):
            nsxlib.client.url_get(f"spec/vmware/types/{name}")
        equal(tuple(nsxlib.tag_limits), (128, 256, 30), "scope, tag and number")
    with steps("the overlay zone is found by name, with its type and mode"):
        zone = nsxlib.transport_zone.get_id_by_name_or_id(OVERLAY_ZONE)
        equal(nsxlib.transport_zone.get_transport_type(zone), "OVERLAY")
        equal(nsxlib.transport_zone.get_host_switch_mode(zone), "STANDARD")
    with steps("an unknown zone is not found"):
        with contextlib.suppress(exceptions.ResourceNotFound):
            nsxlib.transport_zone.get_id_by_name_or_id("no such zone")
            raise AssertionError("it was found")
    with steps("the cluster tells the SHA-256 of the certificate that the manager shows"):
        certificates = nsxlib.client.url_get("cluster")["nodes"][0]["certificates"]
        told = [own["certificate_sha256_thumbprint"] for own in certificates]
        equal(told, [thumbprint()], "thumbprints")
    with steps("the manager's certificate can be pinned by its thumbprint"):
        pinned = new_session(nsxlib, os.environ["NSX_SIM_PASSWORD"], thumbprint())
        equal(pinned.get(url("node")).status_code, 200, "status")
        with contextlib.suppress(requests.exceptions.SSLError):
            new_session(nsxlib, "any", "00" * 32).get(url("node"))
            raise AssertionError("another certificate's thumbprint was accepted")


def absent(nsxlib):
    """Says which of the library's other subjects the manager does not model yet."""
    for path in ABSENT:
        try:
            nsxlib.client.url_get(path, silent=True)
        except exceptions.ManagerError as error:
            note(f"GET {path} is answered {error.status_code}")

"""Steps of tests/clients/foreign: a cluster's objects by kubectl, the manager's by its API, NCP between them.

After every step the two are compared as wholes: a port for every pod, with its address, name and labels, and
none besides; a network for every namespace."""

import base64
import collections
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

URL = os.environ["NSX_SIM_URL"]
KUBECTL = os.environ["FOREIGN_KUBECTL"]
SIMULATOR = os.environ["NSX_SIM_BIN"]
CLUSTER = "foreign"
NCP = [SIMULATOR, "ncp", "--kubeconfig", "ncp.kubeconfig", "--cluster", CLUSTER, "--insecure",
       "--ip-reallocation-time", "2"]
PREPARED = [*NCP, "--prepare", "--container-ip-blocks", "10.4.0.0/16", "--external-ip-pools",
            "10.5.0.10-10.5.0.99"]
PATIENCE = 60


def kubectl(*words: str, given: object = None) -> str:
    text = json.dumps(given) if given is not None else None
    done = subprocess.run([KUBECTL, *words], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def apply(*objects: dict) -> None:
    kubectl("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": list(objects)})


def objects(kind: str) -> list[dict]:
    return json.loads(kubectl("get", kind, "-A", "-o", "json"))["items"]


def nsx(path: str, body: object = None) -> dict:
    user = f"{os.environ['NSX_SIM_USER']}:{os.environ['NSX_SIM_PASSWORD']}"
    request = urllib.request.Request(URL + path, json.dumps(body).encode() if body is not None else None)
    request.add_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
    request.add_header("Content-Type", "application/json")
    unverified = ssl._create_unverified_context()
    with urllib.request.urlopen(request, context=unverified) as answer:
        return json.loads(answer.read() or "{}")


def listed(path: str) -> list[dict]:
    """What of a list is the cluster's."""
    found, cursor = [], ""
    while True:
        page = nsx(f"/api/v1{path}?page_size=1000" + (f"&cursor={urllib.parse.quote(cursor)}" if cursor else ""))
        found += page["results"]
        cursor = page.get("cursor", "")
        if not cursor:
            return [one for one in found if tags(one).get("ncp/cluster") == CLUSTER]


def tags(one: dict) -> dict[str, str]:
    return {tag["scope"]: tag["tag"] for tag in one.get("tags", [])}


def outcome(source: str, target: str, port: int = 8080, fresh: list[int] = [40000]) -> str:
    fresh[0] += 1
    packet = {"from": source, "to": target, "protocol": "TCP", "src_port": fresh[0], "dst_port": port}
    return nsx("/sim/v1/packets", packet)["outcome"]


def eventually(question, *, what: str = ""):
    """Asks until there is something, and gives it."""
    begun, last = time.monotonic(), None
    while time.monotonic() - begun < PATIENCE:
        try:
            if found := question():
                return found
        except AssertionError as error:
            last = error
        time.sleep(0.05)
    raise last or AssertionError(f"{what or 'not so'} after {PATIENCE} s")


def differences() -> list[str]:
    """What of the cluster is not at the manager as it should be, and what is there besides."""
    wrong = []
    pods = {pod["metadata"]["uid"]: pod for pod in objects("pods") if not pod["spec"].get("hostNetwork")}
    ports = collections.defaultdict(list)
    for port in listed("/logical-ports"):
        if uid := tags(port).get("ncp/pod_uid"):
            ports[uid].append(port)
    wrong += [f"a port of no pod: {ports[uid][0]['display_name']}" for uid in ports.keys() - pods.keys()]
    for uid, pod in pods.items():
        meta, own = pod["metadata"], ports[uid]
        name = f"{meta['namespace']}/{meta['name']}"
        if len(own) != 1:
            wrong.append(f"{name} has {len(own)} ports")
            continue
        has = tags(own[0])
        wanted = meta.get("labels", {}) | {"ncp/project": meta["namespace"], "ncp/pod": meta["name"]}
        if not wanted.items() <= has.items():
            wrong.append(f"{name} has tags {has}")
        address = own[0]["address_bindings"][0]
        if pod["status"].get("podIP") != address["ip_address"] or not address.get("mac_address"):
            wrong.append(f"{name} is at {pod['status'].get('podIP')}, its port at {address}")
    spaces = sorted(space["metadata"]["name"] for space in objects("namespaces"))
    for path in "/logical-switches", "/pools/ip-pools", "/pools/ip-subnets":
        own = sorted(tags(one)["ncp/project"] for one in listed(path) if "ncp/project" in tags(one))
        if own != spaces:
            wrong.append(f"{path} are of {own}, namespaces are {spaces}")
    router = next(one["id"] for one in listed("/logical-routers"))
    rules = sorted(tags(one)["ncp/project"] for one in listed(f"/logical-routers/{router}/nat/rules"))
    if rules != spaces:
        wrong.append(f"NAT rules are of {rules}, namespaces are {spaces}")
    return wrong


def settled() -> None:
    wrong: list[str] = []

    def asked() -> bool:
        wrong[:] = differences()
        return not wrong

    try:
        eventually(asked)
    except AssertionError:
        raise AssertionError("; ".join(wrong[:5])) from None


class Running:
    """NCP alone."""

    def __init__(self) -> None:
        self.log = open("ncp.log", "a", encoding="utf-8")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([*PREPARED, "--url", URL], stderr=self.log)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0, "NCP ended with a failure"


def node(number: int) -> dict:
    room = {"cpu": "64", "memory": "256Gi", "pods": "250"}
    return {
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{number}"},
        "status": {"addresses": [{"type": "InternalIP", "address": f"172.16.0.{number}"}],
                   "capacity": room, "allocatable": room},
    }


def pods(namespace: str, app: str) -> list[dict]:
    found = json.loads(kubectl("get", "pods", "-n", namespace, "-l", f"app={app}", "-o", "json"))["items"]
    return [pod for pod in found if pod["status"].get("podIP")]


def address(namespace: str, app: str) -> str:
    return pods(namespace, app)[0]["status"]["podIP"]


def deployed() -> None:
    for namespace, app in ("x1", "service-a"), ("y1", "service-b"), ("z1", "service-c"), ("z1", "service-d"):
        kubectl("rollout", "status", f"deployment/{app}", "-n", namespace, f"--timeout={PATIENCE}s")


def what_is_missing_is_named() -> None:
    done = subprocess.run([*NCP, "--url", URL], capture_output=True, text=True, check=False)
    assert done.returncode == 2, f"it ended with {done.returncode}"
    for word in "tier-1 router", "IP block", "external IP pool", "--prepare":
        assert word in done.stderr, f"{word} is not named: {done.stderr}"


def networks_come_to_be() -> None:
    settled()
    nodes = [tags(port)["ncp/node_name"] for port in listed("/logical-ports") if "ncp/node_name" in tags(port)]
    assert sorted(nodes) == ["node-1", "node-2"], nodes


def the_guide_is_deployed() -> None:
    for namespace in "x1", "y1", "z1":
        kubectl("create", "namespace", namespace)
    manifest = subprocess.run([SIMULATOR, "lab", "--manifest"], capture_output=True, check=True)
    Path("micro.yaml").write_bytes(manifest.stdout)
    kubectl("apply", "-f", "micro.yaml")
    deployed()
    settled()
    assert outcome(address("x1", "service-a"), address("y1", "service-b")) == "DELIVERED"


def a_service_is_reached_from_outside() -> None:
    kubectl("expose", "deployment", "service-a", "--name=service-a-lb", "--port=80", "--target-port=8080",
            "--type=LoadBalancer", "--namespace=x1")
    outside = eventually(lambda: kubectl(
        "get", "service", "service-a-lb", "-n", "x1", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}"))
    assert outside.startswith("10.5.0."), outside
    eventually(lambda: outcome("192.0.2.10", outside, 80) == "DELIVERED")


def a_label_becomes_a_tag() -> None:
    pod = pods("x1", "service-a")[0]["metadata"]["name"]
    kubectl("label", "pod", pod, "-n", "x1", "stage=canary")
    settled()
    kubectl("label", "pod", pod, "-n", "x1", "stage-")
    settled()


def replicas_come_and_go() -> None:
    for replicas in 20, 3:
        kubectl("scale", "deployment/service-b", "-n", "y1", f"--replicas={replicas}")
        eventually(lambda: len(pods("y1", "service-b")) == replicas)
        settled()
    kubectl("delete", "pod", pods("y1", "service-b")[0]["metadata"]["name"], "-n", "y1")
    eventually(lambda: len(pods("y1", "service-b")) == 3)
    settled()


def a_policy_lets_in_whom_it_names() -> None:
    a, b, d = address("x1", "service-a"), address("y1", "service-b"), address("z1", "service-d")
    apply({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "only-a", "namespace": "z1"},
        "spec": {"podSelector": {"matchLabels": {"app": "service-d"}}, "ingress": [{
            "from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "service-a"}}}],
            "ports": [{"port": 8080}],
        }]},
    })
    eventually(lambda: outcome(b, d) == "DROPPED")
    assert outcome(a, d) == "DELIVERED"
    kubectl("delete", "networkpolicy", "only-a", "-n", "z1")
    eventually(lambda: outcome(b, d) == "DELIVERED")


def killed_in_the_middle_it_goes_on() -> None:
    kubectl("scale", "deployment/service-c", "-n", "z1", "--replicas=60")
    for many in 5, 30:
        eventually(lambda: len(pods("z1", "service-c")) >= many)
        ncp.kill()
        kubectl("delete", "pod", pods("z1", "service-c")[0]["metadata"]["name"], "-n", "z1")
        ncp.start()
    eventually(lambda: len(pods("z1", "service-c")) == 60)
    settled()
    before = listed("/logical-ports")
    ncp.stop()
    ncp.start()
    settled()
    assert listed("/logical-ports") == before, "a start changed ports that were right"


def a_namespace_takes_its_network_along() -> None:
    kubectl("delete", "namespace", "x1", f"--timeout={PATIENCE}s")
    settled()
    eventually(lambda: not listed("/loadbalancer/virtual-servers"))


def nothing_was_refused() -> None:
    ncp.stop()
    log = Path("ncp.log").read_text(encoding="utf-8")
    found = [line for line in log.splitlines() if re.search(r"forbidden|Forbidden|panicked", line)]
    assert not found, found[0]


failed = 0


def step(what: str, done) -> None:
    global failed
    try:
        done()
        print(f"PASS foreign: {what}", flush=True)
    except Exception as error:  # Whatever goes wrong is this step's.
        failed += 1
        print(f"FAIL foreign: {what}: {error}", flush=True)


apply(node(1), node(2))
step("what an empty manager lacks is named, all of it", what_is_missing_is_named)
ncp = Running()
step("namespaces and nodes have their networks and ports", networks_come_to_be)
step("the guide's pods run at their ports' addresses, with their labels as tags", the_guide_is_deployed)
step("a service of type LoadBalancer is reached from outside", a_service_is_reached_from_outside)
step("labels that come and go are tags that come and go", a_label_becomes_a_tag)
step("replicas and pods that come and go are ports that come and go", replicas_come_and_go)
step("a NetworkPolicy lets in whom it names and nobody else", a_policy_lets_in_whom_it_names)
step("killed in the middle and started again, nothing is lost or there twice", killed_in_the_middle_it_goes_on)
step("a namespace that goes takes its network along", a_namespace_takes_its_network_along)
step("the role was enough, and NCP ends in peace", nothing_was_refused)
sys.exit(failed > 0)

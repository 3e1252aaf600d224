"""Traceflows through the library's own REST client: it has no class of its own for them."""

import time
import uuid

from vmware_nsxlib.v3 import exceptions

from startup import OVERLAY_ZONE
from steps import equal, refused
from switching import binding, tagged

TRIES = 50


def run(steps, nsxlib):
    api = nsxlib.firewall_section
    with steps("two ports, two groups, and a rule between them that drops"):
        zone = nsxlib.transport_zone.get_id_by_name_or_id(OVERLAY_ZONE)
        switch = nsxlib.logical_switch.create("py-trace", zone, [])["id"]
        client, server = (
            nsxlib.logical_port.create(
                switch, str(uuid.uuid4()), tagged(trace=role), name=f"py-{role}",
                address_bindings=[binding(last)],
            )
            for role, last in (("client", 1), ("server", 2))
        )
        groups = [
            nsxlib.ns_group.create(
                f"py-{role}", "", [], nsxlib.ns_group.get_port_tag_expression("trace", role)
            )["id"]
            for role in ("client", "server")
        ]
        source, destination = (api.get_nsgroup_reference(group) for group in groups)
        section = api.create_with_rules(
            "py-trace", "", operation="insert_top",
            rules=[api.get_rule_dict("py-drop", [source], [destination], action="DROP",
                                     services=[api.get_l4portset_nsservice(destinations=["80"])])],
        )
        state = nsxlib.client.get(f"firewall/sections/{section['id']}/state")
        equal(state["state"], "success", "the section's state")
    with steps("the packet is dropped by the rule, at the client's vNIC"):
        seen = trace(nsxlib, client, server, 80)
        equal(seen[-1]["resource_type"], "TraceflowObservationDroppedLogical")
        equal((seen[-1]["component_type"], seen[-1]["reason"]), ("DFW", "FW_RULE"))
        equal(deciding(seen), [int(section["rules"][0]["id"])])
        equal(seen[-1]["lport_id"], client["id"], "the port where it was dropped")
    with steps("another port is not the rule's: delivered, by the default rule at both vNICs"):
        seen = trace(nsxlib, client, server, 81)
        equal(seen[-1]["resource_type"], "TraceflowObservationDelivered")
        equal(deciding(seen), [2, 2])
    with steps("an allowing rule above it delivers, and is told at both vNICs"):
        allow = api.add_rule(
            api.get_rule_dict("py-allow", [source], [destination]), section["id"], "insert_top"
        )
        seen = trace(nsxlib, client, server, 80)
        equal(seen[-1]["resource_type"], "TraceflowObservationDelivered")
        equal(seen[-1]["lport_id"], server["id"], "the port where it arrived")
        equal(deciding(seen), [int(allow["id"])] * 2)
    with steps("a traceflow leaves no count in the rule's statistics"):
        path = f"firewall/sections/{section['id']}/rules/{allow['id']}/stats?source=realtime"
        equal(nsxlib.client.get(path)["packet_count"], 0, "packets")
    with steps("an excluded client is not judged; the server still is"):
        api.add_member_to_fw_exclude_list(client["id"], "LogicalPort")
        equal(deciding(trace(nsxlib, client, server, 80)), [int(allow["id"])])
        api.remove_member_from_fw_exclude_list(client["id"], "LogicalPort")
    with steps("a traceflow from an unknown port is refused"):
        with refused(exceptions.ResourceNotFound, 404, 600):
            trace(nsxlib, {"id": str(uuid.uuid4()), "address_bindings": client["address_bindings"]},
                  server, 80)
    with steps("everything is deleted; a deleted traceflow is gone"):
        api.delete(section["id"])
        for group in groups:
            nsxlib.ns_group.delete(group)
        nsxlib.logical_switch.delete(switch)
        equal(nsxlib.client.list("traceflows")["results"], [], "traceflows left")


def trace(nsxlib, source, destination, port):
    """What a TCP packet from one port to the other met, in order."""
    (src,), (dst,) = source["address_bindings"], destination["address_bindings"]
    packet = {
        "resource_type": "FieldsPacketData",
        "eth_header": {"src_mac": src["mac_address"], "dst_mac": dst["mac_address"]},
        "ip_header": {"src_ip": src["ip_address"], "dst_ip": dst["ip_address"], "protocol": 6},
        "transport_header": {"tcp_header": {"src_port": 49152, "dst_port": port, "tcp_flags": 2}},
    }
    asked = nsxlib.client.create("traceflows", {"lport_id": source["id"], "packet": packet})
    path = f"traceflows/{asked['id']}"
    for _ in range(TRIES):
        if nsxlib.client.get(path)["operation_state"] != "IN_PROGRESS":
            break
        time.sleep(0.1)
    finished = nsxlib.client.get(path)
    equal(finished["operation_state"], "FINISHED", "operation_state")
    seen = nsxlib.client.list(f"{path}/observations")["results"]
    nsxlib.client.delete(path)
    with refused(exceptions.ResourceNotFound, 404, 600):
        nsxlib.client.delete(path)
    return seen


def deciding(seen):
    """The ids of the firewall rules that decided, in order."""
    return [own["acl_rule_id"] for own in seen if "acl_rule_id" in own]

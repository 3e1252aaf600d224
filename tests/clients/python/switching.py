"""Switches, ports and switching profiles through the library."""

import uuid

from vmware_nsxlib.v3 import core_resources
from vmware_nsxlib.v3 import exceptions

from startup import OVERLAY_ZONE
from steps import equal, refused, same_members

PORTS = 5


def binding(last, vlan=None):
    """An address binding as the library takes it."""
    mac = f"02:50:56:00:01:{last:02x}"
    return core_resources.PacketAddressClassifier(f"10.11.0.{last}", mac, vlan)


def tagged(**tags):
    """Tags from names; no scope that is used here holds a character Python forbids."""
    return [{"scope": scope, "tag": tag} for scope, tag in tags.items()]


def run(steps, nsxlib):
    switches(steps, nsxlib)
    ports(steps, nsxlib)
    profiles(steps, nsxlib)


def switches(steps, nsxlib):
    api = nsxlib.logical_switch
    with steps("a switch is created on the overlay zone and realized"):
        zone = nsxlib.transport_zone.get_id_by_name_or_id(OVERLAY_ZONE)
        switch = api.create("py;switch", zone, tagged(owner="python"), description="of a test")
        equal(switch["display_name"], "py.switch", "the name, escaped by the library")
        state = nsxlib.client.get(api.get_path(f"{switch['id']}/state"))
        equal(state["state"], "success", "the state")
    with steps("a switch is updated by read-modify-write"):
        changed = api.update(switch["id"], name="py-switch", admin_state=False, tags=[])
        equal((changed["display_name"], changed["admin_state"]), ("py-switch", "DOWN"))
        equal(changed["_revision"], switch["_revision"] + 1, "the revision")
    with steps("a switch of an unknown zone is refused"):
        with refused(exceptions.ResourceNotFound, 404, 600):
            api.create("nowhere", str(uuid.uuid4()), [])
    with steps("a switch is found by name and deleted; a second delete is ResourceNotFound"):
        equal([own["id"] for own in api.find_by_display_name("py-switch")], [switch["id"]])
        api.delete(switch["id"])
        with refused(exceptions.ResourceNotFound, 404, 600):
            api.delete(switch["id"])


def ports(steps, nsxlib):
    api = nsxlib.logical_port
    with steps("a parent port and its children are created with context, tags and bindings"):
        zone = nsxlib.transport_zone.get_id_by_name_or_id(OVERLAY_ZONE)
        switch = nsxlib.logical_switch.create("py-ports", zone, [])["id"]
        vif = str(uuid.uuid4())
        parent = api.create(
            switch, vif, tagged(role="node"), name="py-node", vif_type="PARENT",
            address_bindings=[binding(1)],
        )
        children = [
            api.create(
                switch, str(uuid.uuid4()), tagged(role="pod"), name=f"py-pod-{n}",
                parent_vif_id=vif, traffic_tag=n, vif_type="CHILD", app_id=f"app-{n}",
                address_bindings=[binding(n, vlan=n)],
            )
            for n in range(2, PORTS + 1)
        ]
        context = api.get(children[0]["id"])["attachment"]["context"]
        equal((context["parent_vif_id"], context["traffic_tag"]), (vif, 2))
        equal(parent["admin_state"], "UP")
        equal(len(parent["switching_profile_ids"]), 6, "profiles filled in")
    with steps("ports are listed by attachment, by switch, by parent, and page by page"):
        found = api.get_by_attachment("VIF", vif)
        equal([own["id"] for own in found["results"]], [parent["id"]])
        equal(api.get_by_logical_switch(switch)["result_count"], PORTS)
        of_parent = nsxlib.client.list(f"logical-ports?parent_vif_id={vif}")["results"]
        same_members([own["id"] for own in of_parent], [own["id"] for own in children])
        # url_list joins the pages by the cursor it puts into the next address unescaped.
        paged = nsxlib.client.list(f"logical-ports?logical_switch_id={switch}&page_size=2")
        equal(len({own["id"] for own in paged["results"]}), PORTS, "ports on all pages")
    with steps("a port with an attachment is not deleted without detach"):
        with refused(exceptions.ManagerError, 400, 8402):
            nsxlib.client.delete(api.get_path(parent["id"]))
    with steps("tags_update merges tags, name and bindings are replaced"):
        updated = api.update(
            parent["id"], vif, name="py-renamed", tags_update=tagged(zone="dmz"),
            address_bindings=[binding(9)], vif_type="PARENT",
        )
        same_members([own["scope"] for own in updated["tags"]], ["role", "zone"])
        equal(updated["address_bindings"][0]["ip_address"], "10.11.0.9")
    with steps("a stale revision is the library's StaleRevision"):
        stale = dict(parent, display_name="py-too-late")
        with refused(exceptions.StaleRevision, 412):
            nsxlib.client.update(api.get_path(parent["id"]), stale)
        equal(api.get(parent["id"])["display_name"], "py-renamed", "the name afterwards")
    with steps("a null attachment detaches, and the port can then be deleted plainly"):
        lone = children.pop()
        api.update(lone["id"], None, attachment_type=None)
        equal("attachment" in api.get(lone["id"]), False, "an attachment")
        nsxlib.client.delete(api.get_path(lone["id"]))
    with steps("ports are deleted; a second delete is ResourceNotFound; the switch goes last"):
        api.delete_skip_host_detach(parent["id"])
        for port in children:
            api.delete(port["id"])
        with refused(exceptions.ResourceNotFound, 404, 600):
            api.delete(parent["id"])
        nsxlib.logical_switch.delete(switch)


def profiles(steps, nsxlib):
    api = nsxlib.switching_profile
    with steps("the system profiles that OpenStack needs are found by name"):
        for name in (
            "nsx-default-spoof-guard-vif-profile",
            "nsx-default-switch-security-non-vif-profile",
        ):
            equal(len(api.find_by_display_name(name)), 1, name)
    with steps("profiles are created, bound to a port, refused to be deleted while bound"):
        guard = api.create_spoofguard_profile("py-guard", "", whitelist_ports=True)
        dhcp = api.create_dhcp_profile("py-dhcp", "")
        learning = api.create_mac_learning_profile("py-learning", "")
        zone = nsxlib.transport_zone.get_id_by_name_or_id(OVERLAY_ZONE)
        switch = nsxlib.logical_switch.create("py-profiles", zone, [])["id"]
        bound = api.build_switch_profile_ids(api, guard, dhcp, learning)
        port = nsxlib.logical_port.create(
            switch, str(uuid.uuid4()), address_bindings=[binding(1)], switch_profile_ids=bound
        )
        values = {own["value"] for own in port["switching_profile_ids"]}
        equal({own.profile_id for own in bound} <= values, True, "all three are bound")
        equal(len(values), 6, "the other kinds are filled in")
        with refused(exceptions.ResourceInUse, 400):
            nsxlib.client.delete(api.get_path(guard["id"]))
    with steps("a QoS profile comes with its three shapers and is shaped"):
        qos = nsxlib.qos_switching_profile
        own = qos.create([], name="py-qos")
        own = qos.set_profile_shaping(
            own["id"], ingress_bw_enabled=True, ingress_average_bandwidth=10,
            ingress_peak_bandwidth=20, ingress_burst_size=3000, qos_marking="trusted", dscp=0,
        )
        equal(len(own["shaper_configuration"]), 3, "shapers")
        enabled = [shaper for shaper in own["shaper_configuration"] if shaper["enabled"]]
        equal([shaper["average_bandwidth_mbps"] for shaper in enabled], [10])
        qos.delete(own["id"])
    with steps("unbound profiles are deleted"):
        nsxlib.logical_port.delete(port["id"])
        nsxlib.logical_switch.delete(switch)
        for own in (guard, dhcp, learning):
            api.delete(own["id"])
        with refused(exceptions.ResourceNotFound, 404, 600):
            api.get(guard["id"])

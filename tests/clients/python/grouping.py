"""Groups, IP sets and services through the library."""

import uuid

from vmware_nsxlib.v3 import exceptions
from vmware_nsxlib.v3 import ns_group_manager
from vmware_nsxlib.v3 import nsx_constants

from startup import OVERLAY_ZONE
from steps import equal, refused, same_members
from switching import binding, tagged


def run(steps, nsxlib):
    switch, ports = None, []
    with steps("three ports are made to be grouped"):
        zone = nsxlib.transport_zone.get_id_by_name_or_id(OVERLAY_ZONE)
        switch = nsxlib.logical_switch.create("py-groups", zone, tagged(net="blue"))["id"]
        ports = [
            nsxlib.logical_port.create(
                switch, str(uuid.uuid4()), tagged(app=app), address_bindings=[binding(last)]
            )["id"]
            for last, app in ((1, "web"), (2, "web"), (3, "db"))
        ]
    of_groups(steps, nsxlib, switch, ports)
    sets_and_services(steps, nsxlib)
    with steps("the grouped ports are deleted with their switch"):
        nsxlib.logical_switch.delete(switch)
        with refused(exceptions.ResourceNotFound, 404, 600):
            nsxlib.logical_port.get(ports[0])


def effective(nsxlib, group, kind):
    """The effective members of a group, of one kind."""
    path = f"ns-groups/{group}/effective-{kind}-members"
    return [
        own if isinstance(own, str) else own["target_id"]
        for own in nsxlib.client.list(path)["results"]
    ]


def of_groups(steps, nsxlib, switch, ports):
    api = nsxlib.ns_group
    with steps("a group by tag has the tagged ports and their addresses"):
        criterion = api.get_port_tag_expression("app", "web")
        web = api.create("py-web", "by tag", tagged(owner="python"), criterion)["id"]
        same_members(effective(nsxlib, web, "logical-port"), ports[:2])
        same_members(effective(nsxlib, web, "ip-address"), ["10.11.0.1", "10.11.0.2"])
        kinds = nsxlib.client.get(f"ns-groups/{web}/member-types")["results"]
        equal("LogicalPort" in kinds, True, "LogicalPort among the member types")
    with steps("a relabelled port changes its groups at once"):
        vif = nsxlib.logical_port.get(ports[2])["attachment"]["id"]
        nsxlib.logical_port.update(ports[2], vif, tags_update=tagged(app="web"))
        same_members(effective(nsxlib, web, "logical-port"), ports)
        nsxlib.logical_port.update(ports[2], vif, tags_update=tagged(app="db"))
        same_members(effective(nsxlib, web, "logical-port"), ports[:2])
    with steps("a criterion on switches takes in all their ports"):
        blue = api.create("py-blue", "", [], api.get_switch_tag_expression("net", "blue"))["id"]
        equal(effective(nsxlib, blue, "logical-switch"), [switch])
        same_members(effective(nsxlib, blue, "ip-address"), [f"10.11.0.{n}" for n in (1, 2, 3)])
    with steps("a complex criterion holds where all its parts hold"):
        nsxlib.logical_port.update(ports[0], None, tags_update=tagged(tier="front"),
                                   attachment_type="VIF")
        parts = [api.get_port_tag_expression("app", "web"),
                 api.get_port_tag_expression("tier", "front")]
        both = api.create("py-both", "", [], api.get_nsgroup_complex_expression(parts))["id"]
        equal(effective(nsxlib, both, "logical-port"), ports[:1])
    with steps("members are added and removed one by one"):
        static = api.create("py-static", "", [])["id"]
        api.add_members(static, nsx_constants.TARGET_TYPE_LOGICAL_PORT, ports[1:])
        same_members(effective(nsxlib, static, "logical-port"), ports[1:])
        equal(api.read(static)["member_count"], 2, "member_count")
        target = api.read(static)["members"][0]["target_resource"]
        equal(target["target_id"] in ports[1:], True, "target_resource is filled in")
        api.remove_member(static, nsx_constants.TARGET_TYPE_LOGICAL_PORT, ports[1], verify=True)
        equal(effective(nsxlib, static, "logical-port"), ports[2:])
    with steps("removing a member that is none is NSGroupMemberNotFound"):
        try:
            api.remove_member(static, nsx_constants.TARGET_TYPE_LOGICAL_PORT, ports[1], verify=True)
        except exceptions.NSGroupMemberNotFound:
            pass
        else:
            raise AssertionError("it was removed")
    with steps("a port moves between groups as a Neutron port between security groups"):
        api.update_lport_nsgroups(ports[2], [static], [blue])
        equal(effective(nsxlib, static, "logical-port"), [])
        api.update_lport_nsgroups(ports[2], [blue], [static])
        equal(effective(nsxlib, static, "logical-port"), ports[2:])
    with steps("a group is updated by read-modify-write, and read with its references"):
        changed = api.update(web, display_name="py-renamed", tags_update=tagged(more="yes"))
        equal(changed["display_name"], "py-renamed")
        equal(len(changed["tags"]), 2, "tags")
        # What it sends back holds the references that it read.
        api.update(static, description="changed")
        same_members(effective(nsxlib, static, "logical-port"), ports[2:])
        same_members(effective(nsxlib, web, "logical-port"), ports[:2])
    with steps("a stale group is StaleRevision"):
        stale = dict(changed, _revision=changed["_revision"] - 1)
        with refused(exceptions.StaleRevision, 412):
            nsxlib.client.update(f"ns-groups/{web}", stale)
    with steps("nested groups are spread by the library's NSGroupManager"):
        manager = ns_group_manager.NSGroupManager(nsxlib, 2)
        manager.add_nsgroup(web)
        holding = [nested for nested in manager.nested_groups.values()
                   if effective(nsxlib, nested, "logical-port")]
        equal(len(holding), 1, "nested groups that hold something")
        same_members(effective(nsxlib, holding[0], "ip-address"), ["10.11.0.1", "10.11.0.2"])
        with refused(exceptions.ResourceInUse, 400):
            nsxlib.client.delete(f"ns-groups/{web}")
        manager.remove_nsgroup(web)
        equal(effective(nsxlib, holding[0], "logical-port"), [])
    with steps("all pages of groups are listed, fifty at most to a page"):
        extra = [api.create(f"py-page-{n}", "", [])["id"] for n in range(60)]
        listed = [own["id"] for own in api.list()]
        equal(set(extra) <= set(listed), True, "every group is listed")
        equal(len(listed), len(set(listed)), "groups, none twice")
    with steps("groups are deleted; a second delete is ResourceNotFound"):
        for group in [web, blue, both, static, *manager.nested_groups.values(), *extra]:
            api.delete(group)
        with refused(exceptions.ResourceNotFound, 404, 600):
            api.delete(web)


def sets_and_services(steps, nsxlib):
    api = nsxlib.ip_set
    with steps("an IP set is created, updated through a callback, read"):
        own = api.create("py-set", ip_addresses=["10.11.0.0/24"], tags=tagged(owner="python"))
        api.update(
            own["id"], ip_addresses=["10.12.0.1-10.12.0.9"],
            update_payload_cbk=lambda old, new: new["ip_addresses"].extend(old["ip_addresses"]),
        )
        addresses = api.read(own["id"])["ip_addresses"]
        equal(addresses, ["10.12.0.1-10.12.0.9", "10.11.0.0/24"])
    with steps("an IP set as a member gives a group its addresses"):
        reference = api.get_ipset_reference(own["id"])
        member = nsxlib.ns_group.get_member_expression(
            reference["target_type"], reference["target_id"]
        )
        group = nsxlib.ns_group.create("py-of-set", "", [], members=[member])["id"]
        equal(effective(nsxlib, group, "ipset"), [own["id"]])
        equal(len(effective(nsxlib, group, "ip-address")), 2, "addresses")
        nsxlib.ns_group.delete(group)
    with steps("a bad address is refused by field"):
        with refused(exceptions.ManagerError, 400, 255):
            api.create("py-bad", ip_addresses=["10.11.0.300"])
    with steps("an unknown property is refused by name"):
        with refused(exceptions.ManagerError, 400, 287):
            nsxlib.client.create("ip-sets", {"display_name": "py-bad", "colour": "blue"})
    with steps("a service with ports given as numbers is created, found among its kind, deleted"):
        element = nsxlib.firewall_section.get_l4portset_nsservice(destinations=[8080])["service"]
        service = nsxlib.client.create(
            "ns-services", {"display_name": "py-8080", "nsservice_element": element}
        )
        equal(service["nsservice_element"]["destination_ports"], ["8080"])
        own_ones = nsxlib.client.list("ns-services?default_service=False")["results"]
        equal([one["id"] for one in own_ones], [service["id"]], "services that are no default")
        nsxlib.client.delete(f"ns-services/{service['id']}")
    with steps("an IP set is deleted; a second delete is ResourceNotFound"):
        api.delete(own["id"])
        with refused(exceptions.ResourceNotFound, 404, 600):
            api.delete(own["id"])

"""Sections, rules and the exclude list through the library, as Neutron's security groups use them."""

import uuid

from vmware_nsxlib.v3 import exceptions
from vmware_nsxlib.v3 import nsx_constants

from startup import OVERLAY_ZONE
from steps import equal, refused, same_members
from switching import binding, tagged


def names(objects):
    """Their display names, in order."""
    return [own["display_name"] for own in objects]


def run(steps, nsxlib):
    groups = []
    with steps("two groups are made for the rules"):
        criterion = nsxlib.ns_group.get_port_tag_expression
        groups = [
            nsxlib.ns_group.create(f"py-fw-{app}", "", [], criterion("app", app))["id"]
            for app in ("web", "db")
        ]
    of_sections(steps, nsxlib, groups)
    of_rules(steps, nsxlib, groups)
    as_neutron(steps, nsxlib, groups)
    exclude_list(steps, nsxlib)
    with steps("the groups are deleted"):
        for group in groups:
            nsxlib.ns_group.delete(group)


def of_sections(steps, nsxlib, groups):
    api = nsxlib.firewall_section
    with steps("sections are placed: bottom, before another, after it, top"):
        bottom = api.create_empty("py-bottom", "", groups[:1], tagged(owner="python"))
        before = api.create_empty("py-before", "", [], [], nsx_constants.FW_INSERT_BEFORE,
                                  bottom["id"])
        after = api.create_with_rules("py-after", "", operation="insert_after",
                                      other_section=before["id"],
                                      rules=[api.get_rule_dict("py-first"),
                                             api.get_rule_dict("py-second", action="DROP")])
        top = api.create_with_rules("py-top", "", operation="insert_top")
        listed = names(api.list())
        equal(listed[0], "py-top", "the first section")
        equal(listed[-1], "Default Layer3 Section", "the last section")
        equal(listed[-4:-1], ["py-before", "py-after", "py-bottom"], "those above the last")
    with steps("a section tells its groups by name, its rules by number and count"):
        equal(bottom["applied_tos"][0]["target_display_name"], "py-fw-web")
        equal(api.get(after["id"])["rule_count"], 2, "rule_count")
        equal([own["id"].isdigit() for own in after["rules"]], [True, True], "ids are digits")
        equal({own["_revision"] for own in after["rules"]}, {after["_revision"]}, "revisions")
    with steps("a section is updated with and without its rules"):
        api.update(after["id"], display_name="py-renamed", tags_update=tagged(more="yes"))
        equal(names(api.get_rules(after["id"])["results"]), ["py-first", "py-second"])
        api.update(after["id"], applied_tos=groups, rules=[api.get_rule_dict("py-only")])
        equal(names(api.get_rules(after["id"])["results"]), ["py-only"])
        same_members([own["target_id"] for own in api.get(after["id"])["applied_tos"]], groups)
    with steps("a stale section is StaleRevision"):
        with refused(exceptions.StaleRevision, 409):
            nsxlib.client.update(api.get_path(after["id"]), dict(api.get(after["id"]), _revision=0))
    with steps("a section with rules needs cascade; a second delete is ResourceNotFound"):
        with refused(exceptions.ManagerError, 400):
            nsxlib.client.delete(api.get_path(after["id"]))
        for section in (bottom, before, after, top):
            api.delete(section["id"])
        with refused(exceptions.ResourceNotFound, 404, 600):
            api.delete(top["id"])


def of_rules(steps, nsxlib, groups):
    api = nsxlib.firewall_section
    with steps("rules are added one by one and several at once, top and bottom"):
        web, db = (api.get_nsgroup_reference(group) for group in groups)
        section = api.create_empty("py-rules", "", [], [])["id"]
        service = api.get_l4portset_nsservice(destinations=["8080"])
        middle = api.add_rule(
            api.get_rule_dict("py-middle", [web], [db], services=[service], rule_tag="py"), section
        )
        several = [api.get_rule_dict("py-last", action="DROP", applied_tos=[db]),
                   api.get_rule_dict("py-very-last", disabled=True, logged=True)]
        api.add_rules(several, section)
        api.add_rule(api.get_rule_dict("py-top"), section, operation="insert_top")
        rules = api.get_rules(section)["results"]
        equal(names(rules), ["py-top", "py-middle", "py-last", "py-very-last"])
        equal(middle["sources"][0]["target_display_name"], "py-fw-web")
        equal(middle["services"][0]["service"]["destination_ports"], ["8080"])
        equal({own["_revision"] for own in rules}, {api.get(section)["_revision"]}, "revisions")
    with steps("a rule with a stale revision is StaleRevision, and is not added"):
        late = dict(api.get_rule_dict("py-late"), _revision=0)
        with refused(exceptions.StaleRevision, 409):
            nsxlib.client.create(f"firewall/sections/{section}/rules", late)
        equal(len(api.get_rules(section)["results"]), 4, "rules")
    with steps("a single address, a block, a range and another family are taken as they are"):
        reference = api.get_ip_cidr_reference
        rule = api.get_rule_dict(
            "py-addresses", [reference("10.0.0.0/8", "IPV4"), api.get_rule_address("10.9.0.1-10.9.0.9")],
            [reference("fd00::/8", "IPV6")],
        )
        added = api.add_rule(rule, section)
        equal([own["target_id"] for own in added["sources"]], ["10.0.0.0/8", "10.9.0.1-10.9.0.9"])
        api.delete_rule(section, added["id"])
    with steps("logging is switched for a whole section, rules keep their ids"):
        before = [own["id"] for own in api.get_rules(section)["results"]]
        api.set_rule_logging(section, True)
        rules = api.get_rules(section)["results"]
        equal({own["logged"] for own in rules}, {True}, "logged")
        equal([own["id"] for own in rules], before, "ids")
    with steps("a rule is deleted; a second delete is ResourceNotFound"):
        api.delete_rule(section, middle["id"])
        equal(names(api.get_rules(section)["results"]), ["py-top", "py-last", "py-very-last"])
        with refused(exceptions.ResourceNotFound, 404, 600):
            api.delete_rule(section, middle["id"])
    with steps("the default section ends in its default rule; a section of ours has none"):
        default = next(own for own in api.list() if own["is_default"])["id"]
        equal(api.get_default_rule(default)["is_default"], True)
        equal(api.get_default_rule(section), None)
        api.delete(section)


def as_neutron(steps, nsxlib, groups):
    api = nsxlib.firewall_section

    def rule(direction="ingress", protocol=None, ports=(None, None), prefix=None, family="IPv4"):
        """A rule of a Neutron security group."""
        return {"id": str(uuid.uuid4()), "direction": direction, "protocol": protocol,
                "port_range_min": ports[0], "port_range_max": ports[1],
                "remote_ip_prefix": prefix, "ethertype": family}

    with steps("rules of a security group are translated: TCP, UDP range, ICMP, protocol, IPv6"):
        section = api.create_empty("py-neutron", "", groups[:1], [])["id"]
        wanted = [rule(protocol="tcp", ports=(443, 443)), rule("egress", "udp", (5000, 5010)),
                  rule(protocol="icmp", ports=(8, 0)), rule(protocol="icmp"),
                  rule(protocol="47", prefix="10.0.0.0/8"), rule(family="IPv6", prefix="fd00::/8")]
        remote = {own["id"]: groups[1] for own in wanted}
        added = api.create_section_rules(section, groups[0], False, "ALLOW", wanted, remote)["rules"]
        equal(names(added), [own["id"] for own in wanted])
        equal([own["direction"] for own in added], ["IN", "OUT", "IN", "IN", "IN", "IN"])
        elements = [own["services"][0]["service"] for own in added[:5]]
        kinds = ["L4PortSet", "L4PortSet", "ICMPType", "ICMPType", "IPProtocol"]
        equal([own["resource_type"] for own in elements], [f"{kind}NSService" for kind in kinds])
        equal((elements[2]["icmp_type"], elements[2]["icmp_code"]), (8, 0))
        equal("icmp_type" in elements[3], False, "a type where none was given")
    with steps("group and section are updated together"):
        nsxlib.ns_group.update_nsgroup_and_section(
            "py-sg", "renamed", True, groups[0], section, log_sg_allowed_traffic=False
        )
        equal(nsxlib.ns_group.read(groups[0])["display_name"], "py-sg")
        equal({own["logged"] for own in api.get_rules(section)["results"]}, {True})
        api.delete(section)
    with steps("OpenStack's own default section is made, and found again the second time"):
        first = api.init_default("py-default", "d", [groups[0]], False)
        equal(api.init_default("py-default", "d", [groups[0]], False), first)
        rules = api.get_rules(first)["results"]
        equal(names(rules), ["DHCP Request", "DHCP Reply", "Block All"])
        equal(rules[0]["services"][0]["service"]["source_ports"], ["68"], "a port sent as number")
        api.delete(first)


def exclude_list(steps, nsxlib):
    api = nsxlib.firewall_section

    def excluded():
        return [own["target_id"] for own in api.get_excludelist()["members"]]

    with steps("a port is added to the exclude list and removed"):
        zone = nsxlib.transport_zone.get_id_by_name_or_id(OVERLAY_ZONE)
        switch = nsxlib.logical_switch.create("py-excluded", zone, [])["id"]
        port = nsxlib.logical_port.create(
            switch, str(uuid.uuid4()), address_bindings=[binding(1)]
        )["id"]
        api.add_member_to_fw_exclude_list(port, nsx_constants.TARGET_TYPE_LOGICAL_PORT)
        equal(excluded(), [port])
        found = nsxlib.client.create(f"firewall/excludelist?action=check_if_exists&object_id={port}")
        equal(found["target_id"], port)
        api.remove_member_from_fw_exclude_list(port, nsx_constants.TARGET_TYPE_LOGICAL_PORT)
        equal(excluded(), [])
        nsxlib.logical_switch.delete(switch)
    with steps("removing what is not excluded is refused"):
        with refused(exceptions.ResourceNotFound, 404):
            api.remove_member_from_fw_exclude_list(port, nsx_constants.TARGET_TYPE_LOGICAL_PORT)

package main

import (
	"strconv"
	"time"

	"github.com/vmware/go-vmware-nsxt/common"
	"github.com/vmware/go-vmware-nsxt/manager"
	"github.com/vmware/go-vmware-nsxt/monitoring"
)

// observation is what a step wants of one, the part that the client's type lacks included.
type observation struct {
	ResourceType string `json:"resource_type"`
	Component    string `json:"component_type"`
	Reason       string `json:"reason"`
	Port         string `json:"lport_id"`
	Rule         int64  `json:"acl_rule_id"`
}

// deciding are the firewall rules that decided, in order.
func deciding(seen []observation) (rules []string) {
	for _, own := range seen {
		if own.Rule != 0 {
			rules = append(rules, strconv.FormatInt(own.Rule, 10))
		}
	}
	return rules
}

// trace is what a TCP packet between two ports met.
func trace(to *chapter, source, destination manager.LogicalPort, port int) []observation {
	api := to.TroubleshootingAndMonitoringApi
	src, dst := source.AddressBindings[0], destination.AddressBindings[0]
	// The client's type for a packet knows no headers.
	to.wire.send(map[string]any{
		"lport_id": source.Id,
		"packet": map[string]any{
			"resource_type": "FieldsPacketData",
			"eth_header":    map[string]any{"src_mac": src.MacAddress, "dst_mac": dst.MacAddress},
			"ip_header":     map[string]any{"src_ip": src.IpAddress, "dst_ip": dst.IpAddress, "protocol": 6},
			"transport_header": map[string]any{
				"tcp_header": map[string]any{"src_port": 49152, "dst_port": port, "tcp_flags": 2},
			},
		},
	})
	asked, reply, err := api.CreateTraceflow(to.ctx, monitoring.TraceflowRequest{})
	must(err)
	equal(reply.StatusCode, 201, "status")
	finished := asked
	for try := 0; try < tries && finished.OperationState == "IN_PROGRESS"; try++ {
		time.Sleep(pause)
		finished = got(api.GetTraceflow(to.ctx, asked.Id))
	}
	equal(finished.OperationState, "FINISHED", "operation_state")
	list := got(api.GetTraceflowObservations(to.ctx, asked.Id, nil))
	seen := read[struct{ Results []observation }](to.wire).Results
	equal(list.ResultCount, int64(len(seen)), "result_count")
	done(api.DeleteTraceflow(to.ctx, asked.Id))
	equal(bare(api.DeleteTraceflow(to.ctx, asked.Id)), 404, "status of a second delete")
	return seen
}

func traceflow(to *chapter) {
	api := to.ServicesApi
	var net string
	var client, server manager.LogicalPort
	var from, at manager.NsGroup
	var http manager.L4PortSetNsService
	var section manager.FirewallSectionRuleList
	to.step("two ports, two groups, and a rule between them that drops", func() {
		net = segment(to, "go-trace")
		client = port(to, wanted(net, 1, common.Tag{Scope: "trace", Tag: "client"}))
		server = port(to, wanted(net, 2, common.Tag{Scope: "trace", Tag: "server"}))
		from = group(to, manager.NsGroup{MembershipCriteria: byTag("trace", "client")})
		at = group(to, manager.NsGroup{MembershipCriteria: byTag("trace", "server")})
		http = tcp(to, "go-http", "80")
		drop := between("drop", "DROP", 0, from, at)
		drop.Services = []manager.FirewallService{{TargetType: "NSService", TargetId: http.Id}}
		section = got(api.AddSectionWithRulesCreateWithRules(to.ctx, manager.FirewallSectionRuleList{
			FirewallSection: layer3("go-trace"), Rules: []manager.FirewallRule{drop},
		}, nil))
		equal(got(api.GetSectionState(to.ctx, section.Id, nil)).State, "success", "the state")
	})
	to.step("the packet is dropped by the rule, at the client's vNIC", func() {
		seen := trace(to, client, server, 80)
		last := seen[len(seen)-1]
		equal(last.ResourceType, "TraceflowObservationDroppedLogical", "the last")
		equal([]string{last.Component, last.Reason}, []string{"DFW", "FW_RULE"}, "component and reason")
		equal(last.Port, client.Id, "the port")
		equal(deciding(seen), []string{section.Rules[0].Id}, "rules")
	})
	to.step("another port is not the rule's: delivered, by the default rule at both vNICs", func() {
		seen := trace(to, client, server, 81)
		equal(seen[len(seen)-1].ResourceType, "TraceflowObservationDelivered", "the last")
		equal(deciding(seen), []string{"2", "2"}, "rules")
	})
	to.step("an allowing rule above it delivers, and is told at both vNICs", func() {
		allow := got(api.AddRuleInSection(
			to.ctx, section.Id, between("allow", "ALLOW", section.Revision, from, at), nil,
		))
		seen := trace(to, client, server, 80)
		last := seen[len(seen)-1]
		equal(last.ResourceType, "TraceflowObservationDelivered", "the last")
		equal(last.Port, server.Id, "the port")
		equal(deciding(seen), []string{allow.Id, allow.Id}, "rules")
	})
	to.step("a packet without headers, all that the client's type can say, is refused", func() {
		reply := status(to.TroubleshootingAndMonitoringApi.CreateTraceflow(to.ctx,
			monitoring.TraceflowRequest{
				LportId: client.Id,
				Packet:  &monitoring.PacketData{ResourceType: "FieldsPacketData", TransportType: "UNICAST"},
			}))
		equal(reply, 400, "status")
	})
	to.step("everything is deleted, and nothing is left", func() {
		done(api.DeleteSection(to.ctx, section.Id, optional{"cascade": true}))
		done(to.GroupingObjectsApi.DeleteNSGroup(to.ctx, from.Id, nil))
		done(to.GroupingObjectsApi.DeleteNSGroup(to.ctx, at.Id, nil))
		done(to.GroupingObjectsApi.DeleteNSService(to.ctx, http.Id, nil))
		remove(to, net)
		ports := got(to.LogicalSwitchingApi.ListLogicalPorts(to.ctx, nil)).Results
		equal(len(ports), 0, "ports")
		groups := got(to.GroupingObjectsApi.ListNSGroups(to.ctx, nil)).Results
		equal(len(groups), 0, "groups")
	})
}

// between is a rule from one group to another.
func between(name, action string, revision int64, from, at manager.NsGroup) manager.FirewallRule {
	own := rule(name, action, revision)
	own.Sources = []common.ResourceReference{refer("NSGroup", from.Id)}
	own.Destinations = []common.ResourceReference{refer("NSGroup", at.Id)}
	return own
}

package main

import (
	"github.com/vmware/go-vmware-nsxt/common"
	"github.com/vmware/go-vmware-nsxt/manager"
)

func rules(to *chapter) {
	api := to.ServicesApi
	var section manager.FirewallSection
	var web, db manager.NsGroup
	var http manager.L4PortSetNsService
	revision := func() int64 { return got(api.GetSection(to.ctx, section.Id)).Revision }
	list := func() []manager.FirewallRule { return got(api.GetRules(to.ctx, section.Id, nil)).Results }
	to.step("a section, two groups and a service are made for the rules", func() {
		web = group(to, manager.NsGroup{DisplayName: "go-web", MembershipCriteria: byTag("app", "web")})
		db = group(to, manager.NsGroup{DisplayName: "go-db", MembershipCriteria: byTag("app", "db")})
		http = tcp(to, "go-http", "80")
		body := layer3("go-rules")
		body.AppliedTos = []common.ResourceReference{refer("NSGroup", web.Id), refer("NSGroup", db.Id)}
		section = got(api.AddSection(to.ctx, body, nil))
		equal(section.AppliedTos[0].TargetDisplayName, "go-web", "the name of what it applies to")
	})
	to.step("a rule is added with groups and a service, and read back with their names", func() {
		body := rule("middle", "ALLOW", section.Revision)
		body.Sources = []common.ResourceReference{refer("NSGroup", web.Id)}
		body.Destinations = []common.ResourceReference{refer("NSGroup", db.Id)}
		body.Services = []manager.FirewallService{{TargetType: "NSService", TargetId: http.Id}}
		own := got(api.AddRuleInSection(to.ctx, section.Id, body, nil))
		equal(own.Services[0].TargetDisplayName, "go-http", "the service's name")
		read := got(api.GetRule(to.ctx, section.Id, own.Id))
		equal(read.Sources[0].TargetDisplayName, "go-web", "the source's name")
		equal(read.Sources[0].IsValid, true, "is_valid")
		equal([]string{read.Direction, read.IpProtocol}, []string{"IN_OUT", "IPV4_IPV6"}, "defaults")
		equal(read.Revision, revision(), "the revision")
	})
	to.step("a rule of a stale revision is not added", func() {
		reply := status(api.AddRuleInSection(to.ctx, section.Id, rule("late", "ALLOW", 0), nil))
		equal(reply, 409, "status")
		equal(len(list()), 1, "rules")
	})
	to.step("several rules at once, top and bottom, before and after", func() {
		now := revision()
		body := manager.FirewallRuleList{
			Rules: []manager.FirewallRule{rule("last", "DROP", now), rule("very last", "REJECT", now)},
		}
		added := got(api.AddRulesInSectionCreateMultiple(
			to.ctx, section.Id, body, optional{"operation": "insert_bottom"},
		))
		equal(len(added.Rules), 2, "rules")
		place := optional{"operation": "insert_before", "id": added.Rules[0].Id}
		got(api.AddRuleInSection(to.ctx, section.Id, rule("before", "ALLOW", revision()), place))
		place["operation"] = "insert_after"
		got(api.AddRuleInSection(to.ctx, section.Id, rule("after", "ALLOW", revision()), place))
		order := []string{"middle", "before", "last", "after", "very last"}
		equal(names(list()), order, "the order")
	})
	to.step("a rule is changed, moved by revise, disabled", func() {
		own := list()[1]
		own.Disabled, own.Notes = true, "why"
		own = got(api.UpdateRule(to.ctx, section.Id, own.Id, own))
		own = got(api.ReviseRuleRevise(to.ctx, section.Id, own.Id, own, optional{"operation": "insert_top"}))
		equal([]any{own.Disabled, own.Notes}, []any{true, "why"}, "what was changed")
		equal(list()[0].Id, own.Id, "the first")
	})
	to.step("the section is realized, and its rules count nothing yet", func() {
		equal(got(api.GetSectionState(to.ctx, section.Id, nil)).State, "success", "the state")
		own := list()[0]
		stats := got(api.GetFirewallStats(to.ctx, section.Id, own.Id, optional{"source": "realtime"}))
		equal(stats.RuleId, own.Id, "rule_id")
		equal(stats.PacketCount, int64(0), "packets")
	})
	to.step("sections are found by what their rules name", func() {
		found := got(api.ListSections(to.ctx, optional{"sources": web.Id})).Results
		equal(each(found, func(own manager.FirewallSection) string { return own.Id }), []string{section.Id}, "ids")
	})
	to.step("a group tells the rules that name it", func() {
		got(to.GroupingObjectsApi.GetServiceAssociations(to.ctx, web.Id, "firewall", nil))
		found := read[struct {
			ServiceType string                 `json:"service_type"`
			Results     []manager.FirewallRule `json:"results"`
		}](to.wire)
		equal(found.ServiceType, "FireWallServiceAssociationListResult", "service_type")
		equal(len(found.Results) > 0, true, "rules")
	})
	to.step("a group that a rule names is not deleted; by force it is, and the rule says so", func() {
		equal(bare(to.GroupingObjectsApi.DeleteNSGroup(to.ctx, web.Id, nil)), 400, "status")
		done(to.GroupingObjectsApi.DeleteNSGroup(to.ctx, web.Id, optional{"force": true}))
		for _, own := range list() {
			for _, source := range own.Sources {
				equal(source.IsValid, false, "is_valid")
			}
		}
	})
	to.step("a section with rules needs cascade; then the rest is deleted", func() {
		equal(bare(api.DeleteSection(to.ctx, section.Id, nil)), 400, "status")
		done(api.DeleteSection(to.ctx, section.Id, optional{"cascade": true}))
		done(to.GroupingObjectsApi.DeleteNSGroup(to.ctx, db.Id, nil))
		done(to.GroupingObjectsApi.DeleteNSService(to.ctx, http.Id, nil))
	})
}
